"""EasyAnimate autoencoder.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_magvit.py. The first frame goes alone, then four frames
(one latent) at a time with cached features; there is no attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import Half, assemble
from costline.models.config import Config, Size

Down: TypeAlias = Literal["SpatialDownBlock3D", "SpatialTemporalDownBlock3D"]
Up: TypeAlias = Literal["SpatialUpBlock3D", "SpatialTemporalUpBlock3D"]


class MagvitConfig(Config):
    """Fields of AutoencoderKLMagvit that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"act_fn", "norm_num_groups", "scaling_factor", "spatial_group_norm"})
    in_channels: Size = 3
    latent_channels: Size = 16
    out_channels: Size = 3
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=2)
    down_block_types: tuple[Down, ...] = Field(default=("SpatialDownBlock3D",) + ("SpatialTemporalDownBlock3D",) * 3)
    up_block_types: tuple[Up, ...] = Field(default=("SpatialUpBlock3D",) + ("SpatialTemporalUpBlock3D",) * 3)
    layers_per_block: Size = 2


def read_magvit(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLMagvit."""
    fields = MagvitConfig.read(config, name)
    widths = fields.block_out_channels
    if not len(widths) == len(fields.down_block_types) == len(fields.up_block_types):
        raise ConfigError(f"{name}: block_out_channels, down_block_types and up_block_types differ in length")
    in_time = 2 ** sum(kind.startswith("SpatialTemporal") for kind in fields.down_block_types[:-1])
    return assemble(
        name,
        "AutoencoderKLMagvit",
        _encoder(fields),
        _decoder(fields, in_time),
        widest=widths[-1],
        time=in_time,
        space=2 ** (len(widths) - 1),
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(512, 448),
        chunk=4,
    )


def _encoder(config: MagvitConfig) -> Half:
    half = Half("encoder")
    widths, latent = config.block_out_channels, 2 * config.latent_channels
    half.convolution("in/conv", config.in_channels, widths[0], half.taps)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"down{level}", inputs, outputs, config.layers_per_block)
        if level < len(widths) - 1:
            doubled = config.down_block_types[level].startswith("SpatialTemporal")
            half.move(("shrink", 2 if doubled else 1), space=2)
            half.convolution(f"down{level}/resample", outputs, outputs, half.taps)
    half.resnet("middle/resnet", widths[-1], repeat=config.layers_per_block)
    half.output(widths[-1], latent)
    half.convolution("quant", latent, latent, (1,))
    return half


def _decoder(config: MagvitConfig, in_time: int) -> Half:
    widths = config.block_out_channels[::-1]
    half = Half("decoder", space=2 ** (len(widths) - 1), before=(("shrink", in_time),))
    half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    half.convolution("in/conv", config.latent_channels, widths[0], half.taps)
    half.resnet("middle/resnet", widths[0], repeat=config.layers_per_block)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"up{level}", inputs, outputs, config.layers_per_block + 1)
        if level < len(widths) - 1:
            half.move(finer=2)
            half.convolution(f"up{level}/resample", outputs, outputs, half.taps)  # frames are repeated afterwards
            half.move(("grow", 2 if config.up_block_types[level].startswith("SpatialTemporal") else 1))
    half.output(widths[-1], config.out_channels)
    return half
