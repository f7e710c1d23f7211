"""From measurements to predictions, row by row; one row whose inputs are nonsense never stops the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from costline.accuracy.predict_generate import prepare_generate
from costline.accuracy.predict_serve import prepare_serve
from costline.accuracy.predict_train import prepare_train
from costline.accuracy.prediction import Case, Outcome, Prediction
from costline.accuracy.refusal import Refusal, UnpredictableError
from costline.accuracy.rows import GenerateRow, Measurement, ServeRow, TrainRow
from costline.errors import CostlineError
from costline.hardware.efficiency import Efficiency


@dataclass(frozen=True, slots=True)
class Scored:
    """A measurement, what it was turned into, what was predicted, and the 80 % interval of that in SI units."""

    measurement: Measurement
    case: Case | None
    outcome: Outcome
    interval: tuple[float, float] | None = None


def prepare(measurement: Measurement, efficiency: Efficiency) -> Case | Refusal:
    """Turn the conditions of a row into a case, or say why that is not possible.

    Parameters
    ----------
    measurement : Measurement
        The row; its value is not looked at.
    efficiency : Efficiency
        Coefficients that decide whether something fits in memory.
    """
    if measurement.faults:
        return Refusal("; ".join(measurement.faults))
    row = measurement.conditions
    try:
        match row:
            case TrainRow():
                return prepare_train(row, efficiency)
            case ServeRow():
                return prepare_serve(row, efficiency)
            case GenerateRow():
                return prepare_generate(row, efficiency)
    except (UnpredictableError, CostlineError) as error:
        return Refusal(str(error))
    except (ArithmeticError, ValueError) as error:
        return Refusal(f"its numbers cannot be worked with: {error}")


def evaluate(case: Case | Refusal, efficiency: Efficiency) -> Outcome:
    """Predict a case; a refusal stays one, and a figure that is not a positive number becomes one."""
    if isinstance(case, Refusal):
        return case
    try:
        found = case.evaluate(efficiency)
    except CostlineError as error:
        return Refusal(str(error))
    except (ArithmeticError, ValueError) as error:
        return Refusal(f"its numbers cannot be worked with: {error}")
    if not np.all(np.isfinite(found.value) & (np.asarray(found.value) > 0)):
        return Refusal(f"the prediction is {found.value}")
    return found


def scored(measurement: Measurement, case: Case | Refusal, outcome: Outcome) -> Scored:
    """A measurement with what was predicted."""
    return Scored(measurement, None if isinstance(case, Refusal) else case, outcome)


def predict(measurements: Iterable[Measurement], efficiency: Efficiency) -> Iterator[Scored]:
    """Predict every row."""
    for measurement in measurements:
        case = prepare(measurement, efficiency)
        yield scored(measurement, case, evaluate(case, efficiency))


def predicted(scored: Scored) -> Prediction | None:
    """The prediction, if there is one."""
    return scored.outcome if isinstance(scored.outcome, Prediction) else None
