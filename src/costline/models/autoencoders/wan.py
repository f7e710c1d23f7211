"""Wan autoencoders (2.1 and 2.2) and the one Qwen-Image derives from them.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_wan.py and autoencoder_kl_qwenimage.py. Four frames (one
latent) are worked on at a time with cached features, the first frame alone; the sums are those of one pass over the
whole clip, except that temporal resampling skips the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.config import Config, Flag, Size

NEUTRAL = frozenset({"latents_mean", "latents_std", "scale_factor_temporal", "scale_factor_spatial"})


class _Common(Config):
    """What both classes share."""

    neutral: ClassVar[frozenset[str]] = NEUTRAL
    base_dim: Size = 96
    z_dim: Size = 16
    dim_mult: tuple[Size, ...] = Field(default=(1, 2, 4, 4), min_length=2)
    num_res_blocks: Size = 2
    attn_scales: tuple[float, ...] = Field(default=(), max_length=0)
    temperal_downsample: tuple[Flag, ...] = (False, True, True)


class WanConfig(_Common):
    """Fields of AutoencoderKLWan that change the count."""

    decoder_base_dim: Size | None = None
    in_channels: Size = 3
    out_channels: Size = 3
    is_residual: Flag = False
    patch_size: Size | None = None


class QwenImageConfig(_Common):
    """Fields of AutoencoderKLQwenImage that change the count."""

    temperal_downsample: tuple[Flag, ...] = (False, True, True)
    input_channels: Size = 3


def read_wan(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLWan."""
    return _build(WanConfig.read(config, name), name, "AutoencoderKLWan")


def read_qwen_image(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLQwenImage: the Wan 2.1 autoencoder, run on images."""
    fields = QwenImageConfig.read(config, name)
    same = fields.model_dump(exclude={"input_channels"})
    wan = WanConfig(in_channels=fields.input_channels, out_channels=fields.input_channels, **same)
    return _build(wan, name, "AutoencoderKLQwenImage")


def _build(config: WanConfig, name: str, architecture: str) -> Autoencoder:
    patch = config.patch_size or 1
    halvings = len(config.dim_mult) - 1
    if len(config.temperal_downsample) != halvings:
        stated = len(config.temperal_downsample)
        raise ConfigError(
            f"{name}: field 'temperal_downsample' has {stated} entries; 'dim_mult' makes {halvings} steps"
        )
    return assemble(
        name,
        architecture,
        _encoder(config, patch),
        _decoder(config, patch * 2**halvings),
        widest=(config.decoder_base_dim or config.base_dim) * config.dim_mult[-1],
        time=2 ** sum(config.temperal_downsample),
        space=patch * 2**halvings,
        latent_channels=config.z_dim,
        tiling=Tiling.square(256, 192),
        chunk=4,
    )


def _encoder(config: WanConfig, patch: int) -> Half:
    # whole groups of four frames after the first are encoded, whatever the temporal factor
    half = Half("encoder", space=patch, before=(("shrink", 4), ("grow", 4)), norm="rms")
    widths = [config.base_dim * factor for factor in (1, *config.dim_mult)]
    half.convolution("in/conv", config.in_channels, widths[0], half.taps)
    last = len(config.dim_mult) - 1
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        half.resnets(f"down{level}", inputs, outputs, config.num_res_blocks)
        if level == last:
            break
        half.move(space=2)
        half.convolution(f"down{level}/resample", outputs, outputs, TAPS_2D)
        if config.temperal_downsample[level]:
            half.move(("shrink", 2), ("plus", -1))
            half.convolution(f"down{level}/time", outputs, outputs, (3,))
            half.move(("plus", 1))
        if config.is_residual:
            half.elementwise(f"down{level}/average", outputs, 3)
    _middle(half, widths[-1])
    half.output(widths[-1], 2 * config.z_dim)
    half.convolution("quant", 2 * config.z_dim, 2 * config.z_dim, (1,))
    return half


def _decoder(config: WanConfig, space: int) -> Half:
    half = Half("decoder", space=space, before=(("shrink", 4),), norm="rms")
    base = config.decoder_base_dim or config.base_dim
    widths = [base * factor for factor in (config.dim_mult[-1], *reversed(config.dim_mult))]
    half.convolution("quant", config.z_dim, config.z_dim, (1,))
    half.convolution("in/conv", config.z_dim, widths[0], half.taps)
    _middle(half, widths[0])
    last = len(config.dim_mult) - 1
    doubled = list(reversed(config.temperal_downsample))
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        narrowed = inputs // 2 if level and not config.is_residual else inputs
        half.resnets(f"up{level}", narrowed, outputs, config.num_res_blocks + 1)
        if level == last:
            break
        if doubled[level]:
            half.move(("plus", -1))
            half.convolution(f"up{level}/time", outputs, 2 * outputs, (3,))
            half.move(("times", 2), ("plus", 1))
        half.move(finer=2)
        half.convolution(f"up{level}/resample", outputs, outputs if config.is_residual else outputs // 2, TAPS_2D)
        if config.is_residual:
            half.elementwise(f"up{level}/duplicate", outputs, 3)
    half.output(widths[-1], config.out_channels)
    return half


def _middle(half: Half, width: int) -> None:
    half.resnet("middle/resnet", width, repeat=2)
    half.norm("middle/attention/norm", width, activated=False)
    half.convolution("middle/attention/qkv", width, 3 * width, (1,))
    half.core("middle/attention", width, "area")
    half.projection("middle/attention/out", width, linear=False)
    half.elementwise("middle/attention/residual", width, 3)
