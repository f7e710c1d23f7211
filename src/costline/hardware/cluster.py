"""A number of chips and the links between them."""

from __future__ import annotations

from dataclasses import dataclass

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
