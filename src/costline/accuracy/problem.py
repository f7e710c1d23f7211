"""Measurements ready to be fitted, and what they are predicted to be under adjustments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from costline.accuracy.levels import Adjusted, Asked, Kind
from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.prediction import Case, Prediction
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.accuracy.score import configuration
from costline.catalogue import shipped
from costline.catalogue.validated_table import factor_of
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency, Level
from costline.numeric import Array

Adjustments: TypeAlias = dict[Level, float]
"""Logarithms by level."""
PIECES = 16
"""Tasks that all rows are divided into."""
ALIKE = 0.3
"""Correlation of the errors of one group's rows: rows of the same model, chip and software repeat each other."""


@dataclass(frozen=True)
class Problem:
    """Measurements ready to be fitted.

    Attributes
    ----------
    measurements, cases : sequence
        Rows that can be predicted, and what they became.
    asked : sequence of frozenset
        Coefficients each row looks up.
    chips : mapping
        Chips of those lookups, by id.
    base : Efficiency
        Sourced coefficients.
    measured, weight : array
        Values in SI units; what a row counts.
    """

    measurements: Sequence[Measurement]
    cases: Sequence[Case]
    asked: Sequence[frozenset[Asked]]
    chips: Mapping[str, Chip]
    base: Efficiency
    measured: Array
    weight: Array

    def only(self, rows: Array) -> Problem:
        """Some of the rows."""
        listed = rows.tolist()
        return replace(
            self,
            measurements=[self.measurements[row] for row in listed] if self.measurements else [],
            cases=[self.cases[row] for row in listed],
            asked=[self.asked[row] for row in listed],
            measured=self.measured[rows],
            weight=self.weight[rows],
        )


def pose(measurements: Iterable[Measurement], base: Efficiency) -> Problem:
    """Prepare and evaluate every measurement once; those that cannot be predicted are left out."""
    kept: list[tuple[Measurement, Case, frozenset[Asked]]] = []
    for measurement in measurements:
        case = prepare(measurement, base)
        if isinstance(case, Refusal) or not measurement.value:
            continue
        asking = Adjusted(base, {})
        if isinstance(evaluate(case, asking), Prediction):
            kept.append((measurement, case, asking.asked))
    ids = {chip for _, _, asked in kept for _, _, chip in asked}
    return Problem(
        [row for row, _, _ in kept],
        [case for _, case, _ in kept],
        [asked for _, _, asked in kept],
        {name: shipped.chip(name) for name in sorted(ids)},
        base,
        np.asarray([row.value / factor_of(row.metric) for row, _, _ in kept if row.value]),
        _weights([row for row, _, _ in kept], [case for _, case, _ in kept]),
    )


def _weights(rows: Sequence[Measurement], cases: Sequence[Case]) -> Array:
    """What each row counts: repeats of a configuration share one, and rows of a group are worth less the more they are.

    A mean of n values whose errors correlate by r has the variance of n / (1 + r (n - 1)) independent ones.
    """
    repeats = Counter((configuration(row), row.metric) for row in rows)
    groups = [group_of(case) for case in cases]
    size = Counter(groups)
    return np.asarray([
        1 / repeats[configuration(row), row.metric] / (1 + ALIKE * (size[group] - 1))
        for row, group in zip(rows, groups, strict=True)
    ])  # fmt: skip


def group_of(case: Any) -> tuple[str, str, str]:
    """Model, chip and software: rows of a group are left out together."""
    network = getattr(case, "network", None) or getattr(case, "pipeline", None)
    return (getattr(network, "name", ""), case.cluster.chip.id, case.setting.software)


@dataclass(frozen=True)
class Seen:
    """What some rows are predicted to be, and how that depends on coefficients.

    Attributes
    ----------
    value : array
        Predictions. [SI]
    slopes : sequence of mapping
        For each row, change of its logarithm with that of each kind of coefficient it looks up, by name and qualifier.
        The levels of a kind add up, so their slopes are the same.
    """

    value: Array
    slopes: Sequence[Mapping[Kind, float]]


def look(problem: Problem, adjustments: Mapping[Level, float], rows: Sequence[int], move: float = 0.0) -> Seen:
    """Predict some rows; with a move also their slopes, every kind moved at once as one entry of an array."""
    value = np.full(len(rows), np.nan)
    slopes: list[Mapping[Kind, float]] = []
    for place, row in enumerate(rows):
        kinds = sorted({one[:2] for one in problem.asked[row]}) if move else []
        found = evaluate(problem.cases[row], Adjusted(problem.base, adjustments, kinds, move))
        if not isinstance(found, Prediction):
            slopes.append({})
            continue
        values = np.broadcast_to(found.value, (len(kinds) + 1,))
        value[place] = values[0]
        slopes.append(dict(zip(kinds, (np.log(values[1:] / values[0]) / (move or 1.0)).tolist(), strict=True)))
    return Seen(value, slopes)


_PROBLEM: list[Problem] = []
"""The problem of this process, so that workers need not be sent it with every task."""


def _keep(problem: Problem) -> None:
    _PROBLEM[:] = [problem]


def _task(work: tuple[Adjustments, list[int], float]) -> Seen:
    return look(_PROBLEM[0], *work)


Run: TypeAlias = Callable[[Iterable[Any]], Iterator[Seen]]


@contextmanager
def workers(problem: Problem, count: int) -> Iterator[Run]:
    """A map over (adjustments, rows, move) that uses `count` processes."""
    if count <= 1:
        _keep(problem)
        yield lambda tasks: map(_task, tasks)
        return
    pool: Executor
    with ProcessPoolExecutor(count, initializer=_keep, initargs=(problem,)) as pool:
        yield lambda tasks: pool.map(_task, tasks)


def errors(problem: Problem, predictions: Array) -> Array:
    """Logarithms of prediction over measurement; 0 where a prediction is missing."""
    logarithms: Array = np.nan_to_num(np.log(predictions / problem.measured))
    return logarithms


def everywhere(run: Run, adjustments: Adjustments, rows: Sequence[int], move: float = 0.0) -> Seen:
    """Predictions of some rows, divided over the workers."""
    pieces = [list(rows[start::PIECES]) for start in range(PIECES)]
    value = np.empty(len(rows))
    slopes: list[Mapping[Kind, float]] = [{}] * len(rows)
    for start, part in enumerate(run((adjustments, piece, move) for piece in pieces)):
        value[start::PIECES] = part.value
        slopes[start::PIECES] = part.slopes
    return Seen(value, slopes)
