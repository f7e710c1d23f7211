"""Tiny autoencoder for previews (TAESD).

Source: diffusers 0.42.1, models/autoencoders/autoencoder_tiny.py; vae.py EncoderTiny and DecoderTiny.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.config import Config, Size


class TinyConfig(Config):
    """Fields of AutoencoderTiny that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "act_fn", "upsample_fn", "latent_magnitude", "latent_shift", "force_upcast", "scaling_factor", "shift_factor",
        "block_out_channels",
    })  # fmt: skip
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 4
    upsampling_scaling_factor: Size = 2
    encoder_block_out_channels: tuple[Size, ...] = Field(default=(64, 64, 64, 64), min_length=1)
    decoder_block_out_channels: tuple[Size, ...] = Field(default=(64, 64, 64, 64), min_length=1)
    num_encoder_blocks: tuple[Size, ...] = (1, 3, 3, 3)
    num_decoder_blocks: tuple[Size, ...] = (3, 3, 3, 1)


def read_tiny(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderTiny."""
    fields = TinyConfig.read(config, name)
    for half in ("encoder", "decoder"):
        if len(getattr(fields, f"{half}_block_out_channels")) != len(getattr(fields, f"num_{half}_blocks")):
            raise ConfigError(f"{name}: {half}_block_out_channels and num_{half}_blocks differ in length")
    widths = fields.encoder_block_out_channels + fields.decoder_block_out_channels
    if len(set(fields.encoder_block_out_channels)) > 1 or len(set(fields.decoder_block_out_channels)) > 1:
        raise ConfigError(f"{name}: levels of different widths {widths[:8]} do not fit together in this class")
    space = 2 ** (len(fields.num_encoder_blocks) - 1)
    return assemble(
        name,
        "AutoencoderTiny",
        _encoder(fields),
        _decoder(fields, space),
        widest=max(widths),
        time=1,
        space=space,
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(512, 448),
        chunk=1,
    )


def _encoder(config: TinyConfig) -> Half:
    half = Half("encoder")
    width = config.encoder_block_out_channels[0]
    half.convolution("in/conv", config.in_channels, width, TAPS_2D)
    for level, layers in enumerate(config.num_encoder_blocks):
        if level:
            half.move(space=2)
            half.convolution(f"down{level}/resample", width, width, TAPS_2D, bias=False)
        _blocks(half, f"down{level}", width, layers)
    half.convolution("out/conv", width, config.latent_channels, TAPS_2D)
    return half


def _decoder(config: TinyConfig, space: int) -> Half:
    half = Half("decoder", space=space)
    width, last = config.decoder_block_out_channels[0], len(config.num_decoder_blocks) - 1
    half.convolution("in/conv", config.latent_channels, width, TAPS_2D)
    for level, layers in enumerate(config.num_decoder_blocks):
        _blocks(half, f"up{level}", width, layers)
        if level < last:
            half.move(finer=config.upsampling_scaling_factor)
            half.convolution(f"up{level}/resample", width, width, TAPS_2D, bias=False)
    half.convolution("out/conv", width, config.out_channels, TAPS_2D)
    return half


def _blocks(half: Half, name: str, width: int, layers: int) -> None:
    half.convolution(f"{name}/block", width, width, TAPS_2D * 3, repeat=layers)
    half.elementwise(f"{name}/block/activation", width, 2, saves=1, repeat=3 * layers)
    half.elementwise(f"{name}/block/residual", width, 3, repeat=layers)
