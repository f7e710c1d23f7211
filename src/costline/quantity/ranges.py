"""Ranges: ``400B to 600B`` and ``400B..600B``, wherever a number may stand."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from costline.errors import QuantityError
from costline.quantity.kinds import FRACTION, RATIO, Kind
from costline.quantity.reading import BETWEEN, DOLLAR, NUMBER, clean, read, shown
from costline.quantity.writing import exact, show

PLAIN = re.compile(f"(?:{DOLLAR.pattern})?(?=[0-9.]){NUMBER.pattern}", re.IGNORECASE)
"""A number without its unit."""

Shape: TypeAlias = Literal["lognormal", "logit-normal", "uniform"]


@dataclass(frozen=True, slots=True)
class Range:
    """An uncertain value.

    Attributes
    ----------
    low, high : float
        5th and 95th percentile, or for a uniform range the ends. [SI unit of its kind]
    shape : {"lognormal", "logit-normal", "uniform"}
        Distribution between them.
    """

    low: float
    high: float
    shape: Shape

    def __post_init__(self) -> None:
        """Refuse ends that the shape cannot have."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and 0 <= self.low < self.high):
            raise QuantityError(f"a range needs 0 <= low < high, both finite; got {self.low:g} and {self.high:g}")
        if self.shape not in {"lognormal", "logit-normal", "uniform"}:
            raise QuantityError(f"unknown shape {shown(self.shape)}; write lognormal, logit-normal or uniform")
        if self.shape != "uniform" and self.low == 0:
            raise QuantityError(f"a {self.shape} range cannot start at 0; a uniform one (A..B) can")
        if self.shape == "logit-normal" and self.high >= 1:
            raise QuantityError("a logit-normal range ends below 1; a uniform one (A..B) may end at 1")

    @property
    def median(self) -> float:
        """The value that half of the distribution is below. [SI unit of its kind]

        Examples
        --------
        >>> Range(4e11, 9e11, "lognormal").median
        600000000000.0
        """
        if self.shape == "uniform":
            return self.low + (self.high - self.low) / 2
        if self.shape == "lognormal":
            return math.sqrt(self.low) * math.sqrt(self.high)
        odds = math.sqrt(self.low / (1 - self.low)) * math.sqrt(self.high / (1 - self.high))
        return odds / (1 + odds)


def read_range(text: str | float, kind: Kind) -> Range | float:
    """Read a quantity or a range of them.

    ``a to b`` is the 5th to 95th percentile of a lognormal, of a logit-normal for fractions; ``a..b`` is uniform. A
    first end without a unit has that of the second. A range whose ends are equal is that one value.

    Parameters
    ----------
    text : str, float or int
        Text as typed; a number is taken to be in the SI unit of the kind already.
    kind : Kind
        What the field measures.

    Raises
    ------
    QuantityError
        An end cannot be read, the ends are the wrong way round, or only the first has a unit.

    Examples
    --------
    >>> from costline.quantity import FRACTION, PARAMS
    >>> read_range("400B to 600B", PARAMS)
    Range(low=400000000000.0, high=600000000000.0, shape='lognormal')
    >>> read_range("35%..45%", FRACTION)
    Range(low=0.35, high=0.45, shape='uniform')
    >>> read_range("400 to 600B", PARAMS)
    Range(low=400000000000.0, high=600000000000.0, shape='lognormal')
    """
    if not isinstance(text, str):
        return read(text, kind)
    tidy = clean(text, f"{kind.example} (or a range of two, with 'to' or '..')")
    parts = BETWEEN.split(tidy)
    if len(parts) == 1:
        return read(tidy, kind)
    ends = [part.strip() for part in parts]
    if len(ends) != 2 or not all(ends) or "..." in tidy:
        raise QuantityError(f"{shown(text)} is not a range of two values; write A to B, or A..B for a uniform one")
    if kind is FRACTION:
        _refuse_mixed(text, ends)
    ends = _with_units(text, ends)
    low, high = (read(end, kind) for end in ends)
    if low > high:
        if ends[0] not in tidy:
            read_as = f"reads as {ends[0]} to {ends[1]}, which runs downwards"
            raise QuantityError(f"{shown(text)} {read_as}; write both ends in full")
        raise QuantityError(f"{shown(text)} runs downwards; write {ends[1]} to {ends[0]}")
    if low == high:
        return low
    if low == 0 and ".." not in tidy:
        raise QuantityError(f"{shown(text)}: a range of percentiles cannot start at 0; write {ends[0]}..{ends[1]}")
    percentiles: Shape = "logit-normal" if kind is FRACTION else "lognormal"
    try:
        return Range(low, high, "uniform" if ".." in tidy else percentiles)
    except QuantityError as error:
        raise QuantityError(f"{shown(text)}: {error}") from None


def show_range(value: Range | float | None, kind: Kind, digits: int = 3) -> str:
    """Print a range, or one value, for people.

    Examples
    --------
    >>> from costline.quantity import PARAMS
    >>> show_range(Range(4e11, 6e11, "lognormal"), PARAMS)
    '400B params to 600B params'
    """
    if not isinstance(value, Range):
        return show(value, kind, digits)
    return f"{show(value.low, kind, digits)}{_joint(value)}{show(value.high, kind, digits)}"


def exact_range(value: Range | float, kind: Kind) -> str:
    """Print a range, or one value, so that `read_range` gives it back bit for bit.

    Examples
    --------
    >>> from costline.quantity import SECONDS
    >>> exact_range(Range(3600.0, 5400.0, "uniform"), SECONDS)
    '1 h..1.5 h'
    """
    if not isinstance(value, Range):
        return exact(value, kind)
    return f"{exact(value.low, kind)}{_joint(value)}{exact(value.high, kind)}"


def _joint(value: Range) -> str:
    return ".." if value.shape == "uniform" else " to "


def shared_unit(low: str, high: str) -> str:
    """The lower end with the unit of the upper one, where it is a number alone; ``$`` before it may be its own.

    Examples
    --------
    >>> shared_unit("30", "40%"), shared_unit("$2", "$3/h"), shared_unit("400B", "600B")
    ('30%', '$2/h', '400B')
    """
    numbers = [PLAIN.match(end) for end in (low, high)]
    if numbers[0] is None or numbers[1] is None or low[numbers[0].end() :]:
        return low
    return low + high[numbers[1].end() :]


def _refuse_mixed(text: str, ends: list[str]) -> None:
    """Refuse a first end of a percentage that may be a share: "0.3 to 40%" is 30 % or 0.3 %."""
    if PLAIN.fullmatch(ends[0]) is None or not ends[1].endswith("%"):
        return
    low = read(ends[0], RATIO)
    if 0 < low < 1 and low <= read(ends[1], FRACTION):
        raise QuantityError(f"{shown(text)}: {ends[0]} is {low:.0%} or {ends[0]}%; write the sign behind both ends")


def _with_units(text: str, ends: list[str]) -> list[str]:
    """Ends with their units: a lower end without one has that of the upper; the other way round nobody writes."""
    numbers = [PLAIN.match(end) for end in ends]
    units = [end[number.end() :] for end, number in zip(ends, numbers, strict=True) if number]
    if len(units) == 2 and units[0] and not units[1]:
        joint = ".." if ".." in text else " to "
        raise QuantityError(f"{shown(text)} has no unit at its end; write {ends[0]}{joint}{ends[1]}{units[0]}")
    return [shared_unit(*ends), ends[1]]
