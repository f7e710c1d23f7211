"""Fitting coefficients to published measurements: Gauss-Newton on logarithms, with sourced values as the prior.

The unknowns are adjustments of sourced coefficients at three levels (see `levels`). The objective is the sum of squared
logarithmic errors, each configuration weighing the same, large errors only linearly (Huber 1964), plus squared
adjustments over their prior widths; so a chip departs from its family, and a family from all, only where measurements
insist. Nothing is random: the same data give the same coefficients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from costline.accuracy.levels import Asked, Asking, Level, chip_rows, levels_of
from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.prediction import Case, Prediction, factor_of
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.accuracy.score import configuration
from costline.catalogue import shipped
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency
from costline.numeric import Array

Adjustments: TypeAlias = dict[Level, float]

STEP = 0.05
"""Change of a logarithm by which sensitivities are taken."""
NOISE = 0.12
"""Logarithmic spread of a measurement around a right model: repeats of one job differ by 2 to 12 % (DESIGN 5)."""
HUBER = 0.3
"""Logarithmic error from which on errors count linearly."""
LONGEST_STEP = 0.7
"""Largest change of an adjustment in one iteration: a factor of two."""
WIDE = frozenset({
    "convolution", "eager", "expert_imbalance", "latency_out", "latency_up", "launch", "overlap", "step_overhead",
    "queue", "strong_scaling",
})  # fmt: skip
"""Coefficients of which the sourced value is little more than an order of magnitude."""
WIDTHS = {"all": (0.35, 1.0), "family": (0.2, 0.5), "chip": (0.12, 0.3)}
"""Prior widths of adjustments by level: of well-known coefficients, of wide ones."""


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
        Values in SI units; 1 over the rows of a configuration.
    """

    measurements: Sequence[Measurement]
    cases: Sequence[Case]
    asked: Sequence[frozenset[Asked]]
    chips: Mapping[str, Chip]
    base: Efficiency
    measured: Array
    weight: Array

    @property
    def lookups(self) -> set[Asked]:
        """Every lookup of every row."""
        return set().union(*self.asked)


def pose(measurements: Iterable[Measurement], base: Efficiency) -> Problem:
    """Prepare and evaluate every measurement once; those that cannot be predicted are left out."""
    kept: list[tuple[Measurement, Case, frozenset[Asked]]] = []
    asking = Asking(base.rows, set())
    for measurement in measurements:
        case = prepare(measurement, base)
        if isinstance(case, Refusal) or not measurement.value:
            continue
        asking.asked.clear()
        if isinstance(evaluate(case, asking), Prediction):
            kept.append((measurement, case, frozenset(asking.asked)))
    repeats = Counter(_configuration(row) for row, _, _ in kept)
    ids = {chip for _, _, asked in kept for _, _, chip in asked}
    return Problem(
        [row for row, _, _ in kept],
        [case for _, case, _ in kept],
        [asked for _, _, asked in kept],
        {name: shipped.chip(name) for name in sorted(ids)},
        base,
        np.asarray([row.value / factor_of(row.metric) for row, _, _ in kept if row.value]),
        np.asarray([1 / repeats[_configuration(row)] for row, _, _ in kept]),
    )


def _configuration(measurement: Measurement) -> tuple[Any, str]:
    return configuration(measurement), measurement.metric


def values(problem: Problem, adjustments: Mapping[Level, float], rows: Sequence[int]) -> Array:
    """Predictions of some rows. [SI]"""
    lookups = set().union(*(problem.asked[row] for row in rows)) if len(rows) else set()
    table = Efficiency([*problem.base.rows, *chip_rows(problem.base, adjustments, lookups, problem.chips)])
    outcomes = (evaluate(problem.cases[row], table) for row in rows)
    return np.asarray([found.value if isinstance(found, Prediction) else np.nan for found in outcomes])


_PROBLEM: list[Problem] = []
"""The problem of this process, so that workers need not be sent it with every task."""


def _keep(problem: Problem) -> None:
    _PROBLEM[:] = [problem]


def _task(work: tuple[dict[Level, float], list[int]]) -> Array:
    return values(_PROBLEM[0], *work)


@contextmanager
def workers(problem: Problem, count: int) -> Iterator[Callable[[Iterable[Any]], Iterator[Array]]]:
    """A map over (adjustments, rows) that uses `count` processes."""
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


def sensitivities(
    problem: Problem, adjustments: Adjustments, predictions: Array, run: Callable[[Iterable[Any]], Iterator[Array]]
) -> dict[tuple[str, str], Array]:
    """Change of every row's logarithm with that of a coefficient, by name and qualifier.

    The levels of a coefficient add up, so their sensitivities are the same.
    """
    kinds = sorted({(name, qualifier) for name, qualifier, _ in problem.lookups})
    touched = {
        kind: [row for row, asked in enumerate(problem.asked) if any(one[:2] == kind for one in asked)]
        for kind in kinds
    }
    tasks = []
    for name, qualifier in kinds:
        level = (name, qualifier, "all")
        tasks.append(({**adjustments, level: adjustments.get(level, 0.0) + STEP}, touched[name, qualifier]))
    found: dict[tuple[str, str], Array] = {}
    for kind, changed in zip(kinds, run(tasks), strict=True):
        column = np.zeros(len(problem.cases))
        column[touched[kind]] = np.log(changed / predictions[touched[kind]]) / STEP
        found[kind] = np.nan_to_num(column)
    return found


def width(level: Level) -> float:
    """Prior width of an adjustment."""
    name, _, scope = level
    kind = scope.partition(":")[0]
    return WIDTHS["family" if kind == "vendor" else kind][name in WIDE]


def design(problem: Problem, slopes: Mapping[tuple[str, str], Array], rows: Sequence[int]) -> tuple[list[Level], Array]:
    """Adjustments that some rows depend on, and the matrix of sensitivities."""
    by_row = [[level for one in problem.asked[row] for level in levels_of(one, problem.chips[one[2]])] for row in rows]
    levels = sorted({level for found in by_row for level in found})
    place = {level: column for column, level in enumerate(levels)}
    matrix = np.zeros((len(rows), len(levels)))
    for number, (row, found) in enumerate(zip(rows, by_row, strict=True)):
        for level in found:
            matrix[number, place[level]] = slopes[level[:2]][row]
    return levels, matrix


def improved(
    problem: Problem,
    adjustments: Adjustments,
    error: Array,
    slopes: Mapping[tuple[str, str], Array],
    rows: Sequence[int],
    longest: float = LONGEST_STEP,
) -> tuple[Adjustments, Adjustments]:
    """One Gauss-Newton step on some rows, large errors weighed down again and again until that settles.

    Returns
    -------
    tuple
        New adjustments, and the standard deviation of each.
    """
    chosen = np.asarray(rows, dtype=int)
    levels, matrix = design(problem, slopes, rows)
    start = np.asarray([adjustments.get(level, 0.0) for level in levels])
    prior = np.asarray([width(level) ** -2 for level in levels])
    step, precision = np.zeros(len(levels)), np.diag(prior)
    for _ in range(8):
        left = np.abs(error[chosen] + matrix @ step)
        weight = problem.weight[chosen] * np.minimum(1, HUBER / np.maximum(left, 1e-12)) / NOISE**2
        precision = matrix.T @ (matrix * weight[:, None]) + np.diag(prior)
        step = np.linalg.solve(precision, -(matrix.T @ (weight * error[chosen]) + prior * start))
    moved = start + np.clip(step, -longest, longest)
    spread = np.sqrt(np.diag(np.linalg.inv(precision)))
    return dict(zip(levels, moved.tolist(), strict=True)), dict(zip(levels, spread.tolist(), strict=True))


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Attributes
    ----------
    adjustments, spread : mapping
        Logarithms by level, and their standard deviations.
    error : array
        Logarithmic errors of the rows it was fitted to.
    slopes : mapping
        Sensitivities at the solution.
    """

    adjustments: Adjustments
    spread: Adjustments
    error: Array
    slopes: Mapping[tuple[str, str], Array]


def fit(problem: Problem, run: Callable[[Iterable[Any]], Iterator[Array]], iterations: int = 4) -> Fit:
    """Fit all rows of a problem."""
    every = list(range(len(problem.cases)))
    adjustments: Adjustments = {}
    spread: Adjustments = {}
    predictions = everywhere(run, adjustments, every)
    slopes: dict[tuple[str, str], Array] = {}
    for _ in range(iterations):
        slopes = sensitivities(problem, adjustments, predictions, run)
        adjustments, spread = improved(problem, adjustments, errors(problem, predictions), slopes, every)
        predictions = everywhere(run, adjustments, every)
    return Fit(adjustments, spread, errors(problem, predictions), slopes)


def everywhere(run: Callable[[Iterable[Any]], Iterator[Array]], adjustments: Adjustments, rows: Sequence[int]) -> Array:
    """Predictions of some rows, divided over the workers."""
    pieces = [list(rows[start::4]) for start in range(4)]
    found = np.empty(len(rows))
    for start, part in enumerate(run((adjustments, piece) for piece in pieces)):
        found[start::4] = part
    return found


def held_out(
    problem: Problem, done: Fit, groups: Sequence[Any], run: Callable[[Iterable[Any]], Iterator[Array]], folds: int
) -> Array:
    """Logarithmic errors of every row predicted with coefficients fitted without its group.

    Each fold is fitted from the sourced coefficients on the other rows only, on the model linearised at the solution of
    all, and is then evaluated exactly on the rows it has not seen.
    """
    names = sorted(set(map(str, groups)))
    fold_of = {name: number % folds for number, name in enumerate(names)}
    fold = np.asarray([fold_of[str(group)] for group in groups])
    centre = linear_error(problem, done)
    tasks, places = [], []
    for number in range(folds):
        seen, unseen = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if not unseen.size:
            continue
        adjustments, _ = improved(problem, {}, centre, done.slopes, seen.tolist(), np.inf)
        tasks.append((adjustments, unseen.tolist()))
        places.append(unseen)
    result = np.zeros(len(problem.cases))
    for place, predicted in zip(places, run(tasks), strict=True):
        result[place] = np.nan_to_num(np.log(predicted / problem.measured[place]))
    return result


def linear_error(problem: Problem, done: Fit) -> Array:
    """Errors that the model linearised at the solution has without any adjustment."""
    levels, matrix = design(problem, done.slopes, list(range(len(problem.cases))))
    moved = np.asarray([done.adjustments.get(level, 0.0) for level in levels])
    centre: Array = done.error - matrix @ moved
    return centre
