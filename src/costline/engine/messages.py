"""Messages: what a plan makes the chips of one replica, and the replicas, say to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from costline.engine.ageing import ageing
from costline.engine.loads import RowStreams, rows_on_chip
from costline.formulas.collectives import (
    all_gather_bytes,
    all_reduce_bytes,
    all_to_all_bytes,
    all_to_all_crossing,
    message_time,
    others_visited,
    ranks_visited,
    ring_bytes,
    shared_bandwidth,
)
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.parts import Attention, ExpertLinear, Linear, Part
from costline.numeric import Numeric, add_up, choose, largest, smallest, some, times
from costline.plan import Plan
from costline.precision import element_bytes

EXCHANGES = frozenset({"ulysses", "ring"})
"""Messages that libraries for generation send from Python, one call at a time."""
ALL_TO_ALL = frozenset({"ulysses", "expert"})
"""Messages in which every chip has something for every other one."""
LEAST = 1e-9
"""For what does not leave its domain: a divisor other than 0."""
HOST_SLOTS = 8
"""Accelerator slots of one host, the most common number. [chip]"""


class Message(NamedTuple):
    """Collective calls of one kind during one pass.

    Attributes
    ----------
    name : str
        Which parallelism speaks: tensor, ulysses, ring, expert, pipeline, data, guidance.
    sent : float or array
        Bytes each chip sends, all calls together. [byte]
    calls : float or array
        Collective calls. [call]
    size, stride : float or array
        Chips of the group, and the distance between neighbours in chip numbers. [chip]
    software : str
        Whose collectives it uses: some engines have kernels of their own for small messages.
    year : float
        Of their release; 0 where it is not known. [year]
    active : float or array
        Experts that each token visits; 0 where every chip of a group gets a share of its own.
    """

    name: str
    sent: Numeric
    calls: Numeric
    size: Numeric
    stride: Numeric
    software: str = ""
    year: float = 0.0
    active: Numeric = 0


def forward_messages(parts: Sequence[Part], streams: Mapping[str, Numeric], plan: Plan) -> tuple[Message, ...]:
    """Messages of one forward pass inside a replica, pipeline stages not yet divided.

    A row-sharded layer ends in an all-reduce (with sequence parallelism a reduce-scatter and an all-gather, the same
    bytes); attention under Ulysses exchanges queries, keys, values and output; a ring passes keys and values on;
    experts receive and return their tokens. A backward pass sends as much, a ring twice: see `returned`.
    """
    sent: dict[str, list[Numeric]] = {name: [] for name in ("tensor", "ulysses", "ring", "expert")}
    calls: dict[str, list[Numeric]] = {name: [] for name in sent}
    element, shared = element_bytes(plan.activation), RowStreams(streams)
    for part in parts:
        for name, size, number in _part_messages(part, shared, plan, element):
            sent[name].append(size)
            calls[name].append(number)
    groups = {
        "tensor": (plan.tensor, 1),
        "ulysses": (plan.ulysses, plan.tensor),
        "ring": (plan.ring, plan.tensor * plan.ulysses),
        "expert": (plan.expert, plan.expert_split),
    }
    active = max((part.active for part in parts if isinstance(part, ExpertLinear)), default=0)
    return tuple(
        Message(name, add_up(sent[name]), add_up(calls[name]), *groups[name], plan.software, plan.year,
                active if name == "expert" else 0)
        for name in groups
    )  # fmt: skip


def returned(ring: Message) -> Message:
    """A ring's message of the backward pass: keys and values go round again, and their gradients with them.

    Liu et al. 2023, arXiv:2310.01889, appendix A.
    """
    return ring._replace(sent=2 * ring.sent, calls=2 * ring.calls)


def _part_messages(
    part: Part, streams: Mapping[str, Numeric], plan: Plan, element: float
) -> Iterable[tuple[str, Numeric, Numeric]]:
    match part:
        case Linear(shard="row"):
            tensor = rows_on_chip(part.rows, streams, plan) * (part.repeat * part.outputs * element)
            yield "tensor", all_reduce_bytes(tensor, plan.tensor), part.repeat * (plan.tensor > 1)
        case ExpertLinear(shard="row"):
            yield from _expert_messages(part, streams, plan, element)
        case Attention():
            yield from _attention_messages(part, streams, plan, element)


def _expert_messages(
    part: ExpertLinear, streams: Mapping[str, Numeric], plan: Plan, element: float
) -> Iterable[tuple[str, Numeric, Numeric]]:
    rows = rows_on_chip(part.rows, streams, plan)
    split = plan.expert_split
    sharded = split > 1
    yield (
        "tensor",
        part.repeat * sharded * all_reduce_bytes(rows * part.outputs * element, split),
        part.repeat * sharded,
    )
    # each chip of a tensor group sends its share of the tokens, once to each chip that they visit, there and back
    tokens = rows * ranks_visited(part.active, plan.expert) / plan.tensor * part.outputs * element
    yield "expert", 2 * part.repeat * all_to_all_bytes(tokens, plan.expert), 2 * part.repeat * (plan.expert > 1)


def _attention_messages(
    part: Attention, streams: Mapping[str, Numeric], plan: Plan, element: float
) -> Iterable[tuple[str, Numeric, Numeric]]:
    if not part.exchanged or not some(plan.context > 1):
        return
    sequences = streams["batch"] * streams[part.sequences] * element
    queries = sequences * streams[part.queries] * part.heads * (part.key_dim + part.value_dim) / plan.tensor
    keys = sequences * streams[part.keys] * part.key_heads * (part.key_dim + part.value_dim)
    keys = keys / smallest(plan.tensor, part.key_heads)
    exchanged = (queries + keys) / plan.context  # queries and output; keys and values
    yield "ulysses", part.repeat * all_to_all_bytes(exchanged, plan.ulysses), 4 * part.repeat * (plan.ulysses > 1)
    passed = keys / plan.context
    yield "ring", part.repeat * ring_bytes(passed, plan.ring), part.repeat * (plan.ring - 1)


def pipeline_message(rows: Numeric, hidden: Numeric, plan: Plan) -> Message:
    """Activations one stage hands to the next during one forward pass of a micro-batch."""
    crossing = (plan.pipeline > 1) * plan.virtual
    shards = plan.tensor if plan.sequence_parallel else 1
    sent = times(crossing * hidden * element_bytes(plan.activation) / shards, rows)
    stride = plan.replica / plan.pipeline * plan.data
    return Message("pipeline", sent, crossing, smallest(plan.pipeline, 2), stride, plan.software, plan.year)


def gradient_messages(
    params: Numeric, plan: Plan, shards: Numeric, ranks: Numeric, micro_batches: Numeric, stride: Numeric
) -> tuple[Message, ...]:
    """Gradients of one step, and the weights updated from them; chips that hold the same ones are `stride` apart.

    Whole gradients are summed once a step (with a sharded optimizer a reduce-scatter and a gather of the updated
    weights, the same bytes). Sharded ones are reduced into their shards with every micro-batch, as nobody keeps the
    whole; shards of several domains are summed once; ZeRO-2 gathers the updated weights, ZeRO-3 gathers them anyway
    (Rajbhandari et al. 2020, arXiv:1910.02054, section 7).
    """
    split, gradients = plan.zero >= 2, params * plan.gradient_bytes
    whole, across, own = 1 - split, split * ranks / shards, (plan.software, plan.year)
    updated = (plan.zero == 2) * all_gather_bytes(params * element_bytes(plan.weights), shards)
    reduced = split * micro_batches * all_gather_bytes(gradients, shards)  # a reduce-scatter sends as much
    return (
        Message("data", whole * all_reduce_bytes(gradients, ranks), whole * (ranks > 1), ranks, stride, *own),
        Message("data", reduced + updated, split * micro_batches * (shards > 1), shards, stride, *own),
        Message("data", split * all_reduce_bytes(gradients / shards, largest(across, 1)), across > 1,
                largest(across, 1), stride * shards, *own),
    )  # fmt: skip


def weight_gather_message(params: Numeric, plan: Plan, ranks: Numeric, layers: Numeric, stride: Numeric) -> Message:
    """Weights that ZeRO-3 gathers during one pass."""
    gathered = plan.zero >= 3
    sent = gathered * all_gather_bytes(params * element_bytes(plan.weights), ranks)
    return Message("data", sent, gathered * layers * (ranks > 1), ranks, stride, plan.software, plan.year)


def network_time(message: Message, cluster: Cluster, efficiency: Efficiency) -> Numeric:
    """Time a message takes on the links it has to cross. [s]

    A group that fits in a scale-up domain uses the scale-up link. A group that does not is bound by the slower of
    that link and of its way out of the domain: see `_ways_out`.
    """
    chip = cluster.chip
    inside = message.size * message.stride <= cluster.domain
    up, out = link_bandwidths(cluster, efficiency)
    bandwidth = choose(inside, up, smallest(up, out * _ways_out(message, cluster)))
    share = choose(inside, efficiency.value("link_up", chip), efficiency.value("link_out", chip))
    waited = message.name if message.name in EXCHANGES else ""
    waited = f"{waited}/{message.software}" if message.software else waited
    # all-reduces of tensor parallelism are what engines have come to write kernels of their own for
    slow = ageing(chip, efficiency, message.year, "latency") if message.name == "tensor" else 1.0
    up_latency = cluster.scale_up_latency or efficiency.value("latency_up", chip, waited) * slow
    out_latency = cluster.scale_out_latency or efficiency.value("latency_out", chip)
    latency = choose(inside, up_latency, out_latency)
    reached = _shared(message, share * bandwidth, cluster, efficiency)
    hops = smallest(message.size, 2) if message.name == "ring" else message.size  # a call of a ring is one hop
    return message_time(message.sent, reached, 1.0, message.calls, latency, hops)


def _ways_out(message: Message, cluster: Cluster) -> Numeric:
    """Bytes a chip sends for each that leaves its domain over a scale-out link of its own. [1]

    Rings of a reduction or a gather leave a domain once, striped over the links of all members in it. In an all-to-all
    each chip sends what other domains get, a token once to each, over its own link. A ring of attention waits for the
    one neighbour that is outside.
    """
    if message.name == "ring":
        return 1.0
    members = smallest(largest(cluster.domain / message.stride, 1), message.size)
    if message.name not in ALL_TO_ALL:
        return members
    if not some(message.active):
        return largest((message.size - 1) / largest(message.size - members, LEAST), 1)
    leaving = others_visited(message.active, message.size / members)
    return largest(others_visited(message.active, message.size) / largest(leaving, LEAST), 1)


def _shared(message: Message, link: Numeric, cluster: Cluster, efficiency: Efficiency) -> Numeric:
    """What a message between slots of one host reaches: a ring's flows pass its bridge one by one. [byte/s]

    Tokens of experts go round a ring too: without a link between chips, engines gather them all and scatter the sums
    (vLLM's ``allgather_reducescatter``, TensorRT-LLM's ``AllGatherReduceScatter``).
    """
    if message.name != "ulysses" or not on_host_bus(cluster):
        return link
    crossing = all_to_all_crossing(smallest(message.size, HOST_SLOTS))
    return shared_bandwidth(link, efficiency.value("host_bridge", cluster.chip), crossing)


def on_host_bus(cluster: Cluster) -> bool:
    """Whether chips have no link to each other but that of their host."""
    chip = cluster.chip
    return (cluster.scale_up is None and chip.link_bandwidth is None) or chip.link_type.upper().startswith("PCI")


def link_bandwidths(cluster: Cluster, efficiency: Efficiency) -> tuple[Numeric, Numeric]:
    """Scale-up and scale-out bandwidth; where the catalogue knows none, the coefficient ``link_unknown``. [byte/s]"""
    chip = cluster.chip
    up = cluster.scale_up if cluster.scale_up is not None else chip.link_bandwidth
    up = efficiency.value("link_unknown", chip, "up") if up is None else up
    out = cluster.scale_out
    return up, efficiency.value("link_unknown", chip, "out") if out is None else out
