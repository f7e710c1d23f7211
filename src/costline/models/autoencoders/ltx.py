"""LTX-Video autoencoders (0.9.0 to 0.9.7) and that of LTX-2.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_ltx.py and autoencoder_kl_ltx2.py. Pictures are cut into
patches of pixels first; strided convolutions (0.9.0) or convolutions followed by packing positions into channels (from
0.9.5 on) do the rest. From 0.9.1 on the decoder is conditioned on a timestep.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import Half, assemble
from costline.models.config import Config, Flag, Size
from costline.models.parts import Linear

Resample: TypeAlias = Literal["conv", "spatial", "temporal", "spatiotemporal"]
DownBlock: TypeAlias = Literal["LTXVideoDownBlock3D", "LTXVideo095DownBlock3D", "LTX2VideoDownBlock3D"]
FACTORS: dict[str, tuple[int, int]] = {
    "conv": (2, 2), "spatial": (1, 2), "temporal": (2, 1), "spatiotemporal": (2, 2),
}  # fmt: skip
"""Factor in time and in space."""

TIMESTEP_FEATURES = 256
"""Sinusoidal features of the timestep (diffusers PixArtAlphaCombinedTimestepSizeEmbeddings)."""


class LTXConfig(Config):
    """Fields of AutoencoderKLLTXVideo that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "resnet_norm_eps", "scaling_factor", "encoder_causal", "decoder_causal", "encoder_spatial_padding_mode",
        "decoder_spatial_padding_mode", "spatial_compression_ratio", "temporal_compression_ratio",
    })  # fmt: skip
    in_channels: Size = 3
    out_channels: Size = 3
    latent_channels: Size = 128
    block_out_channels: tuple[Size, ...] = (128, 256, 512, 512)
    down_block_types: tuple[DownBlock, ...] = ("LTXVideoDownBlock3D",) * 4
    decoder_block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=1)
    layers_per_block: tuple[Size, ...] = (4, 3, 3, 3, 4)
    decoder_layers_per_block: tuple[Size, ...] = (4, 3, 3, 3, 4)
    spatio_temporal_scaling: tuple[Flag, ...] | Flag = (True, True, True, False)
    decoder_spatio_temporal_scaling: tuple[Flag, ...] | Flag = (True, True, True, False)
    decoder_inject_noise: tuple[Flag, ...] | Flag = (False, False, False, False, False)
    downsample_type: tuple[Resample, ...] = ("conv", "conv", "conv", "conv")
    upsample_type: tuple[Literal["spatial", "temporal", "spatiotemporal"], ...] = ("spatiotemporal",) * 4
    upsample_residual: tuple[Flag, ...] | Flag = (False, False, False, False)
    upsample_factor: tuple[Size, ...] = (1, 1, 1, 1)
    timestep_conditioning: Flag = False
    patch_size: Size = 4
    patch_size_t: Literal[1] = 1


class LTX2Config(LTXConfig):
    """Fields of AutoencoderKLLTX2Video that change the count."""

    block_out_channels: tuple[Size, ...] = (256, 512, 1024, 2048)
    down_block_types: tuple[DownBlock, ...] = ("LTX2VideoDownBlock3D",) * 4
    decoder_block_out_channels: tuple[Size, ...] = Field(default=(256, 512, 1024), min_length=1)
    layers_per_block: tuple[Size, ...] = (4, 6, 6, 2, 2)
    decoder_layers_per_block: tuple[Size, ...] = (5, 5, 5, 5)
    spatio_temporal_scaling: tuple[Flag, ...] | Flag = (True, True, True, True)
    decoder_spatio_temporal_scaling: tuple[Flag, ...] | Flag = (True, True, True)
    decoder_inject_noise: tuple[Flag, ...] | Flag = (False, False, False, False)
    downsample_type: tuple[Resample, ...] = ("spatial", "temporal", "spatiotemporal", "spatiotemporal")
    upsample_type: tuple[Literal["spatial", "temporal", "spatiotemporal"], ...] = ("spatiotemporal",) * 3
    upsample_residual: tuple[Flag, ...] | Flag = (True, True, True)
    upsample_factor: tuple[Size, ...] = (2, 2, 2)


def read_ltx(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLLTXVideo."""
    fields = LTXConfig.read(config, name)
    packed = "LTXVideo095DownBlock3D" in fields.down_block_types
    _one_generation(fields, ("LTXVideo095DownBlock3D" if packed else "LTXVideoDownBlock3D"), name)
    widths = fields.block_out_channels
    # the first generation states the width entering each level, from 0.9.5 on one more width follows the last level
    levels = list(pairwise(widths)) if packed else list(zip(widths, (*widths[1:], widths[-1]), strict=True))
    return _build(fields, "AutoencoderKLLTXVideo", levels, name, packed=packed)


def read_ltx2(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLLTX2Video."""
    fields = LTX2Config.read(config, name)
    _one_generation(fields, "LTX2VideoDownBlock3D", name)
    widths = [fields.latent_channels, *fields.block_out_channels]
    levels = list(pairwise(widths))
    return _build(fields, "AutoencoderKLLTX2Video", levels, name, packed=True)


def _one_generation(config: LTXConfig, block: str, name: str) -> None:
    if set(config.down_block_types) != {block}:
        raise ConfigError(f"{name}: down_block_types mixes generations: {config.down_block_types[:6]}")


def _flags(value: tuple[bool, ...] | bool, length: int) -> tuple[bool, ...]:
    return (value,) * length if isinstance(value, bool) else value


def _build(
    config: LTXConfig, architecture: str, levels: list[tuple[int, int]], name: str, *, packed: bool
) -> Autoencoder:
    scaled = _flags(config.spatio_temporal_scaling, len(levels))
    _check(config, levels, scaled, name)
    strided: Resample = "conv"
    kinds = config.downsample_type if packed else tuple(strided for _ in levels)
    factors = [FACTORS[kind] if used else (1, 1) for kind, used in zip(kinds, scaled, strict=False)]
    time, space = 1, config.patch_size
    for in_time, in_space in factors:
        time, space = time * in_time, space * in_space
    return assemble(
        name,
        architecture,
        _encoder(config, levels, scaled, kinds),
        _decoder(config, time, space),
        widest=max(levels[-1]),
        time=time,
        space=space,
        latent_channels=config.latent_channels,
        tiling=Tiling.square(512, 448),
    )


def _check(config: LTXConfig, levels: list[tuple[int, int]], scaled: tuple[bool, ...], name: str) -> None:
    """Lists of one entry per level must agree; longer ones are used as far as needed, as the class does."""
    up = len(config.decoder_block_out_channels)
    needed = {
        "layers_per_block": (len(config.layers_per_block), len(levels) + 1),
        "spatio_temporal_scaling": (len(scaled), len(levels)),
        "downsample_type": (len(config.downsample_type), len(levels)),
        "down_block_types": (len(config.down_block_types), len(levels)),
        "decoder_layers_per_block": (len(config.decoder_layers_per_block), up + 1),
        "decoder_spatio_temporal_scaling": (len(_flags(config.decoder_spatio_temporal_scaling, up)), up),
        "decoder_inject_noise": (len(_flags(config.decoder_inject_noise, up + 1)), up + 1),
        "upsample_factor": (len(config.upsample_factor), up),
        "upsample_type": (len(config.upsample_type), up),
    }
    short = [
        f"{field!r} has {length} entries of {least}" for field, (length, least) in needed.items() if length < least
    ]
    if short or not levels:
        raise ConfigError(f"{name}: {'; '.join(short) or 'no levels'}")


def _encoder(
    config: LTXConfig, levels: list[tuple[int, int]], scaled: tuple[bool, ...], kinds: tuple[Resample, ...]
) -> Half:
    half = Half("encoder", space=config.patch_size, norm="none")
    half.convolution("in/conv", config.in_channels * config.patch_size**2, levels[0][0], half.taps)
    for level, (inputs, outputs) in enumerate(levels):
        half.resnet(f"down{level}/resnet", inputs, repeat=config.layers_per_block[level])
        kind = kinds[level]
        time, space = FACTORS[kind]
        if scaled[level] and kind == "conv":
            half.move(("shrink", time), space=space)
            half.convolution(f"down{level}/resample", inputs, inputs, half.taps)
            if inputs != outputs:
                _resnet(half, f"down{level}/out", inputs, outputs)
        elif scaled[level]:
            # the first frame is doubled, all are convolved, then neighbours are packed into channels
            half.move(("plus", time - 1))
            half.convolution(f"down{level}/resample", inputs, outputs // (time * space**2), half.taps)
            half.move(("plus", 1 - time), ("shrink", time), space=space)
            half.elementwise(f"down{level}/shortcut", outputs, 3)
        elif inputs != outputs:
            _resnet(half, f"down{level}/out", inputs, outputs)
    width = levels[-1][1]
    half.resnet("middle/resnet", width, repeat=config.layers_per_block[-1])
    half.output(width, config.latent_channels + 1)
    return half


def _resnet(half: Half, name: str, inputs: int, outputs: int, *, repeat: int = 1) -> None:
    """A residual block; where the width changes, its shortcut has a LayerNorm of its own."""
    half.resnet(name, inputs, outputs, repeat=repeat)
    if inputs != outputs:
        half.norm(f"{name}/norm3", inputs, repeat=repeat, kind="group", activated=False)


def _decoder(config: LTXConfig, time: int, space: int) -> Half:
    half = Half("decoder", space=space, before=(("shrink", time),), norm="none")
    # every list is written in the encoder's order and read backwards
    up = len(config.decoder_block_out_channels)
    widths = config.decoder_block_out_channels[::-1]
    layers = config.decoder_layers_per_block[::-1]
    scaled = _flags(config.decoder_spatio_temporal_scaling, up)[::-1]
    noisy = _flags(config.decoder_inject_noise, up + 1)[::-1]
    divisors = config.upsample_factor[::-1]
    width = widths[0]
    half.convolution("in/conv", config.latent_channels, width, half.taps)
    _layers(config, half, "middle", width, layers[0], noisy=noisy[0])
    _embedder(config, half, "middle", width * 4)
    for level in range(up):
        inputs, outputs = width // divisors[level], widths[level] // divisors[level]
        _embedder(config, half, f"up{level}", inputs * 4)
        if inputs != outputs:
            _resnet(half, f"up{level}/in", inputs, outputs)
            _extras(config, half, f"up{level}/in", inputs, 1, noisy=noisy[level + 1])
        if scaled[level]:
            in_time, in_space = FACTORS[config.upsample_type[level]]
            half.convolution(
                f"up{level}/resample", outputs * divisors[level], outputs * in_time * in_space**2, half.taps
            )  # fmt: skip
            half.move(("grow", in_time), finer=in_space)
        _layers(config, half, f"up{level}", outputs, layers[level + 1], noisy=noisy[level + 1])
        width = outputs
    half.output(width, config.out_channels * config.patch_size**2)
    if config.timestep_conditioning:
        _embedder(config, half, "out", width * 2)
        half.weights("out/table", 2 * width + 1)  # shift and scale, and the scale of the timestep
    return half


def _layers(config: LTXConfig, half: Half, name: str, width: int, layers: int, *, noisy: bool) -> None:
    half.resnet(f"{name}/resnet", width, repeat=layers)
    _extras(config, half, f"{name}/resnet", width, layers, noisy=noisy)


def _extras(config: LTXConfig, half: Half, name: str, width: int, repeat: int, *, noisy: bool) -> None:
    """Noise scales and timestep tables of residual blocks."""
    if noisy:
        half.weights(f"{name}/noise", 2 * width, repeat=repeat)
    if config.timestep_conditioning:
        half.weights(f"{name}/table", 4 * width, repeat=repeat)
        half.elementwise(f"{name}/modulate", width, 4, repeat=repeat)


def _embedder(config: LTXConfig, half: Half, name: str, width: int) -> None:
    """Two dense layers that make `width` features of the timestep, once a sample."""
    if not config.timestep_conditioning:
        return
    for layer, inputs in (("up", TIMESTEP_FEATURES), ("down", width)):
        half.parts.append(
            Linear(
                name=f"{half.place}/{name}/timestep/{layer}", inputs=inputs, outputs=width, rows="sample",
                shard="replicated",
            )
        )  # fmt: skip
