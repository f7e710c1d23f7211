"""Cosmos tokenizer (continuous).

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_cosmos.py. A Haar wavelet transform makes patches; its
fixed filters are counted as memory traffic, their FLOPs being 0.03 % of the autoencoder's. Convolutions are split into
a spatial and a temporal one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import log2
from typing import Any, ClassVar, Literal

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_SPLIT, Half, assemble
from costline.models.config import Config, Size


class CosmosConfig(Config):
    """Fields of AutoencoderKLCosmos that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"patch_type", "scaling_factor", "latents_mean", "latents_std"})
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 16
    encoder_block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=2)
    decode_block_out_channels: tuple[Size, ...] = Field(default=(256, 512, 512, 512), min_length=2)
    attention_resolutions: tuple[Size, ...] = (32,)
    resolution: Size = 1024
    num_layers: Size = 2
    patch_size: Literal[1, 2, 4, 8] = 4
    spatial_compression_ratio: Literal[4, 8, 16, 32] = 8
    temporal_compression_ratio: Literal[4, 8, 16, 32] = 8


def read_cosmos(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLCosmos."""
    fields = CosmosConfig.read(config, name)
    if fields.patch_size > min(fields.spatial_compression_ratio, fields.temporal_compression_ratio):
        raise ConfigError(f"{name}: patch_size exceeds the compression ratios")
    return assemble(
        name,
        "AutoencoderKLCosmos",
        _encoder(fields),
        _decoder(fields),
        widest=fields.decode_block_out_channels[-1],
        time=fields.temporal_compression_ratio,
        space=fields.spatial_compression_ratio,
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(512, 448),
    )


def _halvings(config: CosmosConfig) -> tuple[int, int]:
    """Levels that halve time, and space."""
    patch = log2(config.patch_size)
    return (
        int(log2(config.temporal_compression_ratio) - patch),
        int(log2(config.spatial_compression_ratio) - patch),
    )


def _encoder(config: CosmosConfig) -> Half:
    half = Half("encoder", taps=TAPS_SPLIT)
    patch, widths = config.patch_size, config.encoder_block_out_channels
    half.elementwise("in/patch", config.in_channels, 2 * log2(patch) if patch > 1 else 0)
    half.move(("shrink", patch), space=patch)
    half.convolution("in/conv", config.in_channels * patch**3, widths[0], half.taps)
    in_time, in_space = _halvings(config)
    resolution = config.resolution // patch
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        attended = resolution in config.attention_resolutions
        _blocks(half, f"down{level}", inputs, outputs, config.num_layers, attended=attended)
        if level < len(widths) - 2:
            _down(half, f"down{level}", outputs, time=level < in_time, space=level < in_space)
            resolution //= 2
    _middle(half, widths[-1])
    half.output(widths[-1], config.latent_channels)
    half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    return half


def _decoder(config: CosmosConfig) -> Half:
    half = Half(
        "decoder", space=config.spatial_compression_ratio, before=(("shrink", config.temporal_compression_ratio),),
        taps=TAPS_SPLIT,
    )  # fmt: skip
    patch, widths = config.patch_size, config.decode_block_out_channels[::-1]
    half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    half.convolution("in/conv", config.latent_channels, widths[0], half.taps)
    _middle(half, widths[0])
    in_time, in_space = _halvings(config)
    resolution = config.resolution // patch // 2 ** (len(widths) - 2)
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        attended = resolution in config.attention_resolutions
        _blocks(half, f"up{level}", inputs, outputs, config.num_layers + 1, attended=attended)
        if level < len(widths) - 2:
            time = 0 < level <= in_time
            _up(half, f"up{level}", outputs, time=time, space=time or (level < in_space and in_space > in_time))
            resolution *= 2
    half.output(widths[-1], config.out_channels * patch**3)
    half.elementwise("out/patch", config.out_channels * patch**3, 2 * log2(patch) if patch > 1 else 0)
    return half


def _down(half: Half, name: str, width: int, *, time: bool, space: bool) -> None:
    if space:
        half.move(space=2)
        half.convolution(f"{name}/space", width, width, (9,))
        half.elementwise(f"{name}/space/pool", width, 3)
    if time:
        half.move(("shrink", 2))
        half.convolution(f"{name}/time", width, width, (3,))
        half.elementwise(f"{name}/time/pool", width, 3)
    if time or space:
        half.convolution(f"{name}/mix", width, width, (1,))


def _up(half: Half, name: str, width: int, *, time: bool, space: bool) -> None:
    if time:
        half.move(("grow", 2))
        half.convolution(f"{name}/time", width, width, (3,))
        half.elementwise(f"{name}/time/repeat", width, 3)
    if space:
        half.move(finer=2)
        half.convolution(f"{name}/space", width, width, (9,))
        half.elementwise(f"{name}/space/repeat", width, 3)
    if time or space:
        half.convolution(f"{name}/mix", width, width, (1,))


def _middle(half: Half, width: int) -> None:
    half.resnet("middle/resnet", width, repeat=2)
    _attention(half, "middle", width)


def _blocks(half: Half, name: str, inputs: int, outputs: int, layers: int, *, attended: bool) -> None:
    half.resnets(name, inputs, outputs, layers)
    for layer in range(layers if attended else 0):
        _attention(half, f"{name}/{layer}", outputs)


def _attention(half: Half, name: str, width: int) -> None:
    """Attention within each frame, then causally over the frames of each position (through an explicit mask)."""
    half.attention(f"{name}/spatial", width, "area")
    half.attention(f"{name}/temporal", width, "time", mask="causal")
