"""Points of a sweep evaluated: each value is what the study itself says of that point.

Axes that the study takes as arrays go in as arrays, in pieces that stay in the processor's cache; the others are called
value by value. Pieces are cut at fixed places of a combination, so a point's value does not depend on the block, the
machine or the order it is worked out in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from costline.errors import CostlineError, PlanError, UnknownNameError
from costline.estimate import Estimate, Figure
from costline.numeric import Array
from costline.sweep.axes import Word
from costline.sweep.scenario import Scenario

ENDS = ("low", "high")


@dataclass
class Columns:
    """Points of a block, column by column.

    Attributes
    ----------
    point : array
        Number of each point.
    axes : mapping of str to array
        Axes of numbers by value, axes of words by the place of the word in its list.
    feasible : array
        Whether it can be run as asked.
    reason : list of str or None
        Why not, where the study says so.
    figures : mapping of str to array
        Figures; NaN is unknown. [SI unit of each]
    """

    point: Array
    axes: dict[str, Array]
    feasible: Array
    reason: list[str | None]
    figures: dict[str, Array] = field(default_factory=dict)


def places(scenario: Scenario, points: Array) -> tuple[Array, ...]:
    """Places of points along the dimensions of `Scenario.shape`."""
    return tuple(np.asarray(index) for index in np.unravel_index(points, scenario.shape))


def axis_columns(scenario: Scenario, points: Array) -> dict[str, Array]:
    """Axes of consecutive points, in the scenario's order."""
    index = places(scenario, points)
    before = len(scenario.called)
    sample = index[before]
    found: dict[str, Array] = {}
    for axis, place in zip(scenario.called, index[:before], strict=True):
        found[axis.name] = place if axis.words else axis.take(place)
    for axis, place in zip(scenario.arrays, index[before + 1 :], strict=True):
        found[axis.name] = axis.take(place)
    for stream, axis in enumerate(scenario.random):
        low, high = int(sample.min()), int(sample.max())
        found[axis.name] = axis.draw(np.arange(low, high + 1), scenario.seed, stream)[sample - low]
    return {axis.name: found[axis.name] for axis in scenario.axes}


def pieces(scenario: Scenario, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut points `start` to `stop` where a combination ends and at multiples of a piece within it."""
    inner, piece = scenario.inner, scenario.piece
    while start < stop:
        origin = start - start % inner
        end = min(stop, origin + inner, origin + ((start - origin) // piece + 1) * piece)
        yield start, end
        start = end


def evaluate(scenario: Scenario, figures: tuple[str, ...], start: int, stop: int) -> Columns:
    """Evaluate points `start` to `stop`.

    Parameters
    ----------
    scenario : Scenario
        What is asked.
    figures : tuple of str
        What is kept.
    start, stop : int
        First point, and the one after the last.
    """
    size = stop - start
    points = np.arange(start, stop)
    result = Columns(points, {}, np.zeros(size, dtype=bool), [None] * size)
    result.figures = {name: np.full(size, np.nan) for name in figures}
    found: dict[str, list[Array]] = {axis.name: [] for axis in scenario.axes}
    for low, high in pieces(scenario, start, stop):
        axes = axis_columns(scenario, np.arange(low, high))
        for name, column in axes.items():
            found[name].append(column)
        _fill(result, scenario, axes, low - start, high - start)
    result.axes = {name: np.concatenate(parts) for name, parts in found.items()}
    return result


def _fill(result: Columns, scenario: Scenario, axes: Mapping[str, Array], low: int, high: int) -> None:
    """Ask the study about one piece; where it refuses, about its halves, down to the points it cannot answer."""
    try:
        estimate = scenario.asked.question(**call(scenario, axes))
    except CostlineError as error:
        # whether a plan suits a machine is a matter of the called axes, the same for the whole piece
        if high - low == 1 or scenario.inner == 1 or isinstance(error, PlanError):
            result.reason[low:high] = [str(error)] * (high - low)
            return
        middle = (high - low) // 2
        _fill(result, scenario, {name: column[:middle] for name, column in axes.items()}, low, low + middle)
        _fill(result, scenario, {name: column[middle:] for name, column in axes.items()}, low + middle, high)
        return
    result.feasible[low:high] = np.broadcast_to(np.asarray(estimate.feasible, dtype=bool), high - low)
    if estimate.reason:
        result.reason[low:high] = [estimate.reason] * (high - low)
    for name, column in result.figures.items():
        with suppress(UnknownNameError):  # an image has no seconds of video; another point of the sweep has
            column[low:high] = figure_value(estimate, name)


def call(scenario: Scenario, axes: Mapping[str, Array]) -> dict[str, Any]:
    """Inputs of the study at the points of a piece, which share the values of the called axes."""
    values: dict[str, Any] = {}
    arrays = scenario.array_names if scenario.inner > 1 else frozenset[str]()
    for axis in scenario.axes:
        column = axes[axis.name]
        if axis.name in arrays:
            values[axis.name] = column
        elif axis.words:
            values[axis.name] = axis.words[int(column[0])]
        else:
            number = float(column[0])
            values[axis.name] = int(number) if axis.whole else number
    return nested(scenario.inputs, values)


def nested(fixed: Mapping[str, Any], values: Mapping[str, Word | Array]) -> dict[str, Any]:
    """Fixed and varied inputs together; ``plan.tensor`` goes into the table `plan`."""
    together: dict[str, Any] = dict(fixed)
    for name, value in values.items():
        table, _, key = name.partition(".")
        together[table] = {**(together.get(table) or {}), key: value} if key else value
    return together


def figure_value(estimate: Estimate, name: str) -> Any:
    """A figure, one end of its bracket (``tpot.low``), a part of it (``memory/weights``), or a field of its plan.

    Raises
    ------
    UnknownNameError
        No such figure.
    """
    if name.startswith("plan.") and name[5:] in estimate.inputs:
        return estimate.inputs[name[5:]]
    path, _, end = name.partition(".")
    found = find(estimate, path)
    value = getattr(found, end) if end in ENDS else found.value
    if end and end not in ENDS:
        raise UnknownNameError("end of a bracket", end, ENDS)
    return np.nan if value is None else value


def find(estimate: Estimate, path: str) -> Figure:
    """A figure by its path."""
    first, *rest = path.split("/")
    found = estimate.figure(first)
    for name in rest:
        below = {child.name: child for child in found.children}
        if name not in below:
            raise UnknownNameError(f"part of {found.name}", name, below)
        found = below[name]
    return found
