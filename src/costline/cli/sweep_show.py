"""What ``costline sweep show`` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from costline.cli.terminal import console, note, write_csv, write_json
from costline.errors import InputError
from costline.report.sweep import as_svg, in_characters, picture, table
from costline.sweep import questions
from costline.sweep.kept import Kept
from costline.sweep.questions import Goal

WIDE = 8
"""Columns of a table that fits 80 characters."""
DRAWN = 5000
"""Points of a picture."""
LARGEST = 1_000_000
"""Rows printed for programs; larger answers are read from the Parquet files."""

Cells = dict[str, list[object]]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Options of the command, read."""

    where: str = ""
    group: tuple[str, ...] = ()
    best: str = ""
    pareto: str = ""
    columns: tuple[str, ...] = ()
    plot: tuple[str, ...] = ()
    svg: Path | None = None
    limit: int = 12
    infeasible: bool = False
    json: bool = False
    csv: bool = False


def answer(folder: Path, wanted: Wanted) -> int:
    """Answer and print; 1 if no point matches."""
    kept = Kept(folder)
    _check(wanted)
    if kept.points < kept.manifest.points:
        note(f"{kept.points:,} of {kept.manifest.points:,} points are here; run the sweep again to go on")
    if wanted.best or wanted.pareto or wanted.columns or wanted.plot:
        cells = _points(kept, wanted)
    else:
        cells = _summary(kept, wanted)
    if not cells or not next(iter(cells.values())):
        note("no point matches" + ("" if wanted.infeasible else " and fits; --all shows those that do not fit"))
        return 1
    if wanted.plot:
        _draw(kept, wanted, cells)
    else:
        _print(kept, wanted, cells)
    return 0


def _check(wanted: Wanted) -> None:
    if wanted.best and wanted.pareto:
        raise InputError("--best and --pareto at once; choose one")
    if wanted.json and wanted.csv:
        raise InputError("--json and --csv at once; choose one")
    if wanted.pareto and wanted.group:
        raise InputError("--group goes with --best; a Pareto front of one group is --pareto with --where")
    if wanted.plot and len(wanted.plot) not in {2, 3}:
        raise InputError("--plot takes two columns or three: x, y and what sets series apart")
    if wanted.svg and not wanted.plot:
        raise InputError("--svg goes with --plot")
    if wanted.limit < 0:
        raise InputError(f"--limit {wanted.limit}: 0 for all, or the rows to print")


def _points(kept: Kept, wanted: Wanted) -> Cells:
    """Points and the columns of them that are asked for."""
    where = questions.read_conditions(kept, wanted.where)
    goals: list[Goal] = []
    if wanted.best:
        goals = questions.read_goals(kept, wanted.best)
        if len(goals) > 1:
            raise InputError("--best takes one goal; several make a front: --pareto")
        found = questions.best(kept, goals[0], wanted.group, where, infeasible=wanted.infeasible)
    elif wanted.pareto:
        goals = questions.read_goals(kept, wanted.pareto)
        found = questions.front(kept, goals, where, infeasible=wanted.infeasible)
    else:
        most = DRAWN if wanted.plot else wanted.limit or LARGEST
        found = questions.thinned(kept, most, where, infeasible=wanted.infeasible)
    names = wanted.plot or wanted.columns or _telling(kept, wanted.group, [goal.column for goal in goals])
    for name in names:
        kept.column(name)
    most = DRAWN if wanted.plot else wanted.limit or LARGEST
    if len(found) > most:
        note(f"{most:,} of {len(found):,} rows, evenly spread; --limit 0 prints all")
        found = [found[round(place * (len(found) - 1) / max(most - 1, 1))] for place in range(most)]
    return kept.rows(found, names)


def _telling(kept: Kept, group: Sequence[str], goals: Sequence[str]) -> list[str]:
    """Columns that say most: the group, the goals, the axes, then figures as long as there is room."""
    names = dict.fromkeys([*group, *goals, *kept.named("axis"), *kept.named("figure")])
    axes = set(kept.named("axis"))
    inside = [name for place, name in enumerate(names) if place < WIDE or name in goals]
    return [name for name in inside if name in axes] + [name for name in inside if name not in axes]


def _summary(kept: Kept, wanted: Wanted) -> Cells:
    """Without a group the figures with their spans; with groups, a row a group with the means of the figures."""
    where = questions.read_conditions(kept, wanted.where)
    figures = kept.named("figure")
    if not (wanted.json or wanted.csv or not wanted.group):
        figures = figures[: max(1, WIDE - len(wanted.group) - 1)]
    groups = questions.spans(kept, figures, wanted.group, where, infeasible=wanted.infeasible)
    if wanted.group:
        if not (wanted.json or wanted.csv):
            note("means of the points of each group")
        cells: Cells = {name: [one.values[place] for one in groups] for place, name in enumerate(wanted.group)}
        return cells | {"points": [one.points for one in groups]} | {
            name: [one.figures[name].mean for one in groups] for name in figures
        }  # fmt: skip
    note(f"{sum(one.points for one in groups):,} of {kept.points:,} points match")
    ends = ("least", "mean", "most")
    cells = {"figure": list(figures) if groups else []}
    return cells | {end: [getattr(one.figures[name], end) for one in groups for name in figures] for end in ends}


def _print(kept: Kept, wanted: Wanted, cells: Cells) -> None:
    rows = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    if wanted.json:
        write_json({"units": _units(kept, cells), "rows": rows})
    elif wanted.csv:
        write_csv(rows)
    else:
        limit = wanted.limit or len(rows)
        if len(rows) > limit:
            note(f"{limit:,} of {len(rows):,} rows; --limit 0 prints all")
        console().print(table(*_readable(kept, {name: column[:limit] for name, column in cells.items()})))


def _readable(kept: Kept, cells: Cells) -> tuple[Cells, dict[str, str]]:
    """Cells and units for people; in a table of figures every row has a unit of its own."""
    from costline.report.sweep import cell

    units = _units(kept, cells)
    if "figure" not in cells or "figure" in kept.columns:
        return cells, units
    own = [kept.column(str(name)).unit for name in cells["figure"]]
    shown: Cells = {
        name: [value if name == "figure" else cell(value, unit) for value, unit in zip(column, own, strict=True)]
        for name, column in cells.items()
    }
    return shown, {}


def _units(kept: Kept, cells: Cells) -> dict[str, str]:
    return {name: kept.columns[name].unit for name in cells if name in kept.columns and kept.columns[name].unit}


def _draw(kept: Kept, wanted: Wanted, cells: Cells) -> None:
    x, y, *by = wanted.plot
    drawn = picture(cells, _units(kept, cells), x, y, by[0] if by else "")
    if not drawn.series:
        raise InputError(f"{x} and {y} are not both numbers at any of the points")
    if wanted.svg is None:
        sys.stdout.write(in_characters(drawn))
        return
    title = f"{kept.manifest.scenario['study']}: {y} by {x}" + (f" and {by[0]}" if by else "")
    try:
        wanted.svg.write_text(as_svg(drawn, title), "utf-8")
    except OSError as error:
        raise InputError(f"{wanted.svg}: {error.strerror or error}") from None
