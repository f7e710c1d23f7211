"""What training in narrow formats, and experts that are launched one by one, add to the kernels of a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from costline.engine.formats import narrowed
from costline.engine.loads import Load, RowStreams, expert_visits, rows_on_chip
from costline.formulas.linear import apart_calls
from costline.formulas.memory import cast_bytes
from costline.models.parts import ExpertLinear, Linear, Part
from costline.numeric import Numeric, some
from costline.plan import Plan
from costline.precision import element_bytes

COPIES = 2
"""Narrow copies of an operand: by rows for the product at hand, by columns for the product of the weight's gradient."""


def cast_loads(parts: Iterable[Part], streams: Mapping[str, Numeric], plan: Plan, reverse: bool) -> Iterator[Load]:
    """Casts of one pass: inputs of products on the way forward, gradients of their outputs on the way back."""
    wide, narrow = element_bytes(plan.activation), element_bytes(plan.compute)
    if narrow >= wide:
        return
    shared = RowStreams(streams)
    for part in parts:
        elements = _cast_elements(part, shared, plan, reverse)
        if elements is not None:
            moved = cast_bytes(elements * part.repeat, wide, narrow, COPIES)
            experts = part.experts / plan.expert if isinstance(part, ExpertLinear) else 0.0
            yield Load(
                part.name, "memory", plan.activation, 0.0, moved, part.repeat, backward=reverse, experts=experts
            )  # fmt: skip


def _cast_elements(part: Part, streams: Mapping[str, Numeric], plan: Plan, reverse: bool) -> Numeric | None:
    """Elements of one layer that are narrowed; layers that share an input narrow it once."""
    if not isinstance(part, Linear | ExpertLinear) or not narrowed(part, plan) or not (reverse or part.saves):
        return None
    rows, shards = rows_on_chip(part.rows, streams, plan), plan.tensor
    if isinstance(part, ExpertLinear):
        rows, shards = rows * expert_visits(part, plan), plan.expert_split
    divided = "column" if reverse else "row"
    return rows * (part.outputs if reverse else part.inputs) / (shards if part.shard == divided else 1)


def launched_apart(loads: Iterable[Load], share: Numeric, sort: Numeric, chips: Numeric) -> Iterator[Load]:
    """Kernels of experts, which frameworks of training launch for each expert of the chip, and what sorts the tokens
    before: how many tokens an expert has is not known when a graph is captured."""
    for load in loads:
        if some(load.experts):
            yield load._replace(alone=load.calls * apart_calls(load.experts, share, sort, chips))
        else:
            yield load


def sorted_before(loads: Iterable[Load], dispatch: Numeric) -> Iterator[Load]:
    """Kernels of experts in an inference engine, which run as one for all of them, and the small ones that sort, count
    and move the tokens for each product."""
    for load in loads:
        yield load
        if some(load.experts) and some(dispatch):
            yield Load(f"{load.name}/sort", "memory", load.format, 0.0, 0.0, load.calls * dispatch)
