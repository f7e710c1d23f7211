"""costline: what it costs to train and to serve large generative transformers."""

__version__ = "0.1.0"
