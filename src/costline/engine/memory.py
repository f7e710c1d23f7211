"""Bytes on one chip: weights, gradients, optimizer, activations, KV cache, buffers; whether they fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costline.engine.formats import weight_format
from costline.engine.loads import RowStreams, expert_visits, rows_on_chip
from costline.formulas.memory import (
    cache_bytes,
    sharded_state_bytes,
    tensor_bytes,
    usable_memory,
    working_set_bytes,
)
from costline.formulas.pipeline import kept_micro_batches
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency
from costline.models.decoder import Decoder
from costline.models.network import Network, params_by_place, place
from costline.models.parts import (
    Attention,
    Convolution,
    Elementwise,
    ExpertLinear,
    Linear,
    LinearAttention,
    Part,
)
from costline.numeric import Numeric, add_up, ceil_divide, choose, largest, plus, smallest, some, times
from costline.plan import Plan
from costline.precision import element_bytes


@dataclass(frozen=True)
class Memory:
    """What one chip holds.

    Attributes
    ----------
    items : mapping of str to float or array
        Bytes by use: weights, gradients, optimizer, activations, cache, logits, buffers. [byte]
    usable : float or array
        What the chip offers after the runtime has taken its share. [byte]
    passes : mapping of str to float or array
        Activations of each kind of pass where several take turns; the item ``activations`` is the largest. [byte]
    """

    items: dict[str, Numeric] = field(default_factory=dict)
    usable: Numeric = 0.0
    passes: dict[str, Numeric] = field(default_factory=dict)

    @property
    def total(self) -> Numeric:
        """All items. [byte]"""
        return add_up(self.items.values())

    @property
    def fits(self) -> Numeric:
        """Whether everything fits."""
        return self.total <= self.usable

    @property
    def free(self) -> Numeric:
        """What is left; negative if it does not fit. [byte]"""
        return self.usable - self.total


def usable(chip: Chip, efficiency: Efficiency) -> Numeric:
    """Memory of a chip that a model may use. [byte]"""
    return usable_memory(chip.memory, efficiency.value("memory_reserved", chip))


def stage_share(network: Network, plan: Plan) -> Numeric:
    """Share of the layers that the fullest pipeline stage holds; 1/pipeline where they divide evenly. [1]"""
    return ceil_divide(network.layers, plan.pipeline) / network.layers


def round_share(network: Network, plan: Plan, shares: Numeric) -> Numeric:
    """Time in which all of so many shares of work get one pass, over that of one share through all stages. [1]

    Shares follow each other through the stages; where layers do not divide evenly, they queue for the fullest stage.
    """
    return largest(smallest(shares, plan.pipeline) * stage_share(network, plan), 1)


def params_on_chip(network: Network, plan: Plan) -> tuple[Numeric, Numeric]:
    """Parameters one chip is responsible for, before ZeRO: dense ones and those of experts. [parameter]

    Blocks are divided over the pipeline; the first stage also holds the embedding, the last one the head, and the
    fuller of the two counts.
    """
    return _on_chip(network, plan, network.placed)


def _on_chip(network: Network, plan: Plan, held: Mapping[tuple[str, bool], int]) -> tuple[Numeric, Numeric]:
    """What one chip is responsible for of parameters by place, all of them or those of one format."""
    first, head, block = (
        held.get((key, True), 0) / plan.tensor + held.get((key, False), 0) for key in ("first", "head", "block")
    )
    stage, staged = stage_share(network, plan), plan.pipeline > 1
    ends = first + head - staged * smallest(first, head)
    return block * stage + ends, held.get(("experts", False), 0) / plan.expert_shards * stage


def state_ranks(plan: Plan, domain: Numeric) -> tuple[Numeric, Numeric]:
    """Ranks over which ZeRO may divide dense states and expert states. [chip]"""
    dense = plan.data * plan.context
    inside = largest(smallest(dense, domain / plan.tensor), 1)
    dense = choose(plan.shard_scope == "domain", inside, dense)
    experts = largest(dense * plan.tensor / plan.expert_shards, 1)
    return dense, experts


def model_states(network: Network, plan: Plan, domain: Numeric) -> dict[str, Numeric]:
    """Weights, gradients and optimizer states of training. [byte]

    Returns
    -------
    dict
        Bytes by state; the optimizer is 0 on the chip if it is offloaded.
    """
    dense, experts = params_on_chip(network, plan)
    ranks = state_ranks(plan, domain)
    stages = {"weights": (element_bytes(plan.weights), 3), "gradients": (plan.gradient_bytes, 2)}
    stages["optimizer"] = (plan.optimizer_bytes * (plan.offload != "optimizer"), 1)
    items: dict[str, Numeric] = {}
    for name, (size, stage) in stages.items():
        items[name] = 0.0
        for params, group in zip((dense, experts), ranks, strict=True):
            shards = 1 + (plan.zero >= stage) * (group - 1)
            items[name] = items[name] + sharded_state_bytes(params, size, shards)
    return items


def saved_bytes(parts: Iterable[Part], streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    """Activations the backward pass of one micro-batch needs, all layers together, on one tensor rank. [byte]

    Korthikanti et al. 2022 (arXiv:2205.05198), eq. 1 to 6, counted part by part. Fused attention keeps queries, keys
    and values; an unfused one (``naive``) also the scores, unless recomputation is selective.
    """
    shared = RowStreams(streams)
    total = add_up(_saved_elements(part, shared, plan) for part in parts)
    return total * element_bytes(plan.activation)


def _saved_elements(part: Part, streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    norm_shards = plan.tensor if plan.sequence_parallel else 1
    match part:
        case Linear(saves=True) | ExpertLinear(saves=True):
            visits = part.active if isinstance(part, ExpertLinear) else 1
            shards = plan.tensor if part.shard == "row" else norm_shards
            return rows_on_chip(part.rows, streams, plan) * (part.repeat * visits * part.inputs / shards)
        case Elementwise() if part.saves:
            shards = plan.tensor if part.shard == "column" else norm_shards
            return rows_on_chip(part.rows, streams, plan) * (part.repeat * part.saves * part.width / shards)
        case Attention():
            return _saved_attention(part, streams, plan) * part.repeat
        case Convolution():
            return rows_on_chip(part.positions, streams, plan) * (part.repeat * part.inputs)
    return 0.0


def _saved_attention(part: Attention, streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    sequences = streams["batch"] * streams[part.sequences] / plan.context
    queries = streams[part.queries] * part.heads * part.key_dim / plan.tensor
    keys = streams[part.keys] * part.key_heads * (part.key_dim + part.value_dim) / smallest(plan.tensor, part.key_heads)
    scores: Numeric = 0.0
    if plan.attention == "naive":
        # softmax input and output, 2 bytes each in bf16; the dropout mask is not kept as modern models have none
        scores = 2 * streams[part.queries] * streams[part.keys] * part.heads / plan.tensor
        scores = choose(plan.recompute == "none", scores, 0.0)
    return sequences * (queries + keys + scores)


def activations(network: Network, streams: Mapping[str, Numeric], plan: Plan, micro_batches: Numeric) -> Numeric:
    """Activations a pipeline stage holds at the fullest moment of training. [byte]"""
    ends, saved = saved_bytes(network.ends, streams, plan), saved_bytes(network.blocks, streams, plan)
    kept = kept_micro_batches(plan.pipeline, plan.virtual, micro_batches)
    inputs = network.layers * residual_elements(network, streams, plan) * element_bytes(plan.activation)
    full = plan.recompute == "full"
    # under full recomputation the inputs of all layers, and everything of the one that is computed again
    held = saved + plan.recomputed * (inputs - saved)
    return choose(full, held, saved) * (stage_share(network, plan) * kept) + (
        choose(full, saved / network.layers, 0.0) + ends
    )


def residual_elements(network: Network, streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    """Elements of the residual stream one chip holds between two layers. [element]"""
    stream = next(name for name in ("tokens", "joint", "image") if name in streams)
    rows = rows_on_chip(stream, streams, plan)
    return rows * (network.hidden_size / (plan.tensor if plan.sequence_parallel else 1))


def logits_bytes(network: Decoder, streams: Mapping[str, Numeric], plan: Plan, copies: float) -> Numeric:
    """Logits in fp32, `copies` of them (training keeps logits and their gradient). [byte]"""
    rows = rows_on_chip("logits", streams, plan)
    return rows * (copies * network.vocab_size * element_bytes("fp32") / plan.tensor)


def largest_tensor(parts: Iterable[Part], streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    """Input and output of the widest layer: what inference holds besides the residual stream. [byte]"""
    widths: dict[str, Numeric] = {}
    for part in parts:
        if isinstance(part, Linear):
            shards = 1 if part.shard == "replicated" else plan.tensor
            widths[part.rows] = largest(widths.get(part.rows, 0.0), part.inputs + part.outputs / shards)
        elif isinstance(part, Convolution):
            widths[part.positions] = largest(widths.get(part.positions, 0.0), part.inputs + part.outputs)
    tensors = [rows_on_chip(stream, streams, plan) * width for stream, width in widths.items()]
    return largest(0.0, *tensors) * element_bytes(plan.activation)


def inference_bytes(network: Decoder, layer: Numeric, streams: Mapping[str, Numeric], plan: Plan) -> Numeric:
    """Activations of one pass of a decoder at its fullest moment: residual stream, fullest layer, logits. [byte]

    `layer` is what the fullest layer holds of a token, see `layer_width`.
    """
    residual = network.hidden_size / (plan.tensor if plan.sequence_parallel else 1)
    rows = rows_on_chip("tokens", streams, plan)
    logits = logits_bytes(network, streams, plan, 1)
    return working_set_bytes(rows, residual, layer, element_bytes(plan.activation)) + logits


def layer_width(parts: Iterable[Part], context: Numeric, plan: Plan) -> Numeric:
    """What the fullest layer of a decoder holds of one token besides the residual stream. [element]

    A layer (attention, feed-forward network, experts) is at its fullest when its first products are made from its
    input; when these become the input of the last product, as gate and up become their product and queries, keys and
    values the output of attention; or when that gives the output. Fused attention keeps no scores, ``naive`` does.
    """
    layers: dict[str, list[Numeric]] = {}
    for part in parts:
        if place(part) != "block" or not isinstance(part, Linear | ExpertLinear | Attention):
            continue
        held = layers.setdefault(part.name.rpartition("/")[0], [0.0, 0.0, 0.0, 0.0])
        if isinstance(part, Attention):
            held[1] = held[1] + (context * part.heads / plan.tensor if plan.attention == "naive" else 0.0)
            continue
        visits, split = _visits(part, plan)
        if part.shard == "row":
            held[2], held[3] = held[2] + part.inputs * visits / split, largest(held[3], part.outputs * visits)
        else:
            held[0], held[1] = largest(held[0], part.inputs), held[1] + part.outputs * visits / split
    moments = (
        largest(entering + made, made + joined, joined + leaving) for entering, made, joined, leaving in layers.values()
    )
    return largest(0.0, *moments)


def _visits(part: Linear | ExpertLinear, plan: Plan) -> tuple[Numeric, Numeric]:
    """Rows of a part for each token, and the chips its divided side is divided over."""
    if isinstance(part, ExpertLinear):
        return expert_visits(part, plan), plan.expert_split
    return 1, 1 if part.shard == "replicated" else plan.tensor


def weight_bytes(network: Network, plan: Plan) -> Numeric:
    """Weights of inference on one chip, each part in its format. [byte]"""
    total: Numeric = 0.0
    forms: dict[str, list[Part]] = {}
    for part in network.parts:
        forms.setdefault(weight_format(part, plan), []).append(part)
    for form, parts in forms.items():
        held = network.placed if len(forms) == 1 else params_by_place(parts)
        dense, experts = _on_chip(network, plan, held)
        total = plus(total, tensor_bytes(dense + experts, element_bytes(form)))
    return total


def kv_cache_bytes(network: Decoder, context: Numeric, batch: Numeric, plan: Plan) -> Numeric:
    """KV cache of `batch` samples at `context` tokens on one chip; heads are divided, a latent (MLA) is not. [byte]"""
    total: Numeric = 0.0
    held = times(batch, stage_share(network, plan))
    for part in network.decode_parts:
        if isinstance(part, Attention) and some(part.cache_width):
            shards = smallest(plan.tensor, part.key_heads) * plan.context
            elements = held * part.kept(context) * (part.repeat * part.cache_width)
            total = plus(total, cache_bytes(elements, element_bytes(plan.cache), shards))
        elif isinstance(part, LinearAttention) and part.state:
            elements = held * (part.repeat * part.state)
            total = plus(total, cache_bytes(elements, element_bytes(plan.activation), plan.tensor))
    return total


def gathered_bytes(network: Network, plan: Plan) -> Numeric:
    """Whole layers that ZeRO-3 puts together on a chip: the one in use and the one being gathered. [byte]"""
    dense, experts = params_on_chip(network, plan)
    layer = (dense + experts) / (network.layers * stage_share(network, plan))
    return 2 * layer * element_bytes(plan.weights) * (plan.zero >= 3)
