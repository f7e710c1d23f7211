"""Cross-validation: every row predicted with coefficients fitted without its fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from costline.accuracy.fit import DAMPING, Fit, descend, solved, toward
from costline.accuracy.problem import Adjustments, Problem, Run, everywhere
from costline.numeric import Array


def left_out(problem: Problem, done: Fit, fold: Array, run: Run, iterations: int = 6) -> Array:
    """Logarithmic errors of every row predicted with coefficients fitted without its fold.

    Each fit starts where that of all rows ended, but for what only the fold told it (`shrunk`).
    """
    result = np.zeros(len(problem.cases))
    for number in sorted(set(fold.tolist())):
        unseen, kept = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        found = descend(problem, kept, shrunk(done, kept), run, iterations)
        result[unseen] = _errors(problem, everywhere(run, found, unseen.tolist()).value, unseen)
    return result


def left_out_linearised(problem: Problem, done: Fit, fold: Array, run: Run) -> Array:
    """The same for many folds with one damped step each, by the slopes known at the solution of all rows.

    The result is evaluated exactly on the rows left out.
    """
    tasks, places = [], []
    for number in sorted(set(fold.tolist())):
        unseen, kept = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        start = np.asarray(list(shrunk(done, kept).values()))
        moved = toward(solved(problem.only(kept), done.linear.only(kept), start, DAMPING).logarithms, start)
        tasks.append((dict(zip(done.linear.levels, moved.tolist(), strict=True)), unseen.tolist(), 0.0))
        places.append(unseen)
    result = np.zeros(len(problem.cases))
    for place, part in zip(places, run(tasks), strict=True):
        result[place] = _errors(problem, part.value, place)
    return result


def shrunk(done: Fit, kept: Array) -> Adjustments:
    """Adjustments of all rows, less what they owe to rows that are not kept.

    An adjustment is what measurements say of it, shrunk to the share that they have in its precision; the share of the
    kept rows is smaller, and 0 where none of them depends on it.
    """
    weight = done.solution.weight
    every, some = done.linear.told(weight), done.linear.only(kept).told(weight[kept])
    share = some / (some + done.linear.prior) * (every + done.linear.prior) / np.maximum(every, 1e-300)
    found = np.where(every > 0, np.asarray(list(done.adjustments.values())) * share, 0.0)
    return dict(zip(done.linear.levels, found.tolist(), strict=True))


def _errors(problem: Problem, values: Array, rows: Array) -> Array:
    errors: Array = np.nan_to_num(np.log(values / problem.measured[rows]))
    return errors


def folds_of(groups: Sequence[Any], folds: int | None = None) -> Array:
    """Fold of every row, so that a group is never divided; without a number each group is a fold of its own."""
    names = sorted(set(map(str, groups)))
    fold_of = {name: number % (folds or len(names)) for number, name in enumerate(names)}
    return np.asarray([fold_of[str(group)] for group in groups])
