"""CogView4: joint layers with one set of weights for image and text, modulated apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.models import blocks
from costline.models.config import Config, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear

TEXT_TOKENS = 1024
"""`max_sequence_length` of the CogView4 pipeline of diffusers 0.42.1; prompts are padded to a multiple of 16 alone."""
SIZES = 6
"""Height and width of the original and of the target, and the two crop coordinates: inputs beside the timestep."""


class CogView4Config(Config):
    """`CogView4Transformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({"pos_embed_max_size", "sample_size", "rope_axes_dim"})
    patch_size: Size = 2
    in_channels: Size = 16
    out_channels: Size = 16
    num_layers: Size = 30
    attention_head_dim: Size = 40
    num_attention_heads: Size = 64
    text_embed_dim: Size = 4096
    time_embed_dim: Size = 512
    condition_dim: Size = 256


def read_cogview4(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `CogView4Transformer2DModel`."""
    read = CogView4Config.read(config, name)
    heads, layers, taps = read.num_attention_heads, read.num_layers, read.patch_size**2
    hidden = heads * read.attention_head_dim
    condition = read.time_embed_dim
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=read.attention_head_dim, ffn=4 * hidden,
        condition=condition,
    )  # fmt: skip
    parts = (
        Linear(name="embed/patch", inputs=taps * read.in_channels, outputs=hidden, rows="image", shard="replicated"),
        Linear(name="condition/text", inputs=read.text_embed_dim, outputs=hidden, rows="text", shard="replicated"),
        *streams.vector_mlp("condition/timestep", hidden, condition),
        *streams.vector_mlp("condition/sizes", SIZES * read.condition_dim, condition),
        *streams.joint_layers(widths, repeat=layers),
        blocks.head_norm("block/joint/self/query_norm", hidden, "joint", repeat=layers),
        blocks.head_norm("block/joint/self/key_norm", hidden, "joint", repeat=layers),
        *streams.modulated_head(hidden, taps * read.out_channels, condition=condition),
    )
    return DiT(
        name=name,
        architecture="CogView4Transformer2DModel",
        parts=parts,
        layers=layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
    )
