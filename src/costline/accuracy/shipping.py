"""Fitted coefficients as rows of the catalogue: value, uncertainty, date and the hash of the data they come from."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from costline.accuracy.fit import Adjustments, Problem, width
from costline.accuracy.levels import Level, adjusted, chip_rows, family_rows, unmeasured_rows
from costline.catalogue import shipped
from costline.hardware.efficiency import Coefficient, Efficiency

EIGHTY = 1.2816
"""Standard deviations on either side that hold 80 % of a normal distribution."""
COLUMNS = ("name", "scope", "qualifier", "value", "low", "high", "unit", "kind", "date", "source", "note")


def data_hash(paths: Iterable[Path]) -> str:
    """First twelve digits of the SHA-256 of the measurement files, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def fitted_rows(
    problem: Problem, adjustments: Adjustments, spread: Mapping[Level, float], date: str, digest: str
) -> list[Coefficient]:
    """Rows for every chip, family and all, with 80 % bounds; a level without a row of its own repeats the wider one.

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
    arguments = (problem.base, adjustments, problem.lookups, problem.chips)
    wide, own = family_rows(*arguments), chip_rows(*arguments)
    wide += unmeasured_rows(problem.base, adjustments, [*wide, *own], shipped.chips())
    rows = [*wide, *_departing(problem, wide, own)]
    counts = _counts(problem)
    return [_dated(row, spread, counts, date, digest) for row in rows]


def _departing(problem: Problem, wide: Sequence[Coefficient], own: Sequence[Coefficient]) -> list[Coefficient]:
    """Rows of single chips that say something else than their family's: by more than 1 %."""
    inherited = Efficiency([*problem.base.rows, *wide])
    kept = []
    for row in own:
        chip = problem.chips[row.scope.removeprefix("chip:")]
        if abs(row.value - float(inherited.row(row.name, chip, row.qualifier).value)) > 0.01 * abs(row.value):
            kept.append(row)
    return kept


def _counts(problem: Problem) -> dict[tuple[str, str, str], int]:
    """Rows of measurements that look a coefficient up, by name, qualifier and scope."""
    counts: dict[tuple[str, str, str], int] = {}
    for asked in problem.asked:
        for name, qualifier, chip in asked:
            for scope in ("all", f"family:{problem.chips[chip].family}", f"chip:{chip}"):
                counts[name, qualifier, scope] = counts.get((name, qualifier, scope), 0) + 1
    return counts


def _dated(
    row: Coefficient, spread: Mapping[Level, float], counts: Mapping[tuple[str, str, str], int], date: str, digest: str
) -> Coefficient:
    level = (row.name, row.qualifier, row.scope)
    deviation = spread.get(level, width(level)) * EIGHTY
    ends = sorted(adjusted(row.name, row.value, side * deviation) for side in (-1, 1))
    number = counts.get(level, 0)
    return replace(
        row,
        value=_short(row.value),
        low=_short(min(ends[0], row.value)),
        high=_short(max(ends[1], row.value)),
        kind="fitted",
        date=date,
        source=f"costline accuracy fit; measurements sha256 {digest}",
        note=f"{number} rows; from {row.kind}: {row.source[:80]}",
    )


def _short(value: float) -> float:
    """Four significant figures: more than the data support, few enough to read."""
    return float(f"{value:.4g}") if math.isfinite(value) else value


def to_csv(rows: Iterable[Coefficient]) -> str:
    """The rows in the columns of the coefficient table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row.name, row.qualifier, row.scope)):
        cells = [getattr(row, column) for column in COLUMNS]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue()
