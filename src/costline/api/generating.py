"""The question about generating clips and images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from costline import resolve
from costline.api.clips import check_plan, clip_words, read_clip
from costline.api.common import Job, check_sizes, finished, recording, shape_notes
from costline.api.lists import over_lists
from costline.api.validated import earned
from costline.catalogue import Catalogue, Price
from costline.estimate import Assumption, Estimate, Figure
from costline.hardware.cluster import Cluster
from costline.models.pipeline import Pipeline
from costline.plan import Plan
from costline.report.values import whole
from costline.resolve import Model, Number
from costline.studies.choose import generation_plan
from costline.studies.clip import Clip, clip_streams, piece_of
from costline.studies.generate import generate as generate_study
from costline.studies.software import Stated
from costline.uncertainty.ranged import ranged

TASK = re.compile(r"(?:[-/ ](?:t2v|i2v|r2v|(?:text|image|reference)-to-video|generate|preview|001))+$")
"""What a model is asked to do, and how final it is: none of its price."""
RESOLUTION = re.compile(r"\d{3,4}p|\dk", re.IGNORECASE)
"""Sizes in the names of what an API sells."""


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
    overlap: Number | None = None,
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
        Length of the clip: frames, or seconds and frames a second. Models of images take none of them.
    tokens : str, float or array, optional
        Latent tokens of the clip, where they are known instead of a resolution. [token]
    steps, branches : int or array, optional
        Sampler steps; evaluations of a guided step.
    batch : int or array
        Clips that each replica makes together; where a plan has several replicas (`data`), all make as many. [clip]
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
    market = asked_by_apis(resolve.catalogue(catalogue))
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
    overlap: Number | None = None,
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
    pipeline = resolve.sampler(model, params, shape, book)
    software = Stated(engine=engine, date=engine_date, attention=attention, compiled=compile)
    given = {
        "frames": frames, "seconds": seconds, "fps": fps, "tokens": tokens, "steps": steps, "branches": branches,
        "batch": batch, "segment": segment, "overlap": overlap, "chunk": chunk, "mfu": mfu,
    }  # fmt: skip
    clip, assumed = read_clip(pipeline, resolution, given)
    place = resolve.site(
        on, plan=plan, precision=precision, price=price, pue=pue, coefficients=coefficients,
        book=book, study="generate", software=software, steps=clip.steps,
    )  # fmt: skip
    check_plan(pipeline, clip, place)
    assumed += [*place.assumptions, *shape_notes(pipeline.transformers[0][0], model)]
    return Job(pipeline, clip, place, tuple(assumed))


def generation_title(job: Job[Pipeline, Clip]) -> str:
    """The question in words."""
    cluster, steps = job.place.machine.cluster, f"{whole(job.asked.steps)} steps"
    words = f"Generate {clip_words(job.asked)} with {job.subject.name}, {steps}"
    return f"{words}, on {whole(cluster.chips)} x {cluster.chip.id}"


def asked_by_apis(book: Catalogue) -> Figure | None:
    """What APIs ask for a second of video: median and span of the newest list prices, and those of every list.

    Lists repeat each other and themselves: two clouds of one vendor, text or image to video, a default beside the
    resolution it is the price of. What has the same model and the same price counts once.
    """
    newest: dict[tuple[str, str], Price] = {}
    for row in book.prices(category="api_video"):
        key = (row.subject, row.config)
        if key not in newest or row.date > newest[key].date:
            newest[key] = row
    by_detail = sorted(newest.values(), key=lambda row: len(row.config))  # the one that names a resolution comes last
    different = {(TASK.sub("", row.subject).rpartition("/")[2], row.value): row for row in by_detail}
    lists: dict[str, list[Price]] = {}
    for row in different.values():
        lists.setdefault(row.provider, []).append(row)
    if not lists:
        return None
    groups = sorted((_span(name, rows) for name, rows in lists.items()), key=lambda figure: figure.amount)
    words = f"{len(different)} different prices of {len(lists)} lists, all models and resolutions"
    everyone = _span("api_price", list(different.values()))
    return replace(everyone, combine="beside", children=tuple(groups), note=words, source="")


def _span(name: str, rows: Sequence[Price]) -> Figure:
    """Median of some prices, their span, and the resolutions they name."""
    prices = [row.value for row in rows]
    date = max(row.date for row in rows)
    sizes = sorted({size.lower() for row in rows for size in RESOLUTION.findall(row.config)}, key=_lines)
    note = f"median of {len(rows)} prices" if len(rows) > 1 else "one price"
    return Figure(
        name=name, value=median(prices), unit="USD/s of video", low=min(prices), high=max(prices),
        note=f"{note}, {', '.join(sizes)}" if sizes else note,
        source=f"costline data list prices --provider {name} --match video" + f", {date}" * bool(date),
    )  # fmt: skip


def _lines(size: str) -> int:
    """Lines of a picture by the name of its size, for order."""
    return int(size[:-1]) * (1000 if size.endswith("k") else 1)
