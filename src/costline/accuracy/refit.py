"""The whole fit: measurements in, coefficients and three tables of errors out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costline.accuracy.fit import fit
from costline.accuracy.folds import folds_of, left_out, left_out_linearised
from costline.accuracy.intervals import validated_csv
from costline.accuracy.problem import Problem, errors, everywhere, group_of, pose, workers
from costline.accuracy.rows import Measurement
from costline.accuracy.shipping import fitted_rows
from costline.catalogue.coefficient_table import shipped_coefficients
from costline.hardware.efficiency import Adjustment, Efficiency, Level
from costline.numeric import Array


@dataclass(frozen=True)
class Errors:
    """Errors of one target.

    Attributes
    ----------
    target : str
        Which rows.
    rows : int
        How many.
    sourced, fitted, unseen, unseen_chip : tuple of float
        Median and 90th percentile of the absolute error: with sourced coefficients, in-sample, with the row's group
        (model, chip and software) left out, with its chip left out. [1]
    """

    target: str
    rows: int
    sourced: tuple[float, float]
    fitted: tuple[float, float]
    unseen: tuple[float, float]
    unseen_chip: tuple[float, float]


@dataclass(frozen=True)
class Refit:
    """Result of a whole fit.

    Attributes
    ----------
    adjustments : mapping
        Fitted adjustments by level.
    errors : sequence of Errors
        Errors by target.
    rows : int
        Measurements fitted to.
    validated : str
        The table of validated cases, as CSV.
    """

    adjustments: Mapping[Level, Adjustment]
    errors: Sequence[Errors]
    rows: int
    validated: str


def refit(
    measurements: Iterable[Measurement],
    date: str,
    digest: str,
    *,
    folds: int = 5,
    processes: int = 2,
    iterations: int = 6,
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
    rows = fitted_rows(problem, done.adjustments, done.spread, date, digest)
    tables = _tables(problem, before, done.error, unseen, alone)
    return Refit(rows, tables, len(every), validated_csv(problem, unseen))


def _tables(problem: Problem, *logarithms: Array) -> list[Errors]:
    """Errors by target."""
    targets = np.asarray([case.setting.regime for case in problem.cases])
    tables = []
    for target in sorted(set(targets.tolist())):
        chosen = targets == target
        columns = [_summary(np.abs(np.expm1(each[chosen]))) for each in logarithms]
        tables.append(Errors(target, int(chosen.sum()), *columns))
    return tables


def _summary(absolute: Array) -> tuple[float, float]:
    return float(np.median(absolute)), float(np.quantile(absolute, 0.9))
