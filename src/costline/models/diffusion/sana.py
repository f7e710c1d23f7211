"""SANA and SANA-Video: linear self-attention, softmax attention to the text, a convolutional feed-forward network.

Source: diffusers `sana_transformer.py`, `transformer_sana_video.py`; Xie et al. 2024, arXiv:2410.10629; Chen et al.
2025, arXiv:2509.24695.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Ratio, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import HeadNorm, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, LinearAttention, Part

TEXT_TOKENS = 300
"""Text tokens the pipelines pad to."""


class _Shared(Config):
    """What the image and the video network share."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "sample_size", "norm_eps", "interpolation_scale", "guidance_embeds_scale", "timestep_scale", "rope_max_seq_len",
    })  # fmt: skip
    in_channels: Size
    out_channels: Size | None
    num_attention_heads: Size
    attention_head_dim: Size
    num_layers: Size = 20
    num_cross_attention_heads: Size = 20
    cross_attention_head_dim: Size = 112
    cross_attention_dim: Size = 2240
    caption_channels: Size = 2304
    mlp_ratio: Ratio = 2.5
    attention_bias: Flag = False
    norm_elementwise_affine: Literal[False] = False
    guidance_embeds: Flag = False
    qk_norm: Literal["rms_norm_across_heads"] | None = None

    @property
    def hidden(self) -> int:
        """Width of the residual stream. [feature]"""
        return self.num_attention_heads * self.attention_head_dim

    @property
    def head_norm(self) -> HeadNorm:
        """Norm of queries and keys."""
        return "none" if self.qk_norm is None else "width"


class SanaConfig(_Shared):
    """`diffusers` SanaTransformer2DModel."""

    in_channels: Size = 32
    out_channels: Size | None = 32
    num_attention_heads: Size = 70
    attention_head_dim: Size = 32
    patch_size: Size = 1


class SanaVideoConfig(_Shared):
    """`diffusers` SanaVideoTransformer3DModel."""

    in_channels: Size = 16
    out_channels: Size | None = 16
    num_attention_heads: Size = 20
    attention_head_dim: Size = 112
    patch_size: tuple[Size, Size, Size] = (1, 2, 2)
    qk_norm: Literal["rms_norm_across_heads"] | None = "rms_norm_across_heads"


def read_sana(config: Mapping[str, Any], name: str) -> DiT:
    """Read a SanaTransformer2DModel: the deep-compression autoencoder divides each direction by 32."""
    checked = SanaConfig.read(config, name)
    heads, dim = checked.num_attention_heads, checked.attention_head_dim
    # a row of ones joins the values to give the normaliser: d x (d + 1) instead of d x d, for state and result
    state_flops = heads * 4 * dim * (dim + 1)
    return _network(
        checked, name, "SanaTransformer2DModel", state_flops, Grid(space=32, patch_space=checked.patch_size)
    )


def read_sana_video(config: Mapping[str, Any], name: str) -> DiT:
    """Read a SanaVideoTransformer3DModel; its autoencoder is Wan 2.1's."""
    checked = SanaVideoConfig.read(config, name)
    time, height, width = checked.patch_size
    if height != width:
        raise ConfigError(f"{name}: patch_size {list(checked.patch_size)} is not square")
    heads, dim = checked.num_attention_heads, checked.attention_head_dim
    # state and result are d x d; the normaliser is a d-vector times the query without rotary embedding
    state_flops = heads * (4 * dim * dim + 2 * dim)
    grid = Grid(time=4, space=8, patch_time=time, patch_space=height)
    return _network(checked, name, "SanaVideoTransformer3DModel", state_flops, grid)


def _network(checked: _Shared, name: str, architecture: str, state_flops: int, grid: Grid) -> DiT:
    hidden = checked.hidden
    adaln_single.check_text_width(name, checked.cross_attention_dim, hidden)
    taps = grid.patch_time * grid.patch_space**2
    outputs = taps * (checked.out_channels or checked.in_channels)
    video = architecture == "SanaVideoTransformer3DModel"
    return DiT(
        name=name,
        architecture=architecture,
        parts=(
            Convolution(name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"),
            *_conditions(checked),
            adaln_single.table("block/table", hidden, repeat=checked.num_layers),
            *_linear_attention(checked, state_flops, rotated=video),
            *_text_attention(checked),
            *_conv_feed_forward(checked, temporal=video),
            *adaln_single.head(hidden, outputs),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=grid,
        fixed_streams={"text": TEXT_TOKENS},
        branches=1 if checked.guidance_embeds else 2,  # a guidance input replaces the second evaluation
    )


def _conditions(checked: _Shared) -> tuple[Part, ...]:
    hidden = checked.hidden
    parts: list[Part] = [
        *adaln_single.timestep("condition/timestep", hidden),
        *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
        blocks.norm("condition/text/norm", hidden, "text"),
    ]
    if checked.guidance_embeds:
        parts += streams.vector_mlp("condition/guidance", streams.FREQUENCIES, hidden)
    return tuple(parts)


def _linear_attention(checked: _Shared, state_flops: int, *, rotated: bool) -> tuple[Part, ...]:
    """Self-attention through a state of one matrix a head; queries and keys pass a ReLU."""
    heads, dim, hidden, repeat = (
        checked.num_attention_heads,
        checked.attention_head_dim,
        checked.hidden,
        checked.num_layers,
    )
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=dim, ffn=0, bias=checked.attention_bias,
        head_norm=checked.head_norm,
    )  # fmt: skip
    relu = Elementwise(
        name="block/self/relu", rows="image", width=2 * hidden, passes=2, saves=1, repeat=repeat, shard="column"
    )
    return (
        blocks.adaptive_norm("block/self/norm", hidden, "image", repeat=repeat),
        *streams.projections("block/self", widths, "image", repeat=repeat, out=False),
        *streams.query_key_work("block/self", widths, "image", repeat=repeat, rotated=rotated),
        relu,
        LinearAttention(
            name="block/self/core", rows="image", state_flops_per_token=state_flops, width=hidden, repeat=repeat
        ),
        Linear(name="block/self/out", inputs=hidden, outputs=hidden, rows="image", repeat=repeat, shard="row"),
        blocks.gated_residual("block/self/residual", hidden, "image", repeat=repeat),
    )


def _text_attention(checked: _Shared) -> tuple[Part, ...]:
    heads = checked.num_cross_attention_heads
    widths = Widths(
        hidden=checked.hidden, heads=heads, key_heads=heads, head_dim=checked.cross_attention_head_dim, ffn=0,
        head_norm=checked.head_norm,
    )  # fmt: skip
    return streams.cross_attention(
        "block/cross", widths, "image", "text", key_width=checked.cross_attention_dim, repeat=checked.num_layers,
        normed=False,
    )  # fmt: skip


def _conv_feed_forward(checked: _Shared, *, temporal: bool) -> tuple[Part, ...]:
    """Gated feed-forward network of pointwise and depthwise convolutions; video adds one over three frames."""
    hidden, repeat = checked.hidden, checked.num_layers
    inner = int(checked.mlp_ratio * hidden)
    parts: list[Part] = [
        blocks.adaptive_norm("block/mlp/norm", hidden, "image", repeat=repeat),
        Convolution(
            name="block/mlp/up", inputs=hidden, outputs=2 * inner, kernel=1, positions="image", repeat=repeat
        ),
        Elementwise(name="block/mlp/activation", rows="image", width=2 * inner, passes=2, saves=1, repeat=repeat),
        Convolution(
            name="block/mlp/depthwise", inputs=2 * inner, outputs=2 * inner, kernel=9, groups=2 * inner,
            positions="image", repeat=repeat,
        ),
        Elementwise(name="block/mlp/gate", rows="image", width=inner, passes=3, saves=2, repeat=repeat),
        Convolution(
            name="block/mlp/down", inputs=inner, outputs=hidden, kernel=1, positions="image", bias=False,
            repeat=repeat,
        ),
        blocks.gated_residual("block/mlp/residual", hidden, "image", repeat=repeat),
    ]  # fmt: skip
    if temporal:
        parts += [
            Convolution(
                name="block/mlp/temporal", inputs=hidden, outputs=hidden, kernel=3, positions="image", bias=False,
                repeat=repeat,
            ),
            blocks.residual("block/mlp/temporal_sum", hidden, "image", repeat=repeat),
        ]  # fmt: skip
    return tuple(parts)
