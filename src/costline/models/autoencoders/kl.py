"""Image autoencoders of Stable Diffusion, SD3, FLUX.1 and FLUX.2.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl.py, autoencoder_kl_flux2.py and vae.py. Frames of a video
are separate images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.config import Config, Flag, Size

Side: TypeAlias = Size | Annotated[tuple[Size, ...], Field(min_length=1)]
"""Edge of a picture, or height and width. [pixel]"""


class _Common(Config):
    """What both classes share."""

    in_channels: Size = 3
    out_channels: Size = 3
    layers_per_block: Size = 1
    latent_channels: Size = 4
    sample_size: Side = 32
    use_quant_conv: Flag = True
    use_post_quant_conv: Flag = True
    mid_block_add_attention: Flag = True
    force_upcast: Flag = True
    down_block_types: tuple[Literal["DownEncoderBlock2D"], ...] = ("DownEncoderBlock2D",)
    up_block_types: tuple[Literal["UpDecoderBlock2D"], ...] = ("UpDecoderBlock2D",)
    block_out_channels: tuple[Size, ...] = Field(default=(64,), min_length=1)


class KLConfig(_Common):
    """Fields of AutoencoderKL that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "act_fn", "norm_num_groups", "scaling_factor", "shift_factor", "latents_mean", "latents_std",
    })  # fmt: skip


class Flux2Config(_Common):
    """Fields of AutoencoderKLFlux2 that change the count; its batch norm of the latent has no parameters."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "act_fn", "norm_num_groups", "batch_norm_eps", "batch_norm_momentum", "patch_size",
    })  # fmt: skip
    layers_per_block: Size = 2
    latent_channels: Size = 32
    sample_size: Side = 1024
    down_block_types: tuple[Literal["DownEncoderBlock2D"], ...] = Field(default=("DownEncoderBlock2D",) * 4)
    up_block_types: tuple[Literal["UpDecoderBlock2D"], ...] = Field(default=("UpDecoderBlock2D",) * 4)
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=1)
    decoder_block_out_channels: tuple[Size, ...] | None = None


def read_kl(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKL."""
    fields = KLConfig.read(config, name)
    return _build(fields, fields.block_out_channels, name, "AutoencoderKL")


def read_flux2(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLFlux2."""
    fields = Flux2Config.read(config, name)
    return _build(fields, fields.decoder_block_out_channels or fields.block_out_channels, name, "AutoencoderKLFlux2")


def _build(config: _Common, decoder_widths: tuple[int, ...], name: str, architecture: str) -> Autoencoder:
    levels = len(config.block_out_channels)
    if not levels == len(decoder_widths) == len(config.down_block_types) == len(config.up_block_types):
        raise ConfigError(f"{name}: block_out_channels, down_block_types and up_block_types differ in length")
    space = 2 ** (levels - 1)
    side = config.sample_size if isinstance(config.sample_size, int) else config.sample_size[0]
    return assemble(
        name,
        architecture,
        _encoder(config),
        _decoder(config, decoder_widths[::-1], space),
        widest=decoder_widths[-1],
        time=1,
        space=space,
        latent_channels=config.latent_channels,
        tiling=Tiling.square(side, max(side * 3 // 4, 1)),
        chunk=1,
        upcast=config.force_upcast,
    )


def _encoder(config: _Common) -> Half:
    half = Half("encoder", taps=TAPS_2D)
    widths, latent = config.block_out_channels, 2 * config.latent_channels
    half.convolution("in/conv", config.in_channels, widths[0], TAPS_2D)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"down{level}", inputs, outputs, config.layers_per_block)
        if level < len(widths) - 1:
            half.move(space=2)
            half.convolution(f"down{level}/resample", outputs, outputs, TAPS_2D)
    _middle(half, widths[-1], attention=config.mid_block_add_attention)
    half.output(widths[-1], latent)
    if config.use_quant_conv:
        half.convolution("quant", latent, latent, (1,))
    return half


def _decoder(config: _Common, widths: tuple[int, ...], space: int) -> Half:
    half = Half("decoder", space=space, taps=TAPS_2D)
    if config.use_post_quant_conv:
        half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    half.convolution("in/conv", config.latent_channels, widths[0], TAPS_2D)
    _middle(half, widths[0], attention=config.mid_block_add_attention)
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        half.resnets(f"up{level}", inputs, outputs, config.layers_per_block + 1)
        if level < len(widths) - 1:
            half.move(finer=2)
            half.convolution(f"up{level}/resample", outputs, outputs, TAPS_2D)
    half.output(widths[-1], config.out_channels)
    return half


def _middle(half: Half, width: int, *, attention: bool) -> None:
    half.resnet("middle/resnet", width, repeat=2)
    if attention:
        half.attention("middle/attention", width, "area", linear=True)
