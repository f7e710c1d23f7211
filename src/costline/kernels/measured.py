"""Times of kernels straight from the measured tables, interpolated between the shapes that were measured.

What is interpolated is the logarithm of measured over modelled time, linearly between the nearest measured shapes
(radial basis functions of SciPy, on logarithms of the sizes): at a measured shape the result is what was measured, and
between shapes, and beyond them, time changes as the model says. Where several engines were measured, the engine of the
plan counts if it is among them, else their geometric mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from costline.catalogue import shipped
from costline.catalogue.coefficient_table import shipped_coefficients
from costline.derivation import unrecorded
from costline.engine.loads import Attended, Load
from costline.engine.messages import Message, network_time
from costline.engine.timing import time_loads
from costline.errors import InputError
from costline.formulas.collectives import all_reduce_bytes, all_to_all_bytes
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.kernels.model import SENT, loads_of, messages_of
from costline.kernels.read import Samples, read_files
from costline.kernels.tables import DISTRIBUTION, SYSTEMS, files_of, installed, package_version
from costline.numeric import Array, Numeric, choose, largest, some
from costline.plan import Plan
from costline.precision import element_bytes

Sizes: TypeAlias = Mapping[str, Numeric]
CHIPS = tuple(chip for chip, _ in SYSTEMS.values())
"""Chips that were measured."""
WIDE = 2
"""Bytes of an element of a 16-bit cache."""
NEIGHBOURS = 16
"""Measured shapes that a time is interpolated between."""
LEAST = 0.1
"""Part of the time of a layer of experts that its products take at least. [1]"""
PRODUCTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("bf16", ""): ("bf16",), ("fp16", ""): ("bf16",), ("fp8", ""): ("fp8", "fp8_block"), ("fp4", ""): ("fp4",),
    ("int8", ""): ("int8",), ("bf16", "int8"): ("int8_wo",), ("bf16", "int4"): ("int4_wo",),
    ("bf16", "mxfp4"): ("mxfp4_wo",), ("fp8", "mxfp4"): ("mxfp4_fp8",),
}  # fmt: skip
"""Formats of a product and of weights that are widened -> formats of the tables; the first that was measured counts."""
MESSAGES: Mapping[str, tuple[tuple[str, ...], Callable[[Numeric, Numeric], Numeric]]] = {
    "tensor": (("all_reduce bf16", "nccl_all_reduce bf16"), all_reduce_bytes),
    "expert": (("nccl_alltoall bf16",), all_to_all_bytes),
}
"""Message -> kernels that send it, the first that was measured counting, and what each chip sends of a tensor."""


@dataclass(frozen=True)
class Surface:
    """Measured over modelled time as a function of the sizes of a call.

    Attributes
    ----------
    least, most : mapping
        Smallest and largest size measured, by name; others count as the nearest of them.
    ratio : callable
        Logarithm of the ratio at logarithms of sizes, one call a row.
    """

    least: Mapping[str, float]
    most: Mapping[str, float]
    ratio: Callable[[Array], Array]

    def at(self, sizes: Sizes) -> Numeric:
        """Ratio at some sizes. [1]"""
        inside = [np.log(np.clip(sizes[name], self.least[name], self.most[name])) for name in self.least]
        logs = np.stack(np.broadcast_arrays(*inside), axis=-1)
        shapes, which = np.unique(logs.reshape(-1, len(inside)), axis=0, return_inverse=True)
        found = np.exp(self.ratio(shapes))[which.reshape(-1)].reshape(logs.shape[:-1])
        return found if found.ndim else float(found)


def surface(samples: Samples, chip: Chip) -> Surface:
    """Surface through measured over modelled times of some calls, those of one shape averaged.

    What a layer of experts moves besides its products is taken off at the time the model gives it.
    """
    from scipy.interpolate import RBFInterpolator

    logs = np.log(np.stack(list(samples.shape.values()), axis=1))
    shapes, which = np.unique(logs, axis=0, return_inverse=True)
    which = which.reshape(-1)
    ratio = np.bincount(which, np.log(_ratio(samples, chip))) / np.bincount(which)
    found = RBFInterpolator(shapes, ratio, neighbors=min(NEIGHBOURS, len(shapes)), kernel="linear", degree=0)
    least, most = (
        dict(zip(samples.shape, np.exp(end).tolist(), strict=True)) for end in (shapes.min(0), shapes.max(0))
    )
    return Surface(least, most, found)


def _ratio(samples: Samples, chip: Chip) -> Array:
    """Measured over modelled time of each call. [1]"""
    if samples.kernel.removeprefix("nccl_") in SENT:
        message, cluster = messages_of(samples, chip)
        whole: Array = samples.seconds / network_time(message, cluster, reference())
        return whole
    loads, plan = loads_of(samples)
    cluster = Cluster(chip=chip, chips=1)
    main, rest = (
        np.asarray(
            time_loads((load for load in loads if (load.kind == "memory") == other), cluster, reference(), plan).point
        )
        for other in (False, True)
    )
    found: Array = np.maximum(samples.seconds - rest, LEAST * samples.seconds) / main
    return found


@functools.cache
def reference() -> Efficiency:
    """Coefficients as sourced, of which only the shape of the curves between measured calls is left."""
    return Efficiency(shipped_coefficients())


@functools.cache
def samples_of(chip: str) -> Mapping[str, Samples]:
    """Measured calls of a chip by kernel and format.

    Raises
    ------
    InputError
        The package or pyarrow is not installed.
    """
    found = read_files(files_of(installed(), (chip,))).samples if chip in CHIPS else ()
    return {f"{samples.kernel} {samples.format}": samples for samples in found}


@functools.cache
def surface_of(chip: str, kernel: str, engine: str) -> Surface:
    """Surface of a kernel of a chip, from the calls of one engine where it ran any."""
    samples = samples_of(chip)[kernel]
    own = samples.software == engine
    return surface(samples.only(own) if own.any() else samples, shipped.chip(chip))


@dataclass
class MeasuredKernels:
    """What the engine asks for the time of a kernel or a message.

    Attributes
    ----------
    interpolated, modelled : set of str
        What has been asked for since: kernels that were interpolated, and what the model timed.
    """

    interpolated: set[str] = field(default_factory=set)
    modelled: set[str] = field(default_factory=set)

    def kernel(self, load: Load, cluster: Cluster, plan: Plan) -> Numeric | None:
        """Time of the kernels of a load; None where the model has to say. [s]

        Raises
        ------
        InputError
            The chip, or a product or attention in these formats, was not measured.
        """
        if load.name.endswith("/sort"):
            return 0.0  # a layer of experts was measured as a whole
        asked = asked_of(load, plan)
        if not asked:
            self.modelled.add("element-wise work" if load.kind == "memory" else load.name)
            return None
        ratio: Numeric = 1.0
        for kernels, sizes, where in asked:
            kernel = self._covered(kernels or (_unknown(load),), cluster.chip.id)
            ratio = choose(where, surface_of(cluster.chip.id, kernel, plan.software).at(sizes), ratio)
        neutral = Plan(weights=plan.weights, compute=plan.compute, cache=plan.cache)
        with unrecorded():
            return time_loads((load,), cluster, reference(), neutral).point * ratio

    def message(self, message: Message, cluster: Cluster) -> Numeric | None:
        """Time of messages; None where the model has to say. [s]"""
        kernels, sent = MESSAGES.get(message.name, ((), all_reduce_bytes))
        kernel = _first(samples_of(cluster.chip.id), kernels)
        if not kernel or np.any(np.asarray(message.size) * message.stride > cluster.domain):
            self.modelled.add(f"{message.name} messages")
            return None
        self.interpolated.add(kernel)
        group = largest(message.size, 2)
        sizes = {"bytes": message.sent / largest(message.calls, 1) / sent(1.0, group), "chips": group}
        with unrecorded():
            modelled = network_time(message, cluster, reference())
        return modelled * surface_of(cluster.chip.id, kernel, message.software).at(sizes)

    def _covered(self, kernels: tuple[str, ...], chip: str) -> str:
        known = samples_of(chip)
        kernel = _first(known, kernels)
        if not kernel:
            words = ", ".join(sorted(known)) or f"kernels of {', '.join(CHIPS)}"
            raise InputError(f"--kernels measured: {kernels[0]} was not measured on {chip}; measured: {words}")
        self.interpolated.add(kernel)
        return kernel

    @property
    def said(self) -> str:
        """What was interpolated, and what the model timed."""
        found = f"measured: {', '.join(sorted(self.interpolated)) or 'none'}"
        return f"{found}; modelled: {', '.join(sorted(self.modelled)) or 'none'}"

    @property
    def source(self) -> str:
        """Which package the measured times are from."""
        return " ".join(filter(None, (DISTRIBUTION, package_version())))


Asked: TypeAlias = tuple[tuple[str, ...], Sizes, bool | Array]
"""Kernels that a load may be, its sizes as the tables state them, and where in its arrays it is that."""


def asked_of(load: Load, plan: Plan) -> tuple[Asked, ...]:
    """What of a load was measured, if anything was."""
    if load.attended is not None:
        single = np.equal(load.attended.queries, 1)
        ways = (("generation", single), ("context", np.logical_not(single)))
        return tuple(
            (*_attended(load, load.attended, plan, phase), where if np.ndim(where) else True)
            for phase, where in ways
            if np.any(where)
        )
    if load.kind == "linear" and load.rank != "scan" and some(load.rows):
        return ((*_product(load), True),)
    return ()


def _unknown(load: Load) -> str:
    return f"gemm {load.format}" + (f" of weights in {load.weight_format}" if load.weight_format else "")


def _first(known: Mapping[str, Samples], kernels: tuple[str, ...]) -> str:
    return next((kernel for kernel in kernels if kernel in known), "")


def _products(kernel: str, load: Load) -> tuple[str, ...]:
    return tuple(f"{kernel} {form}" for form in PRODUCTS.get((load.format, load.weight_format), ()))


def _product(load: Load) -> tuple[tuple[str, ...], Sizes]:
    """Kernels a product may be, and its sizes as the tables state them."""
    if not some(load.experts):
        return _products("gemm", load), {"rows": load.rows, "inner": load.inner, "outer": load.outer}
    visits = load.flops / (2 * load.calls * load.inner * load.outer)
    token, width = (load.outer, load.inner) if load.name.endswith("down") else (load.inner, load.outer)
    sizes = {"rows": visits, "inner": token, "outer": width, "experts": visits / load.rows}
    return _products("experts", load), sizes


def _attended(load: Load, sizes: Attended, plan: Plan, phase: str) -> tuple[tuple[str, ...], Sizes]:
    """Kernels that attention may be, and its sizes: of a new token with the keys that it meets."""
    form = "bf16" if element_bytes(plan.cache) >= WIDE else "bf16+fp8kv"
    pairs = load.flops / load.calls / (2 * sizes.sequences * sizes.heads * (sizes.key_dim + sizes.value_dim))
    tokens = pairs if phase == "generation" else sizes.queries
    found: dict[str, Numeric] = {"batch": sizes.sequences, "tokens": tokens, "heads": sizes.heads}
    if np.any(np.not_equal(sizes.key_dim, sizes.value_dim)):
        return (f"{phase}_mla {form}",), found
    return (f"{phase} {form}",), {**found, "key_heads": sizes.key_heads, "width": sizes.key_dim}
