"""Predictions against published measurements: rows, predictions, scores, baselines."""
