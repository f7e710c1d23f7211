"""What training in narrow formats, and experts that are launched one by one, add to the kernels of a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from costline.derivation import formula
from costline.engine.loads import Load, RowStreams, expert_visits, rows_on_chip
from costline.models.parts import ExpertLinear, Linear, Part
from costline.numeric import Numeric, largest, some
from costline.plan import Plan
from costline.precision import element_bytes

COPIES = 2
"""Narrow copies of an operand: by rows for the product at hand, by columns for the product of the weight's gradient."""


@formula(
    "elements * (wide + copies * narrow)", unit="byte", source="Transformer Engine documentation, FP8 and MXFP8 primers"
)
def cast_bytes(elements: Numeric, wide: float, narrow: float, copies: float) -> Numeric:
    """Traffic of narrowing an operand of matrix products before they read it.

    Parameters
    ----------
    elements : float or array
        Numbers that are narrowed. [element]
    wide, narrow : float
        Size of one before and after. [byte]
    copies : float
        Narrow copies that are written. [1]

    Returns
    -------
    float or array
        Traffic. [byte]

    References
    ----------
    NVIDIA Transformer Engine documentation, "Using FP8" and "MXFP8": a tensor is read in 16 bits and written once by
    rows and once by columns, as the scales of a block run along the summed dimension.

    Examples
    --------
    >>> cast_bytes(1000.0, 2.0, 1.0, 2)
    4000.0
    """
    return elements * (wide + copies * narrow)


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
    if not isinstance(part, Linear | ExpertLinear) or not (reverse or part.saves):
        return None
    rows, shards = rows_on_chip(part.rows, streams, plan), plan.tensor
    if isinstance(part, ExpertLinear):
        rows, shards = rows * expert_visits(part, plan), plan.expert_split
    divided = "column" if reverse else "row"
    return rows * (part.outputs if reverse else part.inputs) / (shards if part.shard == divided else 1)


def launched_apart(loads: Iterable[Load], share: Numeric) -> Iterator[Load]:
    """Kernels of experts, which frameworks of training launch for each expert of the chip: how many tokens it has is
    not known when a graph is captured."""
    for load in loads:
        if some(load.experts):
            yield replace(load, alone=load.calls * apart_calls(load.experts, share))
        else:
            yield load


@formula("share * max(experts - 1, 0)", unit="call", source="Transformer Engine, GroupedLinear: one product an expert")
def apart_calls(experts: Numeric, share: Numeric) -> Numeric:
    """Launches of one layer of experts beyond those of grouped kernels.

    Parameters
    ----------
    experts : float or array
        Experts of the layer on one chip. [expert]
    share : float or array
        Launches of a kernel for each of them but the first. [call]

    Returns
    -------
    float or array
        Further launches of what would be one kernel if it were grouped. [call]

    References
    ----------
    NVIDIA Transformer Engine, ``GroupedLinear``: one matrix product for each expert, on several streams.

    Examples
    --------
    >>> apart_calls(8.0, 0.5)
    3.5
    """
    return share * largest(experts - 1, 0)
