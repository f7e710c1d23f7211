"""Autoencoders: two half networks and the positions each stage works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from costline.models.network import Network
from costline.models.parts import Part
from costline.numeric import Numeric

PixelStreams = Callable[[Numeric, Numeric, Numeric], dict[str, Numeric]]
"""Frames, height and width in pixels -> positions of every stage."""


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Network):
    """A video or image autoencoder; `parts` is the encoder's parts, the decoder's and what both share.

    Attributes
    ----------
    encoder, decoder : tuple of Part
        Work of one encode and of one decode.
    stages : callable
        ``stages(frames, height, width)`` in pixels gives the streams that the parts name, both directions.
    time, space : int
        Compression. [pixel per latent]
    latent_channels : int
        Channels of the latent. [channel]
    """

    encoder: tuple[Part, ...]
    decoder: tuple[Part, ...]
    stages: PixelStreams
    time: int
    space: int
    latent_channels: int

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1
    ) -> dict[str, Numeric]:
        """Positions of every stage for a clip of `frames` x `height` x `width` pixels."""
        return {**self.stages(frames, height, width), "sample": 1, "batch": batch}
