"""CogVideoX 1.0 and 1.5: joint attention with one set of weights for text and video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part


class CogTrunkConfig(Config):
    """Fields CogVideoX and ConsisID share.

    A learned position table (CogVideoX-5B-I2V) is a buffer of the checkpoint, not a parameter, and is not counted.
    """

    neutral: ClassVar[frozenset[str]] = frozenset({
        "flip_sin_to_cos", "freq_shift", "sample_width", "sample_height", "sample_frames", "timestep_activation_fn",
        "norm_eps", "spatial_interpolation_scale", "temporal_interpolation_scale",
        "use_learned_positional_embeddings",
    })  # fmt: skip
    num_attention_heads: Size = 30
    attention_head_dim: Size = 64
    in_channels: Size = 16
    out_channels: Size = 16
    time_embed_dim: Size = 512
    text_embed_dim: Size = 4096
    num_layers: Size = 30
    attention_bias: Flag = True
    patch_size: Size = 2
    temporal_compression_ratio: Size = 4
    max_text_seq_length: Size = 226
    activation_fn: Literal["gelu-approximate", "gelu"] = "gelu-approximate"
    norm_elementwise_affine: Flag = True
    use_rotary_positional_embeddings: Flag = False

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden = self.num_attention_heads * self.attention_head_dim
        even = Widths.even(self.num_attention_heads, self.attention_head_dim, 4 * hidden)
        return replace(
            even,
            query_bias=self.attention_bias,
            head_norm="layer",
            rotary=self.use_rotary_positional_embeddings,
            affine=self.norm_elementwise_affine,
            condition=self.time_embed_dim,
        )


class CogVideoXConfig(CogTrunkConfig):
    """`diffusers` CogVideoXTransformer3DModel; `patch_size_t` makes it 1.5."""

    patch_size_t: Size | None = None
    patch_bias: Flag = True
    ofs_embed_dim: Size | None = None


def read_cogvideox(config: Mapping[str, Any], name: str) -> DiT:
    """Read a CogVideoXTransformer3DModel; 1.5 pads the latent frames to a multiple of its patch."""
    checked = CogVideoXConfig.read(config, name)
    hidden, patch_time = checked.widths.hidden, checked.patch_size_t or 1
    if checked.ofs_embed_dim not in {None, checked.time_embed_dim}:
        raise ConfigError(f"{name}: ofs_embed_dim must equal time_embed_dim, whose vector it is added to")
    taps = patch_time * checked.patch_size**2
    if checked.patch_size_t is None:
        patch: Part = Convolution(
            name="embed/patch",
            inputs=checked.in_channels,
            outputs=hidden,
            kernel=taps,
            positions="image",
            bias=checked.patch_bias,
        )
    else:  # 1.5 flattens its patches; the linear layer always has a bias
        patch = Linear(
            name="embed/patch", inputs=taps * checked.in_channels, outputs=hidden, rows="image", shard="replicated"
        )
    offset: tuple[Part, ...] = ()
    if checked.ofs_embed_dim is not None:
        offset = streams.vector_mlp("condition/offset", checked.ofs_embed_dim, checked.ofs_embed_dim)
    return DiT(
        name=name,
        architecture="CogVideoXTransformer3DModel",
        parts=(patch, *offset, *trunk(checked), *two_norm_head(checked.widths, taps * checked.out_channels)),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=grid(checked, patch_time),
        fixed_streams={"text": checked.max_text_seq_length},
        sums={"joint": ("image", "text")},
        branches=2,
    )


def grid(config: CogTrunkConfig, patch_time: int) -> Grid:
    """Pixels to tokens; the paired autoencoder compresses each direction by 8."""
    return Grid(time=config.temporal_compression_ratio, space=8, patch_time=patch_time, patch_space=config.patch_size)


def trunk(config: CogTrunkConfig) -> tuple[Part, ...]:
    """Timestep, text, positions and layers."""
    widths = config.widths
    hidden = widths.hidden
    parts: tuple[Part, ...] = (
        *streams.vector_mlp("condition/timestep", hidden, config.time_embed_dim),
        Linear(name="condition/text", inputs=config.text_embed_dim, outputs=hidden, rows="text", shard="replicated"),
        *streams.joint_layers(widths, repeat=config.num_layers),
    )
    if config.use_rotary_positional_embeddings:
        return parts
    return (*parts, Elementwise(name="embed/positions", rows="joint", width=hidden, passes=3))


def two_norm_head(widths: Widths, outputs: int, *, norm_rows: str = "image") -> tuple[Part, ...]:
    """Two norms, the second modulated, and the projection to patches of `outputs` values."""
    hidden = widths.hidden
    return (
        blocks.norm("head/first_norm", hidden, norm_rows, bias=True, affine=widths.affine),
        streams.modulation("head/modulation", widths.condition, 2 * hidden),
        blocks.adaptive_norm("head/norm", hidden, "image", held=widths.norm_params),
        Linear(name="head/projection", inputs=hidden, outputs=outputs, rows="image", shard="replicated"),
    )
