"""What every command needs of the terminal: consoles, tables, JSON, CSV, and the one way to complain."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from costline.errors import InputError, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from costline.quantity import Kind

WIDTH = 80
"""Columns; a narrower terminal gets what it has."""

UNKNOWN = "unknown"


def console(*, stderr: bool = False, plain: bool = False) -> Console:
    """A console on stdout or stderr: at most 80 columns; colour on a terminal only, none with NO_COLOR.

    A `plain` one writes no escape sequences at all, bold ones neither.
    """
    from rich.console import Console

    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    return Console(
        stderr=stderr, width=max(width, 40), highlight=False, markup=False, soft_wrap=False,
        color_system=None if plain else "auto",
    )  # fmt: skip


def complain(message: str) -> None:
    """Write a message to stderr as ``costline: ...``, control characters made visible; say nothing if it is closed."""
    if sys.stderr is None:
        return
    lines = [visible(line) for line in message.splitlines()] or [""]
    sys.stderr.write("\n".join([f"costline: {lines[0]}", *lines[1:]]) + "\n")


def note(message: str) -> None:
    """Write a remark that is no part of the answer to stderr."""
    sys.stderr.write(f"{visible(message)}\n")


def either(*, json: bool, csv: bool) -> None:
    """Refuse two layouts of one answer.

    Raises
    ------
    InputError
        JSON and CSV at once.
    """
    if json and csv:
        raise InputError("--json and --csv at once; choose one")


Layout: TypeAlias = Literal["table", "plain", "json", "csv"]
"""For people, with colours or without, or for programs."""
CATALOGUE_SCHEMA = "costline.catalogue/1"
"""Name and version of the JSON form of tables and entries of the catalogue."""


def write_json(body: Any) -> None:
    """Write JSON to stdout; unknown is null."""
    json.dump(body, sys.stdout, indent=2, allow_nan=False, default=_json_value)
    sys.stdout.write("\n")


def _json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Iterable) else str(value)


def write_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows to stdout as CSV; unknown is an empty cell."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _csv_cell(value) for name, value in row.items()})


def _csv_cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={each}" for key, each in value.items())
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else value


def figures(number: float | None, digits: int = 3) -> str:
    """A number to three significant figures, without exponent where that stays short.

    Examples
    --------
    >>> figures(1978.9), figures(0.6449), figures(None)
    ('1,980', '0.645', 'unknown')
    """
    if number is None:
        return UNKNOWN
    if number == 0:
        return "0"
    if not 1e-4 <= abs(number) < 1e7:
        return f"{number:.{digits - 1}e}"
    places = digits - 1 - math.floor(math.log10(abs(number)))
    return f"{round(number, places):,.{max(places, 0)}f}"


@dataclass(frozen=True)
class Field:
    """A column of a table: heading, what it shows of a row, and for a quantity its kind."""

    heading: str
    value: Callable[[Any], Any]
    kind: Kind | None = None


def table(rows: Sequence[Any], fields: Sequence[Field]) -> Table:
    """A table with the unit of each quantity in its heading, one unit a column."""
    from rich import box
    from rich.table import Table

    from costline.quantity import column_scale

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    columns = []
    for place, each in enumerate(fields):
        values = [each.value(row) for row in rows]
        heading = each.heading
        numeric = each.kind is not None or any(isinstance(value, int | float) for value in values)
        if each.kind is not None:
            known = sorted(value for value in values if value is not None)
            factor, unit = column_scale(known[len(known) // 2 :][:1], each.kind)  # one giant must not set the unit
            values = [None if value is None else value / factor for value in values]
            heading = f"{heading}\n{unit}"
        made.add_column(heading, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric or place == 0)
        columns.append([_cell(value) for value in values])
    for cells in zip(*columns, strict=True):
        made.add_row(*cells)
    return made


def _cell(value: Any) -> RenderableType:
    from rich.text import Text

    if value is None:
        return Text("-", style="dim")
    if isinstance(value, float):
        return Text(figures(value))
    return Text(str(value))


def figure_table(rows: Iterable[tuple[str, ...]], headings: Sequence[str] = ("figure", "value", "kind")) -> Table:
    """Figures with value and kind, and whatever else has a heading."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for heading in headings:
        made.add_column(heading, justify="right" if heading == "value" else "left")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def word_table(lines: Iterable[tuple[str, str | None]]) -> Table:
    """Remarks by a word in front; empty ones are left out."""
    from rich.table import Table
    from rich.text import Text

    made = Table.grid(padding=(0, 1))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for word, text in lines:
        if text:
            made.add_row(Text(word), Text(text))
    return made
