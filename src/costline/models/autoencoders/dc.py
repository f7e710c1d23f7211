"""Deep-compression autoencoder (Sana).

Source: diffusers 0.42.1, models/autoencoders/autoencoder_dc.py, SanaMultiscaleLinearAttention in
attention_processor.py and GLUMBConv in transformers/sana_transformer.py. Attention is linear in the number of positions
as soon as a picture has more positions than a head has features, which is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.config import Config, Count, Size
from costline.models.parts import LinearAttention

Block: TypeAlias = Literal["ResBlock", "EfficientViTBlock"]
NormType: TypeAlias = Literal["rms_norm", "batch_norm"]

WIDENED = 4
"""Expansion of the gated convolutions (GLUMBConv default)."""


class DCConfig(Config):
    """Fields of AutoencoderDC that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "decoder_act_fns", "decoder_conv_act_fn", "scaling_factor", "encoder_out_shortcut", "decoder_in_shortcut",
    })  # fmt: skip
    in_channels: Size = 3
    latent_channels: Size = 32
    attention_head_dim: Size = 32
    encoder_block_types: Block | tuple[Block, ...] = "ResBlock"
    decoder_block_types: Block | tuple[Block, ...] = "ResBlock"
    encoder_block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512, 1024, 1024), min_length=2)
    decoder_block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512, 1024, 1024), min_length=2)
    encoder_layers_per_block: tuple[Count, ...] = (2, 2, 2, 3, 3, 3)
    decoder_layers_per_block: tuple[Count, ...] = (3, 3, 3, 3, 3, 3)
    encoder_qkv_multiscales: tuple[tuple[Size, ...], ...] = ((), (), (), (5,), (5,), (5,))
    decoder_qkv_multiscales: tuple[tuple[Size, ...], ...] = ((), (), (), (5,), (5,), (5,))
    downsample_block_type: Literal["pixel_unshuffle", "conv", "Conv"] = "pixel_unshuffle"
    upsample_block_type: Literal["pixel_shuffle", "interpolate"] = "pixel_shuffle"
    decoder_norm_types: NormType | tuple[NormType, ...] = "rms_norm"  # both hold a scale and a shift


def read_dc(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderDC."""
    fields = DCConfig.read(config, name)
    levels = len(fields.encoder_block_out_channels)
    for half in ("encoder", "decoder"):
        for suffix in ("block_types", "block_out_channels", "layers_per_block", "qkv_multiscales"):
            value = getattr(fields, f"{half}_{suffix}")
            if isinstance(value, tuple) and len(value) != levels:
                raise ConfigError(f"{name}: field '{half}_{suffix}' has {len(value)} entries for {levels} levels")
        kinds = getattr(fields, f"{half}_block_types")
        for level, width in enumerate(getattr(fields, f"{half}_block_out_channels")):
            if _at(kinds, level) == "EfficientViTBlock" and width < (wide := fields.attention_head_dim):
                raise ConfigError(f"{name}: field 'attention_head_dim': {wide} is more than the {width} of a level")
        layers = getattr(fields, f"{half}_layers_per_block")
        if 0 in layers[1:]:
            raise ConfigError(f"{name}: field '{half}_layers_per_block' has no layers at an inner level: {layers[:12]}")
    space = 2 ** (levels - 1)
    return assemble(
        name,
        "AutoencoderDC",
        _encoder(fields),
        _decoder(fields, space),
        widest=fields.decoder_block_out_channels[-1],
        time=1,
        space=space,
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(512, 448),
        chunk=1,
    )


def _at(value: str | tuple[Any, ...], level: int) -> str:
    return value if isinstance(value, str) else value[level]


def _encoder(config: DCConfig) -> Half:
    half = Half("encoder")
    widths, layers = config.encoder_block_out_channels, config.encoder_layers_per_block
    if layers[0]:
        half.convolution("in/conv", config.in_channels, widths[0], TAPS_2D)
    else:
        _down(config, half, "in", config.in_channels, widths[1])
    last = len(widths) - 1
    for level, width in enumerate(widths):
        kind, scales = _at(config.encoder_block_types, level), config.encoder_qkv_multiscales[level]
        _blocks(config, half, f"down{level}", width, layers[level], kind, scales)
        if level < last and layers[level]:
            _down(config, half, f"down{level}", width, widths[level + 1])
            half.elementwise(f"down{level}/shortcut", widths[level + 1], 3)
    half.convolution("out/conv", widths[-1], config.latent_channels, TAPS_2D)
    return half


def _decoder(config: DCConfig, space: int) -> Half:
    half = Half("decoder", space=space)
    widths, layers = config.decoder_block_out_channels, config.decoder_layers_per_block
    half.convolution("in/conv", config.latent_channels, widths[-1], TAPS_2D)
    last = len(widths) - 1
    for level in range(last, -1, -1):
        if level < last and layers[level]:
            _up(config, half, f"up{level}", widths[level + 1], widths[level])
            half.elementwise(f"up{level}/shortcut", widths[level], 3)
        kind, scales = _at(config.decoder_block_types, level), config.decoder_qkv_multiscales[level]
        _blocks(config, half, f"up{level}", widths[level], layers[level], kind, scales)
    width = widths[0] if layers[0] else widths[1]
    half.norm("out/norm", width, kind="group")
    if layers[0]:
        half.convolution("out/conv", width, config.in_channels, TAPS_2D)
    else:
        _up(config, half, "out", width, config.in_channels)
    return half


def _down(config: DCConfig, half: Half, name: str, inputs: int, outputs: int) -> None:
    packed = config.downsample_block_type == "pixel_unshuffle"
    if not packed:
        half.move(space=2)
    half.convolution(f"{name}/resample", inputs, outputs // 4 if packed else outputs, TAPS_2D)
    if packed:
        half.move(space=2)


def _up(config: DCConfig, half: Half, name: str, inputs: int, outputs: int) -> None:
    packed = config.upsample_block_type == "pixel_shuffle"
    if not packed:
        half.move(finer=2)
    half.convolution(f"{name}/resample", inputs, outputs * 4 if packed else outputs, TAPS_2D)
    if packed:
        half.move(finer=2)


def _blocks(
    config: DCConfig, half: Half, name: str, width: int, layers: int, kind: str, scales: tuple[int, ...]
) -> None:
    if not layers:
        return
    if kind == "ResBlock":
        half.convolution(f"{name}/conv1", width, width, TAPS_2D, repeat=layers)
        half.elementwise(f"{name}/activation", width, 2, saves=1, repeat=layers)
        half.convolution(f"{name}/conv2", width, width, TAPS_2D, repeat=layers, bias=False)
        half.norm(f"{name}/norm", width, repeat=layers, kind="group", activated=False)
        half.elementwise(f"{name}/residual", width, 3, repeat=layers)
    else:
        _linear_attention(half, f"{name}/attention", width, config.attention_head_dim, layers, scales)
        _gated_convolution(half, f"{name}/mlp", width, layers)


def _linear_attention(half: Half, name: str, width: int, head_dim: int, layers: int, scales: tuple[int, ...]) -> None:
    """Queries, keys and values at several scales, each attending through a ``head_dim x (head_dim + 1)`` state."""
    heads = width // head_dim
    inner = heads * head_dim
    for projection in ("query", "key", "value"):
        half.linear(f"{name}/{projection}", width, inner, repeat=layers, bias=False)
    for side in scales:
        half.convolution(
            f"{name}/scale{side}", 3 * inner, 3 * inner, (side**2,), repeat=layers, bias=False, groups=3 * inner
        )  # fmt: skip
        half.convolution(
            f"{name}/scale{side}/mix", 3 * inner, 3 * inner, (1,), repeat=layers, bias=False, groups=3 * heads
        )  # fmt: skip
    kinds = 1 + len(scales)
    half.parts.append(
        LinearAttention(
            name=f"{half.place}/{name}/core",
            rows=half.rows,
            state_flops_per_token=4 * heads * kinds * head_dim * (head_dim + 1),
            width=inner * kinds,
            repeat=layers,
        )
    )
    half.linear(f"{name}/out", inner * kinds, width, repeat=layers, bias=False)
    half.norm(f"{name}/norm", width, repeat=layers, kind="group", activated=False)
    half.elementwise(f"{name}/residual", width, 3, repeat=layers)


def _gated_convolution(half: Half, name: str, width: int, layers: int) -> None:
    hidden = WIDENED * width
    half.convolution(f"{name}/up", width, 2 * hidden, (1,), repeat=layers)
    half.convolution(f"{name}/depth", 2 * hidden, 2 * hidden, TAPS_2D, repeat=layers, groups=2 * hidden)
    half.elementwise(f"{name}/gate", hidden, 3, saves=2, repeat=layers)
    half.convolution(f"{name}/down", hidden, width, (1,), repeat=layers, bias=False)
    half.norm(f"{name}/norm", width, repeat=layers, kind="group", activated=False)
    half.elementwise(f"{name}/residual", width, 3, repeat=layers)
