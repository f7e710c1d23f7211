"""Wan 2.1 and 2.2, Wan VACE and SkyReels-V2: self-attention over all latent tokens, cross-attention to the text.

Wan 2.2's A14B holds two such networks, of which a step runs one: read its configuration twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Flag, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Attention, Convolution, Elementwise, Linear, Part, Weights
from costline.numeric import Numeric, floor_divide

UMT5_TOKENS = 512
"""Text tokens the pipelines pad to; the image-to-video model splits the text there."""
CLIP_TOKENS = 257
"""Tokens of the CLIP ViT-H/14 image encoder at 224 pixels: 16 x 16 patches and the class token."""
WIDE_LATENT = 48
"""Latent channels of the Wan 2.2 autoencoder, which compresses each direction by 16; the others compress by 8."""


class WanConfig(Config):
    """`diffusers` WanTransformer3DModel; `expand_timesteps` is its pipeline's switch for Wan2.2-TI2V-5B."""

    neutral: ClassVar[frozenset[str]] = frozenset({"qk_norm", "eps", "rope_max_seq_len"})
    patch_size: tuple[Size, Size, Size] = (1, 2, 2)
    num_attention_heads: Size = 40
    attention_head_dim: Size = 128
    in_channels: Size = 16
    out_channels: Size | None = 16
    text_dim: Size = 4096
    freq_dim: Size = 256
    ffn_dim: Size = 13824
    num_layers: Size = 40
    cross_attn_norm: Flag = True
    image_dim: Size | None = None
    added_kv_proj_dim: Size | None = None
    pos_embed_seq_len: Size | None = None
    expand_timesteps: Flag = False

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        even = Widths.even(self.num_attention_heads, self.attention_head_dim, self.ffn_dim)
        return replace(even, head_norm="width")

    @property
    def latent_out(self) -> int:
        """Channels of the output. [channel]"""
        return self.in_channels if self.out_channels is None else self.out_channels


class VaceConfig(WanConfig):
    """`diffusers` WanVACETransformer3DModel: control layers beside some of Wan's own."""

    vace_layers: tuple[Count, ...] = (0, 5, 10, 15, 20, 25, 30, 35)
    vace_in_channels: Size = 96


class SkyReelsConfig(WanConfig):
    """`diffusers` SkyReelsV2Transformer3DModel; `num_frame_per_block` above 1 would mask attention by blocks."""

    num_attention_heads: Size = 16
    ffn_dim: Size = 8192
    num_layers: Size = 32
    inject_sample_info: Flag = False
    num_frame_per_block: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class WanGrid(Grid):
    """The grid of pipelines that round the frames to ``k time + 1``, upwards from a multiple of `time`."""

    def latent_frames(self, frames: Numeric) -> Numeric:
        """Latent frames of a clip: 21 for 81 frames, and for 80, of which the pipeline makes 81. [frame]"""
        return floor_divide(frames, self.time) + 1


def read_wan(config: Mapping[str, Any], name: str) -> DiT:
    """Read a WanTransformer3DModel."""
    return _network(WanConfig.read(config, name), name, "WanTransformer3DModel", ())


def read_sky_reels(config: Mapping[str, Any], name: str) -> DiT:
    """Read a SkyReelsV2Transformer3DModel; diffusion forcing gives each frame a timestep (``timestep=`` its frames)."""
    checked = SkyReelsConfig.read(config, name)
    extra: tuple[Part, ...] = ()
    if checked.inject_sample_info:
        hidden = checked.widths.hidden
        extra = (
            Weights(name="condition/fps_table", count=2 * hidden, rows="sample", width=hidden),
            Linear(name="condition/fps/in", inputs=hidden, outputs=hidden, rows="sample", shard="replicated"),
            Linear(name="condition/fps/out", inputs=hidden, outputs=6 * hidden, rows="sample", shard="replicated"),
        )
    return _network(checked, name, "SkyReelsV2Transformer3DModel", extra)


def read_vace(config: Mapping[str, Any], name: str) -> DiT:
    """Read a WanVACETransformer3DModel; the control clip has the tokens of the clip."""
    checked = VaceConfig.read(config, name)
    chosen = checked.vace_layers
    if 0 not in chosen or max(chosen) >= checked.num_layers or len(set(chosen)) != len(chosen):
        raise ConfigError(f"{name}: vace_layers must be distinct layers below {checked.num_layers}, 0 among them")
    hidden, count = checked.widths.hidden, len(chosen)
    square = Linear(name="block/control/in", inputs=hidden, outputs=hidden, rows="image", shard="replicated")
    extra = (
        _patches(checked, "embed/control", checked.vace_in_channels),
        square,
        replace(square, name="block/control/out", repeat=count),
        Elementwise(name="block/control/hint", rows="image", width=hidden, passes=5, saves=1, repeat=count),
        *_layers(checked, "block/control", count),
    )
    return _network(checked, name, "WanVACETransformer3DModel", extra)


def _network(config: WanConfig, name: str, architecture: str, extra: tuple[Part, ...]) -> DiT:
    if (config.image_dim is None) != (config.added_kv_proj_dim is None):
        raise ConfigError(f"{name}: image_dim and added_kv_proj_dim go together")
    if config.patch_size[1] != config.patch_size[2]:
        raise ConfigError(f"{name}: patch_size {list(config.patch_size)} is not square")
    if config.added_kv_proj_dim not in {None, config.widths.hidden}:
        raise ConfigError(f"{name}: added_kv_proj_dim must be the hidden size {config.widths.hidden}")
    hidden = config.widths.hidden
    return DiT(
        name=name,
        architecture=architecture,
        parts=(
            *_conditions(config),
            *extra,
            *_layers(config, "block", config.num_layers),
            blocks.adaptive_norm("head/norm", hidden, "image", held=2 * hidden),
            Linear(
                name="head/projection",
                inputs=hidden,
                outputs=config.latent_out * _taps(config),
                rows="image",
                shard="replicated",
            ),
        ),
        layers=config.num_layers,
        hidden_size=hidden,
        grid=WanGrid(
            time=4,
            space=16 if config.latent_out == WIDE_LATENT else 8,
            patch_time=config.patch_size[0],
            patch_space=config.patch_size[1],
        ),
        fixed_streams={"text": UMT5_TOKENS, "timestep": 1, "picture": config.pos_embed_seq_len or CLIP_TOKENS},
        sums={"timestep": ("image",)} if config.expand_timesteps else {},
        branches=2,
    )


def _taps(config: WanConfig) -> int:
    return config.patch_size[0] * config.patch_size[1] * config.patch_size[2]


def _patches(config: WanConfig, name: str, channels: int) -> Part:
    return Convolution(
        name=name, inputs=channels, outputs=config.widths.hidden, kernel=_taps(config), positions="image"
    )


def _conditions(config: WanConfig) -> tuple[Part, ...]:
    """Patches, timestep (one, or one a token), text, and the picture of image-to-video models."""
    hidden = config.widths.hidden
    parts: tuple[Part, ...] = (
        _patches(config, "embed/patch", config.in_channels),
        *streams.vector_mlp("condition/timestep", config.freq_dim, hidden, rows="timestep"),
        streams.modulation("condition/modulation", hidden, 6 * hidden, rows="timestep"),
        *streams.vector_mlp("condition/text", config.text_dim, hidden, rows="text"),
    )
    if config.image_dim is None:
        return parts
    positions = (config.pos_embed_seq_len or 0) * config.image_dim
    return (
        *parts,
        Weights(name="condition/picture/positions", count=positions),
        blocks.norm("condition/picture/norm_in", config.image_dim, "picture", bias=True),
        Linear(
            name="condition/picture/in",
            inputs=config.image_dim,
            outputs=config.image_dim,
            rows="picture",
            shard="replicated",
        ),
        Linear(
            name="condition/picture/out", inputs=config.image_dim, outputs=hidden, rows="picture", shard="replicated"
        ),
        blocks.norm("condition/picture/norm_out", hidden, "picture", bias=True),
    )


def _layers(config: WanConfig, place: str, repeat: int) -> tuple[Part, ...]:
    widths = config.widths
    hidden = widths.hidden
    cross = streams.cross_attention(
        f"{place}/cross",
        widths,
        "image",
        "text",
        key_width=hidden,
        repeat=repeat,
        affine=True,
        normed=config.cross_attn_norm,
    )
    parts = (
        Elementwise(name=f"{place}/table", rows="timestep", width=6 * hidden, passes=3, held=6 * hidden, repeat=repeat),
        *streams.self_attention(f"{place}/self", widths, "image", repeat=repeat),
        *cross,
        *_picture_attention(config, f"{place}/picture", repeat),
        *streams.feed_forward(f"{place}/mlp", widths, "image", repeat=repeat),
    )
    return tuple(_in_fp32(part) if part.name.endswith(("/norm", "/residual")) else part for part in parts)


def _in_fp32(part: Part) -> Part:
    """The same where nothing is fused: norms, modulations and residual sums of this family run in fp32."""
    return replace(part, eager=2 * (part.eager or part.passes)) if isinstance(part, Elementwise) else part


def _picture_attention(config: WanConfig, place: str, repeat: int) -> tuple[Part, ...]:
    """Attention of the cross-attention's queries to the picture, added before the output layer."""
    if config.image_dim is None:
        return ()
    widths = config.widths
    keys = Linear(name=f"{place}/key", inputs=widths.hidden, outputs=widths.inner, rows="picture", repeat=repeat)
    return (
        keys,
        replace(keys, name=f"{place}/value", saves=False),
        blocks.head_norm(f"{place}/key_norm", widths.inner, "picture", repeat=repeat, held=widths.inner),
        Attention(
            name=f"{place}/core",
            queries="image",
            keys="picture",
            heads=widths.heads,
            key_heads=widths.heads,
            key_dim=widths.head_dim,
            value_dim=widths.head_dim,
            repeat=repeat,
            crossed=True,
        ),
        blocks.residual(f"{place}/sum", widths.inner, "image", repeat=repeat),
    )
