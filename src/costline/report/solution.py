"""The answer to a backwards question on a terminal. Fits 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from costline.estimate import Estimate
from costline.report.answer import answer
from costline.report.values import text

MOST_ROWS = 8
"""Chips a terminal shows."""


class Solved(Protocol):
    """What is shown of a solution: see `costline.api.solving.Solution`."""

    @property
    def words(self) -> str: ...
    @property
    def value(self) -> float | str | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def target(self) -> tuple[str, ...]: ...
    @property
    def reason(self) -> str: ...
    @property
    def estimate(self) -> Estimate | None: ...
    @property
    def table(self) -> tuple[Mapping[str, Any], ...]: ...


def solution_answer(found: Solved, *, plain: bool = False) -> RenderableType:
    """The value, what stops it, and the full answer there."""
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold")
    head.add_column(style="bold green")
    wanted = f"{found.words} for {', '.join(found.target)}" if found.target else f"{found.words} that fits"
    head.add_row(wanted, _value(found))
    blocks: list[RenderableType] = [head, Text(found.reason, style="dim")]
    if found.table:
        blocks += [Text(), _chips(found.table, found.estimate.study if found.estimate else "")]
    if found.estimate is not None:
        blocks += [Text(), answer(found.estimate, plain=plain)]
    return Group(*blocks)


def _value(found: Solved) -> str:
    if found.value is None or isinstance(found.value, str):
        return found.value or "none"
    if isinstance(found.value, int):
        return f"{found.value:,} {found.unit}{'s' if found.value != 1 else ''}"
    return text(found.value, found.unit)


def _chips(rows: tuple[Mapping[str, Any], ...], study: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("chip", "chips", "rent", "cost of a request" if study == "serve" else "cost"):
        table.add_column(heading, justify="left" if heading == "chip" else "right")
    for row in rows[:MOST_ROWS]:
        table.add_row(row["chip"], f"{row['chips']:,}", text(row["rent"], "USD/s"), text(row["cost"], "USD"))
    return table
