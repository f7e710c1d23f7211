"""DiT, the class-conditional diffusion transformer (Peebles and Xie 2022): modulated self-attention layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part, Weights


class DiTConfig(Config):
    """`DiTTransformer2DModel` of diffusers 0.42.1; `num_embeds_ada_norm` is the number of classes."""

    neutral: ClassVar[frozenset[str]] = frozenset({"norm_num_groups", "sample_size", "upcast_attention", "norm_eps"})
    num_attention_heads: Size = 16
    attention_head_dim: Size = 72
    in_channels: Size = 4
    out_channels: Size | None = None
    num_layers: Size = 28
    attention_bias: Flag = True
    patch_size: Size = 2
    activation_fn: Literal["gelu", "gelu-approximate"] = "gelu-approximate"
    num_embeds_ada_norm: Size = 1000
    norm_type: Literal["ada_norm_zero"] = "ada_norm_zero"
    norm_elementwise_affine: Literal[False] = False


def read_dit(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `DiTTransformer2DModel`.

    In diffusers each layer embeds the timestep and the class anew, with weights of its own, and the head once more with
    those of the first layer; the original code does it once for all layers, which is why DiT-XL/2 has 675 million
    parameters there and 750 million here.
    """
    read = DiTConfig.read(config, name)
    hidden = read.num_attention_heads * read.attention_head_dim
    outputs = read.patch_size**2 * (read.in_channels if read.out_channels is None else read.out_channels)
    parts: list[Part] = [
        Convolution(
            name="embed/patch", inputs=read.in_channels, outputs=hidden, kernel=read.patch_size**2, positions="image"
        ),
        *_layers(read, hidden),
        *_label_mlp("head/timestep", hidden, weights=False, repeat=1),
        *streams.modulated_head(hidden, outputs, condition=hidden),
    ]
    return DiT(
        name=name,
        architecture="DiTTransformer2DModel",
        parts=tuple(parts),
        layers=read.num_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=read.patch_size),
        branches=2,
    )


def _layers(read: DiTConfig, hidden: int) -> tuple[Part, ...]:
    layers, heads, head_dim = read.num_layers, read.num_attention_heads, read.attention_head_dim
    widths = Widths(hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden)
    classes = read.num_embeds_ada_norm + 1  # and one for "no class", of unguided evaluations
    return (
        *_label_mlp("block/timestep", hidden, weights=True, repeat=layers),
        Weights(name="block/classes", count=classes * hidden, rows="sample", width=hidden, repeat=layers),
        streams.modulation("block/modulation", hidden, 6 * hidden, repeat=layers),
        blocks.adaptive_norm("block/self/norm", hidden, "image", repeat=layers),
        *blocks.attention(
            "block/self", hidden, heads, head_dim, "image", bias=read.attention_bias, out_bias=True, repeat=layers
        ),
        blocks.gated_residual("block/self/residual", hidden, "image", repeat=layers),
        *streams.feed_forward("block/mlp", widths, "image", repeat=layers),
    )


def _label_mlp(name: str, hidden: int, *, weights: bool, repeat: int) -> tuple[Part, ...]:
    """Embedding of the timestep in each layer; the head uses the first layer's again."""
    return (
        Linear(
            name=f"{name}/in", inputs=FREQUENCIES, outputs=hidden, rows="sample", weights=weights, repeat=repeat,
            shard="replicated",
        ),
        Elementwise(name=f"{name}/activation", rows="sample", width=hidden, passes=2, saves=1, repeat=repeat),
        Linear(
            name=f"{name}/out", inputs=hidden, outputs=hidden, rows="sample", weights=weights, repeat=repeat,
            shard="replicated",
        ),
    )  # fmt: skip
