"""How sure a prediction is: the errors of the published cases that are most like it.

Weighted conformal prediction (Tibshirani et al. 2019, arXiv:1904.06019) on held-out residuals: cases count by how like
they are, groups of repeats count once, and where no case is near the interval widens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costline.catalogue.validated_table import Validated
from costline.numeric import Array

UNLIKE = {"chip": 0.4, "family": 0.4, "vendor": 0.4, "software": 0.3, "format": 0.3, "model": 0.2}
"""Distance that a different word adds."""
OCTAVES = {"params": 6.0, "chips": 6.0, "batch": 8.0, "sequence": 8.0}
"""Doublings of a number that add a distance of 1."""
REACH = 0.7
"""Distance at which a case counts for exp(-1/2) of one that is the same."""
WIDENING = 0.5
"""Relative widening of an interval for each unit of distance of the nearest cases."""
FAR = 1.5
"""Distance of the nearest case beyond which a question is outside what was validated."""
NEAREST = 3
"""Cases named in an answer."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, in the columns of the validated cases.

    Attributes
    ----------
    targets : sequence of str
        Targets of accuracy whose cases are comparable.
    words, numbers : mapping
        Model, chip, family, vendor, software, format; params, chips, batch, sequence.
    """

    targets: Sequence[str]
    words: Mapping[str, str]
    numbers: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What comparable cases say.

    Attributes
    ----------
    low, high : float
        Factors on the prediction of a time that bound the 80 % interval. [1]
    nearest : sequence of int
        Rows of the table, nearest first, one a group.
    distance : float
        Of the nearest case.
    cases : float
        Effective number of cases the interval rests on.
    """

    low: float
    high: float
    nearest: Sequence[int]
    distance: float
    cases: float

    @property
    def outside(self) -> bool:
        """Whether nothing comparable was validated."""
        return self.distance > FAR


def distances(question: Question, cases: Validated, rows: Array) -> Array:
    """Distance of some cases from a question. [1]"""
    total = np.zeros(len(rows))
    for name, weight in UNLIKE.items():
        total += weight * (cases.words[name][rows] != question.words.get(name, ""))
    for name, octaves in OCTAVES.items():
        mine, theirs = question.numbers.get(name, 0.0), cases.numbers[name][rows]
        known = (theirs > 0) & (mine > 0)
        ratio = np.log2(np.where(known, theirs, 1.0) / (mine if mine > 0 else 1.0))
        total += np.where(known, np.abs(ratio) / octaves, 0.25)
    return total


def likeness(
    question: Question, cases: Validated, *, share: float = 0.8, apart: Array | None = None
) -> Likeness | None:
    """Interval of a prediction from the held-out errors of cases like it; None where no target has cases.

    Parameters
    ----------
    question : Question
        What is asked.
    cases : Validated
        The table.
    share : float
        Probability that the interval holds the measurement. [1]
    apart : array of bool, optional
        Cases that must not be looked at: those of the group that is being tested.
    """
    allowed = np.isin(cases.words["target"], list(question.targets))
    rows = np.flatnonzero(allowed if apart is None else allowed & ~apart)
    if not rows.size:
        return None
    distance = distances(question, cases, rows)
    weight = np.exp(-0.5 * ((distance - distance.min()) / REACH) ** 2) / _repeats(cases, rows)
    error = cases.numbers["error"][rows]
    effective = float(np.sum(weight) ** 2 / np.sum(weight**2))
    middle = _quantile(error, weight, 0.5)
    tail = (1 - share) / 2 * effective / (effective + 1)  # the question itself may be the worst: Tibshirani, eq. 8
    wide = 1 + WIDENING * float(distance.min())
    least, most = (middle + wide * (_quantile(error, weight, side) - middle) for side in (tail, 1 - tail))
    order = rows[np.argsort(distance, kind="stable")]
    return Likeness(
        low=float(np.exp(-most)),
        high=float(np.exp(-least)),
        nearest=_one_a_group(cases, order),
        distance=float(distance.min()),
        cases=effective,
    )


def _group(cases: Validated, rows: Array) -> Array:
    """Model, chip and software of cases as one word."""
    words = cases.words
    joined = np.char.add(np.char.add(words["model"][rows], "|"), words["chip"][rows])
    result: Array = np.char.add(np.char.add(joined, "|"), words["software"][rows])
    return result


def _repeats(cases: Validated, rows: Array) -> Array:
    """Square root of the rows of each case's group: a group of n counts like the root of n."""
    _, place, count = np.unique(_group(cases, rows), return_inverse=True, return_counts=True)
    result: Array = np.sqrt(count[place])
    return result


def _one_a_group(cases: Validated, order: Array) -> list[int]:
    seen: dict[str, int] = {}
    for row, group in zip(order[:200].tolist(), _group(cases, order[:200]).tolist(), strict=True):
        seen.setdefault(group, row)
    return list(seen.values())[:NEAREST]


def _quantile(values: Array, weight: Array, share: float) -> float:
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weight[order])
    place = int(np.searchsorted(cumulated, share * cumulated[-1]))
    return float(values[order[min(place, len(order) - 1)]])
