"""MiniMax-H3: one sequence of text, audio and video tokens under one stack of layers.

Source: diffusers `transformer_minimax_h3.py` and `modular_pipelines/minimax_h3`. Guidance is distilled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Size
from costline.models.diffusion import streams
from costline.models.diffusion.audio_video import AudioVideoDiT
from costline.models.diffusion.streams import Widths
from costline.models.dit import Grid
from costline.models.parts import Linear, Part
from costline.numeric import Numeric, ceil_divide, floor_divide, largest

TEXT_TOKENS = 256
"""Assumed: the pipeline passes on the tokens the prompt has, without padding."""
TIMESTEPS = 2
"""Distinct timesteps of one evaluation: the video's, which the text shares, and the audio's."""
MODALITIES = 3
"""Text, audio and video have a modulation each."""
AUDIO_PER_SECOND = 40
"""Audio latents of a second (``MINIMAX_H3_AUDIO_LATENTS_PER_SECOND``). [token/s]"""
FRAMES_PER_CHUNK, LATENTS_PER_CHUNK, LAST_LATENTS = 17, 5, 2
"""The autoencoder makes 5 latent frames of 17 frames and 2 of the 5 frames left at the end. [frame]"""


class MiniMaxH3Config(Config):
    """`diffusers` MiniMaxH3Transformer3DModel."""

    neutral: ClassVar[frozenset[str]] = frozenset({"rope_freq_dim", "norm_eps", "qk_norm_eps", "final_norm_eps"})
    num_attention_heads: Size = 56
    attention_head_dim: Size = 128
    hidden_size: Size = 5376
    num_layers: Size = 50
    num_refiner_layers: Count = 2
    ffn_dim: Size = 14336
    in_channels: Size = 24
    audio_in_channels: Size = 32
    patch_size: tuple[Size, Size, Size] = (1, 2, 2)
    text_dim: Size = 5120
    freq_dim: Size = 256
    time_embed_hidden_dim: Size = 5376
    time_embed_dim: Size = 2688

    @property
    def widths(self) -> Widths:
        """Widths of every layer."""
        return Widths(
            hidden=self.hidden_size, heads=self.num_attention_heads, key_heads=self.num_attention_heads,
            head_dim=self.attention_head_dim, ffn=self.ffn_dim, gated=True, bias=False, head_norm="head",
        )  # fmt: skip

    @property
    def patch_features(self) -> int:
        """What a token holds of the latent. [feature]"""
        return self.in_channels * self.patch_size[0] * self.patch_size[1] * self.patch_size[2]


@dataclass(frozen=True, kw_only=True)
class MiniMaxH3Grid(Grid):
    """The grid of an autoencoder that takes ``17 n + 5`` frames, to which the pipeline rounds up."""

    def latent_frames(self, frames: Numeric) -> Numeric:
        """Latent frames of a clip. [frame]"""
        chunks = largest(ceil_divide(frames - LATENTS_PER_CHUNK, FRAMES_PER_CHUNK), 0)
        return chunks * LATENTS_PER_CHUNK + LAST_LATENTS

    def covered_frames(self, frames: Numeric) -> Numeric:
        """Frames that the latent frames of a clip stand for. [frame]"""
        chunks = floor_divide(self.latent_frames(frames) - LAST_LATENTS, LATENTS_PER_CHUNK)
        return chunks * FRAMES_PER_CHUNK + LATENTS_PER_CHUNK


def read_minimax_h3(config: Mapping[str, Any], name: str) -> AudioVideoDiT:
    """Read a MiniMaxH3Transformer3DModel."""
    checked = MiniMaxH3Config.read(config, name)
    if checked.patch_size[1] != checked.patch_size[2]:
        raise ConfigError(f"{name}: patch_size {list(checked.patch_size)} is not square")
    refined, repeat = checked.num_refiner_layers, checked.num_layers
    return AudioVideoDiT(
        name=name,
        architecture="MiniMaxH3Transformer3DModel",
        parts=(
            *_entry(checked),
            *_layers(checked, "condition/text/refiner", "text", refined, modulated=False),
            blocks.norm("condition/text/norm", checked.hidden_size, "text"),
            *_layers(checked, "block", "joint", repeat, modulated=True),
            *_head(checked),
        ),
        layers=repeat,
        hidden_size=checked.hidden_size,
        grid=MiniMaxH3Grid(space=16, patch_time=checked.patch_size[0], patch_space=checked.patch_size[1]),
        fixed_streams={"text": TEXT_TOKENS, "timestep": TIMESTEPS},
        sums={"joint": ("image", "audio", "text")},
        branches=1,
        audio_per_second=AUDIO_PER_SECOND,
    )


def _projection(name: str, inputs: int, outputs: int, rows: str) -> Linear:
    return Linear(name=name, inputs=inputs, outputs=outputs, rows=rows, shard="replicated")


def _entry(checked: MiniMaxH3Config) -> tuple[Part, ...]:
    hidden, inner, time = checked.hidden_size, checked.time_embed_hidden_dim, checked.time_embed_dim
    return (
        _projection("embed/patch", checked.patch_features, hidden, "image"),
        _projection("embed/audio", checked.audio_in_channels, hidden, "audio"),
        _projection("condition/text", checked.text_dim, hidden, "text"),
        _projection("condition/timestep/in", checked.freq_dim, inner, "timestep"),
        _projection("condition/timestep/out", inner, time, "timestep"),
    )


def _norm(name: str, width: int, rows: str, repeat: int, *, modulated: bool) -> Part:
    """RMSNorm with a scale of its own, and the timestep's shift and scale where `modulated`."""
    if modulated:
        return blocks.adaptive_norm(name, width, rows, repeat=repeat, held=width)
    return blocks.norm(name, width, rows, repeat=repeat)


def _layers(checked: MiniMaxH3Config, place: str, rows: str, repeat: int, *, modulated: bool) -> tuple[Part, ...]:
    """Layers over one stream; those that refine the text know neither the timestep nor positions."""
    if not repeat:
        return ()
    widths, hidden = checked.widths, checked.hidden_size
    residual = blocks.gated_residual if modulated else blocks.residual
    parts: list[Part] = [
        _norm(f"{place}/self/norm", hidden, rows, repeat, modulated=modulated),
        *streams.projections(f"{place}/self", widths, rows, repeat=repeat),
        *streams.query_key_work(f"{place}/self", widths, rows, repeat=repeat, rotated=modulated),
        streams.joint_core(f"{place}/self/core", widths, repeat=repeat, stream=rows),
        residual(f"{place}/self/residual", hidden, rows, repeat=repeat),
        _norm(f"{place}/mlp/norm", hidden, rows, repeat, modulated=modulated),
        *blocks.feed_forward(f"{place}/mlp", hidden, widths.ffn, rows, repeat=repeat, gated=True, bias=False),
        residual(f"{place}/mlp/residual", hidden, rows, repeat=repeat),
    ]
    if modulated:
        outputs = 6 * hidden * MODALITIES
        parts.append(
            streams.modulation(f"{place}/modulation", checked.time_embed_dim, outputs, repeat=repeat, rows="timestep")
        )
    return tuple(parts)


def _head(checked: MiniMaxH3Config) -> tuple[Part, ...]:
    """Both projections run over all tokens; the tokens of each kind are picked afterwards."""
    hidden = checked.hidden_size
    return (
        streams.modulation("head/modulation", checked.time_embed_dim, 2 * hidden, rows="timestep"),
        blocks.adaptive_norm("head/norm", hidden, "joint", held=hidden),
        _projection("head/projection", hidden, checked.patch_features, "joint"),
        _projection("head/audio", hidden, checked.audio_in_channels, "joint"),
    )
