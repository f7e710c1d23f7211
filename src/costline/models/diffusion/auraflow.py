"""AuraFlow: a few double layers, then joint layers; eight learned tokens beside the text; no bias, no rotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Elementwise, Linear, Part, Weights

REGISTERS = 8
"""Learned tokens put before the text, fixed in `AuraFlowTransformer2DModel`."""
TEXT_TOKENS = 256
"""`max_sequence_length` of the AuraFlow pipeline of diffusers 0.42.1."""


class AuraFlowConfig(Config):
    """`AuraFlowTransformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({"sample_size"})
    patch_size: Size = 2
    in_channels: Size = 4
    num_mmdit_layers: Size = 4
    num_single_dit_layers: Size = 32
    attention_head_dim: Size = 256
    num_attention_heads: Size = 12
    joint_attention_dim: Size = 2048
    caption_projection_dim: Size = 3072
    out_channels: Size | None = 4
    pos_embed_max_size: Size = 1024


def read_auraflow(config: Mapping[str, Any], name: str) -> DiT:
    """Read an `AuraFlowTransformer2DModel`."""
    read = AuraFlowConfig.read(config, name)
    hidden = read.num_attention_heads * read.attention_head_dim
    if read.caption_projection_dim != hidden:
        raise ConfigError(
            f"{name}: field 'caption_projection_dim' must be num_attention_heads x attention_head_dim = {hidden} "
            f"for text to join the image, got {read.caption_projection_dim}"
        )
    return DiT(
        name=name,
        architecture="AuraFlowTransformer2DModel",
        parts=(*_entry(read, hidden), *_layers(read, hidden), *_head(read, hidden)),
        layers=read.num_mmdit_layers + read.num_single_dit_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS, "registers": REGISTERS},
        sums={"context": ("registers", "text"), "joint": ("image", "context")},
        branches=2,
    )


def _entry(read: AuraFlowConfig, hidden: int) -> tuple[Part, ...]:
    taps = read.patch_size**2 * read.in_channels
    return (
        Linear(name="embed/patch", inputs=taps, outputs=hidden, rows="image", shard="replicated"),
        Weights(name="embed/positions", count=read.pos_embed_max_size * hidden, rows="image", width=hidden),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        Linear(
            name="condition/text", inputs=read.joint_attention_dim, outputs=hidden, rows="text", bias=False,
            shard="replicated",
        ),
        Weights(name="condition/registers", count=REGISTERS * hidden, rows="registers", width=hidden),
    )  # fmt: skip


def _layers(read: AuraFlowConfig, hidden: int) -> tuple[Part, ...]:
    heads, ffn = read.num_attention_heads, ffn_width(hidden)
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=read.attention_head_dim, ffn=ffn, gated=True, bias=False
    )
    double, single = read.num_mmdit_layers, read.num_single_dit_layers
    return (
        *_side("block/double/image", widths, "image", repeat=double),
        *_side("block/double/text", widths, "context", repeat=double),
        streams.joint_core("block/double/self/core", widths, repeat=double),
        *_side("block/single", widths, "joint", repeat=single),
        streams.joint_core("block/single/self/core", widths, repeat=single),
    )


def ffn_width(hidden: int) -> int:
    """Two thirds of four times `hidden`, up to a multiple of 256. [feature]

    Examples
    --------
    >>> ffn_width(3072)
    8192
    """
    return -(-int(2 * 4 * hidden / 3) // 256) * 256


def _side(place: str, widths: Widths, rows: str, *, repeat: int) -> tuple[Part, ...]:
    """One stream's part of a layer; the modulation has no bias, the norms of queries and keys no scale."""
    return (
        streams.modulation(f"{place}/modulation", widths.hidden, 6 * widths.hidden, repeat=repeat, bias=False),
        *streams.double_side(place, widths, rows, repeat=repeat, rotated=False),
        blocks.head_norm(f"{place}/self/query_norm", widths.inner, rows, repeat=repeat),
        blocks.head_norm(f"{place}/self/key_norm", widths.key_inner, rows, repeat=repeat),
    )


def _head(read: AuraFlowConfig, hidden: int) -> tuple[Part, ...]:
    """Shift and scale without a norm, then the projection to patches."""
    outputs = read.patch_size**2 * (read.in_channels if read.out_channels is None else read.out_channels)
    return (
        streams.modulation("head/modulation", hidden, 2 * hidden, bias=False),
        Elementwise(name="head/scale", rows="image", width=hidden, passes=2, saves=1),
        Linear(
            name="head/projection", inputs=hidden, outputs=outputs, rows="image", bias=False, shard="replicated"
        ),
    )  # fmt: skip
