"""The best plan: every legal way to run something, evaluated as arrays by the studies themselves."""
