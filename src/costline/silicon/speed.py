"""How fast many chips of one's own are, as arrays: the studies run on a `Chip` whose figures are arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from costline.catalogue import shipped
from costline.engine.memory import kv_cache_bytes
from costline.engine.passes import Machine, forward_pass
from costline.formulas.sram import chips_to_hold, pipeline_latency, pipeline_rate, sequences_in_flight
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.models.parts import Attention
from costline.numeric import Array
from costline.plan import Plan
from costline.silicon.compare import Film, Talk
from costline.silicon.inputs import quantity
from costline.silicon.pim import Device, decode_split
from costline.silicon.sram import STATIC
from costline.studies.generate import generation_time
from costline.studies.generation_memory import generation_memory
from costline.studies.serve import Requests, serving_rate
from costline.studies.serving_memory import serving_memory

UNITS = (1, 2, 4, 8)
"""Chips tried together."""
BATCHES = (1, 4, 8, 16, 32, 64, 128, 256)
"""Sequences tried on a unit."""
SPREADS = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""Chips of a pipeline of on-chip memory, over the least number."""


def _columns(chip: Chip, *others: tuple[float, ...]) -> tuple[Chip, list[Array]]:
    """The chip with a new axis for each of `others`, and `others` along them."""
    extra = len(others)

    def wide(value: object) -> Array:
        array = np.asarray(value, dtype=float)
        return array.reshape(array.shape + (1,) * extra)

    widened = replace(
        chip,
        peak={name: wide(rate) for name, rate in chip.peak.items()},
        memory=wide(chip.memory),
        memory_bandwidth=wide(chip.memory_bandwidth),
        link_bandwidth=wide(chip.link_bandwidth),
        tdp=wide(chip.tdp),
    )
    axes = [
        np.asarray(values).reshape((1,) + (1,) * place + (len(values),) + (1,) * (extra - place - 1))
        for place, values in enumerate(others)
    ]
    return widened, axes


def _cluster(chip: Chip, chips: Array) -> Cluster:
    return Cluster(chip=chip, chips=chips, domain=8, scale_up=chip.link_bandwidth)


def decode_rates(talk: Talk, chip: Chip, memory: Device | None = None) -> tuple[Array, Array]:
    """Tokens a second of one chip at its best unit and batch, and the shortest time per token; 0 where none fits.

    Parameters
    ----------
    talk : Talk
        The workload.
    chip : Chip
        Chips, their figures arrays of one length.
    memory : Device, optional
        Memory that computes.
    """
    wide, (units, batches) = _columns(chip, UNITS, BATCHES)
    plan = Plan(tensor=units, weights=talk.precision, compute=talk.precision, cache=talk.precision)
    machine = Machine(_cluster(wide, units), shipped.sourced_efficiency(), plan)
    asked = Requests(input=talk.input, output=talk.output, batch=batches)
    rate = serving_rate(talk.network, asked, machine)
    needed = serving_memory(talk.network, talk.input + talk.output, batches, machine, talk.input)
    total = needed.total + (0.0 if memory is None else needed.items["weights"] * (memory.duplicate - 1))
    if memory is not None:
        split = decode_split(talk.network, talk.input + talk.output / 2, batches, machine, memory)
        latency = batches * talk.output / rate - talk.output * (split.plain - split.together)
        rate = batches * talk.output / latency
    token = batches / np.asarray(rate)
    fits = total <= needed.usable
    good = fits & (token <= talk.tpot)
    each = np.where(good, rate / units, 0.0).reshape(good.shape[0], -1)
    floor = np.where(fits, token, np.inf).reshape(good.shape[0], -1)
    return each.max(axis=1), floor.min(axis=1)


def pipeline_rates(talk: Talk, chip: Chip) -> tuple[Array, Array]:
    """The same for chips that hold the model in on-chip memory."""
    wide, (spread,) = _columns(chip, SPREADS)
    plan = Plan(weights=talk.precision, compute=talk.precision, cache=talk.precision)
    machine = Machine(_cluster(wide, np.asarray(1)), shipped.sourced_efficiency(**STATIC), plan)
    network = talk.network
    weights = network.params * 2.0 if talk.precision in {"bf16", "fp16"} else float(network.params)
    cache = float(kv_cache_bytes(network, talk.input + talk.output, 1, plan))
    chips = np.ceil(chips_to_hold(weights + cache, wide.memory) * spread)
    middle = talk.input + talk.output / 2
    decode = forward_pass(network.decode_parts, network.streams(tokens=1, cached=middle - 1, batch=1), machine).point
    prefill = forward_pass(network.parts, network.streams(tokens=talk.input, batch=1), machine).point
    hop = quantity("hop").value
    token = pipeline_latency(decode, chips, hop)
    latency = pipeline_latency(prefill, chips, hop) + talk.output * token
    flying = np.floor(sequences_in_flight(chips, wide.memory, weights, cache))
    rate = pipeline_rate(flying, latency, chips, prefill + talk.output * decode) * talk.output
    good = np.where(token <= talk.tpot, rate / chips, 0.0)
    return good.max(axis=1), np.asarray(token).min(axis=1)


def film_rates(film: Film, chip: Chip) -> Array:
    """Seconds of video a second of one chip, on the fewest chips that hold the pipeline; 0 where 8 do not."""
    heads = next(part.heads for part in film.pipeline.transformers[0][0].parts if isinstance(part, Attention))
    units = tuple(unit for unit in UNITS if heads % unit == 0)
    wide, (tensor,) = _columns(chip, units)
    machine = Machine(_cluster(wide, tensor), shipped.sourced_efficiency(), Plan(tensor=tensor))
    fits = np.asarray(generation_memory(film.pipeline, film.clip, machine).fits)
    time = np.asarray(generation_time(film.pipeline, film.clip, machine))
    each = np.where(fits, float(film.clip.seconds) / (time * tensor), 0.0)
    return np.asarray(np.broadcast_to(each, (each.shape[0], len(units))).max(axis=1))
