"""How sure a prediction is: the errors of the published cases that are most like it.

Weighted conformal prediction (Tibshirani et al. 2019, arXiv:1904.06019) on held-out residuals: cases count by how like
they are, a group of repeats counts like the root of its number, and where no case is near the interval widens.

The constants are round ones, common to all targets, chosen by the interval score (Gneiting and Raftery 2007) and the
coverage of every validated row whose own group was not looked at. The score hardly depends on the distances of single
words (half or twice each moves it by at most 5 %); it is flat in `REACH` between 0.6 and 0.8, and in `WIDENING` between
0.3 and 0.5, of which the larger is taken for cases that come from a publication of their own: with that left out too,
each publication counted once, the intervals hold 68 % without it, 75 % with 0.3 and 78 % with 0.5.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.catalogue.validated_table import Validated
from costline.numeric import Array

UNLIKE = {"chip": 0.4, "family": 0.4, "vendor": 0.4, "software": 0.3, "format": 0.3, "model": 0.2, "target": 2.0}
"""Distance that a different word adds."""
OCTAVES = {"params": 6.0, "chips": 6.0, "batch": 8.0, "sequence": 8.0}
"""Doublings of a number that add a distance of 1."""
REACH = 0.7
"""Distance at which a case counts for exp(-1/2) of one that is the same."""
WIDENING = 0.5
"""Relative widening of an interval for the square of the distance of the nearest case."""
UNKNOWN = 0.25
"""Distance that a number adds which is not known on one side."""
LEFT_OUT = {"chip": "chip_error", "software": "software_error"}
"""Word -> the error of a case that the fit was made without all cases of its word for."""
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

    def widened(self, doubt: float) -> Likeness:
        """The same around the prediction itself, with another doubt beside: either side is added in squares.

        Parameters
        ----------
        doubt : float
            Logarithm of the factor of the other doubt, 80 % of it.
        """
        slower, faster = max(math.log(self.high), 0.0), max(-math.log(self.low), 0.0)
        return replace(self, low=math.exp(-math.hypot(faster, doubt)), high=math.exp(math.hypot(slower, doubt)))

    def within_peaks(self, used: float) -> Likeness:
        """The same, never so fast that more than all of a peak were used.

        Parameters
        ----------
        used : float
            Largest share of a peak the prediction itself uses. [1]
        """
        return replace(self, low=max(self.low, min(used, 1.0)))


def distances(words: Mapping[str, Any], numbers: Mapping[str, Any], cases: Validated, rows: Array) -> Array:
    """Distance of some cases from a question. [1]"""
    total = _unlike([words[name] for name in UNLIKE], [cases.words[name][rows] for name in UNLIKE])
    for name in OCTAVES:
        total = total + _doublings(name, numbers[name], cases.numbers[name][rows])
    return total


def distances_between(cases: Validated, rows: Array) -> Array:
    """Distance of each of some cases, along the last axis, from each of them; words are whole numbers. [1]

    Many cases share their words or a number, so that each pair of these is compared once.
    """
    kinds, kind = np.unique([cases.words[name][rows] for name in UNLIKE], axis=1, return_inverse=True)
    total = _spread(_unlike(kinds[:, :, None], kinds), kind)
    for name in OCTAVES:
        values, place = np.unique(cases.numbers[name][rows], return_inverse=True)
        total += _spread(_doublings(name, values[:, None], values), place)
    return total


def _spread(table: Array, place: Array) -> Array:
    """Entries of a square table for each pair of places."""
    result: Array = np.take(table[place.reshape(-1)], place.reshape(-1), axis=1)
    return result


def _unlike(mine: Iterable[Any], theirs: Iterable[Any]) -> Array:
    """Distance that different words add, which are given in the order of `UNLIKE`. [1]"""
    total: Array = np.zeros(1)
    for weight, one, other in zip(UNLIKE.values(), mine, theirs, strict=True):
        total = total + weight * (one != other)
    return total


def _doublings(name: str, mine: Any, theirs: Array) -> Array:
    """Distance that a different number adds. [1]"""
    mine = np.asarray(mine, dtype=float)
    known = (theirs > 0) & (mine > 0)
    ratio = np.where(theirs > 0, theirs, 1.0) / np.where(mine > 0, mine, 1.0)
    result: Array = np.where(known, np.abs(np.log2(ratio)) / OCTAVES[name], UNKNOWN)
    return result


def likeness(
    question: Question, cases: Validated, *, share: float = 0.8, apart: Array | None = None
) -> Likeness | None:
    """Interval of a prediction from the held-out errors of cases like it; None where no target has cases.

    Parameters
    ----------
    question : Question
        What is asked.
    cases : Validated
        The table. Cases of other targets of the same study count where its own are few or far.
    share : float
        Probability that the interval holds the measurement. [1]
    apart : array of bool, optional
        Cases that must not be looked at: those of the group that is being tested.
    """
    allowed = _of_studies(cases, {_study_of(target) for target in question.targets})
    rows = np.flatnonzero(allowed if apart is None else allowed & ~apart)
    if not rows.size:
        return None
    words = {name: cases.code(name, question.words.get(name, "")) for name in UNLIKE}
    numbers = {name: question.numbers.get(name, 0.0) for name in OCTAVES}
    targets = [words | {"target": cases.code("target", each)} for each in question.targets]
    distance = np.min([distances(each, numbers, cases.coded, rows) for each in targets], axis=0)
    new = [
        name for name in LEFT_OUT if question.words.get(name) and not np.any(cases.codes[name][allowed] == words[name])
    ]
    least, most, effective = bounds(distance, errors_without(cases, new)[rows], _repeats(cases, rows), share)
    order = rows[np.argsort(distance, kind="stable")]
    return Likeness(
        low=float(np.exp(-most)),
        high=float(np.exp(-least)),
        nearest=_one_a_group(cases, order),
        distance=float(distance.min()),
        cases=float(effective),
    )


def errors_without(cases: Validated, new: Iterable[str]) -> Array:
    """Errors of the cases had the fit not known their own chip, or their own software, where those of a question are
    new to it; what each of the two adds is added up. [1]

    A case of a chip that was fitted says little about the errors on one that was not.
    """
    plain = cases.numbers["error"]
    error = plain
    for name in new:
        apart = cases.numbers[LEFT_OUT[name]]
        error = error + np.where(np.isfinite(apart), apart - plain, 0.0)
    return error


def bounds(distance: Array, error: Array, repeats: Array, share: float) -> tuple[Array, Array, Array]:
    """Least and most error of a question, or of many, and the effective number of cases behind them.

    Parameters
    ----------
    distance : array
        Of the cases, along the last axis; infinite where a case must not be looked at. [1]
    error : array
        Of each case. [1]
    repeats : array
        What the weight of each case is divided by. [1]
    share : float
        Probability that the interval holds the measurement. [1]
    """
    order = np.argsort(error, kind="stable")
    error, distance = error[order], np.take(distance, order, axis=-1)
    nearest = distance.min(axis=-1, keepdims=True)
    weight = np.exp(-0.5 * ((distance - nearest) / REACH) ** 2) / repeats[order]
    effective = np.sum(weight, axis=-1) ** 2 / np.sum(weight**2, axis=-1)
    cumulated = np.cumsum(weight, axis=-1)

    def quantile(at: Any) -> Array:
        below = np.sum(cumulated < np.asarray(at)[..., None] * cumulated[..., -1:], axis=-1)
        found: Array = error[np.minimum(below, len(error) - 1)]
        return found

    tail = (1 - share) / 2 * effective / (effective + 1)  # the question itself may be the worst: Tibshirani, eq. 8
    middle, wide = quantile(np.full_like(tail, 0.5)), 1 + WIDENING * nearest[..., 0] ** 2
    least, most = (middle + wide * (quantile(side) - middle) for side in (tail, 1 - tail))
    return least, most, effective


@functools.lru_cache(maxsize=4)
def held_out_bounds(cases: Validated, share: float = 0.8, new: str = "") -> tuple[Array, Array]:
    """Least and most error of every case of the table by the others, its own group not looked at.

    The share of cases whose error is between them is the coverage of the intervals. Both are NaN where a study has no
    other group.

    Parameters
    ----------
    cases : Validated
        The table.
    share : float
        Probability that an interval holds its measurement. [1]
    new : {"", "chip", "software"}
        As if the chip, or the software, of each case were new: none of its cases is looked at.

    The last answers are kept: a report asks for those of the shipped table twice.
    """
    error = errors_without(cases, [new] if new else [])
    study, codes, coded = _study(cases.words["target"].tolist()), cases.codes, cases.coded
    low, high = np.full(len(cases), np.nan), np.full(len(cases), np.nan)
    for each in np.unique(study):
        rows = np.flatnonzero(study == each)
        group = codes[new or "group"][rows]
        if len(np.unique(group)) < 2:
            continue
        distance = np.where(group[:, None] == group, np.inf, distances_between(coded, rows))
        low[rows], high[rows], _ = bounds(distance, error[rows], _repeats(cases, rows), share)
    return low, high


def typical_errors(cases: Validated) -> Array:
    """The middle of the errors of the cases like each case, its own group not looked at; NaN without another group."""
    low, high = held_out_bounds(cases, share=0.0)
    return (low + high) / 2


def _study(targets: Iterable[str]) -> Array:
    """Study of each target."""
    return np.asarray([_study_of(target) for target in targets], dtype=np.str_)


def _study_of(target: str) -> str:
    """What stands before the comma of a target."""
    return target.partition(",")[0]


def _of_studies(cases: Validated, studies: set[str]) -> Array:
    """Cases whose target is one of some studies'."""
    targets = cases.words["target"].tolist()
    wanted = {target for target in set(targets) if _study_of(target) in studies}
    return np.asarray([target in wanted for target in targets], dtype=bool)


def _repeats(cases: Validated, rows: Array) -> Array:
    """Square root of the rows of each case's group: a group of n counts like the root of n."""
    group = cases.group[rows]
    result: Array = np.sqrt(np.bincount(group)[group])
    return result


def _one_a_group(cases: Validated, order: Array) -> list[int]:
    seen: dict[int, int] = {}
    for row, group in zip(order[:200].tolist(), cases.group[order[:200]].tolist(), strict=True):
        seen.setdefault(group, row)
    return list(seen.values())[:NEAREST]
