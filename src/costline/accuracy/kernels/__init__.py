"""Coefficients from measured kernels: tables of the optional package, fitted and scored on shapes left out."""
