"""LTX-Video: self-attention over all latent tokens, cross-attention to the text, AdaLN-single.

Source: diffusers `transformer_ltx.py`, `pipeline_ltx.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Config, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear

TEXT_TOKENS = 128
"""Text tokens the text-to-video pipeline pads to; the later conditioning pipeline pads to 256."""


class LTXConfig(Config):
    """`diffusers` LTXVideoTransformer3DModel."""

    neutral: ClassVar[frozenset[str]] = frozenset({"norm_eps"})
    in_channels: Size = 128
    out_channels: Size | None = 128
    patch_size: Size = 1
    patch_size_t: Size = 1
    num_attention_heads: Size = 32
    attention_head_dim: Size = 64
    cross_attention_dim: Size = 2048
    num_layers: Size = 28
    activation_fn: Literal["gelu-approximate", "gelu"] = "gelu-approximate"
    qk_norm: Literal["rms_norm_across_heads"] = "rms_norm_across_heads"
    norm_elementwise_affine: Literal[False] = False
    caption_channels: Size = 4096
    attention_bias: Literal[True] = True
    attention_out_bias: Literal[True] = True

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden = self.num_attention_heads * self.attention_head_dim
        return Widths(
            hidden=hidden,
            heads=self.num_attention_heads,
            key_heads=self.num_attention_heads,
            head_dim=self.attention_head_dim,
            ffn=4 * hidden,
            head_norm="width",
        )


def read_ltx(config: Mapping[str, Any], name: str) -> DiT:
    """Read an LTXVideoTransformer3DModel."""
    checked = LTXConfig.read(config, name)
    widths = checked.widths
    hidden = widths.hidden
    adaln_single.check_text_width(name, checked.cross_attention_dim, hidden)
    return DiT(
        name=name,
        architecture="LTXVideoTransformer3DModel",
        parts=(
            # channels already hold a whole patch: the pipeline packs the latent before the network sees it
            Linear(name="embed/patch", inputs=checked.in_channels, outputs=hidden, rows="image", shard="replicated"),
            *adaln_single.timestep("condition/timestep", hidden),
            *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
            *adaln_single.layers(widths, repeat=checked.num_layers),
            *adaln_single.head(hidden, checked.out_channels or checked.in_channels),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(time=8, space=32, patch_time=checked.patch_size_t, patch_space=checked.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
    )
