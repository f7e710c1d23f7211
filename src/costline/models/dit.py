"""Diffusion transformers: a network plus the rules that turn pixels and seconds into tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from costline.errors import ConfigError
from costline.models.network import Network
from costline.models.parts import Attention
from costline.numeric import Numeric, ceil_divide, floor_divide, largest


@dataclass(frozen=True, kw_only=True)
class Grid:
    """How a video becomes latent tokens: autoencoder compression, then patches.

    Attributes
    ----------
    time, space : int
        Compression of the autoencoder in time and in each spatial direction. [pixel per latent]
    patch_time, patch_space : int
        Patch of the transformer. [latent per token]
    first_frame_alone : bool
        True for causal autoencoders: ``(frames - 1) / time + 1`` latent frames; False: ``frames / time``.
    latents : int
        Latent frames that `time` frames become where the first is not alone: 3 for an autoencoder that turns 17
        frames into 3 (whole groups only, as its pipeline does). [frame]
    """

    time: int = 1
    space: int = 8
    patch_time: int = 1
    patch_space: int = 2
    first_frame_alone: bool = True
    latents: int = 1

    def latent_frames(self, frames: Numeric) -> Numeric:
        """Latent frames of a clip. [frame]"""
        if self.first_frame_alone:
            return floor_divide(frames - 1, self.time) + 1
        if self.latents > 1:
            return largest(floor_divide(frames, self.time) * self.latents, 1)
        return ceil_divide(frames, self.time)

    def covered(self, frames: Numeric, height: Numeric, width: Numeric) -> tuple[Numeric, Numeric, Numeric]:
        """Frames, height and width that the latent tokens stand for: the clip on the grid. [frame, pixel, pixel]

        Examples
        --------
        >>> Grid(time=4, space=8).covered(80, 730, 1280)
        (77, 720, 1280)
        """
        side = self.space * self.patch_space
        return self.covered_frames(frames), floor_divide(height, side) * side, floor_divide(width, side) * side

    def covered_frames(self, frames: Numeric) -> Numeric:
        """Frames that the latent frames of a clip stand for. [frame]"""
        latents = self.latent_frames(frames)
        if self.first_frame_alone:
            return (latents - 1) * self.time + 1
        return floor_divide(latents, self.latents) * self.time

    def frames_of(self, token_frames: Numeric) -> Numeric:
        """Frames that some frames of tokens stand for, not rounded. [frame]

        Examples
        --------
        >>> Grid(time=4).frames_of(21.0)
        81.0
        """
        latents = token_frames * self.patch_time
        return (latents - 1) * self.time + 1 if self.first_frame_alone else latents / self.latents * self.time

    def streams(self, frames: Numeric, height: Numeric, width: Numeric) -> dict[str, Numeric]:
        """Streams every video network has.

        Returns
        -------
        dict
            ``image`` (all latent tokens), ``time`` (token frames), ``space`` (tokens of a frame), ``sample`` (1).
        """
        time = ceil_divide(self.latent_frames(frames), self.patch_time)
        rows = floor_divide(floor_divide(height, self.space), self.patch_space)
        columns = floor_divide(floor_divide(width, self.space), self.patch_space)
        return {"sample": 1, "time": time, "space": rows * columns, "image": time * rows * columns}


@dataclass(frozen=True, kw_only=True)
class DiT(Network):
    """A diffusion transformer, one evaluation at a time.

    Attributes
    ----------
    grid : Grid
        Pixels to tokens.
    fixed_streams : mapping
        Streams of constant length, such as ``{"text": 512}``. Callers may override them by name.
    products : mapping
        Streams that are products of others and of plain factors: ``{"copied_text": ("time", "text")}`` where every
        frame reads the text anew, ``{"visible": (0.25, "image")}`` for the keys a query of a sparse attention sees.
    sums : mapping
        Streams that join others, such as ``{"joint": ("image", "text")}``; products are known by then.
    branches : int
        Evaluations of one guided step: 1 where guidance is distilled, 2 for most, 3 for some.
    """

    grid: Grid = field(default_factory=Grid)
    fixed_streams: Mapping[str, int] = field(default_factory=dict)
    products: Mapping[str, tuple[str | float, ...]] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    branches: int = 2

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation.

        Parameters
        ----------
        frames, height, width : float or array
            Clip in pixels. [frame, pixel, pixel]
        batch : float or array
            Samples evaluated together. [sample]
        **lengths : float or array
            Overrides of `fixed_streams`, such as ``text=226``. [token]
        """
        return self._joined(
            {**self.grid.streams(frames, height, width), **self.fixed_streams, **lengths, "batch": batch}
        )

    def token_streams(self, tokens: Numeric, *, batch: Numeric = 1, **lengths: Numeric) -> dict[str, Numeric]:
        """Token counts for one evaluation over `tokens` latent tokens whose pixels nobody stated.

        Raises
        ------
        ConfigError
            A network that treats the tokens of a frame, or those near each other, unlike others.
        """
        latent = {"sample": 1, "time": 1, "space": tokens, "image": tokens}
        streams = self._joined({**latent, **self.fixed_streams, **lengths, "batch": batch})
        if self._spatial or not self._used <= streams.keys():
            raise ConfigError(
                f"{self.name}: tokens alone do not say which of them share a frame, and it works on frames; give the "
                "resolution and the frames instead"
            )
        return streams

    @cached_property
    def _used(self) -> frozenset[str]:
        """Streams that parts work on."""
        names = ("rows", "queries", "keys", "sequences", "positions")
        return frozenset(found for part in self.parts for name in names if (found := getattr(part, name, None)))

    @cached_property
    def _spatial(self) -> bool:
        """Whether attention works within frames or across them."""
        attentions = [part for part in self.parts if isinstance(part, Attention)]
        return any({part.queries, part.keys, part.sequences} & {"time", "space"} for part in attentions)

    def _joined(self, streams: dict[str, Numeric]) -> dict[str, Numeric]:
        """Add the streams that are sums of others."""
        for name, factors in self.products.items():
            product: Numeric = 1
            for factor in factors:
                product = product * (streams[factor] if isinstance(factor, str) else factor)
            streams[name] = product
        for name, terms in self.sums.items():
            total: Numeric = 0
            for term in terms:
                total = total + streams[term]
            streams[name] = total
        return streams
