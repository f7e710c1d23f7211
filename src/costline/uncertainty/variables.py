"""Uncertain inputs of a study: whose doubt, which distribution, which column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from costline import quantity
from costline.hardware.efficiency import PARTS, SPREADS, Coefficient
from costline.numeric import Array
from costline.quantity import Kind
from costline.uncertainty.draws import CHIPS
from costline.uncertainty.spreads import Bounds, Spread, median, quantile

Origin: TypeAlias = Literal["input", "catalogue", "model"]
"""Who is in doubt: the user, the catalogue (a price with its spread), or the time model (a coefficient)."""
SIZES = (quantity.PARAMS, quantity.TOKENS, quantity.COUNT, quantity.SECONDS)
"""Kinds of input of which more takes more memory."""
RESERVED = "memory_reserved"
"""Coefficient that takes memory."""
ROW_KINDS = {
    "s": quantity.SECONDS, "byte/s": quantity.BANDWIDTH, "W": quantity.WATTS, "1/s": quantity.FAILURE_RATE,
    "call": quantity.COUNT,
}  # fmt: skip
"""What a coefficient measures, by the unit of its row; the others are shares, rates and factors without a unit."""


@dataclass(frozen=True)
class Variable:
    """An uncertain input.

    Attributes
    ----------
    name : str
        Unique in the study.
    spread : Spread
        Its distribution.
    origin : {"input", "catalogue", "model"}
        Whose doubt it is.
    place : int
        Column of the sample matrix; columns of one file share one.
    kind : Kind or None
        What it measures.
    least, whole : float, bool
        Smallest value allowed; whether samples are rounded.
    """

    name: str
    spread: Spread
    origin: Origin
    place: int
    kind: Kind | None = None
    least: float = -np.inf
    whole: bool = False

    def values(self, shares: Array) -> Array:
        """Samples at rows of the matrix. [SI unit of its kind]"""
        return self._allowed(quantile(self.spread, shares[:, self.place]))

    @property
    def median(self) -> float:
        """Value where it is not in doubt. [SI unit of its kind]"""
        return float(self._allowed(np.asarray(median(self.spread))))

    def upper(self, share: float) -> float:
        """Value below which a share lies, for what takes memory; above which, for chips; the median for the rest."""
        if self.name != RESERVED and (self.origin != "input" or self.kind not in SIZES):
            return self.median
        share = 1 - share if self.name == CHIPS else share
        return float(self._allowed(quantile(self.spread, np.array([share]))[0]))

    def _allowed(self, values: Array) -> Array:
        rounded: Array = np.rint(values) if self.whole else values
        return np.maximum(rounded, self.least)


def by_origin(variables: Iterable[Variable], *origins: Origin) -> tuple[Variable, ...]:
    """Variables of some origins."""
    return tuple(variable for variable in variables if variable.origin in origins)


def numbered(name: str) -> Iterator[str]:
    """The name, then the name with a number behind it."""
    yield name
    for number in range(2, 10_000):
        yield f"{name} ({number})"


def row_label(row: Coefficient) -> str:
    """Name of a coefficient with its condition."""
    return f"{row.name} ({row.qualifier})" if row.qualifier else row.name


def row_kind(row: Coefficient) -> Kind:
    """What a coefficient measures.

    Examples
    --------
    >>> row = Coefficient(name="gemm", scope="all", qualifier="", value=0.8, unit="1", source="", kind="assumed")
    >>> row_kind(row).name
    'fraction'
    """
    share = row.unit == "1" and row.value <= 1 and row.name not in SPREADS
    return ROW_KINDS.get(row.unit, quantity.FRACTION if share else quantity.RATIO)


def row_bounds(row: Coefficient) -> Bounds | None:
    """A coefficient as a distribution; None where nobody has stated a spread."""
    if row.low is None or row.high is None or not row.low < row.high:
        return None
    part = row.name in PARTS and row.value <= 1
    return Bounds(row.value, row.low, row.high, share=row.unit == "1" and (part or row.high <= 1))


def row_least(row: Coefficient) -> float:
    """The smallest value that a coefficient can have, where its distribution may reach below."""
    return 0.0 if row.name in SPREADS else -np.inf
