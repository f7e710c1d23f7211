"""HunyuanVideo, its FramePack form and HunyuanVideo-1.5: double-stream layers, then (not in 1.5) single-stream layers.

Text goes through a small transformer of its own, the token refiner, before the first layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from costline.models import blocks
from costline.models.config import Config, Count, Flag, Ratio, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Linear, Part, Weights
from costline.numeric import Numeric, ceil_divide

TEXT_TOKENS = 256
"""Text tokens of the pipeline: 256 after the template is cropped."""
SIGLIP_TOKENS = 729
"""Tokens of the SigLIP image encoder at 384 pixels with patches of 14: 27 x 27."""
HISTORY_FRAMES = (2, 2, 16)
"""Latent frames that FramePack keeps at full, half and quarter resolution, the first frame among the former."""


class _Trunk(Config):
    """Fields of both generations."""

    neutral: ClassVar[frozenset[str]] = frozenset({"rope_axes_dim", "target_size", "task_type"})
    in_channels: Size
    out_channels: Size | None
    num_attention_heads: Size
    attention_head_dim: Size = 128
    num_layers: Size
    num_refiner_layers: Size = 2
    mlp_ratio: Ratio = 4.0
    patch_size: Size
    patch_size_t: Size = 1
    qk_norm: Literal["rms_norm"] = "rms_norm"
    text_embed_dim: Size

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        hidden = self.num_attention_heads * self.attention_head_dim
        even = Widths.even(self.num_attention_heads, self.attention_head_dim, int(hidden * self.mlp_ratio))
        return replace(even, head_norm="head", condition=hidden)

    @property
    def taps(self) -> int:
        """Latents of a patch. [latent]"""
        return self.patch_size_t * self.patch_size**2


class HunyuanVideoConfig(_Trunk):
    """`diffusers` HunyuanVideoTransformer3DModel."""

    in_channels: Size = 16
    out_channels: Size | None = 16
    num_attention_heads: Size = 24
    num_layers: Size = 20
    num_single_layers: Count = 40
    patch_size: Size = 2
    guidance_embeds: Flag = True
    text_embed_dim: Size = 4096
    pooled_projection_dim: Size = 768
    image_condition_type: Literal["latent_concat", "token_replace"] | None = None


class FramepackConfig(HunyuanVideoConfig):
    """`diffusers` HunyuanVideoFramepackTransformer3DModel; its forward pass needs both embedders of the history."""

    has_image_proj: Literal[True]
    image_proj_dim: Size = 1152
    has_clean_x_embedder: Literal[True]


class HunyuanVideo15Config(_Trunk):
    """`diffusers` HunyuanVideo15Transformer3DModel."""

    in_channels: Size = 65
    out_channels: Size | None = 32
    num_attention_heads: Size = 16
    num_layers: Size = 54
    patch_size: Size = 1
    text_embed_dim: Size = 3584
    text_embed_2_dim: Size = 1472
    image_embed_dim: Size = 1152
    use_meanflow: Flag = False


def read_hunyuan_video(config: Mapping[str, Any], name: str) -> DiT:
    """Read a HunyuanVideoTransformer3DModel; with ``token_replace`` the first frame has a timestep of its own."""
    checked = HunyuanVideoConfig.read(config, name)
    parts = (*_entry(checked, checked.in_channels), *_vectors(checked), *_layers(checked), *_head(checked, "image"))
    return DiT(
        name=name,
        architecture="HunyuanVideoTransformer3DModel",
        parts=parts,
        layers=checked.num_layers + checked.num_single_layers,
        hidden_size=checked.widths.hidden,
        grid=_grid(checked, space=8),
        fixed_streams={"text": TEXT_TOKENS, "timestep": 2 if checked.image_condition_type == "token_replace" else 1},
        sums={"joint": ("image", "text")},
        branches=1 if checked.guidance_embeds else 2,
    )


@dataclass(frozen=True, kw_only=True)
class FramepackDiT(DiT):
    """HunyuanVideo that sees its past: ``past`` tokens, fewer the further they lie behind, before those of the clip."""

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation; ``clip`` are the tokens denoised, ``image`` includes the past."""
        base = self.grid.streams(frames, height, width)
        patch, latent_rows, latent_columns = self.grid.patch_space, height // self.grid.space, width // self.grid.space
        found: dict[str, Numeric] = {"clip": base["image"]}
        past: Numeric = 0
        for level, kept in enumerate(HISTORY_FRAMES):
            step = patch * 2**level
            tokens = ceil_divide(kept, 2**level) * ceil_divide(latent_rows, step) * ceil_divide(latent_columns, step)
            found[f"past{level}"] = tokens
            past = past + tokens
        found["image"] = base["image"] + past
        return DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **{**found, **lengths})


def read_framepack(config: Mapping[str, Any], name: str) -> DiT:
    """Read a HunyuanVideoFramepackTransformer3DModel; each section of the video is one clip of this network."""
    checked = FramepackConfig.read(config, name)
    hidden = checked.widths.hidden
    history = tuple(
        Convolution(
            name=f"embed/past{level}",
            inputs=checked.in_channels,
            outputs=hidden,
            kernel=4 * 8**level,
            positions=f"past{level}",
        )
        for level in range(len(HISTORY_FRAMES))
    )
    picture = (
        Linear(
            name="condition/picture/in",
            inputs=checked.image_proj_dim,
            outputs=3 * hidden,
            rows="picture",
            shard="replicated",
        ),
        Linear(name="condition/picture/out", inputs=3 * hidden, outputs=hidden, rows="picture", shard="replicated"),
    )
    entry = _entry(checked, checked.in_channels, patches="clip")
    layers = _layers(checked, text="context")
    return FramepackDiT(
        name=name,
        architecture="HunyuanVideoFramepackTransformer3DModel",
        parts=(*entry, *history, *picture, *_vectors(checked), *layers, *_head(checked, "clip")),
        layers=checked.num_layers + checked.num_single_layers,
        hidden_size=hidden,
        grid=_grid(checked, space=8),
        fixed_streams={"text": TEXT_TOKENS, "picture": SIGLIP_TOKENS, "timestep": 1},
        sums={"context": ("text", "picture"), "joint": ("image", "text", "picture")},
        branches=1 if checked.guidance_embeds else 2,
    )


def read_hunyuan_video15(config: Mapping[str, Any], name: str) -> DiT:
    """Read a HunyuanVideo15Transformer3DModel; text-to-video computes the picture's tokens too, and masks them."""
    checked = HunyuanVideo15Config.read(config, name)
    widths = checked.widths
    timestep = streams.vector_mlp("condition/timestep", 256, widths.hidden)
    if checked.use_meanflow:
        timestep = (*timestep, *streams.vector_mlp("condition/end_timestep", 256, widths.hidden))
    return DiT(
        name=name,
        architecture="HunyuanVideo15Transformer3DModel",
        parts=(
            *_entry(checked, checked.in_channels),
            *timestep,
            *_glyphs(checked),
            *_picture(checked),
            Weights(name="condition/kind_table", count=3 * widths.hidden, rows="context", width=widths.hidden),
            *streams.double_layers(widths, repeat=checked.num_layers, text=("context",)),
            *_head(checked, "image"),
        ),
        layers=checked.num_layers,
        hidden_size=widths.hidden,
        grid=_grid(checked, space=16),
        fixed_streams={"text": 1000, "glyph": 256, "picture": SIGLIP_TOKENS},
        sums={"context": ("text", "glyph", "picture"), "joint": ("image", "text", "glyph", "picture")},
        branches=2,
    )


def _grid(config: _Trunk, *, space: int) -> Grid:
    return Grid(time=4, space=space, patch_time=config.patch_size_t, patch_space=config.patch_size)


def _entry(config: _Trunk, channels: int, *, patches: str = "image") -> tuple[Part, ...]:
    """Patches and the token refiner: its timestep and mean text, input layer and layers."""
    widths = config.widths
    hidden, place, layers = widths.hidden, "condition/refiner", config.num_refiner_layers
    refined = replace(widths, ffn=4 * hidden, head_norm="none", condition=0)  # the refiner's ratio is not configurable
    return (
        Convolution(name="embed/patch", inputs=channels, outputs=hidden, kernel=config.taps, positions=patches),
        *streams.vector_mlp(f"{place}/timestep", 256, hidden),
        *streams.vector_mlp(f"{place}/pooled", config.text_embed_dim, hidden),
        Linear(name=f"{place}/in", inputs=config.text_embed_dim, outputs=hidden, rows="text", shard="replicated"),
        streams.modulation(f"{place}/gates", hidden, 2 * hidden, repeat=layers),
        blocks.norm(f"{place}/self/norm", hidden, "text", repeat=layers, bias=True),
        *blocks.attention(f"{place}/self", hidden, refined.heads, refined.head_dim, "text", repeat=layers),
        blocks.gated_residual(f"{place}/self/residual", hidden, "text", repeat=layers),
        blocks.norm(f"{place}/mlp/norm", hidden, "text", repeat=layers, bias=True),
        *blocks.feed_forward(f"{place}/mlp", hidden, refined.ffn, "text", repeat=layers),
        blocks.gated_residual(f"{place}/mlp/residual", hidden, "text", repeat=layers),
    )


def _vectors(config: HunyuanVideoConfig) -> tuple[Part, ...]:
    """Timestep, pooled text and guidance scale."""
    hidden = config.widths.hidden
    parts = (
        *streams.vector_mlp("condition/timestep", 256, hidden, rows="timestep"),
        *streams.vector_mlp("condition/pooled", config.pooled_projection_dim, hidden),
    )
    if not config.guidance_embeds:
        return parts
    return (*parts, *streams.vector_mlp("condition/guidance", 256, hidden))


def _layers(config: HunyuanVideoConfig, *, text: str = "text") -> tuple[Part, ...]:
    parts = list(streams.double_layers(config.widths, repeat=config.num_layers, text=(text,)))
    if config.num_single_layers:
        parts += streams.single_layers(config.widths, repeat=config.num_single_layers)
    own = {"block/double/image/modulation", "block/single/modulation"}  # these also see the first frame's timestep
    return tuple(
        replace(part, rows="timestep") if isinstance(part, Linear) and part.name in own else part for part in parts
    )


def _glyphs(config: HunyuanVideo15Config) -> tuple[Part, ...]:
    """Three layers over the byT5 text that is to be drawn; their inner width is fixed at 2048."""
    place, inner, hidden = "condition/glyph", 2048, config.widths.hidden
    sizes = ((config.text_embed_2_dim, inner), (inner, inner), (inner, hidden))
    return (
        blocks.norm(f"{place}/norm", config.text_embed_2_dim, "glyph", bias=True),
        *(
            Linear(name=f"{place}/layer{index}", inputs=inputs, outputs=outputs, rows="glyph", shard="replicated")
            for index, (inputs, outputs) in enumerate(sizes)
        ),
    )


def _picture(config: HunyuanVideo15Config) -> tuple[Part, ...]:
    """Two layers over the picture's tokens."""
    place, width, hidden = "condition/picture", config.image_embed_dim, config.widths.hidden
    return (
        blocks.norm(f"{place}/norm_in", width, "picture", bias=True),
        Linear(name=f"{place}/in", inputs=width, outputs=width, rows="picture", shard="replicated"),
        Linear(name=f"{place}/out", inputs=width, outputs=hidden, rows="picture", shard="replicated"),
        blocks.norm(f"{place}/norm_out", hidden, "picture", bias=True),
    )


def _head(config: _Trunk, rows: str) -> tuple[Part, ...]:
    hidden = config.widths.hidden
    channels = config.in_channels if config.out_channels is None else config.out_channels
    return (
        streams.modulation("head/modulation", hidden, 2 * hidden),
        blocks.adaptive_norm("head/norm", hidden, rows),
        Linear(name="head/projection", inputs=hidden, outputs=config.taps * channels, rows=rows, shard="replicated"),
    )
