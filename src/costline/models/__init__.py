"""Layer 2: what runs, described once as parts; parameters, FLOPs, bytes and kernels all come from the parts."""
