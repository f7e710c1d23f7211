"""Layer 2, where it runs: chips, clusters and what share of their peak is reached."""
