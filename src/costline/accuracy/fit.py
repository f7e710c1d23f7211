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
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from costline.accuracy.levels import Adjusted, Asked, Kind, depth
from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.prediction import Case, Prediction, factor_of
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.accuracy.score import configuration
from costline.catalogue import shipped
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency, Level, levels_of
from costline.numeric import Array

Adjustments: TypeAlias = dict[Level, float]

STEP = 0.05
"""Change of a logarithm by which sensitivities are taken."""
NOISE = 0.12
"""Logarithmic spread of a measurement around a right model: repeats of one job differ by 2 to 12 % (DESIGN 5)."""
SHORTENED = (1.0, 0.5, 0.2, 0.05)
"""Parts of a step that are tried, one after the other."""
SETTLED = 0.003
"""Relative gain of the objective below which a fit has settled."""
REFITTED = 2
"""Steps of a fit without a fold, from the solution of all rows."""
REWEIGHTED = 6
"""Rounds of reweighting."""
PIECES = 16
"""Tasks that all rows are divided into."""
HUBER = 0.3
"""Logarithmic error from which on errors count linearly."""
LONGEST_STEP = 0.7
"""Largest change of an adjustment in one iteration: a factor of two."""
WIDE = frozenset({
    "apart", "convolution", "dequantise", "eager", "expert_imbalance", "exposed", "gemm_half", "host_bridge",
    "host_work", "latency_out", "latency_up", "launch", "overlap", "progress", "queue", "step_overhead",
    "strong_scaling",
})  # fmt: skip
"""Coefficients of which the sourced value is little more than an order of magnitude."""
WIDTHS = {"all": (0.35, 1.0), "family": (0.2, 0.5), "chip": (0.07, 0.18)}
"""Prior widths of adjustments by level: of well-known coefficients, of wide ones."""
REFINED = {"all": (0.15, 0.35), "family": (0.08, 0.15), "chip": (0.07, 0.07)}
"""The same where the qualifier is a refinement. All widths are round figures near the least held-out error."""
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

    @property
    def lookups(self) -> set[Asked]:
        """Every lookup of every row."""
        return set().union(*self.asked)


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


def width(level: Level) -> float:
    """Prior width of an adjustment."""
    name, _, scope = level
    widths = REFINED if depth(level) or name == "software" else WIDTHS
    return widths[scope.partition(":")[0]][name in WIDE]


def design(problem: Problem, slopes: Sequence[Mapping[Kind, float]], rows: Sequence[int]) -> tuple[list[Level], Array]:
    """Adjustments that some rows depend on, and the matrix of slopes."""
    by_row = [_effects(problem, slopes[row], row) for row in rows]
    levels = sorted({level for found in by_row for level in found})
    place = {level: column for column, level in enumerate(levels)}
    matrix = np.zeros((len(rows), len(levels)))
    for number, found in enumerate(by_row):
        for level, slope in found.items():
            matrix[number, place[level]] = slope
    return levels, matrix


def _effects(problem: Problem, slopes: Mapping[Kind, float], row: int) -> dict[Level, float]:
    """Slope of a row with each level: of every lookup that the level applies to."""
    effects: dict[Level, float] = {}
    for name, qualifier, chip in problem.asked[row]:
        for level in levels_of(name, qualifier, problem.chips[chip]):
            effects[level] = effects.get(level, 0.0) + slopes.get((name, qualifier), 0.0)
    return effects


@dataclass(frozen=True)
class Linear:
    """A linearised problem: errors are ``constant + matrix @ logarithms``.

    Attributes
    ----------
    levels : sequence of Level
        Columns.
    matrix, constant, prior : array
        Slopes, errors without any adjustment, prior precision of each adjustment.
    """

    levels: Sequence[Level]
    matrix: Array
    constant: Array
    prior: Array


@dataclass(frozen=True)
class Solution:
    """Most probable adjustments of a linearised problem, large errors weighed down until that settles.

    Attributes
    ----------
    logarithms, weight, precision : array
        Adjustments; weight of each row at them; the matrix whose inverse is their covariance.
    """

    logarithms: Array
    weight: Array
    precision: Array


def linearised(problem: Problem, seen: Seen, adjustments: Adjustments) -> Linear:
    """The problem around some adjustments."""
    levels, matrix = design(problem, seen.slopes, range(len(problem.cases)))
    start = np.asarray([adjustments.get(level, 0.0) for level in levels])
    prior = np.asarray([width(level) ** -2 for level in levels])
    return Linear(levels, matrix, errors(problem, seen.value) - matrix @ start, prior)


def solved(problem: Problem, linear: Linear, start: Array) -> Solution:
    """Solve a linearised problem by reweighted least squares."""
    matrix, found, precision = linear.matrix, start, np.diag(linear.prior)
    weight = np.ones(len(matrix))
    for _ in range(REWEIGHTED):
        left = np.abs(linear.constant + matrix @ found)
        weight = problem.weight * np.minimum(1, HUBER / np.maximum(left, 1e-12)) / NOISE**2
        precision = matrix.T @ (matrix * weight[:, None]) + np.diag(linear.prior)
        found = np.linalg.solve(precision, -(matrix.T @ (weight * linear.constant)))
    return Solution(found, weight, precision)


def without(linear: Linear, solution: Solution, rows: Array) -> Array:
    """Adjustments of a linearised problem from which some rows are taken away, the others weighing what they did."""
    gone, weight = linear.matrix[rows], solution.weight[rows]
    precision = solution.precision - gone.T @ (gone * weight[:, None])
    kept = linear.matrix.T @ (solution.weight * linear.constant) - gone.T @ (weight * linear.constant[rows])
    found: Array = np.linalg.solve(precision, -kept)
    return found


def objective(problem: Problem, seen: Seen, adjustments: Adjustments) -> float:
    """What a fit makes small: half the squared errors (linear beyond `HUBER`), and half the squared adjustments."""
    error = np.abs(errors(problem, seen.value))
    loss = np.where(error < HUBER, error**2 / 2, HUBER * (error - HUBER / 2))
    moved = sum((value / width(level)) ** 2 for level, value in adjustments.items())
    return float(np.sum(problem.weight * loss) / NOISE**2 + moved / 2)


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Attributes
    ----------
    adjustments, spread : mapping
        Logarithms by level, and their standard deviations.
    error : array
        Logarithmic errors of the rows it was fitted to.
    linear, solution
        The problem around them.
    """

    adjustments: Adjustments
    spread: Adjustments
    error: Array
    linear: Linear
    solution: Solution


def fit(problem: Problem, run: Run, iterations: int = 6, start_at: Mapping[Level, float] | None = None) -> Fit:
    """Fit all rows of a problem: steps that make the objective smaller, shortened where they do not.

    Parameters
    ----------
    problem : Problem
        Rows of weight 0 are not fitted to.
    run : callable
        A map over pieces of work.
    iterations : int
        Steps at most.
    start_at : mapping, optional
        Adjustments to start from.
    """
    every = range(len(problem.cases))
    adjustments: Adjustments = dict(start_at or {})
    seen = everywhere(run, adjustments, every, STEP)
    loss = objective(problem, seen, adjustments)
    for _ in range(iterations):
        linear = linearised(problem, seen, adjustments)
        start = np.asarray([adjustments.get(level, 0.0) for level in linear.levels])
        step = np.clip(solved(problem, linear, start).logarithms - start, -LONGEST_STEP, LONGEST_STEP)
        for length in SHORTENED:
            trial = dict(zip(linear.levels, (start + length * step).tolist(), strict=True))
            there = everywhere(run, trial, every, STEP)
            found = objective(problem, there, trial)
            if found < loss:
                break
        else:
            break
        gain, adjustments, seen, loss = loss - found, trial, there, found
        if gain < SETTLED * loss:
            break
    linear = linearised(problem, seen, adjustments)
    adjustments = {level: adjustments.get(level, 0.0) for level in linear.levels}
    solution = solved(problem, linear, np.asarray(list(adjustments.values())))
    spread = np.sqrt(np.diag(np.linalg.inv(solution.precision)))
    return Fit(
        adjustments, dict(zip(linear.levels, spread.tolist(), strict=True)), errors(problem, seen.value), linear,
        solution,
    )  # fmt: skip


def everywhere(run: Run, adjustments: Adjustments, rows: Sequence[int], move: float = 0.0) -> Seen:
    """Predictions of some rows, divided over the workers."""
    pieces = [list(rows[start::PIECES]) for start in range(PIECES)]
    value = np.empty(len(rows))
    slopes: list[Mapping[Kind, float]] = [{}] * len(rows)
    for start, part in enumerate(run((adjustments, piece, move) for piece in pieces)):
        value[start::PIECES] = part.value
        slopes[start::PIECES] = part.slopes
    return Seen(value, slopes)


def left_out(problem: Problem, done: Fit, fold: Array, run: Run) -> Array:
    """Logarithmic errors of every row predicted with coefficients fitted without its fold.

    Each fit starts where that of all rows ended, so that a few steps suffice.
    """
    result = np.zeros(len(problem.cases))
    for number in sorted(set(fold.tolist())):
        unseen = fold == number
        rest = replace(problem, weight=np.where(unseen, 0.0, problem.weight))
        result[unseen] = fit(rest, run, REFITTED, done.adjustments).error[unseen]
    return result


def left_out_linearised(problem: Problem, done: Fit, fold: Array, run: Run) -> Array:
    """The same for many folds: the problem linearised at the solution of all rows is solved again without each.

    The result is evaluated exactly on the rows left out.
    """
    tasks, places = [], []
    for number in sorted(set(fold.tolist())):
        unseen = np.flatnonzero(fold == number)
        found = without(done.linear, done.solution, unseen)
        moved = done.solution.logarithms + np.clip(found - done.solution.logarithms, -LONGEST_STEP, LONGEST_STEP)
        adjustments = dict(zip(done.linear.levels, moved.tolist(), strict=True))
        tasks.append((adjustments, unseen.tolist(), 0.0))
        places.append(unseen)
    result = np.zeros(len(problem.cases))
    for place, part in zip(places, run(tasks), strict=True):
        result[place] = np.nan_to_num(np.log(part.value / problem.measured[place]))
    return result


def folds_of(groups: Sequence[Any], folds: int | None = None) -> Array:
    """Fold of every row, so that a group is never divided; without a number each group is a fold of its own."""
    names = sorted(set(map(str, groups)))
    fold_of = {name: number % (folds or len(names)) for number, name in enumerate(names)}
    return np.asarray([fold_of[str(group)] for group in groups])
