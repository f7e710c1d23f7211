"""Plan fields that may name a method whose share was measured: step caches and sparse attention."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from costline.errors import PlanError, nearest_names
from costline.estimate import Assumption
from costline.formulas.diffusion import reused_share
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.numeric import Numeric
from costline.planning import METHODS

AT_THRESHOLD = "cache_evaluated"
"""Coefficient of step caches whose share follows from a threshold."""
THRESHOLD = re.compile(r"([a-z]+)(\d*\.?\d+)")
"""A cache and its threshold, as its users write them: ``teacache0.15``, ``fbcache0.08``."""
LARGEST_THRESHOLD = 2.0
"""Relative changes of up to 0.8 were published; what is far beyond them is a slip."""


Share: TypeAlias = tuple[Numeric, str, Coefficient]
"""A share, how it is said, and the row it is from."""


def settled_methods(
    fields: Mapping[str, Any], efficiency: Efficiency, chip: Chip, steps: Numeric | None = None
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
    steps : float or array, optional
        Of the sampler, by which a cache of a stated threshold reuses more or less. [step]

    Raises
    ------
    PlanError
        A method without a share, with those that have one.
    """
    settled, said = dict(fields), []
    for field in METHODS:
        method = settled.get(field)
        if not isinstance(method, str):
            continue
        at = None if field != "reused" or steps is None else reused_at(method, steps, efficiency, chip)
        settled[field], words, row = at or _usual(field, method, efficiency, chip)
        said.append(Assumption(name=field, value=words, kind=row.kind, date=row.date))
    return settled, tuple(said)


def _usual(field: str, method: str, efficiency: Efficiency, chip: Chip) -> Share:
    """Share that a method has whatever else is stated."""
    name = METHODS[field]
    known = methods_of(name, efficiency)
    if method not in known:
        near, named = ", ".join(nearest_names(method, known)), " and ".join(methods_of(AT_THRESHOLD, efficiency))
        raise PlanError(
            f"{field}={method[:40]}: say a share such as 0.4, or one of {', '.join(known)}"
            f"{f'; did you mean {near}?' if near else ''}"
            f"{f'; {named} also at a threshold: teacache0.15' if field == 'reused' else ''}"
        )
    row, share = efficiency.row(name, chip, method), efficiency.value(name, chip, method)
    between = "" if row.low is None or row.high is None else f", {row.low:.2g} to {row.high:.2g}"
    return share, f"{share:.2g}{between}, as of {method}: {row.source}", row


def reused_at(method: str, steps: Numeric, efficiency: Efficiency, chip: Chip) -> Share | None:
    """Share that a cache of a stated threshold reuses, how that is said, and the row it is from; None without one.

    Parameters
    ----------
    method : str
        Such as ``teacache0.15``.
    steps : float or array
        Of the sampler. [step]
    efficiency : Efficiency
        Coefficients.
    chip : Chip
        Where.
    """
    found = THRESHOLD.fullmatch(method)
    if found is None or found[1] not in methods_of(AT_THRESHOLD, efficiency):
        return None
    if not 0 < float(found[2]) <= LARGEST_THRESHOLD:
        return None
    share = reused_share(steps, float(found[2]), efficiency.value(AT_THRESHOLD, chip, found[1]))
    row = efficiency.row(AT_THRESHOLD, chip, found[1])
    mean = float(np.mean(share))
    return share, f"{mean:.2g} at a threshold of {found[2]}, as of {found[1]}: {row.source}", row


def methods_of(name: str, efficiency: Efficiency) -> tuple[str, ...]:
    """Methods that the table has a share of, by the coefficient that holds it."""
    return tuple(sorted({row.qualifier for row in efficiency.rows if row.name == name and row.qualifier}))
