"""A computed value against what is stated: only what is measured alike can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from costline.derivation import Node
from costline.numeric import Array
from costline.quantity import Kind
from costline.studies.audit.document import CheckTable, ClaimTable
from costline.studies.audit.kinds import unit_of
from costline.studies.audit.shelf import Value
from costline.uncertainty.reading import ANY
from costline.uncertainty.study import span

COUNTS = {"", "1", "token", "parameter"}
"""Units of what is counted: a number alone can stand for any of them."""
ALIKE = {"s/token": "s", "ratio": "", "1": ""}
"""Units that are written as another."""
MEASURED: dict[str, Kind] = {unit_of(kind): kind for kind in ANY if unit_of(kind) not in COUNTS}
"""Units that texts state, with the kind of quantity; for any other unit (chips, nm, FLOP a byte) a number stands."""


@dataclass(frozen=True)
class CheckResult:
    """A check that was made; `reached` is whether one that fails lies within the model's own doubt."""

    check: CheckTable
    computed: Value
    stated: Value | None
    least: Value | None
    most: Value | None
    passed: bool
    reached: bool = False

    @property
    def refuted(self) -> bool:
        """Whether it is a premise, and fails."""
        return not self.passed and self.check.kind == "premise"


@dataclass(frozen=True)
class StepResult:
    """A step that was computed: what was called with what, and what came out."""

    name: str
    call: str
    arguments: Mapping[str, Any]
    value: Value
    node: Node | None


@dataclass(frozen=True)
class Found:
    """A claim with everything computed and nothing judged: checks, values to show, steps."""

    claim: ClaimTable
    checks: tuple[CheckResult, ...]
    right: tuple[Value | None, ...]
    shown: tuple[Value, ...]
    known: Mapping[str, Value]
    steps: tuple[StepResult, ...]


def unlike(one: str, other: str) -> bool:
    """Whether values in two units cannot be compared.

    Examples
    --------
    >>> unlike("FLOP", "USD"), unlike("FLOP", ""), unlike("chip", ""), unlike("1", "")
    (True, True, False, False)
    """
    one, other = ALIKE.get(one, one), ALIKE.get(other, other)
    if one == other:
        return False
    return one in MEASURED or other in MEASURED or bool(one and other)


def unit_fault(computed: Value, other: Value) -> str:
    """What is wrong with the unit of something that a value is compared with; empty for nothing.

    Examples
    --------
    >>> unit_fault(Value(6e24, "FLOP"), Value(6e24, "USD"))
    'is in USD, but what is computed is in FLOP; write e.g. 3.8e25 FLOP'
    """
    if not unlike(computed.unit, other.unit):
        return ""
    kind = MEASURED.get(ALIKE.get(computed.unit, computed.unit))
    fix = f"write e.g. {kind.example}" if kind else "write a number without a unit"
    return f"is {_in(other.unit)}, but what is computed is {_in(computed.unit)}; {fix}"


def _in(unit: str) -> str:
    return f"in {unit}" if ALIKE.get(unit, unit) else "a number without a unit"


def reversed_bounds(least: Value | None, most: Value | None) -> bool:
    """Whether nothing can lie between two bounds."""
    return least is not None and most is not None and _middle(least) > _middle(most)


def _middle(value: Value) -> float:
    return float(np.median(numbers(value)))


def numbers(value: Value) -> Array:
    """The samples of a value, or the only number."""
    return np.atleast_1d(np.asarray(value.number, dtype=float))


def passes(
    check: CheckTable, computed: Value, *, stated: Value | None, least: Value | None, most: Value | None
) -> bool:
    """Whether a value is what is stated, or within the bounds; of samples, whether their 80 % interval reaches it."""
    found = span(numbers(computed))
    if stated is not None:
        said = span(numbers(stated))
        factor = check.factor or 1.0
        slack = (check.tolerance or 0.0) * abs(said.median)
        low, high = said.low / factor - slack, said.high * factor + slack
    else:
        low = -np.inf if least is None else span(numbers(least)).low
        high = np.inf if most is None else span(numbers(most)).high
    return bool(found.high >= low and found.low <= high)
