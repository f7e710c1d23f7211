"""Kandinsky 5: layers over the text first, then self-attention over latent tokens and cross-attention to that text.

Source: diffusers `transformer_kandinsky.py`, `pipeline_kandinsky.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Linear, Part

TEXT_TOKENS = 256
"""Text tokens of the configurations counted; the pipeline cuts at 512 and passes on what the prompt has."""


class Kandinsky5Config(Config):
    """`diffusers` Kandinsky5Transformer3DModel.

    `attention_fraction` is not one of its fields: the share of query-key blocks that self-attention computes, which the
    data decide where `attention_type` is ``nabla``, and which must then be stated.
    """

    neutral: ClassVar[frozenset[str]] = frozenset({
        "attention_causal", "attention_local", "attention_glob", "attention_window", "attention_P", "attention_wT",
        "attention_wW", "attention_wH", "attention_add_sta", "attention_method",
    })  # fmt: skip
    in_visual_dim: Size = 4
    in_text_dim: Size = 3584
    in_text_dim2: Size = 768
    time_dim: Size = 512
    out_visual_dim: Size = 4
    patch_size: tuple[Size, Size, Size] = (1, 2, 2)
    model_dim: Size = 2048
    ff_dim: Size = 5120
    num_text_blocks: Size = 2
    num_visual_blocks: Size = 32
    axes_dims: tuple[Size, Size, Size] = (16, 24, 24)
    visual_cond: Flag = False
    attention_type: Literal["regular", "nabla"] = "regular"
    attention_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        head_dim = sum(self.axes_dims)
        heads = self.model_dim // head_dim
        return Widths(
            hidden=self.model_dim, heads=heads, key_heads=heads, head_dim=head_dim, ffn=self.ff_dim, head_norm="head",
            condition=self.time_dim,
        )  # fmt: skip

    @property
    def visual_channels(self) -> int:
        """Channels of the input: the latent, and beside it the latent to continue and its mask. [channel]"""
        return 2 * self.in_visual_dim + 1 if self.visual_cond else self.in_visual_dim

    def check(self, name: str) -> None:
        """Raise ConfigError where fields contradict each other."""
        if self.model_dim % sum(self.axes_dims) != 0:
            raise ConfigError(f"{name}: model_dim {self.model_dim} is no multiple of the head, sum(axes_dims)")
        if self.patch_size[1] != self.patch_size[2]:
            raise ConfigError(f"{name}: patch_size {list(self.patch_size)} is not square")
        if self.attention_type == "nabla" and self.attention_fraction is None:
            raise ConfigError(
                f"{name}: attention_type 'nabla' computes the blocks that the data select: state attention_fraction "
                "(1 counts them all)"
            )


def read_kandinsky5(config: Mapping[str, Any], name: str) -> DiT:
    """Read a Kandinsky5Transformer3DModel."""
    checked = Kandinsky5Config.read(config, name)
    checked.check(name)
    hidden, time, widths = checked.model_dim, checked.time_dim, checked.widths
    taps = checked.patch_size[0] * checked.patch_size[1] * checked.patch_size[2]
    sparse = checked.attention_fraction is not None
    return DiT(
        name=name,
        architecture="Kandinsky5Transformer3DModel",
        parts=(
            Linear(
                name="embed/patch", inputs=taps * checked.visual_channels, outputs=hidden, rows="image",
                shard="replicated",
            ),
            Linear(name="condition/timestep/in", inputs=hidden, outputs=time, rows="sample", shard="replicated"),
            Linear(name="condition/timestep/out", inputs=time, outputs=time, rows="sample", shard="replicated"),
            *_embedding("condition/text", checked.in_text_dim, hidden, "text"),
            *_embedding("condition/pooled", checked.in_text_dim2, time, "sample"),
            *_text_layers(widths, checked.num_text_blocks),
            *_visual_layers(widths, checked.num_visual_blocks, keys="visible" if sparse else "image"),
            *streams.modulated_head(hidden, taps * checked.out_visual_dim, condition=time),
        ),
        layers=checked.num_visual_blocks,
        hidden_size=hidden,
        # the networks for pictures (no visual condition, one frame) share the 8x autoencoder grid in space
        grid=Grid(time=4, space=8, patch_time=checked.patch_size[0], patch_space=checked.patch_size[1]),
        fixed_streams={"text": TEXT_TOKENS},
        products={} if checked.attention_fraction is None else {"visible": (checked.attention_fraction, "image")},
        branches=2,
    )  # fmt: skip


def _embedding(name: str, inputs: int, outputs: int, rows: str) -> tuple[Part, ...]:
    return (
        Linear(name=name, inputs=inputs, outputs=outputs, rows=rows, shard="replicated"),
        blocks.norm(f"{name}/norm", outputs, rows, bias=True),
    )


def _feed_forward(name: str, widths: Widths, rows: str, repeat: int) -> tuple[Part, ...]:
    """The feed-forward network has no bias, the attention has."""
    return (
        blocks.adaptive_norm(f"{name}/norm", widths.hidden, rows, repeat=repeat),
        *blocks.feed_forward(name, widths.hidden, widths.ffn, rows, repeat=repeat, bias=False),
        blocks.gated_residual(f"{name}/residual", widths.hidden, rows, repeat=repeat),
    )


def _text_layers(widths: Widths, repeat: int) -> tuple[Part, ...]:
    place = "condition/text"
    return (
        streams.modulation(f"{place}/modulation", widths.condition, 6 * widths.hidden, repeat=repeat),
        *streams.self_attention(f"{place}/self", widths, "text", repeat=repeat),
        *_feed_forward(f"{place}/mlp", widths, "text", repeat),
    )


def _visual_layers(widths: Widths, repeat: int, *, keys: str) -> tuple[Part, ...]:
    hidden = widths.hidden
    core = ("image", keys, "sample")
    return (
        streams.modulation("block/modulation", widths.condition, 9 * hidden, repeat=repeat),
        *streams.self_attention("block/self", widths, "image", repeat=repeat, core=core),
        *streams.cross_attention("block/cross", widths, "image", "text", key_width=hidden, repeat=repeat, gated=True),
        *_feed_forward("block/mlp", widths, "image", repeat),
    )
