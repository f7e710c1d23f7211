"""Decoder language model families: configuration in, `Decoder` out."""
