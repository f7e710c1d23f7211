"""Checking a file that is not part of costline yet: a user's TOML, or a CSV in the columns of a shipped table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from costline.catalogue import (
    chip_table,
    coefficient_table,
    facts,
    kernel_table,
    price_table,
    software_table,
    system_table,
)
from costline.catalogue.names import callable_by
from costline.catalogue.table import Column, Row, read_table, read_text
from costline.errors import CatalogueError


def _price_faults(rows: list[Row]) -> list[str]:
    known = ", ".join(price_table.UNITS)
    return [
        f"{row['item']}: unit {row['unit'][:40]!r} is not one of {known}"
        for row in rows
        if row["unit"] not in price_table.UNITS
    ]


def _name_faults(rows: list[Row]) -> list[str]:
    """Names that cannot be written behind a number of chips."""
    wrong = [row["id"] for row in rows if not callable_by(row["id"])]
    return [f"{name}: reads as a number of chips in --on; begin the id with a letter" for name in wrong]


def _nothing(rows: list[Row]) -> list[str]:
    return []


SCHEMAS: dict[str, tuple[Sequence[Column], str, Callable[[list[Row]], list[str]]]] = {
    "chips": (chip_table.COLUMNS, "id", _name_faults),
    "systems": (system_table.COLUMNS, "id", _name_faults),
    "prices": (price_table.COLUMNS, "", _price_faults),
    "coefficients": (coefficient_table.COLUMNS, "", coefficient_table.coefficient_faults),
    "kernels": (kernel_table.COLUMNS, "", kernel_table.kernel_faults),
    "software": (software_table.COLUMNS, "", software_table.software_faults),
    "chip_cost": (facts.COST_COLUMNS, "", _nothing),
    "chip_anchors": (facts.ANCHOR_COLUMNS, "", _nothing),
    "pim": (facts.PIM_COLUMNS, "", _nothing),
    "video_training_facts": (facts.TRAINING_COLUMNS, "id", _nothing),
}
"""Shipped tables: columns, key, and what columns alone cannot tell."""


def check_file(path: Path) -> str:
    """Check a file and say what it holds.

    Raises
    ------
    CatalogueError
        With every fault.
    """
    return _check_csv(path) if path.suffix.lower() == ".csv" else _check_toml(path)


def _check_toml(path: Path) -> str:
    from costline.catalogue.user import load_user_file

    own = load_user_file(path, models_too=True)
    counts = {"chip": own.chips, "system": own.systems, "price": own.prices, "model": own.models}
    held = ", ".join(f"{len(each)} {name}{'s' * (len(each) != 1)}" for name, each in counts.items() if each)
    return f"{path}: no faults; {held}"


def _check_csv(path: Path) -> str:
    header = set(next(csv.reader(read_text(path).splitlines()), []))
    overlap = {name: len(header & {each.name for each in schema[0]}) for name, schema in SCHEMAS.items()}
    name = path.stem if path.stem in SCHEMAS else max(overlap, key=lambda each: overlap[each])
    if overlap[name] < 3:
        raise CatalogueError(str(path), [f"has the columns of no table; the tables are {', '.join(SCHEMAS)}"])
    declared, key, more = SCHEMAS[name]
    rows = read_table(path, declared, key)
    if faults := more(rows):
        raise CatalogueError(str(path), faults)
    return f"{path}: no faults; {len(rows)} rows in the columns of {name}.csv"
