"""Generating a clip or an image: text encoder, every evaluation of the transformer, autoencoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costline.derivation import step
from costline.engine.memory import residual_elements, weight_bytes
from costline.engine.messages import pipeline_message
from costline.engine.passes import Machine, forward_pass, step_overhead
from costline.engine.timing import Timing, one_after_another, paced, time_messages, waiting
from costline.estimate import Estimate, Figure, timed, total
from costline.formulas.diffusion import computed_evaluations, evaluations
from costline.formulas.money import cost_per_unit
from costline.formulas.roofline import memory_time
from costline.formulas.training import time_at_utilisation, utilisation
from costline.models.autoencoder import Autoencoder
from costline.models.dit import DiT
from costline.models.network import Network
from costline.numeric import Numeric, Sum, add_up, ceil_divide, largest, times
from costline.plan import Plan
from costline.studies.clip import (
    Clip,
    Sampler,
    clip_streams,
    decoding,
    grid_notes,
    one_chip,
    piece_of,
    segment_notes,
    with_history,
)
from costline.studies.economics import Economics, cost_figure, energy_figures, idle_notes
from costline.studies.fit import Fit, nearest_fit
from costline.studies.formats import peak_rate, peak_words
from costline.studies.generation_memory import generation_memory
from costline.studies.serve import memory_figure


def generate(
    pipeline: Sampler,
    clip: Clip,
    machine: Machine,
    economics: Economics | None = None,
    title: str = "",
    market: Figure | None = None,
) -> Estimate:
    """Estimate a whole generation pipeline.

    Parameters
    ----------
    pipeline : Sampler
        Transformers with their shares of the steps, autoencoder, encoders.
    clip : Clip
        Size, steps and how the length is covered.
    machine : Machine
        Cluster, coefficients and plan.
    economics : Economics, optional
        Prices and conditions.
    title : str
        The question in words.
    market : Figure, optional
        What APIs ask, to show beside the cost. [USD/s]

    Returns
    -------
    Estimate
        Figures ``time`` (of one clip), ``cost``, ``cost_per_second``, ``clips_per_hour``, ``energy``, ``mfu``,
        ``memory``, ``flops``, ``evaluations``, ``tokens``.
    """
    economics = economics or Economics()
    piece, pieces = piece_of(pipeline, clip)
    phases = generation_phases(pipeline, piece, machine)
    if clip.mfu is not None:
        phases["denoise"] = _stated(pipeline, piece, machine)
    whole = {name: timing * _times(name, pieces) for name, timing in phases.items()}
    busy = one_after_another(whole.values())
    children = [timed(name, timing) for name, timing in whole.items()]
    seconds = busy.point
    note = "" if np.ndim(seconds) else f"bound by {busy.binds}"
    figures = {"time": total("time", "s", children, low=busy.lower, high=busy.upper, note=note)}
    figures |= _money(clip, seconds, busy, machine, economics, market)
    figures |= _work(pipeline, piece, pieces, whole["denoise"], machine)
    memory = generation_memory(pipeline, piece, machine)
    figures["memory"] = memory_figure(memory)
    fit = nearest_fit(memory, lambda: _changes(pipeline, clip, machine))
    return Estimate(
        study="generate",
        title=title or f"generate with {pipeline.name}",
        inputs=_inputs(pipeline, clip, machine),
        figures=figures,
        feasible=fit.feasible,
        reason=fit.reason,
        change=fit.change,
        warnings=_warnings(pipeline, clip, machine),
    )


def _warnings(pipeline: Sampler, clip: Clip, machine: Machine) -> tuple[str, ...]:
    notes = (
        []
        if clip.mfu is None
        else [
            "denoising time follows from the MFU you stated; the time model was not used, no interval holds its errors"
        ]
    )
    if clip.tokens is None:
        piece, _ = piece_of(pipeline, clip)
        notes += grid_notes(pipeline.transformers[0][0], piece.frames, clip.height, clip.width)
    notes += segment_notes(pipeline, clip)
    return (*notes, *_side_by_side(clip, machine.plan), *idle_notes(machine))


def _side_by_side(clip: Clip, plan: Plan) -> tuple[str, ...]:
    """What replicas make beside each other, and of how many clips the time and the cost are."""
    if np.ndim(plan.data) or np.ndim(plan.replica) or np.ndim(clip.batch) or (plan.data == 1 and clip.batch == 1):
        return ()
    each = "a chip" if plan.replica == 1 else f"{plan.replica:,.0f} chips"
    still = bool(np.all(np.asarray(clip.frames) == 1))
    one, many = ("image", "images") if still else ("clip", "clips")
    if clip.batch == 1:
        return (f"{plan.data:,.0f} {many} are made side by side, each on {each}; time and cost are of one",)
    made = f"{clip.batch:,.0f} {many} are made together"
    if plan.data > 1:
        made = f"each of {plan.data:,.0f} replicas, of {each}, makes {clip.batch:,.0f} {many} together"
        made += f", {plan.data * clip.batch:,.0f} in all"
    return (f"{made}; time is until these {clip.batch:,.0f} are done, cost and energy are of one {one}",)


def generation_time(pipeline: Sampler, clip: Clip, machine: Machine) -> Numeric:
    """Time of one clip. [s]"""
    piece, pieces = piece_of(pipeline, clip)
    seconds: Numeric = 0.0
    for name, timing in generation_phases(pipeline, piece, machine).items():
        seconds = seconds + timing.point * _times(name, pieces)
    return seconds


def _times(phase: str, pieces: Numeric) -> Numeric:
    """How often a phase runs: segments share one prompt."""
    return 1 if phase == "encode text" else pieces


def generation_phases(pipeline: Sampler, clip: Clip, machine: Machine) -> dict[str, Timing]:
    """Time of encoding, denoising and decoding one piece."""
    phases: dict[str, Timing] = {}
    with step("encode text"):
        phases["encode text"] = _encode(pipeline, clip, machine)
    with step("denoise"):
        phases["denoise"] = _denoise(pipeline, clip, machine)
    if pipeline.autoencoder is not None:
        with step("decode"):
            phases["decode"] = _decode(pipeline, pipeline.autoencoder, clip, machine)
    return phases


def _encode(pipeline: Sampler, clip: Clip, machine: Machine) -> Timing:
    alone, busy = one_chip(machine), Timing()
    prompts = clip.batch * np.minimum(clip.branches, 2)  # the prompt and, with guidance, the negative prompt
    for encoder, tokens in pipeline.encoders:
        busy = busy + _launched(
            forward_pass(encoder.parts, encoder.streams(tokens=tokens, batch=prompts), alone), machine
        )
        if machine.plan.offload in {"encoders", "weights"}:
            busy = busy + _fetched(encoder, alone)
    return busy


def _fetched(network: Network, machine: Machine) -> Timing:
    """Weights of a network on one chip, brought over the host link."""
    host = machine.efficiency.value("offload_bandwidth", machine.cluster.chip)
    return waiting(memory_time(weight_bytes(network, machine.plan), host, 1.0), "offload", "memory")


def _denoise(pipeline: Sampler, clip: Clip, machine: Machine) -> Timing:
    """All evaluations, divided over guidance groups; each expert network runs its share of the steps."""
    plan, busy = machine.plan, Timing()
    # groups work side by side: three branches on two groups take two evaluations one after the other
    number = computed_evaluations(evaluations(clip.steps, ceil_divide(clip.branches, plan.guidance)), plan.reused)
    for network, share in pipeline.transformers:
        busy = busy + evaluation(network, clip, machine) * (number * share)
    return busy


def evaluation(network: DiT, clip: Clip, machine: Machine) -> Timing:
    """One evaluation of the transformer by one guidance group. [s]"""
    plan, streams, parts = machine.plan, clip_streams(network, clip), network.parts
    chunks: Numeric = 1
    if clip.chunk is not None:
        parts, chunks = with_history(parts, streams, clip.chunk)
    busy = forward_pass(parts, streams, machine)
    if np.any(np.asarray(plan.pipeline) > 1):
        busy = _displaced(busy, network, streams, machine)
    # a step's fixed cost is shared by its evaluations
    busy = _launched(busy, machine) * chunks + step_overhead("generate", machine) * (plan.guidance / clip.branches)
    if plan.offload != "weights":
        return busy
    fetched = _fetched(network, machine)
    exposed = largest(fetched.point - busy.point, 0.0)  # the next layer is fetched while this one computes
    return busy + waiting(exposed, "offload", "memory")


def _launched(busy: Timing, machine: Machine) -> Timing:
    return paced(busy, machine.efficiency.value("host_work", machine.cluster.chip))


def _displaced(busy: Timing, network: DiT, streams: dict[str, Numeric], machine: Machine) -> Timing:
    """Displaced patches (PipeFusion) keep all stages busy; each launches its kernels for every one of them."""
    plan, stages = machine.plan, machine.plan.pipeline
    handed = pipeline_message(residual_elements(network, streams, plan), 1, plan)
    handed = handed._replace(calls=handed.calls * stages)
    fixed = busy.overhead
    launched = Timing(overhead=fixed, point=fixed, bound={"overhead": fixed}, groups={"launches": fixed})
    again = launched * (1 - 1 / stages)
    return busy * (1 / stages) + again + time_messages([handed], machine.cluster, machine.efficiency)


def _decode(pipeline: Sampler, autoencoder: Autoencoder, clip: Clip, machine: Machine) -> Timing:
    # whole latents are decoded, those of one frame at least
    frames = largest(pipeline.transformers[0][0].grid.covered_frames(clip.frames), 1)
    streams = autoencoder.streams(frames=frames, height=clip.height, width=clip.width, batch=clip.batch)
    busy = _launched(forward_pass(autoencoder.decoder, streams, decoding(autoencoder, machine)), machine)
    busy = busy * (1 / machine.plan.vae_parallel)
    tile = machine.plan.vae_tile
    return busy * autoencoder.tiling_factor(clip.height, clip.width, tile) if tile else busy


def denoising_flops(pipeline: Sampler, clip: Clip, machine: Machine) -> Numeric:
    """FLOPs of all computed evaluations of one piece. [FLOP]"""
    return sum(_evaluation_flops(pipeline, clip, machine)) * _computed(clip, machine.plan)


def _computed(clip: Clip, plan: Plan) -> Numeric:
    """Evaluations of one piece that are computed. [evaluation]"""
    return computed_evaluations(evaluations(clip.steps, clip.branches), plan.reused)


def _evaluation_flops(pipeline: Sampler, clip: Clip, machine: Machine) -> tuple[Numeric, Numeric]:
    """FLOPs of attention and of all else in one evaluation, the mean over the sampler's networks. [FLOP]"""
    attention, others = Sum(), Sum()
    for network, share in pipeline.transformers:
        streams, parts = clip_streams(network, clip), network.parts
        chunks: Numeric = 1
        if clip.chunk is not None:
            parts, chunks = with_history(parts, streams, clip.chunk)
        cores = add_up(part.flops(streams) for part in parts if part.kind == "attention")
        attention.add(times(cores, chunks * share * machine.plan.density))
        rest = add_up(part.flops(streams) for part in parts if part.kind != "attention")
        others.add(times(rest, chunks * share))
    return attention.total, others.total


def _stated(pipeline: Sampler, clip: Clip, machine: Machine) -> Timing:
    """Denoising at a utilisation the user stated."""
    flops = denoising_flops(pipeline, clip, machine)
    chip, plan = machine.cluster.chip, machine.plan
    share = clip.mfu if clip.mfu is not None else 1.0
    seconds = time_at_utilisation(flops, _rented(machine), peak_rate(chip, plan), share)
    return replace(waiting(seconds, "stated MFU", "math"), flops=flops / plan.replica)


def _rented(machine: Machine) -> Numeric:
    """Chips paid for, idle ones among them, for each replica at work. [chip]"""
    return machine.cluster.chips / machine.plan.data


def _money(
    clip: Clip, seconds: Numeric, busy: Timing, machine: Machine, economics: Economics, market: Figure | None
) -> dict[str, Figure]:
    chips = _rented(machine)
    per_clip = seconds / clip.batch
    cost = cost_figure("cost", chips, per_clip, economics)
    per_second = None if cost.value is None else cost_per_unit(cost.value, clip.seconds)
    rate = machine.plan.data * clip.batch / seconds
    site = replace(machine, cluster=replace(machine.cluster, chips=chips))
    energy = energy_figures(busy, per_clip, site, economics)
    if np.all(np.asarray(clip.frames) == 1):
        images = Figure(name="images_per_hour", value=rate * 3600, unit="image/h", note="all chips")
        return {"cost": cost, "images_per_hour": images} | energy
    return {
        "cost": cost,
        "cost_per_second": Figure(
            name="cost_per_second", value=per_second, unit="USD/s of video", note="compute only, machines always busy"
        ),
        "clips_per_hour": Figure(name="clips_per_hour", value=rate * 3600, unit="clip/h", note="all chips"),
        "seconds_per_second": Figure(
            name="seconds_per_second", value=per_clip / clip.seconds, unit="s/s", note="time to make a second of video"
        ),
    } | ({} if market is None else {market.name: market}) | energy  # fmt: skip


def _work(pipeline: Sampler, clip: Clip, pieces: Numeric, denoise: Timing, machine: Machine) -> dict[str, Figure]:
    plan, chip = machine.plan, machine.cluster.chip
    attention, others = _evaluation_flops(pipeline, clip, machine)
    flops = (attention + others) * _computed(clip, plan) * pieces
    network = pipeline.transformers[0][0]
    number = evaluations(clip.steps, clip.branches)
    used = utilisation(flops, denoise.point, _rented(machine), peak_rate(chip, plan))
    streams = clip_streams(network, clip)
    shared = "of an evaluation's FLOPs" + (", all its chunks together" if clip.chunk is not None else "")
    params = sum(one.params * share for one, share in pipeline.transformers)
    computed = computed_evaluations(number, plan.reused) * pieces
    rule = 2 * params * streams["image"] * streams["batch"] * computed
    return {
        "mfu": Figure(
            name="mfu", value=used, unit="1", note=f"denoising, all chips: FLOPs computed over {peak_words(chip, plan)}"
        ),
        "flops": Figure(name="flops", value=flops, unit="FLOP", note="all evaluations of the transformer"),
        "flops_2nd": Figure(name="flops_2nd", value=rule, unit="FLOP", note="2 x parameters x latent tokens"),
        "evaluations": Figure(
            name="evaluations", value=number * pieces, unit="evaluation", note="steps x guidance branches"
        ),
        "tokens": Figure(name="tokens", value=streams["image"] * pieces, unit="token", note="latent tokens"),
        "attention_share": Figure(
            name="attention_share", value=attention / (attention + others), unit="1", note=shared
        ),
    }


SEGMENTS = (30.0, 20.0, 10.0, 5.0)
"""Lengths that are tried where a clip does not fit in one piece. [s]"""


def _changes(pipeline: Sampler, clip: Clip, machine: Machine) -> list[Fit]:
    """Changes that make it fit, in the order a user would try them; of segments the longest."""
    tile, encoders = {"vae_tile": 256}, {"offload": "encoders"}
    variants: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("VAE tiles of 256 pixels", tile, {}),
        ("text encoders offloaded", encoders, {}),
        ("an fp8 KV cache", {"cache": "fp8"}, {}),
        *((f"segments of {seconds:.0f} s", {}, {"segment": seconds}) for seconds in SEGMENTS),
        ("VAE tiles of 256 pixels and text encoders offloaded", tile | encoders, {}),
        ("fp8 weights, tiles and offloaded encoders", tile | encoders | {"weights": "fp8"}, {}),
        ("all weights offloaded, VAE tiles of 256 pixels", tile | {"offload": "weights"}, {}),
    ]
    changes: list[Fit] = []
    cut = clip.segment is not None
    for words, fields, length in variants:
        if length and (cut or length["segment"] >= clip.seconds):
            continue
        changed = replace(machine, plan=replace(machine.plan, **fields))
        if bool(np.all(generation_memory(pipeline, replace(clip, **length), changed).fits)):
            changes.append(Fit(True, change=words))
            cut = cut or bool(length)
    return changes


def _inputs(pipeline: Sampler, clip: Clip, machine: Machine) -> dict[str, Any]:
    return {
        "model": pipeline.name,
        "chip": machine.cluster.chip.id,
        "chips": machine.cluster.chips,
        **vars(clip),
        **vars(machine.plan),
    }
