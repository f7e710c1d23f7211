"""Qwen-Image: double layers only, text from a vision-language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear, Part, Weights

TEXT_TOKENS = 512
"""`max_sequence_length` of the Qwen-Image pipeline of diffusers 0.42.1; prompts are not padded to it."""


class QwenImageConfig(Config):
    """`QwenImageTransformer2DModel` of diffusers 0.42.1.

    `guidance_embeds` is read by nothing there. `zero_cond_t` (edit models) modulates the image at two timesteps.
    """

    neutral: ClassVar[frozenset[str]] = frozenset({
        "axes_dims_rope", "guidance_embeds", "use_layer3d_rope", "pooled_projection_dim",
    })  # fmt: skip
    patch_size: Size = 2
    in_channels: Size = 64
    out_channels: Size | None = 16
    num_layers: Size = 60
    attention_head_dim: Size = 128
    num_attention_heads: Size = 24
    joint_attention_dim: Size = 3584
    zero_cond_t: Literal[False] = False
    use_additional_t_cond: Flag = False


def read_qwen_image(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `QwenImageTransformer2DModel`; latents are packed two by two by the pipeline, as for FLUX."""
    read = QwenImageConfig.read(config, name)
    heads, head_dim, text_dim = read.num_attention_heads, read.attention_head_dim, read.joint_attention_dim
    hidden = heads * head_dim
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden, head_norm="head",
        condition=hidden,
    )  # fmt: skip
    parts: list[Part] = [
        Linear(name="embed/patch", inputs=read.in_channels, outputs=hidden, rows="image", shard="replicated"),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        blocks.norm("condition/text/norm", text_dim, "text"),
        Linear(name="condition/text", inputs=text_dim, outputs=hidden, rows="text", shard="replicated"),
        *streams.double_layers(widths, repeat=read.num_layers, rotate_text=True),
        *streams.modulated_head(
            hidden, read.patch_size**2 * (read.out_channels or read.in_channels), condition=hidden
        ),
    ]  # fmt: skip
    if read.use_additional_t_cond:
        parts.append(Weights(name="condition/kind", count=2 * hidden, rows="sample", width=hidden))
    return DiT(
        name=name,
        architecture="QwenImageTransformer2DModel",
        parts=tuple(parts),
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=2),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
    )
