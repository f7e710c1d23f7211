"""Serving from on-chip memory: weights and caches spread over hundreds of chips, tokens passing through all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from costline.catalogue import Catalogue
from costline.engine.memory import kv_cache_bytes
from costline.engine.passes import Machine, forward_pass
from costline.formulas.energy import facility_energy
from costline.formulas.sram import chips_to_hold, pipeline_latency, pipeline_rate, sequences_in_flight
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.numeric import Array
from costline.plan import Plan
from costline.precision import element_bytes
from costline.silicon.inputs import quantity
from costline.studies.economics import mean_power

if TYPE_CHECKING:
    from costline.silicon.compare import Talk

STATIC = {"launch": 0.0, "step_overhead": 0.0, "memory_reserved": 0.0, "exposed": 0.0, "gemm_half": 0.0,
          "attention_block": 0.0}  # fmt: skip
"""Coefficients of a chip whose compiler places everything before it runs: no launches, no allocator."""


def held_in_sram(chip: Chip) -> bool:
    """Whether a chip has no memory but what is on it."""
    return "SRAM" in chip.details.get("memory_type", "") or chip.memory == chip.sram


def pipeline_answer(talk: Talk, cluster: Cluster, plan: Plan, book: Catalogue) -> dict[str, Any]:
    """Decode through a pipeline of chips that split weights and caches evenly.

    The number of chips is the one with most tokens a chip; more than the least lets more sequences be in flight.
    """
    chip, network = cluster.chip, talk.network
    machine = Machine(replace(cluster, chips=1), book.sourced_efficiency(**STATIC), plan)
    weights = network.params * element_bytes(plan.weights)
    cache = float(kv_cache_bytes(network, talk.input + talk.output, 1, plan))
    least = chips_to_hold(weights + cache, chip.memory)
    chips: Array = np.ceil(least * np.linspace(1.0, 4.0, 121))
    decode, prefill = _busy(talk, machine)
    hop = quantity("hop").value
    token: Array = np.asarray(pipeline_latency(decode, chips, hop))
    sequence = pipeline_latency(prefill, chips, hop) + talk.output * token
    flying = np.floor(sequences_in_flight(chips, chip.memory, weights, cache))
    busy = prefill + talk.output * decode
    rate: Array = np.asarray(pipeline_rate(flying, sequence, chips, busy)) * talk.output
    best = int(np.argmax(rate / chips))
    power = _power(machine, chips[best], rate[best])
    return {
        "chips": float(chips[best]),
        "rate": float(rate[best] / chips[best]),
        "wait": float(token[best]),
        "floor": float(token[0]),
        "batch": float(flying[best]),
        "joules": None if power is None else float(facility_energy(power, 1 / rate[best], book.pue().value)),
        "why": "pipeline through on-chip memory",
    }


def _busy(talk: Talk, machine: Machine) -> tuple[float, float]:
    """Time of one token, and of one prompt, on a chip that had the whole model. [s]"""
    network = talk.network
    context = talk.input + talk.output / 2
    decode = forward_pass(network.decode_parts, network.streams(tokens=1, cached=context - 1, batch=1), machine)
    prefill = forward_pass(network.parts, network.streams(tokens=talk.input, batch=1), machine)
    return float(decode.point), float(prefill.point)


def _power(machine: Machine, chips: float, rate: float) -> float | None:
    """Power of all chips at their limit: a full pipeline has no idle chip. [W]"""
    cluster = replace(machine.cluster, chips=chips)
    full = forward_pass((), {}, machine)
    busy = replace(full, memory=1.0, point=1.0, bound={"math": 1.0}) if rate else full
    drawn = mean_power(busy, replace(machine, cluster=cluster))
    return None if drawn is None else float(drawn)
