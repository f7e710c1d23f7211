"""Layer 2: network and plan become kernels and messages; these on hardware become time, memory and energy."""
