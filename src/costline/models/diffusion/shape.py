"""Diffusion transformers known by their dimensions alone.

`DiTShape` describes a network that no reference implementation defines: published dimensions, or a hypothesis. It
covers the common designs: self- and cross-attention, double-stream, joint and single-stream layers; full attention,
attention within frames alternating with attention across them, and attention over a window of chunks.

What a shape leaves out: learned position tables and encoders of conditions other than text. Those are far below one
per cent of a video model's parameters and FLOPs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from costline.derivation import formula
from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import HeadNorm, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part
from costline.numeric import Numeric, ceil_divide, smallest


class DiTShape(Config):
    """Dimensions of a diffusion transformer. A field without a default must be stated.

    Attributes
    ----------
    hidden, ffn_hidden, text_dim : int
        Residual stream, feed-forward network (`ffn_gated`: three matrices), text embedding. [feature]
    heads, head_dim, key_heads : int
        Query heads, width of a head (default ``hidden / heads``), key-value heads (default `heads`).
    cross_layers, double_layers, joint_layers, single_layers : int
        Layers of each kind; see `costline.models.diffusion.streams`.
    pattern : {"full", "alternating"}
        Self-attention of cross layers: over all tokens, or within frames and across frames in turn (the first within).
    text_in : {"all", "spatial"}
        Whether the layers across frames of an alternating network attend to the text as well.
    chunk_frames, chunk_window : int
        Latent frames of a chunk, and the chunks that a query sees, its own included; 0 for none. [frame, chunk]
    modulation : {"single", "block", "none"}
        One projection for all layers plus a table in each (AdaLN-single), one in each layer, or none.
    modulation_chunks : int
        Vectors of `hidden` features the modulation makes: 6 (two shifts, scales and gates), 2 where it only gates.
    condition_dim : int or None
        Width of the timestep vector, `hidden` by default. [feature]
    guidance_embed : bool
        Whether the guidance scale is an input (distilled guidance).
    pooled_dim : int
        Width of a pooled text vector added to the timestep; 0 for none. [feature]
    text_tokens : int
        Text tokens of one evaluation, padding included. [token]
    text_projection : {"mlp", "linear", "none"}
        How text reaches the width `hidden`; "none": keys and values read `text_dim`.
    latent_channels, out_channels : int
        Channels of the input (latent and what is stacked on it) and of the output (default: the same).
    vae_time, vae_space, vae_latents, first_frame_alone, patch_time, patch_space : int, bool
        As `costline.models.dit.Grid`.
    branches : int
        Evaluations of a guided step.
    source : str
        Where the dimensions were read.
    """

    hidden: Size
    heads: Size
    head_dim: Size | None = None
    key_heads: Size | None = None
    ffn_hidden: Size
    ffn_gated: Flag = False
    cross_layers: Count = 0
    double_layers: Count = 0
    joint_layers: Count = 0
    single_layers: Count = 0
    pattern: Literal["full", "alternating"] = "full"
    text_in: Literal["all", "spatial"] = "all"
    chunk_frames: Count = 0
    chunk_window: Count = 0
    bias: Flag = True
    head_norm: HeadNorm = "none"
    modulation: Literal["single", "block", "none"] = "single"
    modulation_chunks: Size = 6
    condition_dim: Size | None = None
    frequencies: Size = 256
    guidance_embed: Flag = False
    pooled_dim: Count = 0
    text_tokens: Count
    text_dim: Size
    text_projection: Literal["mlp", "linear", "none"] = "mlp"
    latent_channels: Size
    out_channels: Size | None = None
    vae_time: Size
    vae_space: Size
    vae_latents: Size = 1
    first_frame_alone: Flag = True
    patch_time: Size = 1
    patch_space: Size
    branches: Annotated[int, Field(ge=1, le=8, strict=True)] = 2
    source: Annotated[str, Field(max_length=500)] = ""

    @property
    def layers(self) -> int:
        """Layers of all kinds."""
        return self.cross_layers + self.double_layers + self.joint_layers + self.single_layers

    @property
    def condition(self) -> int:
        """Width of the timestep vector. [feature]"""
        return self.hidden if self.condition_dim is None else self.condition_dim

    @property
    def widths(self) -> Widths:
        """Widths the layers share."""
        return Widths(
            hidden=self.hidden,
            heads=self.heads,
            key_heads=self.heads if self.key_heads is None else self.key_heads,
            head_dim=self.hidden // self.heads if self.head_dim is None else self.head_dim,
            ffn=self.ffn_hidden,
            gated=self.ffn_gated,
            bias=self.bias,
            head_norm=self.head_norm,
            condition=self.condition if self.modulation == "block" else 0,
        )

    def as_config(self) -> dict[str, Any]:
        """Return the shape as a configuration that `read_shape` reads back to the same shape."""
        return {"_class_name": "DiTShape", **self.model_dump(exclude_none=True)}

    def contradictions(self) -> list[str]:
        """What the fields say against each other; empty for a sound shape."""
        keys = self.heads if self.key_heads is None else self.key_heads
        joined = self.double_layers + self.joint_layers + self.single_layers
        checks = (
            (self.layers == 0, "no layers: state cross_layers, double_layers, joint_layers or single_layers"),
            (self.head_dim is None and self.hidden % self.heads != 0, "hidden is no multiple of heads: state head_dim"),
            (self.heads % keys != 0, "heads is no multiple of key_heads"),
            (joined > 0 and self.text_tokens == 0, "joined layers need text_tokens"),
            (
                joined > 0 and self.text_projection == "none" and self.text_dim != self.hidden,
                "joined layers need text of width hidden: text_projection 'mlp' or 'linear'",
            ),
            (joined > 0 and self.pattern != "full", "pattern applies to cross_layers alone"),
            (joined > 0 and self.chunk_frames > 0, "chunk_frames applies to cross_layers alone"),
            (
                self.chunk_frames > 0 and self.pattern != "full",
                "chunk_frames and an alternating pattern exclude each other",
            ),
            ((self.chunk_frames > 0) != (self.chunk_window > 0), "chunk_frames and chunk_window go together"),
        )
        return [message for wrong, message in checks if wrong]


@formula("chunk_tokens * (seen * (seen + 1) / 2 + (chunks - seen) * seen) / chunks", unit="token", source="definition")
def mean_visible_tokens(chunk_tokens: Numeric, chunks: Numeric, seen: Numeric) -> Numeric:
    r"""Keys a query sees on average when each chunk attends to itself and the ``window - 1`` chunks before it.

    .. math:: \bar k = c\,\frac{s (s + 1) / 2 + (n - s) s}{n}, \quad s = \min(n, window)

    Parameters
    ----------
    chunk_tokens : float or array
        Tokens of a chunk. [token]
    chunks : float or array
        Chunks of the clip. [chunk]
    seen : float or array
        Chunks the last query sees, its own included: the window, or all chunks if they are fewer. [chunk]

    Returns
    -------
    float or array
        Keys. [token]

    References
    ----------
    SandAI-org/MAGI-1, example/24B/24B_base_config.json (``window_size``, ``chunk_width``).

    Examples
    --------
    >>> mean_visible_tokens(10, 4, 2)  # chunks see 1, 2, 2, 2
    17.5
    """
    return chunk_tokens * (seen * (seen + 1) / 2 + (chunks - seen) * seen) / chunks


@dataclass(frozen=True, kw_only=True)
class ShapeDiT(DiT):
    """A network built from a shape; where it works in chunks, ``streams["visible"]`` is what a query sees of them on
    average, ``streams["window"]`` what the last one does."""

    shape: DiTShape

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation; see `DiT.streams`."""
        found = DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **lengths)
        if self.shape.chunk_frames:
            chunk = self.shape.chunk_frames // self.grid.patch_time
            chunks = ceil_divide(found["time"], chunk)
            seen = smallest(chunks, self.shape.chunk_window)
            full_chunk = found["image"] / chunks  # the last chunk of a clip may be short: all count as equal
            found["visible"] = mean_visible_tokens(full_chunk, chunks, seen)
            found["window"] = full_chunk * seen
        return found


def read_shape(config: Mapping[str, Any], name: str) -> ShapeDiT:
    """Read a shape written as a configuration (`DiTShape.as_config`)."""
    return build_shape(DiTShape.read(config, name), name)


def build_shape(shape: DiTShape, name: str, architecture: str = "DiTShape") -> ShapeDiT:
    """Build the network of a shape.

    Raises
    ------
    ConfigError
        Fields that contradict each other.
    """
    faults = shape.contradictions()
    if faults:
        raise ConfigError(f"{name}: {'; '.join(faults)}")
    return assemble_shape(shape, name, architecture)


def assemble_shape(shape: DiTShape, name: str, architecture: str = "DiTShape") -> ShapeDiT:
    """Build the network of a shape that is known to be sound; its sizes may be arrays."""
    return ShapeDiT(
        name=name,
        architecture=architecture,
        parts=(*_entry(shape), *_text(shape), *_layers(shape), *_head(shape)),
        layers=shape.layers,
        hidden_size=shape.hidden,
        source=shape.source,
        grid=Grid(
            time=shape.vae_time,
            space=shape.vae_space,
            patch_time=shape.patch_time,
            patch_space=shape.patch_space,
            first_frame_alone=shape.first_frame_alone,
            latents=shape.vae_latents,
        ),
        fixed_streams={"text": shape.text_tokens},
        sums={"joint": ("image", "text")},
        branches=shape.branches,
        shape=shape,
    )


def _entry(shape: DiTShape) -> tuple[Part, ...]:
    """Patches, timestep and the other vectors of one evaluation."""
    taps = shape.patch_time * shape.patch_space**2
    parts: list[Part] = [
        Convolution(
            name="embed/patch", inputs=shape.latent_channels, outputs=shape.hidden, kernel=taps, positions="image"
        )
    ]
    if shape.modulation != "none":
        parts += streams.vector_mlp("condition/timestep", shape.frequencies, shape.condition)
        if shape.guidance_embed:
            parts += streams.vector_mlp("condition/guidance", shape.frequencies, shape.condition)
        if shape.pooled_dim:
            parts += streams.vector_mlp("condition/pooled", shape.pooled_dim, shape.condition)
    if shape.modulation == "single":
        outputs = shape.modulation_chunks * shape.hidden
        parts.append(streams.modulation("condition/modulation", shape.condition, outputs))
    return tuple(parts)


def _text(shape: DiTShape) -> tuple[Part, ...]:
    """Projection of the text to the width of the network."""
    if shape.text_projection == "mlp":
        return streams.vector_mlp("condition/text", shape.text_dim, shape.hidden, rows="text")
    if shape.text_projection == "linear":
        return (
            Linear(name="condition/text", inputs=shape.text_dim, outputs=shape.hidden, rows="text", shard="replicated"),
        )
    return ()


def _layers(shape: DiTShape) -> tuple[Part, ...]:
    parts: list[Part] = []
    across = shape.cross_layers // 2 if shape.pattern == "alternating" else 0
    if shape.pattern == "alternating":
        spatial, temporal = ("space", "space", "time"), ("time", "time", "space")
        parts += _cross_layers(shape, "block/spatial", shape.cross_layers - across, spatial, texted=True)
        parts += _cross_layers(shape, "block/temporal", across, temporal, texted=shape.text_in == "all")
    else:
        keys = "visible" if shape.chunk_frames else "image"
        parts += _cross_layers(shape, "block/cross", shape.cross_layers, ("image", keys, "sample"), texted=True)
    widths, chunks = shape.widths, shape.modulation_chunks
    if np.any(shape.double_layers):
        parts += streams.double_layers(widths, repeat=shape.double_layers, chunks=chunks)
    if np.any(shape.joint_layers):
        parts += streams.joint_layers(widths, repeat=shape.joint_layers, chunks=chunks)
    if np.any(shape.single_layers):
        parts += streams.single_layers(widths, repeat=shape.single_layers, chunks=ceil_half(chunks))
    return tuple(parts)


def ceil_half(chunks: int) -> int:
    """Modulation of a single-stream layer: one sublayer where others have two.

    Examples
    --------
    >>> ceil_half(6)
    3
    """
    return -(-chunks // 2)


def _cross_layers(
    shape: DiTShape, place: str, repeat: int, core: tuple[str, str, str], *, texted: bool
) -> tuple[Part, ...]:
    if not np.any(repeat):
        return ()
    widths, parts = shape.widths, list[Part]()
    outputs = shape.modulation_chunks * shape.hidden
    if shape.modulation == "block":
        parts.append(streams.modulation(f"{place}/modulation", shape.condition, outputs, repeat=repeat))
    elif shape.modulation == "single":
        parts.append(
            Elementwise(name=f"{place}/table", rows="sample", width=outputs, passes=3, held=outputs, repeat=repeat)
        )
    parts += streams.self_attention(f"{place}/self", widths, "image", repeat=repeat, core=core)
    if texted and shape.text_tokens:
        key_width = shape.text_dim if shape.text_projection == "none" else shape.hidden
        parts += streams.cross_attention(
            f"{place}/cross", widths, "image", "text", key_width=key_width, repeat=repeat, affine=False
        )
    parts += streams.feed_forward(f"{place}/mlp", widths, "image", repeat=repeat)
    return tuple(parts)


def _head(shape: DiTShape) -> tuple[Part, ...]:
    """Last norm, its modulation and the projection to patches."""
    taps = shape.patch_time * shape.patch_space**2
    outputs = taps * (shape.latent_channels if shape.out_channels is None else shape.out_channels)
    table = 2 * shape.hidden if shape.modulation == "single" else 0
    parts: list[Part] = [
        blocks.adaptive_norm("head/norm", shape.hidden, "image", held=table),
        Linear(name="head/projection", inputs=shape.hidden, outputs=outputs, rows="image", shard="replicated"),
    ]
    if shape.modulation == "block":
        parts.insert(0, streams.modulation("head/modulation", shape.condition, 2 * shape.hidden))
    return tuple(parts)
