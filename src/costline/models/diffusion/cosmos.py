"""Cosmos 1.0, Predict2 and Predict2.5: self- and cross-attention, each modulated through a low-rank pair.

Source: diffusers `transformer_cosmos.py`, `pipeline_cosmos_text2world.py`, `pipeline_cosmos2_video2world.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Ratio, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear, Part, Weights

TEXT_TOKENS = 512
"""Text tokens the pipelines pad to."""


class CosmosConfig(Config):
    """`diffusers` CosmosTransformer3DModel without attention to a picture's features."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "rope_scale", "controlnet_block_every_n", "img_context_num_tokens", "img_context_dim_out",
    })  # fmt: skip
    in_channels: Size = 16
    out_channels: Size = 16
    num_attention_heads: Size = 32
    attention_head_dim: Size = 128
    num_layers: Size = 28
    mlp_ratio: Ratio = 4.0
    text_embed_dim: Size = 1024
    adaln_lora_dim: Size = 256
    max_size: tuple[Size, Size, Size] = (128, 240, 240)
    patch_size: tuple[Size, Size, Size] = (1, 2, 2)
    concat_padding_mask: Flag = True
    extra_pos_embed_type: Literal["learnable"] | None = "learnable"
    use_crossattn_projection: Flag = False
    crossattn_proj_in_channels: Size = 1024
    encoder_hidden_states_channels: Size = 1024

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden, heads = self.num_attention_heads * self.attention_head_dim, self.num_attention_heads
        return Widths(
            hidden=hidden, heads=heads, key_heads=heads, head_dim=self.attention_head_dim,
            ffn=int(hidden * self.mlp_ratio), bias=False, head_norm="head",
        )  # fmt: skip

    @property
    def taps(self) -> int:
        """Latents of a patch. [latent]"""
        return self.patch_size[0] * self.patch_size[1] * self.patch_size[2]

    @property
    def vae_time(self) -> int:
        """Compression in time: 8 for the tokenizer of Cosmos 1.0, 4 for Wan 2.1's, which Predict2 uses.

        The configuration does not name the autoencoder; learned positions are what 1.0 alone has.
        """
        return 8 if self.extra_pos_embed_type == "learnable" else 4


def read_cosmos(config: Mapping[str, Any], name: str) -> DiT:
    """Read a CosmosTransformer3DModel."""
    checked = CosmosConfig.read(config, name)
    if checked.patch_size[1] != checked.patch_size[2]:
        raise ConfigError(f"{name}: patch_size {list(checked.patch_size)} is not square")
    if checked.use_crossattn_projection and checked.encoder_hidden_states_channels != checked.text_embed_dim:
        raise ConfigError(
            f"{name}: encoder_hidden_states_channels {checked.encoder_hidden_states_channels}, to which the text is "
            f"projected, must equal text_embed_dim {checked.text_embed_dim}"
        )
    hidden = checked.widths.hidden
    channels = checked.in_channels + checked.concat_padding_mask
    return DiT(
        name=name,
        architecture="CosmosTransformer3DModel",
        parts=(
            Linear(
                name="embed/patch", inputs=checked.taps * channels, outputs=hidden, rows="image", bias=False,
                shard="replicated",
            ),
            *_conditions(checked),
            *_layers(checked),
            *_modulation("head/modulation", checked, 2, 1),
            blocks.adaptive_norm("head/norm", hidden, "image"),
            Linear(
                name="head/projection", inputs=hidden, outputs=checked.taps * checked.out_channels, rows="image",
                bias=False, shard="replicated",
            ),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(
            time=checked.vae_time, space=8, patch_time=checked.patch_size[0], patch_space=checked.patch_size[1]
        ),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
    )  # fmt: skip


def _conditions(checked: CosmosConfig) -> tuple[Part, ...]:
    """Timestep, learned positions, and the projection of stacked text features."""
    hidden = checked.widths.hidden
    parts: list[Part] = [
        streams.modulation("condition/timestep/in", hidden, hidden, bias=False),
        streams.modulation("condition/timestep/out", hidden, 3 * hidden, bias=False),
        blocks.norm("condition/timestep/norm", hidden, "sample"),
    ]
    if checked.extra_pos_embed_type == "learnable":
        places = sum(size // patch for size, patch in zip(checked.max_size, checked.patch_size, strict=True))
        parts.append(Weights(name="embed/positions", count=places * hidden))
        # added to the residual stream again in every layer
        parts.append(blocks.residual("block/positions", hidden, "image", repeat=checked.num_layers))
    if checked.use_crossattn_projection:
        parts.append(
            Linear(
                name="condition/text", inputs=checked.crossattn_proj_in_channels,
                outputs=checked.encoder_hidden_states_channels, rows="text", shard="replicated",
            )
        )  # fmt: skip
    return tuple(parts)


def _modulation(name: str, checked: CosmosConfig, chunks: int, repeat: int) -> tuple[Part, Part]:
    """Down to `adaln_lora_dim` features and up to `chunks` vectors, without bias."""
    hidden, inner = checked.widths.hidden, checked.adaln_lora_dim
    return (
        streams.modulation(f"{name}/down", hidden, inner, repeat=repeat, bias=False),
        streams.modulation(f"{name}/up", inner, chunks * hidden, repeat=repeat, bias=False),
    )


def _layers(checked: CosmosConfig) -> tuple[Part, ...]:
    widths, repeat = checked.widths, checked.num_layers
    return (
        *_modulation("block/self/modulation", checked, 3, repeat),
        *streams.self_attention("block/self", widths, "image", repeat=repeat),
        *_modulation("block/cross/modulation", checked, 3, repeat),
        *streams.cross_attention(
            "block/cross", widths, "image", "text", key_width=checked.text_embed_dim, repeat=repeat, gated=True
        ),
        *_modulation("block/mlp/modulation", checked, 3, repeat),
        *streams.feed_forward("block/mlp", widths, "image", repeat=repeat),
    )
