"""An estimate for people and for programs: table, derivation, JSON, CSV."""
