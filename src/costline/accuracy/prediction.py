"""What a prediction is, and what a row becomes before it is evaluated.

A `Case` holds everything that follows from a row and not from coefficients: network, cluster, plan, job. Evaluating it
takes a few milliseconds, so a fit evaluates the same cases with many sets of coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from costline.accuracy.refusal import Refusal
from costline.engine.passes import Machine
from costline.estimate import Figure
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.numeric import Numeric, largest, smallest
from costline.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A predicted metric.

    Attributes
    ----------
    value : float or array
        In SI units: seconds, or tokens a second. An array where coefficients are.
    low, high : float or array
        The value if nothing overlapped or everything did, smaller first.
    figure : Figure
        What the value is made of.
    """

    value: Numeric
    low: Numeric
    high: Numeric
    figure: Figure

    @property
    def alone(self) -> Prediction:
        """The same without what its figure is made of."""
        return replace(self, figure=Figure(name=self.figure.name, value=self.figure.value, unit=self.figure.unit))


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of a case without evaluating it: for tables, baselines and the reader.

    Attributes
    ----------
    family : str
        Kind of network.
    software : str
        Engine or framework.
    chips, batch, sequence : float
        Chips; sequences in flight or of a step; longest context or tokens of a sample.
    flops, simple_flops : float
        Model FLOPs of the job on all chips: counted, and by the rules of thumb (6ND, 2ND, 2NDT). [FLOP]
    peak : float
        Dense peak of all chips in the format of the products. [FLOP/s]
    amount : float
        What the metric's rate counts in the time of the job (tokens a chip or in all); 0 for a time.
    regime : str
        Which of the targets the row belongs to.
    assumed : tuple of str
        What the row leaves open and how it was closed.
    """

    family: str
    software: str
    chips: float
    batch: float
    sequence: float
    flops: float
    simple_flops: float
    peak: float
    amount: float
    regime: str
    assumed: tuple[str, ...] = field(default=())


class Case(Protocol):
    """A row ready to be evaluated."""

    @property
    def cluster(self) -> Cluster: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def setting(self) -> Setting: ...

    def evaluate(self, efficiency: Efficiency) -> Prediction:
        """Predict the metric with these coefficients."""
        ...


Outcome: TypeAlias = Prediction | Refusal


def machine_of(case: Case, efficiency: Efficiency) -> Machine:
    """The machine of a case."""
    return Machine(case.cluster, efficiency, case.plan)


def time_prediction(figure: Figure) -> Prediction:
    """Prediction of a time that has a bracket."""
    value = figure.amount
    low = value if figure.low is None else smallest(figure.low, value)
    high = value if figure.high is None else largest(figure.high, value)
    return Prediction(value=value, low=low, high=high, figure=figure)


def rate_prediction(name: str, amount: float, time: Figure, note: str = "") -> Prediction:
    """Prediction of a rate: `amount` in a time that has a bracket. [token/s]"""
    timed = time_prediction(time)
    value, low, high = (amount / seconds for seconds in (timed.value, timed.high, timed.low))
    counted = Figure(name="tokens in that time", value=amount, unit="token")
    figure = Figure(
        name=name, value=value, unit="token/s", low=low, high=high, combine="beside", children=(counted, time),
        note=note or "tokens over time",
    )  # fmt: skip
    return Prediction(value=value, low=low, high=high, figure=figure)
