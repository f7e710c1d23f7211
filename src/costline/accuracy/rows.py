"""Published measurements as typed rows.

A `Measurement` keeps apart what was measured and the conditions it was measured under: predictions are made from the
conditions alone, which hold neither the value nor any column that was derived from it.
"""

from __future__ import annotations

import csv
import functools
import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from costline.accuracy.conventions import phrases
from costline.catalogue.table import DATA, read_text
from costline.errors import CatalogueError

TableName: TypeAlias = Literal["train", "serve", "generate"]
TABLES: tuple[TableName, ...] = ("train", "serve", "generate")
MOST = 1e15
"""Largest figure of a condition; anything above is a slip."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What all tables state; None and empty text are unknown."""

    chip: str
    model: str
    metric: str
    date: str = ""
    said: frozenset[str] = frozenset()
    num_chips: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRow(Conditions):
    """Conditions of a training step; columns as in ``train.csv``."""

    params_total: float | None = None
    params_active: float | None = None
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    ffn: int | None = None
    vocab: int | None = None
    seq_len: int | None = None
    chips_per_node: int | None = None
    interconnect_intra: str = ""
    interconnect_inter: str = ""
    dtype: str = ""
    global_batch_seqs: float | None = None
    micro_batch: float | None = None
    tp: int | None = None
    pp: int | None = None
    vpp: int | None = None
    dp: int | None = None
    cp: int | None = None
    ep: int | None = None
    zero_stage: int | None = None
    recompute: str = ""
    framework: str = ""
    framework_version: str = ""
    task: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeRow(Conditions):
    """Conditions of serving; columns as in ``serve.csv``. Degrees are text: ``8``, ``P4/D8``, ``unstated``."""

    tp: str = ""
    pp: str = ""
    ep: str = ""
    dp: str = ""
    weight_dtype: str = ""
    kv_dtype: str = ""
    compute_dtype: str = ""
    engine: str = ""
    engine_version: str = ""
    input_len: int | None = None
    output_len: float | None = None
    concurrency_or_batch: str = ""
    batch_kind: str = ""
    request_rate: str = ""
    spec_decode: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateRow(Conditions):
    """Conditions of a generation; columns as in ``generate.csv``."""

    task: str = ""
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    fps: float | None = None
    steps: int | None = None
    cfg: int | None = None
    batch: int | None = None
    latent_tokens: int | None = None
    text_tokens: int | None = None
    parallelism: str = ""
    dtype: str = ""
    attention_backend: str = ""
    compile: int | None = None
    cache_method: str = ""
    offload: int | None = None
    vae_tiling: int | None = None
    sparse: int | None = None
    framework: str = ""


KINDS: dict[TableName, type[TrainRow | ServeRow | GenerateRow]] = {
    "train": TrainRow, "serve": ServeRow, "generate": GenerateRow,
}  # fmt: skip
REQUIRED: dict[TableName, frozenset[str]] = {
    "train": frozenset({"seq_len", "global_batch_seqs"}),
    "serve": frozenset({"batch_kind", "concurrency_or_batch"}),
    "generate": frozenset({"steps", "parallelism"}),
}
"""Columns that tell a table from the others and without which nothing can be said."""
COMMON = frozenset({"id", "chip", "model", "metric", "value"})
"""Columns every file needs."""
UNSEEN = "unseen"
"""Name of the measurements that no fit reads, and of their folder."""
UNSTATED = frozenset({"unstated", "unknown", "n/a", "?"})
"""Words that are read as an empty cell in a column of numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A published result.

    Attributes
    ----------
    id : str
        Name of the row.
    table : {"train", "serve", "generate"}
        Which question it answers.
    value : float or None
        What was measured, in the unit of the metric; None where the cell could not be read.
    scored : bool
        Whether its configuration is complete enough to be scored.
    conditions : TrainRow, ServeRow or GenerateRow
        What a prediction may see.
    source : str
        Where it was published.
    faults : tuple of str
        Cells that could not be read; such a row is not predicted.
    configuration : str
        The first row of its file whose conditions are the same but for what tells repeats apart: the date and, in
        training, the release of the software.
    """

    id: str
    table: TableName
    value: float | None
    scored: bool
    conditions: TrainRow | ServeRow | GenerateRow
    source: str = ""
    faults: tuple[str, ...] = ()
    configuration: str = ""

    @property
    def metric(self) -> str:
        """What was measured, with its unit."""
        return self.conditions.metric


@dataclass(frozen=True, slots=True)
class Measurements:
    """Rows of one file, and what is odd about it."""

    table: TableName
    rows: tuple[Measurement, ...]
    warnings: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Every fault of every row."""
        return tuple(f"{row.id}: {fault}" for row in self.rows for fault in row.faults)


def read_measurements(path: Path) -> Measurements:
    """Read a file of measurements; which table it is follows from its columns.

    Parameters
    ----------
    path : Path
        CSV with the columns of a shipped table in any order. Other columns are ignored, missing ones are blank; both
        are said in `warnings`. Without a column ``score`` every row is scored.

    Raises
    ------
    CatalogueError
        Not text, or the columns of no table. Faults of rows do not raise, they stay with their row: cells that cannot
        be read, more or fewer of them than the header has, an ``id`` that an earlier row has.
    """
    header, lines = _parsed(path)
    table = _table_of(path, header)
    known = {item.name for item in fields(KINDS[table])} - {"said"}
    ignored = [name for name in header if name not in known | COMMON | {"score", "source", "notes"} | DERIVED]
    missing = sorted(known - set(header) - COMMON)
    warnings = [f"column {name!r} is not known and is ignored" for name in ignored]
    if missing:
        warnings.append(f"taken as blank, as there are no such columns: {', '.join(missing)}")
    rows = [_row(table, header, line) for line in lines]
    return Measurements(table, _configured(_named_once(rows, lines)), tuple(warnings))


@dataclass(frozen=True, slots=True)
class Line:
    """Cells of a row, and why they are none, if they are not."""

    number: int
    cells: Sequence[str]
    fault: str = ""


def _row(table: TableName, header: Sequence[str], line: Line) -> Measurement:
    """A row; of one whose cells cannot be told apart, only that."""
    if not line.fault:
        return _measurement(table, dict(zip(header, line.cells, strict=True)), line.number)
    nothing = KINDS[table](chip="", model="", metric="")
    return Measurement(id=f"row {line.number}", table=table, value=None, scored=True, conditions=nothing,
                       faults=(line.fault,))  # fmt: skip


def _named_once(rows: Sequence[Measurement], lines: Sequence[Line]) -> list[Measurement]:
    """Rows, those whose name an earlier one has called by their number instead, with a fault."""
    first: dict[str, int] = {}
    found = []
    for row, line in zip(rows, lines, strict=True):
        before = first.setdefault(row.id, line.number)
        fault = f"id {row.id[:40]!r} is that of row {before}"
        again = replace(row, id=f"row {line.number}", faults=(*row.faults, fault))
        found.append(row if before == line.number else again)
    return found


def _configured(rows: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Rows with their configurations."""
    first: dict[Conditions, str] = {}
    made = []
    for row in rows:
        same: TrainRow | ServeRow | GenerateRow = replace(row.conditions, date="")
        if isinstance(same, TrainRow):
            same = replace(same, framework_version="")
        made.append(replace(row, configuration=first.setdefault(same, f"{row.table}/{row.id}")))
    return tuple(made)


DERIVED = frozenset({
    "chip_as_printed", "causal", "flop_convention", "source_location", "tokens_per_s_per_chip",
    "reported_tflops_per_chip", "reported_mfu_pct", "reported_hfu_pct", "calc_tflops_6n", "calc_tflops_causal",
    "calc_tflops_fullattn", "calc_mfu_causal_pct", "best_matching_convention", "best_match_ratio", "check", "quality",
    "statistic", "achieved_bw_fraction", "achieved_flops_fraction", "calc_note", "group", "predictable", "digitized",
    "flops_fwd_T", "attn_share", "mfu_derived", "mfu_naive", "apparent_mfu", "mfu_quality",
})  # fmt: skip
"""Columns of the shipped tables that no prediction may see, or that say nothing a prediction needs."""


def _parsed(path: Path) -> tuple[list[str], list[Line]]:
    """Header and rows."""
    lines = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    header = _header(path, lines)
    rows: list[Line] = []
    more = True
    while more:
        try:
            cells = next(lines, None)
        except csv.Error as error:
            rows.append(Line(lines.line_num, (), str(error)))
            continue
        more = cells is not None
        if cells:
            uneven = len(cells) != len(header)
            fault = f"has {len(cells)} cells, the header has {len(header)}" if uneven else ""
            rows.append(Line(lines.line_num, [cell.strip() for cell in cells], fault))
    return header, rows


def _header(path: Path, lines: Iterator[list[str]]) -> list[str]:
    """Names of the columns."""
    try:
        header = [name.strip() for name in next(lines, [])]
    except csv.Error as error:
        raise CatalogueError(str(path), [f"header: {error}"]) from None
    faults = [f"column {name!r} is there twice" for name, count in Counter(header).items() if count > 1]
    if not any(header):
        faults = ["has no header; the first line names the columns"]
    elif len(header) == 1 and (other := next((mark for mark in ";\t|" if mark in header[0]), "")):
        faults = [f"columns are separated by {other!r}; write commas"]
    if faults:
        raise CatalogueError(str(path), faults)
    return header


def _table_of(path: Path, header: Sequence[str]) -> TableName:
    """The table whose own columns are all there."""
    lacking = sorted(COMMON - set(header))
    if lacking:
        raise CatalogueError(str(path), [f"column {name} is missing" for name in lacking])
    for table in TABLES:
        if set(header) >= REQUIRED[table]:
            return table
    ways = [f"{table} needs {' and '.join(sorted(REQUIRED[table]))}" for table in TABLES]
    raise CatalogueError(str(path), [f"is none of the tables: {'; '.join(ways)}"])


def _measurement(table: TableName, cells: dict[str, str], number: int) -> Measurement:
    """A row, with the faults of its cells."""
    faults: list[str] = []
    given: dict[str, Any] = {"said": phrases(cells.get("notes", ""))}
    for item in fields(KINDS[table]):
        cell = cells.get(item.name, "")
        if item.name != "said":
            given[item.name] = _cell(item.name, cell, str(item.type), faults, lenient=table == "serve")
    faults += [f"column {name} is empty" for name in ("chip", "model", "metric") if not cells[name]]
    value = _cell("value", cells["value"], "float | None", faults)
    if not isinstance(value, float) or value <= 0:
        faults += [] if faults and value is None and cells["value"] else ["column value is empty or not above 0"]
        value = None
    score = cells.get("score", "1")
    if score not in {"", "0", "1"}:
        faults.append(f"column score: {score[:40]!r} is neither 0 nor 1")
    return Measurement(
        id=cells["id"] or f"row {number}", table=table, value=value, scored=score != "0",
        conditions=KINDS[table](**given), source=cells.get("source", ""), faults=tuple(faults),
    )  # fmt: skip


def _cell(name: str, cell: str, kind: str, faults: list[str], *, lenient: bool = False) -> Any:
    """A cell as the type of its field; a fault and None where it cannot be read."""
    if kind == "str":
        return cell
    if not cell or cell.lower() in UNSTATED:
        return None
    try:
        value = float(cell)
    except ValueError:
        if not (lenient and name == "num_chips"):  # "about 570, says a forum": unknown rather than a slip
            faults.append(f"column {name}: {cell[:40]!r} is not a number")
        return None
    if "_" in cell or not math.isfinite(value) or not 0 <= value <= MOST:
        faults.append(f"column {name}: {cell[:40]!r} is not a number from 0 to {MOST:g}")
        return None
    if kind.startswith("int"):
        if not value.is_integer():
            faults.append(f"column {name}: {cell[:40]!r} is not a whole number")
            return None
        return int(value)
    return value


@functools.cache
def shipped_measurements(table: TableName) -> Measurements:
    """The measurements that come with costline."""
    return read_measurements(DATA / "measurements" / f"{table}.csv")


def all_shipped() -> Iterator[Measurements]:
    """All three tables."""
    read: Callable[[TableName], Measurements] = shipped_measurements
    return (read(table) for table in TABLES)


@functools.cache
def all_unseen() -> tuple[Measurements, ...]:
    """Measurements that come with costline to check it by: of sources of their own, and read by no fit."""
    return tuple(read_measurements(DATA / "measurements" / UNSEEN / f"{table}.csv") for table in TABLES)
