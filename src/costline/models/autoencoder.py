"""Autoencoders: two half networks and the positions each stage works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from costline.formulas.autoencoder import tiled_positions
from costline.models.network import Network
from costline.models.parts import Part
from costline.numeric import Array, Numeric, ceil_divide


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Tiles an autoencoder works on one after the other to save memory; all in pixels of the video.

    Attributes
    ----------
    height, width : int
        Size of a tile. [pixel]
    stride_height, stride_width : int
        Distance between the starts of two tiles. [pixel]
    """

    height: int
    width: int
    stride_height: int
    stride_width: int

    @classmethod
    def square(cls, side: int, stride: int) -> Tiling:
        """Tiles of equal height and width. [pixel, pixel]"""
        return cls(height=side, width=side, stride_height=stride, stride_width=stride)

    def scaled(self, side: int) -> Tiling:
        """Square tiles of `side` pixels with the same relative overlap. [pixel]"""
        return Tiling(
            height=side,
            width=side,
            stride_height=max(side * self.stride_height // self.height, 1),
            stride_width=max(side * self.stride_width // self.width, 1),
        )

    def needed(self, height: Numeric, width: Numeric) -> Array:
        """Whether the picture is larger than a tile in either direction."""
        return np.asarray(np.logical_or(np.greater(height, self.height), np.greater(width, self.width)))

    def count(self, height: Numeric, width: Numeric) -> Numeric:
        """Tiles of one picture. [tile]"""
        tiles = ceil_divide(height, self.stride_height) * ceil_divide(width, self.stride_width)
        return self._where_needed(height, width, tiles)

    def factor(self, height: Numeric, width: Numeric) -> Numeric:
        """Work with tiles over work without, where work is proportional to positions (convolutions). [1]"""
        rows = tiled_positions(height, self.height, self.stride_height) / height
        columns = tiled_positions(width, self.width, self.stride_width) / width
        return self._where_needed(height, width, rows * columns)

    def _where_needed(self, height: Numeric, width: Numeric, value: Numeric) -> Numeric:
        """`value` where the picture is cut, 1 where it is not."""
        needed = self.needed(height, width)
        if needed.ndim == 0:
            return value if needed else 1
        return np.where(needed, value, 1)


class PixelStreams(dict[str, Numeric]):
    """Streams of the stages of an autoencoder for one clip, each worked out when it is first asked for."""

    def __init__(self, stream: Callable[[str], Numeric]) -> None:
        super().__init__()
        self._stream = stream

    def __missing__(self, name: str) -> Numeric:
        value = self[name] = self._stream(name)
        return value


class PixelStages(Protocol):
    """Frames, height and width in pixels -> positions of every stage."""

    def __call__(
        self, frames: Numeric, height: Numeric, width: Numeric, tiling: Tiling | None = None
    ) -> PixelStreams: ...


@dataclass(frozen=True, kw_only=True)
class Autoencoder(Network):
    """A video or image autoencoder; `parts` is the encoder's parts and the decoder's.

    Attributes
    ----------
    encoder, decoder : tuple of Part
        Work of one encode and of one decode, the convolutions around the latent (``.../quant``) included.
    stages : callable
        ``stages(frames, height, width, tiling)`` in pixels gives the streams that the parts name, both directions.
    time, space : int
        Compression. [pixel per latent]
    latent_channels : int
        Channels of the latent. [channel]
    tiling : Tiling
        Tiles the reference implementation uses once tiling is switched on; it is off unless asked for.
    chunk : int or None
        Frames of video worked on at a time by the reference implementation, which bounds its memory; None: all. [frame]
    upcast : bool
        Whether it overflows in fp16 and is run in fp32 instead: diffusers' ``force_upcast``.
    """

    encoder: tuple[Part, ...]
    decoder: tuple[Part, ...]
    stages: PixelStages
    time: int
    space: int
    latent_channels: int
    tiling: Tiling
    chunk: int | None = None
    upcast: bool = False

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, tiling: Tiling | None = None
    ) -> PixelStreams:
        """Positions of every stage for a clip of `frames` x `height` x `width` pixels.

        Parameters
        ----------
        frames, height, width : float or array
            Clip in pixels. [frame, pixel, pixel]
        batch : float or array
            Clips. [sample]
        tiling : Tiling, optional
            Overlapping tiles; pass `self.tiling` for those of the reference implementation.
        """
        streams = self.stages(frames, height, width, tiling)
        streams |= {"sample": 1, "batch": batch}
        return streams

    def tiling_factor(self, height: Numeric, width: Numeric, tile: int) -> Numeric:
        """Work with square tiles of `tile` pixels over work without, overlap as in the reference implementation. [1]"""
        return self.tiling.scaled(tile).factor(height, width)
