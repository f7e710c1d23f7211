"""The question about training runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costline import quantity, resolve
from costline.api.common import Job, check_sizes, finished, recording, remarks, shape_notes
from costline.api.curriculum import UsualClip, read_stretches
from costline.api.lists import over_lists
from costline.api.validated import earned
from costline.catalogue import Catalogue
from costline.catalogue.given import with_head
from costline.errors import ConfigError, InputError
from costline.estimate import Assumption, Estimate
from costline.hardware.cluster import Cluster
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.network import Network
from costline.models.pipeline import Pipeline
from costline.numeric import Numeric, largest
from costline.plan import Plan
from costline.report.values import text, whole
from costline.resolve import Model, Number
from costline.search.setting import plan_words
from costline.studies.batch import USUAL_CHIP_TOKENS, usual_batch
from costline.studies.choose import Choice, training_plan
from costline.studies.software import Stated
from costline.studies.stated import check_stated
from costline.studies.train import Run, sample_streams, sample_tokens
from costline.studies.train import train as train_study
from costline.uncertainty.ranged import ranged


@over_lists
@ranged
def train(
    model: Model | None = None,
    *,
    on: str | Cluster,
    tokens: Number | None = None,
    clips: Number | None = None,
    sequence: Number | None = None,
    resolution: str | None = None,
    frames: Number | None = None,
    batch_tokens: Number | None = None,
    curriculum: str | None = None,
    mfu: Number | None = None,
    failures: bool = True,
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    price: Number | None = None,
    params: Number | None = None,
    active: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    video: bool = False,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
    explain: bool = False,
) -> Estimate:
    """Estimate a training run of a decoder or a diffusion transformer.

    Parameters
    ----------
    model : str, Path or Network, optional
        Catalogue name, ``config.json`` or folder; leave out for a hypothetical model of `params`.
    on : str or Cluster
        Chips, such as ``16384xh100-sxm``.
    tokens, clips : str, float or array
        Training tokens, or clips and images. One of the two. [token, clip]
    sequence : str, int or array, optional
        Tokens of a sample. [token]
    resolution, frames : str and int, optional
        Size of a clip, for diffusion transformers.
    batch_tokens : str, float or array, optional
        Tokens of an optimizer step; the nearest number of whole sequences is trained on. [token]
    curriculum : str, optional
        Shares of the tokens at sequence lengths: ``90%@32k, 10%@1M``.
    mfu : str or float, optional
        Utilisation that overrides the time model. [1]
    failures : bool
        Whether interruptions and checkpoints lengthen the run.
    precision, plan, engine, engine_date, attention, compile, price, params, active, shape
        As for `serve`.
    video : bool
        Whether a hypothetical model is a diffusion transformer.
    pue, coefficients, catalogue, explain
        As for `serve`.

    Returns
    -------
    Estimate
        See `costline.studies.train.train`.
    """
    job = training_job(
        model, on=on, tokens=tokens, clips=clips, sequence=sequence, resolution=resolution, frames=frames,
        batch_tokens=batch_tokens, curriculum=curriculum, mfu=mfu, failures=failures, precision=precision, plan=plan,
        price=price, params=params, active=active, shape=shape, video=video, pue=pue, coefficients=coefficients,
        catalogue=catalogue,
        engine=engine, engine_date=engine_date, attention=attention, compile=compile,
    )  # fmt: skip
    run, choices = planned(job)
    machine = replace(job.place.machine, plan=choices[0].plan)
    with recording(explain) as record:
        estimate = train_study(job.subject, run, machine, job.place.economics, training_title(job))
    if run.mfu is None:  # a stated utilisation stands in for the time model, whose errors then say nothing
        longest = largest(*(stretch.sequence for stretch in run.stretches))
        estimate = earned(estimate, job.subject, machine, run.batch_tokens / longest, longest)
    said = (*remarks(job.subject), *_useless(machine.plan), *_too_long(job.subject, run))
    return finished(estimate, [*_chosen(run, choices, estimate), *job.assumed], machine, record, said)


def planned(job: Job[Network, Run]) -> tuple[Run, list[Choice]]:
    """The run with a plan for each length of its curriculum, unless one suits all, and how they were chosen."""
    run, place = job.asked, job.place
    parts = [replace(run, stretches=[stretch]) for stretch in run.stretches]
    if run.stretches[0].plan is not None:
        return run, [training_plan(job.subject, run, place.machine, place.fixed)]
    choices = [training_plan(job.subject, part, place.machine, place.fixed) for part in parts]
    if all(choice.stated for choice in choices):
        return run, choices[:1]
    if len(parts) == 1:
        return run, choices
    stretches = [replace(part.stretches[0], plan=choice.plan) for part, choice in zip(parts, choices, strict=True)]
    return replace(run, stretches=stretches), choices


def _chosen(run: Run, choices: Sequence[Choice], estimate: Estimate) -> Iterator[Assumption]:
    """The plan in words; of a curriculum one a length, with the time of that part."""
    if len(choices) == 1:
        yield Assumption(name="plan", value=f"{plan_words(choices[0].plan)}: {choices[0].words}", kind="chosen")
        return
    parts = estimate.figures["time"].children[0].children or (None,) * len(choices)
    for stretch, choice, part in zip(run.stretches, choices, parts, strict=True):
        spent = "" if part is None else f", {text(part.value, 's')}"
        words = f"{plan_words(choice.plan)}: {choice.words}{spent}"
        yield Assumption(name=f"plan at {text(stretch.sequence, 'token')}", value=words, kind="chosen")


def _useless(plan: Plan) -> tuple[str, ...]:
    """What the plan states to no effect."""
    if plan.attention == "naive" or not np.any(np.equal(plan.recompute, "selective")):
        return ()
    return ("recompute=selective is the same as none: fused attention keeps no scores (--attention naive does)",)


def _too_long(network: Network, run: Run) -> tuple[str, ...]:
    """That sequences are longer than the model takes."""
    longest = float(np.max(largest(*(stretch.sequence for stretch in run.stretches))))
    most = network.max_context if isinstance(network, Decoder) else None
    if most is None or longest <= most:
        return ()
    return (f"sequences of {longest:,.0f} tokens are beyond the {most:,} that {network.name} states as its context",)


def training_job(
    model: Model | None = None,
    *,
    on: str | Cluster,
    tokens: Number | None = None,
    clips: Number | None = None,
    sequence: Number | None = None,
    resolution: str | None = None,
    frames: Number | None = None,
    batch_tokens: Number | None = None,
    curriculum: str | None = None,
    mfu: Number | None = None,
    failures: bool = True,
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | tuple[Plan, ...] | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    price: Number | None = None,
    params: Number | None = None,
    active: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    video: bool = False,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
) -> Job[Network, Run]:
    """Read a question about training; parameters as of `train`, and `plan` may be one for each part of a curriculum."""
    plans = plan if isinstance(plan, tuple) else ()
    check_sizes(model, params=params, active=active, shape=shape)
    book = resolve.catalogue(catalogue)
    video = quantity.read_flag(video, "video")
    if active is not None and video:
        raise InputError(f"active {active}: a hypothetical video model has no experts; leave out --active")
    if model is not None and video:
        raise InputError(f"video: {model} says itself what it makes; leave out --video")
    network, usual_clip, left_out = _network(model, params, active, shape, video, book)
    software = Stated(engine=engine, date=engine_date, attention=attention, compiled=compile)
    place = resolve.site(
        on, plan=plan if not isinstance(plan, tuple) else plan[0], precision=precision, price=price, pue=pue,
        coefficients=coefficients, book=book, study="train", software=software,
    )  # fmt: skip
    check_stated(network, place.fixed, "training")
    if (tokens is None) == (clips is None):
        raise InputError("say how much is trained on: either --tokens or --clips")
    if clips is not None and all(each is None for each in (sequence, curriculum, resolution, frames)):
        raise InputError("the size of a sample is open: give --resolution and --frames, or its tokens with --sequence")
    given = {"sequence": sequence, "curriculum": curriculum, "resolution": resolution, "frames": frames}
    stretches, assumed = read_stretches(network, given, usual_clip)
    chips = place.machine.cluster.chips
    stretches = [replace(one, plan=own.spread(chips)) for one, own in zip(stretches, plans, strict=False)] or stretches
    per_sample = sample_tokens(sample_streams(network, stretches[0], 1))
    everything = _tokens(tokens, clips, per_sample)
    if batch_tokens is None:
        step_tokens = usual_batch(place.machine.cluster.chips, per_sample)
        words = f"{text(step_tokens, 'token')}: the larger of 4M and {USUAL_CHIP_TOKENS:,} a chip, in whole sequences"
        assumed.append(Assumption(name="tokens of a step", value=words, kind="assumed (--batch)"))
    else:
        step_tokens = resolve.number(batch_tokens, quantity.TOKENS, "batch_tokens", least=1)
    share = None if mfu is None else resolve.number(mfu, quantity.FRACTION, "mfu", least=1e-6)
    run = Run(
        tokens=everything,
        stretches=stretches,
        batch_tokens=step_tokens,
        mfu=share,
        failures=quantity.read_flag(failures, "failures"),
    )
    return Job(network, run, place, (*left_out, *assumed, *place.assumptions, *shape_notes(network, model)))


def training_title(job: Job[Network, Run]) -> str:
    """The question in words."""
    cluster = job.place.machine.cluster
    chips = f"{whole(cluster.chips)} x {cluster.chip.id}"
    return f"Train {job.subject.name} on {text(job.asked.tokens, 'token')} with {chips}"


def _network(
    model: Model | None,
    params: Number | None,
    active: Number | None,
    shape: Mapping[str, Any] | None,
    video: bool,
    book: Catalogue,
) -> tuple[Network, UsualClip, list[Assumption]]:
    """The network that is trained, the clips its pipeline makes, and which networks of that are left out."""
    if model is None:
        if video:
            return resolve.sampler(None, params, shape, book).transformers[0][0], UsualClip(), []
        return resolve.decoder(None, params, active, shape, book), UsualClip(), []
    found = with_head(model, resolve.model(model, book))
    if isinstance(found, Pipeline):
        number = len(found.transformers)
        words = f"one of the {number} transformers of {found.name}; the rest is left out"
        note = Assumption(name="trained", value=words, kind="of a pipeline the first")
        usual = UsualClip(found.frames, found.height, found.width)
        return found.transformers[0][0], usual, [note] if number > 1 else []
    if not isinstance(found, Decoder | DiT):
        raise ConfigError(f"{found.name} ({found.architecture}) is neither a decoder nor a diffusion transformer")
    return found, UsualClip(), []


def _tokens(tokens: Number | None, clips: Number | None, per_sample: Numeric) -> Numeric:
    if tokens is not None:
        return resolve.number(tokens, quantity.TOKENS, "tokens", least=1)
    return resolve.number(0 if clips is None else clips, quantity.COUNT, "clips", least=1) * per_sample
