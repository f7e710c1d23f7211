"""Groups that accuracy is reported by: table, target, kind of network, chip, software, metric, regime."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from costline.accuracy.predict import Scored
from costline.errors import UnknownNameError

LONG, MANY = 32_768, 512
"""Tokens from which a sequence is long, chips from which a job is large."""
OTHER = "not predicted"


def _of_setting(read: Callable[[Scored], str]) -> Callable[[Scored], str]:
    """A label that only rows with a case have."""
    return lambda row: OTHER if row.case is None else read(row)


def _software(row: Scored) -> str:
    """Name of the software without the mode in brackets."""
    name = row.case.setting.software if row.case else ""
    return re.sub(r"\s*[(\[].*", "", name).strip() or "unnamed"


def chips_label(chips: float) -> str:
    """Group of a number of chips."""
    if chips >= MANY:
        return f"{MANY} chips and more"
    return "1 chip" if chips <= 1 else "2 to 16 chips" if chips <= 16 else f"17 to {MANY - 1} chips"


def batch_label(batch: float) -> str:
    """Group of a number of sequences in flight, NaN where it is what fits."""
    if math.isnan(batch):
        return "batch: what fits"
    return "batch 1" if batch <= 1 else "batch 2 to 16" if batch <= 16 else "batch above 16"


def sequence_label(tokens: float) -> str:
    """Group of a length."""
    return "32k tokens and more" if tokens >= LONG else "2k to 32k tokens" if tokens >= 2048 else "below 2k tokens"


def _precision(row: Scored) -> str:
    plan = row.case.plan if row.case else None
    if plan is None:
        return OTHER
    return f"{plan.compute} products" + (f", {plan.weights} weights" if plan.weights != plan.compute else "")


DIMENSIONS: Mapping[str, Callable[[Scored], str]] = {
    "table": lambda row: row.measurement.table,
    "target": _of_setting(lambda row: row.case.setting.regime if row.case else OTHER),
    "family": _of_setting(lambda row: row.case.setting.family if row.case else OTHER),
    "chip": lambda row: row.measurement.conditions.chip,
    "software": _of_setting(_software),
    "metric": lambda row: f"{row.measurement.table} {row.measurement.metric}",
    "model": lambda row: row.measurement.conditions.model,
    "chips": _of_setting(lambda row: chips_label(row.case.setting.chips) if row.case else OTHER),
    "batch": _of_setting(lambda row: batch_label(row.case.setting.batch) if row.case else OTHER),
    "sequence": _of_setting(lambda row: sequence_label(row.case.setting.sequence) if row.case else OTHER),
    "precision": _of_setting(_precision),
}
"""Name of a grouping -> label of a row."""


def grouped(rows: Sequence[Scored], dimension: str) -> dict[str, list[Scored]]:
    """Rows by label, the largest group first.

    Raises
    ------
    UnknownNameError
        No such grouping.
    """
    if dimension not in DIMENSIONS:
        raise UnknownNameError("grouping", dimension, DIMENSIONS)
    label = DIMENSIONS[dimension]
    found: dict[str, list[Scored]] = {}
    for row in rows:
        found.setdefault(label(row), []).append(row)
    found.pop(OTHER, None)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))
