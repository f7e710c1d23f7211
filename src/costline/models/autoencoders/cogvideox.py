"""CogVideoX autoencoder.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_cogvideox.py, CogVideoXDownsample3D and
CogVideoXUpsample3D. Two latents (eight frames) are decoded at a time, three in the first batch if their number is odd;
the decoder's norms are conditioned on the latent by 1x1 convolutions at every resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any, ClassVar, Literal

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.autoencoders.stages import Step
from costline.models.config import Config, Size


class CogVideoXConfig(Config):
    """Fields of AutoencoderKLCogVideoX that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "act_fn", "norm_eps", "norm_num_groups", "scaling_factor", "shift_factor", "latents_mean", "latents_std",
        "force_upcast", "invert_scale_latents",
    })  # fmt: skip
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 16
    down_block_types: tuple[Literal["CogVideoXDownBlock3D"], ...] = Field(default=("CogVideoXDownBlock3D",) * 4)
    up_block_types: tuple[Literal["CogVideoXUpBlock3D"], ...] = Field(default=("CogVideoXUpBlock3D",) * 4)
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 256, 512), min_length=2)
    layers_per_block: Size = 3
    temporal_compression_ratio: Literal[1, 2, 4, 8] = 4
    sample_height: Size = 480
    sample_width: Size = 720
    use_quant_conv: Literal[False] = False
    use_post_quant_conv: Literal[False] = False


def read_cogvideox(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLCogVideoX."""
    fields = CogVideoXConfig.read(config, name)
    widths = fields.block_out_channels
    if not len(widths) == len(fields.down_block_types) == len(fields.up_block_types):
        raise ConfigError(f"{name}: block_out_channels, down_block_types and up_block_types differ in length")
    space = 2 ** (len(widths) - 1)
    rows, columns = fields.sample_height // 2, fields.sample_width // 2
    return assemble(
        name,
        "AutoencoderKLCogVideoX",
        _encoder(fields),
        _decoder(fields, space),
        widest=widths[-1],
        time=fields.temporal_compression_ratio,
        space=space,
        latent_channels=fields.latent_channels,
        # tiles overlap by a sixth of their height and a fifth of their width, in whole latents
        tiling=Tiling(
            height=rows,
            width=columns,
            stride_height=rows // space * 5 // 6 * space,
            stride_width=columns // space * 4 // 5 * space,
        ),
        chunk=8,
    )


def _encoder(config: CogVideoXConfig) -> Half:
    half = Half("encoder")
    widths = config.block_out_channels
    half.convolution("in/conv", config.in_channels, widths[0], half.taps)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"down{level}", inputs, outputs, config.layers_per_block)
        if level < len(widths) - 1:
            half.move(("shrink", _factor(config, level)), space=2)
            half.convolution(f"down{level}/resample", outputs, outputs, TAPS_2D)
    half.resnet("middle/resnet", widths[-1], repeat=2)
    half.output(widths[-1], 2 * config.latent_channels)
    return half


def _decoder(config: CogVideoXConfig, space: int) -> Half:
    before: tuple[Step, ...] = (("shrink", config.temporal_compression_ratio),)
    half = Half("decoder", space=space, before=before)
    widths = config.block_out_channels[::-1]
    latent = config.latent_channels
    half.convolution("in/conv", latent, widths[0], half.taps)
    _conditioned(half, "middle", widths[0], widths[0], 2, latent)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        _conditioned(half, f"up{level}", inputs, outputs, config.layers_per_block + 1, latent)
        if level < len(widths) - 1:
            half.move(("pair", _factor(config, level)), finer=2)
            half.convolution(f"up{level}/resample", outputs, outputs, TAPS_2D)
    _condition(half, "out/norm", latent, widths[-1], 1)
    half.output(widths[-1], config.out_channels)
    return half


def _factor(config: CogVideoXConfig, level: int) -> int:
    return 2 if level < log2(config.temporal_compression_ratio) else 1


def _conditioned(half: Half, name: str, inputs: int, outputs: int, layers: int, latent: int) -> None:
    """Residual blocks whose two norms are scaled and shifted by the latent."""
    half.resnets(name, inputs, outputs, layers)
    _condition(half, f"{name}/norm1", latent, inputs, 1)
    _condition(half, f"{name}/norm2", latent, outputs, 2 * layers - 1)


def _condition(half: Half, name: str, latent: int, width: int, repeat: int) -> None:
    half.convolution(f"{name}/scale", latent, width, (1,), repeat=repeat)
    half.convolution(f"{name}/shift", latent, width, (1,), repeat=repeat)
    half.elementwise(f"{name}/modulate", width, 4, repeat=repeat)
