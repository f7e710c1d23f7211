"""What the accuracy page is made of: the shipped tables, or predictions made now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from costline.accuracy.held_out import cases_of, inside, inside_of_others, shipped_weights
from costline.accuracy.page import Evidence
from costline.accuracy.predict import predict, predicted
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import all_shipped
from costline.accuracy.score import Summary, configuration, weights
from costline.accuracy.summary import Report
from costline.catalogue import shipped
from costline.catalogue.diagnosis_table import shipped_diagnoses
from costline.catalogue.explained_table import shipped_explanations
from costline.catalogue.standing_table import Pair, Standing, shipped_standing
from costline.catalogue.validated_table import validated_cases

Refused = Sequence[tuple[str, str, str]]


def shipped_evidence(made: Report | None = None) -> Evidence:
    """The measurements that come with costline, with held-out errors.

    Parameters
    ----------
    made : Report, optional
        Predictions of them made now, by target: in-sample errors and baselines are then those of now. Without them
        they are those of the last fit, and only rows that have no held-out error are looked at.
    """
    cases = validated_cases()
    weight, configurations = shipped_weights(cases)
    standing = {row.target: row for row in shipped_standing()}
    if made is not None:
        standing = _now(made, standing)
    return Evidence(
        cases=cases, weight=weight, configurations=configurations, covered=inside(cases), standing=standing,
        refused=_refused_of_shipped(set(cases.words["id"].tolist())) if made is None else _refused(made),
        explanations=shipped_explanations(), diagnoses=shipped_diagnoses(),
    )  # fmt: skip


def own_evidence(made: Report) -> Evidence:
    """Measurements of the reader's own, predicted with the shipped coefficients."""
    rows = [row for row in made.rows if predicted(row) is not None and row.measurement.value]
    measurements = [row.measurement for row in rows]
    return Evidence(
        cases=cases_of(rows), weight=weights(measurements), configurations=[configuration(row) for row in measurements],
        covered=inside_of_others(rows, validated_cases()), held_out=False, standing=_now(made, {}),
        refused=_refused(made),
    )  # fmt: skip


def _now(made: Report, before: Mapping[str, Standing]) -> dict[str, Standing]:
    """Standing of each target with in-sample errors and baselines replaced by those of now."""
    found = {}
    for group in made.groups["target"]:
        base = before.get(group.label, Standing(target=group.label, rows=group.own.rows))
        pairs = {"in_sample": _pair(group.own), **{name: _pair(one) for name, one in group.rivals.items() if one}}
        found[group.label] = replace(base, rows=group.own.rows, errors={**base.errors, **pairs})
    return found


def _pair(summary: Summary) -> Pair:
    return summary.median, summary.p90


def _refused(made: Report) -> Refused:
    return [
        (row.measurement.table, row.measurement.id, row.outcome.reason)
        for row in made.rows
        if isinstance(row.outcome, Refusal)
    ]


def _refused_of_shipped(known: set[str]) -> Refused:
    """Scored rows without a held-out error, predicted now to learn the reason."""
    lacking = [row for table in all_shipped() for row in table.rows if row.scored and row.id not in known]
    if not known:
        return []
    found = predict(lacking, shipped.efficiency())
    return [
        (row.measurement.table, row.measurement.id, row.outcome.reason)
        for row in found
        if isinstance(row.outcome, Refusal)
    ]
