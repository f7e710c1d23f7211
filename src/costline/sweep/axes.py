"""Axes of a sweep: lists, evenly and logarithmically spaced values, random draws."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from costline.errors import InputError, QuantityError
from costline.numeric import Array
from costline.quantity import Kind, Range, read, read_range
from costline.report.values import KINDS
from costline.sweep.draws import drawn

Word: TypeAlias = str | bool | int | float

MOST_VALUES = 1_000_000
"""Values of one axis. More are better drawn at random."""

SPACED = {"from", "to", "count", "step", "scale"}


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One input that varies.

    Exactly one of `words`, `numbers`, `spacing` and `spread` is set.

    Attributes
    ----------
    name : str
        The input, or a field of one: ``batch``, ``plan.tensor``.
    unit : str
        SI unit of a number, empty for words.
    whole : bool
        Whether values are whole numbers.
    words : tuple
        Listed names, flags and fields of tables.
    numbers : tuple of float
        Listed numbers. [unit]
    spacing : (float, float, int, bool), optional
        First and last value, how many there are, whether logarithmically spaced. [unit]
    spread : Range, optional
        Distribution that samples are drawn from. [unit]
    """

    name: str
    unit: str = ""
    whole: bool = False
    words: tuple[Word, ...] = ()
    numbers: tuple[float, ...] = ()
    spacing: tuple[float, float, int, bool] | None = None
    spread: Range | None = None

    @property
    def random(self) -> bool:
        """Whether values are drawn and not listed."""
        return self.spread is not None

    @property
    def size(self) -> int:
        """Number of listed values; 1 for a random axis, whose length is the number of samples."""
        return 1 if self.random else len(self.words) or len(spaced_values(self))

    def value(self, place: int) -> Word:
        """One listed value, as the study takes it."""
        if self.words:
            return self.words[place]
        number = float(spaced_values(self)[place])
        return int(number) if self.whole else number

    def take(self, places: Array) -> Array:
        """Listed numbers at `places`. [unit]"""
        return spaced_values(self)[places]

    def draw(self, places: Array, seed: int, stream: int) -> Array:
        """Random numbers of the samples `places`; the same ones whatever else is asked for. [unit]"""
        if self.spread is None:
            raise TypeError(f"{self.name} is listed, not drawn")
        values = drawn(self.spread, places, seed, stream)
        return np.maximum(np.rint(values), 1.0) if self.whole else values


@functools.lru_cache(maxsize=64)
def spaced_values(axis: Axis) -> Array:
    """Numbers of a listed or spaced axis. [its unit]"""
    if axis.spacing is None:
        return np.asarray(axis.numbers, dtype=float)
    first, last, count, logarithmic = axis.spacing
    values: Array = np.geomspace(first, last, count) if logarithmic else np.linspace(first, last, count)
    return np.unique(np.rint(values)) if axis.whole else values


def read_axis(name: str, given: Any, kind: Kind | None, whole: bool) -> Axis:
    """Read an axis.

    Parameters
    ----------
    name : str
        The input.
    given : list, mapping or str
        Values; ``{from, to, count or step, scale}``; or a range to draw from, such as ``"$1/h to $4/h"``.
    kind : Kind or None
        What the input measures; None for words.
    whole : bool
        Whether values are whole numbers.

    Raises
    ------
    InputError
        Empty, malformed, with a value that is there twice, or too long.

    Examples
    --------
    >>> from costline.quantity import TOKENS
    >>> read_axis("input", ["1k", 2000], TOKENS, whole=True).numbers
    (1000.0, 2000.0)
    """
    if isinstance(given, Mapping):
        axis = _spaced(name, given, kind, whole)
    elif isinstance(given, list):
        axis = _listed(name, given, kind, whole)
    elif isinstance(given, str) and kind is not None:
        axis = _random(name, given, kind, whole)
    else:
        raise InputError(f"axis {name}: {given!r:.60} is no list; a single value belongs in [inputs]")
    return axis


def unit_of(kind: Kind) -> str:
    """Unit of a kind as figures write it; none for counts."""
    return next((unit for unit, known in KINDS.items() if known is kind), "")


def _listed(name: str, given: Sequence[Any], kind: Kind | None, whole: bool) -> Axis:
    if not given:
        raise InputError(f"axis {name} is empty")
    if len(given) > MOST_VALUES:
        raise InputError(f"axis {name} has {len(given):,} values; the most is {MOST_VALUES:,}")
    if not all(isinstance(value, str | bool | int | float) for value in given):
        raise InputError(f"axis {name}: values are texts, numbers, or true and false")
    if kind is None:
        axis = Axis(name=name, words=tuple(given))
        values: Sequence[Word] = axis.words
    else:
        axis = Axis(
            name=name, unit=unit_of(kind), whole=whole, numbers=tuple(_number(name, one, kind) for one in given)
        )
        values = axis.numbers
    if len(set(map(str, values))) < len(values):
        twice = next(value for place, value in enumerate(values) if value in values[:place])
        raise InputError(f"axis {name} has {twice!r} twice")
    return axis


def _number(name: str, value: Any, kind: Kind) -> float:
    if isinstance(value, bool):
        raise QuantityError(f"{name}: {value} is no {kind.name}")
    try:
        return float(read(value if kind.bare else str(value), kind))  # as a flag would give it
    except QuantityError as error:
        raise QuantityError(f"{name}: {error}") from None


def _spaced(name: str, given: Mapping[str, Any], kind: Kind | None, whole: bool) -> Axis:
    form = "{ from = 1, to = 512, count = 10, scale = 'log' }, or step = 2 in place of count"
    if (
        kind is None
        or set(given) - SPACED
        or not {"from", "to"} <= set(given)
        or ("count" in given) == ("step" in given)
    ):
        raise InputError(f"axis {name}: a table is for numbers, and of the form {form}")
    if given.get("scale", "linear") not in {"linear", "log"}:
        raise InputError(f"axis {name}: scale {given['scale']!r:.40} is neither 'linear' nor 'log'")
    logarithmic = given.get("scale") == "log"
    first, last = _number(name, given["from"], kind), _number(name, given["to"], kind)
    if first >= last or (logarithmic and first <= 0):
        raise InputError(f"axis {name} is empty: from {first:g} to {last:g}{' on a log scale' * logarithmic}")
    if "step" in given:
        step = _number(name, given["step"], kind)
        if step <= 0 or logarithmic:
            raise InputError(f"axis {name}: step goes with a linear scale and is above 0")
        count = int((last - first) / step * (1 + 1e-12)) + 1
        last = first + (count - 1) * step
    else:
        count = given["count"]
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_VALUES:
        raise InputError(f"axis {name}: {count!r:.40} values; the count is a whole number from 1 to {MOST_VALUES:,}")
    return Axis(name=name, unit=unit_of(kind), whole=whole, spacing=(first, last, count, logarithmic))


def _random(name: str, given: str, kind: Kind, whole: bool) -> Axis:
    try:
        spread = read_range(given, kind)
    except QuantityError as error:
        raise QuantityError(f"axis {name}: {error}") from None
    if not isinstance(spread, Range):
        raise InputError(f"axis {name}: {given!r:.60} is one value, which belongs in [inputs]; an axis has several")
    return Axis(name=name, unit=unit_of(kind), whole=whole, spread=spread)
