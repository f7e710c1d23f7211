"""What share of its peak each kind of kernel and link reaches, and what each call costs on top.

Coefficients are rows of a catalogue table: name, scope (``all``, ``vendor:nvidia``, ``family:hopper``,
``chip:h100-sxm``), qualifier (a number format, an attention kernel, a regime), value with bounds, source, date and
kind. A row with the asked qualifier beats one without; of several, the narrowest counts: the chip's own, its family's,
its vendor's, everybody's. So a chip nobody has measured inherits its family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from costline.errors import CatalogueError
from costline.hardware.chip import Chip
from costline.numeric import Numeric


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
    """

    def __init__(
        self,
        rows: Iterable[Coefficient],
        overrides: Mapping[str, Numeric] | None = None,
        drawn: Mapping[tuple[str, str, str], Numeric] | None = None,
    ) -> None:
        self._rows = {(row.name, row.scope, row.qualifier): row for row in rows}
        self._overrides = dict(overrides or {})
        self._drawn = dict(drawn or {})
        self._found: dict[tuple[str, ...], Coefficient] = {}
        self.used: dict[tuple[str, str, str], Coefficient] = {}

    @property
    def rows(self) -> tuple[Coefficient, ...]:
        """The table."""
        return tuple(self._rows.values())

    @property
    def stated(self) -> dict[str, Numeric]:
        """Values fixed by the user, by coefficient name."""
        return dict(self._overrides)

    def row(self, name: str, chip: Chip, qualifier: str = "") -> Coefficient:
        """Return the row that applies to `chip`.

        Raises
        ------
        CatalogueError
            No row of that name, not even for all chips.
        """
        asked = (name, chip.id, chip.family, chip.vendor, qualifier)
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = self._narrowest(name, chip, qualifier)
        self.used[found.name, found.scope, found.qualifier] = found
        return found

    def _narrowest(self, name: str, chip: Chip, qualifier: str) -> Coefficient:
        scopes = (f"chip:{chip.id}", f"family:{chip.family}", f"vendor:{chip.vendor.lower()}", "all")
        for condition in (qualifier, "") if qualifier else ("",):
            for scope in scopes:
                found = self._rows.get((name, scope, condition))
                if found is not None:
                    return found
        raise CatalogueError("coefficients", [f"no row {name!r} (qualifier {qualifier!r}) applies to {chip.id}"])

    def value(self, name: str, chip: Chip, qualifier: str = "") -> Numeric:
        """Value of the row that applies to `chip`, or the user's own."""
        if name in self._overrides:
            return self._overrides[name]
        row = self.row(name, chip, qualifier)
        return self._drawn.get((row.name, row.scope, row.qualifier), row.value) if self._drawn else row.value

    def newest_attention(self, chip: Chip) -> str:
        """Newest attention kernel with a row of the chip's own or of its family; ``fa2`` where there is none."""
        own = {f"chip:{chip.id}", f"family:{chip.family}"}
        known = {row.qualifier for row in self._rows.values() if row.name == "attention" and row.scope in own}
        return max((name for name in known if name.startswith("fa")), default="fa2")

    def replace(self, **overrides: Numeric) -> Efficiency:
        """Return the same table with values fixed by the user."""
        return Efficiency(self._rows.values(), {**self._overrides, **overrides}, self._drawn)

    def drawn(self, samples: Mapping[tuple[str, str, str], Numeric]) -> Efficiency:
        """Return the same table with samples in the place of some rows, by name, scope and qualifier."""
        return Efficiency(self._rows.values(), self._overrides, samples)
