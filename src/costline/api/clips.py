"""What is to be generated, read from a question: size, length and how it is cut; what contradicts itself is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from costline import quantity, resolve
from costline.api.common import read_batch
from costline.errors import InputError, PlanError
from costline.estimate import Assumption
from costline.models.autoencoder import Autoencoder
from costline.models.diffusion.shape import ShapeDiT
from costline.models.pipeline import Pipeline
from costline.numeric import Numeric, ceil_divide, largest
from costline.plan import Plan
from costline.report.values import text, whole
from costline.resolve import Number, Site
from costline.studies.clip import Clip, clip_streams
from costline.studies.stated import check_stated

USUAL_STEPS = 50
"""Sampler steps where neither the user nor the pipeline says: the commonest default of published video pipelines."""
USUAL_FPS = 24.0
"""Frames a second where neither the user nor the pipeline says."""
OF_VIDEO = ("seconds", "fps", "segment", "overlap", "chunk")
"""Inputs that say nothing about an image."""


def read_clip(
    pipeline: Pipeline, resolution: str | None, given: Mapping[str, Number | None]
) -> tuple[Clip, list[Assumption]]:
    """What is asked, the pipeline's own defaults for the rest, and a word on each default.

    Parameters
    ----------
    pipeline : Pipeline
        What generates.
    resolution : str or None
        Size of a frame.
    given : mapping
        Inputs of `costline.generate` about the clip by name; None where nobody says.

    Raises
    ------
    InputError
        Inputs that contradict each other, or say nothing about what this pipeline makes.
    """
    _check_inputs(pipeline, resolution, given)
    clip, assumed = _size(pipeline, resolution, given)
    _check_overlap(clip)
    _check_grid(pipeline, clip)
    return clip, assumed


def _size(
    pipeline: Pipeline, resolution: str | None, given: Mapping[str, Number | None]
) -> tuple[Clip, list[Assumption]]:
    assumed: list[Assumption] = []

    def chosen(name: str, own: Any, usual: float, unit: str, *, said: bool = True) -> Numeric:
        stated = given[name]
        if stated is not None:
            return resolve.number(stated, quantity.COUNT, name, least=1, whole=name != "fps")
        value = usual if own is None else own
        kind = "assumed" if own is None or not pipeline.source else f"as in {pipeline.name}"
        if said:
            assumed.append(Assumption(name=name, value=value, unit=unit, kind=f"{kind} (--{name})"))
        return float(value) if name == "fps" else int(value)

    steps = chosen("steps", pipeline.steps, USUAL_STEPS, "step")
    branches = chosen("branches", pipeline.branches, 2, "")
    fps = chosen("fps", pipeline.fps, USUAL_FPS, "", said=not pipeline.still)
    tokens = None if given["tokens"] is None else resolve.number(given["tokens"], quantity.TOKENS, "tokens", least=1)
    frames: Numeric
    if given["seconds"] is not None:
        length = resolve.number(given["seconds"], quantity.SECONDS, "seconds", least=0.01)
        frames = np.ceil(length * fps) if isinstance(length, np.ndarray) else int(np.ceil(length * fps))
        if given["frames"] is not None:
            frames = _agreed(chosen("frames", None, 1, ""), length, fps)
    elif tokens is not None and given["frames"] is None:
        frames = 1 if pipeline.still else _frames_of(pipeline, tokens, fps, assumed)
    else:
        frames = chosen("frames", pipeline.frames, 1, "", said=not pipeline.still)
    _check_still(pipeline, frames)
    width, height = _frame(pipeline, resolution, tokens, assumed)
    clip = Clip(
        frames=frames, height=height, width=width, fps=fps, steps=steps, branches=branches, tokens=tokens,
        batch=read_batch(1 if given["batch"] is None else given["batch"]),
        segment=_optional(given, "segment", quantity.SECONDS, 0.1),
        overlap=resolve.number("0s" if given["overlap"] is None else given["overlap"], quantity.SECONDS, "overlap"),
        chunk=_optional(given, "chunk", quantity.COUNT, 1, whole=True),
        mfu=_optional(given, "mfu", quantity.FRACTION, 1e-6),
    )  # fmt: skip
    return clip, assumed


def _frames_of(pipeline: Pipeline, tokens: Numeric, fps: Numeric, assumed: list[Assumption]) -> Numeric:
    """Frames that some latent tokens stand for: at the pipeline's own size, or a minute where it has none. [frame]"""
    if pipeline.width is None or pipeline.height is None:
        assumed.append(Assumption(name="seconds", value=60.0, unit="s", kind="assumed (--seconds)"))
        return fps * 60
    size = f"{pipeline.width}x{pipeline.height}"
    grid = pipeline.transformers[0][0].grid
    frames = largest(grid.frames_of(tokens / grid.streams(1, pipeline.height, pipeline.width)["space"]), 1)
    length = None if np.ndim(frames) or np.ndim(fps) else float(frames / fps)
    kind = f"what the tokens are at {size}, as in {pipeline.name} (--resolution and --frames instead of --tokens)"
    assumed.append(Assumption(name="length", value=length, unit="s", kind=kind))
    return frames


def _optional(
    given: Mapping[str, Number | None], name: str, kind: quantity.Kind, least: float, *, whole: bool = False
) -> Numeric | None:
    value = given[name]
    return None if value is None else resolve.number(value, kind, name, least=least, whole=whole)


def _frame(
    pipeline: Pipeline, resolution: str | None, tokens: Numeric | None, assumed: list[Assumption]
) -> tuple[int, int]:
    """Width and height of a frame. [pixel, pixel]"""
    if resolution is not None:
        return quantity.read_resolution(resolution)
    width, height = pipeline.width or 1280, pipeline.height or 720
    if tokens is None:
        kind = "assumed" if pipeline.width is None else f"as in {pipeline.name}"
        assumed.append(Assumption(name="resolution", value=f"{width}x{height}", kind=f"{kind} (--resolution)"))
    return width, height


def _check_inputs(pipeline: Pipeline, resolution: str | None, given: Mapping[str, Number | None]) -> None:
    """Refuse inputs that would be passed over."""
    if pipeline.still:
        useless = [name for name in OF_VIDEO if given[name] is not None]
        if useless:
            name = useless[0]
            raise InputError(f"{name} {given[name]}: {pipeline.name} makes images, not video; leave out --{name}")
    if given["overlap"] is not None and given["segment"] is None:
        raise InputError(
            f"overlap {given['overlap']}: only segments overlap; say how long one is, such as --segment 5s, "
            "or leave out --overlap"
        )
    if given["tokens"] is None:
        return
    sized = pipeline.width is not None
    for name, other in {"resolution": resolution, **({"frames": given["frames"]} if sized else {})}.items():
        if other is not None:
            raise InputError(
                f"tokens {given['tokens']} and {name} {other}: either says how much is generated; leave out one"
            )
    if sized and given["seconds"] is not None:
        words = f"tokens {given['tokens']} and seconds {given['seconds']}"
        raise InputError(f"{words}: tokens of {pipeline.name} have a length of their own; leave out one")
    if given["chunk"] is not None:
        raise InputError(
            f"chunk {given['chunk']}: chunks are of frames, and tokens alone have none; say --seconds and --resolution "
            "instead of --tokens"
        )


def _check_still(pipeline: Pipeline, frames: Numeric) -> None:
    if pipeline.still and np.any(np.asarray(frames) > 1):
        words = f"frames {whole(frames)}: {pipeline.name} makes images, not video"
        raise InputError(f"{words}; leave out --frames, and say --batch for several images")


def _agreed(frames: Numeric, length: Numeric, fps: Numeric) -> Numeric:
    """Frames stated beside seconds, if they are as many."""
    if np.any(np.abs(frames - length * fps) >= 1):
        rate = text(fps, "").strip()
        raise InputError(
            f"{whole(frames)} frames at {rate} a second are {text(frames / fps, 's')}, not {text(length, 's')}; "
            "leave out --frames or --seconds, or state --fps"
        )
    return frames


def _check_overlap(clip: Clip) -> None:
    if clip.segment is not None and np.any(clip.overlap >= clip.segment):
        words = f"overlap {text(clip.overlap, 's')} must be shorter than a segment, {text(clip.segment, 's')}"
        raise InputError(words)


def _check_grid(pipeline: Pipeline, clip: Clip) -> None:
    """Refuse a picture smaller than a token."""
    network = pipeline.transformers[0][0]
    if np.any(np.asarray(clip_streams(network, clip)["image"]) < 1):
        least = network.grid.space * network.grid.patch_space
        raise InputError(
            f"{clip.width}x{clip.height} holds no latent token of {network.name}; the least is {least}x{least}"
        )


def check_plan(pipeline: Pipeline, clip: Clip, place: Site) -> None:
    """Refuse a plan that this clip cannot be made with, or that says nothing about it.

    Raises
    ------
    PlanError
        More guidance groups than branches, more chips for the autoencoder than there are, tiles it cannot be cut into,
        a format of a cache that is not there.
    """
    for network, _ in pipeline.transformers:
        check_stated(network, place.fixed, "generation")
    plan, chips = place.machine.plan, place.machine.cluster.chips
    if np.any(np.asarray(plan.guidance) > np.asarray(clip.branches)):
        raise PlanError(f"guidance={plan.guidance}: a step of {pipeline.name} has {clip.branches} guidance branches")
    if np.any(np.asarray(plan.vae_parallel) > np.asarray(chips)):
        raise PlanError(f"vae_parallel={plan.vae_parallel}: there are {chips} chips")
    network = pipeline.transformers[0][0]
    own_chunks = isinstance(network, ShapeDiT) and bool(np.any(network.shape.chunk_frames))
    if own_chunks and clip.chunk is not None:
        raise PlanError(f"chunk {clip.chunk}: {network.name} works in chunks of its own; leave out --chunk")
    if plan.cache != Plan().cache and clip.chunk is None and not own_chunks:
        raise PlanError(
            f"cache={plan.cache}: there is a KV cache only where chunks of frames follow each other; say --chunk, or "
            "leave it out"
        )
    if plan.vae_tile and pipeline.autoencoder is not None:
        least = least_tile(pipeline.autoencoder)
        if plan.vae_tile < least:
            raise PlanError(
                f"vae_tile={plan.vae_tile}: tiles of {pipeline.autoencoder.name} have at least {least} pixels"
            )


def least_tile(autoencoder: Autoencoder) -> int:
    """Edge of the smallest tile: whole latents, of which at least one is not shared with the next tile. [pixel]"""
    tiling = autoencoder.tiling
    edges = [
        ceil_divide(autoencoder.space * side, stride)
        for side, stride in ((tiling.height, tiling.stride_height), (tiling.width, tiling.stride_width))
    ]
    return int(ceil_divide(max(edges), autoencoder.space) * autoencoder.space)


def clip_words(clip: Clip) -> str:
    """What is generated, for a title."""
    several = bool(np.any(np.asarray(clip.batch) > 1))
    each = f"{whole(clip.batch)} clips of " if several else ""
    if clip.tokens is not None:
        return f"{each}{whole(clip.tokens)} latent tokens"
    if np.all(np.asarray(clip.frames) == 1):
        images = f"{whole(clip.batch)} images" if several else "an image"
        return f"{images} of {clip.width}x{clip.height}"
    return f"{each}{text(clip.seconds, 's')} of {clip.width}x{clip.height} ({whole(clip.frames)} frames)"
