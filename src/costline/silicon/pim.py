"""Processing in memory: which kernels of a decode step move into the memory, and what that gains.

A kernel moves if the memory finishes it sooner than the chip does. Inside the memory every byte read is worth one FLOP
(a 16-bit weight, one multiply-add), so a kernel that uses each byte more than `gain` times, a batch of sequences on the
same weights or several query heads on the same keys, is better left to the chip.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from costline.catalogue.table import DATA, columns, read_table
from costline.engine.loads import forward_loads
from costline.engine.messages import forward_messages
from costline.engine.passes import Machine
from costline.engine.timing import time_loads, time_messages
from costline.errors import UnknownNameError
from costline.formulas.pim import in_memory_time
from costline.models.decoder import Decoder
from costline.numeric import Numeric, choose, largest

DEVICE_COLUMNS = columns(
    "name! moves! overlap! host! source! note",
    identifier="id!",
    number="gain! opb! efficiency! duplicate!",
    kind="kind!",
    date="date!",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A memory that computes.

    Attributes
    ----------
    id, name : str
        Catalogue id and printed name.
    gain : float
        Bandwidth inside over bandwidth outside, its power limit kept. [1]
    opb : float
        Work for each byte read inside. [FLOP/byte]
    efficiency : float
        Share of the bandwidth inside that is reached. [1]
    moves : tuple of str
        Kinds of kernels it can compute: linear, attention.
    overlap : bool
        Whether chip and memory work at the same time.
    host : bool
        Whether it stands beside a processor, and not instead of one.
    duplicate : float
        Copies of the weights that its layout needs. [1]
    source, kind : str
        Provenance.
    """

    id: str
    name: str
    gain: float
    opb: float
    efficiency: float
    moves: tuple[str, ...]
    overlap: bool
    host: bool
    duplicate: float
    source: str
    kind: str


@functools.cache
def devices() -> Mapping[str, Device]:
    """Memories that compute, by id."""
    found = {}
    for row in read_table(DATA / "pim_devices.csv", DEVICE_COLUMNS, "id"):
        fields = {
            name: row[name] for name in ("id", "name", "gain", "opb", "efficiency", "duplicate", "source", "kind")
        }
        whether = {name: row[name] == "yes" for name in ("overlap", "host")}
        found[row["id"]] = Device(**fields, moves=tuple(row["moves"].split()), **whether)
    return MappingProxyType(found)


def device(name: str) -> Device:
    """A memory that computes.

    Raises
    ------
    UnknownNameError
        No such device.
    """
    if name not in devices():
        raise UnknownNameError("processing in memory", name, devices(), listed=devices())
    return devices()[name]


@dataclass(frozen=True)
class Split:
    """A decode step divided between chip and memory. [s]

    Attributes
    ----------
    plain : float or array
        Everything on the chip.
    host, moved, shared : float or array
        What stays on the chip, what the memory does, what neither hides: messages.
    together : float or array
        The step with processing in memory.
    moved_share : float or array
        Share of the plain step whose kernels moved. [1]
    """

    plain: Numeric
    host: Numeric
    moved: Numeric
    shared: Numeric
    together: Numeric
    moved_share: Numeric

    @property
    def speedup(self) -> Numeric:
        """Plain step over the step with processing in memory. [1]"""
        return self.plain / self.together


def decode_split(network: Decoder, context: Numeric, batch: Numeric, machine: Machine, memory: Device) -> Split:
    """Divide a decode step between chip and memory.

    Parameters
    ----------
    network : Decoder
        The model.
    context, batch : float or array
        Tokens in the cache, sequences of the replica. [token, sequence]
    machine : Machine
        Chips, coefficients and plan.
    memory : Device
        The memory that computes.
    """
    cluster, efficiency, plan = machine.cluster, machine.efficiency, machine.plan
    streams = network.streams(tokens=1, cached=context, batch=batch)
    inside = cluster.chip.memory_bandwidth * memory.gain
    host: Numeric = 0.0
    moved: Numeric = 0.0
    left: Numeric = 0.0
    for load in forward_loads(network.decode_parts, streams, plan):
        on_chip = time_loads([load], cluster, efficiency, plan).point
        if load.kind not in memory.moves:
            host = host + on_chip
            continue
        in_memory = in_memory_time(load.flops, inside * memory.opb, load.traffic, inside, memory.efficiency)
        better = np.asarray(in_memory < on_chip)
        goes = bool(better) if better.ndim == 0 else better
        host = host + choose(goes, 0.0, on_chip)
        moved = moved + choose(goes, in_memory, 0.0)
        left = left + choose(goes, on_chip, 0.0)
    messages = time_messages(forward_messages(network.decode_parts, streams, plan), cluster, efficiency)
    shared = messages.point + efficiency.value("step_overhead", cluster.chip, plan.refined("decode"))
    plain = host + left + shared
    together = (largest(host, moved) if memory.overlap else host + moved) + shared
    return Split(plain, host, moved, shared, together, left / plain)
