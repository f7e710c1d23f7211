"""EasyAnimate V5 and V5.1: the first layers double-stream, the rest joint; both share one norm and one modulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Count, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.cogvideox import two_norm_head
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part


class EasyAnimateConfig(Config):
    """`diffusers` EasyAnimateTransformer3DModel; `in_channels` includes what is stacked on the latent."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "add_noise_in_inpaint_model", "add_ref_latent_in_control_model", "enable_text_attention_mask",
        "flip_sin_to_cos", "freq_shift", "norm_eps", "resize_inpaint_mask_directly", "sample_height", "sample_width",
        "time_position_encoding_type", "timestep_activation_fn",
    })  # fmt: skip
    num_attention_heads: Size = 48
    attention_head_dim: Size = 64
    in_channels: Size
    out_channels: Size
    patch_size: Size
    num_layers: Size = 48
    mmdit_layers: Count = 48
    time_embed_dim: Size = 512
    add_norm_text_encoder: Flag = False
    text_embed_dim: Size = 3584
    text_embed_dim_t5: Size | None = None
    norm_elementwise_affine: Flag = True
    after_norm: Flag = False
    activation_fn: Literal["gelu-approximate", "gelu"] = "gelu-approximate"

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden = self.num_attention_heads * self.attention_head_dim
        even = Widths.even(self.num_attention_heads, self.attention_head_dim, 4 * hidden)
        return replace(even, head_norm="layer", affine=self.norm_elementwise_affine, condition=self.time_embed_dim)


def read_easyanimate(config: Mapping[str, Any], name: str) -> DiT:
    """Read an EasyAnimateTransformer3DModel; with a T5 encoder its tokens (``t5=``) stand beside the text."""
    checked = EasyAnimateConfig.read(config, name)
    hidden, taps = checked.widths.hidden, checked.patch_size**2
    t5 = checked.text_embed_dim_t5 is not None
    return DiT(
        name=name,
        architecture="EasyAnimateTransformer3DModel",
        parts=(
            Convolution(name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"),
            *streams.vector_mlp("condition/timestep", hidden, checked.time_embed_dim),
            *_text(checked),
            *_layers(checked),
            *two_norm_head(checked.widths, taps * checked.out_channels),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(time=4, space=8, patch_time=1, patch_space=checked.patch_size),
        fixed_streams={"text": 256, **({"t5": 256} if t5 else {})},
        sums={"context": ("text", "t5") if t5 else ("text",), "joint": ("image", "context")},
        branches=2,
    )


def _text(config: EasyAnimateConfig) -> tuple[Part, ...]:
    """A linear layer for each encoder, behind a norm where configured.

    The norm before the T5 projection has the first encoder's width in the reference; the parameters follow it.
    """
    parts: list[Part] = []
    for stream, width in (("text", config.text_embed_dim), ("t5", config.text_embed_dim_t5)):
        if width is None:
            continue
        if config.add_norm_text_encoder:
            parts.append(blocks.norm(f"condition/{stream}/norm", config.text_embed_dim, stream))
        parts.append(
            Linear(
                name=f"condition/{stream}",
                inputs=width,
                outputs=config.widths.hidden,
                rows=stream,
                shard="replicated",
            )
        )
    return tuple(parts)


def _layers(config: EasyAnimateConfig) -> tuple[Part, ...]:
    widths, double = config.widths, min(config.mmdit_layers, config.num_layers)
    joint = config.num_layers - double
    parts: list[Part] = []
    if double:
        shared = replace(widths, condition=0)
        place = "block/double"
        parts.append(
            streams.modulation(f"{place}/modulation", config.time_embed_dim, 12 * widths.hidden, repeat=double)
        )
        for part in streams.double_layers(shared, repeat=double, text=("context",)):
            norm = part.name in {f"{place}/context/self/norm", f"{place}/context/mlp/norm"}
            parts.append(replace(part, held=0) if norm and isinstance(part, Elementwise) else part)
        parts += _after_norms(config, place, ("image", "context"), double)
    if joint:
        parts += streams.joint_layers(widths, repeat=joint)
        parts += _after_norms(config, "block/joint", ("joint",), joint)
    return tuple(parts)


def _after_norms(config: EasyAnimateConfig, place: str, rows: tuple[str, ...], repeat: int) -> tuple[Part, ...]:
    """Norm after the feed-forward network, one for all streams."""
    if not config.after_norm:
        return ()
    hidden, affine = config.widths.hidden, config.norm_elementwise_affine
    return tuple(
        blocks.norm(
            f"{place}/after_norm/{stream}", hidden, stream, repeat=repeat, bias=True, affine=affine and index == 0
        )
        for index, stream in enumerate(rows)
    )
