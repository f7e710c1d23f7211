"""One figure of a chip beyond its limit, and how such findings are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.quantity import AREA, COUNT, Kind, show
from costline.silicon.chipfile import Described
from costline.silicon.densest import is_wafer
from costline.silicon.inputs import quantity

Severity: TypeAlias = Literal["impossible", "doubtful"]
SLACK = 1.02
"""Printed figures are rounded; nobody is blamed for 2 %."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One figure beyond its limit.

    Attributes
    ----------
    chip : str
        Whose.
    severity : {"impossible", "doubtful"}
        How sure.
    what, limit, source, fix : str
        The figure; the limit; where the limit comes from; the nearest figure that would pass.
    """

    chip: str
    severity: Severity
    what: str
    limit: str
    source: str
    fix: str


def _shown(value: float, kind: Kind) -> str:
    """A figure for people; what is counted without a prefix as long as it can be counted."""
    return f"{value:,.0f}" if kind is COUNT and value < 1e9 else show(value, kind)


def beyond(
    described: Described, severity: Severity, what: str, value: float, limit: float, kind: Kind, why: str, source: str
) -> list[Finding]:
    """A finding if `value` is above `limit`."""
    if value <= limit * SLACK:
        return []
    return [
        Finding(
            chip=described.id,
            severity=severity,
            what=f"{what} {_shown(value, kind)}",
            limit=f"at most {_shown(limit, kind)}: {why}",
            source=source,
            fix=f"{_shown(limit, kind)} or less",
        )
    ]


def below(
    described: Described, severity: Severity, what: str, value: float, limit: float, kind: Kind, why: str, source: str
) -> list[Finding]:
    """A finding if `value` is below `limit`."""
    if value * SLACK >= limit:
        return []
    return [
        Finding(
            chip=described.id,
            severity=severity,
            what=f"{what} {_shown(value, kind)}",
            limit=f"at least {_shown(limit, kind)}: {why}",
            source=source,
            fix=f"{_shown(limit, kind)} or more",
        )
    ]


def contradiction(described: Described, what: str, why: str, fix: str) -> list[Finding]:
    """A finding on fields that cannot both be true."""
    return [Finding(chip=described.id, severity="impossible", what=what, limit=why, source="the file itself", fix=fix)]


def origin(facts: ChipFacts) -> str:
    """Where a record of the catalogue stands, and its first source."""
    return f"chips.csv, {facts.id}: {facts.source.partition(' | ')[0]}"


@dataclass(frozen=True, slots=True)
class Room:
    """Area of logic a chip has or may have, in words, and where that comes from. [m2]"""

    area: float
    words: str
    source: str


def disc() -> Room:
    """A whole wafer without its rim, at the least rim anybody states."""
    across = quantity("wafer_diameter").value - 2 * quantity("wafer_edge").low
    return Room(math.pi / 4 * across**2, "a whole wafer", quantity("wafer_edge").source)


def room(described: Described) -> Room:
    """Area as stated; where it is not, that of a wafer or of the largest package."""
    table, most = described.silicon, quantity("interposer_area")
    if table.area is not None:
        return Room(table.area, show(table.area, AREA), "the file itself")
    if table.wafer:
        return disc()
    return Room(most.value / quantity("interposer_factor").value, "the largest package of the road map", most.source)


def record(figure: Callable[[ChipFacts], float | None], *, wafers: bool = False) -> tuple[float, ChipFacts] | None:
    """Largest value of a figure among the catalogue's packages, and wafers if `wafers`; None if none has it."""
    known = [(value, facts) for facts in chip_facts().values() if facts.kind == "datasheet"
             and (wafers or not is_wafer(facts)) and (value := figure(facts))]  # fmt: skip
    return max(known, key=lambda pair: pair[0], default=None)
