"""What share of its peak each kind of kernel and link reaches, and what each call costs on top.

Coefficients are rows of a catalogue table: name, scope (``all``, ``vendor:nvidia``, ``family:hopper``,
``chip:h100-sxm``), qualifier (a number format, an attention kernel, a regime), value with bounds, source, date and
kind. A row with the asked qualifier beats one without; of several, the narrowest counts: the chip's own, its family's,
its vendor's, everybody's. So a chip nobody has measured inherits its family. A qualifier may be refined by others after
a slash (``decode/vllm``: the regime, then the software); where no row has the whole of it, its beginning counts.

What measurements say beyond the sourced rows are adjustments: logarithms that add up along the same two hierarchies,
everybody's, the family's and the chip's own, of the qualifier and of its refinement. So a chip or a software nobody has
measured still has what its kind has in common.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from costline.errors import CatalogueError
from costline.hardware.chip import Chip
from costline.numeric import Numeric, smallest


class Measured(Protocol):
    """Measured kernels: times of what they know, None of the rest. [s]"""

    def kernel(self, load: Any, cluster: Any, plan: Any) -> Numeric | None:
        """Time of the kernels of a load of the engine under a plan."""

    def message(self, message: Any, cluster: Any) -> Numeric | None:
        """Time of messages."""

    @property
    def said(self) -> str:
        """What was taken from them, and what was not."""

    @property
    def source(self) -> str:
        """Who measured."""


Level: TypeAlias = tuple[str, str, str]
"""Name, qualifier and scope of an adjustment."""
SHARES = frozenset({"attention", "convolution", "dequantise", "gemm", "link_out", "link_up", "memory"})
"""Shares of a peak, which nothing exceeds."""
BY_JOB = frozenset({
    "attention", "eager", "exposed", "gemm", "gemm_half", "launch", "link_out", "link_up", "memory", "overlap",
})  # fmt: skip
"""Coefficients that whole jobs of one kind may reach better or worse than others: hours of training under full power,
seconds of decoding. Their qualifier is refined by the kind of job."""
PARTS = frozenset({"exposed", "overlap"})
"""Parts of a whole, which cannot exceed it."""
SPREADS = frozenset({"expert_spread"})
"""Standard deviations, which cannot be below 0."""
BEST_SHARE = 0.97
"""Largest share: the best measured matrix product reaches 0.969 of its peak (Gaudi 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """One row of the coefficient table.

    Attributes
    ----------
    name, scope, qualifier : str
        What it is, whose it is, under which condition.
    value, low, high : float
        Point and 80 % bounds; bounds are None where nobody has stated a spread.
    unit, source, date, kind, note : str
        Provenance; `kind` is measured, fitted, derived or assumed.
    """

    name: str
    scope: str
    qualifier: str
    value: float
    unit: str
    source: str
    kind: str
    low: float | None = None
    high: float | None = None
    date: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What measurements say beyond the sourced rows, at one level.

    Attributes
    ----------
    factor, low, high : float
        What a coefficient is multiplied by, and the 80 % bounds of that. [1]
    rows : int
        Measurements that depend on it.
    date, source : str
        Day and data of the fit.
    """

    factor: float
    low: float
    high: float
    rows: int
    date: str
    source: str


def conditions(qualifier: str) -> Iterator[str]:
    """The qualifier and its beginnings, the whole first.

    Examples
    --------
    >>> list(conditions("decode/vllm")), list(conditions(""))
    (['decode/vllm', 'decode'], [''])
    """
    while "/" in qualifier:
        yield qualifier
        qualifier = qualifier.rpartition("/")[0]
    yield qualifier


def levels_of(name: str, qualifier: str, chip: Chip) -> Iterator[Level]:
    """Adjustments that apply to a lookup, widest first."""
    for condition in reversed(list(conditions(qualifier))):
        yield name, condition, "all"
        yield name, condition, f"family:{chip.family}"
        if "/" not in condition:
            yield name, condition, f"chip:{chip.id}"


def adjusted(name: str, value: Numeric, factor: Numeric) -> Numeric:
    """A sourced value with an adjustment: of an overlap what stays exposed is multiplied.

    Examples
    --------
    >>> adjusted("memory", 0.8, 1.0), adjusted("overlap", 0.5, 0.5)
    (0.8, 0.75)
    """
    if name == "overlap":
        return 1 - smallest(1.0, (1 - value) * factor)
    return smallest(value * factor, BEST_SHARE) if name in SHARES else value * factor


class Efficiency:
    """Coefficients, looked up by the narrowest scope.

    Parameters
    ----------
    rows : iterable of Coefficient
        The table.
    overrides : mapping, optional
        Values fixed by the user, by coefficient name.
    drawn : mapping, optional
        Samples in the place of rows, by name, scope and qualifier.
    adjustments : mapping, optional
        Fitted adjustments by level.
    job : str
        Kind of job that refines the coefficients of `BY_JOB`; empty for inference.
    kernels : Measured, optional
        Measured kernels that are asked before the coefficients are.
    """

    def __init__(
        self,
        rows: Iterable[Coefficient],
        overrides: Mapping[str, Numeric] | None = None,
        drawn: Mapping[tuple[str, str, str], Numeric] | None = None,
        adjustments: Mapping[Level, Adjustment] | None = None,
        job: str = "",
        kernels: Measured | None = None,
    ) -> None:
        self._job, self.kernels = job, kernels
        self._rows = {(row.name, row.scope, row.qualifier): row for row in rows}
        self._overrides = dict(overrides or {})
        self._drawn = dict(drawn or {})
        self._adjustments = adjustments or {}
        self._newest: dict[tuple[str, str], str] = {}
        self._found: dict[tuple[str, ...], Coefficient] = {}
        self._at_hand: tuple[Chip | None, dict[tuple[str, str], Numeric]] = (None, {})
        self.used: dict[tuple[str, str, str], Coefficient] = {}

    @property
    def rows(self) -> tuple[Coefficient, ...]:
        """The table, without adjustments."""
        return tuple(self._rows.values())

    @property
    def stated(self) -> dict[str, Numeric]:
        """Values fixed by the user, by coefficient name."""
        return dict(self._overrides)

    def sourced(self, name: str, chip: Chip, qualifier: str = "") -> Coefficient:
        """Return the row of the table that applies to `chip`.

        Raises
        ------
        CatalogueError
            No row of that name, not even for all chips.
        """
        scopes = (f"chip:{chip.id}", f"family:{chip.family}", f"vendor:{chip.vendor.lower()}", "all")
        for condition in (*conditions(qualifier), "") if qualifier else ("",):
            for scope in scopes:
                found = self._rows.get((name, scope, condition))
                if found is not None:
                    return found
        raise CatalogueError("coefficients", [f"no row {name!r} (qualifier {qualifier!r}) applies to {chip.id}"])

    def row(self, name: str, chip: Chip, qualifier: str = "") -> Coefficient:
        """Return what applies to `chip`: the row of the table, and what measurements add.

        Raises
        ------
        CatalogueError
            No row of that name, not even for all chips.
        """
        found = self.look(name, chip, qualifier)
        self.used[found.name, found.scope, found.qualifier] = found
        return found

    def look(self, name: str, chip: Chip, qualifier: str = "") -> Coefficient:
        """Return what `row` would, without counting it as used."""
        key = (name, qualifier, chip.id, chip.family, chip.vendor)
        found = self._found.get(key)
        if found is None:
            found = self._fitted(self.sourced(name, chip, qualifier), qualifier, chip)
            self._found[key] = found
        return found

    def _fitted(self, row: Coefficient, qualifier: str, chip: Chip) -> Coefficient:
        """The row with its adjustments; the widest, made by the most measurements, stands for where they come from."""
        known = self._adjustments
        made = [known[level] for level in levels_of(row.name, qualifier, chip) if level in known]
        if not made:
            return row
        factor = math.prod(one.factor for one in made)
        spread = math.hypot(*(math.log(one.high / one.low) / 2 for one in made))
        value, *bounds = (float(adjusted(row.name, row.value, factor * math.exp(side * spread))) for side in (0, -1, 1))
        return replace(
            row,
            scope=f"chip:{chip.id}",
            qualifier=qualifier,
            value=value,
            low=min(bounds),
            high=max(bounds),
            kind="fitted",
            date=made[0].date,
            source=made[0].source,
            note=f"{row.value:g} ({row.kind}: {row.source[:80]}) x {factor:.3g} from {made[0].rows} measurements",
        )

    def refined(self, name: str, qualifier: str) -> str:
        """The qualifier that is looked up: with the kind of job behind it where that may matter."""
        return f"{qualifier}/{self._job}" if self._job and name in BY_JOB else qualifier

    def value(self, name: str, chip: Chip, qualifier: str = "") -> Numeric:
        """Value of the row that applies to `chip`, or the user's own; those of the chip asked last are kept at hand."""
        asked, values = self._at_hand
        if asked is not chip:
            values = {}
            self._at_hand = (chip, values)
        value = values.get((name, qualifier))
        if value is None:
            value = values[name, qualifier] = self._value(name, chip, qualifier)
        return value

    def _value(self, name: str, chip: Chip, qualifier: str) -> Numeric:
        if name in self._overrides:
            return self._overrides[name]
        row = self.row(name, chip, self.refined(name, qualifier))
        return self._drawn.get((row.name, row.scope, row.qualifier), row.value) if self._drawn else row.value

    def newest_attention(self, chip: Chip) -> str:
        """Newest attention kernel with a row of the chip's own or of its family; ``fa2`` where there is none."""
        asked = (chip.id, chip.family)
        if asked not in self._newest:
            own = {f"chip:{chip.id}", f"family:{chip.family}"}
            known = {row.qualifier for row in self._rows.values() if row.name == "attention" and row.scope in own}
            self._newest[asked] = max((name for name in known if name.startswith("fa")), default="fa2")
        return self._newest[asked]

    def replace(self, **overrides: Numeric) -> Efficiency:
        """Return the same table with values fixed by the user."""
        return self._again({**self._overrides, **overrides}, self._drawn)

    def within(self, job: str) -> Efficiency:
        """Return the same table for one kind of job; what it looks up counts as used here too."""
        made = copy(self)
        made._job, made._at_hand = job, (None, {})
        return made

    def asking(self, kernels: Measured | None) -> Efficiency:
        """Return the same table behind measured kernels, or without them; what it looks up counts as used here too."""
        made = copy(self)
        made.kernels, made._at_hand = kernels, (None, {})
        return made

    def drawn(self, samples: Mapping[tuple[str, str, str], Numeric]) -> Efficiency:
        """Return the same table with samples in the place of some rows, by name, scope and qualifier."""
        return self._again(self._overrides, dict(samples))

    def _again(self, overrides: dict[str, Numeric], drawn: dict[Level, Numeric]) -> Efficiency:
        """The same table, of which nothing is used yet; rows that were found stay found."""
        made = copy(self)
        made._overrides, made._drawn, made._at_hand, made.used = overrides, drawn, (None, {}), {}
        return made
