"""The classic U-Net of Stable Diffusion 1, 2 and XL: residual convolutions and cross-attention at falling resolutions.

``streams["stage0"]`` counts the latent positions, ``"stage1"`` those of the half resolution, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Flag, Size
from costline.models.diffusion import streams
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Elementwise, Linear, Part
from costline.numeric import Numeric, ceil_divide, floor_divide

TEXT_TOKENS = 77
"""Tokens of the CLIP text encoders, padding included."""
SPACE = 8
"""Compression of the autoencoder in each direction. [pixel per latent]"""
TAPS = 9
"""Taps of a 3 x 3 convolution."""

PerStage: TypeAlias = Size | tuple[Size, ...]
"""One number for all stages, or one for each."""
Few = Annotated[int, Field(ge=1, le=1000, strict=True)]
"""Layers that have parts of their own."""


class UNetConfig(Config):
    """`UNet2DConditionModel` of diffusers 0.42.1; its `attention_head_dim` is the number of heads."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "sample_size", "flip_sin_to_cos", "freq_shift", "downsample_padding", "mid_block_scale_factor", "act_fn",
        "norm_num_groups", "norm_eps", "addition_embed_type_num_heads", "upcast_attention", "resnet_out_scale_factor",
        "addition_time_embed_dim",
    })  # fmt: skip
    in_channels: Size = 4
    out_channels: Size = 4
    down_block_types: tuple[Literal["CrossAttnDownBlock2D", "DownBlock2D"], ...] = (
        "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D",
    )  # fmt: skip
    mid_block_type: Literal["UNetMidBlock2DCrossAttn"] | None = "UNetMidBlock2DCrossAttn"
    up_block_types: tuple[Literal["CrossAttnUpBlock2D", "UpBlock2D"], ...] = (
        "UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
    )  # fmt: skip
    block_out_channels: tuple[Size, ...] = (320, 640, 1280, 1280)
    layers_per_block: Few | tuple[Few, ...] = 2
    cross_attention_dim: Size = 1280
    transformer_layers_per_block: PerStage = 1
    attention_head_dim: PerStage = 8
    use_linear_projection: Flag = False
    addition_embed_type: Literal["text_time"] | None = None
    projection_class_embeddings_input_dim: Count | None = None
    resnet_time_scale_shift: Literal["default"] = "default"
    time_embedding_type: Literal["positional"] = "positional"
    time_embedding_dim: Size | None = None
    conv_in_kernel: Literal[3] = 3
    conv_out_kernel: Literal[3] = 3
    attention_type: Literal["default"] = "default"

    def per_stage(self, field: str) -> tuple[int, ...]:
        """A `PerStage` field, one number for each stage."""
        stated = getattr(self, field)
        return (stated,) * len(self.block_out_channels) if isinstance(stated, int) else tuple(stated)

    @property
    def time_width(self) -> int:
        """Width of the timestep vector. [feature]"""
        return self.time_embedding_dim or 4 * self.block_out_channels[0]

    def contradictions(self) -> list[str]:
        """What the fields say against each other."""
        stages = len(self.block_out_channels)
        fields = ("layers_per_block", "transformer_layers_per_block", "attention_head_dim")
        lengths = {field: len(self.per_stage(field)) for field in fields}
        lengths |= {"down_block_types": len(self.down_block_types), "up_block_types": len(self.up_block_types)}
        faults = [
            f"field {field!r} has {length} entries for {stages} stages"
            for field, length in lengths.items()
            if length != stages
        ]
        if self.addition_embed_type is not None and not self.projection_class_embeddings_input_dim:
            faults.append("field 'addition_embed_type' needs 'projection_class_embeddings_input_dim'")
        return faults


@dataclass(frozen=True, kw_only=True)
class UNet(DiT):
    """A U-Net, one evaluation at a time.

    Attributes
    ----------
    stages : int
        Resolutions.
    """

    stages: int

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Positions of each stage, text tokens, and what `DiT.streams` counts."""
        found = DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **lengths)
        for stage in range(self.stages):
            rows = ceil_divide(floor_divide(height, SPACE), 2**stage)
            found[f"stage{stage}"] = rows * ceil_divide(floor_divide(width, SPACE), 2**stage)
        return found


def read_unet(config: Mapping[str, Any], name: str) -> UNet:
    """Read a `UNet2DConditionModel`."""
    read = UNetConfig.read(config, name)
    faults = read.contradictions()
    if faults:
        raise ConfigError(f"{name}: {'; '.join(faults)}")
    first, stages = read.block_out_channels[0], len(read.block_out_channels)
    parts: list[Part] = [
        Convolution(name="embed/in", inputs=read.in_channels, outputs=first, kernel=TAPS, positions="stage0"),
        *streams.vector_mlp("condition/timestep", first, read.time_width),
    ]
    if read.projection_class_embeddings_input_dim:
        parts += streams.vector_mlp("condition/added", read.projection_class_embeddings_input_dim, read.time_width)
    parts += [*_down(read), *_middle(read), *_up(read)]
    parts += [
        blocks.norm("head/norm", first, "stage0", bias=True),
        Convolution(name="head/out", inputs=first, outputs=read.out_channels, kernel=TAPS, positions="stage0"),
    ]
    return UNet(
        name=name,
        architecture="UNet2DConditionModel",
        parts=tuple(parts),
        layers=2 * stages + 1,
        hidden_size=read.block_out_channels[-1],
        grid=Grid(space=SPACE, patch_space=1),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
        stages=stages,
    )


def _down(read: UNetConfig) -> list[Part]:
    parts: list[Part] = []
    inputs = read.block_out_channels[0]
    for stage, kind in enumerate(read.down_block_types):
        outputs, rows = read.block_out_channels[stage], f"stage{stage}"
        for layer in range(read.per_stage("layers_per_block")[stage]):
            place = f"block/down{stage}/layer{layer}"
            parts += _residual(place, inputs, outputs, rows, read.time_width)
            if kind == "CrossAttnDownBlock2D":
                parts += _transformer(place, read, stage, rows)
            inputs = outputs
        if stage < len(read.block_out_channels) - 1:
            parts.append(_resample(f"block/down{stage}/halve", outputs, f"stage{stage + 1}"))
    return parts


def _middle(read: UNetConfig) -> list[Part]:
    if read.mid_block_type is None:
        return []
    stage, width = len(read.block_out_channels) - 1, read.block_out_channels[-1]
    rows = f"stage{stage}"
    return [
        *_residual("block/middle/layer0", width, width, rows, read.time_width),
        *_transformer("block/middle/layer0", read, stage, rows),
        *_residual("block/middle/layer1", width, width, rows, read.time_width),
    ]


def _up(read: UNetConfig) -> list[Part]:
    """Each layer reads the output of the layer before it and, beside it, a skip from the way down."""
    parts: list[Part] = []
    channels, stages = read.block_out_channels, len(read.block_out_channels)
    before = channels[-1]
    for step, kind in enumerate(read.up_block_types):
        stage = stages - 1 - step
        outputs, rows = channels[stage], f"stage{stage}"
        layers = read.per_stage("layers_per_block")[stage] + 1
        for layer in range(layers):
            place = f"block/up{stage}/layer{layer}"
            skip = channels[max(stage - 1, 0)] if layer == layers - 1 else outputs
            parts += _residual(place, before + skip, outputs, rows, read.time_width)
            if kind == "CrossAttnUpBlock2D":
                parts += _transformer(place, read, stage, rows)
            before = outputs
        if stage:
            parts.append(_resample(f"block/up{stage}/double", outputs, f"stage{stage - 1}"))
    return parts


def _resample(name: str, width: int, positions: str) -> Convolution:
    """Convolution that halves, or follows a doubling of, the resolution; `positions` counts its outputs."""
    return Convolution(name=name, inputs=width, outputs=width, kernel=TAPS, positions=positions)


def _residual(place: str, inputs: int, outputs: int, rows: str, time_width: int) -> tuple[Part, ...]:
    """Two convolutions, each after a group norm and SiLU; the timestep is added between them."""
    parts: list[Part] = []
    for step, width in ((0, inputs), (1, outputs)):
        name = f"{place}/residual{step}"
        parts += [
            blocks.norm(f"{name}/norm", width, rows, bias=True),
            Elementwise(name=f"{name}/activation", rows=rows, width=width, passes=2, saves=1),
            Convolution(name=f"{name}/conv", inputs=width, outputs=outputs, kernel=TAPS, positions=rows),
        ]
    parts += [
        streams.modulation(f"{place}/timestep", time_width, outputs),
        blocks.residual(f"{place}/sum", outputs, rows),
    ]
    if inputs != outputs:
        parts.append(Convolution(name=f"{place}/shortcut", inputs=inputs, outputs=outputs, kernel=1, positions=rows))
    return tuple(parts)


def _transformer(place: str, read: UNetConfig, stage: int, rows: str) -> tuple[Part, ...]:
    """Self-attention, cross-attention to the text and a gated feed-forward network, between two projections."""
    width, heads = read.block_out_channels[stage], read.per_stage("attention_head_dim")[stage]
    depth = read.per_stage("transformer_layers_per_block")[stage]
    inner = heads * (width // heads)
    shape = (inner, heads, width // heads, rows)
    return (
        blocks.norm(f"{place}/transformer/norm", width, rows, bias=True),
        _pointwise(f"{place}/transformer/in", width, inner, rows, linear=read.use_linear_projection),
        blocks.norm(f"{place}/self/norm", inner, rows, repeat=depth, bias=True),
        *blocks.attention(f"{place}/self", *shape, bias=False, out_bias=True, repeat=depth),
        blocks.residual(f"{place}/self/residual", inner, rows, repeat=depth),
        blocks.norm(f"{place}/cross/norm", inner, rows, repeat=depth, bias=True),
        *blocks.attention(
            f"{place}/cross", *shape, keys="text", key_width=read.cross_attention_dim, bias=False, out_bias=True,
            repeat=depth,
        ),
        blocks.residual(f"{place}/cross/residual", inner, rows, repeat=depth),
        blocks.norm(f"{place}/mlp/norm", inner, rows, repeat=depth, bias=True),
        *blocks.feed_forward(f"{place}/mlp", inner, 4 * inner, rows, repeat=depth, gated=True),
        blocks.residual(f"{place}/mlp/residual", inner, rows, repeat=depth),
        _pointwise(f"{place}/transformer/out", inner, width, rows, linear=read.use_linear_projection),
        blocks.residual(f"{place}/transformer/residual", width, rows),
    )  # fmt: skip


def _pointwise(name: str, inputs: int, outputs: int, rows: str, *, linear: bool) -> Part:
    """The projection around a transformer: a dense layer, or the same as a convolution of one tap."""
    if linear:
        return Linear(name=name, inputs=inputs, outputs=outputs, rows=rows, shard="replicated")
    return Convolution(name=name, inputs=inputs, outputs=outputs, kernel=1, positions=rows)
