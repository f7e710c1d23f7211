"""HunyuanVideo and HunyuanVideo-1.5 autoencoders.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_hunyuan_video.py and autoencoder_kl_hunyuanvideo15.py.
HunyuanVideo cuts clips into overlapping pieces in time by default (`use_framewise_decoding`): 17 frames every 12, that
is 5 latents every 3. Attention of both is causal over frames through an explicit mask, which kernels compute in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any, ClassVar, Literal

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import Half, assemble
from costline.models.autoencoders.stages import Chunks
from costline.models.config import Config, Flag, Size


class HunyuanVideoConfig(Config):
    """Fields of AutoencoderKLHunyuanVideo that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"act_fn", "norm_num_groups", "scaling_factor"})
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 16
    down_block_types: tuple[Literal["HunyuanVideoDownBlock3D"], ...] = Field(default=("HunyuanVideoDownBlock3D",) * 4)
    up_block_types: tuple[Literal["HunyuanVideoUpBlock3D"], ...] = Field(default=("HunyuanVideoUpBlock3D",) * 4)
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=4)
    layers_per_block: Size = 2
    spatial_compression_ratio: Literal[8] = 8
    temporal_compression_ratio: Literal[4] = 4
    mid_block_add_attention: Flag = True


class HunyuanVideo15Config(Config):
    """Fields of AutoencoderKLHunyuanVideo15 that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"scaling_factor"})
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 32
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 1024, 1024), min_length=2)
    layers_per_block: Size = 2
    spatial_compression_ratio: Literal[8, 16, 32] = 16
    temporal_compression_ratio: Literal[2, 4, 8] = 4
    downsample_match_channel: Flag = True
    upsample_match_channel: Flag = True


def read_hunyuan_video(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLHunyuanVideo."""
    fields = HunyuanVideoConfig.read(config, name)
    widths = fields.block_out_channels
    if not len(widths) == len(fields.down_block_types) == len(fields.up_block_types):
        raise ConfigError(f"{name}: block_out_channels, down_block_types and up_block_types differ in length")
    return assemble(
        name,
        "AutoencoderKLHunyuanVideo",
        _encoder(fields),
        _decoder(fields),
        widest=widths[-1],
        time=fields.temporal_compression_ratio,
        space=fields.spatial_compression_ratio,
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(256, 192),
        chunk=17,
    )


def _factors(level: int, levels: int) -> tuple[int, int]:
    """Factor in time and in space after a level: 8x in space first, 4x in time last, none after the final level."""
    return (2 if levels - 3 <= level < levels - 1 else 1), (2 if level < 3 else 1)


def _encoder(config: HunyuanVideoConfig) -> Half:
    half = Half("encoder", chunks=Chunks(tile=17, stride=12, threshold=16))
    widths = config.block_out_channels
    half.convolution("in/conv", config.in_channels, widths[0], half.taps)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"down{level}", inputs, outputs, config.layers_per_block)
        time, space = _factors(level, len(widths))
        if time * space > 1:
            half.move(("shrink", time), space=space)
            half.convolution(f"down{level}/resample", outputs, outputs, half.taps)
    _middle(half, widths[-1], attention=config.mid_block_add_attention, linear=True)
    half.output(widths[-1], 2 * config.latent_channels)
    half.convolution("quant", 2 * config.latent_channels, 2 * config.latent_channels, (1,))
    return half


def _decoder(config: HunyuanVideoConfig) -> Half:
    half = Half("decoder", space=8, before=(("shrink", 4),), chunks=Chunks(tile=5, stride=3, threshold=4))
    widths = config.block_out_channels[::-1]
    half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    half.convolution("in/conv", config.latent_channels, widths[0], half.taps)
    _middle(half, widths[0], attention=config.mid_block_add_attention, linear=True)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"up{level}", inputs, outputs, config.layers_per_block + 1)
        time, space = _factors(level, len(widths))
        if time * space > 1:
            half.move(("grow", time), finer=space)
            half.convolution(f"up{level}/resample", outputs, outputs, half.taps)
    half.output(widths[-1], config.out_channels)
    return half


def _middle(half: Half, width: int, *, attention: bool, linear: bool) -> None:
    half.resnet("middle/resnet", width, repeat=2)
    if attention:
        half.attention("middle/attention", width, "all", linear=linear)


def read_hunyuan_video15(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLHunyuanVideo15."""
    fields = HunyuanVideo15Config.read(config, name)
    if len(fields.block_out_channels) <= log2(fields.spatial_compression_ratio):
        raise ConfigError(f"{name}: block_out_channels has too few levels for spatial_compression_ratio")
    return assemble(
        name,
        "AutoencoderKLHunyuanVideo15",
        _encoder15(fields),
        _decoder15(fields),
        widest=fields.block_out_channels[-1],
        time=fields.temporal_compression_ratio,
        space=fields.spatial_compression_ratio,
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(256, 192),
    )


def _encoder15(config: HunyuanVideo15Config) -> Half:
    half = Half("encoder", norm="rms")
    widths = config.block_out_channels
    half.convolution("in/conv", config.in_channels, widths[0], half.taps)
    inputs = widths[0]
    for level, width in enumerate(widths):
        half.resnets(f"down{level}", inputs, width, config.layers_per_block)
        inputs = width
        if level < log2(config.spatial_compression_ratio):
            doubled = level >= log2(config.spatial_compression_ratio // config.temporal_compression_ratio)
            inputs = widths[level + 1] if config.downsample_match_channel else width
            # convolved at full resolution, then neighbouring positions are packed into channels
            half.convolution(f"down{level}/resample", width, inputs // (8 if doubled else 4), half.taps)
            half.move(("shrink", 2 if doubled else 1), space=2)
            half.elementwise(f"down{level}/shortcut", inputs, 3)
    _middle(half, widths[-1], attention=True, linear=False)
    half.output(widths[-1], 2 * config.latent_channels)
    return half


def _decoder15(config: HunyuanVideo15Config) -> Half:
    half = Half(
        "decoder", space=config.spatial_compression_ratio, before=(("shrink", config.temporal_compression_ratio),),
        norm="rms",
    )  # fmt: skip
    widths = config.block_out_channels[::-1]
    half.convolution("in/conv", config.latent_channels, widths[0], half.taps)
    _middle(half, widths[0], attention=True, linear=False)
    inputs = widths[0]
    for level, width in enumerate(widths):
        half.resnets(f"up{level}", inputs, width, config.layers_per_block + 1)
        inputs = width
        if level < log2(config.spatial_compression_ratio):
            doubled = level < log2(config.temporal_compression_ratio)
            inputs = widths[level + 1] if config.upsample_match_channel else width
            half.convolution(f"up{level}/resample", width, inputs * (8 if doubled else 4), half.taps)
            half.move(("grow", 2 if doubled else 1), finer=2)
            half.elementwise(f"up{level}/shortcut", inputs, 3)
    half.output(widths[-1], config.out_channels)
    return half
