"""CSV tables with declared columns: every fault of a file is found and reported at once."""

from __future__ import annotations

import csv
import io
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from costline.errors import CatalogueError

DATA = Path(__file__).parent.parent / "data"
"""The tables that come with costline."""

LARGEST_FILE = 5_000_000
"""Byte; a catalogue is text written by people, so a larger file is something else."""

MOST_FAULTS = 200
"""Faults listed before a file is given up: it is probably not the file that was meant."""

DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
NAME = re.compile(r"[a-z0-9][a-z0-9._+-]*")

KINDS = frozenset({
    "measured", "datasheet", "derived", "fitted", "estimated", "assumed", "announced", "definition", "listed",
    "published", "reported", "claimed", "vendor", "model", "simulated", "doubtful", "user",
})  # fmt: skip
"""How a figure came to be; what the words mean is in the documentation of the catalogue."""

Row: TypeAlias = dict[str, Any]


def signed(cell: str) -> float:
    """A finite number."""
    try:
        value = float(cell)
    except ValueError:
        raise ValueError("is not a number; write the value in the unit of the column, e.g. 80e9") from None
    if not math.isfinite(value):
        raise ValueError("is not finite; leave the cell empty where the value is unknown")
    if "_" in cell:
        raise ValueError("is not a plain number")
    return value


def number(cell: str) -> float:
    """A finite number, 0 or more."""
    value = signed(cell)
    if value < 0:
        raise ValueError("is negative; the least value is 0")
    return value


def integer(cell: str) -> int:
    """A whole number, 0 or more."""
    value = number(cell)
    if not value.is_integer():
        raise ValueError("is not a whole number")
    return int(value)


def date(cell: str) -> str:
    """A day, a month or a year."""
    if not DATE.fullmatch(cell):
        raise ValueError("is not a date; write 2025, 2025-03 or 2025-03-31")
    return cell


def kind(cell: str) -> str:
    """How a figure came to be."""
    if cell not in KINDS:
        raise ValueError(f"is not a kind of evidence; write one of {', '.join(sorted(KINDS))}")
    return cell


def identifier(cell: str) -> str:
    """A catalogue name."""
    if not NAME.fullmatch(cell):
        raise ValueError("is not a name; use lower-case letters, digits, '.', '-', '_' and '+'")
    return cell


def names(cell: str) -> tuple[str, ...]:
    """Several catalogue names with spaces between."""
    return tuple(identifier(each) for each in cell.split())


def figure_kinds(cell: str) -> dict[str, str]:
    """``memory_byte=assumed; tdp_w=estimated``: figures whose kind differs from that of the row."""
    pairs = [part.strip().partition("=") for part in cell.split(";")]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("is not of the form column=kind; column=kind")
    return {column: kind(value) for column, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, how a cell is read (None: text as it stands), and whether every row needs it."""

    name: str
    read: Callable[[str], Any] | None = None
    required: bool = False


def columns(text: str = "", **readers: str) -> tuple[Column, ...]:
    """Declare columns: plain ones in `text`, others by reader; ``!`` after a name marks a required one.

    Examples
    --------
    >>> [column.name for column in columns("note", number="value! low")]
    ['note', 'value', 'low']
    """
    table: dict[str, Callable[[str], Any]] = {
        "number": number, "integer": integer, "date": date, "kind": kind, "identifier": identifier, "names": names,
        "signed": signed, "figure_kinds": figure_kinds,
    }  # fmt: skip
    listed: list[tuple[str, Callable[[str], Any] | None]] = [(each, None) for each in text.split()]
    listed += [(each, table[reader]) for reader, wanted in readers.items() for each in wanted.split()]
    return tuple(Column(each.rstrip("!"), reader, each.endswith("!")) for each, reader in listed)


def read_text(path: Path) -> str:
    """Text of a file of sensible size.

    Raises
    ------
    CatalogueError
        Missing, unreadable, too large or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise CatalogueError(str(path), [f"is larger than {LARGEST_FILE / 1e6:g} MB; a catalogue file is smaller"])
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise CatalogueError(str(path), [f"cannot be read: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise CatalogueError(str(path), [f"is not UTF-8 text (byte {error.start})"]) from None
    if "\x00" in text:
        raise CatalogueError(str(path), ["is not text: it contains a NUL character"])
    return text


def read_table(path: Path, declared: Sequence[Column], key: str = "") -> list[Row]:
    """Read a CSV file whose header names the declared columns, in any order.

    Parameters
    ----------
    path : Path
        The file.
    declared : sequence of Column
        Its columns; a column that is declared must be there, any other is refused.
    key : str
        Column that names a row and must differ in all rows; empty for none.

    Returns
    -------
    list of dict
        Cells by column; text as it stands, other cells converted, an empty one None.

    Raises
    ------
    CatalogueError
        With every fault: row, column, value and what would be right.
    """
    lines = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    faults: list[str] = []
    rows: list[Row] = []
    try:
        header = next(lines, [])
        faults += _header_faults(header, declared)
        if faults:
            raise CatalogueError(str(path), faults)
        special = [column for column in declared if column.read or column.required]
        for cells in lines:
            if not cells:
                continue
            row: Row = dict(zip(header, cells, strict=False))
            where = f"row {lines.line_num}" + (f" ({str(row.get(key, ''))[:60]})" if key else "")
            if len(cells) != len(header):
                faults.append(f"{where}: has {len(cells)} cells, the header has {len(header)}")
                continue
            faults += _convert(row, special, where)
            rows.append(row)
            if len(faults) > MOST_FAULTS:
                break
    except csv.Error as error:
        faults.append(f"row {lines.line_num}: {error}")
    faults += _repeated(rows, key) if key else []
    if faults:
        raise CatalogueError(str(path), faults)
    return rows


def _header_faults(header: Sequence[str], declared: Sequence[Column]) -> list[str]:
    wanted = [column.name for column in declared]
    missing = [f"column {name} is missing" for name in wanted if name not in header]
    extra = [f"column {name[:60]!r} is not known; the columns are {', '.join(wanted)}" for name in header
             if name not in wanted]  # fmt: skip
    twice = [f"column {name} is there twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    return missing + extra[:5] + twice


def _convert(row: Row, special: Sequence[Column], where: str) -> list[str]:
    """Convert the cells of a row in place; return the faults."""
    faults = []
    for column in special:
        cell = row[column.name]
        if not cell:
            if column.required:
                faults.append(f"{where}, column {column.name}: is empty")
            if column.read:
                row[column.name] = None
            continue
        if column.read is None:
            continue
        try:
            row[column.name] = column.read(cell)
        except ValueError as error:
            faults.append(f"{where}, column {column.name}: {cell[:60]!r} {error}")
    return faults


def _repeated(rows: Sequence[Row], key: str) -> list[str]:
    counts = Counter(row[key] for row in rows)
    return [f"{key} {name!r} is there {times} times" for name, times in counts.items() if times > 1]


def parse_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file of sensible size.

    Raises
    ------
    CatalogueError
        Unreadable, too large, not TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(str(path), [f"is not TOML: {error}"]) from None
    except RecursionError:
        raise CatalogueError(str(path), ["is nested too deeply"]) from None
    except ValueError:  # Python refuses to read whole numbers of more than 4,300 digits
        raise CatalogueError(str(path), ["holds a number of thousands of digits"]) from None
