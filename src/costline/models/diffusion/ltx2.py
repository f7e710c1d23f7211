"""LTX-2: a video and an audio stream, each with self-attention and text, that also attend to each other.

Source: diffusers `transformer_ltx2.py`, `pipeline_ltx2.py`. LTX-2.3 adds gates on the heads and modulates the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Flag, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.audio_video import AudioVideoDiT
from costline.models.diffusion.streams import Widths
from costline.models.dit import Grid
from costline.models.parts import Elementwise, Linear, Part, Weights

TEXT_TOKENS = 1024
"""Text tokens the pipeline pads to."""


class LTX2Config(Config):
    """`diffusers` LTX2VideoTransformer3DModel."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "pos_embed_max_pos", "base_height", "base_width", "audio_pos_embed_max_pos", "norm_eps", "rope_type",
        "rope_double_precision", "causal_offset", "timestep_scale_multiplier", "perturbed_attn",
        "cross_attn_timestep_scale_multiplier",
    })  # fmt: skip
    in_channels: Size = 128
    out_channels: Size | None = 128
    patch_size: Size = 1
    patch_size_t: Size = 1
    num_attention_heads: Size = 32
    attention_head_dim: Size = 128
    cross_attention_dim: Size = 4096
    vae_scale_factors: tuple[Size, Size, Size] = (8, 32, 32)
    gated_attn: Flag = False
    cross_attn_mod: Flag = False
    audio_in_channels: Size = 128
    audio_out_channels: Size | None = 128
    audio_patch_size: Size = 1
    audio_patch_size_t: Literal[1] = 1
    audio_num_attention_heads: Size = 32
    audio_attention_head_dim: Size = 64
    audio_cross_attention_dim: Size = 2048
    audio_scale_factor: Size = 4
    audio_sampling_rate: Size = 16000
    audio_hop_length: Size = 160
    audio_gated_attn: Flag = False
    audio_cross_attn_mod: Flag = False
    num_layers: Size = 48
    activation_fn: Literal["gelu-approximate", "gelu"] = "gelu-approximate"
    qk_norm: Literal["rms_norm_across_heads"] = "rms_norm_across_heads"
    norm_elementwise_affine: Literal[False] = False
    caption_channels: Size = 3840
    attention_bias: Literal[True] = True
    attention_out_bias: Literal[True] = True
    use_prompt_embeddings: Flag = True
    ff_bias: Literal[True] = True
    audio_ff_bias: Literal[True] = True
    use_prompt_adaln_single: Flag = True
    use_keyframes_abs_pos_embedding: Flag = False

    @property
    def video(self) -> Widths:
        """Widths of the video stream."""
        return _widths(self.num_attention_heads, self.attention_head_dim)

    @property
    def audio(self) -> Widths:
        """Widths of the audio stream."""
        return _widths(self.audio_num_attention_heads, self.audio_attention_head_dim)

    @property
    def text_modulated(self) -> bool:
        """Whether the text is shifted and scaled in each layer."""
        return self.cross_attn_mod or self.audio_cross_attn_mod

    @property
    def audio_per_second(self) -> float:
        """Audio tokens of a second: spectrogram frames, compressed by the audio autoencoder. [token/s]"""
        return self.audio_sampling_rate / self.audio_hop_length / self.audio_scale_factor


@dataclass(frozen=True, slots=True)
class _Side:
    """What the video and the audio stream differ in."""

    name: str
    rows: str
    widths: Widths
    gated: bool
    modulated: bool
    text_width: int


def _widths(heads: int, head_dim: int) -> Widths:
    hidden = heads * head_dim
    return Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=head_dim, ffn=4 * hidden, head_norm="width"
    )  # fmt: skip


def read_ltx2(config: Mapping[str, Any], name: str) -> AudioVideoDiT:
    """Read an LTX2VideoTransformer3DModel."""
    checked = LTX2Config.read(config, name)
    time, space, other = checked.vae_scale_factors
    if space != other:
        raise ConfigError(f"{name}: vae_scale_factors {list(checked.vae_scale_factors)} are not square")
    sides = _sides(checked, name)
    parts = [part for side in sides for part in _entry(checked, side)]
    if checked.use_keyframes_abs_pos_embedding:
        parts.append(Weights(name="embed/keyframe", count=checked.video.hidden))
    for side in sides:
        parts += _layers(checked, side)
    video, audio = sides
    parts += _meeting(video, audio, checked)
    parts += _meeting(audio, video, checked)
    parts += adaln_single.head(video.widths.hidden, checked.out_channels or checked.in_channels, place="head/video")
    parts += adaln_single.head(
        audio.widths.hidden, checked.audio_out_channels or checked.audio_in_channels, rows="audio", place="head/audio"
    )
    return AudioVideoDiT(
        name=name,
        architecture="LTX2VideoTransformer3DModel",
        parts=tuple(parts),
        layers=checked.num_layers,
        hidden_size=video.widths.hidden,
        grid=Grid(time=time, space=space, patch_time=checked.patch_size_t, patch_space=checked.patch_size),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
        audio_per_second=checked.audio_per_second,
    )


def _sides(config: LTX2Config, name: str) -> tuple[_Side, _Side]:
    sides = (
        _Side("video", "image", config.video, config.gated_attn, config.cross_attn_mod, config.cross_attention_dim),
        _Side(
            "audio", "audio", config.audio, config.audio_gated_attn, config.audio_cross_attn_mod,
            config.audio_cross_attention_dim,
        ),
    )  # fmt: skip
    for side in sides:
        if config.use_prompt_embeddings and side.text_width != side.widths.hidden:
            raise ConfigError(
                f"{name}: the {side.name} stream's cross_attention_dim {side.text_width} must equal its hidden size "
                f"{side.widths.hidden}, to which the text is projected"
            )
    return sides


def _entry(config: LTX2Config, side: _Side) -> tuple[Part, ...]:
    """Patches, text and the timestep's five embeddings, each with a projection of its own."""
    hidden, place = side.widths.hidden, f"condition/{side.name}"
    channels = config.in_channels if side.name == "video" else config.audio_in_channels
    parts: list[Part] = [
        Linear(name=f"embed/{side.name}/patch", inputs=channels, outputs=hidden, rows=side.rows, shard="replicated"),
        *adaln_single.timestep(f"{place}/timestep", hidden, chunks=_chunks(side)),
        *adaln_single.timestep(f"{place}/meeting", hidden, chunks=4),
        *adaln_single.timestep(f"{place}/meeting_gate", hidden, chunks=1),
    ]
    if config.use_prompt_embeddings:
        parts += streams.vector_mlp(f"{place}/text", config.caption_channels, hidden, rows="text")
    if config.text_modulated and config.use_prompt_adaln_single:
        parts += adaln_single.timestep(f"{place}/prompt", hidden, chunks=2)
    return tuple(parts)


def _chunks(side: _Side) -> int:
    return 9 if side.modulated else 6


def _layers(config: LTX2Config, side: _Side) -> tuple[Part, ...]:
    """Self-attention, attention to the text and feed-forward network of one stream."""
    widths, rows, place, repeat = side.widths, side.rows, f"block/{side.name}", config.num_layers
    parts: list[Part] = [
        adaln_single.table(f"{place}/table", widths.hidden, repeat=repeat, chunks=_chunks(side)),
        *streams.self_attention(f"{place}/self", widths, rows, repeat=repeat),
        *streams.cross_attention(
            f"{place}/cross", widths, rows, "text", key_width=side.text_width, repeat=repeat, gated=side.modulated
        ),
        *streams.feed_forward(f"{place}/mlp", widths, rows, repeat=repeat),
    ]
    if config.text_modulated:
        held = 2 * widths.hidden  # the table has the stream's width, which must then be the text's
        parts.append(
            Elementwise(
                name=f"{place}/prompt_table", rows="text", width=side.text_width, passes=2, held=held, repeat=repeat
            )
        )
    if side.gated:
        parts += _head_gates(f"{place}/self", widths, rows, repeat) + _head_gates(
            f"{place}/cross", widths, rows, repeat
        )
    return tuple(parts)


def _head_gates(name: str, widths: Widths, rows: str, repeat: int) -> list[Part]:
    """A gate for each head from the attention's input, multiplied onto its output."""
    return [
        Linear(
            name=f"{name}/gate", inputs=widths.hidden, outputs=widths.heads, rows=rows, repeat=repeat, saves=False
        ),
        Elementwise(
            name=f"{name}/gated", rows=rows, width=widths.inner, passes=2, saves=1, repeat=repeat, shard="column"
        ),
    ]  # fmt: skip


def _meeting(side: _Side, other: _Side, config: LTX2Config) -> tuple[Part, ...]:
    """Attention of one stream to the other, with the audio stream's heads in both directions."""
    hidden, keys, place, repeat = side.widths.hidden, other.rows, f"block/{side.name}/{other.name}", config.num_layers
    widths = replace(config.audio, hidden=hidden)
    parts: list[Part] = [
        adaln_single.table(f"{place}/table", hidden, repeat=repeat, chunks=5),
        *streams.cross_attention(
            place, widths, side.rows, keys, key_width=other.widths.hidden, repeat=repeat, gated=True
        ),
        blocks.adaptive_norm(f"{place}/key_input", other.widths.hidden, keys, repeat=repeat),
        blocks.rotary(f"{place}/query_rotary", widths.inner, side.rows, repeat=repeat),
        blocks.rotary(f"{place}/key_rotary", widths.key_inner, keys, repeat=repeat),
    ]
    if side.gated:
        parts += _head_gates(place, widths, side.rows, repeat)
    return tuple(parts)
