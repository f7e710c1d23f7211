"""OmniGen: a language model's layers over text, timestep and image tokens in one sequence; no modulation inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.models import blocks
from costline.models.config import Config, Size, head_width
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Part, Weights

TEXT_TOKENS = 128
"""Assumed length of a prompt: the OmniGen pipeline neither pads nor limits it."""


class OmniGenConfig(Config):
    """`OmniGenTransformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "rms_norm_eps", "max_position_embeddings", "original_max_position_embeddings", "rope_base",
        "pos_embed_max_size", "flip_sin_to_cos", "downscale_freq_shift", "timestep_activation_fn",
    })  # fmt: skip
    in_channels: Size = 4
    patch_size: Size = 2
    hidden_size: Size = 3072
    num_attention_heads: Size = 32
    num_key_value_heads: Size = 32
    intermediate_size: Size = 8192
    num_layers: Size = 32
    vocab_size: Size = 32064
    time_step_dim: Size = 256


def read_omnigen(config: Mapping[str, Any], name: str) -> DiT:
    """Read an `OmniGenTransformer2DModel`.

    ``text`` counts all tokens of the prompt, those of input images included; ``reference`` says how many of them are
    input images, which have patches of their own to embed.
    """
    read = OmniGenConfig.read(config, name)
    hidden, heads = read.hidden_size, read.num_attention_heads
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=read.num_key_value_heads, head_dim=head_width(hidden, heads),
        ffn=read.intermediate_size, gated=True, bias=False,
    )  # fmt: skip
    taps = read.patch_size**2
    parts = (
        *(
            Convolution(name=f"embed/{rows}", inputs=read.in_channels, outputs=hidden, kernel=taps, positions=rows)
            for rows in ("image", "reference")
        ),
        Weights(name="condition/tokens", count=read.vocab_size * hidden, rows="text", width=hidden),
        *streams.vector_mlp("condition/token", read.time_step_dim, hidden),
        *streams.vector_mlp("condition/timestep", read.time_step_dim, hidden),
        *_layers(widths, repeat=read.num_layers),
        blocks.norm("head/joint_norm", hidden, "joint"),
        *streams.modulated_head(hidden, taps * read.in_channels, condition=hidden),
    )
    return DiT(
        name=name,
        architecture="OmniGenTransformer2DModel",
        parts=parts,
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS, "reference": 0},
        sums={"joint": ("text", "sample", "image")},
        branches=2,
    )


def _layers(widths: Widths, *, repeat: int) -> tuple[Part, ...]:
    """Pre-norm layers as in Phi-3."""
    hidden, rows = widths.hidden, "joint"
    return (
        blocks.norm("block/self/norm", hidden, rows, repeat=repeat),
        *blocks.attention(
            "block/self", hidden, widths.heads, widths.head_dim, rows, key_heads=widths.key_heads, bias=widths.bias,
            repeat=repeat,
        ),
        *streams.query_key_work("block/self", widths, rows, repeat=repeat),
        blocks.residual("block/self/residual", hidden, rows, repeat=repeat),
        blocks.norm("block/mlp/norm", hidden, rows, repeat=repeat),
        *blocks.feed_forward(
            "block/mlp", hidden, widths.ffn, rows, repeat=repeat, gated=widths.gated, bias=widths.bias
        ),
        blocks.residual("block/mlp/residual", hidden, rows, repeat=repeat),
    )  # fmt: skip
