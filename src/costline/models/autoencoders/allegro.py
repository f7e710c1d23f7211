"""Allegro autoencoder.

Source: diffusers 0.42.1, models/autoencoders/autoencoder_kl_allegro.py. It refuses to run without tiles: cubes of 24
frames and `sample_size` pixels squared, only whole ones, as `tiled_decode` counts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from costline.errors import ConfigError
from costline.formulas.autoencoder import whole_tiles
from costline.models.autoencoder import Autoencoder, PixelStreams, Tiling
from costline.models.autoencoders.half import TAPS_2D, Half, assemble
from costline.models.autoencoders.stages import Stages
from costline.models.config import Config, Flag, Size
from costline.numeric import Numeric, largest

CUBE_FRAMES, FRAMES_SHARED, ROWS_SHARED, COLUMNS_SHARED = 24, 8, 120, 80
"""Length of a cube and its overlaps with the next, fixed in the class. [frame, frame, pixel, pixel]"""


class AllegroConfig(Config):
    """Fields of AutoencoderKLAllegro that change the count."""

    neutral: ClassVar[frozenset[str]] = frozenset({"act_fn", "norm_num_groups", "scaling_factor", "force_upcast"})
    in_channels: Size = 3
    out_channels: Size = 3
    down_block_types: tuple[Literal["AllegroDownBlock3D"], ...] = Field(default=("AllegroDownBlock3D",) * 4)
    up_block_types: tuple[Literal["AllegroUpBlock3D"], ...] = Field(default=("AllegroUpBlock3D",) * 4)
    block_out_channels: tuple[Size, ...] = Field(default=(128, 256, 512, 512), min_length=2)
    temporal_downsample_blocks: tuple[Flag, ...] = (True, True, False, False)
    temporal_upsample_blocks: tuple[Flag, ...] = (False, True, True, False)
    latent_channels: Size = 4
    layers_per_block: Size = 2
    temporal_compression_ratio: Literal[4] = 4
    sample_size: Size = 320


@dataclass(frozen=True, slots=True)
class Cubes:
    """Stages of an autoencoder that always works on whole cubes of `side` pixels."""

    stages: Stages
    side: int

    def __call__(self, frames: Numeric, height: Numeric, width: Numeric, tiling: Tiling | None = None) -> PixelStreams:
        """Streams of all cubes; `tiling` changes nothing, tiles being always on."""
        cubes: Numeric = 1
        for length, tile, shared in (
            (frames, CUBE_FRAMES, FRAMES_SHARED),
            (height, self.side, ROWS_SHARED),
            (width, self.side, COLUMNS_SHARED),
        ):
            cubes = cubes * largest(whole_tiles(length, tile, tile - shared), 1)
        one = self.stages(CUBE_FRAMES, self.side, self.side)
        within = (":area", ":time", ":all")
        return PixelStreams(lambda name: one[name] if name.endswith(within) else one[name] * cubes)


def read_allegro(config: Mapping[str, Any], name: str) -> Autoencoder:
    """AutoencoderKLAllegro."""
    fields = AllegroConfig.read(config, name)
    widths = fields.block_out_channels
    lists = ("down_block_types", "up_block_types", "temporal_downsample_blocks", "temporal_upsample_blocks")
    wrong = [field for field in lists if len(getattr(fields, field)) != len(widths)]
    if wrong or fields.sample_size <= ROWS_SHARED:
        raise ConfigError(f"{name}: {', '.join(wrong) or 'sample_size'} does not fit block_out_channels or the tiles")
    encoder, decoder = _encoder(fields), _decoder(fields)
    side = fields.sample_size
    return assemble(
        name,
        "AutoencoderKLAllegro",
        encoder,
        decoder,
        widest=widths[-1],
        time=fields.temporal_compression_ratio,
        space=2 ** (len(widths) - 1),
        latent_channels=fields.latent_channels,
        tiling=Tiling(height=side, width=side, stride_height=side - ROWS_SHARED, stride_width=side - COLUMNS_SHARED),
        chunk=CUBE_FRAMES,
        stages=Cubes(Stages((*encoder.stages, *decoder.stages)), side),
    )


def _encoder(config: AllegroConfig) -> Half:
    half = Half("encoder", taps=TAPS_2D)
    widths, latent = config.block_out_channels, 2 * config.latent_channels
    half.convolution("in/conv", config.in_channels, widths[0], TAPS_2D)
    half.convolution("in/time", widths[0], widths[0], (3,))
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        _blocks(half, f"down{level}", inputs, outputs, config.layers_per_block)
        if config.temporal_downsample_blocks[level]:
            half.move(("shrink", 2))
            _temporal(half, f"down{level}/time", outputs, (18, outputs), 27)
        if level < len(widths) - 1:
            half.move(space=2)
            half.convolution(f"down{level}/resample", outputs, outputs, TAPS_2D)
    _middle(half, widths[-1])
    half.norm("out/norm", widths[-1])
    half.convolution("out/time", widths[-1], widths[-1], (3,))
    half.convolution("out/conv", widths[-1], latent, TAPS_2D)
    half.convolution("quant", latent, latent, (1,))
    return half


def _decoder(config: AllegroConfig) -> Half:
    widths = config.block_out_channels[::-1]
    before = config.temporal_compression_ratio
    half = Half("decoder", space=2 ** (len(widths) - 1), before=(("shrink", before),), taps=TAPS_2D)
    half.convolution("quant", config.latent_channels, config.latent_channels, (1,))
    half.convolution("in/conv", config.latent_channels, widths[0], TAPS_2D)
    half.convolution("in/time", widths[0], widths[0], (3,))
    _middle(half, widths[0])
    for level, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths, strict=False)):
        _blocks(half, f"up{level}", inputs, outputs, config.layers_per_block + 1)
        if config.temporal_upsample_blocks[level]:
            half.convolution(f"up{level}/time/double", outputs, 2 * outputs, (9,))
            half.norm(f"up{level}/time/norm", outputs)
            half.move(("times", 2))
            _temporal(half, f"up{level}/time", outputs, None, 27)
        if level < len(widths) - 1:
            half.move(finer=2)
            half.convolution(f"up{level}/resample", outputs, outputs, TAPS_2D)
    half.norm("out/norm", widths[-1])
    half.convolution("out/time", widths[-1], widths[-1], (3,))
    half.convolution("out/conv", widths[-1], config.out_channels, TAPS_2D)
    return half


def _middle(half: Half, width: int) -> None:
    _blocks(half, "middle", width, width, 2)
    half.attention("middle/attention", width, "area", linear=True)


def _blocks(half: Half, name: str, inputs: int, outputs: int, layers: int) -> None:
    """Residual blocks within frames, each followed by four convolutions over time."""
    half.resnets(name, inputs, outputs, layers)
    _temporal(half, f"{name}/mix", outputs, (3, outputs), 3, repeat=layers)


def _temporal(
    half: Half, name: str, width: int, first: tuple[int, int] | None, taps: int, *, repeat: int = 1
) -> None:  # fmt: skip
    """Norm, activation and convolution: `first` (taps, outputs) unless it was done before, then three of `taps`."""
    if first is not None:
        half.norm(f"{name}/norm", width, repeat=repeat)
        half.convolution(f"{name}/first", width, first[1], (first[0],), repeat=repeat)
    half.norm(f"{name}/norms", width, repeat=3 * repeat)
    half.convolution(f"{name}/conv", width, width, (taps,), repeat=3 * repeat)
    half.elementwise(f"{name}/residual", width, 3, repeat=repeat)
