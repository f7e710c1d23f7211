"""Kernels: what one pass over a part asks of one chip."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from costline.derivation import heard, step
from costline.engine.formats import product_format, weight_format, widened_from
from costline.formulas.attention import chunk_bytes, copied_reads
from costline.formulas.linear import convolution_flops, gemm_flops
from costline.models.parts import (
    Attention,
    Convolution,
    Elementwise,
    ExpertLinear,
    Kind,
    Linear,
    LinearAttention,
    Part,
    Weights,
)
from costline.numeric import Numeric, smallest, some, times
from costline.plan import Plan
from costline.precision import element_bytes

BACKWARD_PRODUCTS = 2.0
"""Matrix products of a backward pass for each of the forward pass: one for the input, one for the weight."""
BACKWARD_ATTENTION = 2.5
"""Five products for two: a fused kernel computes the scores again (Dao 2023, arXiv:2307.08691, section 3.2)."""
BACKWARD_ELEMENTWISE = 1.5
"""Three tensors moved (gradient in, saved input, gradient out) for two."""

EAGER_PASSES = 2.5
"""Passes of a kernel that is one operator: most read a tensor or two and write one, some of them in fp32."""
COPIES = 4.0
"""A tensor is read and written before an exchange of heads for tokens, to lie in one piece, and after it."""
MERGED = 12.0
"""Bytes of an output element to merge a partial result of a ring in one kernel: read one in 16 bits, one in fp32,
write one in fp32, and what the first cast costs."""
EAGER_MERGED = 38.0
"""The same operator by operator: cast (6), difference (12), product (8), sum (12); see `yunchang.ring.utils`."""
SCORES = 5.0
"""Times that unfused attention moves a score: written by the first product, read and written by the softmax, read by
the second product, and once more for masks and dropout (Dao et al. 2022, arXiv:2205.14135, algorithm 0)."""
CHUNK = 256.0
"""Tokens of a chunk of Mamba-2: the default of ``Mamba2Config`` in transformers and of Nemotron-H in vLLM. [token]"""
STATE_MOVES = 4.0
"""States of chunks are written by the kernel that makes them, read and written by the one that passes them on, read by
the one that uses them."""


class Attended(NamedTuple):
    """Sizes of one call of attention on one chip.

    Attributes
    ----------
    sequences, queries : float or array
        Sequences, and new tokens of each. [sequence, token]
    heads, key_heads : float or array
        Query and key heads. [head]
    key_dim, value_dim : float or array
        Widths of a key and of a value. [feature]
    """

    sequences: Numeric
    queries: Numeric
    heads: Numeric
    key_heads: Numeric
    key_dim: Numeric
    value_dim: Numeric


class Load(NamedTuple):
    """Kernels of one part during one pass, all layers together, on one chip.

    Attributes
    ----------
    name : str
        Name of the part.
    kind : {"linear", "attention", "convolution", "memory"}
        Which efficiency applies.
    format : str
        Number format of the arithmetic.
    flops, traffic, calls : float or array
        Work, bytes moved, kernels launched. [FLOP, byte, call]
    weight_format : str
        Format the weights are read in, where that differs (weight-only quantisation); empty otherwise.
    backward : bool
        True for a kernel of the backward pass.
    rows, inner, outer : float or array
        Of a matrix product, the dimensions of one call on one chip; 0 where they do not apply.
    attended : Attended or None
        Sizes of attention.
    experts : float or array
        Experts of one layer on one chip, which the rows are divided over; 0 where the part has none.
    alone : float or array
        Further launches, of kernels that no graph captures. [call]
    rank : str
        Of a convolution: ``depthwise``, in the ``plane`` or in the ``volume``; ``scan`` of a recurrence.
    """

    name: str
    kind: Kind
    format: str
    flops: Numeric
    traffic: Numeric
    calls: Numeric
    weight_format: str = ""
    backward: bool = False
    rows: Numeric = 0.0
    inner: Numeric = 0.0
    outer: Numeric = 0.0
    attended: Attended | None = None
    experts: Numeric = 0.0
    alone: Numeric = 0.0
    rank: str = ""


def rows_on_chip(stream: str, streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    """Rows of a stream that one context-parallel rank works on; per-sample work is not divided. [row]"""
    known = streams.known if isinstance(streams, RowStreams) else {}
    if stream not in known:
        rows = times(streams[stream], streams["batch"])
        context = 1 if stream == "sample" else plan.context
        known[stream] = rows / context if isinstance(context, np.ndarray) or context != 1 else rows
    return known[stream]


class RowStreams(dict[str, Numeric]):
    """Streams under one plan that remember the rows of a chip, as many parts share a stream."""

    def __init__(self, streams: Mapping[str, Numeric]) -> None:
        super().__init__(streams)
        self.known: dict[str, Numeric] = {}
        self._given = streams

    def __missing__(self, name: str) -> Numeric:
        return self._given[name]  # those of an autoencoder are worked out when they are asked for


def forward_loads(parts: Iterable[Part], streams: Mapping[str, Numeric], plan: Plan) -> tuple[Load, ...]:
    """Kernels of one forward pass.

    Parameters
    ----------
    parts : iterable of Part
        Parts of the network.
    streams : mapping of str to float or array
        Tokens of each stream and the batch.
    plan : Plan
        Sharding and formats.

    Returns
    -------
    tuple of Load
        One for each part with work, pipeline stages not yet divided.
    """
    return tuple(each_load(parts, streams, plan))


def each_load(parts: Iterable[Part], streams: Mapping[str, Numeric], plan: Plan) -> Iterator[Load]:
    """Kernels of one forward pass, one at a time: see `forward_loads`."""
    shared, recording = RowStreams(streams), heard()
    for part in parts:
        if recording:
            with step(part.name):
                load = _load(part, shared, plan)
        else:
            load = _load(part, shared, plan)
        if load is not None:
            yield load
        if isinstance(part, Attention) and part.exchanged and some(plan.context > 1):
            yield _exchange(part, shared, plan)


def backward_loads(loads: Iterable[Load]) -> Iterator[Load]:
    """Kernels of the backward pass that belongs to a forward pass, one at a time."""
    factors = {"attention": BACKWARD_ATTENTION, "memory": BACKWARD_ELEMENTWISE}
    for load in loads:
        factor = factors.get(load.kind, BACKWARD_PRODUCTS)
        calls = load.calls * (2 if load.kind in {"linear", "convolution"} else 1)
        yield load._replace(flops=load.flops * factor, traffic=load.traffic * factor, calls=calls, backward=True)


def _load(part: Part, streams: Mapping[str, Numeric], plan: Plan) -> Load | None:
    match part:
        case Linear():
            return _linear(part, streams, plan)
        case ExpertLinear():
            return _experts(part, streams, plan)
        case Attention():
            return _attention(part, streams, plan)
        case LinearAttention():
            return _linear_attention(part, streams, plan)
        case Convolution():
            return _convolution(part, streams, plan)
        case Elementwise():
            return _elementwise(part, streams, plan)
        case Weights(rows=rows) if rows:
            moved = 2 * part.repeat * part.width * element_bytes(plan.activation)
            traffic = rows_on_chip(rows, streams, plan) * moved
            return Load(part.name, "memory", plan.activation, 0.0, traffic, part.repeat)
    return None


def _linear(part: Linear, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    tensor = 1 if part.shard == "replicated" else plan.tensor
    inputs = part.inputs / tensor if part.shard == "row" else part.inputs
    outputs = part.outputs / tensor if part.shard == "column" else part.outputs
    rows = rows_on_chip(part.rows, streams, plan)
    compute, stored = product_format(part, plan), weight_format(part, plan)
    # numbers are multiplied before arrays are: the same product, fewer passes over memory
    into, out = part.repeat * element_bytes(compute), part.repeat * element_bytes(plan.activation)
    moved = rows * (inputs * into + outputs * out)
    weights = part.repeat * part.inputs * part.outputs * element_bytes(stored) / tensor
    flops = gemm_flops(rows, part.inputs, part.outputs) * (part.repeat / tensor)
    return Load(
        part.name, "linear", compute, flops, moved + weights, part.repeat, widened_from(stored, compute),
        rows=rows, inner=inputs, outer=outputs,
    )  # fmt: skip


def experts_touched(part: ExpertLinear, rows: Numeric, plan: Plan) -> Numeric:
    """Experts of one chip that at least one of its tokens visits, routing being even and independent. [expert]

    The tokens of `expert` chips meet on each of them, so the expected share is ``1 - (1 - active / experts)^tokens``.
    """
    group = plan.expert * plan.expert_split / plan.tensor
    tokens = rows * _at_least_one(group)
    missed = (1 - part.active / part.experts) ** tokens
    return part.experts / plan.expert * (1 - missed)


def expert_visits(part: ExpertLinear, plan: Plan) -> Numeric:
    """Experts' rows on one chip for each of its tokens. [1]

    Every token goes to `active` experts; its work is spread over the chips of the expert group that see it.
    """
    return part.active / smallest(plan.tensor, plan.expert_shards) * plan.expert_split


def _at_least_one(value: Numeric) -> Numeric:
    return -smallest(-value, -1)


def _experts(part: ExpertLinear, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    rows = rows_on_chip(part.rows, streams, plan)
    split, visits = plan.expert_split, rows * expert_visits(part, plan)
    width = part.inputs + part.outputs / split if part.shard == "column" else part.inputs / split + part.outputs
    touched = experts_touched(part, rows, plan)
    weights = touched * part.inputs * part.outputs / split * element_bytes(plan.weights)
    flops = 2 * part.repeat * visits * part.inputs * part.outputs / split
    traffic = part.repeat * (visits * width * element_bytes(plan.compute) + weights)
    inner = part.inputs if part.shard == "column" else part.inputs / split
    outer = part.outputs / split if part.shard == "column" else part.outputs
    widened = widened_from(weight_format(part, plan), product_format(part, plan))
    return Load(
        part.name, "linear", plan.compute, flops, traffic, part.repeat, widened,
        rows=visits / touched, inner=inner, outer=outer, experts=part.experts / plan.expert,
    )  # fmt: skip


def _attention(part: Attention, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    share = plan.tensor * plan.context
    sequences = times(streams["batch"], streams[part.sequences])
    element = element_bytes(plan.activation)
    width = part.repeat * part.heads * (part.key_dim + part.value_dim)
    own = sequences * streams[part.queries] * (width * element / share)
    keys = part.read(streams[part.queries], streams[part.keys])
    if some(part.cache_width):
        width, key_element = part.cache_width, element_bytes(plan.cache)
    else:
        width, key_element = part.key_heads * (part.key_dim + part.value_dim), element
    divided = smallest(plan.tensor, part.key_heads) * plan.ulysses
    others = sequences * keys * (part.repeat * width * key_element * plan.density / divided)
    flops, queries = part.flops(streams) * (plan.density / share), streams[part.queries]
    if plan.attention == "copied" and some(part.cache_width):
        others = others * copied_reads(part.heads / part.key_heads)
    if plan.attention == "naive":
        own = own + sequences * queries * keys * (part.repeat * part.heads * SCORES * element / share)
    heads, key_heads = part.heads / share, part.key_heads / divided
    attended = Attended(sequences, queries, heads, key_heads, part.key_dim, part.value_dim)
    return Load(part.name, "attention", plan.activation, flops, own + others, part.repeat, attended=attended)


def _exchange(part: Attention, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    """Copies that an exchange of heads for tokens needs, and the merging of a ring's partial results, in fp32."""
    share = part.repeat * streams["batch"] * streams[part.sequences] / plan.tensor / plan.context
    queries, keys = streams[part.queries] * part.heads, streams[part.keys] * part.key_heads
    copied = (queries + keys) * (part.key_dim + part.value_dim) * (COPIES * element_bytes(plan.activation))
    merged = queries * part.value_dim * (MERGED if plan.compiled else EAGER_MERGED)
    traffic = share * (copied * (plan.ulysses > 1) + merged * (plan.ring - 1))
    calls = part.repeat * (8.0 * (plan.ulysses > 1) + (1.0 if plan.compiled else 6.0) * (plan.ring - 1))
    return Load(f"{part.name}/exchange", "memory", plan.activation, 0.0, traffic, calls)


def _linear_attention(part: LinearAttention, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    """A scan in 16 bits: tokens stream by, states of chunks are passed on, the kept one is read and written once."""
    element = element_bytes(plan.activation)
    moved = 4 * part.width * element + chunk_bytes(part.state, CHUNK, STATE_MOVES)
    tokens, kept = rows_on_chip(part.rows, streams, plan) * moved, streams["batch"] * (2 * part.state * element)
    traffic = (tokens + kept) * (part.repeat / plan.tensor)
    flops = part.flops(streams) / plan.tensor / plan.context
    return Load(part.name, "linear", plan.activation, flops, traffic, 2 * part.repeat, rank="scan")


def _convolution(part: Convolution, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    positions = rows_on_chip(part.positions, streams, plan)
    flops = part.repeat * convolution_flops(positions, part.kernel, part.inputs, part.outputs, part.groups)
    moved = positions * (part.repeat * (part.inputs + part.outputs) * element_bytes(plan.activation))
    traffic = moved + part.params * element_bytes(weight_format(part, plan))
    if part.kernel == part.groups == 1:  # a matrix product
        return Load(
            part.name, "linear", plan.activation, flops, traffic, part.repeat, rows=positions, inner=part.inputs,
            outer=part.outputs,
        )  # fmt: skip
    return Load(part.name, "convolution", plan.activation, flops, traffic, part.repeat, rank=_rank(part))


def _rank(part: Convolution) -> str:
    """Which kernels a convolution runs: of every channel alone, over an area (a square of taps) or over time too."""
    if part.groups == part.inputs:
        return "depthwise"
    return "plane" if math.isqrt(part.kernel) ** 2 == part.kernel else "volume"


def _elementwise(part: Elementwise, streams: Mapping[str, Numeric], plan: Plan) -> Load:
    passes = part.passes if plan.compiled else part.eager or part.passes
    kernels = 1.0 if plan.compiled else max(passes / EAGER_PASSES, 1.0)
    divided = part.shard == "column" or (plan.sequence_parallel and part.rows != "sample")
    moved = part.repeat * passes * part.width * element_bytes(plan.activation)
    traffic = rows_on_chip(part.rows, streams, plan) * (moved / (plan.tensor if divided else 1))
    return Load(part.name, "memory", plan.activation, 0.0, traffic, part.repeat * kernels)
