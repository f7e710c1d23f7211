"""Layer 3: whole questions. Each is one straight walk from model, hardware and plan to an estimate."""
