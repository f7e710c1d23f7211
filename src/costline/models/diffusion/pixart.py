"""PixArt-alpha and -sigma: self-attention, cross-attention to T5, one modulation for all layers (AdaLN-single)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part

FREQUENCIES = 256
"""Sines and cosines of a timestep; diffusers fixes it in `PixArtAlphaCombinedTimestepSizeEmbeddings`."""
TEXT_TOKENS = 300
"""`max_sequence_length` of the PixArt-sigma pipeline of diffusers 0.42.1; alpha pads to 120."""
CONDITIONED_SAMPLE_SIZE = 128
"""Latent width from which PixArt-alpha takes size and aspect ratio as inputs where the configuration says nothing."""


class PixArtConfig(Config):
    """`PixArtTransformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "norm_num_groups", "num_embeds_ada_norm", "upcast_attention", "norm_eps", "interpolation_scale",
    })  # fmt: skip
    num_attention_heads: Size = 16
    attention_head_dim: Size = 72
    in_channels: Size = 4
    out_channels: Size | None = 8
    num_layers: Size = 28
    cross_attention_dim: Size = 1152
    attention_bias: Flag = True
    sample_size: Size = 128
    patch_size: Size = 2
    activation_fn: Literal["gelu", "gelu-approximate"] = "gelu-approximate"
    norm_type: Literal["ada_norm_single"] = "ada_norm_single"
    norm_elementwise_affine: Literal[False] = False
    use_additional_conditions: Flag | None = None
    caption_channels: Size | None = None
    attention_type: Literal["default"] | None = "default"

    @property
    def conditioned(self) -> bool:
        """Whether size and aspect ratio are inputs."""
        stated = self.use_additional_conditions
        return self.sample_size == CONDITIONED_SAMPLE_SIZE if stated is None else stated


def read_pixart(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `PixArtTransformer2DModel`."""
    read = PixArtConfig.read(config, name)
    hidden = read.num_attention_heads * read.attention_head_dim
    outputs = read.patch_size**2 * (read.in_channels if read.out_channels is None else read.out_channels)
    parts = (
        *_entry(read, hidden),
        *_layers(read, hidden),
        blocks.adaptive_norm("head/norm", hidden, "image", held=2 * hidden),
        Linear(name="head/projection", inputs=hidden, outputs=outputs, rows="image", shard="replicated"),
    )
    return DiT(
        name=name,
        architecture="PixArtTransformer2DModel",
        parts=parts,
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS, "sides": 2},
        branches=2,
    )


def _entry(read: PixArtConfig, hidden: int) -> tuple[Part, ...]:
    parts: list[Part] = [
        Convolution(
            name="embed/patch", inputs=read.in_channels, outputs=hidden, kernel=read.patch_size**2, positions="image"
        ),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        streams.modulation("condition/modulation", hidden, 6 * hidden),
    ]
    if read.conditioned:  # height and width go through the same layers, the aspect ratio through its own
        parts += streams.vector_mlp("condition/resolution", FREQUENCIES, hidden // 3, rows="sides")
        parts += streams.vector_mlp("condition/aspect_ratio", FREQUENCIES, hidden // 3)
    if read.caption_channels is not None:
        parts += streams.vector_mlp("condition/text", read.caption_channels, hidden, rows="text")
    return tuple(parts)


def _layers(read: PixArtConfig, hidden: int) -> tuple[Part, ...]:
    layers, heads, head_dim = read.num_layers, read.num_attention_heads, read.attention_head_dim
    widths = Widths(hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden)
    return (
        Elementwise(name="block/table", rows="sample", width=6 * hidden, passes=3, held=6 * hidden, repeat=layers),
        blocks.adaptive_norm("block/self/norm", hidden, "image", repeat=layers),
        *blocks.attention(
            "block/self", hidden, heads, head_dim, "image", bias=read.attention_bias, out_bias=True, repeat=layers
        ),
        blocks.gated_residual("block/self/residual", hidden, "image", repeat=layers),
        *blocks.attention(
            "block/cross", hidden, heads, head_dim, "image", keys="text", key_width=read.cross_attention_dim,
            bias=read.attention_bias, out_bias=True, repeat=layers,
        ),
        blocks.residual("block/cross/residual", hidden, "image", repeat=layers),
        *streams.feed_forward("block/mlp", widths, "image", repeat=layers),
    )  # fmt: skip
