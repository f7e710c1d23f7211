"""What ``costline chip design`` prints and saves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costline import quantity
from costline.cli.chip_show import DASH
from costline.cli.terminal import Field, console, figures, table, write_json
from costline.estimate import plain as plain_value

if TYPE_CHECKING:
    from costline.silicon.designs import Case
    from costline.silicon.search import Design, Found


def print_designs(found: Sequence[Found], *, as_json: bool) -> None:
    """Who wins every mix, by how much and how sure; then winners, and the front of the only mix with its picture."""
    if as_json:
        bodies = [_body(each) for each in found]
        write_json(plain_value(bodies[0] if len(bodies) == 1 else bodies))
        return
    screen = console()
    seconds = sum(each.seconds for each in found) / len(found)
    screen.print(
        f"{found[0].tried:,} designs {found[0].how}, {found[0].valid:,} of them within the limits of area, package, "
        f"power and edge; {figures(found[0].tried / seconds, 2)} a second",
        style="dim",
    )
    for each in found:
        screen.print(verdict(each))
    for each in found:
        if each.winners:
            if len(found) > 1:
                screen.print(job(each.case), style="bold")
            _print_winners(each)
    if len(found) == 1:
        _print_front(found[0])


def _body(found: Found) -> dict[str, Any]:
    """A search for programs."""
    case = found.case
    body: dict[str, Any] = {"objective": case.objective, "share": case.share, "volume": case.volume}
    body |= {name: getattr(found, name) for name in ("how", "tried", "valid", "seconds")}
    for name in ("winners", "front"):
        chosen = getattr(found, name)
        body[name] = [{key: value for key, value in vars(each).items() if key != "blueprint"} for each in chosen]
    return body


def job(case: Case) -> str:
    """What chips are designed for, in words."""
    if case.objective == "latency":
        return "Least time per token"
    shares = {1.0: "Decoding", 0.0: "Video"}
    return shares.get(case.share, f"{case.share:.0%} of the money on decoding, the rest on video")


def verdict(found: Found) -> str:
    """Which kind wins, by how much over each other kind, and how sure."""
    if not found.winners:
        return f"{job(found.case)}: no design does it within these limits; allow a longer --tpot, or --precision fp8"
    first, *others = found.winners
    what = {"dollar": "cost", "joule": "energy", "latency": "time"}[found.case.objective]
    words = [f"{job(found.case)}: {first.kind}, the best in {first.sure:.0%} of the draws"]
    if others:
        over = [f"{each.kind} {figures(each.index / first.index)} ({_over(each, ' to ')})" for each in others]
        words.append(f"times the {what}: {', '.join(over)}")
    if missing := [kind for kind in KINDS if kind not in {each.kind for each in found.winners}]:
        words.append(f"no design of the kind does it: {', '.join(missing)}")
    return "; ".join(words)


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
                Field("over best", lambda row: _over(row) if place[id(row)] > 1 else None),
                Field("best in", lambda row: f"{row.sure:.0%}"),
                *(_talk_fields() if found.case.talk is not None else ()),
                *([Field("$/s video", lambda row: _finite(row.video))] if found.case.film is not None else []),
            ),
        )
    )


def _over(row: Design, between: str = DASH) -> str:
    return f"{figures(row.over_low)}{between}{figures(row.over_high)}"


def _finite(value: float, factor: float = 1.0) -> float | None:
    return value * factor if math.isfinite(value) else None


def _talk_fields() -> tuple[Field, ...]:
    return (
        Field("$/Mtok", lambda row: _finite(row.token, 1e6)),
        Field("ms/token\nat best", lambda row: _finite(row.floor, 1e3)),
        Field("unit", lambda row: f"{row.unit:,.0f}" if row.unit else None),
    )


def _print_front(found: Found) -> None:
    """The Pareto front of the objective as a picture and a table."""
    from costline.report.chip import MARKS, scatter
    from costline.silicon.search import axes_of

    if not found.front:
        return
    screen = console()
    (first, across, wide), (second, up, high) = axes_of(found.case)
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


KINDS = ("mid node, large memory", "big GPU", "SRAM only", "memory that computes")
"""Kinds the article argues about."""
MOST = 12
"""Rows of a table."""


def _spread(front: list[Design]) -> list[Design]:
    """The ends of a front and what lies evenly between."""
    return [front[round(place * (len(front) - 1) / (MOST - 1))] for place in range(MOST)]
