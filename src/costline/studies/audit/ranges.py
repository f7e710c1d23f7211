"""Audits with ranges: what the samples of a file's inputs say of a check, and how wide a value is."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from costline.studies.audit.compare import Found, numbers
from costline.studies.audit.document import ClaimTable, Text
from costline.studies.audit.shelf import Value
from costline.uncertainty.study import Span, span

WITHIN = Text(
    en="costline's own doubt reaches what is claimed: it neither confirms nor refutes it.",
    zh="costline 自身的误差范围包含所称的数值：既不能证实，也不能否定。",
)
"""Why a premise that a prediction misses within its doubt cannot be checked."""
OF_ANOTHER = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\.[A-Za-z]")
"""A step of another claim: its id, a dot, a name."""


def behind(claims: Sequence[ClaimTable], wanted: Collection[str]) -> set[str]:
    """Ids of some claims and of the earlier ones that they take a value of, through others too."""
    known = {each.id for each in claims}
    needed = set(wanted)
    for each in reversed(claims):
        if each.id in needed:
            needed |= known.intersection(OF_ANOTHER.findall(each.model_dump_json()))
    return needed


def spans(samples: Found) -> Mapping[str, Span]:
    """Interval of every value of a claim that is in doubt, by name."""
    wide = {name: span(numbers(value)) for name, value in samples.known.items() if np.ndim(value.number)}
    return {name: each for name, each in wide.items() if each.low < each.high}


def at_medians(found: Found, samples: Found, stated: Found) -> Found:
    """A claim judged by its samples, whose doubtful values are the medians of theirs.

    What only the time model is in doubt of stays its prediction. Its doubt lets no claim hold; but a premise that a
    prediction misses and its 80 % interval reaches is not refuted by it either.

    Parameters
    ----------
    found : Found
        The claim computed at the medians of all inputs.
    samples, stated : Found
        At the samples; at a few samples of what the file states as ranges, the model at its medians.
    """
    doubtful = {name for name, value in stated.known.items() if np.ptp(numbers(value)) > 0}
    medians = {
        id(value): replace(value, number=span(numbers(samples.known[name])).median)
        for name, value in found.known.items()
        if name in doubtful
    }

    def settled(value: Value) -> Value:
        return medians.get(id(value), value)

    def settled_or_none(value: Value | None) -> Value | None:
        return None if value is None else settled(value)

    checks = []
    for check, other in zip(found.checks, samples.checks, strict=True):
        sides = {name: getattr(check, name) for name in ("computed", "stated", "least", "most")}
        ranged = any(id(value) in medians for value in sides.values())
        sides = {name: settled_or_none(value) for name, value in sides.items()}
        reached = check.refuted and not ranged and other.passed
        passed = other.passed if ranged else check.passed
        checks.append(replace(check, **sides, passed=passed, reached=reached))
    return replace(
        found,
        checks=tuple(checks),
        right=tuple(settled_or_none(value) for value in found.right),
        shown=tuple(settled(value) for value in found.shown),
        known={name: settled(value) for name, value in found.known.items()},
    )
