"""Diffusion transformer families, one module each: configuration in, `DiT` out."""
