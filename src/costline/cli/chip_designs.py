"""What ``costline chip design`` prints and saves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from costline import quantity
from costline.cli.chip_show import DASH
from costline.cli.terminal import Field, console, figures, table, write_json
from costline.estimate import plain as plain_value

if TYPE_CHECKING:
    from costline.silicon.search import Design, Found


def print_designs(found: Found, *, as_json: bool) -> None:
    """Winners, how sure, and the front with its picture."""
    if as_json:
        case = found.case
        body: dict[str, Any] = {"objective": case.objective, "share": case.share, "volume": case.volume}
        body |= {name: getattr(found, name) for name in ("how", "tried", "valid", "seconds")}
        for name in ("winners", "front"):
            chosen = getattr(found, name)
            body[name] = [{key: value for key, value in vars(each).items() if key != "blueprint"} for each in chosen]
        write_json(plain_value(body))
        return
    screen = console()
    screen.print(
        f"{found.tried:,} designs {found.how}, {found.valid:,} of them within the limits of area, package, power "
        f"and edge; {figures(found.tried / found.seconds, 2)} a second",
        style="dim",
    )
    if not found.winners:
        screen.print("no design serves both workloads within these limits; allow a longer --tpot, or --precision fp8")
        return
    _print_winners(found)
    _print_front(found)


def _print_winners(found: Found) -> None:
    """The best of each kind: what it is, then how good and how sure."""
    screen = console()
    latency = found.case.objective == "latency"
    what, factor = ("ms/token", 1e3) if latency else ({"dollar": "cost", "joule": "energy"}[found.case.objective], 1.0)
    place = {id(each): number for number, each in enumerate(found.winners, 1)}
    screen.print(
        table(
            found.winners,
            (
                Field("#", lambda row: str(place[id(row)])),
                Field("kind", lambda row: row.kind),
                Field("best design", lambda row: row.words),
                Field("area", lambda row: row.area, quantity.AREA),
                Field("power", lambda row: row.watts, quantity.WATTS),
            ),
        )
    )
    screen.print(
        table(
            found.winners,
            (
                Field("#", lambda row: str(place[id(row)])),
                Field(what, lambda row: row.index * factor),
                Field("80 %", lambda row: f"{figures(row.low * factor, 2)}{DASH}{figures(row.high * factor, 2)}"),
                Field("best in", lambda row: f"{row.sure:.0%}"),
                Field("$/Mtok", lambda row: row.token * 1e6 if row.token < 1 else None),
                Field("$/s video", lambda row: row.video if row.video < 1e9 else None),
                Field("ms/token\nat best", lambda row: row.floor * 1e3 if row.floor < 1e9 else None),
                Field("unit", lambda row: f"{row.unit:,.0f}" if row.unit else None),
            ),
        )
    )


def _print_front(found: Found) -> None:
    """The Pareto front of the objective as a picture and a table."""
    from costline.report.chip import MARKS, scatter
    from costline.silicon.search import axes_of

    if not found.front:
        return
    screen = console()
    (first, across, wide), (second, up, high) = axes_of(found.case.objective)
    screen.print(f"Designs that no other beats both in {across} and in {up}", style="bold")
    points = [(getattr(each, first) * wide, getattr(each, second) * high) for each in found.front]
    screen.print(scatter(points, across, up))
    shown = found.front if len(found.front) <= MOST else _spread(found.front)
    if len(shown) < len(found.front):
        screen.print(f"{len(shown)} of {len(found.front)} designs, the ends and evenly between", style="dim")
    marks = {id(each): MARKS[place % len(MARKS)] for place, each in enumerate(found.front)}
    fields = (
        Field("", lambda row: marks[id(row)]),
        Field("design", lambda row: row.words),
        Field(across, lambda row: getattr(row, first) * wide),
        Field(up, lambda row: getattr(row, second) * high),
    )
    screen.print(table(shown, fields))


MOST = 12
"""Rows of a table."""


def _spread(front: list[Design]) -> list[Design]:
    """The ends of a front and what lies evenly between."""
    return [front[round(place * (len(front) - 1) / (MOST - 1))] for place in range(MOST)]
