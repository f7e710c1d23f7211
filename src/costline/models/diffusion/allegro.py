"""Allegro: self-attention over all latent tokens, cross-attention to the text, AdaLN-single.

Source: diffusers `transformer_allegro.py`, `pipeline_allegro.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Config, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution

TEXT_TOKENS = 512
"""Text tokens the pipeline pads to."""


class AllegroConfig(Config):
    """`diffusers` AllegroTransformer3DModel."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "sample_height", "sample_width", "sample_frames", "norm_eps", "interpolation_scale_h", "interpolation_scale_w",
        "interpolation_scale_t",
    })  # fmt: skip
    patch_size: Size = 2
    patch_size_t: Literal[1] = 1
    num_attention_heads: Size = 24
    attention_head_dim: Size = 96
    in_channels: Size = 4
    out_channels: Size = 4
    num_layers: Size = 32
    cross_attention_dim: Size = 2304
    attention_bias: Literal[True] = True
    activation_fn: Literal["gelu-approximate", "gelu"] = "gelu-approximate"
    norm_elementwise_affine: Literal[False] = False
    caption_channels: Size = 4096

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden = self.num_attention_heads * self.attention_head_dim
        heads = self.num_attention_heads
        return Widths(hidden=hidden, heads=heads, key_heads=heads, head_dim=self.attention_head_dim, ffn=4 * hidden)


def read_allegro(config: Mapping[str, Any], name: str) -> DiT:
    """Read an AllegroTransformer3DModel. Its autoencoder treats no frame alone: 88 frames become 22."""
    checked = AllegroConfig.read(config, name)
    hidden, patch = checked.widths.hidden, checked.patch_size**2
    adaln_single.check_text_width(name, checked.cross_attention_dim, hidden)
    return DiT(
        name=name,
        architecture="AllegroTransformer3DModel",
        parts=(
            Convolution(
                name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=patch, positions="image"
            ),
            *adaln_single.timestep("condition/timestep", hidden),
            *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
            *adaln_single.layers(checked.widths, repeat=checked.num_layers),
            *adaln_single.head(hidden, patch * checked.out_channels),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(time=4, space=8, patch_space=checked.patch_size, first_frame_alone=False),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
    )
