"""Estimates: trees of figures that add up, with what was asked, assumed and found impossible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.derivation import Node
from costline.engine.timing import Timing
from costline.errors import CostlineError, UnknownNameError
from costline.numeric import Numeric, add_up, largest, smallest

Combine: TypeAlias = Literal["leaf", "sum", "max", "product", "beside"]
"""How a figure follows from its children; ``beside`` children explain it but are not combined."""

SCHEMA = "costline.estimate/1"
"""Name and version of the JSON form."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number, what it is made of and where it comes from.

    Attributes
    ----------
    name : str
        What it is.
    value : float, array or None
        In the SI unit; None is unknown.
    unit : str
        SI unit: FLOP, byte, s, W, J, USD, token, 1, ...; ratios with a slash.
    combine : {"leaf", "sum", "max", "product", "beside"}
        How the value follows from the children.
    children : tuple of Figure
        What it is made of.
    low, high : float, array or None
        Bracket: the value if everything overlapped, and if nothing did.
    interval : tuple of float, optional
        Holds the true value in 80 of 100 cases, going by published cases like this one.
    falls : bool
        Whether it falls where the time that is predicted grows, as a rate does.
    note, source : str
        Convention, what binds, or why it is unknown; reference.
    """

    name: str
    value: Numeric | None
    unit: str
    combine: Combine = "leaf"
    children: tuple[Figure, ...] = ()
    low: Numeric | None = None
    high: Numeric | None = None
    note: str = ""
    source: str = ""
    interval: tuple[float, float] | None = None
    falls: bool = False

    @property
    def amount(self) -> Numeric:
        """Value of a figure that cannot be unknown. [its SI unit]

        Raises
        ------
        CostlineError
            It is unknown all the same.
        """
        if self.value is None:
            raise CostlineError(f"{self.name} is unknown: {self.note or 'no value'}")
        return self.value

    def walk(self) -> Iterator[Figure]:
        """Yield this figure and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def recombined(self) -> Numeric | None:
        """Value computed again from the children; equal to `value` for every combined figure."""
        values = [child.value for child in self.children if child.value is not None]
        if self.combine in {"leaf", "beside"} or len(values) < len(self.children):
            return self.value
        if self.combine == "max":
            return largest(*values)
        total: Numeric = 0.0 if self.combine == "sum" else 1.0
        for value in values:
            total = total + value if self.combine == "sum" else total * value
        return total


def total(name: str, unit: str, children: Iterable[Figure], **details: Any) -> Figure:
    """A figure that is the sum of its children; unknown if one of them is."""
    listed = tuple(children)
    values = [child.value for child in listed if child.value is not None]
    value = add_up(values) if len(values) == len(listed) else None
    return Figure(name=name, value=value, unit=unit, combine="sum", children=listed, **details)


def timed(name: str, timing: Timing, **details: Any) -> Figure:
    """A figure for a `Timing`: groups below it, bracket beside it, what binds as its note."""
    most = {group: _most(value) for group, value in timing.groups.items()}
    groups = sorted((group for group in most if most[group]), key=lambda group: -most[group])
    children = [Figure(name=group, value=timing.groups[group], unit="s") for group in groups]
    details.setdefault("note", "" if np.ndim(timing.point) else f"bound by {timing.binds}")
    figure = total(name, "s", children, low=smallest(timing.lower, timing.point), high=timing.upper, **details)
    return figure if children else Figure(name=name, value=timing.point, unit="s", **details)


def _most(value: Numeric) -> float:
    return float(value.max() if isinstance(value, np.ndarray) else value)


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """An input nobody stated: its value, and who says so.

    Attributes
    ----------
    name : str
        What was assumed.
    value : float, str or None
        In the SI unit.
    unit, source, kind, date : str
        Unit, reference, kind of evidence (measured, datasheet, derived, estimated, assumed, user), date.
    """

    name: str
    value: float | str | None
    unit: str = ""
    source: str = ""
    kind: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The answer to one question.

    Attributes
    ----------
    study, title : str
        Which study; the question in words.
    inputs : mapping
        What was asked, defaults included, as given.
    figures : mapping of str to Figure
        The answer, most important first.
    feasible : bool or array
        Whether it can be run as asked.
    reason, change : str
        Why not; the nearest change that makes it feasible.
    warnings, assumptions : tuple
        What the reader must know; what was assumed.
    record : Node or None
        Recorded derivation, if asked for.
    """

    study: str
    title: str
    inputs: Mapping[str, Any]
    figures: Mapping[str, Figure]
    feasible: bool | np.ndarray[Any, np.dtype[np.bool_]] = True
    reason: str = ""
    change: str = ""
    warnings: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    record: Node | None = field(default=None, repr=False, compare=False)

    def __getitem__(self, name: str) -> Numeric | None:
        """Value of a figure by name. [its SI unit]"""
        return self.figure(name).value

    @property
    def settings(self) -> Mapping[str, Any]:
        """What an export of the figures must say to be understood."""
        return self.inputs

    def figure(self, name: str) -> Figure:
        """Figure by name.

        Raises
        ------
        UnknownNameError
            No such figure in this study.
        """
        if name not in self.figures:
            raise UnknownNameError("figure", name, self.figures, listed=self.figures)
        return self.figures[name]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain Python values, ready for JSON; the layout is versioned by ``schema``."""
        return {
            "schema": SCHEMA,
            "study": self.study,
            "title": self.title,
            "inputs": {name: plain(value) for name, value in self.inputs.items()},
            "feasible": plain(self.feasible),
            "reason": self.reason,
            "change": self.change,
            "figures": {name: _figure_dict(figure) for name, figure in self.figures.items()},
            "warnings": list(self.warnings),
            "assumptions": [{key: plain(value) for key, value in vars(row).items()} for row in self.assumptions],
        }

    def to_frame(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Columns by figure, one row a point of the sweep: what ``pandas.DataFrame`` or ``polars.DataFrame`` take."""
        values = {name: figure.value for name, figure in self.figures.items()}
        arrays = {name: np.asarray(np.nan if value is None else value, dtype=float) for name, value in values.items()}
        spread = np.broadcast_arrays(*arrays.values()) if arrays else []
        return {name: np.ravel(array) for name, array in zip(arrays, spread, strict=True)}


def _figure_dict(figure: Figure) -> dict[str, Any]:
    body: dict[str, Any] = {"value": plain(figure.value), "unit": figure.unit}
    for key in ("low", "high"):
        if getattr(figure, key) is not None:
            body[key] = plain(getattr(figure, key))
    if figure.interval is not None:
        body["interval"] = {"low": plain(figure.interval[0]), "high": plain(figure.interval[1]), "share": 0.8}
    for key in ("note", "source"):
        if getattr(figure, key):
            body[key] = getattr(figure, key)
    if figure.children:
        body["combine"] = figure.combine
        body["children"] = [{"name": child.name, **_figure_dict(child)} for child in figure.children]
    return body


def plain(value: Any) -> Any:
    """Return `value` with arrays as lists, NumPy scalars as Python's, and infinities and NaN as None."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
