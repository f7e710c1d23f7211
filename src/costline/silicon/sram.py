"""Serving from on-chip memory: weights and caches spread over hundreds of chips, tokens passing through all of them.

A layer is split over the chips that hold it, which read their weights at once; so a layer takes about the time in which
a chip reads its own memory, whatever the size of the model. The weights reach the multipliers over the chip's operand
streams, which are narrower than its memory. A schedule that is fixed before the program runs cannot know which experts
a token will visit, so all of them are read. Chips of a layer wait while they exchange what they computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.catalogue import Catalogue
from costline.engine.memory import kv_cache_bytes
from costline.engine.passes import Machine, forward_pass
from costline.formulas.energy import facility_energy
from costline.formulas.roofline import memory_time
from costline.formulas.sram import (
    chips_to_hold,
    exchange_time,
    pipeline_latency,
    pipeline_rate,
    sequences_in_flight,
)
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.numeric import Array, Numeric, largest
from costline.precision import element_bytes
from costline.silicon.decoding import Talk, plan_of, wide
from costline.silicon.inputs import quantity
from costline.studies.economics import mean_power

STATIC = {"launch": 0.0, "step_overhead": 0.0, "request_overhead": 0.0, "memory_reserved": 0.0}
"""Coefficients of a chip whose compiler places everything before it runs: no launches, no allocator."""

SPREADS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
"""Chips tried, over the least number that holds the model and one sequence."""
FLYING = tuple(2**power for power in range(13))
"""Sequences in flight tried. [sequence]"""


def held_in_sram(chip: Chip) -> bool:
    """Whether a chip has no memory but what is on it."""
    return "SRAM" in chip.details.get("memory_type", "") or chip.memory == chip.sram


@dataclass(frozen=True)
class Pipelines:
    """Numbers of chips and sequences tried; the last two axes are chips and sequences, those before the designs'.

    Attributes
    ----------
    chips, flying : array
        Chips together, sequences in flight.
    rate : array
        Output of all chips. [token/s]
    token : array
        Time per token. [s]
    fits : array of bool
        Whether weights and caches fit.
    """

    chips: Array
    flying: Array
    rate: Array
    token: Array
    fits: Array

    def each(self, limit: float) -> Array:
        """Output of one chip within a limit on the time per token, else 0; both choices in one axis. [token/s]"""
        found: Array = np.where(self.fits & (self.token <= limit), self.rate / self.chips, 0.0)
        return found.reshape(*found.shape[:-2], -1)

    @property
    def floor(self) -> Array:
        """Shortest time per token. [s]"""
        found: Array = np.where(self.fits, self.token, np.inf)
        least: Array = found.reshape(*found.shape[:-2], -1).min(axis=-1)
        return least


def pipelines(
    talk: Talk,
    cluster: Cluster,
    efficiency: Efficiency,
    spreads: tuple[float, ...] = SPREADS,
    hop: Numeric | None = None,
) -> Pipelines:
    """Decode through chips that split weights and caches evenly, for every number of chips and sequences.

    Parameters
    ----------
    talk, cluster, efficiency
        As for `costline.silicon.decoding.decoding`.
    spreads : tuple of float
        Chips, over the least number.
    hop : float or array, optional
        Time from a chip to the next, if not the usual one. [s]
    """
    network, machine = talk.network, _machine(talk, cluster, efficiency)
    weights = talk.weights
    cache = float(kv_cache_bytes(network, talk.input + talk.output, 1, machine.plan))
    memory = machine.cluster.chip.memory
    chips = np.ceil(chips_to_hold(weights + cache, memory) * np.array(spreads).reshape(-1, 1))
    flying = np.array(FLYING)
    together = largest(flying / np.minimum(chips, network.layers), 1)
    decode, prefill = _busy(talk, machine, together, weights)
    hop = quantity("hop").value if hop is None else hop
    token = _through(talk, machine, decode, chips, together, hop)
    sequence = _through(talk, machine, prefill, chips, talk.input, hop) + talk.output * token
    stages = np.minimum(chips, network.layers)
    occupied = sequence + talk.output * token * (1 / together - 1)  # sequences of a step share it
    rate = np.asarray(pipeline_rate(flying, sequence, stages, occupied)) * talk.output
    fits = flying <= np.maximum(np.floor(sequences_in_flight(chips, memory, weights, cache)), 1)
    shape = np.broadcast_shapes(rate.shape, np.shape(token), fits.shape, np.shape(chips))
    return Pipelines(*(np.broadcast_to(each, shape) for each in (chips, flying, rate, token, fits)))


def _machine(talk: Talk, cluster: Cluster, efficiency: Efficiency) -> Machine:
    """One chip with the whole model, which it reads no faster than its operand streams carry."""
    chip = cluster.chip
    streamed = chip.memory_bandwidth * quantity("stream_share").value
    plan = plan_of(talk, cluster)
    one = replace(cluster, chip=replace(chip, memory_bandwidth=streamed), chips=1)
    static = efficiency if STATIC.keys() <= efficiency.stated.keys() else efficiency.replace(**STATIC)
    return Machine(wide(one, 2), static, plan)


def _busy(talk: Talk, machine: Machine, together: Numeric, weights: float) -> tuple[Array, Array]:
    """Time of a step of `together` sequences, and of one prompt, on a chip that had the whole model. [s]"""
    network = talk.network
    context = talk.input + talk.output / 2
    step = network.streams(tokens=1, cached=context - 1, batch=together)
    decode = forward_pass(network.decode_parts, step, machine)
    prefill = forward_pass(network.parts, network.streams(tokens=talk.input, batch=1), machine)
    chip = machine.cluster.chip
    read = memory_time(weights, chip.memory_bandwidth, machine.efficiency.value("memory", chip))
    return np.asarray(largest(decode.point, read)), np.asarray(largest(prefill.point, read))


def _through(talk: Talk, machine: Machine, busy: Array, chips: Array, tokens: Numeric, hop: Numeric) -> Array:
    """Time of `tokens` tokens through all chips. [s]"""
    layers, cluster = talk.network.layers, machine.cluster
    message = tokens * talk.network.hidden_size * element_bytes(machine.plan.activation)
    reached = machine.efficiency.value("link_up", cluster.chip)
    link = np.inf if cluster.scale_up is None else cluster.scale_up * reached
    shared, beyond = np.asarray(chips > layers), np.asarray(chips > layers * cluster.domain)
    exchange = shared * exchange_time(layers, 2 + beyond, hop, message, link)
    return np.asarray(pipeline_latency(busy, chips, layers, exchange, hop))


def pipeline_answer(talk: Talk, cluster: Cluster, book: Catalogue) -> dict[str, Any]:
    """Decode on the number of chips and sequences with most tokens a chip that keep the limit."""
    tried = pipelines(talk, cluster, book.efficiency())
    each = tried.each(talk.tpot)
    best = np.unravel_index(int(np.argmax(each)), tried.rate.shape)
    if not each.any():
        return {"floor": float(tried.floor), "why": f"slower than {talk.tpot * 1e3:.0f} ms a token"}
    chips, rate = float(tried.chips[best]), float(tried.rate[best])
    power = _power(_machine(talk, cluster, book.efficiency()), chips, rate)
    return {
        "chips": chips,
        "rate": rate / chips,
        "wait": float(tried.token[best]),
        "floor": float(tried.floor),
        "batch": float(tried.flying[best]),
        "joules": None if power is None else float(facility_energy(power, 1 / rate, book.pue().value)),
        "why": "pipeline through on-chip memory",
    }


def _power(machine: Machine, chips: float, rate: float) -> float | None:
    """Power of all chips at their limit: a full pipeline has no idle chip. [W]"""
    cluster = replace(machine.cluster, chips=chips)
    full = forward_pass((), {}, machine)
    busy = replace(full, memory=1.0, point=1.0, bound={"math": 1.0}) if rate else full
    drawn = mean_power(busy, replace(machine, cluster=cluster))
    return None if drawn is None else float(drawn)
