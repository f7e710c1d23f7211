"""Fitted adjustments as rows of the catalogue: factor, uncertainty, date and the hash of the data they come from."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from costline.accuracy.problem import Adjustments, Problem
from costline.catalogue.coefficient_table import ADJUSTMENT_COLUMNS
from costline.hardware.efficiency import Adjustment, Level, levels_of

EIGHTY = 1.2816
"""Standard deviations on either side that hold 80 % of a normal distribution."""
LEAST = 0.005
"""Logarithm below which an adjustment says nothing."""


def data_hash(paths: Iterable[Path]) -> str:
    """First twelve digits of the SHA-256 of the measurement files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def fitted_rows(
    problem: Problem, adjustments: Adjustments, spread: Adjustments, date: str, digest: str
) -> dict[Level, Adjustment]:
    """Adjustments with 80 % bounds; those that measurements leave where they were are left out.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    adjustments, spread : mapping
        Logarithms by level, and their standard deviations.
    date : str
        Day of the fit.
    digest : str
        Hash of the measurements.
    """
    counts = _counts(problem)
    source = f"costline accuracy fit; measurements sha256 {digest}"
    return {
        level: Adjustment(
            factor=_short(math.exp(value)),
            low=_short(math.exp(value - EIGHTY * spread[level])),
            high=_short(math.exp(value + EIGHTY * spread[level])),
            rows=counts[level],
            date=date,
            source=source,
        )
        for level, value in sorted(adjustments.items())
        if abs(value) >= LEAST
    }


def _counts(problem: Problem) -> Counter[Level]:
    """Measurements that depend on each level."""
    return Counter(
        level
        for asked in problem.asked
        for level in {
            level for name, qualifier, chip in asked for level in levels_of(name, qualifier, problem.chips[chip])
        }
    )


def _short(value: float) -> float:
    """Four significant figures: more than the data support, few enough to read."""
    return float(f"{value:.4g}")


def to_csv(rows: Mapping[Level, Adjustment]) -> str:
    """The rows in the columns of the table of adjustments."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(ADJUSTMENT_COLUMNS)
    for (name, qualifier, scope), row in rows.items():
        writer.writerow(
            [name, scope, qualifier, row.factor, row.low, row.high, row.rows, "fitted", row.date, row.source]
        )
    return out.getvalue()
