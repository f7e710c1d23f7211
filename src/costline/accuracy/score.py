"""How far predictions are from measurements.

Conventions
-----------
- *Error* is the absolute percentage error of the metric as it was published, ``|predicted - measured| / measured``.
- *Bias* is the geometric mean of predicted over measured *time*, less 1: positive where predictions are too slow.
  A rate counts as the time for its tokens, so that a group of times and rates has one direction.
- *Weights*: repeats of one training configuration (newer containers of one framework) share the weight of one row, as
  the README of the measurements asks; every serving and generation row counts once.
- *Quantiles* are the averaged inverse of the weighted distribution function: for equal weights and an even number of
  rows, the median is the mean of the two in the middle.
- *Inside* is the share of measurements within the bracket of their prediction (everything or nothing overlaps). The
  bracket states what overlap can change, not how sure the coefficients are.
- *Coverage* is the share of measurements within the 80 % interval of their prediction, which is drawn from the held-out
  errors of the validated cases most like it, none of its own group among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from costline.accuracy.predict import Scored, predicted
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.catalogue.validated_table import factor_of, is_time
from costline.numeric import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Errors of a group of rows; all but the counts are shares of 1.

    Attributes
    ----------
    rows, configurations : int
        Rows, and distinct configurations among them.
    median, mean, p90 : float
        Of the absolute percentage error.
    bias : float
        Geometric mean of predicted over measured time, less 1.
    within_10, within_20 : float
        Share of rows whose error is at most 10 and 20 per cent.
    inside : float or None
        Share of rows whose measurement is within the bracket; None for a predictor that states none.
    coverage : float or None
        Share of rows whose measurement is within the 80 % interval, of those that have one.
    """

    rows: int
    configurations: int
    median: float
    mean: float
    p90: float
    bias: float
    within_10: float
    within_20: float
    inside: float | None = None
    coverage: float | None = None


def configuration(measurement: Measurement) -> str:
    """Name of the configuration of a row: repeats of it, by newer software or on another day, have the same."""
    return measurement.configuration


def weights(measurements: Sequence[Measurement]) -> Array:
    """Weight of each row: repeats of a training configuration share one."""
    keys = [configuration(one) if one.table == "train" else one.id for one in measurements]
    counts = Counter(keys)
    return np.asarray([1 / counts[key] for key in keys])


def weighted_quantile(values: Array, weight: Array, share: float) -> float:
    """Quantile of weighted values.

    Parameters
    ----------
    values, weight : array
        Values and their weights.
    share : float
        0.5 for the median. [1]

    Examples
    --------
    >>> weighted_quantile(np.array([4.0, 1.0, 2.0, 3.0]), np.ones(4), 0.5)
    2.5
    >>> weighted_quantile(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 8.0]), 0.5)
    3.0
    """
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weight[order]) / np.sum(weight)
    place = int(np.searchsorted(cumulated, share - 1e-12))
    place = min(place, len(order) - 1)
    if abs(cumulated[place] - share) < 1e-12 and place + 1 < len(order):
        return float((values[order[place]] + values[order[place + 1]]) / 2)
    return float(values[order[place]])


def summarise(
    measured: Array, predictions: Array, times: Array, weight: Array, configurations: int,
    inside: Array | None = None, covered: Array | None = None,
) -> Summary:  # fmt: skip
    """Summarise predictions of a group.

    Parameters
    ----------
    measured, predictions : array
        Metric of each row, in any unit as long as both have the same.
    times : array of bool
        Whether the metric is a time and not a rate.
    weight : array
        Weight of each row.
    configurations : int
        Distinct configurations.
    inside : array of bool, optional
        Whether the measurement is within the bracket.
    covered : array, optional
        Whether it is within the 80 % interval, NaN where there is none.
    """
    error = np.abs(predictions - measured) / measured
    whole = np.sum(weight)
    slow = np.log(predictions / measured) * np.where(times, 1.0, -1.0)
    return Summary(
        rows=len(measured),
        configurations=configurations,
        median=weighted_quantile(error, weight, 0.5),
        mean=float(np.sum(error * weight) / whole),
        p90=weighted_quantile(error, weight, 0.9),
        bias=float(np.exp(np.sum(slow * weight) / whole) - 1),
        within_10=float(np.sum(weight * (error <= 0.1)) / whole),
        within_20=float(np.sum(weight * (error <= 0.2)) / whole),
        inside=None if inside is None else float(np.sum(weight * inside) / whole),
        coverage=None if covered is None else _share(covered, weight),
    )


def _share(holds: Array, weight: Array) -> float | None:
    """Weighted share of what holds, of the rows of which it is known."""
    known = np.isfinite(holds)
    return float(np.sum((weight * holds)[known]) / np.sum(weight[known])) if known.any() else None


def summary_of(rows: Sequence[Scored]) -> Summary | None:
    """Summary of the rows that were predicted; None if there is none."""
    return summary_by(rows, [_own(row) for row in rows], brackets=True)


def summary_by(rows: Sequence[Scored], values: Sequence[float | None], *, brackets: bool = False) -> Summary | None:
    """Summary of other predictions of the same rows, in the unit of each metric; None is no prediction."""
    kept = [
        (row, value) for row, value in zip(rows, values, strict=True) if value is not None and row.measurement.value
    ]
    if not kept:
        return None
    measurements = [row.measurement for row, _ in kept]
    inside = np.asarray([_inside(row) for row, _ in kept]) if brackets else None
    covered = np.asarray([_covered(row) for row, _ in kept]) if brackets else None
    return summarise(
        np.asarray([one.value for one in measurements], dtype=float),
        np.asarray([value for _, value in kept], dtype=float),
        np.asarray([is_time(one.metric) for one in measurements]),
        weights(measurements),
        len({configuration(one) for one in measurements}),
        inside,
        covered,
    )


def _own(row: Scored) -> float | None:
    found = predicted(row)
    return None if found is None else float(found.value) * factor_of(row.measurement.metric)


def _inside(row: Scored) -> bool:
    found, value = predicted(row), row.measurement.value
    if found is None or value is None:
        return False
    factor = factor_of(row.measurement.metric)
    return bool(found.low * factor <= value <= found.high * factor)


def _covered(row: Scored) -> float:
    """1 where the measurement is within the interval, 0 where it is not, NaN without an interval."""
    if row.interval is None or row.measurement.value is None:
        return float("nan")
    low, high = (end * factor_of(row.measurement.metric) for end in row.interval)
    return float(low <= row.measurement.value <= high)


def error_of(row: Scored) -> float | None:
    """Absolute percentage error of one row; None if it was not predicted. [1]"""
    own, value = _own(row), row.measurement.value
    return None if own is None or not value else abs(own - value) / value


def refusals(rows: Iterable[Scored]) -> Counter[str]:
    """Reasons of the rows that were not predicted, with how often each occurs."""
    return Counter(row.outcome.reason for row in rows if isinstance(row.outcome, Refusal))
