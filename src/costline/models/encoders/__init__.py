"""Text and image encoders that condition a generator: configuration in, `Encoder` out."""
