"""The questions as functions: what `costline.serve`, `train`, `generate` and `caption` are."""
