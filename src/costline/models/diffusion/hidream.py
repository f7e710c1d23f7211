"""HiDream-I1: double then joint layers whose image feed-forward networks are mixtures of experts.

Every layer reads the text anew from another layer of Llama, so each has a projection of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Elementwise, ExpertLinear, Linear, Part
from costline.numeric import Numeric, ceil_divide

MULTIPLE = 256
"""Feed-forward widths are rounded up to a multiple of this (`HiDreamImageFeedForwardSwiGLU`)."""
TEXT_TOKENS = 384
"""128 tokens (`max_sequence_length` of the diffusers 0.42.1 pipeline) three times: T5, last and current Llama layer."""


class HiDreamConfig(Config):
    """`HiDreamImageTransformer2DModel` of diffusers 0.42.1."""

    neutral: ClassVar[frozenset[str]] = frozenset({"axes_dims_rope", "axes_dim_rope", "force_inference_output"})
    patch_size: Size
    in_channels: Size = 64
    out_channels: Size | None = None
    num_layers: Size = 16
    num_single_layers: Size = 32
    attention_head_dim: Size = 128
    num_attention_heads: Size = 20
    caption_channels: tuple[Size, Size]
    text_emb_dim: Size = 2048
    num_routed_experts: Count = 4
    num_activated_experts: Size = 2
    max_resolution: tuple[Size, Size] = (128, 128)
    llama_layers: tuple[Count, ...]

    @property
    def layers(self) -> int:
        """Layers of both kinds."""
        return self.num_layers + self.num_single_layers


@dataclass(frozen=True, kw_only=True)
class HiDreamDiT(DiT):
    """A network whose text comes three times, and which pads an image that is not square to its largest size.

    Attributes
    ----------
    max_tokens : int
        Latent tokens of the largest image. [token]
    """

    max_tokens: int

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation; ``encoder`` is the output of one text encoder, a third of ``text``."""
        found = DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **lengths)
        found["encoder"] = ceil_divide(found["text"], 3)
        found["image"] = found["image"] + (self.max_tokens - found["image"]) * (height != width)
        found["joint"] = found["image"] + found["text"]
        return found


def read_hidream(config: Mapping[str, Any], name: str) -> HiDreamDiT:
    """Read a `HiDreamImageTransformer2DModel`.

    A step needs two evaluations; the distilled Dev and Fast have the same configuration and need one.
    """
    read = HiDreamConfig.read(config, name)
    if len(read.llama_layers) != read.layers:
        raise ConfigError(
            f"{name}: field 'llama_layers' must name one Llama layer for each of {read.layers} layers, "
            f"got {len(read.llama_layers)}"
        )
    hidden = read.num_attention_heads * read.attention_head_dim
    outputs = read.patch_size**2 * (read.out_channels or read.in_channels)
    return HiDreamDiT(
        name=name,
        architecture="HiDreamImageTransformer2DModel",
        parts=(
            *_entry(read, hidden),
            *_layers(read, hidden),
            *streams.modulated_head(hidden, outputs, condition=hidden),
        ),
        layers=read.layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
        max_tokens=read.max_resolution[0] * read.max_resolution[1] // read.patch_size**2,
    )


def _entry(read: HiDreamConfig, hidden: int) -> tuple[Part, ...]:
    t5, llama = read.caption_channels
    return (
        Linear(
            name="embed/patch", inputs=read.patch_size**2 * read.in_channels, outputs=hidden, rows="image",
            shard="replicated",
        ),
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        *streams.vector_mlp("condition/pooled", read.text_emb_dim, hidden),
        Linear(name="condition/t5", inputs=t5, outputs=hidden, rows="encoder", bias=False, shard="replicated"),
        Linear(
            name="condition/llama", inputs=llama, outputs=hidden, rows="encoder", bias=False, repeat=read.layers,
            shard="replicated",
        ),
    )  # fmt: skip


def _layers(read: HiDreamConfig, hidden: int) -> tuple[Part, ...]:
    heads, double, single = read.num_attention_heads, read.num_layers, read.num_single_layers
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=read.attention_head_dim, ffn=ffn_width(4 * hidden),
        gated=True, head_norm="width",
    )  # fmt: skip
    place = "block/double"
    return (
        streams.modulation(f"{place}/modulation", hidden, 12 * hidden, repeat=double),
        *_self(f"{place}/image", widths, "image", repeat=double),
        *_experts(f"{place}/image/mlp", read, widths, "image", repeat=double),
        *_self(f"{place}/text", widths, "text", repeat=double),
        *_dense(f"{place}/text/mlp", widths, widths.ffn, "text", repeat=double),
        streams.joint_core(f"{place}/self/core", widths, repeat=double),
        streams.modulation("block/single/modulation", hidden, 6 * hidden, repeat=single),
        *_self("block/single", widths, "joint", repeat=single),
        *_experts("block/single/mlp", read, widths, "joint", repeat=single),
        streams.joint_core("block/single/self/core", widths, repeat=single),
    )


def ffn_width(hidden: int) -> int:
    """Two thirds of `hidden`, up to a multiple of 256. [feature]

    Examples
    --------
    >>> ffn_width(10240)
    6912
    """
    return -(-int(2 * hidden / 3) // MULTIPLE) * MULTIPLE


def _self(place: str, widths: Widths, rows: str, *, repeat: int) -> tuple[Part, ...]:
    """Norms, projections and residuals of one stream of a layer, around attention and feed-forward network."""
    return (
        blocks.adaptive_norm(f"{place}/self/norm", widths.hidden, rows, repeat=repeat),
        *streams.projections(f"{place}/self", widths, rows, repeat=repeat),
        *streams.query_key_work(f"{place}/self", widths, rows, repeat=repeat),
        blocks.gated_residual(f"{place}/self/residual", widths.hidden, rows, repeat=repeat),
        blocks.adaptive_norm(f"{place}/mlp/norm", widths.hidden, rows, repeat=repeat),
        blocks.gated_residual(f"{place}/mlp/residual", widths.hidden, rows, repeat=repeat),
    )


def _dense(place: str, widths: Widths, ffn: int, rows: str, *, repeat: int) -> tuple[Part, ...]:
    return blocks.feed_forward(place, widths.hidden, ffn, rows, repeat=repeat, gated=True, bias=False)


def _experts(place: str, read: HiDreamConfig, widths: Widths, rows: str, *, repeat: int) -> tuple[Part, ...]:
    """Routed experts and a shared one of half the width; without routed experts a plain feed-forward network."""
    experts, active = read.num_routed_experts, read.num_activated_experts
    if not experts:
        return _dense(place, widths, widths.ffn, rows, repeat=repeat)
    shapes = (
        ("gate", widths.hidden, widths.ffn),
        ("up", widths.hidden, widths.ffn),
        ("down", widths.ffn, widths.hidden),
    )
    return (
        Linear(
            name=f"{place}/router", inputs=widths.hidden, outputs=experts, rows=rows, bias=False, repeat=repeat,
            shard="replicated", saves=False,
        ),
        *(
            ExpertLinear(
                name=f"{place}/experts/{side}", inputs=inputs, outputs=outputs, experts=experts, active=active,
                rows=rows, repeat=repeat, shard="row" if side == "down" else "column", saves=side != "gate",
            )
            for side, inputs, outputs in shapes
        ),
        Elementwise(
            name=f"{place}/experts/activation", rows=rows, width=active * widths.ffn, passes=3, saves=2, repeat=repeat,
            shard="column",
        ),
        blocks.residual(f"{place}/experts/sum", widths.hidden, rows, repeat=repeat),
        *_dense(f"{place}/shared", widths, ffn_width(4 * widths.hidden // 2), rows, repeat=repeat),
    )  # fmt: skip
