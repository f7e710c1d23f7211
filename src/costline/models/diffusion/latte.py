"""Latte: attention within each frame, with text, and attention of each place across the frames, in turn.

Source: diffusers `latte_transformer_3d.py`, `pipeline_latte.py`; Ma et al. 2024, arXiv:2401.03048.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Config, Flag, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution

TEXT_TOKENS = 120
"""Text tokens the pipeline pads to."""


class LatteConfig(Config):
    """`diffusers` LatteTransformer3DModel; AdaLN-single alone, the one norm its forward pass runs with a timestep."""

    neutral: ClassVar[frozenset[str]] = frozenset({"sample_size", "num_embeds_ada_norm", "norm_eps", "video_length"})
    num_attention_heads: Size = 16
    attention_head_dim: Size = 88
    in_channels: Size
    out_channels: Size | None = None
    num_layers: Size = 1
    cross_attention_dim: Size | None = None
    attention_bias: Flag = False
    patch_size: Size
    activation_fn: Literal["gelu-approximate", "gelu"]
    norm_type: Literal["ada_norm_single"]
    norm_elementwise_affine: Literal[False]
    caption_channels: Size

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden, heads = self.num_attention_heads * self.attention_head_dim, self.num_attention_heads
        return Widths(
            hidden=hidden, heads=heads, key_heads=heads, head_dim=self.attention_head_dim, ffn=4 * hidden,
            query_bias=self.attention_bias, rotary=False,
        )  # fmt: skip


def read_latte(config: Mapping[str, Any], name: str) -> DiT:
    """Read a LatteTransformer3DModel; its autoencoder is one for pictures, so every frame is a latent frame."""
    checked = LatteConfig.read(config, name)
    widths, repeat = checked.widths, checked.num_layers
    hidden, taps = widths.hidden, checked.patch_size**2
    adaln_single.check_text_width(name, checked.cross_attention_dim, hidden)
    # within a frame the class repeats the text for every frame, keys and values included
    spatial = adaln_single.layers(
        widths, repeat=repeat, place="block/spatial", core=("space", "space", "time"),
        text="" if checked.cross_attention_dim is None else "copied_text", text_core=("space", "text", "time"),
    )  # fmt: skip
    temporal = adaln_single.layers(
        widths, repeat=repeat, place="block/temporal", core=("time", "time", "space"), text=""
    )
    return DiT(
        name=name,
        architecture="LatteTransformer3DModel",
        parts=(
            Convolution(name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"),
            *adaln_single.timestep("condition/timestep", hidden),
            *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
            *spatial,
            *temporal,
            *adaln_single.head(hidden, taps * (checked.out_channels or checked.in_channels)),
        ),
        layers=2 * repeat,
        hidden_size=hidden,
        grid=Grid(time=1, space=8, patch_space=checked.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        products={"copied_text": ("time", "text")},
        branches=2,
    )
