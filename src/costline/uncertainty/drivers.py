"""What drives a result: Sobol indices, and a tornado of one input at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from costline.numeric import Array
from costline.uncertainty.sobol import points, resampled, sobol_indices
from costline.uncertainty.spreads import Column
from costline.uncertainty.study import Study
from costline.uncertainty.variables import Variable

BASE = 2048
"""Rows of each of the two matrices; every factor adds as many."""
Scale: TypeAlias = Literal["value", "logarithm", "rank"]
"""What is explained of a result. On the plain scale a few giants would be all of the variance of a skewed one."""
WIDE = 10.0
"""Ratio of the 95th to the 5th percentile from which the logarithm of a result is explained."""
SKEWED = 1.5
"""And ratio of its upper half, from the median to the 99th percentile, to its lower one."""
HEAVY = 15.0
"""Kurtosis (3 of a normal) above which a scale is left for the next: few samples would decide."""
DRAWS = 100
"""Times the rows are drawn again to tell the error of an index."""
WITHIN = 2.0
"""Errors below which an index cannot be told from nothing."""
LOW, HIGH = 0.1, 0.9
"""Percentiles between which the tornado moves an input."""
JOINT = (np.arange(100) + 0.5) / 100
"""Shares at which several inputs that are read from one file are moved."""
VISIBLE = 0.002
"""Share of a result below which a swing is left out. [1]"""
MODEL = "the time model"
"""Name of all coefficients of the time model together."""


@dataclass(frozen=True)
class Driver:
    """An input and its share of the doubt in a result.

    Attributes
    ----------
    name : str
        The input, or `MODEL`.
    first : float
        Share of the variance that goes if the input alone becomes certain (first-order Sobol index). [1]
    total : float
        Share that stays if it alone is uncertain, what it does together with others included. [1]
    error : float
        Standard error of the less certain of the two, from drawing the rows again. [1]
    """

    name: str
    first: float
    total: float
    error: float

    @classmethod
    def bounded(cls, name: str, first: float, total: float, error: float) -> Driver:
        """A driver whose shares are shares: sampling can take estimates below 0, above 1 or past one another.

        Examples
        --------
        >>> Driver.bounded("a", 0.42, 0.40, 0.03)
        Driver(name='a', first=0.4, total=0.4, error=0.03)
        """
        whole = min(max(total, 0.0), 1.0)
        return cls(name, min(max(first, 0.0), whole), whole, error)

    @property
    def seen(self) -> bool:
        """Whether it can be told from nothing."""
        return self.total > WITHIN * self.error


@dataclass(frozen=True)
class Drivers:
    """What drives a result, the strongest first.

    Attributes
    ----------
    result : str
        Which result.
    scale : {"value", "logarithm", "rank"}
        Whether the variance of the result, of its logarithm or of its rank among the samples is explained.
    ranked : tuple of Driver
        Inputs by total index.
    """

    result: str
    scale: Scale
    ranked: tuple[Driver, ...]


@dataclass(frozen=True)
class Swing:
    """A result with one input at its 10th and 90th percentile, everything else at the median.

    Attributes
    ----------
    name : str
        The input.
    low, high : float
        Result at the low and at the high end of the input. [SI unit of the result]
    at_low, at_high : float
        The input there; unknown for several inputs of one file, which have no common order. [SI unit of its kind]
    """

    name: str
    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def width(self) -> float:
        """How far the result moves. [SI unit of the result]"""
        return abs(self.high - self.low)


@dataclass(frozen=True)
class Tornado:
    """Swings of one result, the widest first, around its value at all medians. [SI unit of the result]"""

    result: str
    unit: str
    middle: float
    swings: tuple[Swing, ...]


def drivers(study: Study, results: Sequence[str], base: int = BASE) -> dict[str, Drivers]:
    """Sobol indices of results: of every input of the user and the catalogue, and of all coefficients together.

    Findings are left out of account: indices are defined for inputs that are independent.

    Parameters
    ----------
    study : Study
        The sampled answer.
    results : sequence of str
        Which results; unknown ones are left out.
    base : int
        Rows of each of the two matrices, a power of two.
    """
    factors = _factors(study)
    if not factors:
        return {}
    known = {name: study.results[name] for name in results if np.all(np.isfinite(study.results[name]))}
    varying = [name for name in known if np.ptp(known[name]) > 0]
    scales = {name: _scale(known[name]) for name in varying}

    def evaluate(rows: Array) -> Array:
        found = study.evaluate(rows)
        return np.stack([_scaled(found[name], scales[name], known[name]) for name in varying])

    if not varying:
        return {}
    indices = factor_indices(evaluate, study.shares.shape[1], list(factors.values()), base, study.seed)
    ranked = {}
    for place, name in enumerate(varying):
        rows = [Driver.bounded(label, *map(float, row[place])) for label, row in zip(factors, indices, strict=True)]
        ranked[name] = Drivers(name, scales[name], tuple(sorted(rows, key=lambda row: -row.total)))
    return ranked


def factor_indices(
    evaluate: Callable[[Array], Array], columns: int, factors: Sequence[Sequence[int]], base: int, seed: int
) -> list[Array]:
    """First-order and total Sobol indices of groups of columns.

    Parameters
    ----------
    evaluate : callable
        Rows in the unit cube -> results, a line a result.
    columns : int
        Columns of the sample matrix.
    factors : sequence of sequence of int
        Columns that count as one input.
    base, seed : int
        Rows of each matrix; scrambling.

    Returns
    -------
    list of array
        For each factor an array of (first, total, standard error) for each result. [1]
    """
    both = points(base, 2 * columns, seed)
    first, second = both[:, :columns], both[:, columns:]
    rows = [first, second]
    for places in factors:
        mixed = first.copy()
        mixed[:, list(places)] = second[:, list(places)]
        rows.append(mixed)
    found = evaluate(np.concatenate(rows))
    parts = found.reshape(found.shape[0], len(rows), base)
    weights = resampled(base, DRAWS, seed)
    return [np.stack([_index(part, place, weights) for part in parts]) for place in range(2, len(rows))]


def _index(part: Array, place: int, weights: Array) -> Array:
    """First-order and total index and their error, of one result and one factor."""
    with np.errstate(divide="ignore", invalid="ignore"):  # what hardly ever varies may not vary in some rows
        first, total = sobol_indices(part[0], part[1], part[place], weights)
    known = np.isfinite(first) & np.isfinite(total)
    if not known[0] or np.count_nonzero(known) < 2:
        return np.array([0.0, 0.0, 1.0])
    known[0] = False
    return np.array([first[0], total[0], max(np.std(first[known]), np.std(total[known]))])


def _factors(study: Study) -> dict[str, list[int]]:
    """Columns by factor; what is read from one file is one factor."""
    found: dict[int, list[str]] = {}
    for variable in study.variables:
        if variable.origin != "model":
            found.setdefault(variable.place, []).append(variable.name)
    factors = {" & ".join(names): [place] for place, names in found.items()}
    model = [variable.place for variable in study.variables if variable.origin == "model"]
    return {**factors, MODEL: model} if model else factors


def _scale(values: Array) -> Scale:
    """The scale on which no few samples decide: the plain one, the logarithm of what is positive, or the rank."""
    least, low, middle, high, most = np.quantile(values, [0.01, 0.05, 0.5, 0.95, 0.99])
    skewed = most - middle > SKEWED * (middle - least) or high > WIDE * low or _kurtosis(values) > HEAVY
    if np.min(values) > 0 and skewed:
        return "logarithm" if _kurtosis(np.log(values)) <= HEAVY else "rank"
    return "value" if _kurtosis(values) <= HEAVY else "rank"


def _kurtosis(values: Array) -> float:
    """Of all but the thousandth at either end, so that no single sample decides how a result is explained."""
    values = np.clip(values, *np.quantile(values, [0.001, 0.999]))
    if not np.ptp(values):
        return np.inf
    apart = values - np.mean(values)
    return float(np.mean(apart**4) / np.mean(apart**2) ** 2)


def _scaled(values: Array, scale: Scale, samples: Array) -> Array:
    """A result on its scale; a rank is the share of the samples below."""
    if scale == "rank":
        ordered = np.sort(samples)
        return (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, side="right")) / (2 * ordered.size)
    return np.log(values) if scale == "logarithm" else values


def tornado(study: Study, result: str) -> Tornado:
    """Move one input at a time, every coefficient of the model on its own, and see how far a result moves.

    Inputs that are read from the rows of one file move together: from the 10th to the 90th percentile of the result.
    """
    by_place: dict[int, list[Variable]] = {}
    for variable in study.variables:
        by_place.setdefault(variable.place, []).append(variable)
    stops = {place: JOINT if _joint(named) else np.array([LOW, HIGH]) for place, named in by_place.items()}
    rows = np.full((1 + sum(map(len, stops.values())), study.shares.shape[1]), 0.5)
    first = 1
    for place, shares in stops.items():
        rows[first : first + len(shares), place] = shares
        first += len(shares)
    found = study.evaluate(rows)[result]
    swings, first = [], 1
    for place, shares in stops.items():
        part = slice(first, first + len(shares))
        swings.append(_swing(by_place[place], rows[part], found[part]))
        first += len(shares)
    middle = float(found[0])
    moving = [swing for swing in swings if swing.width > VISIBLE * abs(middle)]
    ranked = sorted(moving, key=lambda swing: -swing.width)
    return Tornado(result, study.units.get(result, "ratio"), middle, tuple(ranked))


def _swing(variables: Sequence[Variable], rows: Array, found: Array) -> Swing:
    """How far a result moves with one input (read in two ways it is still one), or with several of one file."""
    if _joint(variables):
        low, high = np.quantile(found, [LOW, HIGH], method="inverted_cdf")
        return Swing(" & ".join(each.name for each in variables), float(low), float(high), np.nan, np.nan)
    ends = variables[0].values(rows)
    return Swing(variables[0].name, float(found[0]), float(found[1]), float(ends[0]), float(ends[1]))


def _joint(variables: Sequence[Variable]) -> bool:
    """Whether inputs of one column of the matrix are columns of a file, which need not rise together."""
    return len(variables) > 1 and isinstance(variables[0].spread, Column)


def plain_drivers(found: Mapping[str, Drivers]) -> dict[str, object]:
    """Drivers for programs."""
    return {
        name: {
            "of": each.scale,
            "inputs": [
                {"name": row.name, "first": row.first, "total": row.total, "error": row.error} for row in each.ranked
            ],
        }
        for name, each in found.items()
    }


def plain_tornado(found: Tornado) -> dict[str, object]:
    """A tornado for programs: the result with one input at its 10th and at its 90th percentile."""
    return {"unit": found.unit, "middle": found.middle, "inputs": [vars(swing) for swing in found.swings]}
