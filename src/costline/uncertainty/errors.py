"""What whole predictions were wrong by, as one uncertain input more of a sampled answer.

An answer without ranges carries the held-out errors of published cases like it. The coefficients of the time model,
each drawn within its bounds, explain a part of them; the rest, added in squares, is drawn here as a factor on every
time, so that the model's doubt of a sampled answer is not narrower than what it was wrong by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from costline import quantity
from costline.estimate import Estimate, Figure
from costline.numeric import Array
from costline.uncertainty.spreads import Bounds, quantile
from costline.uncertainty.variables import Variable

NAME = "errors of like cases"
"""Of a variable, before the figure it is about."""
COLUMNS = 2
"""Columns of the sample matrix: a served answer's first token and the rest of it have published cases of their own."""
PROBE = 256
"""Samples that show how wide the coefficients make a figure: its ends are then within some 5 % of their distance."""
SIDES = (0.1, 0.5, 0.9)
"""Shares between which 80 % lie, and the middle."""


@dataclass(frozen=True)
class Errors:
    """Factors on the figures of an answer.

    Attributes
    ----------
    factors : mapping of str to Bounds
        On each figure that has an interval, as on a time: more is slower.
    places : mapping of str to int
        Column of the sample matrix of each: figures that the same published cases speak for share one.
    falling : frozenset of str
        Figures that fall where a time grows.
    """

    factors: Mapping[str, Bounds]
    places: Mapping[str, int]
    falling: frozenset[str]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The factor on the first figure of each column, as an input, unless the coefficients explain all of it."""
        first = {place: name for name, place in reversed(tuple(self.places.items()))}
        return tuple(
            Variable(f"{NAME} ({name})", self.factors[name], "model", place, quantity.RATIO)
            for place, name in sorted(first.items())
            if self.factors[name].low < self.factors[name].high
        )

    def at(self, answer: Estimate, shares: Array) -> Estimate:
        """The answer at rows of the matrix with the errors of its predictions."""
        figures = dict(answer.figures)
        for name, bounds in self.factors.items():
            if name in figures and figures[name].value is not None:
                factor = quantile(bounds, shares[:, self.places[name]])
                figures[name] = _times(figures[name], 1 / factor if name in self.falling else factor)
        return replace(answer, figures=figures)


def _times(figure: Figure, factor: Array) -> Figure:
    error = Figure(name=NAME, value=factor, unit="1", note="what its coefficients do not explain")
    return replace(
        figure, value=np.asarray(figure.amount) * factor, combine="product", children=(figure, error),
        low=None, high=None, interval=None,
    )  # fmt: skip


def errors_beyond(middle: Estimate, alone: Estimate, place: int) -> Errors:
    """What the intervals of an answer have beyond the doubt of coefficients.

    Parameters
    ----------
    middle : Estimate
        The answer at the medians, with intervals from published cases.
    alone : Estimate
        The same with the coefficients alone drawn.
    place : int
        Column of the sample matrix from which on `COLUMNS` are free.
    """
    factors: dict[str, Bounds] = {}
    places: dict[str, int] = {}
    sources: dict[tuple[float, ...], int] = {}
    for name, figure in middle.figures.items():
        if figure.interval is None or figure.value is None or alone.figures[name].value is None:
            continue
        whole = _sides(*_ends(figure), falls=figure.falls)
        spread = np.quantile(np.log(np.asarray(alone.figures[name].amount, dtype=float)), SIDES)
        part = _sides(*spread.tolist(), falls=figure.falls)
        faster, slower = (math.sqrt(max(a**2 - b**2, 0.0)) for a, b in zip(whole, part, strict=True))
        factors[name] = Bounds(1.0, math.exp(-faster), math.exp(slower))
        alike = tuple(round(side, 6) for side in whole)
        places[name] = place + min(sources.setdefault(alike, len(sources)), COLUMNS - 1)
    return Errors(factors, places, frozenset(name for name in factors if middle.figures[name].falls))


def _sides(low: float, middle: float, high: float, *, falls: bool) -> tuple[float, float]:
    """How far a time may be below and above its middle, from the logarithms of a figure. [1]"""
    below, above = middle - low, high - middle
    return (above, below) if falls else (below, above)


def _ends(figure: Figure) -> tuple[float, float, float]:
    """Logarithms of the ends of an interval with the value between, on one side of which it may lie."""
    value = float(figure.amount)
    low, high = figure.interval or (value, value)
    return math.log(min(low, value)), math.log(value), math.log(max(high, value))
