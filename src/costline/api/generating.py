"""The question about generating clips and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costline import quantity, resolve
from costline.api.common import Job, check_sizes, finished, recording, shape_notes
from costline.api.lists import over_lists
from costline.api.validated import earned
from costline.catalogue import Catalogue, Price
from costline.errors import InputError, PlanError
from costline.estimate import Assumption, Estimate, Figure
from costline.hardware.cluster import Cluster
from costline.models.pipeline import Pipeline
from costline.numeric import Numeric
from costline.plan import Plan
from costline.report.values import text, whole
from costline.resolve import Model, Number
from costline.studies.choose import generation_plan
from costline.studies.clip import Clip, clip_streams, piece_of
from costline.studies.generate import generate as generate_study
from costline.studies.software import Stated
from costline.studies.stated import check_stated
from costline.uncertainty.ranged import ranged

USUAL_STEPS = 50
"""Sampler steps where neither the user nor the pipeline says: the commonest default of published video pipelines."""
USUAL_FPS = 24.0
"""Frames a second where neither the user nor the pipeline says."""


@over_lists
@ranged
def generate(
    model: Model | None = None,
    *,
    on: str | Cluster,
    resolution: str | None = None,
    frames: Number | None = None,
    seconds: Number | None = None,
    fps: Number | None = None,
    tokens: Number | None = None,
    steps: Number | None = None,
    branches: Number | None = None,
    batch: Number = 1,
    segment: Number | None = None,
    overlap: Number = "0s",
    chunk: Number | None = None,
    mfu: Number | None = None,
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    price: Number | None = None,
    params: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
    explain: bool = False,
) -> Estimate:
    """Estimate generating a clip or an image.

    Parameters
    ----------
    model : str, Path or Network, optional
        Catalogue name, ``config.json`` or pipeline folder; leave out for a hypothetical transformer of `params`.
    on : str or Cluster
        Chips, such as ``8xh100-sxm``.
    resolution : str, optional
        ``1280x720`` or ``720p``; default the pipeline's own.
    frames, seconds, fps : int, float or array, optional
        Length of the clip: frames, or seconds and frames a second.
    tokens : str, float or array, optional
        Latent tokens of the clip, where they are known instead of pixels. [token]
    steps, branches : int or array, optional
        Sampler steps; evaluations of a guided step.
    batch : int or array
        Clips made together. [clip]
    segment, overlap : str or float, optional
        Make the clip in segments of this length, sharing this length with their neighbours. [s]
    chunk : int, optional
        Token frames of a chunk of a frame-autoregressive transformer with a KV cache.
    mfu : str or float, optional
        Utilisation of denoising that overrides the time model. [1]
    precision, plan, engine, engine_date, attention, compile
        As for `serve`.
    price, params, shape, pue, coefficients, catalogue, explain
        As for `serve`.

    Returns
    -------
    Estimate
        See `costline.studies.generate.generate`.
    """
    job = generation_job(
        model, on=on, resolution=resolution, frames=frames, seconds=seconds, fps=fps, tokens=tokens, steps=steps,
        branches=branches, batch=batch, segment=segment, overlap=overlap, chunk=chunk, mfu=mfu, precision=precision,
        plan=plan, price=price, params=params, shape=shape, pue=pue, coefficients=coefficients, catalogue=catalogue,
        engine=engine, engine_date=engine_date, attention=attention, compile=compile,
    )  # fmt: skip
    pipeline, clip = job.subject, job.asked
    choice = generation_plan(pipeline, clip, job.place.machine, job.place.fixed)
    machine = replace(job.place.machine, plan=choice.plan)
    degrees = {name: getattr(choice.plan, name) for name in ("tensor", "ulysses", "ring", "guidance")}
    words = ", ".join(f"{name}={whole(degree)}" for name, degree in degrees.items())
    chosen = Assumption(name="plan", value=f"{words}: {choice.words}", kind="chosen")
    market = _market(resolve.catalogue(catalogue))
    with recording(explain) as record:
        estimate = generate_study(pipeline, clip, machine, job.place.economics, generation_title(job), market)
    if clip.mfu is None:  # a stated utilisation stands in for the time model, whose errors then say nothing
        network = pipeline.transformers[0][0]
        tokens = clip_streams(network, piece_of(pipeline, clip)[0])["image"]
        estimate = earned(estimate, network, machine, clip.batch, tokens)
    return finished(estimate, [chosen, *job.assumed], machine, record, pipeline.notes)


def generation_job(
    model: Model | None = None,
    *,
    on: str | Cluster,
    resolution: str | None = None,
    frames: Number | None = None,
    seconds: Number | None = None,
    fps: Number | None = None,
    tokens: Number | None = None,
    steps: Number | None = None,
    branches: Number | None = None,
    batch: Number = 1,
    segment: Number | None = None,
    overlap: Number = "0s",
    chunk: Number | None = None,
    mfu: Number | None = None,
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    price: Number | None = None,
    params: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
) -> Job[Pipeline, Clip]:
    """Read a question about generating; parameters as of `generate`."""
    check_sizes(model, params=params, shape=shape)
    book = resolve.catalogue(catalogue)
    latent = None if tokens is None else resolve.number(tokens, quantity.TOKENS, "tokens", least=1)
    pipeline = resolve.sampler(model, params, shape or {}, book)
    software = Stated(engine=engine, date=engine_date, attention=attention, compiled=compile)
    place = resolve.site(
        on, plan=plan, precision=precision, price=price, pue=pue, coefficients=coefficients,
        book=book, study="generate", software=software,
    )  # fmt: skip
    given = {"frames": frames, "seconds": seconds, "fps": fps, "steps": steps, "branches": branches}
    clip, assumed = _clip(pipeline, resolution, latent, given)
    clip = replace(
        clip,
        batch=resolve.number(batch, quantity.COUNT, "batch", least=1, whole=True),
        segment=None if segment is None else resolve.number(segment, quantity.SECONDS, "segment", least=0.1),
        overlap=resolve.number(overlap, quantity.SECONDS, "overlap"),
        chunk=None if chunk is None else resolve.number(chunk, quantity.COUNT, "chunk", least=1, whole=True),
        mfu=None if mfu is None else resolve.number(mfu, quantity.FRACTION, "mfu", least=1e-6),
    )
    if clip.segment is not None and np.any(clip.overlap >= clip.segment):
        words = f"overlap {text(clip.overlap, 's')} must be shorter than a segment, {text(clip.segment, 's')}"
        raise InputError(words)
    _check_size(pipeline, clip)
    _check_plan(pipeline, clip, place)
    assumed += [*place.assumptions, *shape_notes(pipeline.transformers[0][0], model)]
    return Job(pipeline, clip, place, tuple(assumed))


def generation_title(job: Job[Pipeline, Clip]) -> str:
    """The question in words."""
    return _title(job.subject, job.asked, job.place.machine.cluster)


def _check_size(pipeline: Pipeline, clip: Clip) -> None:
    """Refuse a picture smaller than a token."""
    network = pipeline.transformers[0][0]
    if np.any(np.asarray(clip_streams(network, clip)["image"]) < 1):
        least = network.grid.space * network.grid.patch_space
        raise InputError(
            f"{clip.width}x{clip.height} holds no latent token of {network.name}; the least is {least}x{least}"
        )


def _check_plan(pipeline: Pipeline, clip: Clip, place: resolve.Site) -> None:
    """Refuse more guidance groups than branches, more chips for the autoencoder than there are."""
    for network, _ in pipeline.transformers:
        check_stated(network, place.fixed, "generation")
    plan, chips = place.machine.plan, place.machine.cluster.chips
    if np.any(np.asarray(plan.guidance) > np.asarray(clip.branches)):
        raise PlanError(f"guidance={plan.guidance}: a step of {pipeline.name} has {clip.branches} guidance branches")
    if np.any(np.asarray(plan.vae_parallel) > np.asarray(chips)):
        raise PlanError(f"vae_parallel={plan.vae_parallel}: there are {chips} chips")


def _title(pipeline: Pipeline, clip: Clip, cluster: Cluster) -> str:
    if clip.tokens is not None:
        size = f"{whole(clip.tokens)} latent tokens"
    elif np.all(np.asarray(clip.frames) == 1):
        size = f"an image of {clip.width}x{clip.height}"
    else:
        size = f"{text(clip.seconds, 's')} of {clip.width}x{clip.height} ({whole(clip.frames)} frames)"
    steps = f"{whole(clip.steps)} steps"
    return f"Generate {size} with {pipeline.name}, {steps}, on {whole(cluster.chips)} x {cluster.chip.id}"


def _clip(
    pipeline: Pipeline, resolution: str | None, tokens: Numeric | None, given: Mapping[str, Number | None]
) -> tuple[Clip, list[Assumption]]:
    """What is asked, the pipeline's own defaults for the rest, and a word on each default."""
    assumed: list[Assumption] = []

    def chosen(name: str, own: Any, usual: float, unit: str) -> Numeric:
        stated = given[name]
        if stated is not None:
            return resolve.number(stated, quantity.COUNT, name, least=1, whole=name != "fps")
        value = usual if own is None else own
        kind = "assumed" if own is None else f"as in {pipeline.name}"
        assumed.append(Assumption(name=name, value=value, unit=unit, kind=f"{kind} (--{name})"))
        return float(value) if name == "fps" else int(value)

    steps = chosen("steps", pipeline.steps, USUAL_STEPS, "step")
    branches = chosen("branches", pipeline.branches, 2, "")
    fps = chosen("fps", pipeline.fps, USUAL_FPS, "")
    if given["seconds"] is not None:
        length = resolve.number(given["seconds"], quantity.SECONDS, "seconds", least=0.01)
        frames: Numeric = np.ceil(length * fps) if isinstance(length, np.ndarray) else int(np.ceil(length * fps))
    elif tokens is not None and given["frames"] is None:
        frames = fps * 60
        assumed.append(Assumption(name="seconds", value=60.0, unit="s", kind="assumed (--seconds)"))
    else:
        frames = chosen("frames", pipeline.frames, 1, "")
    if resolution is not None:
        width, height = quantity.read_resolution(resolution)
    else:
        width, height = pipeline.width or 1280, pipeline.height or 720
        if tokens is None:
            kind = "assumed" if pipeline.width is None else f"as in {pipeline.name}"
            assumed.append(Assumption(name="resolution", value=f"{width}x{height}", kind=f"{kind} (--resolution)"))
    clip = Clip(frames=frames, height=height, width=width, fps=fps, steps=steps, branches=branches, tokens=tokens)
    return clip, assumed


def _market(book: Catalogue) -> list[Figure]:
    """Newest list price of each service and mode, cheapest first."""
    newest: dict[tuple[str, str], Price] = {}
    for row in book.prices(category="api_video"):
        key = (row.subject, row.config)
        if key not in newest or row.date > newest[key].date:
            newest[key] = row
    return [
        Figure(
            name=f"{row.subject} {row.config}".strip(), value=row.value, unit=row.unit, note=row.date, source=row.source
        )
        for row in sorted(newest.values(), key=lambda row: row.value)
    ]
