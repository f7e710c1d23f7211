"""Errors of predictions in the columns of the validated cases: scores of targets, ratios by regime, the worst rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costline.accuracy.groups import batch_label, chips_label, sequence_label
from costline.accuracy.intervals import cells_of, question_of
from costline.accuracy.predict import Scored, predicted
from costline.accuracy.rows import all_shipped
from costline.accuracy.score import Summary, configuration, summarise, weights
from costline.catalogue.validated_table import NUMBERS, WORDS, Validated, factor_of, is_time
from costline.numeric import Array
from costline.studies.likeness import held_out_bounds, likeness

MOST_GROUPS = 14
"""Groups of one regime that are shown, the largest."""


def cases_of(rows: Sequence[Scored]) -> Validated:
    """Predicted rows in the columns of the validated cases; the error is that of the prediction as it is."""
    columns: dict[str, list[str | float]] = {name: [] for name in (*WORDS, *NUMBERS)}
    for row in rows:
        found, value = predicted(row), row.measurement.value
        if found is None or row.case is None or not value:
            continue
        error = float(np.log(found.value * factor_of(row.measurement.metric) / value))
        cells = cells_of(row.measurement, row.case, error)
        for name, column in columns.items():
            column.append(cells[name])
    return Validated(
        {name: np.asarray(columns[name], dtype=np.str_) for name in WORDS},
        {name: np.asarray(columns[name], dtype=float) for name in NUMBERS},
    )


def times(cases: Validated) -> Array:
    """Which cases measure a time."""
    return np.asarray([is_time(metric) for metric in cases.words["metric"].tolist()], dtype=bool)


def predictions(cases: Validated) -> Array:
    """Predictions in the unit of each metric."""
    slow = cases.numbers["error"] * np.where(times(cases), 1.0, -1.0)
    result: Array = cases.numbers["measured"] * np.exp(slow)
    return result


def inside(cases: Validated) -> Array:
    """Whether the error of each validated case is within its 80 % interval, made without its own group."""
    low, high = held_out_bounds(cases)
    result: Array = (cases.numbers["error"] >= low) & (cases.numbers["error"] <= high)
    return result


def inside_of_others(rows: Sequence[Scored], validated: Validated) -> Array:
    """The same for predictions of other rows, with intervals from all validated cases."""
    found = []
    for row in rows:
        if row.case is not None and predicted(row) is not None and row.measurement.value:
            like = likeness(question_of(row.case), validated)
            found.append((-np.inf, np.inf) if like is None else (-np.log(like.high), -np.log(like.low)))
    bounds = np.asarray(found, dtype=float).reshape(-1, 2)
    error = cases_of(rows).numbers["error"]
    result: Array = (error >= bounds[:, 0]) & (error <= bounds[:, 1])
    return result


def shipped_weights(cases: Validated) -> tuple[Array, list[str]]:
    """Weight and configuration of validated cases: repeats of a training configuration share the weight of one."""
    known = {row.id: row for table in all_shipped() for row in table.rows}
    rows = [known[name] for name in cases.words["id"].tolist()]
    return weights(rows), [configuration(row) for row in rows]


def scores(
    cases: Validated, weight: Array, configurations: Sequence[str], covered: Array
) -> dict[str, Summary]:  # fmt: skip
    """Summaries by target, in the order of their names; `inside` is the coverage of the 80 % intervals."""
    made, guessed, timed = {}, predictions(cases), times(cases)
    names = np.asarray(configurations, dtype=np.str_)
    for target in sorted(set(cases.words["target"].tolist())):
        rows = cases.words["target"] == target
        made[target] = summarise(
            cases.numbers["measured"][rows], guessed[rows], timed[rows], weight[rows], len(set(names[rows].tolist())),
            covered[rows],
        )  # fmt: skip
    return made


@dataclass(frozen=True)
class HeldOut:
    """Held-out predictions of the fitted rows.

    Attributes
    ----------
    cases : Validated
        The rows.
    place : mapping of str to int
        Where each row is, by its id.
    covered : array of bool
        Whether its 80 % interval, made without its own group, holds the measurement.
    """

    cases: Validated
    place: Mapping[str, int]
    covered: Array

    @classmethod
    def of(cls, cases: Validated) -> HeldOut:
        """Those of some validated cases."""
        return cls(cases, {name: row for row, name in enumerate(cases.words["id"].tolist())}, inside(cases))

    def summary(self, rows: Sequence[Scored]) -> Summary | None:
        """Scores of some of them; None where none of the rows was fitted."""
        kept = [row.measurement for row in rows if row.measurement.id in self.place]
        if not kept:
            return None
        chosen = np.asarray([self.place[one.id] for one in kept])
        some, configurations = self.cases.some(chosen), {configuration(one) for one in kept}
        return summarise(some.numbers["measured"], predictions(some), times(some), weights(kept), len(configurations),
                         covered=self.covered[chosen].astype(float))  # fmt: skip


REGIMES: Mapping[str, Callable[[Mapping[str, str], Mapping[str, float]], str]] = {
    "chips": lambda _, numbers: chips_label(numbers["chips"]),
    "batch": lambda _, numbers: batch_label(numbers["batch"]),
    "sequence": lambda _, numbers: sequence_label(numbers["sequence"]),
    "precision": lambda words, _: f"{words['format']} products",
    "software": lambda words, _: words["software"] or "not named",
    "chip": lambda words, _: words["chip"],
    "family": lambda words, _: words["family"] or words["vendor"] or "none",
}  # fmt: skip
"""Regime -> label of a case. A family is one of chips."""


def ratios(cases: Validated, regime: str) -> dict[str, list[float]]:
    """Predicted over measured time by group of a regime, the largest groups first."""
    label, found = REGIMES[regime], dict[str, list[float]]()
    words = [dict(zip(WORDS, row, strict=True)) for row in zip(*(cases.words[n].tolist() for n in WORDS), strict=True)]
    numbers = [
        dict(zip(NUMBERS, row, strict=True)) for row in zip(*(cases.numbers[n].tolist() for n in NUMBERS), strict=True)
    ]
    for said, counted in zip(words, numbers, strict=True):
        found.setdefault(label(said, counted), []).append(float(np.exp(counted["error"])))
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_GROUPS])


def worst(cases: Validated, count: int = 20) -> list[int]:
    """Places of the cases whose predicted and measured times differ by the largest factors."""
    order = np.argsort(-np.abs(cases.numbers["error"]), kind="stable")
    return [int(place) for place in order[:count]]
