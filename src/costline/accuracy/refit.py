"""The whole fit: measurements in; coefficients, held-out errors and the standing of every target out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costline.accuracy.baselines import baselines, in_units, roofline
from costline.accuracy.fit import fit
from costline.accuracy.folds import folds_of, left_out, left_out_linearised
from costline.accuracy.intervals import fitted_csv
from costline.accuracy.predict import Scored, evaluate
from costline.accuracy.problem import Problem, errors, everywhere, group_of, pose, workers
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.accuracy.score import weighted_quantile, weights
from costline.accuracy.shipping import fitted_rows
from costline.catalogue.coefficient_table import shipped_coefficients
from costline.catalogue.standing_table import Pair, Standing
from costline.hardware.efficiency import Adjustment, Efficiency, Level
from costline.numeric import Array


@dataclass(frozen=True)
class Refit:
    """Result of a whole fit.

    Attributes
    ----------
    adjustments : mapping
        Fitted adjustments by level.
    standing : sequence of Standing
        Errors by target.
    rows : int
        Measurements fitted to.
    validated : str
        The table of validated cases, as CSV.
    """

    adjustments: Mapping[Level, Adjustment]
    standing: Sequence[Standing]
    rows: int
    validated: str


def refit(
    measurements: Iterable[Measurement],
    date: str,
    digest: str,
    *,
    folds: int = 5,
    processes: int = 2,
    iterations: int = 12,
) -> Refit:
    """Fit all coefficients and say how well they predict what they have not seen.

    Parameters
    ----------
    measurements : iterable of Measurement
        Scored rows.
    date, digest : str
        Day of the fit and hash of the data, for the rows.
    folds : int
        Folds over groups of model, chip and software.
    processes, iterations : int
        Processes to use; Gauss-Newton steps.
    """
    problem = pose(measurements, Efficiency(shipped_coefficients()))
    every = range(len(problem.cases))
    with workers(problem, processes) as run:
        before = errors(problem, everywhere(run, {}, every).value)
        done = fit(problem, run, iterations)
        groups = [group_of(case) for case in problem.cases]
        unseen = left_out(problem, done, folds_of(groups, folds), run)
        alone = left_out_linearised(problem, done, folds_of([chip for _, chip, _ in groups]), run)
        apart = left_out_linearised(problem, done, folds_of([case.plan.software for case in problem.cases]), run)
    rows = fitted_rows(problem, done.adjustments, done.spread, date, digest)
    ways = {"sourced": before, "in_sample": done.error, "unseen_group": unseen, "unseen_chip": alone}
    now = Efficiency(shipped_coefficients(), adjustments=rows)
    standing = _standing(problem, {**ways, **_rivals(problem, now)}, date, f"measurements sha256 {digest}")
    return Refit(rows, standing, len(every), fitted_csv(problem, unseen, alone, apart))


def _rivals(problem: Problem, efficiency: Efficiency) -> dict[str, Array]:
    """Logarithmic errors of the baselines; NaN where they say nothing."""
    pairs = zip(problem.measurements, problem.cases, strict=True)
    rows = [Scored(row, case, Refusal("not asked")) for row, case in pairs]
    simple = roofline(efficiency)
    roofs = in_units(problem.measurements, [evaluate(case, simple) for case in problem.cases])
    found = baselines(rows, roofs)
    measured = np.asarray([row.value for row in problem.measurements], dtype=float)
    return {name: np.log(np.asarray(values, dtype=float) / measured) for name, values in found.items()}


def _standing(problem: Problem, ways: Mapping[str, Array], date: str, source: str) -> list[Standing]:
    """Errors by target; repeats of a configuration share a weight, as everywhere in the report."""
    targets, weight = np.asarray([case.setting.regime for case in problem.cases]), weights(problem.measurements)
    made = []
    for target in sorted(set(targets.tolist())):
        chosen = targets == target
        errors = {way: _summary(np.abs(np.expm1(each[chosen])), weight[chosen]) for way, each in ways.items()}
        known = {way: pair for way, pair in errors.items() if pair is not None}
        made.append(Standing(target=target, rows=int(chosen.sum()), errors=known, date=date, source=source))
    return made


def _summary(absolute: Array, weight: Array) -> Pair | None:
    """Median and 90th percentile of what is known."""
    known = np.isfinite(absolute)
    if not known.any():
        return None
    median, most = (weighted_quantile(absolute[known], weight[known], share) for share in (0.5, 0.9))
    return median, most
