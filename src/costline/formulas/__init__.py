"""Layer 1: pure physics. Numbers or arrays in, the same out; SI units; no objects, no input or output."""
