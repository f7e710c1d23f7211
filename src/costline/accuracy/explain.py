"""One prediction with everything behind it, as an `Estimate`."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from costline.accuracy.held_out import predictions
from costline.accuracy.intervals import interval
from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.api.common import finished
from costline.api.validated import nearest_note
from costline.catalogue.validated_table import Validated, factor_of, validated_cases
from costline.derivation import explain
from costline.engine.passes import Machine
from costline.estimate import Assumption, Estimate, Figure
from costline.hardware.efficiency import Efficiency

LEFT_OUT = "its model, chip and software left out of the fit"


def explained(measurement: Measurement, efficiency: Efficiency, *, in_sample: bool = False) -> Estimate | Refusal:
    """Predict a row and keep its tree, its formulas, the coefficients it used and what it assumed.

    Parameters
    ----------
    measurement : Measurement
        The row.
    efficiency : Efficiency
        Coefficients.
    in_sample : bool
        Whether the row is one that they were fitted to, if it is scored.
    """
    case = prepare(measurement, efficiency)
    with explain() as record:
        outcome = evaluate(case, efficiency)
    if isinstance(outcome, Refusal) or isinstance(case, Refusal):
        return outcome if isinstance(outcome, Refusal) else Refusal("not predicted")
    unit = outcome.figure.unit
    cases = validated_cases(measured=efficiency.kernels is not None)
    found = interval(case, measurement.metric, outcome, cases, measurement.id)
    figures = {measurement.metric: outcome.figure if found is None else replace(outcome.figure, interval=found[:2])}
    title = f"{measurement.id}: {measurement.conditions.model} on {measurement.conditions.chip}, {measurement.metric}"
    if measurement.value is not None:
        measured = measurement.value / factor_of(measurement.metric)
        figures["measured"] = Figure(name="measured", value=measured, unit=unit, source=measurement.source)
        ratio = outcome.value / measured - 1
        apart = _held_out(cases, measurement.id) if in_sample else None
        words = "predicted over measured, less 1" + ("" if apart is None else "; in-sample")
        figures["error"] = Figure(name="error", value=ratio, unit="1", note=words)
        if apart is not None:
            figures["held_out_error"] = Figure(name="error, held out", value=apart, unit="1", note=LEFT_OUT)
    made = Estimate(study="accuracy", title=title, inputs=_stated(measurement), figures=figures)
    near = [] if found is None else [nearest_note(cases, row) for row in found[2].nearest]
    assumed = [Assumption(name="assumed", value=each, kind="assumed") for each in case.setting.assumed]
    plan = Assumption(name="plan", value=_plan_words(case.plan), kind="as read")
    return finished(made, [plan, *near, *assumed], Machine(case.cluster, efficiency, case.plan), record)


def _held_out(cases: Validated, row_id: str) -> float | None:
    """Predicted over measured, less 1, with the row's group left out of the fit; None for a row that is not in it."""
    some = cases.some(cases.words["id"] == row_id)
    return float((predictions(some) / some.numbers["measured"] - 1)[0]) if len(some) else None


def _stated(measurement: Measurement) -> dict[str, Any]:
    """Conditions that are not blank."""
    row = measurement.conditions
    values = {item.name: getattr(row, item.name) for item in fields(row) if item.name != "said"}
    return {name: value for name, value in values.items() if value not in {None, ""}}


def _plan_words(plan: Any) -> str:
    """Fields of a plan that differ from a plan of one chip in bf16."""
    usual = type(plan)()
    return ", ".join(f"{name}={value}" for name, value in vars(plan).items() if value != getattr(usual, name)) or "bf16"
