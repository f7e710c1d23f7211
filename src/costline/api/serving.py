"""Questions about decoders: serve and caption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costline import quantity, resolve
from costline.api.common import Job, check_sizes, finished, read_batch, recording, remarks, shape_notes
from costline.api.lists import over_lists
from costline.api.stored import stored_formats
from costline.api.validated import earned
from costline.catalogue import Catalogue
from costline.engine.passes import Machine
from costline.errors import InputError, UnknownNameError
from costline.estimate import Assumption, Estimate, Figure
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Measured
from costline.kernels import Kernels, read_kernels
from costline.models.decoder import Decoder
from costline.models.encoder import Encoder
from costline.numeric import Numeric, choose, largest, smallest
from costline.plan import Plan
from costline.report.values import text, whole
from costline.resolve import Model, Number, Site
from costline.studies.caption import Corpus
from costline.studies.caption import caption as caption_study
from costline.studies.choose import Choice, captioning_plan, serving_plan
from costline.studies.serve import largest_batch, request_memory, serving_figures
from costline.studies.serve import serve as serve_study
from costline.studies.serving_times import Batching, Requests
from costline.studies.software import Stated
from costline.studies.stated import check_stated
from costline.uncertainty.ranged import ranged

USUAL_BATCH = 64
"""Sequences in flight where nobody says otherwise; fewer if they do not fit."""


@over_lists
@ranged
def serve(
    model: Model | None = None,
    *,
    on: str | Cluster,
    input: Number = 1000,
    output: Number = 200,
    batch: Number | None = None,
    batching: Batching = "continuous",
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    kernels: Kernels = "model",
    price: Number | None = None,
    params: Number | None = None,
    active: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
    explain: bool = False,
) -> Estimate:
    """Estimate serving a decoder language model.

    Parameters
    ----------
    model : str, Path or Network, optional
        Catalogue name, ``config.json`` or folder; leave out for a hypothetical model of `params`.
    on : str or Cluster
        Chips, such as ``8xh100-sxm``.
    input, output : str, int or array
        Prompt and answer. [token]
    batch : str, int or array, optional
        Sequences in flight on all chips. [sequence]
    batching : {"continuous", "static"}
        Newcomers join a running batch, or the whole batch starts together.
    precision : str, optional
        Format of weights and products; 4-bit formats are for weights only. Default: what the model is stored in, or
        bf16.
    plan : str or mapping, optional
        Plan fields the user fixes, such as ``tensor=8, cache=fp8``; the rest is chosen.
    engine : str, optional
        Software, an id of ``costline data list software``; default the average of 2025, with fused kernels.
    engine_date : str or float, optional
        Its release: ``2025-06`` or a year. Older software is slower, and has the attention kernels of its day.
    attention : str, optional
        Attention kernel: naive, fa1, fa2, fa3, ...; default what the engine uses, or the newest the chip has.
    compile : bool, optional
        Whether element-wise work is fused and kernels are launched as one graph; default what the engine does.
    kernels : {"model", "measured"}
        Times of products, attention, experts and collectives: modelled, or interpolated from the measured tables of the
        extra ``kernels``, for the chips and formats they cover. The plan is chosen by the model.
    price : str or float, optional
        Rent of a chip. [USD/s as a number]
    params, active : str or float, optional
        Size of a hypothetical model, and the part of it a token uses. [parameter]
    shape : mapping, optional
        Dimensions of a hypothetical model that the user fixes.
    pue : float, optional
        Energy of the building over energy of the systems. [1]
    coefficients : mapping, optional
        Coefficients the user fixes, by name.
    catalogue : str or Path, optional
        File of the user's own chips, systems, prices and models.
    explain : bool
        Whether to record the derivation.

    Returns
    -------
    Estimate
        See `costline.studies.serve.serve`.

    Raises
    ------
    InputError
        Anything that cannot be read, with the nearest fix.
    """
    job = serving_job(
        model, on=on, input=input, output=output, batch=batch, batching=batching, precision=precision, plan=plan,
        price=price, params=params, active=active, shape=shape, pue=pue, coefficients=coefficients,
        catalogue=catalogue,
        engine=engine, engine_date=engine_date, attention=attention, compile=compile, kernels=kernels,
    )  # fmt: skip
    return answered(job, batch is None, explain=explain)


def answered(
    job: Job[Decoder, Requests],
    filling: bool,
    wanted: Callable[[Mapping[str, Figure]], Any] | None = None,
    *,
    explain: bool = False,
) -> Estimate:
    """Answer a question about serving.

    Parameters
    ----------
    job : Job
        The question.
    filling : bool
        Whether nobody stated the batch, so that it may be what fits.
    wanted : callable, optional
        From figures, whether they are wanted: such a plan is chosen before any other.
    explain : bool
        Whether to record the derivation.
    """
    network, asked = job.subject, job.asked
    known = job.place.machine.efficiency.kernels
    plain = replace(job.place, machine=_asking(job.place.machine, None))
    place, words = _planned(network, asked, plain, filling, wanted)
    place = replace(place, machine=_asking(place.machine, known))
    assumed = [words, *job.assumed]
    if filling:
        asked = _filled(network, asked, place)
        note = "what fits, at most 64" if np.any(np.asarray(asked.batch) < USUAL_BATCH) else "usual"
        assumed.append(Assumption(name="batch", value=f"{whole(asked.batch)} ({note}; --batch)", kind="assumed"))
    title = f"{serving_title(job)}, batch {whole(asked.batch)}"
    with recording(explain) as record:
        estimate = serve_study(network, asked, place.machine, place.economics, title)
    if known is not None:
        assumed.append(Assumption(name="kernels", value=known.said, kind="--kernels", source=known.source))
    longest = asked.input + asked.output
    static = asked.batching == "static"
    estimate = earned(estimate, network, place.machine, asked.batch, longest, static=static)
    return finished(estimate, assumed, place.machine, record, remarks(network))


def serving_job(
    model: Model | None = None,
    *,
    on: str | Cluster,
    input: Number = 1000,
    output: Number = 200,
    batch: Number | None = None,
    batching: Batching = "continuous",
    precision: str | None = None,
    plan: str | Mapping[str, Any] | Plan | None = None,
    engine: str | None = None,
    engine_date: str | float | None = None,
    attention: str | None = None,
    compile: bool | str | None = None,
    kernels: Kernels = "model",
    price: Number | None = None,
    params: Number | None = None,
    active: Number | None = None,
    shape: Mapping[str, Any] | None = None,
    pue: Number | None = None,
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
) -> Job[Decoder, Requests]:
    """Read a question about serving; parameters as of `serve`."""
    check_sizes(model, params=params, active=active, shape=shape)
    book = resolve.catalogue(catalogue)
    network = resolve.decoder(model, params, active, shape, book)
    stored, plan, notes = stored_formats(model, precision, plan, book)
    software = Stated(engine=engine, date=engine_date, attention=attention, compiled=compile)
    place = resolve.site(
        on, plan=plan, precision=stored, price=price, pue=pue, coefficients=coefficients,
        book=book, software=software,
    )  # fmt: skip
    check_stated(network, place.fixed, "serving")
    if read_kernels(kernels):
        from costline.kernels.measured import MeasuredKernels

        place = replace(place, machine=_asking(place.machine, MeasuredKernels()))
    asked = Requests(
        input=resolve.number(input, quantity.TOKENS, "input", least=1, whole=True),
        output=resolve.number(output, quantity.TOKENS, "output", least=1, whole=True),
        batch=USUAL_BATCH if batch is None else read_batch(batch),
        batching=batching,
    )
    resolve.stated(batching, str, "batching", "continuous")
    if batching not in {"continuous", "static"}:
        raise InputError(f"batching {batching!r}: choose continuous or static")
    return Job(network, asked, place, (*notes, *place.assumptions, *shape_notes(network, model)))


def _asking(machine: Machine, kernels: Measured | None) -> Machine:
    """The machine with measured kernels, or without them."""
    return replace(machine, efficiency=machine.efficiency.asking(kernels))


def serving_title(job: Job[Decoder, Requests]) -> str:
    """The question in words."""
    cluster, asked = job.place.machine.cluster, job.asked
    lengths = f"{whole(asked.input)} tokens in, {whole(asked.output)} out"
    return f"Serve {job.subject.name} on {whole(cluster.chips)} x {cluster.chip.id}: {lengths}"


def _planned(
    network: Decoder,
    asked: Requests,
    place: Site,
    filling: bool,
    wanted: Callable[[Mapping[str, Figure]], Any] | None = None,
) -> tuple[Site, Assumption]:
    """The place with the best plan, and a word on it; if the batch is free, for as many sequences as any plan holds."""

    def good(machine: Machine) -> Any:
        return wanted(serving_figures(network, asked, machine, place.economics)[0]) if wanted is not None else True

    check = None if wanted is None else good
    held = asked
    for across in (False, True) if filling else (True,):  # rather fewer sequences than plans across domains
        choice = serving_plan(network, held, place.machine, place.fixed, check, place.economics, across)
        while filling and np.any(~np.asarray(choice.fits) & (np.asarray(held.batch) > 1)):
            held = replace(held, batch=choose(choice.fits, held.batch, largest(held.batch // 2, 1)))
            choice = serving_plan(network, held, place.machine, place.fixed, check, place.economics, across)
        if np.all(choice.fits):
            break
        held = replace(held, batch=choose(choice.fits, held.batch, asked.batch))
    return _settled(place, choice)


def _settled(place: Site, choice: Choice) -> tuple[Site, Assumption]:
    """The place with the plan chosen, and a word on it."""
    plan = choice.plan
    contexts = {name: getattr(plan, name) for name in ("ulysses", "ring") if name in place.fixed}
    degrees = {"tensor": plan.tensor, "pipeline": plan.pipeline, **contexts, "expert": plan.expert}
    degrees["replicas"] = plan.data
    words = ", ".join(f"{name}={whole(degree)}" for name, degree in degrees.items()) + f": {choice.words}"
    machine = replace(place.machine, plan=plan)
    return replace(place, machine=machine), Assumption(name="plan", value=words, kind="chosen")


def _filled(network: Decoder, asked: Requests, place: Site) -> Requests:
    """The usual batch, or as many sequences as fit, at least one."""
    plan = place.machine.plan
    if np.all(request_memory(network, asked, asked.batch / plan.data, place.machine).fits):
        return asked
    fits = largest_batch(network, asked.input + asked.output, place.machine, asked.input, together=asked.together)
    batch = smallest(fits, asked.batch)
    return replace(asked, batch=np.maximum(batch, 1) if isinstance(batch, np.ndarray) else max(batch, 1))


@over_lists
@ranged
def caption(
    model: Model | None = None,
    *,
    on: str | Cluster,
    minutes: Number,
    clip: Number = "60s",
    frames: Number = 8,
    frame_tokens: Number = 256,
    prompt: Number = 64,
    output: Number = 200,
    batch: Number | None = None,
    vision: Number | None = None,
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
    coefficients: Mapping[str, Number] | None = None,
    catalogue: str | Path | None = None,
    explain: bool = False,
) -> Estimate:
    """Estimate captioning a video corpus with a vision-language model.

    Parameters
    ----------
    model : str, Path or Network, optional
        Language model; leave out for a hypothetical model of `params`.
    on : str or Cluster
        Chips, such as ``64xh100-sxm``.
    minutes : str, float or array
        Length of the corpus. [minute]
    clip : str or float
        Length that gets one caption. [s]
    frames, frame_tokens, prompt, output : int or array
        Frames shown for a clip, tokens of a frame, tokens of instruction and caption.
    batch : int or array, optional
        Clips in flight on all chips; default as many as fit.
    vision : str or float, optional
        Parameters of a vision encoder to count besides the language model; its layers are shaped like a language
        model's of that size. [parameter]
    precision, plan, engine, engine_date, attention, compile
        As for `serve`.
    price, params, active, shape, coefficients, catalogue, explain
        As for `serve`.

    Returns
    -------
    Estimate
        See `costline.studies.caption.caption`.
    """
    check_sizes(model, params=params, active=active, shape=shape)
    book = resolve.catalogue(catalogue)
    network = resolve.decoder(model, params, active, shape, book)
    stored, plan, notes = stored_formats(model, precision, plan, book)
    software = Stated(engine=engine, date=engine_date, attention=attention, compiled=compile)
    place = resolve.site(
        on, plan=plan, precision=stored, price=price, coefficients=coefficients,
        book=book, software=software,
    )  # fmt: skip
    check_stated(network, place.fixed, "serving")
    length: Numeric = resolve.number(minutes, quantity.COUNT, "minutes", least=1 / 60) * 60
    corpus = Corpus(
        seconds=length,
        clip_seconds=resolve.number(clip, quantity.SECONDS, "clip", least=0.1),
        frames=resolve.number(frames, quantity.COUNT, "frames", least=1, whole=True),
        frame_tokens=resolve.number(frame_tokens, quantity.TOKENS, "frame_tokens", least=1, whole=True),
        prompt=resolve.number(prompt, quantity.TOKENS, "prompt", least=0, whole=True),
        output=resolve.number(output, quantity.TOKENS, "output", least=1, whole=True),
        batch=None if batch is None else read_batch(batch),
    )
    chips, encoder = place.machine.cluster.chips, _vision(vision)
    place, words = _settled(place, captioning_plan(network, corpus, place.machine, place.fixed, encoder))
    title = (
        f"Caption {text(length, 's')} of video with {network.name} on {whole(chips)} x {place.machine.cluster.chip.id}"
    )
    with recording(explain) as record:
        estimate = caption_study(
            network, corpus, place.machine, place.economics, encoder, title, _api_price(network.name, book)
        )
    flying = estimate.figure("batch").amount
    estimate = earned(estimate, network, place.machine, flying, corpus.input + corpus.output)
    assumed = [words, *notes, *place.assumptions, *shape_notes(network, model)]
    return finished(estimate, assumed, place.machine, record, remarks(network))


def _vision(params: Number | None) -> Encoder | None:
    """A vision encoder of which only the size is known, or a family of them where that is an array."""
    if params is None:
        return None
    from costline.models.decoders.family import decoder_family
    from costline.models.decoders.hypothetical import hypothetical_decoder
    from costline.models.encoders.trunks import as_encoder

    size = resolve.number(params, quantity.PARAMS, "vision", least=1)
    if isinstance(size, np.ndarray):  # samples of a range
        return as_encoder(decoder_family(size, vocab=256, tied=True))
    return as_encoder(hypothetical_decoder(size, name="vision encoder", vocab=256, tied=True))


def _api_price(name: str, book: Catalogue) -> tuple[float, float] | None:
    """Published price of a model's input and output token, if there is one. [USD/token]"""
    try:
        listed = book.api_price(name)
    except UnknownNameError:
        return None
    if listed.per_input_token is None or listed.per_output_token is None:
        return None
    return listed.per_input_token, listed.per_output_token
