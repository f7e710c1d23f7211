"""One accelerator, as its datasheet describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from costline.errors import PlanError
from costline.numeric import Numeric
from costline.precision import RATE_FALLBACK, SAME_UNITS, element_bytes


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An accelerator; SI units; None is unknown.

    Attributes
    ----------
    id, vendor, name, family : str
        Catalogue id; who makes it; its printed name; the generation it shares coefficients with ("hopper").
    peak : mapping of str to float or array
        Dense peak rate by number format; a format that is absent is not supported or not known. [FLOP/s]
    memory : float or array
        Capacity. [byte]
    memory_bandwidth : float or array
        Peak bandwidth. [byte/s]
    tdp : float or array, optional
        Board power limit. [W]
    link_bandwidth : float or array, optional
        Chip-to-chip link, one direction. [byte/s]
    link_type : str
        Name of that link.
    year : int, optional
        Year of release.
    sram, sram_bandwidth : float or array, optional
        On-chip memory. [byte, byte/s]
    source, kind, flags : str
        Where the figures were read; "datasheet", "estimated", "assumed" or "user"; disagreements found.
    """

    id: str
    name: str
    peak: Mapping[str, Numeric]
    memory: Numeric
    memory_bandwidth: Numeric
    vendor: str = ""
    family: str = ""
    tdp: Numeric | None = None
    link_bandwidth: Numeric | None = None
    link_type: str = ""
    year: int | None = None
    sram: Numeric | None = None
    sram_bandwidth: Numeric | None = None
    source: str = ""
    kind: str = "datasheet"
    flags: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    def multiplies(self, precision: str) -> bool:
        """Whether the chip states a rate for products of operands in `precision`, and not only for wider ones."""
        return SAME_UNITS.get(precision, precision) in self.peak

    def rate_format(self, precision: str) -> str:
        """Return the format whose rate applies to operands in `precision`: itself, or the next wider one the chip has.

        Raises
        ------
        PlanError
            The chip states no usable rate.
        """
        element_bytes(precision)
        for candidate in RATE_FALLBACK[precision]:
            if candidate in self.peak:
                return candidate
        raise PlanError(f"{self.id} states no rate for {precision}; it states {', '.join(self.peak) or 'none'}")

    def rate(self, precision: str) -> Numeric:
        """Dense peak for operands in `precision`. [FLOP/s]"""
        return self.peak[self.rate_format(precision)]
