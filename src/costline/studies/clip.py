"""What is generated, as streams of tokens: one long sequence, segments, or chunks with a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from costline.engine.passes import Machine
from costline.formulas.diffusion import segments
from costline.models.autoencoder import Autoencoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.parts import Attention, Part
from costline.numeric import Numeric, largest, smallest


class Sampler(Protocol):
    """What a pipeline offers this study: see `costline.models.pipeline.Pipeline`."""

    @property
    def name(self) -> str: ...
    @property
    def transformers(self) -> Sequence[tuple[DiT, float]]: ...
    @property
    def autoencoder(self) -> Autoencoder | None: ...
    @property
    def encoders(self) -> Sequence[tuple[Encoder, int]]: ...


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What is generated.

    Attributes
    ----------
    frames, height, width : int or array
        Size; one frame is an image. [frame, pixel, pixel]
    fps : float or array
        Frames of a second of video. [frame/s]
    steps, branches : int or array
        Sampler steps, evaluations of a guided step.
    batch : int or array
        Clips one replica makes together. [clip]
    tokens : int, array or None
        Latent tokens, where they are stated instead of pixels. [token]
    segment, overlap : float, array or None
        Length of segments made one after the other and their overlap; None is one long sequence. [s]
    chunk : int, array or None
        Token frames of a chunk of a frame-autoregressive transformer with a KV cache; None attends to all at once.
    mfu : float, array or None
        Utilisation of denoising fixed by the user. [1]
    """

    frames: Numeric
    height: Numeric
    width: Numeric
    fps: Numeric = 24.0
    steps: Numeric
    branches: Numeric
    batch: Numeric = 1
    tokens: Numeric | None = None
    segment: Numeric | None = None
    overlap: Numeric = 0.0
    chunk: Numeric | None = None
    mfu: Numeric | None = None

    @property
    def seconds(self) -> Numeric:
        """Length of the video. [s]"""
        return self.frames / self.fps


def clip_streams(network: DiT, clip: Clip) -> dict[str, Numeric]:
    """Streams of one evaluation."""
    if clip.tokens is not None:
        return network.token_streams(clip.tokens, batch=clip.batch)
    return network.streams(frames=clip.frames, height=clip.height, width=clip.width, batch=clip.batch)


def piece_of(pipeline: Sampler, clip: Clip) -> tuple[Clip, Numeric]:
    """What one pass works on: the clip, or one segment of it; and how many passes there are.

    A segment covers all the frames that its latents stand for, so one of 80 frames that is computed as 81 does.
    """
    if clip.segment is None:
        return clip, 1
    asked: Numeric = smallest(np.ceil(clip.segment * clip.fps), clip.frames)
    if clip.tokens is None:
        length = largest(clip.segment, pipeline.transformers[0][0].grid.covered_frames(asked) / clip.fps)
        tokens = None
    else:
        length, tokens = clip.segment, clip.tokens * smallest(clip.segment / clip.seconds, 1.0)
    number = segments(largest(clip.seconds, length), length, clip.overlap)
    return replace(clip, frames=asked, tokens=tokens, segment=None), number


MUCH_MORE = 0.1
"""Share of a clip that segments may make beyond it before the reader is told."""


def segment_notes(pipeline: Sampler, clip: Clip) -> tuple[str, ...]:
    """What segments make beyond the clip: all are of one length, the last one too."""
    if clip.segment is None:
        return ()
    piece, number = piece_of(pipeline, clip)
    made = piece.frames / clip.fps * number - clip.overlap * (number - 1)
    beyond = made - clip.seconds
    if np.ndim(beyond) or beyond <= MUCH_MORE * clip.seconds:
        return ()
    return (f"{number:,.0f} segments of one length make {made:,.1f} s, {beyond:,.1f} s more than the clip has",)


def grid_notes(network: DiT, frames: Numeric, height: Numeric, width: Numeric) -> tuple[str, ...]:
    """What is computed where it is not what was asked: whole latent frames and whole tokens."""
    counted = network.grid.covered(frames, height, width)
    if all(np.all(np.equal(one, other)) for one, other in zip(counted, (frames, height, width), strict=True)):
        return ()
    if any(np.ndim(value) for value in counted):
        return (
            f"at some points the clip is counted on the grid of {network.name}, which is smaller than what is asked",
        )
    asked = f"{frames:,.0f} frames of {width:.0f}x{height:.0f}"
    made = f"{counted[0]:,.0f} frames of {counted[2]:.0f}x{counted[1]:.0f}"
    return (f"{asked} are asked, {made} are computed: {network.name} works on whole latents and patches",)


def chunks_of(streams: dict[str, Numeric], chunk: Numeric) -> Numeric:
    """Chunks of `chunk` token frames that a clip is made in, one after the other; 1 at least. [1]"""
    return largest(streams["time"] / chunk, 1)


def with_history(
    parts: Sequence[Part], streams: dict[str, Numeric], chunk: Numeric
) -> tuple[tuple[Part, ...], Numeric]:
    """Self-attention of one chunk of token frames against itself and all chunks before it, on average.

    Adds the streams it needs to `streams`, shrinks the latent stream to one chunk, and returns the parts and the number
    of chunks. Text streams stay as they are.
    """
    chunks = chunks_of(streams, chunk)
    everything = streams["image"]
    own = everything / chunks
    history = (everything - own) / 2  # mean over chunks of the tokens before
    for name in {"image", "joint"} & streams.keys():
        streams[name] = streams[name] - everything + own
    streams["time"] = streams["time"] / chunks
    changed: list[Part] = []
    for part in parts:
        if isinstance(part, Attention) and part.queries == part.keys:
            seen = f"{part.keys}+history"
            streams[seen] = streams[part.keys] + history
            changed.append(replace(part, keys=seen))
        else:
            changed.append(part)
    return tuple(changed), chunks


def one_chip(machine: Machine) -> Machine:
    """The same machine with one chip working: encoders and autoencoders are small, run unsharded and in 16 bits."""
    form = machine.plan.activation
    plan = replace(
        machine.plan, tensor=1, pipeline=1, ulysses=1, ring=1, guidance=1, density=1.0, weights=form, compute=form
    )
    return replace(machine, plan=plan)


def decoding(autoencoder: Autoencoder, machine: Machine) -> Machine:
    """The machine that decodes: one chip; in fp32 where fp16 would overflow, convolutions in TF32 by PyTorch's default.

    Source: diffusers 0.42.1, pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py, ``upcast_vae``.
    """
    alone = one_chip(machine)
    if not autoencoder.upcast or alone.plan.compute != "fp16":
        return alone
    return replace(alone, plan=replace(alone.plan, weights="tf32", compute="tf32"))
