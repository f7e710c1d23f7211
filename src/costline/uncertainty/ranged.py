"""Questions with ranges: asked once at the medians, then at every sample, with the plans of the medians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, ParamSpec

import numpy as np

from costline.errors import InputError
from costline.estimate import Estimate
from costline.plan import Plan
from costline.uncertainty.draws import Draws, active, drawing, settings

P = ParamSpec("P")

ARRAYS_AND_RANGES = "a question takes arrays or ranges, not both: ask value by value, or use costline sweep for both"
"""Error where an input is an array and another one a range."""


def ranged(question: Callable[P, Estimate]) -> Callable[P, Estimate]:
    """Let a question take ranges wherever it takes a number."""

    @functools.wraps(question)
    def asked(*args: P.args, **inputs: P.kwargs) -> Estimate:
        draws = active()
        if draws is not None:
            return _inside(question, args, inputs, draws)
        draws, how = Draws(), settings()
        with drawing(draws):
            middle = question(*args, **inputs)
            if not draws.wanted and not how.always:
                return middle
            values = [figure.value for figure in middle.figures.values()]
            if any(isinstance(value, np.ndarray) and value.size > 1 for value in values):
                raise InputError(ARRAYS_AND_RANGES)
            draws.adopt()
        from costline.uncertainty.sampled import sampled

        return sampled(lambda stated: question(*args, **{**inputs, **stated}), draws, how, middle)

    return asked


def _inside(question: Callable[..., Estimate], args: Any, inputs: Mapping[str, Any], draws: Draws) -> Estimate:
    """One of several questions of a study."""
    shares = draws.shares
    draws.question += 1
    number = draws.question
    if shares is None:
        return question(*args, **inputs)
    with drawing(draws):
        draws.question = number
        middle = question(*args, **inputs)
    if draws.chips_of(number) is None:
        return question(*args, **{**inputs, **settled(middle)})
    from costline.uncertainty.plans import Plans

    if number not in draws.plans:
        draws.question = number
        draws.plans[number] = Plans(lambda stated: question(*args, **{**inputs, **stated}), draws, middle)
    return question(*args, **{**inputs, **draws.plans[number].at(shares)})


def settled(middle: Estimate) -> dict[str, Any]:
    """Inputs that fix the plan that was chosen at the medians, or those of the parts of a curriculum."""
    parts = [part["plan"] for part in middle.inputs.get("curriculum", ()) if "plan" in part]
    if parts:
        return {"plan": tuple(Plan(**part) for part in parts), "explain": False}
    known = {row.name: middle.inputs[row.name] for row in fields(Plan) if row.name in middle.inputs}
    return {"plan": Plan(**known), "explain": False}
