"""A plan search on a terminal: the best plan, why the others lose, the front. Fits 80 columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from costline import __version__
from costline.report.answer import assumption
from costline.report.values import label, text
from costline.search.result import PlanSearch, Row

MOST_FRONT, MOST_TERMS = 8, 3
"""Rows of the front and terms of a runner-up that a terminal shows."""


def plan_answer(found: PlanSearch) -> RenderableType:
    """The whole answer."""
    blocks: list[RenderableType] = [Text(found.title, style="bold")]
    if found.best is None:
        blocks += list(_missing(found))
    else:
        blocks += [_best(found.best), *_rivals(found), *_front(found.front)]
    blocks += [Text(line, style="dim") for line in _counts(found)]
    if found.estimate is not None:  # what the answer of the best plan must say
        blocks += [Text(f"! {warning}", style="yellow") for warning in found.estimate.warnings]
    blocks += [Text(f"· {assumption(row)}", style="dim") for row in found.assumptions]
    return Group(*blocks)


def _counts(found: PlanSearch) -> Iterable[str]:
    words = f"{found.considered:,} legal plans, {found.fitting:,} of them fit"
    if found.meeting != found.fitting:
        words += f", {found.meeting:,} keep all limits"
    yield f"{words}; {_pace(found.considered, found.seconds)}"
    missing = found.missing
    if missing is not None and missing.looked:
        yield f"{missing.looked:,} more plans for what would help; {_pace(missing.looked, missing.seconds)}"


def _pace(plans: int, seconds: float) -> str:
    return f"{seconds:.2g} s, {plans / seconds if seconds else 0.0:,.0f} plans/s"


def _best(row: Row) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("best", Text(row.where))
    table.add_row("plan", Text(row.plan, style="bold green"))
    for figure in row.figures.values():
        note = f"of {text(figure.high, figure.unit)}" if figure.name == "memory" else figure.note
        table.add_row(label(figure.name), Text(f"{text(figure.value, figure.unit)}  {note}".rstrip()))
    return table


def _rivals(found: PlanSearch) -> Iterable[RenderableType]:
    """Runners-up, each with the terms that make it lose."""
    if not found.rivals:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("best of the others", overflow="fold", ratio=5)
    table.add_column("worse by", justify="right", no_wrap=True)
    table.add_column("because", overflow="fold", style="dim", ratio=4)
    for row in found.rivals:
        elsewhere = f"{row.where}: " if found.best is not None and row.where != found.best.where else ""
        table.add_row(f"{elsewhere}{row.plan}", _excess(row.excess), _terms(row, found.unit))
    yield Text()
    yield table


def _excess(share: float) -> str:
    return "equal" if share < 5e-5 else f"{share:.1%}" if share < 10 else f"{share:,.0f}x"


def _terms(row: Row, unit: str) -> str:
    if not row.differences:
        return "the same in every term"
    shown = [f"{name} {'+' if value > 0 else '-'}{text(abs(value), unit)}" for name, value in row.differences]
    return ", ".join(shown[:MOST_TERMS])


def _front(rows: Sequence[Row]) -> Iterable[RenderableType]:
    """Plans that no other beats in every figure."""
    if len(rows) < 2:
        return
    step = max((len(rows) - 1) / (MOST_FRONT - 1), 1.0)
    chosen = [
        rows[place] for place in sorted({round(number * step) for number in range(MOST_FRONT)}) if place < len(rows)
    ]
    names = list(dict.fromkeys(name for row in chosen for name in row.figures))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(label(name).partition(" (")[0], justify="right", overflow="fold")
    table.add_column("plan", overflow="fold", style="dim", ratio=1)
    places = {row.where for row in chosen}
    for row in chosen:
        cells = [
            text(row.figures[name].value, row.figures[name].unit) if name in row.figures else "-" for name in names
        ]
        table.add_row(*cells, f"{row.where}: {row.plan}" if len(places) > 1 else row.plan)
    yield Text()
    yield Text(f"Pareto front, {len(chosen)} of {len(rows)} plans" if len(chosen) < len(rows) else "Pareto front")
    yield table


def _missing(found: PlanSearch) -> Iterable[RenderableType]:
    if found.missing is None:
        return
    yield Text("no plan is possible", style="bold red")
    for reason in found.missing.reasons:
        yield Text(reason, style="red")
    for change in found.missing.changes:
        yield Text(f"possible {change}", style="yellow")
    if found.missing.ended:
        yield Text(f"looked no further than {found.missing.ended}", style="yellow")
    elif not found.missing.changes:
        yield Text(
            "neither up to 32 times the chips, as far as a budget pays them, nor narrower formats would help",
            style="yellow",
        )


def plan_json(found: PlanSearch) -> str:
    """JSON text, numbers in SI units."""
    return json.dumps({**found.to_dict(), "costline": __version__}, indent=2, allow_nan=False)


def plan_csv(found: PlanSearch) -> str:
    """CSV text: the best plan and the front, a row a plan, in SI units."""
    rows = [*([] if found.best is None else [("best", found.best)]), *(("front", row) for row in found.front),
            *(("rival", row) for row in found.rivals)]  # fmt: skip
    names = list(dict.fromkeys(name for _, row in rows for name in row.figures))
    out = io.StringIO()
    out.write(f"# costline {__version__}: {found.title}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["kind", "where", "plan", *names, "excess"])
    for kind, row in rows:
        values = [row.figures[name].value if name in row.figures else None for name in names]
        writer.writerow([kind, row.where, row.plan, *values, row.excess])
    return out.getvalue()
