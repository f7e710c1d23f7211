"""What an uncertain number can be: a distribution, as the function from a share to the value below which it lies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.errors import QuantityError
from costline.numeric import Array
from costline.quantity import Kind, Range, exact, show, show_range
from costline.uncertainty.sobol import normal_quantile

Z95 = 1.6448536269514722
"""95th percentile of a standard normal: the ends of ``a to b``."""
Z90 = 1.2815515655446004
"""90th percentile: the bounds of a coefficient or of a price are the 10th and 90th percentile."""
ROUNDING = 1e-12
"""Shares nearer than this are the same: sums of weights are rounded."""
WEIGHTS_SUM = 1e-3
"""Weights may miss 1 by this much, as percentages that were rounded do."""


@dataclass(frozen=True)
class Choices:
    """One of a few values.

    Attributes
    ----------
    values, weights : tuple of float
        The values, rising, and how likely each is; the weights sum to 1.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if not self.values or len(self.values) != len(self.weights):
            raise QuantityError("a choice needs one weight for each of its values")
        bad = [weight for weight in self.weights if not 0 <= weight <= 1]
        if bad:
            raise QuantityError(f"a weight is a probability from 0 to 1, got {bad[0]:g}")
        if abs(sum(self.weights) - 1) > WEIGHTS_SUM:
            raise QuantityError(f"the weights sum to {sum(self.weights):.4g}, not to 1")
        order = sorted(range(len(self.values)), key=self.values.__getitem__)
        object.__setattr__(self, "values", tuple(self.values[place] for place in order))
        object.__setattr__(self, "weights", tuple(self.weights[place] for place in order))

    @classmethod
    def even(cls, values: tuple[float, ...]) -> Choices:
        """All values equally likely.

        Examples
        --------
        >>> Choices.even((3.0, 1.0)).values
        (1.0, 3.0)
        """
        return cls(values, (1 / len(values),) * len(values) if values else ())


@dataclass(frozen=True)
class Bounds:
    """A point with its 80 % bounds, as tables state them: two halves of a normal that meet at the point.

    Attributes
    ----------
    value, low, high : float
        Median, 10th and 90th percentile.
    share : bool
        Whether it is a share of 1, so that no sample may exceed 1.
    """

    value: float
    low: float
    high: float
    share: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds that do not enclose the point."""
        if not self.low <= self.value <= self.high:
            raise QuantityError(f"{self.value:g} is not between its bounds {self.low:g} and {self.high:g}")


@dataclass(frozen=True)
class Column:
    """Samples somebody else drew: a column of a CSV file.

    Columns of one file are drawn row by row, so what they have in common is kept.

    Attributes
    ----------
    file, name : str
        Path and heading.
    values : tuple of float
        As in the file, from the first row to the last.
    order : tuple of int
        Rows in the order in which shares run through them: by the first column that was read of the file.
    """

    file: str
    name: str
    values: tuple[float, ...] = field(repr=False)
    order: tuple[int, ...] = field(repr=False, default=())


Spread: TypeAlias = Range | Choices | Bounds | Column
"""Any uncertain number."""


def quantile(spread: Spread, share: Array) -> Array:
    """Values below which shares of the distribution lie.

    Examples
    --------
    >>> quantile(Range(2.0, 4.0, "uniform"), np.array([0.25, 0.5]))
    array([2.5, 3. ])
    >>> quantile(Choices((1.0, 5.0), (0.6, 0.4)), np.array([0.59, 0.6, 0.61]))
    array([1., 1., 5.])
    """
    if isinstance(spread, Range):
        return _range_quantile(spread, share)
    if isinstance(spread, Bounds):
        return _bounds_quantile(spread, share)
    if isinstance(spread, Choices):
        place = np.searchsorted(np.cumsum(spread.weights)[:-1], share - ROUNDING)
        return np.asarray(spread.values)[place]
    rows = np.asarray(spread.order) if spread.order else np.argsort(spread.values, kind="stable")
    place = np.clip(np.ceil(share * rows.size - ROUNDING).astype(np.int64) - 1, 0, rows.size - 1)
    return np.asarray(spread.values)[rows[place]]


def _range_quantile(spread: Range, share: Array) -> Array:
    if spread.shape == "uniform":
        return spread.low + (spread.high - spread.low) * share
    low, high = (_logit(end) if spread.shape == "logit-normal" else math.log(end) for end in (spread.low, spread.high))
    place = (low + high) / 2 + (high - low) / (2 * Z95) * normal_quantile(share)
    return _logistic(place) if spread.shape == "logit-normal" else np.exp(place)


def _bounds_quantile(spread: Bounds, share: Array) -> Array:
    """On the logarithmic scale where all three are positive, on the logit scale for shares, else on the plain one."""
    ends = (spread.low, spread.value, spread.high)
    scale: Literal["logit", "log", "plain"] = "plain"
    if spread.share and spread.low > 0 and spread.high < 1:
        scale = "logit"
    elif spread.low > 0:
        scale = "log"
    low, middle, high = (_logit(end) if scale == "logit" else math.log(end) if scale == "log" else end for end in ends)
    step = normal_quantile(share) / Z90
    place: Array = middle + np.where(step < 0, (middle - low) * step, (high - middle) * step)
    if scale == "plain":
        return np.clip(place, 0.0 if spread.low >= 0 else -np.inf, 1.0 if spread.share else np.inf)
    values = _logistic(place) if scale == "logit" else np.exp(place)
    return np.minimum(values, 1.0) if spread.share else values


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)


def _logistic(place: Array) -> Array:
    return 1 / (1 + np.exp(-place))


def median(spread: Spread) -> float:
    """Middle of the distribution: of choices and samples the least value that half of the weight reaches.

    The same as `quantile` at a half, and as the median of many samples.

    Examples
    --------
    >>> median(Range(4.0, 9.0, "lognormal")), median(Choices.even((1.0, 2.0, 7.0))), median(Choices.even((1.0, 7.0)))
    (6.0, 2.0, 1.0)
    """
    if isinstance(spread, Range):
        return spread.median
    if isinstance(spread, Bounds):
        return spread.value
    if isinstance(spread, Choices):
        return float(quantile(spread, np.array([0.5]))[0])
    return float(np.quantile(spread.values, 0.5, method="inverted_cdf"))


def ends(spread: Spread) -> tuple[float, float]:
    """Ends as they are stated: of a range and of bounds the two percentiles, else the least and the greatest value.

    Examples
    --------
    >>> ends(Range(4.0, 9.0, "lognormal")), ends(Choices((1.0, 2.0, 7.0), (0.0, 0.5, 0.5)))
    ((4.0, 9.0), (2.0, 7.0))
    """
    if isinstance(spread, Range | Bounds):
        return spread.low, spread.high
    if isinstance(spread, Choices):
        possible = [value for value, weight in zip(spread.values, spread.weights, strict=True) if weight > 0]
        return possible[0], possible[-1]
    return min(spread.values), max(spread.values)


def describe(spread: Spread, kind: Kind | None) -> str:
    """The distribution in words.

    Examples
    --------
    >>> from costline.quantity import PARAMS
    >>> describe(Choices((20e9, 60e9), (0.6, 0.4)), PARAMS)
    '20.0B params (60 %) or 60.0B params (40 %)'
    """

    def one(value: float) -> str:
        return f"{value:.4g}" if kind is None else show(value, kind)

    if isinstance(spread, Range):
        return show_range(spread, kind) if kind is not None else f"{spread.low:.4g} to {spread.high:.4g}"
    if isinstance(spread, Bounds):
        return f"{one(spread.value)} (80 % {one(spread.low)} to {one(spread.high)})"
    if isinstance(spread, Choices):
        pairs = zip(spread.values, spread.weights, strict=True)
        return " or ".join(f"{one(value)} ({100 * weight:.3g} %)" for value, weight in pairs)
    return f"{len(spread.values):,} samples of {spread.file}:{spread.name}"


def plain_spread(spread: Spread, kind: Kind | None) -> dict[str, Any]:
    """The distribution for programs."""
    shape = spread.shape if isinstance(spread, Range) else type(spread).__name__.lower()
    body: dict[str, Any] = {"shape": shape, "median": median(spread)}
    if isinstance(spread, Range | Bounds):
        body |= {"low": spread.low, "high": spread.high}
        body["ends"] = (
            "least and most" if shape == "uniform" else "p10 and p90" if isinstance(spread, Bounds) else "p5 and p95"
        )
    elif isinstance(spread, Choices):
        body |= {"values": list(spread.values), "weights": list(spread.weights)}
    else:
        body |= {"file": spread.file, "column": spread.name, "rows": len(spread.values)}
    if kind is not None:
        body["unit"] = kind.unit
        body["written"] = exact(body["median"], kind)
    return body
