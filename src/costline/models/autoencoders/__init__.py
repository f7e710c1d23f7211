"""Video and image autoencoders: configuration in, `Autoencoder` out."""
