"""The coefficient table: what share of a peak is reached, and what each call costs on top."""

from __future__ import annotations

import csv
import functools
import re

from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import CatalogueError
from costline.hardware.efficiency import Adjustment, Coefficient, Efficiency, Level

COLUMNS = columns(
    "name! scope! qualifier unit! source! note",
    number="value! low high",
    date="date",
    kind="kind!",
)

ADJUSTMENTS = DATA / "adjustments.csv"
"""Written by ``costline accuracy fit``, never by hand."""
ADJUSTMENT_COLUMNS = ("name", "scope", "qualifier", "factor", "low", "high", "rows", "kind", "date", "source")

SCOPE = re.compile(r"all|(chip|family|vendor):[a-z0-9][a-z0-9._+-]*")


def coefficient_faults(rows: list[Row]) -> list[str]:
    """What the columns alone cannot tell: scopes, bounds, assumptions without a reason, rows that are there twice."""
    faults = []
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        key = (row["name"], row["scope"], row["qualifier"])
        where = " ".join(filter(None, key))
        if not SCOPE.fullmatch(row["scope"]):
            faults.append(f"{where}: scope is all, vendor:..., family:... or chip:...")
        if row["low"] is not None and row["high"] is not None and not row["low"] <= row["value"] <= row["high"]:
            faults.append(f"{where}: value {row['value']:g} is not between {row['low']:g} and {row['high']:g}")
        if row["kind"] == "assumed" and not row["note"]:
            faults.append(f"{where}: is assumed, so note must say why")
        if key in seen:
            faults.append(f"{where}: is there twice")
        seen.add(key)
    return faults


@functools.cache
def shipped_coefficients() -> tuple[Coefficient, ...]:
    """Coefficients read in sources or assumed, in the order of the file; what a fit starts from.

    Raises
    ------
    CatalogueError
        With every fault of the file.
    """
    path = DATA / "coefficients.csv"
    rows = read_table(path, COLUMNS)
    if faults := coefficient_faults(rows):
        raise CatalogueError(str(path), faults)
    return tuple(Coefficient(**{**row, "date": row["date"] or ""}) for row in rows)


@functools.cache
def shipped_adjustments() -> dict[Level, Adjustment]:
    """What the shipped measurements say beyond the coefficients, by level; nothing where no fit is in force."""
    if not ADJUSTMENTS.exists():
        return {}
    with ADJUSTMENTS.open(newline="", encoding="utf-8") as file:
        return {
            (row["name"], row["qualifier"], row["scope"]): Adjustment(
                factor=float(row["factor"]), low=float(row["low"]), high=float(row["high"]), rows=int(row["rows"]),
                date=row["date"], source=row["source"],
            )
            for row in csv.DictReader(file)
        }  # fmt: skip


@functools.cache
def shipped_efficiency() -> Efficiency:
    """Both tables ready for lookups; what is asked of copies for single questions is found once for all of them."""
    return Efficiency(shipped_coefficients(), adjustments=shipped_adjustments())
