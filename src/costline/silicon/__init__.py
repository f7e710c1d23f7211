"""Chips, real and imagined: what they cost, draw and reach; compared, checked and designed.

A designed chip is a `costline.Chip`, and the studies run on it unchanged.
"""
