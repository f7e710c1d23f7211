"""Intervals of predictions, from the held-out errors of the published cases that are most like them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costline.accuracy.predict import Scored, predicted
from costline.accuracy.prediction import Case, Prediction
from costline.accuracy.problem import Problem, group_of
from costline.accuracy.rows import Measurement
from costline.catalogue.validated_table import NUMBERS, VALIDATED_COLUMNS, Validated, factor_of, is_time
from costline.numeric import Array
from costline.plan import Plan
from costline.studies.likeness import LEFT_OUT, Likeness, Question, held_out_bounds, likeness


def question_of(case: Case) -> Question:
    """A case in the columns of the validated ones."""
    chip, setting = case.cluster.chip, case.setting
    words = {
        "model": group_of(case)[0], "chip": chip.id, "family": chip.family, "vendor": chip.vendor,
        "software": case.plan.software, "format": case.plan.compute,
    }  # fmt: skip
    numbers = {
        "params": float(_network(case).active_params), "chips": setting.chips,
        "batch": setting.batch, "sequence": float(setting.sequence),
    }  # fmt: skip
    return Question(targets=(setting.regime,), words=words, numbers=numbers)


def _network(case: Any) -> Any:
    network = getattr(case, "network", None)
    return case.pipeline.transformers[0][0] if network is None else network


def cells_of(row: Measurement, case: Case, error: float, *left_out: float) -> dict[str, str | float]:
    """A row in the columns of the validated cases.

    Parameters
    ----------
    row, case
        The measurement, and what it became.
    error : float
        Logarithm of prediction over measurement.
    *left_out : float
        The same with all rows of its chip held out, and of its software; nothing where that was not done.
    """
    asked, sign = question_of(case), 1.0 if is_time(row.metric) else -1.0
    apart = dict(zip(LEFT_OUT.values(), left_out or (math.nan, math.nan), strict=True))
    return {
        "id": row.id, "metric": row.metric, "target": case.setting.regime, **asked.words, **asked.numbers,
        "run": _run(case.plan),
        "measured": row.value or 0.0, "error": sign * error, **{name: sign * each for name, each in apart.items()},
    }  # fmt: skip


def _run(plan: Plan) -> str:
    """How a case ran, in words: what its software leaves open."""
    words = [f"{plan.year:.0f}" if plan.year else "", plan.attention, "" if plan.compiled else "eager"]
    return " ".join(filter(None, words))


def fitted_csv(problem: Problem, held_out: Array, *left_out: Array) -> str:
    """Fitted rows as the table of validated cases.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    held_out : array
        Logarithm of prediction over measurement of every row, its group held out.
    *left_out : array
        The same with all rows of its chip held out, and with all of its software.
    """
    errors = [each.tolist() for each in (held_out, *left_out)]
    rows = zip(problem.measurements, problem.cases, *errors, strict=True)
    return _validated_csv(cells_of(*row) for row in rows)


def scored_csv(rows: Iterable[Scored]) -> str:
    """Rows that can be predicted, as they were, as the table of validated cases."""
    found = ((row.measurement, row.case, predicted(row)) for row in rows if row.measurement.value)
    return _validated_csv(
        cells_of(row, case, math.log(float(made.value) * factor_of(row.metric) / float(row.value or math.nan)))
        for row, case, made in found
        if made is not None and case is not None
    )


def _validated_csv(lines: Iterable[dict[str, str | float]]) -> str:
    """Lines in the columns of the validated cases, as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(VALIDATED_COLUMNS)
    for cells in lines:
        cells |= {name: _digits(float(cells[name])) for name in NUMBERS}
        writer.writerow([cells[name] for name in VALIDATED_COLUMNS])
    return out.getvalue()


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4g}"


def interval(
    case: Case, metric: str, found: Prediction, cases: Validated, row_id: str = ""
) -> tuple[float, float, Likeness] | None:
    """80 % interval of a prediction in SI units, and what it rests on; None where nothing is comparable.

    The group of a row of the table itself is left out.
    """
    like = likeness(question_of(case), cases, apart=_group_of_row(cases, row_id))
    if like is None:
        return None
    return *_ends(float(found.value), metric, like.low, like.high), like


def with_intervals(rows: Sequence[Scored], cases: Validated) -> list[Scored]:
    """Predictions with their 80 % intervals; those of rows of the table are worked out all at once."""
    known = {name: place for place, name in enumerate(cases.words["id"].tolist())}
    many = sum(row.measurement.id in known for row in rows) >= MANY
    low, high = held_out_bounds(cases) if many else (None, None)
    found = []
    for row in rows:
        prediction, metric, place = predicted(row), row.measurement.metric, known.get(row.measurement.id)
        if prediction is None or row.case is None:
            found.append(row)
            continue
        if low is not None and high is not None and place is not None:
            ends = _ends(float(prediction.value), metric, math.exp(-high[place]), math.exp(-low[place]))
            held = ends if math.isfinite(low[place]) else None
        else:
            made = interval(row.case, metric, prediction, cases, row.measurement.id)
            held = None if made is None else made[:2]
        found.append(replace(row, interval=held))
    return found


def _ends(value: float, metric: str, low: float, high: float) -> tuple[float, float]:
    """Factors on a time as an interval of a prediction; of a rate the inverse."""
    return (value * low, value * high) if is_time(metric) else (value / high, value / low)


MANY = 100
"""Rows of the table from which on all their intervals are worked out at once."""


def _group_of_row(cases: Validated, row_id: str) -> Array | None:
    """Rows of the table that share model, chip and software with one of its rows."""
    places = np.flatnonzero(cases.words["id"] == row_id) if row_id else np.empty(0, dtype=int)
    if not places.size:
        return None
    group = cases.codes["group"]
    result: Array = group == group[places[0]]
    return result
