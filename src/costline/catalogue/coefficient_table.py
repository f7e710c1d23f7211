"""The coefficient table: what share of a peak is reached, and what each call costs on top."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import CatalogueError
from costline.hardware.efficiency import Coefficient

COLUMNS = columns(
    "name! scope! qualifier unit! source! note",
    number="value! low high",
    date="date",
    kind="kind!",
)

FITTED = DATA / "coefficients_fitted.csv"
"""Written by ``costline accuracy fit``, never by hand."""

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
    """All coefficients that come with costline: sourced ones, and fitted ones in their place.

    Raises
    ------
    CatalogueError
        With every fault of the files.
    """
    rows = {(row.name, row.scope, row.qualifier): row for row in sourced_coefficients()}
    if FITTED.exists():
        rows |= {(row.name, row.scope, row.qualifier): row for row in _read(FITTED)}
    return tuple(rows.values())


@functools.cache
def sourced_coefficients() -> tuple[Coefficient, ...]:
    """Coefficients read in sources or assumed, in the order of the file; what a fit starts from."""
    return _read(DATA / "coefficients.csv")


def _read(path: Path) -> tuple[Coefficient, ...]:
    rows = read_table(path, COLUMNS)
    if faults := coefficient_faults(rows):
        raise CatalogueError(str(path), faults)
    return tuple(Coefficient(**{**row, "date": row["date"] or ""}) for row in rows)
