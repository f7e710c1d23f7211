"""What kernels reach of a chip under a plan: shares of its rates, and how fast their software is."""

from __future__ import annotations

from functools import cached_property

from costline.engine.ageing import ageing
from costline.formulas.roofline import power_share
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import BEST_SHARE, Efficiency
from costline.numeric import Numeric, largest, smallest, some
from costline.plan import Plan
from costline.precision import widening

SIXTEEN_BITS = frozenset({"bf16", "fp16", "fp16acc"})
"""Formats of which the same units reach the same share of their rates; the coefficients name none of them."""


class Reach:
    """What the kernels of a pass reach on a chip under a plan, each worked out once for kernels that are alike."""

    def __init__(self, cluster: Cluster, efficiency: Efficiency, plan: Plan) -> None:
        self.cluster, self.efficiency, self.plan = cluster, efficiency, plan
        self._slow: dict[str, Numeric] = {}
        self._peaks: dict[str, Numeric] = {}
        self._streams: dict[tuple[str, str], Numeric] = {}
        self._products: dict[tuple[str, str], Numeric] = {}
        self._halves: dict[tuple[str, str], Numeric] = {}

    def value(self, name: str, qualifier: str = "") -> Numeric:
        """A coefficient."""
        return self.efficiency.value(name, self.cluster.chip, qualifier)

    @cached_property
    def launch(self) -> Numeric:
        """Launch of a kernel, captured in a graph where the plan has graphs. [s]"""
        return self.value("launch", self.plan.refined("graph" if self.plan.compiled else "eager"))

    @cached_property
    def exposed(self) -> Numeric:
        """Part of the shorter of arithmetic and traffic that does not hide behind the longer. [1]"""
        return self.value("exposed")

    def slow(self, kernels: str) -> Numeric:
        """Time of some kernels over that of average ones: see `slowness`. [1]"""
        found = self._slow.get(kernels)
        if found is None:
            found = self._slow[kernels] = slowness(self.cluster.chip, self.efficiency, self.plan, kernels)
        return found

    def peak(self, number_format: str) -> Numeric:
        """Peak rate of a format. [FLOP/s]"""
        found = self._peaks.get(number_format)
        if found is None:
            found = self._peaks[number_format] = self.cluster.chip.rate(number_format)
        return found

    def stream(self, qualifier: str, kernels: str) -> Numeric:
        """Share of the bandwidth. [1]"""
        found = self._streams.get((qualifier, kernels))
        if found is None:
            found = reached(self.value("memory", qualifier), self.slow(kernels))
            self._streams[qualifier, kernels] = found
        return found

    def product(self, number_format: str, weight_format: str) -> Numeric:
        """Share of the peak rate that a large matrix product reaches. [1]"""
        found = self._products.get((number_format, weight_format))
        if found is None:
            units = self.cluster.chip.rate_format(number_format)
            found = self.value("gemm", "" if units in SIXTEEN_BITS else units)
            if weight_format:
                found = found * self.value("dequantise", widening(weight_format))
            found = found * sustained(self.cluster.chip, self.efficiency)
            self._products[number_format, weight_format] = found
        return found

    def half(self, length: str, number_format: str) -> Numeric:
        """Length of a product, ``rows`` or ``width``, that reaches half of that."""
        found = self._halves.get((length, number_format))
        if found is None:
            units = self.cluster.chip.rate_format(number_format)  # the faster they are, the longer products must be
            found = self.value("gemm_half", length if units in SIXTEEN_BITS else f"{length}/{units}")
            self._halves[length, number_format] = found
        return found


def slowness(chip: Chip, efficiency: Efficiency, plan: Plan, kernels: str = "") -> Numeric:
    """Time of the kernels of a software, or of some of them, over those of the average one of 2025. [1]"""
    return efficiency.value("software", chip, plan.software) * ageing(chip, efficiency, plan.year, kernels)


def reached(share: Numeric, slow: Numeric) -> Numeric:
    """Share of a peak that a software reaches: even a fast one not more than the best kernel there is. [1]"""
    return smallest(share / slow, largest(share, BEST_SHARE))


def sustained(chip: Chip, efficiency: Efficiency) -> Numeric:
    """Share of the rates of products that a chip's power limit sustains: all of it where one of the two is not known.

    A narrower format does more operations for the same energy, so that the share of its rate is that of 16 bits.
    """
    energy, peak = efficiency.value("product_energy", chip), chip.peak.get("bf16")
    if chip.tdp is None or peak is None or not some(energy):
        return 1.0
    return power_share(chip.tdp, energy, peak)


def attention_kernel(plan: Plan, cluster: Cluster, efficiency: Efficiency) -> str:
    """Attention kernel of the plan, or the newest one the coefficients know for this very chip or its family."""
    return plan.attention or efficiency.newest_attention(cluster.chip)
