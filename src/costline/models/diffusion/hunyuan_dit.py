"""HunyuanDiT: self-attention, cross-attention to CLIP and mT5, long skips from the first half to the second."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Ratio, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Attention, Convolution, Elementwise, Linear, Part, Weights

POOL_HEADS = 8
"""Heads of the attention that pools the mT5 text, fixed in the same class."""


class HunyuanDiTConfig(Config):
    """`HunyuanDiT2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({"sample_size"})
    num_attention_heads: Size = 16
    attention_head_dim: Size = 88
    in_channels: Size
    patch_size: Size
    activation_fn: Literal["gelu", "gelu-approximate"] = "gelu-approximate"
    hidden_size: Size = 1152
    num_layers: Size = 28
    mlp_ratio: Ratio = 4.0
    learn_sigma: Flag = True
    cross_attention_dim: Size = 1024
    norm_type: Literal["layer_norm"] = "layer_norm"
    cross_attention_dim_t5: Size = 2048
    pooled_projection_dim: Size = 1024
    text_len: Size = 77
    text_len_t5: Size = 256
    use_style_cond_and_image_meta_size: Flag = True

    @property
    def extra(self) -> int:
        """Width of what joins the timestep: pooled text; to version 1.1 also six sizes and a style. [feature]"""
        sizes = 6 * FREQUENCIES + self.hidden_size if self.use_style_cond_and_image_meta_size else 0
        return self.pooled_projection_dim + sizes


def read_hunyuan_dit(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `HunyuanDiT2DModel`; both texts are padded to the lengths of its learned table."""
    read = HunyuanDiTConfig.read(config, name)
    hidden, t5 = read.hidden_size, read.text_len_t5
    if hidden != read.num_attention_heads * read.attention_head_dim:
        raise ConfigError(f"{name}: field 'hidden_size' must be num_attention_heads x attention_head_dim, got {hidden}")
    outputs = read.patch_size**2 * read.in_channels * (1 + read.learn_sigma)
    parts = (
        Convolution(
            name="embed/patch", inputs=read.in_channels, outputs=hidden, kernel=read.patch_size**2, positions="image"
        ),
        *_text(read),
        *_timestep(read),
        *_layers(read),
        *streams.modulated_head(hidden, outputs, condition=hidden),
    )
    return DiT(
        name=name,
        architecture="HunyuanDiT2DModel",
        parts=parts,
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": read.text_len + t5, "t5": t5, "pooled": t5 + 1},
        branches=2,
    )


def _text(read: HunyuanDiTConfig) -> tuple[Part, ...]:
    """mT5 text to the width of the CLIP text, through four times its own width; learned padding for both."""
    place, inner, width = "condition/text", 4 * read.cross_attention_dim_t5, read.cross_attention_dim
    tokens = read.text_len + read.text_len_t5
    return (
        Linear(
            name=f"{place}/in", inputs=read.cross_attention_dim_t5, outputs=inner, rows="t5", shard="replicated"
        ),
        Elementwise(name=f"{place}/activation", rows="t5", width=inner, passes=2, saves=1),
        Linear(name=f"{place}/out", inputs=inner, outputs=width, rows="t5", shard="replicated"),
        Weights(name=f"{place}/padding", count=tokens * width, rows="text", width=width),
    )  # fmt: skip


def _timestep(read: HunyuanDiTConfig) -> tuple[Part, ...]:
    """Timestep, plus a projection of the pooled text (and of size and style in early versions)."""
    place, width, hidden = "condition/pool", read.cross_attention_dim_t5, read.hidden_size
    head = width // POOL_HEADS
    parts: list[Part] = [
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        Weights(name=f"{place}/positions", count=(read.text_len_t5 + 1) * width, rows="pooled", width=width),
        *(
            Linear(name=f"{place}/{side}", inputs=width, outputs=width, rows=rows, shard="replicated")
            for side, rows in (("query", "sample"), ("key", "pooled"), ("value", "pooled"))
        ),
        Attention(
            name=f"{place}/core", queries="sample", keys="pooled", heads=POOL_HEADS, key_heads=POOL_HEADS,
            key_dim=head, value_dim=head, crossed=True,
        ),
        Linear(
            name=f"{place}/out", inputs=width, outputs=read.pooled_projection_dim, rows="sample", shard="replicated"
        ),
        Linear(
            name="condition/extra/in", inputs=read.extra, outputs=4 * hidden, rows="sample", shard="replicated"
        ),
        Elementwise(name="condition/extra/activation", rows="sample", width=4 * hidden, passes=2, saves=1),
        Linear(name="condition/extra/out", inputs=4 * hidden, outputs=hidden, rows="sample", shard="replicated"),
    ]  # fmt: skip
    if read.use_style_cond_and_image_meta_size:
        parts.append(Weights(name="condition/style", count=hidden, rows="sample", width=hidden))
    return tuple(parts)


def _layers(read: HunyuanDiTConfig) -> tuple[Part, ...]:
    layers, hidden, heads = read.num_layers, read.hidden_size, read.num_attention_heads
    skipping = layers - layers // 2 - 1  # layers after the middle one read the output of a layer before it
    ffn = int(hidden * read.mlp_ratio)
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=read.attention_head_dim, ffn=ffn, head_norm="layer"
    )
    parts: list[Part] = [
        streams.modulation("block/shift", hidden, hidden, repeat=layers),
        blocks.adaptive_norm("block/self/norm", hidden, "image", repeat=layers, held=2 * hidden),
        *blocks.attention("block/self", hidden, heads, read.attention_head_dim, "image", repeat=layers),
        *streams.query_key_work("block/self", widths, "image", repeat=layers),
        blocks.residual("block/self/residual", hidden, "image", repeat=layers),
        *streams.cross_attention(
            "block/cross", widths, "image", "text", key_width=read.cross_attention_dim, repeat=layers, affine=True
        ),
        blocks.rotary("block/cross/query_rotary", hidden, "image", repeat=layers),
        blocks.norm("block/mlp/norm", hidden, "image", repeat=layers, bias=True),
        *blocks.feed_forward("block/mlp", hidden, ffn, "image", repeat=layers),
        blocks.residual("block/mlp/residual", hidden, "image", repeat=layers),
    ]
    if skipping > 0:
        parts += [
            blocks.norm("block/skip/norm", 2 * hidden, "image", repeat=skipping, bias=True),
            Linear(
                name="block/skip/out", inputs=2 * hidden, outputs=hidden, rows="image", repeat=skipping,
                shard="replicated",
            ),
        ]  # fmt: skip
    return tuple(parts)
