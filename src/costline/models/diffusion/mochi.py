"""Mochi: latent and text tokens of different widths that meet in one attention.

Source: diffusers `transformer_mochi.py`, `pipeline_mochi.py`. All text tokens are counted; the network drops padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Attention, Convolution, Linear, Part

POOL_HEADS = 8
"""Heads of the attention that pools the text, fixed in the class."""


class MochiConfig(Config):
    """`diffusers` MochiTransformer3DModel."""

    neutral: ClassVar[frozenset[str]] = frozenset()
    patch_size: Size = 2
    num_attention_heads: Size = 24
    attention_head_dim: Size = 128
    num_layers: Size = 48
    pooled_projection_dim: Size = 1536
    in_channels: Size = 12
    out_channels: Size | None = None
    qk_norm: Literal["rms_norm"] = "rms_norm"
    text_embed_dim: Size = 4096
    time_embed_dim: Size = 256
    activation_fn: Literal["swiglu"] = "swiglu"
    max_sequence_length: Size = 256

    @property
    def image(self) -> Widths:
        """Widths of the latent tokens' side."""
        return self._side(self.num_attention_heads * self.attention_head_dim)

    @property
    def text(self) -> Widths:
        """Widths of the text tokens' side: narrower, with as many heads."""
        return self._side(self.pooled_projection_dim)

    def _side(self, width: int) -> Widths:
        return Widths(
            hidden=width, heads=self.num_attention_heads, key_heads=self.num_attention_heads,
            head_dim=self.attention_head_dim, ffn=8 * width // 3, gated=True, bias=False, head_norm="head",
            condition=self.num_attention_heads * self.attention_head_dim,
        )  # fmt: skip


def read_mochi(config: Mapping[str, Any], name: str) -> DiT:
    """Read a MochiTransformer3DModel."""
    checked = MochiConfig.read(config, name)
    hidden, taps = checked.image.hidden, checked.patch_size**2
    head_half = checked.num_attention_heads * (checked.attention_head_dim // 2)
    return DiT(
        name=name,
        architecture="MochiTransformer3DModel",
        parts=(
            Convolution(
                name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"
            ),
            # learned rotary frequencies: three coordinates to half a head, for each head
            Linear(
                name="embed/rotary", inputs=3, outputs=head_half, rows="image", bias=False, shard="replicated",
                saves=False,
            ),
            *streams.vector_mlp("condition/timestep", checked.time_embed_dim, hidden),
            *_pool(checked.text_embed_dim, hidden),
            Linear(
                name="condition/text", inputs=checked.text_embed_dim, outputs=checked.text.hidden, rows="text",
                shard="replicated",
            ),
            *_side(checked.image, "image", checked.num_layers),
            *_side(checked.text, "text", checked.num_layers - 1),
            *_last_text(checked.text),
            streams.joint_core("block/self/core", checked.image, repeat=checked.num_layers),
            *streams.modulated_head(hidden, taps * (checked.out_channels or checked.in_channels), condition=hidden),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(time=6, space=8, patch_space=checked.patch_size),
        fixed_streams={"text": checked.max_sequence_length},
        sums={"joint": ("image", "text"), "pooled": ("text", "sample")},
        branches=2,
    )  # fmt: skip


def _pool(width: int, outputs: int) -> tuple[Part, ...]:
    """Attention of the mean text token to all of them and to itself."""
    place = "condition/pooled"
    query = Linear(name=f"{place}/query", inputs=width, outputs=width, rows="sample", shard="replicated")
    return (
        query,
        replace(query, name=f"{place}/key_value", outputs=2 * width, rows="pooled"),
        Attention(
            name=f"{place}/core", queries="sample", keys="pooled", heads=POOL_HEADS, key_heads=POOL_HEADS,
            key_dim=width // POOL_HEADS, value_dim=width // POOL_HEADS, crossed=True,
        ),
        replace(query, name=f"{place}/out", outputs=outputs),
    )  # fmt: skip


def _side(widths: Widths, rows: str, repeat: int) -> tuple[Part, ...]:
    """One side of the layers; norms before and, scaled by a gate, after attention and feed-forward network."""
    place, hidden, inner = f"block/{rows}", widths.hidden, widths.inner
    attend = streams.projections(f"{place}/self", widths, rows, repeat=repeat, out=False)
    feed = blocks.feed_forward(
        f"{place}/mlp", hidden, widths.ffn, rows, repeat=repeat, gated=widths.gated, bias=widths.bias
    )
    return (
        streams.modulation(f"{place}/modulation", widths.condition, 4 * hidden, repeat=repeat),
        blocks.adaptive_norm(f"{place}/self/norm", hidden, rows, repeat=repeat),
        *attend,
        *streams.query_key_work(f"{place}/self", widths, rows, repeat=repeat, rotated=rows == "image"),
        Linear(name=f"{place}/self/out", inputs=inner, outputs=hidden, rows=rows, repeat=repeat, shard="row"),
        blocks.adaptive_norm(f"{place}/self/norm_out", hidden, rows, repeat=repeat),
        blocks.residual(f"{place}/self/residual", hidden, rows, repeat=repeat),
        blocks.adaptive_norm(f"{place}/mlp/norm", hidden, rows, repeat=repeat),
        *feed,
        blocks.adaptive_norm(f"{place}/mlp/norm_out", hidden, rows, repeat=repeat),
        blocks.residual(f"{place}/mlp/residual", hidden, rows, repeat=repeat),
    )


def _last_text(widths: Widths) -> tuple[Part, ...]:
    """The text's side of the last layer: only what the latent tokens attend to."""
    place = "block/text_last"
    return (
        streams.modulation(f"{place}/modulation", widths.condition, widths.hidden),
        blocks.adaptive_norm(f"{place}/self/norm", widths.hidden, "text"),
        *streams.projections(f"{place}/self", widths, "text", repeat=1, out=False),
        *streams.query_key_work(f"{place}/self", widths, "text", repeat=1, rotated=False),
    )
