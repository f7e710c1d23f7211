"""Coefficients as sourced values times adjustments at three levels: every chip, a family, one chip.

An adjustment is a logarithm. It multiplies a share, a time or a bandwidth; of an overlap it multiplies what stays
exposed, of an imbalance what exceeds 1. A chip inherits the adjustments of its family and of all, so a chip nobody has
measured is adjusted too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from costline.hardware.chip import Chip
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.numeric import Numeric

Asked: TypeAlias = tuple[str, str, str]
"""Name, qualifier and chip id of a lookup."""
Level: TypeAlias = tuple[str, str, str]
"""Name, qualifier and scope (``all``, ``family:...``, ``chip:...``) of an adjustment."""

FITTED = frozenset({
    "attention", "convolution", "eager", "expert_imbalance", "gemm", "latency_out", "latency_up", "launch", "link_out",
    "link_up", "memory", "overlap", "queue", "step_overhead", "strong_scaling",
})  # fmt: skip
"""Coefficients that measurements of speed say something about; the others stay as sourced."""
SHARES = frozenset({"convolution", "gemm", "link_out", "link_up", "memory"})
"""Shares of a peak, which nothing exceeds."""
BEST_SHARE = 0.97
"""Largest share: the best measured matrix product reaches 0.969 of its peak (Gaudi 2)."""


class Asking(Efficiency):
    """Coefficients that remember what they were asked for."""

    def __init__(
        self, rows: Iterable[Coefficient], asked: set[Asked], fixed: Mapping[str, Numeric] | None = None
    ) -> None:
        super().__init__(rows, fixed)
        self.asked = asked
        self._table = tuple(rows)
        self._fixed = dict(fixed or {})

    def value(self, name: str, chip: Chip, qualifier: str = "") -> Numeric:
        """Value, and a note that it was asked for."""
        if name in FITTED and name not in self._fixed:
            self.asked.add((name, qualifier, chip.id))
        return super().value(name, chip, qualifier)

    def replace(self, **overrides: Numeric) -> Asking:
        """The same table with values fixed; what is fixed is no longer noted."""
        return Asking(self._table, self.asked, {**self._fixed, **overrides})


def levels_of(asked: Asked, chip: Chip) -> tuple[Level, Level, Level]:
    """The adjustments that apply to a lookup, widest first."""
    name, qualifier, _ = asked
    return (name, qualifier, "all"), (name, qualifier, f"family:{chip.family}"), (name, qualifier, f"chip:{chip.id}")


def adjusted(name: str, value: float, logarithm: float) -> float:
    """A sourced value with an adjustment.

    Examples
    --------
    >>> adjusted("memory", 0.8, 0.0), round(adjusted("overlap", 0.5, math.log(0.5)), 6)
    (0.8, 0.75)
    """
    factor = math.exp(logarithm)
    if name == "overlap":
        return 1 - min(1.0, (1 - value) * factor)
    if name == "expert_imbalance":
        return 1 + (value - 1) * factor
    return min(value * factor, BEST_SHARE) if name in SHARES else value * factor


def total_adjustment(adjustments: Mapping[Level, float], levels: Iterable[Level]) -> float:
    """Sum of the adjustments at the levels that apply."""
    return sum(adjustments.get(level, 0.0) for level in levels)


def chip_rows(
    base: Efficiency, adjustments: Mapping[Level, float], asked: Iterable[Asked], chips: Mapping[str, Chip]
) -> list[Coefficient]:
    """A row for every lookup, its value adjusted."""
    rows = []
    for name, qualifier, chip_id in sorted(asked):
        chip = chips[chip_id]
        found = base.row(name, chip, qualifier)
        logarithm = total_adjustment(adjustments, levels_of((name, qualifier, chip_id), chip))
        value = adjusted(name, found.value, logarithm)
        rows.append(replace(found, scope=f"chip:{chip_id}", qualifier=qualifier, value=value, low=None, high=None))
    return rows


def family_rows(
    base: Efficiency, adjustments: Mapping[Level, float], asked: Iterable[Asked], chips: Mapping[str, Chip]
) -> list[Coefficient]:
    """Rows for whole families and for every chip, which a chip without measurements falls back on."""
    families = {(name, qualifier, chips[chip].family, chips[chip].vendor) for name, qualifier, chip in asked}
    everybody = {(name, qualifier, "", "") for name, qualifier, _, _ in families}
    rows = []
    for name, qualifier, family, vendor in sorted(families | everybody):
        stand_in = Chip(id="", name="", peak={}, memory=0.0, memory_bandwidth=0.0, family=family, vendor=vendor)
        found = base.row(name, stand_in, qualifier)
        scope = f"family:{family}" if family else "all"
        levels = ((name, qualifier, "all"), (name, qualifier, f"family:{family}"))
        value = adjusted(name, found.value, total_adjustment(adjustments, levels))
        rows.append(replace(found, scope=scope, qualifier=qualifier, value=value, low=None, high=None))
    return rows


def unmeasured_rows(
    base: Efficiency, adjustments: Mapping[Level, float], fitted: Iterable[Coefficient], chips: Mapping[str, Chip]
) -> list[Coefficient]:
    """Sourced rows of scopes nobody has measured, adjusted like all; without them a fitted row of all would win.

    Parameters
    ----------
    base, adjustments
        As above.
    fitted : iterable of Coefficient
        Rows that were made from measurements.
    chips : mapping
        Every chip by id, to find the family of a chip's own row.
    """
    made = {(row.name, row.scope, row.qualifier) for row in fitted}
    rows = []
    for name, qualifier in sorted({(row.name, row.qualifier) for row in fitted}):
        for row in sorted(base.rows, key=lambda row: row.qualifier == ""):  # those with a qualifier first
            key = (name, row.scope, qualifier)
            if row.name != name or row.scope == "all" or row.qualifier not in {"", qualifier} or key in made:
                continue
            kind, _, owner = row.scope.partition(":")
            family = chips[owner].family if kind == "chip" and owner in chips else owner
            levels = ((name, qualifier, "all"), (name, qualifier, f"family:{family}"))
            value = adjusted(name, row.value, total_adjustment(adjustments, levels))
            rows.append(replace(row, qualifier=qualifier, value=value, low=None, high=None))
            made.add(key)
    return rows
