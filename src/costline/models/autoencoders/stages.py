"""Stages of an autoencoder: what each layer's frames, height and width are, tiles and chunks included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from costline.formulas.autoencoder import tiled_pairs, tiled_positions
from costline.models.autoencoder import PixelStreams, Tiling
from costline.numeric import Numeric, floor_divide, largest, smallest

Step: TypeAlias = tuple[Literal["shrink", "grow", "times", "plus", "pair"], int]
"""What a layer does to the number of frames n, with a factor k.

``shrink``: ``(n - 1) // k + 1`` (causal, the first frame alone); ``grow``: ``(n - 1) * k + 1``; ``times``: ``n * k``;
``plus``: ``n + k``; ``pair``: ``grow`` for odd n and ``times`` for even n.
"""


def frames_after(steps: tuple[Step, ...], frames: Numeric) -> Numeric:
    """Frames after all `steps`.

    Examples
    --------
    >>> frames_after((("shrink", 4), ("grow", 2)), 81)
    41
    """
    for kind, factor in steps:
        if kind == "shrink":
            frames = floor_divide(frames - 1, factor) + 1
        elif kind == "grow":
            frames = (frames - 1) * factor + 1
        elif kind == "times":
            frames = frames * factor
        elif kind == "plus":
            frames = frames + factor
        else:
            frames = frames * factor - (frames % 2) * (factor - 1)
    return frames


@dataclass(frozen=True, slots=True)
class Chunks:
    """Overlapping pieces in time, used for clips longer than `threshold`; all in frames of the half's input."""

    tile: int
    stride: int
    threshold: int


@dataclass(frozen=True, slots=True)
class Extent:
    """One axis of one stage: its length, and what tiles make of it.

    Attributes
    ----------
    longest : float or array
        The longest tile, or the whole axis. [position]
    positions, pairs : float or array
        Sum over tiles of their length, and of its square. [position, pair]
    """

    longest: Numeric
    positions: Numeric
    pairs: Numeric

    @property
    def sequences(self) -> Numeric:
        """Longest tiles with the same pairs together. [sequence]"""
        return self.pairs / largest(self.longest, 1) ** 2

    @classmethod
    def tiled(cls, length: Numeric, tile: Numeric, stride: Numeric, used: Numeric) -> Extent:
        """An axis cut into tiles where `used`."""
        whole = cls(length, length, length**2)
        cut = cls(smallest(length, tile), tiled_positions(length, tile, stride), tiled_pairs(length, tile, stride))
        if np.ndim(used) == 0:
            return cut if used else whole
        return cls(
            np.where(used, cut.longest, whole.longest),
            np.where(used, cut.positions, whole.positions),
            np.where(used, cut.pairs, whole.pairs),
        )


@dataclass(frozen=True, slots=True)
class Surface:
    """Picture of one stage: `longest` the largest tile, all `positions`, and whole tiles as `sequences`."""

    longest: Numeric
    positions: Numeric
    sequences: Numeric


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a group of layers works.

    Attributes
    ----------
    name : str
        Stream of its positions; ``<name>:time``, ``:area`` and the like are derived, see `stream`.
    before : tuple of Step
        From frames of video to the half's input; pieces in time are cut there.
    steps : tuple of Step
        From the half's input to this stage.
    space : int
        Pixels of video a position covers in each direction. [pixel]
    chunks : Chunks or None
        Pieces in time.
    """

    name: str
    before: tuple[Step, ...]
    steps: tuple[Step, ...]
    space: int
    chunks: Chunks | None = None

    def duration(self, frames: Numeric) -> Extent:
        """Frames of this stage."""
        inputs = frames_after(self.before, frames)
        length = frames_after(self.steps, inputs)
        if self.chunks is None:
            return Extent(length, length, length**2)
        tile = frames_after(self.steps, self.chunks.tile)
        stride = frames_after(self.steps, self.chunks.tile + self.chunks.stride) - tile
        return Extent.tiled(length, tile, stride, inputs > self.chunks.threshold)

    def surface(self, height: Numeric, width: Numeric, tiling: Tiling | None) -> Surface:
        """Picture of this stage."""
        rows, columns = (
            Extent(side, side, side**2) for side in (floor_divide(height, self.space), floor_divide(width, self.space))
        )
        if tiling is not None:
            used = tiling.needed(height, width)
            rows, columns = (
                Extent.tiled(side.longest, max(tile // self.space, 1), max(stride // self.space, 1), used)
                for side, tile, stride in (
                    (rows, tiling.height, tiling.stride_height),
                    (columns, tiling.width, tiling.stride_width),
                )
            )
        area = rows.longest * columns.longest
        return Surface(area, rows.positions * columns.positions, rows.pairs * columns.pairs / area**2)


def stream_of(what: str, time: Extent, surface: Surface) -> Numeric:
    """Positions of a stage, or queries or sequences of its attention over an area, over time or over both.

    Cut-off tiles count as fractions of a whole sequence, so that sequences x queries x keys is exact.
    """
    match what:
        case "":
            return time.positions * surface.positions
        case "area":
            return surface.longest
        case "areas":
            return time.positions * surface.sequences
        case "time":
            return time.longest
        case "times":
            return surface.positions
        case "all":
            return time.longest * surface.longest
        case "alls":
            return time.sequences * surface.sequences
    raise KeyError(what)


@dataclass(frozen=True, slots=True)
class Stages:
    """All stages of an autoencoder; called with a clip it gives their streams."""

    stages: tuple[Stage, ...]

    def __call__(self, frames: Numeric, height: Numeric, width: Numeric, tiling: Tiling | None = None) -> PixelStreams:
        """Streams of every stage for a clip in pixels."""
        named = {stage.name: stage for stage in self.stages}
        times: dict[tuple[object, ...], Extent] = {}
        surfaces: dict[int, Surface] = {}

        def stream(name: str) -> Numeric:
            place, _, what = name.partition(":")
            stage = named[place]
            key = (stage.before, stage.steps, stage.chunks)  # stages that differ in one respect only share the rest
            if key not in times:
                times[key] = stage.duration(frames)
            if stage.space not in surfaces:
                surfaces[stage.space] = stage.surface(height, width, tiling)
            return stream_of(what, times[key], surfaces[stage.space])

        return PixelStreams(stream)
