"""Audits with ranges: what the samples of a file's inputs say of a check, and how wide a value is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from costline.studies.audit.compare import numbers
from costline.studies.audit.shelf import Value
from costline.uncertainty.study import Span, span

if TYPE_CHECKING:
    from costline.studies.audit.judge import Found


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
        reached = not (ranged or check.passed) and other.passed and check.check.kind == "premise"
        passed = other.passed if ranged else check.passed
        checks.append(replace(check, **sides, passed=passed, reached=reached))
    return replace(
        found,
        checks=tuple(checks),
        right=tuple(settled_or_none(value) for value in found.right),
        shown=tuple(settled(value) for value in found.shown),
        known={name: settled(value) for name, value in found.known.items()},
    )
