"""What all questions share: recording, assumptions, the shape of a hypothetical model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from costline import quantity
from costline.derivation import Node
from costline.derivation import explain as record_calls
from costline.engine.passes import Machine
from costline.errors import InputError
from costline.estimate import Assumption, Estimate
from costline.hardware.efficiency import SPREADS
from costline.models.decoder import Decoder
from costline.models.network import Network
from costline.models.stated import shape_of
from costline.numeric import Numeric
from costline.report.values import text, whole
from costline.resolve import Number, Site, number

Subject = TypeVar("Subject")
Asked = TypeVar("Asked")
WITH_UNIT = frozenset({"price", "budget"})
"""Inputs of which nobody means the SI unit, dollars a second, by a bare number in a file."""


@dataclass(frozen=True)
class Job(Generic[Subject, Asked]):
    """A question read: what runs, what is asked of it, where, and what was assumed to get there."""

    subject: Subject
    asked: Asked
    place: Site
    assumed: tuple[Assumption, ...]


def as_typed(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of a file as a flag would give them: a bare number that needs a unit is text, so that it is refused.

    Examples
    --------
    >>> as_typed({"price": 2.49, "batch": 8})
    {'price': '2.49', 'batch': 8}
    """
    return {name: _text(value) if name in WITH_UNIT else value for name, value in inputs.items()}


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@contextmanager
def recording(wanted: bool) -> Iterator[Node | None]:
    """Record formulas if asked to."""
    if not wanted:
        yield None
        return
    with record_calls() as record:
        yield record


def check_sizes(model: object, **sizes: object) -> None:
    """Refuse the size of a hypothetical model beside a model that has its own, and a shape that is no table of fields.

    Raises
    ------
    InputError
        Both are given, or the shape is something else.
    """
    shape_of(sizes.get("shape"))
    given = [
        name for name, value in sizes.items() if value is not None and not (isinstance(value, Mapping) and not value)
    ]
    if model is not None and given:
        raise InputError(
            f"{given[0]} is for a model of which only the size is known; leave out {given[0]} or the model"
        )


def read_batch(batch: Number) -> Numeric:
    """A batch that is stated; in words it is for ``--solve``.

    Raises
    ------
    InputError
        ``max`` and the like, with the question that finds it.
    """
    if isinstance(batch, str) and batch.strip().lower() in {"max", "maximum", "largest", "auto"}:
        raise InputError(f"batch {batch[:20]}: --solve batch finds the largest that fits; or state one, such as 64")
    return number(batch, quantity.COUNT, "batch", least=1, whole=True)


def shape_notes(network: Network, model: object) -> list[Assumption]:
    """The shape of a hypothetical model, to be seen and overridden; or what a configuration has and is not counted."""
    if model is not None:
        left_out = isinstance(network, Decoder) and network.source == "configuration" and network.note
        return [Assumption(name="model", value=left_out, kind="as configured")] if left_out else []
    size, used = text(network.params, "parameter"), text(network.active_params, "parameter")
    words = f"{whole(network.layers)} layers, width {whole(network.hidden_size)}, {size}"
    if used != size:
        words += f", {used} active"
    shape = network.shape if isinstance(network, Decoder) else None
    if shape is not None and np.any(shape.experts):
        words += f", {whole(shape.active_experts)} of {whole(shape.experts)} experts"
    return [Assumption(name="shape", value=f"{words} (--shape)", kind="assumed", source=network.source)]


def remarks(network: Network) -> tuple[str, ...]:
    """What every answer about a network must say."""
    return network.remarks if isinstance(network, Decoder) else ()


def finished(
    estimate: Estimate,
    assumptions: Sequence[Assumption],
    machine: Machine,
    record: Node | None,
    warnings: Sequence[str] = (),
) -> Estimate:
    """Add assumptions, the coefficients used, the derivation and what else must be said."""
    rows = sorted(machine.efficiency.used.values(), key=lambda row: (row.name, row.qualifier))
    used = tuple(
        Assumption(
            name=f"{row.name}{f' ({row.qualifier})' if row.qualifier else ''}",
            value=row.value,
            unit="ratio" if row.name in SPREADS else row.unit,
            source=row.source or row.note,
            kind=f"coefficient, {row.kind}",
            date=row.date,
        )
        for row in rows
    )
    said = (*warnings, *estimate.warnings)
    return replace(estimate, assumptions=(*assumptions, *estimate.assumptions, *used), record=record, warnings=said)
