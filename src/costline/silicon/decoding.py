"""Decoding on chips as arrays: every unit of chips and every batch at once, with or without memory that computes.

All of `costline chip` decodes through here, on the coefficients in force, so that a chip has one speed wherever it is
asked about, and the one that ``costline serve`` gives for its unit and batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.engine.memory import weight_bytes
from costline.engine.passes import Machine
from costline.estimate import Estimate
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.decoder import Decoder
from costline.numeric import Array
from costline.plan import Plan
from costline.precision import Narrow
from costline.silicon.pim import Device, decode_split
from costline.studies.formats import settled_formats
from costline.studies.serve import serve
from costline.studies.serving_memory import serving_memory
from costline.studies.serving_times import Requests, serving_times
from costline.studies.space import dividing, heads_of, powers_of_two

BATCHES = (
    1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 192, 256, 384, 512, 768, 1024,
)  # fmt: skip
"""Batches tried on a unit of chips, close where a limit on the time of a token ends them. [sequence]"""
MOST_CHIPS = 64
"""Largest unit tried. [chip]"""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Decoding: a model, its prompts and answers, and the slowest token allowed.

    Attributes
    ----------
    network : Decoder
        The model.
    input, output : int
        Prompt and answer. [token]
    tpot : float
        Longest time per token a user bears. [s]
    precision : str
        Format of weights, and as `costline serve` reads it of products.
    narrow : str
        Which weights a format of fewer than 16 bits applies to.
    """

    network: Decoder
    input: int = 1000
    output: int = 200
    tpot: float = 0.05
    precision: str = "bf16"
    narrow: Narrow = "layers"

    @property
    def weights(self) -> float:
        """Weights of the whole model: embedding, head, norms and router stay in 16 bits. [byte]"""
        return float(weight_bytes(self.network, Plan(weights=self.precision, narrow=self.narrow)))


@dataclass(frozen=True)
class Tried:
    """Every unit and batch of every chip; the last two axes are unit and batch, those before it are the chips'.

    Attributes
    ----------
    units, batches : array
        Chips of a unit, sequences in flight on it, along their axes.
    rate : array
        Output of the whole unit. [token/s]
    tpot : array
        Time per token. [s]
    fits : array of bool
        Whether weights and caches fit.
    """

    units: Array
    batches: Array
    rate: Array
    tpot: Array
    fits: Array

    def each(self, limit: float) -> Array:
        """Output of one chip where it fits and keeps the limit, else 0; unit and batch in one axis. [token/s]"""
        good = self.fits & (self.tpot <= limit)
        found: Array = np.where(good, self.rate / self.units, 0.0)
        return found.reshape(*found.shape[:-2], -1)

    @property
    def floor(self) -> Array:
        """Shortest time per token of any unit; infinite where none fits. [s]"""
        found: Array = np.where(self.fits, self.tpot, np.inf)
        least: Array = found.reshape(*found.shape[:-2], -1).min(axis=-1)
        return least

    def place(self, index: int) -> tuple[int, int]:
        """Unit and batch at an index of `each`."""
        unit, batch = np.unravel_index(index, self.rate.shape[-2:])
        return int(self.units.ravel()[unit]), int(self.batches.ravel()[batch])


def wide(cluster: Cluster, axes: int) -> Cluster:
    """The cluster with new last axes on every figure of the chip and the links that is an array."""

    def longer(value: Any) -> Any:
        return value if np.ndim(value) == 0 else np.asarray(value).reshape(np.shape(value) + (1,) * axes)

    chip = cluster.chip
    grown = {name: longer(getattr(chip, name)) for name in ("memory", "memory_bandwidth", "link_bandwidth", "tdp")}
    peak = {name: longer(rate) for name, rate in chip.peak.items()}
    links = {name: longer(getattr(cluster, name)) for name in ("scale_up", "scale_out", "power")}
    return replace(cluster, chip=replace(chip, peak=peak, **grown), **links)


def plan_of(talk: Talk, cluster: Cluster, tensor: Any = 1) -> Plan:
    """Tensor parallelism over the unit, in the formats that `costline serve` would take.

    Raises
    ------
    PlanError
        The chip states no rate for that format, nor for a wider one.
    """
    fields, _ = settled_formats({"narrow": talk.narrow}, talk.precision, cluster.chip, training=False)
    return Plan(tensor=tensor, **fields)


def units_of(talk: Talk, cluster: Cluster) -> list[int]:
    """Units tried: powers of two in the scale-up domain that divide the heads."""
    most = int(min(np.max(cluster.domain), MOST_CHIPS))
    return dividing(powers_of_two(most), heads_of(talk.network))


def decoding(talk: Talk, cluster: Cluster, efficiency: Efficiency, memory: Device | None = None) -> Tried:
    """Serve on every unit and batch at once.

    Parameters
    ----------
    talk : Talk
        The workload.
    cluster : Cluster
        The chip, whose figures may be arrays of one length, and its domain.
    efficiency : Efficiency
        Coefficients.
    memory : Device, optional
        Memory that computes, in place of the chip's own.
    """
    units = np.array(units_of(talk, cluster)).reshape(-1, 1)
    batches = np.array(BATCHES)
    machine = Machine(replace(wide(cluster, 2), chips=units), efficiency, plan_of(talk, cluster, units))
    asked = Requests(input=talk.input, output=talk.output, batch=batches)
    figures = serving_times(talk.network, asked, machine)
    rate, tpot = (np.asarray(figures[name].amount) for name in ("output_rate", "tpot"))
    needed = serving_memory(talk.network, talk.input + talk.output, batches, machine, talk.input)
    total = needed.total
    if memory is not None:
        split = decode_split(talk.network, talk.input + talk.output / 2, batches, machine, memory)
        rate, tpot = _saved(talk, rate, tpot, np.asarray(split.plain - split.together), batches)
        total = total + needed.items["weights"] * (memory.duplicate - 1)
    fits = np.asarray(total <= needed.usable)
    shape = np.broadcast_shapes(rate.shape, tpot.shape, fits.shape, (len(units), len(batches)))
    return Tried(units, batches, *(np.broadcast_to(each, shape) for each in (rate, tpot, fits)))


def _saved(talk: Talk, rate: Array, tpot: Array, saved: Array, batches: Array) -> tuple[Array, Array]:
    """Rate and time per token when every step of a request takes `saved` less."""
    latency = batches * talk.output / rate - saved * talk.output
    return batches * talk.output / latency, tpot - saved


def served(talk: Talk, cluster: Cluster, efficiency: Efficiency, unit: int, batch: int, pue: float) -> Estimate:
    """The study itself on one unit and batch, for what arrays of chips do not need: energy, and what binds."""
    from costline.studies.economics import Economics

    machine = Machine(replace(cluster, chips=unit), efficiency, plan_of(talk, cluster, unit))
    asked = Requests(input=talk.input, output=talk.output, batch=batch)
    return serve(talk.network, asked, machine, Economics(pue=pue))
