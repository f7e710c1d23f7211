"""Robust least squares on logarithms, damped; nothing is random.

The objective is the sum over rows of ``2 s^2 (sqrt(1 + (e / s)^2) - 1)`` of the logarithmic error ``e``: small errors
count squared, large ones linearly, so that kernels of another kind among the rows (an engine that switches algorithms)
do not pull the rest. Steps are those of Levenberg (1944) and Marquardt (1963) on reweighted squares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from costline.numeric import Array

SCALE = 0.1
"""Logarithmic error from which on errors count linearly: frameworks differ by as much on one shape."""
STEP = 1e-3
"""Change of a logarithm by which slopes are taken."""
FIRST, RAISED, LOWERED = 1e-2, 6.0, 4.0
"""Damping at the start, relative to the curvature; its factors after a step that failed and one that succeeded."""
ROUNDS = 100
SETTLED = 1e-9
"""Relative gain of the objective below which the search has settled."""
LONGEST = 1.0
"""Largest change of a logarithm in one step."""


@dataclass(frozen=True)
class Limits:
    """Least and largest values. [unit of each]"""

    least: Array
    most: Array


def solve(predict: Callable[[Array], Array], measured: Array, start: Array, limits: Limits) -> Array:
    """Positive values with which `predict` comes nearest to `measured`.

    Parameters
    ----------
    predict : callable
        Predictions for a vector of values; positive. [s]
    measured : array
        What was measured. [s]
    start : array
        Where the search starts.
    limits : Limits
        Where it ends.

    Examples
    --------
    >>> sizes = np.linspace(1.0, 9.0, 9)
    >>> within = Limits(np.full(2, 0.01), np.full(2, 100.0))
    >>> solve(lambda v: v[0] + v[1] * sizes, 3.0 + 2.0 * sizes, np.ones(2), within).round(3)
    array([3., 2.])
    """
    target, low, high = np.log(measured), np.log(limits.least), np.log(limits.most)
    now = np.clip(np.log(start), low, high)
    error = np.log(predict(np.exp(now))) - target
    damping, reached = FIRST, _objective(error)
    for _ in range(ROUNDS):
        slopes = _slopes(predict, now, error, target)
        kept, gained = False, 0.0
        while not kept and damping < 1e8:
            then = np.clip(now + _step(slopes, error, damping), low, high)
            tried = np.log(predict(np.exp(then))) - target
            gained = reached - _objective(tried)
            kept = gained >= 0
            damping *= 1 / LOWERED if kept else RAISED
        if not kept:
            break
        now, error, reached = then, tried, reached - gained
        if gained <= SETTLED * reached or reached == 0:
            break
    found: Array = np.exp(now)
    return found


def _objective(error: Array) -> float:
    return float(np.sum(np.sqrt(1 + (error / SCALE) ** 2) - 1))


def _slopes(predict: Callable[[Array], Array], now: Array, error: Array, target: Array) -> Array:
    """Change of each error with each logarithm."""
    columns = []
    for place in range(len(now)):
        moved = now.copy()
        moved[place] += STEP
        columns.append((np.log(predict(np.exp(moved))) - target - error) / STEP)
    return np.stack(columns, axis=1)


def _step(slopes: Array, error: Array, damping: float) -> Array:
    weight = 1 / np.sqrt(1 + (error / SCALE) ** 2)
    weighed = slopes * weight[:, None]
    curvature = weighed.T @ slopes
    diagonal = np.diag(curvature)
    damped = curvature + np.diag(damping * diagonal + 1e-9 * (diagonal.max() + 1))
    step: Array = -np.linalg.solve(damped, weighed.T @ error)
    bounded: Array = np.clip(step, -LONGEST, LONGEST)
    return bounded
