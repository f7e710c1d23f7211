"""Stable Diffusion 3 and 3.5: double layers only, in 3.5 medium some with a second self-attention of the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Linear, Part

TEXT_TOKENS = 333
"""77 tokens of both CLIP encoders and 256 of T5, as the diffusers 0.42.1 pipeline joins them."""


class SD3Config(Config):
    """`SD3Transformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({"sample_size", "pos_embed_max_size"})
    patch_size: Size = 2
    in_channels: Size = 16
    num_layers: Size = 18
    attention_head_dim: Size = 64
    num_attention_heads: Size = 18
    joint_attention_dim: Size = 4096
    caption_projection_dim: Size = 1152
    pooled_projection_dim: Size = 2048
    out_channels: Size | None = 16
    dual_attention_layers: tuple[Count, ...] = ()
    qk_norm: Literal["rms_norm"] | None = None


def read_sd3(config: Mapping[str, Any], name: str) -> DiT:
    """Read an `SD3Transformer2DModel`."""
    read = SD3Config.read(config, name)
    hidden = read.num_attention_heads * read.attention_head_dim
    if read.caption_projection_dim != hidden:
        raise ConfigError(
            f"{name}: field 'caption_projection_dim' must be num_attention_heads x attention_head_dim = {hidden} "
            f"for text to join the image, got {read.caption_projection_dim}"
        )
    if read.dual_attention_layers and (last := max(read.dual_attention_layers)) >= read.num_layers:
        raise ConfigError(f"{name}: field 'dual_attention_layers' lists layer {last} of {read.num_layers}, 0 the first")
    outputs = read.patch_size**2 * (read.in_channels if read.out_channels is None else read.out_channels)
    parts = (
        *_entry(read, hidden),
        *_layers(read, hidden),
        *streams.modulated_head(hidden, outputs, condition=hidden),
    )
    return DiT(
        name=name,
        architecture="SD3Transformer2DModel",
        parts=parts,
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
    )


def _entry(read: SD3Config, hidden: int) -> tuple[Part, ...]:
    return (
        Convolution(
            name="embed/patch", inputs=read.in_channels, outputs=hidden, kernel=read.patch_size**2, positions="image"
        ),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        *streams.vector_mlp("condition/pooled", read.pooled_projection_dim, hidden),
        Linear(
            name="condition/text", inputs=read.joint_attention_dim, outputs=read.caption_projection_dim, rows="text",
            shard="replicated",
        ),
    )  # fmt: skip


def _layers(read: SD3Config, hidden: int) -> tuple[Part, ...]:
    """Image side of all layers, text side of all but the last, whose text is only queries, keys and values."""
    layers, place = read.num_layers, "block/double"
    dual = len(set(read.dual_attention_layers))
    heads, head_dim = read.num_attention_heads, read.attention_head_dim
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden, condition=hidden,
        head_norm="none" if read.qk_norm is None else "head",
    )  # fmt: skip
    parts: list[Part] = [*streams.double_side(f"{place}/image", widths, "image", repeat=layers, rotated=False)]
    if layers > 1:
        parts += streams.double_side(f"{place}/text", widths, "text", repeat=layers - 1, rotated=False)
    parts += streams.double_side(
        f"{place}/last_text", widths, "text", repeat=1, chunks=2, rotated=False, last=True
    )  # fmt: skip
    parts.append(streams.joint_core(f"{place}/self/core", widths, repeat=layers))
    if dual:
        parts += _second_attention(f"{place}/image/second", widths, repeat=dual)
    return tuple(parts)


def _second_attention(place: str, widths: Widths, *, repeat: int) -> tuple[Part, ...]:
    """Self-attention of the image beside the joint one, with three modulation vectors of its own.

    It reads the norm of the layer's input again, shifted and scaled by its own vectors.
    """
    return (
        streams.modulation(f"{place}/modulation", widths.condition, 3 * widths.hidden, repeat=repeat),
        blocks.adaptive_norm(f"{place}/norm", widths.hidden, "image", repeat=repeat),
        *blocks.attention(place, widths.hidden, widths.heads, widths.head_dim, "image", repeat=repeat),
        *streams.query_key_work(place, widths, "image", repeat=repeat, rotated=False),
        blocks.gated_residual(f"{place}/residual", widths.hidden, "image", repeat=repeat),
    )
