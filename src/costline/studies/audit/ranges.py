"""Audits with ranges: what the samples of a file's inputs say of a check, and how wide a value is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from costline.numeric import Array
from costline.studies.audit.shelf import Value
from costline.uncertainty.study import Span, span

if TYPE_CHECKING:
    from costline.studies.audit.judge import CheckResult, Found


def allowed(found: Found, samples: Found) -> Found:
    """Claims whose checks pass also where the ranges of the inputs allow what is stated.

    Parameters
    ----------
    found, samples : Found
        The claim computed at the medians, and at the samples.
    """
    checks = tuple(
        replace(check, passed=check.passed or within(other))
        for check, other in zip(found.checks, samples.checks, strict=True)
    )
    return replace(found, checks=checks)


def within(check: CheckResult) -> bool:
    """Whether the 80 % interval of what was computed reaches what is stated, its tolerance included, or the bounds."""
    computed = span(_numbers(check.computed))
    if check.stated is not None:
        stated = span(_numbers(check.stated))
        factor = check.check.factor or 1.0
        slack = (check.check.tolerance or 0.0) * abs(stated.median)
        least, most = stated.low / factor - slack, stated.high * factor + slack
    else:
        least = -np.inf if check.least is None else span(_numbers(check.least)).low
        most = np.inf if check.most is None else span(_numbers(check.most)).high
    return bool(computed.high >= least and computed.low <= most)


def spans(samples: Found) -> Mapping[str, Span]:
    """Interval of every value of a claim that is in doubt, by name."""
    wide = {name: span(_numbers(value)) for name, value in samples.known.items() if np.ndim(value.number)}
    return {name: each for name, each in wide.items() if each.low < each.high}


def _numbers(value: Value) -> Array:
    return np.atleast_1d(np.asarray(value.number, dtype=float))
