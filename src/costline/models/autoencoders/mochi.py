"""Mochi autoencoder.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_mochi.py. The encoder sees 15 channels (Fourier features of
the picture) and attends causally over the frames of each position; the decoder has no attention and makes six frames of
every latent, five of which are dropped at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import Any, ClassVar

from pydantic import Field

from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder, Tiling
from costline.models.autoencoders.half import Half, assemble
from costline.models.config import Config, Flag, Size

HEAD_DIM = 32


class MochiConfig(Config):
    """Fields of AutoencoderKLMochi that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"act_fn", "latents_mean", "latents_std", "scaling_factor"})
    in_channels: Size = 15
    out_channels: Size = 3
    encoder_block_out_channels: tuple[Size, ...] = (64, 128, 256, 384)
    decoder_block_out_channels: tuple[Size, ...] = (128, 256, 512, 768)
    latent_channels: Size = 12
    layers_per_block: tuple[Size, ...] = (3, 3, 4, 6, 3)
    temporal_expansions: tuple[Size, ...] = Field(default=(1, 2, 3), min_length=1)
    spatial_expansions: tuple[Size, ...] = (2, 2, 2)
    add_attention_block: tuple[Flag, ...] = (False, True, True, True, True)


def read_mochi(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLMochi."""
    fields = MochiConfig.read(config, name)
    levels = len(fields.temporal_expansions)
    lengths = {
        "encoder_block_out_channels": levels + 1,
        "decoder_block_out_channels": levels + 1,
        "layers_per_block": levels + 2,
        "spatial_expansions": levels,
        "add_attention_block": levels + 2,
    }
    for field, length in lengths.items():
        if len(getattr(fields, field)) != length:
            raise ConfigError(f"{name}: field {field!r} needs {length} entries for {levels} temporal_expansions")
    return assemble(
        name,
        "AutoencoderKLMochi",
        _encoder(fields),
        _decoder(fields),
        widest=fields.decoder_block_out_channels[-1],
        time=prod(fields.temporal_expansions),
        space=prod(fields.spatial_expansions),
        latent_channels=fields.latent_channels,
        tiling=Tiling.square(256, 192),
    )


def _encoder(config: MochiConfig) -> Half:
    half = Half("encoder")
    widths, layers, attended = config.encoder_block_out_channels, config.layers_per_block, config.add_attention_block
    half.linear("in/project", config.in_channels, widths[0])
    _blocks(half, "in", widths[0], layers[0], attended=attended[0])
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        time, space = config.temporal_expansions[level], config.spatial_expansions[level]
        half.move(("shrink", time), space=space)
        half.convolution(f"down{level}/resample", inputs, outputs, (time * space**2,))
        _blocks(half, f"down{level}", outputs, layers[level + 1], attended=attended[level + 1])
    _blocks(half, "middle", widths[-1], layers[-1], attended=attended[-1])
    half.norm("out/norm", widths[-1])
    half.linear("out/project", widths[-1], 2 * config.latent_channels, bias=False)
    return half


def _decoder(config: MochiConfig) -> Half:
    half = Half(
        "decoder", space=prod(config.spatial_expansions), before=(("shrink", prod(config.temporal_expansions)),)
    )
    widths, layers = config.decoder_block_out_channels[::-1], config.layers_per_block[::-1]
    half.convolution("in/conv", config.latent_channels, widths[0], (1,))
    half.resnet("middle/resnet", widths[0], repeat=layers[0])
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        time, space = config.temporal_expansions[-level - 1], config.spatial_expansions[-level - 1]
        half.resnet(f"up{level}/resnet", inputs, repeat=layers[level + 1])
        half.linear(f"up{level}/project", inputs, outputs * time * space**2)
        half.move(("times", time), finer=space)
    half.resnet("out/resnet", widths[-1], repeat=layers[-1])
    half.linear("out/project", widths[-1], config.out_channels)
    return half


def _blocks(half: Half, name: str, width: int, layers: int, *, attended: bool) -> None:
    """Residual blocks, each followed by attention over time where `attended`."""
    half.resnet(f"{name}/resnet", width, repeat=layers)
    if not attended:
        return
    place = f"{name}/attention"
    half.norm(f"{place}/norm", width, repeat=layers, activated=False)
    for projection in ("query", "key", "value"):
        half.linear(f"{place}/{projection}", width, width, repeat=layers, bias=False)
    half.core(place, width, "time", heads=width // HEAD_DIM, mask="causal", repeat=layers)
    half.linear(f"{place}/out", width, width, repeat=layers)
    half.elementwise(f"{place}/residual", width, 3, repeat=layers)
