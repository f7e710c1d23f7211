"""One figure of a chip beyond its limit, and how such findings are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.quantity import Kind, show
from costline.silicon.chipfile import Described

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
            what=f"{what} {show(value, kind)}",
            limit=f"at most {show(limit, kind)}: {why}",
            source=source,
            fix=f"{show(limit, kind)} or less",
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
            what=f"{what} {show(value, kind)}",
            limit=f"at least {show(limit, kind)}: {why}",
            source=source,
            fix=f"{show(limit, kind)} or more",
        )
    ]


def contradiction(described: Described, what: str, why: str, fix: str) -> list[Finding]:
    """A finding on fields that cannot both be true."""
    return [Finding(chip=described.id, severity="impossible", what=what, limit=why, source="the file itself", fix=fix)]


def origin(facts: ChipFacts) -> str:
    """Where a record of the catalogue stands, and its first source."""
    return f"chips.csv, {facts.id}: {facts.source.partition(' | ')[0]}"


def record(figure: Callable[[ChipFacts], float | None]) -> tuple[float, ChipFacts] | None:
    """Largest value of a figure among the catalogue's packages; whole wafers are left out. None where none has it."""
    known = [(value, facts) for facts in chip_facts().values()
             if facts.kind == "datasheet" and not facts.id.startswith("wse") and (value := figure(facts))]  # fmt: skip
    return max(known, key=lambda pair: pair[0], default=None)
