"""Reading uncertain numbers: ``a to b``, ``a..b``, ``{a, b, c}``, ``{20B: 0.6, 60B: 0.4}``, ``samples.csv:column``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costline import quantity
from costline.errors import QuantityError
from costline.quantity import COUNT, FRACTION, Kind, Range, read, read_range, show
from costline.quantity.reading import BETWEEN, shown
from costline.uncertainty.spreads import Bounds, Choices, Column, Spread, ends

ANY = (
    quantity.COUNT, quantity.FRACTION, quantity.RATIO, quantity.SECONDS, quantity.FLOP, quantity.FLOP_RATE,
    quantity.BYTES, quantity.BANDWIDTH, quantity.DOLLARS, quantity.DOLLARS_PER_SECOND, quantity.DOLLARS_PER_TOKEN,
    quantity.TOKENS, quantity.PARAMS, quantity.TOKEN_RATE, quantity.WATTS, quantity.JOULES,
)  # fmt: skip
"""Kinds tried for a plain number, in order; no text is read differently by two of them. (A range of percentages is read
as shares, whose distribution ends at 1.)"""
SAMPLED = re.compile(r"(?P<file>.+\.csv)(:(?P<column>[^:]+))?", re.IGNORECASE)
"""A CSV file of samples and which column of it."""
THOUSANDS = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
"""``1,000`` inside braces: one number or two?"""
DEEPEST = 20
"""Tables within tables in which files of samples are looked for."""
LARGEST = 1e30
"""Largest end of a range: far beyond any use, and its tail can be squared."""
LONGEST_CHOICE = 2_000
MOST_CHOICES = 200
LARGEST_FILE, MOST_ROWS = 200_000_000, 2**21
"""Sizes beyond which a file is not a table of samples. [byte, row]"""


def is_spread(given: Any) -> bool:
    """Whether an input is a distribution, by its look: nothing is read yet.

    Examples
    --------
    >>> is_spread("13T to 20T"), is_spread("13T"), is_spread({"20B": 0.6, "60B": 0.4})
    (True, False, True)
    """
    if isinstance(given, str):
        text = given.strip()
        return text.startswith("{") or bool(BETWEEN.search(text)) or bool(SAMPLED.fullmatch(text))
    return isinstance(given, Range | Choices | Bounds | Column | Mapping | list | tuple)


def read_spread(given: Any, kind: Kind) -> Spread | float:
    """Read an uncertain number.

    Parameters
    ----------
    given : str, mapping, list or a spread
        Text as typed; ``{value: weight}``; equally likely values; or a distribution made before.
    kind : Kind
        What it measures.

    Returns
    -------
    Spread or float
        A number where nothing is uncertain.

    Raises
    ------
    QuantityError
        Not readable, or no distribution.

    Examples
    --------
    >>> from costline.quantity import PARAMS
    >>> read_spread("{20B: 0.6, 60B: 0.4}", PARAMS)
    Choices(values=(20000000000.0, 60000000000.0), weights=(0.6, 0.4))
    >>> read_spread("3B..60B", PARAMS)
    Range(low=3000000000.0, high=60000000000.0, shape='uniform')
    """
    if isinstance(given, Range | Choices | Bounds | Column):
        return _within(given, kind)
    if isinstance(given, Mapping):
        return _weighted(list(given), list(given.values()), kind)
    if isinstance(given, list | tuple):
        return _even(given, kind)
    if isinstance(given, str):
        text = given.strip()
        if text.startswith("{"):
            return _within(_braces(text, kind), kind)
        if found := SAMPLED.fullmatch(text):
            return _within(read_column(Path(found["file"]), (found["column"] or "").strip(), kind), kind)
    made = read_range(given, kind)
    return _within(made, kind) if isinstance(made, Range) else made


def written_kind(given: Any) -> Kind:
    """What an uncertain number measures, by how it is written.

    Examples
    --------
    >>> written_kind("$1/h to $2/h").name, written_kind("13T to 20T").name
    ('rental price', 'count')
    """
    for kind in ANY:
        try:
            read_spread(given, kind)
        except QuantityError:
            continue
        return kind
    read_spread(given, COUNT)  # says what is wrong
    return COUNT


def check_least(spread: Spread, kind: Kind, least: float) -> None:
    """Refuse a distribution that starts below the smallest value allowed.

    Tails of a distribution whose ends are allowed may reach below: those samples are the smallest value.

    Raises
    ------
    QuantityError
        Its lower end, or the least of its values, is below `least`.
    """
    low = ends(spread)[0]
    if low < least:
        raise QuantityError(f"starts at {show(low, kind)}, below the least possible value, {show(least, kind)}")


def _within(spread: Spread, kind: Kind) -> Spread:
    """Refuse a distribution, made in Python or read from a file, that text could not write."""
    high = ends(spread)[1]
    if high > LARGEST:
        raise QuantityError(f"ends at {high:g}, above the largest value, {LARGEST:g}")
    low = ends(spread)[0]
    if isinstance(spread, Range) and low and high / low > LARGEST:
        raise QuantityError(f"spans a factor of {high / low:.0e}, more than {LARGEST:.0e}; write a narrower range")
    if high > kind.limit:
        raise QuantityError(f"{high:g} is above the limit {kind.limit:g} of {kind.one}; write e.g. {kind.example}")
    if kind.limit == 1 and isinstance(spread, Range) and spread.shape == "lognormal":
        raise QuantityError(
            f"a lognormal range can exceed 1, which {kind.one} cannot; write shape logit-normal or uniform"
        )
    return replace(spread, share=True) if kind.limit == 1 and isinstance(spread, Bounds) else spread


def _braces(text: str, kind: Kind) -> Choices:
    inside = text[1:-1]
    if not text.endswith("}") or "{" in inside or "}" in inside or len(text) > LONGEST_CHOICE:
        raise QuantityError(f"{shown(text)} is not a choice; write {{A, B, C}} or {{A: 0.6, B: 0.4}}")
    if THOUSANDS.search(inside):
        raise QuantityError(f"{shown(text)}: commas part the values; write thousands without one, or a space after it")
    if not inside.strip():
        raise QuantityError(f"{shown(text)} holds no value; write {{A, B, C}} or {{A: 0.6, B: 0.4}}")
    pieces = [piece.strip() for piece in inside.split(",")]
    pairs = [tuple(part.strip() for part in piece.split(":")) for piece in pieces]
    sizes = {len(pair) for pair in pairs}
    if sizes == {2}:
        return _weighted([pair[0] for pair in pairs], [pair[1] for pair in pairs], kind)
    if sizes == {1} and all(pieces):
        return _even(pieces, kind)
    raise QuantityError(f"{shown(text)}: either every value has a weight, as in {{A: 0.6, B: 0.4}}, or none")


def _value(given: Any, kind: Kind) -> float:
    if is_spread(given):
        raise QuantityError(f"{shown(given)} is a range inside a choice; a choice is between single values")
    return read(given, kind)


def _even(given: Sequence[Any], kind: Kind) -> Choices:
    if not given:
        raise QuantityError("no value to choose from; write {A, B, C}")
    _few(given)
    return Choices.even(tuple(_value(value, kind) for value in given))


def _weighted(values: Sequence[Any], weights: Sequence[Any], kind: Kind) -> Choices:
    _few(values)
    shares = []
    for value, weight in zip(values, weights, strict=True):
        try:
            shares.append(read(weight, FRACTION))
        except QuantityError as error:
            raise QuantityError(f"weight of {value}: {error}") from None
    return Choices(tuple(_value(value, kind) for value in values), tuple(shares))


def _few(values: Sequence[Any]) -> None:
    if len(values) > MOST_CHOICES:
        raise QuantityError(f"{len(values):,} values to choose from; the limit is {MOST_CHOICES}; use a CSV of samples")


def read_column(path: Path, name: str, kind: Kind) -> Column:
    """Read a column of samples.

    Parameters
    ----------
    path : Path
        CSV file with a heading; lines that begin with ``#`` are left out.
    name : str
        Heading of the column.
    kind : Kind
        What it measures; cells are numbers in the SI unit or quantities with their unit.

    Raises
    ------
    QuantityError
        No such file or column, an empty column, or cells that cannot be read.
    """
    import csv

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise QuantityError(f"{path}: {path.stat().st_size:,} bytes; samples have at most {LARGEST_FILE:,}")
        with path.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(line for line in lines if not line.startswith("#"))
            headings = [heading.strip() for heading in table.fieldnames or ()]
            if name not in headings:
                raise QuantityError(f"{path}: {_columns(path, name, headings)}")
            raw = table.fieldnames[headings.index(name)] if table.fieldnames else name
            cells = [row[raw] for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise QuantityError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not 1 <= len(cells) <= MOST_ROWS:
        raise QuantityError(f"{path}: {len(cells):,} rows; samples have from 1 to {MOST_ROWS:,}")
    return Column(str(path.resolve()), name, tuple(_cells(path, name, cells, kind)))


def _columns(path: Path, name: str, headings: Sequence[str]) -> str:
    """What to write in the place of a column that a file has not."""
    listed = ", ".join(heading[:40] for heading in headings[:20]) or "none"
    if name:
        return f"no column {name[:40]!r}; it has {listed}"
    example = headings[0][:40] if headings else "COLUMN"
    return f"say which column holds the samples, as in {path.name}:{example}; it has {listed}"


def _cells(path: Path, name: str, cells: Sequence[str | None], kind: Kind) -> list[float]:
    try:
        values = np.asarray(cells, dtype=float)  # plain numbers, the usual case, at once
    except (TypeError, ValueError):
        values = np.asarray([_cell(path, name, row, cell, kind) for row, cell in enumerate(cells, 1)])
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if bad.size:
        raise QuantityError(f"{path}: {name}, row {bad[0] + 1}: {cells[bad[0]]!r} is negative or no number")
    listed: list[float] = values.tolist()
    return listed


def _cell(path: Path, name: str, row: int, cell: str | None, kind: Kind) -> float:
    try:
        return float(cell or "")
    except ValueError:
        pass
    try:
        return read(cell or "", kind)
    except QuantityError as error:
        raise QuantityError(f"{path}: {name}, row {row}: {error}") from None


def beside(given: Any, folder: Path, depth: int = 0) -> Any:
    """A document whose CSV files of samples, where they lie beside it, are named by their whole path."""
    if depth > DEEPEST:  # others complain
        return given
    if isinstance(given, Mapping):
        return {name: beside(value, folder, depth + 1) for name, value in given.items()}
    if isinstance(given, list):
        return [beside(value, folder, depth + 1) for value in given]
    found = SAMPLED.fullmatch(given.strip()) if isinstance(given, str) else None
    if found and (folder / found["file"]).is_file():
        return f"{(folder / found['file']).resolve()}" + (f":{found['column']}" if found["column"] else "")
    return given


def sorted_rows(values: Sequence[float]) -> tuple[int, ...]:
    """Rows from the smallest value to the largest."""
    return tuple(int(row) for row in np.argsort(np.asarray(values), kind="stable"))
