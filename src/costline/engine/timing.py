"""Kernels and messages on hardware become seconds: a bracket, a point between, and what binds."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from costline.derivation import heard, step
from costline.engine.loads import Attended, Load
from costline.engine.messages import Message, network_time
from costline.engine.reach import Reach, attention_kernel, reached
from costline.formulas.attention import attention_blocks
from costline.formulas.roofline import (
    kernel_time,
    lower_bound,
    math_time,
    memory_time,
    size_share,
    upper_bound,
)
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import BEST_SHARE, Efficiency
from costline.numeric import Array, Numeric, Operation, Sum, add_up, choose, largest, once, plus, smallest, some, times
from costline.plan import Plan

RESOURCES = ("math", "memory", "network", "overhead")
"""What can bind, in the order ties are broken."""


@dataclass(frozen=True)
class Timing:
    """Seconds of some work on one chip.

    Attributes
    ----------
    math, memory, network, overhead : float or array
        Time each resource is busy, and fixed costs; they may overlap. [s]
    point : float or array
        Calibrated time, between `lower` and `upper`. [s]
    bound : mapping of str to float or array
        How much of `point` each resource accounts for; the values sum to `point`. [s]
    groups : mapping of str to float or array
        The same time by place ("block/self", "block/mlp", "tensor", ...); the values sum to `point`. [s]
    flops, traffic : float or array
        Work and memory traffic. [FLOP, byte]
    """

    math: Numeric = 0.0
    memory: Numeric = 0.0
    network: Numeric = 0.0
    overhead: Numeric = 0.0
    point: Numeric = 0.0
    bound: dict[str, Numeric] = field(default_factory=dict)
    groups: dict[str, Numeric] = field(default_factory=dict)
    flops: Numeric = 0.0
    traffic: Numeric = 0.0

    @property
    def lower(self) -> Numeric:
        """Time if everything overlapped. [s]"""
        return lower_bound(self.math, self.memory, self.network)

    @property
    def upper(self) -> Numeric:
        """Time if nothing overlapped. [s]"""
        return upper_bound(self.math, self.memory, self.network, self.overhead)

    @property
    def binds(self) -> str | np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
        """Resource that accounts for most of the time."""
        if not isinstance(self.point, np.ndarray):
            return max(RESOURCES, key=lambda name: self.bound.get(name, 0.0))
        shares = [np.asarray(self.bound.get(name, 0.0)) for name in RESOURCES]
        winner = np.argmax(np.stack(np.broadcast_arrays(*shares)), axis=0)
        return RESOURCES[int(winner)] if winner.ndim == 0 else np.asarray(RESOURCES)[winner]

    def __add__(self, other: Timing) -> Timing:
        """One after the other."""
        add = once(plus)
        return Timing(
            add(self.math, other.math),
            add(self.memory, other.memory),
            add(self.network, other.network),
            add(self.overhead, other.overhead),
            add(self.point, other.point),
            _merge(self.bound, other.bound, add),
            _merge(self.groups, other.groups, add),
            add(self.flops, other.flops),
            add(self.traffic, other.traffic),
        )

    def __mul__(self, factor: Numeric) -> Timing:
        """The same work `factor` times over."""
        if not isinstance(factor, np.ndarray) and factor == 1:
            return self
        multiply = once(times)
        return Timing(
            multiply(self.math, factor),
            multiply(self.memory, factor),
            multiply(self.network, factor),
            multiply(self.overhead, factor),
            multiply(self.point, factor),
            {name: multiply(value, factor) for name, value in self.bound.items()},
            {name: multiply(value, factor) for name, value in self.groups.items()},
            multiply(self.flops, factor),
            multiply(self.traffic, factor),
        )

    __rmul__ = __mul__


def _merge(left: dict[str, Numeric], right: dict[str, Numeric], add: Operation) -> dict[str, Numeric]:
    merged = dict(left)
    for name, value in right.items():
        merged[name] = add(merged[name], value) if name in merged else value
    return merged


FIELDS = ("math", "memory", "network", "overhead", "point", "flops", "traffic")


def one_after_another(timings: Iterable[Timing]) -> Timing:
    """The sum of many timings; each is forgotten as soon as it is added, so that the sums stay in the cache."""
    fields = {name: Sum() for name in FIELDS}
    bound: dict[str, Sum] = {}
    groups: dict[str, Sum] = {}
    for timing in timings:
        for name, amount in fields.items():
            amount.add(getattr(timing, name))
        for sums, values in ((bound, timing.bound), (groups, timing.groups)):
            for name, value in values.items():
                if name not in sums:
                    sums[name] = Sum()
                sums[name].add(value)
    return Timing(
        bound={name: amount.total for name, amount in bound.items()},
        groups={name: amount.total for name, amount in groups.items()},
        **{name: amount.total for name, amount in fields.items()},
    )


def waiting(seconds: Numeric, group: str, resource: str = "overhead") -> Timing:
    """Time in which nothing is computed: a launch, a bubble, a straggler."""
    fixed = {resource: seconds}
    return Timing(**fixed, point=seconds, bound=dict(fixed), groups={group: seconds})


def time_loads(loads: Iterable[Load], cluster: Cluster, efficiency: Efficiency, plan: Plan) -> Timing:
    """Time of kernels run one after the other on one chip; each is forgotten as soon as it is added."""
    math, memory, launch, reading, flops, traffic = (Sum() for _ in range(6))
    groups: dict[str, Sum] = defaultdict(Sum)
    recording, reach = heard(), Reach(cluster, efficiency, plan)
    for load in loads:
        if recording:  # every kernel with all that led to its time
            with step(load.name):
                spent = _time_load(load, Reach(cluster, efficiency, plan))
        else:
            spent = _time_load(load, reach)
        if efficiency.kernels is not None:
            spent = _lasting(spent, efficiency.kernels.kernel(load, cluster, plan))
        memory.add(spent.memory)
        launch.add(spent.launch)
        reading.add(spent.reading)
        traffic.add(load.traffic)
        if load.kind != "memory":
            math.add(spent.math)
            flops.add(load.flops)
        groups[group_of(load.name)].add(spent.point)
    places = {name: amount.total for name, amount in groups.items()}
    point, begun, read = add_up(places.values()), launch.total, reading.total
    rest = largest(point - begun - read, 0.0)  # a rounding error is no time
    bound = {"math": rest, "memory": read, "overhead": begun}
    return Timing(math.total, memory.total, 0.0, begun, point, bound, places, flops.total, traffic.total)


class Spent(NamedTuple):
    """Time of the kernels of one load.

    Attributes
    ----------
    math, memory, launch : float or array
        Time of the arithmetic, of the traffic, and of launches. [s]
    point : float or array
        Calibrated time. [s]
    reading : float or array
        How much of it the traffic accounts for; launches and arithmetic account for the rest. [s]
    """

    math: Numeric
    memory: Numeric
    launch: Numeric
    point: Numeric
    reading: Numeric


def _lasting(spent: Spent, seconds: Numeric | None) -> Spent:
    """The same work in a time that was measured, if it was; what bounds it keeps its shares."""
    if seconds is None or not some(spent.point):
        return spent
    ratio = seconds / spent.point
    return Spent(*(value * ratio for value in spent))


def _time_load(load: Load, reach: Reach) -> Spent:
    chip, plan, kernels = reach.cluster.chip, reach.plan, "experts" if some(load.experts) else ""
    slow, traffic = reach.slow(kernels), load.traffic
    if load.kind == "memory" and not plan.compiled:
        traffic = traffic * reach.value("eager")
    share = reach.stream(load.weight_format or MEMORY_OF.get(load.kind, ""), kernels)
    memory = memory_time(traffic, chip.memory_bandwidth, share)
    launch = load.calls * reach.launch * slow
    if some(load.alone):
        launch = launch + load.alone * (reach.value("launch", plan.refined("eager")) * reach.slow("apart"))
    if load.kind == "memory":
        return Spent(0.0, memory, launch, memory + launch, memory)
    math = _math(load, slow, reach)
    exposed = reach.exposed
    if isinstance(load.rows, np.ndarray) or load.rows:
        # with few rows tiles are mostly empty, or engines change to kernels that read weights as they go
        tiled = math / size_share(load.rows, reach.half("rows", load.format))
        as_tiles, streamed = kernel_time(tiled, memory, launch, exposed), upper_bound(math, memory, 0.0, launch)
        faster, point = streamed < as_tiles, smallest(as_tiles, streamed)
        hidden: bool | Array = (tiled >= memory) > faster  # where the first holds and the second does not
        math = choose(faster, math, tiled)
    else:
        point, hidden = kernel_time(math, memory, launch, exposed), math >= memory
    if load.attended is not None:
        begun = _blocks(load.attended) * (load.calls * reach.value("attention_block") * slow)
        math, point = math + begun, point + begun
    # behind arithmetic that takes longer, only the part of the traffic shows that does not hide
    return Spent(math, memory, launch, point, choose(hidden, exposed * memory, memory))


def _blocks(sizes: Attended) -> Numeric:
    return attention_blocks(sizes.sequences, sizes.queries, sizes.heads, sizes.key_heads, QUERY_TILE)


QUERY_TILE = 128.0
"""Rows of queries, those of the query heads that share a key head together, which a block of threads works on (Shah et
al. 2024, arXiv:2407.08608, section 3). [row]"""
ALIGNED = 8
"""Elements of 16 bits that the dimensions of a product must be a multiple of for its tensor cores (Anthony et al. 2024,
arXiv:2401.14489, section 3)."""
MEMORY_OF = {"attention": "attention", "memory": "elementwise"}
"""Kind of kernel -> qualifier of its share of the bandwidth; matrix products have the format of their weights."""


def _math(load: Load, slow: Numeric, reach: Reach) -> Numeric:
    """Time of the arithmetic of a kernel that has rows enough. [s]"""
    chip = reach.cluster.chip
    peak, share = reach.peak(load.format), math_share(load, reach)
    if load.rank == "volume":
        peak = chip.peak.get("fp32", peak)
    if load.rank == "plane":
        # what feeds the units bounds these kernels, not the units: a card whose sums in fp32 run at half of the rate
        # of its silicon loses less to it
        share = smallest(share * (chip.peak.get("fp16acc", peak) / peak), BEST_SHARE)
    return math_time(load.flops, peak, reached(share, slow))


def math_share(load: Load, reach: Reach) -> Numeric:
    """Share of the peak rate that a kernel reaches. [1]"""
    if load.kind == "attention":
        share = reach.value("attention", attention_kernel(reach.plan, reach.cluster, reach.efficiency))
        if reach.plan.attention == "naive" and load.attended is not None:  # fused kernels pad heads in registers
            uneven = np.not_equal(np.mod(load.attended.key_dim, ALIGNED), 0)
            share = share * choose(uneven, reach.value("misaligned"), 1.0) if np.any(uneven) else share
        return share * (reach.value("attention_backward") if load.backward else 1.0)
    if load.kind == "convolution":
        return reach.value("convolution", load.rank)
    if load.rank == "scan":
        return reach.value("scan")
    share = reach.product(load.format, load.weight_format)
    if not isinstance(load.inner, np.ndarray) and not load.inner:
        return share
    half = reach.half("width", load.format)
    return share * size_share(load.inner, half) * size_share(load.outer, half)


@functools.cache
def group_of(name: str) -> str:
    """Place of a kernel for tables: the first two steps of its name."""
    return "/".join(name.split("/")[:2])


def paced(busy: Timing, work: Numeric = 1.0) -> Timing:
    """Kernels that the host launches ahead of time: whichever of the two takes longer sets the pace. [s]

    `work` is the host's time for each launch, views and checks between launches included, over that of a launch.
    """
    kernels, host = busy.point - busy.overhead, busy.overhead * work
    if not some(kernels):
        return busy
    rest = largest(busy.network - kernels, 0.0)  # launches take no time of messages
    if some(rest):
        busy, kernels = busy + _on_the_wire(rest), kernels + rest
    waiting_for_host = host > kernels
    point = choose(waiting_for_host, host, kernels)
    bound = {name: value * choose(waiting_for_host, 0.0, 1.0) for name, value in busy.bound.items()}
    bound["overhead"] = choose(waiting_for_host, host, 0.0)
    ratio = point / busy.point
    groups = {name: value * ratio for name, value in busy.groups.items()}
    return replace(busy, overhead=host, point=point, bound=bound, groups=groups)


def time_messages(messages: Iterable[Message], cluster: Cluster, efficiency: Efficiency) -> Timing:
    """Time of messages, the part that hides behind kernels taken off."""
    timings = []
    for message in messages:
        if not some(message.calls):
            continue
        with step(f"messages: {message.name}"):
            busy = network_time(message, cluster, efficiency)
        known = None if efficiency.kernels is None else efficiency.kernels.message(message, cluster)
        busy = busy if known is None else known
        exposed = busy * (1 - efficiency.value("overlap", cluster.chip, message.name))
        timings.append(Timing(network=busy, point=exposed, bound={"network": exposed}, groups={message.name: exposed}))
    return one_after_another(timings)


def behind(messages: Timing, kernels: Numeric) -> Timing:
    """Messages beside `kernels` seconds of other work: they cannot hide for longer than that. [s]"""
    least = messages.network - kernels
    if not some(least > messages.point):
        return messages
    return messages + _on_the_wire(largest(least - messages.point, 0.0))


def _on_the_wire(rest: Numeric) -> Timing:
    """Part of messages that hides behind nothing. [s]"""
    return Timing(point=rest, bound={"network": rest}, groups={"network": rest})
