"""Fitting coefficients to published measurements: Gauss-Newton on logarithms, with sourced values as the prior.

The unknowns are adjustments of sourced coefficients at three levels (see `levels`). The objective is the sum of squared
logarithmic errors, weighed as `problem` says, large errors only linearly (Huber 1964), plus squared adjustments over
their prior widths; so a chip departs from its family, and a family from all, only where measurements insist. Steps are
damped where the linearised problem promises more than the real one keeps (Levenberg 1944), so none makes the objective
larger. Nothing is random: the same data give the same coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from costline.accuracy.levels import Kind, depth
from costline.accuracy.linear import Linear, blocks_of
from costline.accuracy.problem import Adjustments, Problem, Run, Seen, errors, everywhere
from costline.hardware.efficiency import Level, levels_of
from costline.numeric import Array

STEP = 0.05
"""Change of a logarithm by which sensitivities are taken."""
NOISE = 0.12
"""Logarithmic spread of a measurement around a right model: repeats of one job differ by 2 to 12 % (DESIGN 5)."""
DAMPING = 1.0
"""Weight of a step's own length, in prior widths, that a fit begins with."""
RAISED, LOWERED, TRIES = 4.0, 4.0, 5
"""Factors of the damping after a step that failed and after one that kept its promise; attempts at a step."""
KEPT = 0.75
"""Share of the promised gain that a step must bring for the damping to be lowered."""
SETTLED = 0.001
"""Relative gain of the objective below which a fit has settled."""
REWEIGHTED, UNMOVED = 6, 1e-3
"""Rounds of reweighting at most; change of a logarithm below which a further one is not made."""
HUBER = 0.3
"""Logarithmic error from which on errors count linearly."""
LONGEST_STEP = 0.7
"""Largest change of an adjustment in one iteration: a factor of two."""
WIDE = frozenset({
    "attention_block", "chunk", "convolution", "dispatch", "eager", "expert_spread", "exposed", "host_bridge",
    "host_work", "latency_out", "latency_up", "launch", "misaligned", "overlap", "progress", "queue",
    "request_overhead", "scan", "step_overhead", "strong_scaling",
})  # fmt: skip
"""Coefficients of which the sourced value is little more than an order of magnitude."""
WIDTHS = {"all": (0.35, 1.0), "family": (0.2, 0.5), "chip": (0.07, 0.18)}
"""Prior widths of adjustments by level: of well-known coefficients, of wide ones."""
REFINED = {"all": (0.15, 0.35), "family": (0.08, 0.15), "chip": (0.07, 0.07)}
"""The same where the qualifier is a refinement. All widths are round figures near the least held-out error."""


def width(level: Level) -> float:
    """Prior width of an adjustment."""
    name, _, scope = level
    widths = REFINED if depth(level) or name == "software" else WIDTHS
    return widths[scope.partition(":")[0]][name in WIDE]


def _effects(problem: Problem, slopes: Mapping[Kind, float], row: int) -> dict[Level, float]:
    """Slope of a row with each level: of every lookup that the level applies to."""
    effects: dict[Level, float] = {}
    for name, qualifier, chip in problem.asked[row]:
        for level in levels_of(name, qualifier, problem.chips[chip]):
            effects[level] = effects.get(level, 0.0) + slopes.get((name, qualifier), 0.0)
    return effects


@dataclass(frozen=True)
class Solution:
    """Most probable adjustments of a linearised problem, large errors weighed down until that settles.

    Attributes
    ----------
    logarithms, weight : array
        Adjustments; weight of each row at them.
    """

    logarithms: Array
    weight: Array


def linearised(problem: Problem, seen: Seen, adjustments: Adjustments) -> Linear:
    """The problem around some adjustments."""
    effects = [_effects(problem, slopes, row) for row, slopes in enumerate(seen.slopes)]
    levels, blocks = blocks_of(effects, ["+".join(sorted({chip for *_, chip in asked})) for asked in problem.asked])
    start = np.asarray([adjustments.get(level, 0.0) for level in levels])
    prior = np.asarray([width(level) ** -2 for level in levels])
    around = Linear(levels, blocks, np.zeros(len(effects)), prior)
    return replace(around, constant=errors(problem, seen.value) - around.errors(start))


def solved(problem: Problem, linear: Linear, start: Array, damping: float = 0.0) -> Solution:
    """Solve a linearised problem by reweighted least squares, a departure from the start costing as much as damped."""
    weight, found, anchor = problem.weight, start, damping * linear.prior
    for _ in range(REWEIGHTED):
        left = np.abs(linear.errors(found))
        weight = problem.weight * np.minimum(1, HUBER / np.maximum(left, 1e-12)) / NOISE**2
        pull = anchor * start - linear.pulled(weight * linear.constant)
        before, found = found, linear.minimum(weight, linear.prior + anchor, pull)
        if np.max(np.abs(found - before)) < UNMOVED:
            break
    return Solution(found, weight)


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


def fit(problem: Problem, run: Run, iterations: int = 12) -> Fit:
    """Fit all rows of a problem.

    Parameters
    ----------
    problem : Problem
        Rows.
    run : callable
        A map over pieces of work.
    iterations : int
        Steps at most.
    """
    adjustments = descend(problem, np.arange(len(problem.cases)), {}, run, iterations)
    seen = everywhere(run, adjustments, range(len(problem.cases)), STEP)
    linear = linearised(problem, seen, adjustments)
    adjustments = {level: adjustments.get(level, 0.0) for level in linear.levels}
    solution = solved(problem, linear, np.asarray(list(adjustments.values())))
    spread = np.sqrt(np.diag(np.linalg.inv(linear.precision(solution.weight))))
    return Fit(
        adjustments, dict(zip(linear.levels, spread.tolist(), strict=True)), errors(problem, seen.value), linear,
        solution,
    )  # fmt: skip


def descend(problem: Problem, rows: Array, adjustments: Adjustments, run: Run, iterations: int) -> Adjustments:
    """Adjustments after damped steps over some rows of a problem, each of which makes the objective smaller.

    Parameters
    ----------
    problem : Problem
        All rows.
    rows : array of int
        Those to fit to.
    adjustments : mapping
        Where to start.
    run : callable
        A map over pieces of work.
    iterations : int
        Steps at most.
    """
    some, listed = problem.only(rows), rows.tolist()
    seen, damping = everywhere(run, adjustments, listed, STEP), DAMPING
    loss = objective(some, seen, adjustments)
    for _ in range(iterations):
        linear = linearised(some, seen, adjustments)
        start = np.asarray([adjustments.get(level, 0.0) for level in linear.levels])
        for _ in range(TRIES):
            reached = toward(solved(some, linear, start, damping).logarithms, start)
            trial = adjustments | dict(zip(linear.levels, reached.tolist(), strict=True))
            found = objective(some, everywhere(run, trial, listed), trial)
            if found < loss:
                break
            damping *= RAISED
        else:
            break
        promised = Seen(some.measured * np.exp(linear.errors(reached)), ())
        if loss - found > KEPT * (loss - objective(some, promised, trial)):
            damping /= LOWERED
        settled = loss - found < SETTLED * loss
        adjustments, loss = trial, found
        if settled:
            break
        seen = everywhere(run, adjustments, listed, STEP)
    return adjustments


def toward(found: Array, start: Array) -> Array:
    """A step of bounded length."""
    result: Array = start + np.clip(found - start, -LONGEST_STEP, LONGEST_STEP)
    return result
