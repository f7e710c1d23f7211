"""How accurate costline was at its last fit, by target: what a change must not make worse."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from costline.catalogue.table import DATA

STANDING = DATA / "measurements" / "accuracy.csv"
"""Written by ``costline accuracy fit``, never by hand."""
WAYS = ("sourced", "in_sample", "unseen_group", "unseen_chip", "mfu", "seed", "roofline")
"""Predictions that stand side by side: with coefficients as sourced, as fitted, fitted without the row's group of
model, chip and software, fitted without its chip; and the baselines."""
COLUMNS = ("target", "rows", *(f"{way}_{score}" for way in WAYS for score in ("median", "p90")), "date", "source")
SLACK, SLACK_SHARE = 0.02, 0.15
"""How much worse an error may be than at the last fit: 2 percentage points or 15 % of itself, whichever is more."""

Pair: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Errors of one target.

    Attributes
    ----------
    target : str
        Which rows.
    rows : int
        How many.
    errors : mapping of str to tuple of float
        Median and 90th percentile of the absolute percentage error of each of `WAYS` that is known. [1]
    date, source : str
        Day of the fit, and what it was fitted to.
    """

    target: str
    rows: int
    errors: Mapping[str, Pair] = field(default_factory=dict)
    date: str = ""
    source: str = ""


def allowed(stated: float) -> float:
    """Largest error that does not count as worse than the one stated at the last fit. [1]

    Examples
    --------
    >>> round(allowed(0.10), 3), round(allowed(0.40), 3)
    (0.12, 0.46)
    """
    return stated + max(SLACK, SLACK_SHARE * stated)


def standing_csv(rows: Iterable[Standing]) -> str:
    """Rows as the table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        errors = [value for way in WAYS for value in row.errors.get(way, ("", ""))]
        cells = [value if isinstance(value, str) else f"{value:.4f}" for value in errors]
        writer.writerow([row.target, row.rows, *cells, row.date, row.source])
    return out.getvalue()


def shipped_standing(path: Path = STANDING) -> tuple[Standing, ...]:
    """The table that comes with costline; empty where no fit is in force."""
    if not path.exists():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(_row(cells) for cells in csv.DictReader(file))


def _row(cells: Mapping[str, str]) -> Standing:
    errors = {
        way: (float(cells[f"{way}_median"]), float(cells[f"{way}_p90"])) for way in WAYS if cells[f"{way}_median"]
    }
    return Standing(
        target=cells["target"], rows=int(cells["rows"]), errors=errors, date=cells["date"], source=cells["source"]
    )
