"""Computations that are whole studies: one figure of a training, a serving, a generation, a captioning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from costline.engine.passes import Machine
from costline.errors import InputError
from costline.estimate import Estimate
from costline.formulas.roofline import arithmetic_intensity
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.numeric import Numeric
from costline.studies.audit.kinds import Count, Plain, Seconds, Tokens
from costline.studies.audit.shelf import Shelf, Value
from costline.studies.batch import usual_batch
from costline.studies.caption import Corpus
from costline.studies.caption import caption as caption_study
from costline.studies.choose import Choice, captioning_plan, generation_plan, serving_plan, training_plan
from costline.studies.clip import Clip
from costline.studies.generate import evaluation
from costline.studies.generate import generate as generate_study
from costline.studies.serve import serve as serve_study
from costline.studies.serving_times import Requests
from costline.studies.train import Run, Stretch
from costline.studies.train import train as train_study


def _figure(estimate: Estimate, name: str, work: str) -> Value:
    figure = estimate.figure(name)
    if estimate.feasible is False:
        raise InputError(f"{work} does not fit: {estimate.reason}; {estimate.change}")
    if figure.value is None:
        raise InputError(f"{name} of {work} is unknown: {figure.note}")
    return Value(figure.value, "" if figure.unit == "ratio" else figure.unit, f"costline {estimate.study}: {work}")


def _said(value: Numeric) -> str:
    """A number, or the median of samples, for words."""
    number = float(np.median(value))
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


def _asked(shelf: Shelf, model: str, on: str) -> str:
    found = shelf.model(model)
    return f"{found.name if model not in shelf.own else model} on {on}"


def serve(
    shelf: Shelf,
    model: str,
    on: str,
    figure: str,
    input: Tokens = 1000,
    output: Tokens = 1000,
    batch: Count = 1,
    plan: str = "",
    speedup: Plain = 1.0,
    bandwidth: Plain = 1.0,
) -> Value:
    """A figure of serving a decoder with the best plan: tpot, output_rate, decode_mfu, decode_intensity, ..."""
    network = shelf.decoder(model)
    requests = Requests(input=input, output=output, batch=batch)
    machine = shelf.machine(partial(serving_plan, network, requests), on, plan, speedup, bandwidth)
    estimate = serve_study(network, requests, machine)
    return _figure(estimate, figure, f"{_asked(shelf, model, on)}, batch {_said(batch)}")


def _clip(network: DiT, tokens: Tokens, seconds: Seconds, steps: Count, branches: Count) -> Clip:
    return Clip(frames=seconds, height=1, width=1, fps=1.0, steps=steps, branches=branches, tokens=tokens)


def generate(
    shelf: Shelf,
    model: str,
    on: str,
    figure: str,
    tokens: Tokens,
    seconds: Seconds = 60.0,
    steps: Count = 20,
    branches: Count = 1,
    segment: Seconds = 0.0,
    overlap: Seconds = 0.0,
    plan: str = "",
    speedup: Plain = 1.0,
    bandwidth: Plain = 1.0,
) -> Value:
    """A figure of generating a clip of so many latent tokens with the best plan: time, mfu, flops, ...

    The latent is taken as it is: text encoders and autoencoder are left out. A `segment` above 0 makes the clip in
    pieces that share `overlap`.
    """
    pipeline = shelf.pipeline(model)
    alone = replace(pipeline, autoencoder=None, encoders=())
    clip = _clip(pipeline.transformers[0][0], tokens, seconds, steps, branches)
    if np.any(segment):
        clip = replace(clip, segment=segment, overlap=overlap)
    machine = shelf.machine(partial(generation_plan, alone, clip), on, plan, speedup, bandwidth)
    estimate = generate_study(alone, clip, machine)
    work = f"{_asked(shelf, model, on)}, {_said(tokens)} tokens"
    work += f" in segments of {_said(segment)} s" if np.any(segment) else ""
    return _figure(estimate, figure, work)


def clip_share(
    shelf: Shelf,
    model: str,
    on: str,
    height: Count,
    width: Count,
    frames: Count,
    part: str = "decode",
    steps: Count = 20,
    branches: Count = 1,
    plan: str = "",
) -> Value:
    """Share of a clip's time that a part takes: encode, denoise or decode; with the best plan."""
    pipeline = shelf.pipeline(model)
    clip = Clip(frames=frames, height=height, width=width, steps=steps, branches=branches)
    machine = shelf.machine(partial(generation_plan, pipeline, clip), on, plan)
    estimate = generate_study(pipeline, clip, machine)
    whole = _figure(estimate, "time", _asked(shelf, model, on))
    parts = {child.name: child.value for child in estimate.figure("time").children}
    taken = parts.get(part)
    if taken is None:
        raise InputError(f"a clip of {model} has no part {part[:40]!r}; it has {', '.join(parts)}")
    return Value(taken / whole.number, "1", whole.source)


def evaluation_intensity(shelf: Shelf, model: str, on: str, tokens: Tokens, plan: str = "") -> Value:
    """FLOPs for each byte of memory traffic in one evaluation of a diffusion transformer."""
    pipeline = shelf.pipeline(model)
    clip = _clip(pipeline.transformers[0][0], tokens, 60.0, 1, 1)
    machine = shelf.machine(partial(generation_plan, pipeline, clip), on, plan)
    timing = evaluation(pipeline.transformers[0][0], clip, machine)
    intensity: Numeric = arithmetic_intensity(timing.flops, timing.traffic)
    return Value(intensity, "FLOP/byte", f"costline generate: {_asked(shelf, model, on)}, one evaluation")


def train(
    shelf: Shelf,
    model: str,
    on: str,
    figure: str,
    tokens: Tokens,
    sequence: Tokens = 4096,
    batch_tokens: Tokens = 0,
    plan: str = "",
) -> Value:
    """A figure of a training run with the best plan: time, mfu, flops_exact, ..."""
    found = shelf.model(model)
    network = found if isinstance(found, Decoder) else shelf.transformer(model)

    def asked(chips: Numeric) -> Run:
        step = batch_tokens if np.any(batch_tokens) else usual_batch(chips, sequence)  # 0: as nobody says otherwise
        return Run(tokens=tokens, stretches=[Stretch(sequence=sequence)], batch_tokens=step)

    def chosen(place: Machine, fixed: Mapping[str, Any]) -> Choice:
        return training_plan(network, asked(place.cluster.chips), place, fixed)

    machine = shelf.machine(chosen, on, plan)
    run = asked(machine.cluster.chips)
    work = f"{_asked(shelf, model, on)}, {float(np.median(tokens)):.3g} tokens"
    return _figure(train_study(network, run, machine), figure, work)


def caption(
    shelf: Shelf,
    model: str,
    on: str,
    figure: str,
    seconds: Seconds,
    clip: Seconds = 60.0,
    frames: Count = 8,
    frame_tokens: Tokens = 256,
    output: Tokens = 200,
    plan: str = "",
) -> Value:
    """A figure of captioning a corpus: time, clips, input_tokens, output_tokens, ..."""
    network = shelf.decoder(model)
    corpus = Corpus(seconds=seconds, clip_seconds=clip, frames=frames, frame_tokens=frame_tokens, output=output)
    machine = shelf.machine(partial(captioning_plan, network, corpus), on, plan)
    return _figure(caption_study(network, corpus, machine), figure, _asked(shelf, model, on))
