"""Plan fields that may name a method whose share was measured: step caches and sparse attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costline.errors import PlanError, nearest_names
from costline.estimate import Assumption
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency
from costline.planning import METHODS


def settled_methods(
    fields: Mapping[str, Any], efficiency: Efficiency, chip: Chip
) -> tuple[dict[str, Any], tuple[Assumption, ...]]:
    """Plan fields with the shares of the methods they name, and where each share is from.

    Parameters
    ----------
    fields : mapping
        Plan fields the user states.
    efficiency : Efficiency
        Coefficients, of which `METHODS` says which give the shares.
    chip : Chip
        Where.

    Raises
    ------
    PlanError
        A method without a share, with those that have one.
    """
    settled, said = dict(fields), []
    for field, name in METHODS.items():
        method = settled.get(field)
        if not isinstance(method, str):
            continue
        known = methods_of(name, efficiency)
        if method not in known:
            near = ", ".join(nearest_names(method, known))
            hint = f"; did you mean {near}?" if near else ""
            raise PlanError(f"{field}={method[:40]}: say a share such as 0.4, or one of {', '.join(known)}{hint}")
        row = efficiency.row(name, chip, method)
        settled[field] = efficiency.value(name, chip, method)
        between = "" if row.low is None or row.high is None else f", {row.low:.2g} to {row.high:.2g}"
        words = f"{settled[field]:.2g}{between}, as of {method}: {row.source}"
        said.append(Assumption(name=field, value=words, kind=row.kind, date=row.date))
    return settled, tuple(said)


def methods_of(name: str, efficiency: Efficiency) -> tuple[str, ...]:
    """Methods that the table has a share of, by the coefficient that holds it."""
    return tuple(sorted({row.qualifier for row in efficiency.rows if row.name == name and row.qualifier}))
