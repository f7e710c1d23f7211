"""Questions with lists: asked for every combination; and with long arrays: asked block by block."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass, replace
from itertools import product
from typing import Any, ParamSpec, Protocol, cast, overload

import numpy as np

from costline.errors import InputError
from costline.estimate import Estimate, Figure
from costline.labelled import Labelled, combined
from costline.numeric import Array
from costline.uncertainty.ranged import ARRAYS_AND_RANGES

P = ParamSpec("P")

LISTED = (
    "model", "on", "precision", "plan", "batching", "resolution", "curriculum", "shape", "catalogue", "engine",
    "engine_date", "attention", "compile",
)  # fmt: skip
"""Inputs that are no numbers: a list of them is an axis."""
LONG = 2**15
"""Points asked about together: arrays of a quarter of a megabyte, of which a core's cache holds those in use."""
SHAPING = ("params", "active", "vision")
"""Sizes that a network is shaped for, whole layers and heads: of an array of them each is a question of its own."""
MOST_COMBINATIONS = 100_000


class Question(Protocol[P]):
    """A question: an estimate for one of each input, labelled figures where an input is a list."""

    __name__: str

    @overload
    def __call__(self, *args: P.args, **inputs: P.kwargs) -> Estimate: ...
    @overload
    def __call__(self, *args: Any, **inputs: Any) -> Labelled: ...


def over_lists(question: Callable[P, Estimate]) -> Question[P]:
    """Let a question take lists of models, chips, precisions and plans, and arrays of any length."""
    signature = inspect.signature(question)

    @functools.wraps(question)
    def asked(*args: Any, **inputs: Any) -> Any:
        given = dict(signature.bind_partial(*args, **inputs).arguments)
        axes = {name: list(given[name]) for name in LISTED if isinstance(given.get(name), list | tuple)}
        if not axes:
            return _in_blocks(question, given)
        _check(axes)
        arrays = dict(_arrays(given))
        answers = [
            _in_blocks(question, {**given, **dict(zip(axes, values, strict=True))})
            for values in product(*axes.values())
        ]
        return combined({name: _labels(values) for name, values in axes.items()}, arrays, answers)

    return cast(Question[P], asked)


def _check(axes: Mapping[str, Sequence[Any]]) -> None:
    empty = [name for name, values in axes.items() if not values]
    if empty:
        raise InputError(f"{empty[0]}: an empty list has no answer")
    number = int(np.prod([len(values) for values in axes.values()]))
    if number > MOST_COMBINATIONS:
        raise InputError(f"{number:,} combinations of lists; at most {MOST_COMBINATIONS:,} (see costline sweep)")


def _labels(values: Sequence[Any]) -> list[Any]:
    """Words for the values: text and numbers as given, objects by their name."""
    plain = (str, int, float)
    return [value if isinstance(value, plain) else getattr(value, "name", None) or str(value) for value in values]


def _arrays(inputs: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Array]]:
    """Arrays among the inputs, those inside tables by dotted name."""
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            yield before + name, value
        elif isinstance(value, Mapping):
            yield from _arrays(value, f"{before}{name}.")


def _in_blocks(question: Callable[..., Estimate], inputs: dict[str, Any]) -> Estimate:
    """Ask about long arrays block by block, so that what lies between fits in the cache; about sizes one by one."""
    points = _points(inputs)
    number = int(np.prod(points))
    if any(isinstance(value, np.ndarray) for value in _plan_of(inputs).values()):
        return _by_plan(question, inputs, points)
    if shaping := [name for name in SHAPING if isinstance(inputs.get(name), np.ndarray)]:
        if inputs.get("explain") and number > 1:
            raise InputError(f"{shaping[0]}: the derivation is of one size at a time, not of {number}")
        answers = [question(**_cut(inputs, points, at)) for at in range(number)]
        return _joined(answers, points, [1] * number) if points else answers[0]
    if number <= LONG or inputs.get("explain"):
        return question(**inputs)
    starts = range(0, number, LONG)
    answers = [question(**_cut(inputs, points, slice(start, min(start + LONG, number)))) for start in starts]
    return _joined(answers, points, [min(LONG, number - start) for start in starts])


def _points(inputs: Mapping[str, Any]) -> tuple[int, ...]:
    """Shape that all arrays broadcast to."""
    shapes = {name: array.shape for name, array in _arrays(inputs)}
    if empty := [name for name, shape in shapes.items() if 0 in shape]:
        raise InputError(f"{empty[0]}: an empty array has no answer")
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        words = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"arrays of shapes that do not broadcast: {words}") from None


def _plan_of(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Plan fields that are given one by one."""
    plan = inputs.get("plan")
    return plan if isinstance(plan, Mapping) else {}


def _by_plan(question: Callable[..., Estimate], inputs: dict[str, Any], points: tuple[int, ...]) -> Estimate:
    """Ask once for each combination of the plan's fields, about all the points that have it."""
    plan = _plan_of(inputs)
    varied = {name: value for name, value in plan.items() if isinstance(value, np.ndarray)}
    flat = [np.broadcast_to(value, points).reshape(-1).tolist() for value in varied.values()]
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, combination in enumerate(zip(*flat, strict=True)):
        places.setdefault(combination, []).append(place)
    answers = []
    for combination, found in places.items():
        chosen = {**plan, **dict(zip(varied, combination, strict=True))}
        answers.append(_in_blocks(question, {**_cut(inputs, points, np.asarray(found)), "plan": chosen}))
    order = np.argsort(np.concatenate(list(places.values())))
    return _joined(answers, points, [len(found) for found in places.values()], order)


def _cut(inputs: Mapping[str, Any], points: tuple[int, ...], part: slice | int | Array) -> dict[str, Any]:
    """Inputs of some of the points, or the numbers of one."""
    cut: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            every = value.size == 1 and not isinstance(part, int)
            cut[name] = value.reshape(-1) if every else np.broadcast_to(value, points).reshape(-1)[part]
        else:
            cut[name] = _cut(value, points, part) if isinstance(value, Mapping) else value
    return cut


def _joined(
    answers: Sequence[Estimate], points: tuple[int, ...], sizes: Sequence[int], order: Array | None = None
) -> Estimate:
    """Answers about blocks of some sizes as one about all points; with an order, about points that were sorted."""
    first = answers[0]
    values = [figure.value for answer in answers for figure in answer.figures.values()]
    if any(isinstance(value, np.ndarray) and value.size > max(sizes) for value in values):
        raise InputError(ARRAYS_AND_RANGES)
    alone = max(sizes) == 1 or order is not None

    def together(values: Sequence[Any]) -> Any:
        differ = alone and not all(_same(value, values[0]) for value in values)
        if not differ and not any(isinstance(value, np.ndarray) and value.size > 1 for value in values):
            return values[0]
        numbers = [np.nan if value is None else value for value in values]
        whole = np.concatenate([np.broadcast_to(value, size) for value, size in zip(numbers, sizes, strict=True)])
        return (whole if order is None else whole[order]).reshape(points)

    def one(figures: Sequence[Figure]) -> Figure:
        merged = {key: together([getattr(figure, key) for figure in figures]) for key in ("value", "low", "high")}
        if alone:  # what is said of a point, such as what binds it, is not said of all
            merged |= {"interval": None, "note": figures[0].note if len({each.note for each in figures}) == 1 else ""}
        names = dict.fromkeys(child.name for figure in figures for child in figure.children)
        children = tuple(one([_child(figure, name, figures) for figure in figures]) for name in names)
        return replace(figures[0], **merged, children=children)

    figures = {name: one([answer.figures[name] for answer in answers]) for name in first.figures}
    asked = {name: together([answer.inputs[name] for answer in answers]) for name in first.inputs}
    said = _said(answers) if alone else {}
    feasible = together([answer.feasible for answer in answers])
    return replace(first, figures=figures, inputs=asked, feasible=feasible, **said)


def _same(one: Any, other: Any) -> bool:
    """Whether two numbers, words or arrays are equal; tables of several are taken to be."""
    single = not isinstance(one, np.ndarray | list | tuple) and not is_dataclass(one)
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else not single or bool(np.all(one == other))


def _child(figure: Figure, name: str, figures: Sequence[Figure]) -> Figure:
    """A part of a figure by name; where only others have it, it takes nothing."""
    found = next((child for child in figure.children if child.name == name), None)
    if found is None:
        like = next(child for each in figures for child in each.children if child.name == name)
        found = replace(like, value=0.0, low=None, high=None, interval=None, children=())
    return found


def _said(answers: Sequence[Estimate]) -> dict[str, Any]:
    """Words on many points: every warning, the assumptions they share, what the first that does not fit lacks."""
    unfit = next((answer for answer in answers if not np.all(answer.feasible)), answers[0])
    shared = tuple(row for row in answers[0].assumptions if all(row in answer.assumptions for answer in answers))
    warnings = tuple(dict.fromkeys(line for answer in answers for line in answer.warnings))
    return {"warnings": warnings, "assumptions": shared, "reason": unfit.reason, "change": unfit.change}
