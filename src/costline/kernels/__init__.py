"""Measured kernels of an optional package: which files count, their rows, and what in a network causes such calls."""
