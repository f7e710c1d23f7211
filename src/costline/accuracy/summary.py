"""Everything the report shows: scores of groups with baselines beside them, and what was not predicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from costline.accuracy.baselines import baselines, in_units, roofline
from costline.accuracy.groups import grouped
from costline.accuracy.held_out import HeldOut
from costline.accuracy.intervals import with_intervals
from costline.accuracy.outcomes import outcomes
from costline.accuracy.predict import Scored, predicted, prepare, scored
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurements
from costline.accuracy.score import Summary, error_of, refusals, summary_by, summary_of
from costline.catalogue.validated_table import factor_of, validated_cases
from costline.hardware.efficiency import Efficiency

SCHEMA = "costline.accuracy/1"
"""Name and version of the JSON form."""

TARGETS: Mapping[str, tuple[float, float]] = {
    "train, dense": (0.07, 0.20),
    "train, MoE": (0.12, 0.30),
    "serve, fixed batch": (0.10, 0.30),
    "serve, prefill": (0.10, 0.30),
    "serve, full engine": (0.12, 0.35),
    "serve, TTFT under load": (0.20, 0.50),
    "generate, dense 16-bit": (0.08, 0.25),
    "generate, narrow/offloaded": (0.15, 0.40),
}
"""Target -> median and 90th percentile of the error that costline aims at under cross-validation."""
UNSEEN_CHIP_AIM = (0.15, 0.40)
"""The same for a table where no row of a chip was fitted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Scores of one group of rows.

    Attributes
    ----------
    label : str
        Value of the grouping.
    own : Summary
        costline's predictions.
    rivals : mapping of str to Summary or None
        The baselines, by name.
    held_out : Summary, optional
        Predictions of the same rows by coefficients fitted without their groups; None where no fit has read them.
    """

    label: str
    own: Summary
    rivals: Mapping[str, Summary | None]
    held_out: Summary | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """All rows with their predictions, and the scores of the asked groupings.

    Attributes
    ----------
    rows : sequence of Scored
        The rows.
    groups : mapping of str to sequence of Group
        Scores by grouping.
    in_sample : bool
        Whether the coefficients were fitted to these rows.
    """

    rows: Sequence[Scored]
    groups: Mapping[str, Sequence[Group]]
    in_sample: bool = False

    @property
    def predicted(self) -> int:
        """Rows with a prediction."""
        return sum(predicted(row) is not None for row in self.rows)

    @property
    def refused(self) -> Counter[str]:
        """Reasons of the other rows and how often each occurs, with the table in front."""
        found: Counter[str] = Counter()
        for table in dict.fromkeys(row.measurement.table for row in self.rows):
            own = refusals(row for row in self.rows if row.measurement.table == table)
            found.update({f"{table}: {reason}": count for reason, count in own.items()})
        return found


def report(
    tables: Sequence[Measurements], efficiency: Efficiency, by: Sequence[str] = ("table", "target"), *,
    unscored: bool = False, in_sample: bool = False,
) -> Report:  # fmt: skip
    """Predict and score.

    Parameters
    ----------
    tables : sequence of Measurements
        What was read.
    efficiency : Efficiency
        Coefficients.
    by : sequence of str
        Groupings, of `costline.accuracy.groups.DIMENSIONS`.
    unscored : bool
        Also rows whose source leaves too much open to be scored.
    in_sample : bool
        Whether the coefficients were fitted to these rows, so that held-out errors belong beside those of now.
    """
    chosen = [row for table in tables for row in table.rows if row.scored or unscored]
    plain = efficiency.asking(None)
    used = {"own": efficiency, "roofline": roofline(plain)} | ({} if efficiency.kernels is None else {"model": plain})
    validated = validated_cases() if efficiency.kernels is None else validated_cases(measured=True)
    cases = [prepare(row, efficiency) for row in chosen]
    with outcomes(chosen, cases, list(used.values())) as predict:
        apart = HeldOut.of(validated) if in_sample else None
        made = predict()
    found = {name: [each[place] for each in made] for place, name in enumerate(used)}
    rows = [scored(*each) for each in zip(chosen, cases, found.pop("own"), strict=True)]
    values = {name: in_units(chosen, each) for name, each in found.items()}
    rivals = baselines(rows, values.pop("roofline"))
    rows = with_intervals(rows, validated)
    place = {id(row): index for index, row in enumerate(rows)}
    groups = {dimension: _groups(grouped(rows, dimension), {**values, **rivals}, place, apart) for dimension in by}
    return Report(rows=rows, groups=groups, in_sample=in_sample)


def _groups(
    labelled: Mapping[str, Sequence[Scored]], rivals: Mapping[str, Sequence[float | None]], place: Mapping[int, int],
    apart: HeldOut | None,
) -> list[Group]:  # fmt: skip
    found = []
    for label, rows in labelled.items():
        known = [row for row in rows if predicted(row)]
        own = summary_of(known)
        if own is None:
            continue
        others = {name: summary_by(known, [values[place[id(row)]] for row in known]) for name, values in rivals.items()}
        left_out = None if apart is None else apart.summary(rows)
        found.append(Group(label=label, own=own, rivals=others, held_out=left_out))
    return found


def as_dict(made: Report) -> dict[str, object]:
    """The report as plain values, ready for JSON."""
    unpredicted = [
        {"id": row.measurement.id, "table": row.measurement.table, "reason": row.outcome.reason}
        for row in made.rows
        if isinstance(row.outcome, Refusal)
    ]
    return {
        "schema": SCHEMA,
        "rows": len(made.rows),
        "predicted": made.predicted,
        "in_sample": made.in_sample,
        "groups": {name: [_group_dict(group) for group in groups] for name, groups in made.groups.items()},
        "not_predicted": unpredicted,
    }


def _group_dict(group: Group) -> dict[str, object]:
    rivals = {name: None if one is None else asdict(one) for name, one in group.rivals.items()}
    target = TARGETS.get(group.label)
    aim = {} if target is None else {"target": {"median": target[0], "p90": target[1]}}
    left_out = {} if group.held_out is None else {"held_out": asdict(group.held_out)}
    return {"label": group.label, **asdict(group.own), **left_out, "baselines": rivals, **aim}


def lines(made: Report) -> list[dict[str, object]]:
    """One line a row: id, metric, measured, predicted, 80 % interval, ape, reason; in the unit of the metric."""
    return [_line(row) for row in made.rows]


def _line(row: Scored) -> dict[str, object]:
    measurement = row.measurement
    body: dict[str, object] = {"id": measurement.id, "metric": measurement.metric, "measured": measurement.value}
    found = predicted(row)
    if found is None:
        reason = row.outcome.reason if isinstance(row.outcome, Refusal) else ""
        return body | {"predicted": None, "low": None, "high": None, "ape": None, "reason": reason}
    factor = factor_of(measurement.metric)
    low, high = (None, None) if row.interval is None else (end * factor for end in row.interval)
    return body | {"predicted": found.value * factor, "low": low, "high": high, "ape": error_of(row), "reason": ""}
