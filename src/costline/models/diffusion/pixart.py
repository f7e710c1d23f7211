"""PixArt-alpha and -sigma: self-attention, cross-attention to T5, one modulation for all layers (AdaLN-single)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Part

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
    attention_bias: Literal[True] = True
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
    heads, head_dim, layers = read.num_attention_heads, read.attention_head_dim, read.num_layers
    hidden = heads * head_dim
    if read.cross_attention_dim != hidden:
        raise ConfigError(
            f"{name}: field 'cross_attention_dim' must be num_attention_heads x attention_head_dim = {hidden}, the "
            f"width the text is projected to, got {read.cross_attention_dim}"
        )
    widths = Widths(hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden, rotary=False)
    outputs = read.patch_size**2 * (read.in_channels if read.out_channels is None else read.out_channels)
    return DiT(
        name=name,
        architecture="PixArtTransformer2DModel",
        parts=(
            *_entry(read, hidden),
            *adaln_single.layers(widths, repeat=layers),
            *adaln_single.head(hidden, outputs),
        ),
        layers=layers,
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
        *adaln_single.timestep("condition/timestep", hidden),
    ]
    if read.conditioned:  # height and width go through the same layers, the aspect ratio through its own
        parts += streams.vector_mlp("condition/resolution", FREQUENCIES, hidden // 3, rows="sides")
        parts += streams.vector_mlp("condition/aspect_ratio", FREQUENCIES, hidden // 3)
    if read.caption_channels is not None:
        parts += streams.vector_mlp("condition/text", read.caption_channels, hidden, rows="text")
    return tuple(parts)
