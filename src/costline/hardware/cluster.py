"""A number of chips and the links between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from costline.errors import InputError
from costline.hardware.chip import Chip
from costline.numeric import Numeric


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Chips in scale-up domains (nodes, racks) joined by a scale-out network.

    Attributes
    ----------
    chip : Chip
        The accelerator, the same everywhere.
    chips : int or array
        How many. [chip]
    domain : int or array
        Chips that reach each other over the scale-up link. [chip]
    scale_up, scale_out : float, array or None
        Bandwidth of one chip in one direction inside its domain and out of it; None is unknown. [byte/s]
    scale_up_latency, scale_out_latency : float or None
        Latency of one message hop where the system states one; None leaves it to the coefficients. [s]
    power : float or array, optional
        Wall power of the system per chip at full load, hosts and fans included, without the building. [W]
    system : str
        Catalogue name of the system; empty for a bare number of chips.
    source : str
        Where the figures were read.
    """

    chip: Chip
    chips: Numeric
    domain: Numeric = 8
    scale_up: Numeric | None = None
    scale_out: Numeric | None = None
    scale_up_latency: float | None = None
    scale_out_latency: float | None = None
    power: Numeric | None = None
    system: str = ""
    source: str = ""

    @property
    def memory(self) -> Numeric:
        """Memory of all chips. [byte]"""
        return self.chips * self.chip.memory


MAY_BE_NOTHING = frozenset({"scale_up_latency", "scale_out_latency"})
"""Figures that may be 0; of the others that would divide by nothing."""


def check_cluster(cluster: Cluster) -> None:
    """Refuse figures that no machine has, in a cluster made in Python; files are checked where they are read.

    Raises
    ------
    InputError
        The first that is no positive finite number, by name and value.

    Examples
    --------
    >>> chip = Chip(id="x", name="x", peak={"bf16": 1e14}, memory=8e10, memory_bandwidth=0)
    >>> check_cluster(Cluster(chip=chip, chips=2))
    Traceback (most recent call last):
    ...
    costline.errors.InputError: chip x: memory_bandwidth is a positive number in its SI unit, not 0
    """
    if not isinstance(cluster.chip, Chip):
        raise InputError(
            f"cluster: chip is a costline.Chip, not {type(cluster.chip).__name__}; write '8xh100-sxm' as on="
        )
    for name, value in _figures(cluster):
        array = np.asarray(value)
        least = 0.0 if name in MAY_BE_NOTHING else np.nextafter(0.0, 1.0)
        number = array.dtype.kind in "iuf" and array.size > 0
        if not number or not np.all(np.isfinite(array) & (array >= least)):
            whose = "cluster" if name in vars(cluster) else f"chip {cluster.chip.id}"
            raise InputError(f"{whose}: {name} is a positive number in its SI unit, not {value!r}"[:200])
    if np.any((chips := np.asarray(cluster.chips)) != np.floor(chips)):
        raise InputError(f"cluster: chips is a whole number, not {cluster.chips!r}"[:200])


def _figures(cluster: Cluster) -> Iterator[tuple[str, Any]]:
    """Every figure of a cluster and its chip that is known."""
    numbers = ("chips", "domain", "scale_up", "scale_out", "scale_up_latency", "scale_out_latency", "power")
    own = ("memory", "memory_bandwidth", "tdp", "link_bandwidth", "sram", "sram_bandwidth")
    named = [(name, getattr(cluster, name)) for name in numbers]
    named += [(name, getattr(cluster.chip, name)) for name in own]
    named += [(f"peak of {precision}", rate) for precision, rate in cluster.chip.peak.items()]
    for name, value in named:
        if value is not None or name in {"chips", "domain", "memory", "memory_bandwidth"}:
            yield name, value
