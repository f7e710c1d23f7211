"""Measured calls under costline's own model of time: the engine is asked, with the coefficients to be found as samples.

Nothing here knows how long a kernel takes. A call becomes the part of a network that would cause it; the engine turns
that part into work and traffic and these into seconds (`costline.engine`), as it does for whole networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from costline.accuracy.kernels.read import Samples
from costline.catalogue.coefficient_table import shipped_coefficients
from costline.engine.casts import COPIES, cast_loads
from costline.engine.loads import Load, forward_loads
from costline.engine.messages import Message, network_time
from costline.engine.timing import time_loads
from costline.formulas.collectives import all_gather_bytes, all_reduce_bytes, all_to_all_bytes
from costline.formulas.memory import cast_bytes
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.models.parts import Attention, Linear, Part
from costline.numeric import Array, Numeric
from costline.plan import Plan

Timed: TypeAlias = Callable[[Efficiency], Array]
"""Seconds of each call with these coefficients."""
PLANS: Mapping[str, Plan] = {
    "bf16": Plan(),
    "fp8": Plan(weights="fp8", compute="fp8"),
    "fp8_block": Plan(weights="fp8", compute="fp8"),
    "fp4": Plan(weights="fp4", compute="fp4"),
    "int8": Plan(weights="int8", compute="int8"),
    "int8_wo": Plan(weights="int8"),
    "int4_wo": Plan(weights="int4"),
    "bf16+fp8kv": Plan(cache="fp8"),
}
"""Format -> how a network is run that makes such calls."""
FP8_ATTENTION = Plan(cache="fp8")
"""The engine gives attention its 16-bit rate, so 8-bit products may reach more than all of it."""
SENT: Mapping[str, Callable[[Numeric, Numeric], Numeric]] = {
    "all_reduce": all_reduce_bytes,
    "all_gather": all_gather_bytes,
    "reduce_scatter": all_gather_bytes,
    "alltoall": all_to_all_bytes,
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A coefficient to be found.

    Attributes
    ----------
    name, qualifier : str
        As the engine looks it up.
    split : str
        What has a value of its own: ``software``, ``chips`` (of a group), or nothing.
    start, least, most : float
        Where the search starts, and its limits.
    unit : str
        Unit of the value.
    """

    name: str
    qualifier: str
    split: str
    start: float
    least: float
    most: float
    unit: str


LAUNCH = Unknown("launch", "", "software", 4e-6, 1e-7, 1e-3, "s")
MEMORY = Unknown("memory", "", "", 0.7, 0.02, 2.0, "1")
GEMM = (
    Unknown("gemm", "", "", 0.75, 0.02, 2.0, "1"),
    Unknown("gemm_half", "width", "", 96.0, 1.0, 1e4, "1"),
    Unknown("gemm_half", "rows", "", 64.0, 1.0, 1e4, "1"),
    MEMORY, LAUNCH,
)  # fmt: skip
ATTENTION = (Unknown("attention", "", "", 0.5, 0.005, 4.0, "1"), MEMORY, LAUNCH)
COLLECTIVE = (
    Unknown("link_up", "", "chips", 0.7, 0.01, 2.0, "1"),
    Unknown("latency_up", "", "chips", 5e-6, 1e-7, 1e-3, "s"),
)
"""What each kind of kernel is described by."""


def unknowns_of(kernel: str) -> tuple[Unknown, ...]:
    """What a kernel is described by."""
    if kernel == "gemm":
        return GEMM
    return ATTENTION if kernel in {"context", "generation"} else COLLECTIVE


def groups_of(samples: Samples) -> Array:
    """Shape that is held out as a whole: the weight of a product, the heads of attention, the size of a message."""
    names = {"gemm": ("inner", "outer"), "context": ("heads", "width"), "generation": ("heads", "width")}
    chosen = [samples.shape[name] for name in names.get(samples.kernel, ("bytes",))]
    found: Array = np.unique(np.stack(chosen, axis=1), axis=0, return_inverse=True)[1]
    return found.reshape(-1)


def timed_by(samples: Samples, chip: Chip) -> Timed:
    """The engine's time of these calls as a function of the coefficients."""
    if samples.kernel == "gemm":
        return _kernels(_product(samples.shape), PLANS[samples.format], chip)
    if samples.kernel in {"context", "generation"}:
        plan = FP8_ATTENTION if samples.format == "fp8" else PLANS[samples.format]
        return _kernels(_attention(samples.shape, samples.kernel), plan, chip)
    return _messages(samples, chip)


Made: TypeAlias = tuple[Part, Mapping[str, Numeric]]


def _product(shape: Mapping[str, Array]) -> Made:
    inner: Any = shape["inner"]
    outer: Any = shape["outer"]
    part = Linear(name="block/product", inputs=inner, outputs=outer, rows="rows", bias=False)
    return part, {"batch": 1.0, "sample": 1.0, "rows": shape["rows"]}


def _attention(shape: Mapping[str, Array], kernel: str) -> Made:
    heads: Any = shape["heads"]
    key_heads: Any = shape["key_heads"]
    width: Any = shape["width"]
    part = Attention(
        name="block/attention", queries="queries", keys="keys", heads=heads, key_heads=key_heads, key_dim=width,
        value_dim=width, mask="causal", cache_width=2 * key_heads * width,
    )  # fmt: skip
    tokens = shape["tokens"]
    queries = tokens if kernel == "context" else np.ones_like(tokens)
    return part, {"batch": shape["batch"], "sample": 1.0, "queries": queries, "keys": tokens}


def _kernels(made: Made, plan: Plan, chip: Chip) -> Timed:
    part, streams = made
    loads = [*forward_loads([part], streams, plan), *_narrowing(part, streams, plan)]
    cluster = Cluster(chip=chip, chips=1)

    def timed(efficiency: Efficiency) -> Array:
        return np.asarray(time_loads(loads, cluster, efficiency, plan).point)

    return timed


def _narrowing(part: Part, streams: Mapping[str, Numeric], plan: Plan) -> Iterator[Load]:
    """Inputs are narrowed in the calls that were timed: read in 16 bits, written once, launched with the product.

    The package says so of products with scales by block; others in 8 and 4 bits fit better with it than without (fp8 on
    H200: 14 % at the median, not 16). Its int8 products name a plugin that takes inputs that are narrow already.
    """
    if plan.compute == "int8":
        return
    for load in cast_loads([part], streams, plan, reverse=False):
        traffic = load.traffic * cast_bytes(1.0, 2.0, 1.0, 1) / cast_bytes(1.0, 2.0, 1.0, COPIES)
        yield replace(load, traffic=traffic, calls=0.0)


def _messages(samples: Samples, chip: Chip) -> Timed:
    size = samples.shape["chips"]
    sent = SENT[samples.kernel.removeprefix("nccl_")](samples.shape["bytes"], size)
    message = Message("tensor", sent, np.ones_like(sent), size, 1)
    cluster = Cluster(chip=chip, chips=float(size.max()), domain=float(size.max()))

    def timed(efficiency: Efficiency) -> Array:
        return np.asarray(network_time(message, cluster, efficiency))

    return timed


@dataclass(frozen=True)
class Split:
    """Unknowns as a vector: one value each, or one for each software or group size.

    Attributes
    ----------
    unknowns, labels : sequence
        Of each value, the unknown it belongs to, and the software or the number of chips it is of.
    picks : mapping
        Of an unknown that is split, the place in the vector of each call's value; of the others their own place.
    exposed : Coefficient
        What kernels of all kinds share, and no one kind can tell.
    """

    unknowns: Sequence[Unknown]
    labels: Sequence[str]
    picks: Mapping[tuple[str, str], Array | int]
    exposed: Coefficient

    def efficiency(self, values: Array) -> Efficiency:
        """Coefficients with these values, the others as sourced or without effect."""
        drawn: dict[tuple[str, str, str], Numeric] = {
            (name, "all", qualifier): values[place] if isinstance(place, np.ndarray) else float(values[place])
            for (name, qualifier), place in self.picks.items()
        }
        return Efficiency((*(_row(*key) for key in self.picks), *CONSTANTS, self.exposed), drawn=drawn)


def split(samples: Samples, chip: Chip) -> Split:
    """The vector of what is unknown about these calls."""
    unknowns: list[Unknown] = []
    labels: list[str] = []
    picks: dict[tuple[str, str], Array | int] = {}
    for unknown in unknowns_of(samples.kernel):
        place: Array | int = len(unknowns)
        names = [""]
        if unknown.split:
            whose = samples.software if unknown.split == "software" else samples.shape["chips"].astype(int)
            different, which = np.unique(whose, return_inverse=True)
            names, place = [str(each) for each in different.tolist()], len(unknowns) + which.reshape(-1)
        picks[unknown.name, unknown.qualifier] = place
        unknowns += [unknown] * len(names)
        labels += names
    return Split(unknowns, labels, picks, sourced_exposed(chip))


def _row(name: str, qualifier: str = "", value: float = 1.0) -> Coefficient:
    return Coefficient(name=name, scope="all", qualifier=qualifier, value=value, unit="1", source="", kind="definition")


def sourced_exposed(chip: Chip) -> Coefficient:
    """Part of the shorter of arithmetic and traffic that stays exposed, as sourced: one for all kernels of a chip."""
    return _row("exposed", value=Efficiency(shipped_coefficients()).sourced("exposed", chip).value)


CONSTANTS = tuple(_row(name) for name in ("software", "dequantise", "link_out", "latency_out", "link_unknown"))
"""Coefficients that are 1 here: what widening costs is in the share of a weight-only product, messages keep inside."""
