"""Lumina-Image 2.0: joint layers with a norm before and after each sublayer, grouped-query attention.

Image and text each pass a few layers of their own (refiners) before they join. Z-Image is built the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.models import blocks
from costline.models.config import Config, Ratio, Size, head_width
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear, Part

CONDITION_LIMIT = 1024
"""The timestep vector is no wider than this, fixed in `LuminaRMSNormZero`."""
TEXT_TOKENS = 256
"""`max_sequence_length` of the Lumina 2 pipeline of diffusers 0.42.1."""


class Lumina2Config(Config):
    """`Lumina2Transformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "sample_size", "norm_eps", "scaling_factor", "axes_dim_rope", "axes_lens",
    })  # fmt: skip
    patch_size: Size = 2
    in_channels: Size = 16
    out_channels: Size | None = None
    hidden_size: Size = 2304
    num_layers: Size = 26
    num_refiner_layers: Size = 2
    num_attention_heads: Size = 24
    num_kv_heads: Size | None = 8
    multiple_of: Size = 256
    ffn_dim_multiplier: Ratio | None = None
    cap_feat_dim: Size = 1024

    @property
    def ffn(self) -> int:
        """Inner width of the feed-forward network. [feature]"""
        inner = 4 * self.hidden_size
        if self.ffn_dim_multiplier is not None:
            inner = int(self.ffn_dim_multiplier * inner)
        return -(-inner // self.multiple_of) * self.multiple_of


def read_lumina2(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `Lumina2Transformer2DModel`."""
    read = Lumina2Config.read(config, name)
    hidden, heads, refiners = read.hidden_size, read.num_attention_heads, read.num_refiner_layers
    condition = min(hidden, CONDITION_LIMIT)
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=read.num_kv_heads or heads, head_dim=head_width(hidden, heads),
        ffn=read.ffn, gated=True, bias=False, head_norm="head", condition=condition,
    )  # fmt: skip
    taps = read.patch_size**2
    parts = (
        Linear(name="embed/patch", inputs=taps * read.in_channels, outputs=hidden, rows="image", shard="replicated"),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, condition),
        *text_entry(read.cap_feat_dim, hidden),
        *refined_layers(widths, layers=read.num_layers, refiners=refiners),
        *streams.modulated_head(
            hidden, taps * (read.out_channels or read.in_channels), condition=condition, rows="joint", chunks=1
        ),
    )
    return DiT(
        name=name,
        architecture="Lumina2Transformer2DModel",
        parts=parts,
        layers=read.num_layers + 2 * refiners,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
    )


def text_entry(text_dim: int, hidden: int) -> tuple[Part, ...]:
    """Norm and projection of the text."""
    return (
        blocks.norm("condition/text/norm", text_dim, "text"),
        Linear(name="condition/text", inputs=text_dim, outputs=hidden, rows="text", shard="replicated"),
    )


def refined_layers(widths: Widths, *, layers: int, refiners: int) -> tuple[Part, ...]:
    """Refiners of image (modulated) and text (not), then layers over both."""
    return (
        *sandwich_layers("block/refiner/image", widths, "image", repeat=refiners),
        *sandwich_layers("block/refiner/text", widths, "text", repeat=refiners, modulated=False),
        *sandwich_layers("block/joint", widths, "joint", repeat=layers),
    )


def sandwich_layers(
    place: str, widths: Widths, rows: str, *, repeat: int, modulated: bool = True
) -> tuple[Part, ...]:  # fmt: skip
    """Layers with a norm before and after attention and feed-forward network; modulation scales and gates, no shift."""
    hidden = widths.hidden
    parts: list[Part] = []
    if modulated:
        parts.append(streams.modulation(f"{place}/modulation", widths.condition, 4 * hidden, repeat=repeat))
    sublayers = {
        "self": (
            *blocks.attention(
                f"{place}/self", hidden, widths.heads, widths.head_dim, rows, key_heads=widths.key_heads,
                bias=widths.bias, repeat=repeat,
            ),
            *streams.query_key_work(f"{place}/self", widths, rows, repeat=repeat),
        ),
        "mlp": blocks.feed_forward(
            f"{place}/mlp", hidden, widths.ffn, rows, repeat=repeat, gated=widths.gated, bias=widths.bias
        ),
    }  # fmt: skip
    for sublayer, inside in sublayers.items():
        before, join = f"{place}/{sublayer}/norm", f"{place}/{sublayer}/residual"
        if modulated:
            parts.append(blocks.adaptive_norm(before, hidden, rows, repeat=repeat, held=hidden))
        else:
            parts.append(blocks.norm(before, hidden, rows, repeat=repeat))
        parts += inside
        parts.append(blocks.norm(f"{place}/{sublayer}/out_norm", hidden, rows, repeat=repeat))
        kind = blocks.gated_residual if modulated else blocks.residual
        parts.append(kind(join, hidden, rows, repeat=repeat))
    return tuple(parts)
