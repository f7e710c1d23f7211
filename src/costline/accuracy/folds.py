"""Cross-validation: every row predicted with coefficients fitted without its fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costline.accuracy.fit import STEP, Fit, linearised, solved, toward, without
from costline.accuracy.problem import Problem, Run, everywhere
from costline.numeric import Array


def left_out(problem: Problem, done: Fit, fold: Array, run: Run) -> Array:
    """Logarithmic errors of every row predicted with coefficients fitted without its fold.

    Each fit starts where that of all rows ended and takes two steps; the first one's slopes are known already.
    """
    result = np.zeros(len(problem.cases))
    levels, start = done.linear.levels, done.solution.logarithms
    for number in sorted(set(fold.tolist())):
        unseen, kept = np.flatnonzero(fold == number).tolist(), np.flatnonzero(fold != number)
        rest = _only(problem, kept)
        linear = replace(done.linear, matrix=done.linear.matrix[kept], constant=done.linear.constant[kept])
        moved = toward(solved(rest, linear, start).logarithms, start)
        there = dict(zip(levels, moved.tolist(), strict=True))
        seen = everywhere(run, there, kept.tolist(), STEP)
        linear = linearised(rest, seen, there)
        start_again = np.asarray([there.get(level, 0.0) for level in linear.levels])
        moved = toward(solved(rest, linear, start_again).logarithms, start_again)
        there |= dict(zip(linear.levels, moved.tolist(), strict=True))
        found = everywhere(run, there, unseen).value
        result[unseen] = np.nan_to_num(np.log(found / problem.measured[unseen]))
    return result


def _only(problem: Problem, rows: Array) -> Problem:
    """Some rows of a problem."""
    listed = rows.tolist()
    return replace(
        problem,
        measurements=[problem.measurements[row] for row in listed] if problem.measurements else [],
        cases=[problem.cases[row] for row in listed],
        asked=[problem.asked[row] for row in listed],
        measured=problem.measured[rows],
        weight=problem.weight[rows],
    )


def left_out_linearised(problem: Problem, done: Fit, fold: Array, run: Run) -> Array:
    """The same for many folds: the problem linearised at the solution of all rows is solved again without each.

    The result is evaluated exactly on the rows left out.
    """
    tasks, places = [], []
    for number in sorted(set(fold.tolist())):
        unseen = np.flatnonzero(fold == number)
        found = without(done.linear, done.solution, unseen)
        moved = toward(found, done.solution.logarithms)
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
