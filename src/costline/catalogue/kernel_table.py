"""Kernels as they were measured one by one: coefficients by chip, kernel and format, beside those of whole jobs.

Nothing is predicted from this table yet: it is what coefficients of `coefficients.csv` can be compared with, and what a
later fit can start from.
"""

from __future__ import annotations

import csv
import functools
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import CatalogueError

KERNELS = DATA / "kernels.csv"
"""Written by ``costline accuracy fit --kernels``, never by hand."""
COLUMNS = columns(
    "name! kernel! format! qualifier unit! source!",
    identifier="chip!",
    number="value! low! high! held_out_median! held_out_p90!",
    integer="rows!",
    kind="kind!",
    date="date!",
)
ORDER = (
    "name", "chip", "kernel", "format", "qualifier", "value", "low", "high", "unit", "rows", "held_out_median",
    "held_out_p90", "kind", "date", "source",
)  # fmt: skip
NAMES = frozenset(
    {"attention", "attention_block", "dispatch", "gemm", "gemm_half", "latency_up", "launch", "link_up", "memory"}
)
"""Coefficients that single kernels say something about."""

Pair: TypeAlias = tuple[float, float]
"""Median and 90th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCoefficient:
    """One row of the table.

    Attributes
    ----------
    name, chip, kernel, format, qualifier : str
        Which coefficient, of which kernel in which format on which chip; the dimension of a half-performance length,
        the software of a launch, the chips of a group.
    value, low, high : float
        Point and 80 % bounds. [unit]
    unit, kind, date, source : str
        Provenance; the source has the version of the package and the hash of its files.
    rows : int
        Measured calls of that kernel.
    held_out_median, held_out_p90 : float
        Absolute percentage error on shapes left out, of the kernel as a whole. [1]
    """

    name: str
    chip: str
    kernel: str
    format: str
    qualifier: str
    value: float
    low: float
    high: float
    unit: str
    rows: int
    held_out_median: float
    held_out_p90: float
    kind: str
    date: str
    source: str


def kernel_faults(rows: list[Row]) -> list[str]:
    """What the columns alone cannot tell: unknown coefficients, bounds, values of 0, rows that are there twice."""
    faults = []
    keys = [tuple(row[name] for name in ORDER[:5]) for row in rows]
    for row, key in zip(rows, keys, strict=True):
        where = " ".join(filter(None, key))
        if row["name"] not in NAMES:
            faults.append(f"{where}: {row['name'][:40]!r} is none of {', '.join(sorted(NAMES))}")
        if not row["low"] <= row["value"] <= row["high"]:
            faults.append(f"{where}: value {row['value']:g} is not between {row['low']:g} and {row['high']:g}")
        if not row["value"]:
            faults.append(f"{where}: value is 0; a share, a length or a time of a kernel is more")
        if not row["rows"]:
            faults.append(f"{where}: rows is 0; a fit needs measurements")
        if row["held_out_median"] > row["held_out_p90"]:
            faults.append(f"{where}: held_out_median exceeds held_out_p90")
    return faults + [f"{' '.join(filter(None, key))}: is there {n} times" for key, n in Counter(keys).items() if n > 1]


def read_kernel_table(path: Path) -> tuple[KernelCoefficient, ...]:
    """Read the table.

    Raises
    ------
    CatalogueError
        With every fault of the file.
    """
    rows = read_table(path, COLUMNS)
    if faults := kernel_faults(rows):
        raise CatalogueError(str(path), faults)
    return tuple(KernelCoefficient(**row) for row in rows)


@functools.cache
def shipped_kernels() -> tuple[KernelCoefficient, ...]:
    """The table that comes with costline."""
    return read_kernel_table(KERNELS)


def kernel_csv(rows: Iterable[KernelCoefficient]) -> str:
    """Rows as the table, figures with four digits: more than the data support, few enough to read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(ORDER)
    for row in rows:
        cells = (getattr(row, name) for name in ORDER)
        writer.writerow([f"{cell:.4g}" if isinstance(cell, float) else cell for cell in cells])
    return out.getvalue()
