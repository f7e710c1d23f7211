"""Measured calls under costline's own model of time: the engine is asked, with the coefficients to be found as samples.

Nothing here knows how long a kernel takes. A call becomes the part of a network that would cause it; the engine turns
that part into work and traffic and these into seconds (`costline.engine`), as it does for whole networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from costline.catalogue.coefficient_table import shipped_coefficients
from costline.engine.casts import COPIES, cast_loads, sorted_before
from costline.engine.loads import Load, forward_loads
from costline.engine.messages import Message, network_time
from costline.engine.timing import time_loads
from costline.formulas.collectives import all_gather_bytes, all_reduce_bytes, all_to_all_bytes
from costline.formulas.memory import cast_bytes
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.kernels.read import Samples
from costline.models.decoders.build import routed_experts
from costline.models.decoders.latent import deepseek_v3_shape
from costline.models.decoders.mixers import latent_attention
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
    "mxfp4_wo": Plan(weights="mxfp4"),
    "mxfp4_fp8": Plan(weights="mxfp4", compute="fp8"),
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
EXPERTS = (*GEMM[:-1], Unknown("dispatch", "graph", "software", 3.0, 0.01, 100.0, "call"))
ATTENTION = (
    Unknown("attention", "", "", 0.5, 0.005, 4.0, "1"), Unknown("attention_block", "", "", 2e-8, 1e-11, 1e-5, "s"),
    MEMORY, LAUNCH,
)  # fmt: skip
COLLECTIVE = (
    Unknown("link_up", "", "chips", 0.7, 0.01, 2.0, "1"),
    Unknown("latency_up", "", "chips", 5e-6, 1e-7, 1e-3, "s"),
)
"""What each kind of kernel is described by."""


def unknowns_of(kernel: str) -> tuple[Unknown, ...]:
    """What a kernel is described by."""
    known = {"gemm": GEMM, "experts": EXPERTS, "context": ATTENTION, "generation": ATTENTION}
    return known.get(kernel.partition("_")[0], COLLECTIVE)


WHOLE: Mapping[str, tuple[str, ...]] = {
    "gemm": ("inner", "outer"), "experts": ("inner",), "context": ("heads", "width"), "generation": ("heads", "width"),
}  # fmt: skip
"""Kind of kernel -> sizes that are held out together."""


def groups_of(samples: Samples) -> Array:
    """Shape that is held out as a whole: the weight of a product, the width of the models whose experts are run, the
    heads of attention, the size of a message."""
    held = [name for name in WHOLE.get(samples.kernel.partition("_")[0], ("bytes",)) if name in samples.shape]
    chosen = [samples.shape[name] for name in held]
    found: Array = np.unique(np.stack(chosen, axis=1), axis=0, return_inverse=True)[1]
    return found.reshape(-1)


def timed_by(samples: Samples, chip: Chip) -> Timed:
    """The engine's time of these calls as a function of the coefficients."""
    if samples.kernel.partition("_")[0] not in MADE:
        return _messages(samples, chip)
    loads, plan = loads_of(samples)
    parts, streams = made_of(samples)
    loads = (*loads, *_narrowing(parts, streams, plan))
    cluster = Cluster(chip=chip, chips=1)

    def timed(efficiency: Efficiency) -> Array:
        sorting = efficiency.value("dispatch", chip, "graph")
        return np.asarray(time_loads(sorted_before(loads, sorting), cluster, efficiency, plan).point)

    return timed


def loads_of(samples: Samples) -> tuple[tuple[Load, ...], Plan]:
    """What these calls ask of a chip, and how a network is run that makes them; no narrowing, no sorting."""
    plan = FP8_ATTENTION if samples.format == "fp8" and samples.kernel in ATTENDING else PLANS[samples.format]
    parts, streams = made_of(samples)
    return forward_loads(parts, streams, plan), plan


Made: TypeAlias = tuple[Sequence[Part], Mapping[str, Numeric]]
ATTENDING = frozenset({"context", "generation"})


def made_of(samples: Samples) -> Made:
    """Parts of a network and streams that cause these calls."""
    return MADE[samples.kernel.partition("_")[0]](samples.kernel, samples.shape)


def _product(_: str, shape: Mapping[str, Array]) -> Made:
    inner: Any = shape["inner"]
    outer: Any = shape["outer"]
    part = Linear(name="block/product", inputs=inner, outputs=outer, rows="rows", bias=False)
    return (part,), {"batch": 1.0, "sample": 1.0, "rows": shape["rows"]}


def _experts(_: str, shape: Mapping[str, Array]) -> Made:
    """A layer of experts all of which every token visits: those that the tokens of a chip do visit."""
    inner: Any = shape["inner"]
    outer: Any = shape["outer"]
    visited: Any = shape["experts"]
    parts = routed_experts(inner, outer, visited, visited, gated=True, bias=False, repeat=1)
    return parts, {"batch": 1.0, "sample": 1.0, "tokens": shape["rows"] / visited}


def _attention(kernel: str, shape: Mapping[str, Array]) -> Made:
    if "width" not in shape:
        return _latent(kernel, shape)
    heads: Any = shape["heads"]
    key_heads: Any = shape["key_heads"]
    width: Any = shape["width"]
    part = Attention(
        name="block/attention", queries="queries", keys="keys", heads=heads, key_heads=key_heads, key_dim=width,
        value_dim=width, mask="causal", cache_width=2 * key_heads * width,
    )  # fmt: skip
    return (part,), _streams(kernel, shape, "queries", "keys")


def _latent(kernel: str, shape: Mapping[str, Array]) -> Made:
    """The core of latent attention, absorbed for a new token, with the widths of DeepSeek-V3."""
    absorbed = kernel != "context_mla"
    parts = latent_attention(deepseek_v3_shape({}, "latent attention"), "context", cached=True, absorbed=absorbed)
    (core,) = (part for part in parts if isinstance(part, Attention))
    heads: Any = shape["heads"]
    core = replace(core, heads=heads, key_heads=1 if absorbed else heads, repeat=1)
    return (core,), _streams(kernel, shape, "tokens", "context")


def _streams(kernel: str, shape: Mapping[str, Array], queries: str, keys: str) -> Mapping[str, Numeric]:
    tokens = shape["tokens"]
    new = tokens if kernel.startswith("context") else np.ones_like(tokens)
    return {"batch": shape["batch"], "sample": 1.0, queries: new, keys: tokens}


MADE: Mapping[str, Callable[[str, Mapping[str, Array]], Made]] = {
    "gemm": _product, "experts": _experts, "context": _attention, "generation": _attention,
}  # fmt: skip
"""Kind of kernel -> what in a network causes its calls."""


def _narrowing(parts: Sequence[Part], streams: Mapping[str, Numeric], plan: Plan) -> Iterator[Load]:
    """Inputs are narrowed in the calls that were timed: read in 16 bits, written once, launched with the product.

    The package says so of products with scales by block; others in 8 and 4 bits fit better with it than without (fp8 on
    H200: 14 % at the median, not 16). Its int8 products name a plugin that takes inputs that are narrow already.
    """
    if plan.compute == "int8":
        return
    for load in cast_loads(parts, streams, plan, reverse=False):
        traffic = load.traffic * cast_bytes(1.0, 2.0, 1.0, 1) / cast_bytes(1.0, 2.0, 1.0, COPIES)
        yield load._replace(traffic=traffic, calls=0.0)


def messages_of(samples: Samples, chip: Chip) -> tuple[Message, Cluster]:
    """The message that these collectives are, and where it is sent."""
    size = samples.shape["chips"]
    sent = SENT[samples.kernel.removeprefix("nccl_")](samples.shape["bytes"], size)
    cluster = Cluster(chip=chip, chips=float(size.max()), domain=float(size.max()))
    return Message("tensor", sent, np.ones_like(sent), size, 1), cluster


def _messages(samples: Samples, chip: Chip) -> Timed:
    message, cluster = messages_of(samples, chip)

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
        return Efficiency((*CONSTANTS, *(_row(*key) for key in self.picks), self.exposed), drawn=drawn)


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


CONSTANTS = (
    *(_row(name) for name in ("software", "dequantise", "link_out", "latency_out", "link_unknown")),
    _row("dispatch", value=0.0),
    _row("product_energy", value=0.0),
    _row("launch", value=3e-6),
)
"""Coefficients that are 1 here: what widening costs is in the share of a weight-only product, messages keep inside.
Launches of experts count in launches of a product in a graph (coefficients.csv)."""
