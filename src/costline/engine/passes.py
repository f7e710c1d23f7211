"""Passes: one forward pass for inference, one optimizer step for training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import chain

import numpy as np

from costline.derivation import step
from costline.engine.casts import cast_loads, launched_apart, sorted_before
from costline.engine.loads import Load, backward_loads, each_load
from costline.engine.memory import params_on_chip, residual_elements, round_share, stage_share, state_ranks
from costline.engine.messages import (
    Message,
    forward_messages,
    gradient_messages,
    pipeline_message,
    returned,
    weight_gather_message,
)
from costline.engine.timing import Timing, behind, one_after_another, time_loads, time_messages, waiting
from costline.formulas.experts import busiest_load
from costline.formulas.pipeline import bubble_fraction, spared_layers
from costline.formulas.roofline import memory_time
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.network import Network, place
from costline.models.parts import Attention, ExpertLinear, Part
from costline.numeric import Array, Numeric, choose, largest, some
from costline.plan import Plan
from costline.precision import element_bytes

Streams = Mapping[str, Numeric]


@dataclass(frozen=True)
class Machine:
    """Where and how: a plan on a cluster with its coefficients."""

    cluster: Cluster
    efficiency: Efficiency
    plan: Plan


def forward_pass(parts: Iterable[Part], streams: Streams, machine: Machine) -> Timing:
    """One inference pass of `parts` on the chips of one pipeline stage after the other. [s]"""
    listed = tuple(parts)
    loads: Iterable[Load] = each_load(listed, streams, machine.plan)
    if any(isinstance(part, ExpertLinear) for part in listed):
        ways = (machine.cluster.chip, machine.plan.refined("graph" if machine.plan.compiled else "eager"))
        sorting, apart = (machine.efficiency.value(name, *ways) for name in ("dispatch", "apart"))
        loads = sorted_before(launched_apart(_imbalanced(loads, listed, machine), apart, 0.0, 1.0), sorting)
    busy = time_loads(loads, machine.cluster, machine.efficiency, machine.plan)
    return busy + _sent(listed, streams, busy, machine)


def _sent(parts: tuple[Part, ...], streams: Streams, busy: Timing, machine: Machine, reverse: bool = False) -> Timing:
    """Messages of a pass: a ring's hide behind the attention of the blocks they bring, the others behind any kernel."""
    cluster, efficiency, plan = machine.cluster, machine.efficiency, machine.plan
    if not some(plan.tensor * plan.context * plan.expert_shards > 1):
        return Timing()
    messages = forward_messages(parts, streams, plan)
    rings = [message for message in messages if message.name == "ring" and some(message.calls)]
    sent = time_messages([message for message in messages if message.name != "ring"], cluster, efficiency)
    traffic = behind(sent, busy.point)
    if not rings:
        return traffic
    cores = tuple(part for part in parts if isinstance(part, Attention) and part.exchanged)
    loads: Iterable[Load] = each_load(cores, streams, plan)
    if reverse:
        loads, rings = backward_loads(loads), [returned(message) for message in rings]
    attention = time_loads(loads, cluster, efficiency, plan).point
    return traffic + behind(time_messages(rings, cluster, efficiency), attention * (1 - 1 / plan.ring))


def _imbalanced(loads: Iterable[Load], parts: Iterable[Part], machine: Machine) -> Iterable[Load]:
    """The busiest chip of an expert group has more tokens than the mean one; everybody waits for it."""
    experts = {part.name: part.experts for part in parts if isinstance(part, ExpertLinear)}
    if not experts or not some(np.subtract(machine.plan.expert, 1)):
        return loads
    spread = machine.efficiency.value("expert_spread", machine.cluster.chip)
    busiest = {name: busiest_load(spread, count, machine.plan.expert) for name, count in experts.items()}
    return (_scaled(load, busiest[load.name]) if load.name in busiest else load for load in loads)


def _scaled(load: Load, factor: Numeric) -> Load:
    return load._replace(flops=load.flops * factor, rows=load.rows * factor)


@dataclass(frozen=True)
class Step:
    """One optimizer step of training, by phase; every phase is a `Timing` of the slowest stage.

    Attributes
    ----------
    forward, backward, recompute : Timing
        All micro-batches, messages inside the replica included. [s]
    bubble, data, optimizer, waiting : Timing
        Pipeline idle time; exposed gradient and weight traffic; the update; fixed costs and stragglers. [s]
    """

    forward: Timing
    backward: Timing
    recompute: Timing
    bubble: Timing
    data: Timing
    optimizer: Timing
    waiting: Timing

    @property
    def phases(self) -> dict[str, Timing]:
        """Phases by name."""
        return {row.name: getattr(self, row.name) for row in fields(self)}

    @cached_property
    def total(self) -> Timing:
        """All phases one after the other. [s]"""
        return one_after_another(self.phases.values())


def one_round(network: Network, busy: Timing, shares: Numeric, plan: Plan) -> Timing:
    """Round in which so many shares of work get the pass that one of them takes `busy` for. [s]"""
    queued = round_share(network, plan, shares) - 1
    return busy + waiting(busy.point * queued, "uneven stages") if some(queued > 1e-9) else busy


def training_step(network: Network, streams: Streams, micro_batches: Numeric, machine: Machine) -> Step:
    """Time of one optimizer step.

    Parameters
    ----------
    network : Network
        What is trained.
    streams : mapping
        Tokens of one micro-batch of one replica.
    micro_batches : int or array
        Micro-batches of one replica in a step.
    machine : Machine
        Where and how.
    """
    machine = replace(machine, efficiency=machine.efficiency.within("train"))
    plan = machine.plan
    blocks, returning = (_blocks(network, streams, machine, reverse) for reverse in (False, True))
    first, last = (_ends(network, streams, machine, reverse) for reverse in (False, True))
    first = _balanced(first, blocks, network, plan)
    last = _balanced(last, returning, network, plan)
    again = _recomputed(network, streams, machine, blocks)
    handed = pipeline_message(residual_elements(network, streams, plan), 1, plan)
    hop = time_messages([handed], machine.cluster, machine.efficiency)
    forward, backward = (blocks + first + hop) * micro_batches, (returning + last + hop) * micro_batches
    again = again * micro_batches
    busy = forward + backward + again
    idle = waiting(busy.point * bubble_fraction(plan.pipeline, plan.virtual, micro_batches), "bubble", "network")
    # what hides messages inside the passes cannot hide these too
    data = behind(_replica_traffic(network, micro_batches, machine), largest(busy.point - busy.network, 0.0))
    update = _update(network, machine)
    return Step(forward, backward, again, idle, data, update, _waits(busy.point + idle.point, machine))


def _blocks(network: Network, streams: Streams, machine: Machine, reverse: bool) -> Timing:
    """One way through the blocks of the fullest stage."""
    return _pass(network.blocks, streams, machine, reverse) * stage_share(network, machine.plan)


def _ends(network: Network, streams: Streams, machine: Machine, reverse: bool) -> Timing:
    """One way through what the slowest stage holds besides blocks: with one stage all ends, with several the head."""
    ends = network.ends
    single = machine.plan.pipeline == 1
    busy = Timing()
    for parts, where in ((ends, single), (tuple(part for part in ends if place(part) == "head"), ~np.asarray(single))):
        if some(where):
            busy = busy + _pass(parts, streams, machine, reverse) * choose(where, 1.0, 0.0)
    return busy


def _balanced(ends: Timing, blocks: Timing, network: Network, plan: Plan) -> Timing:
    """What the head adds to the slowest stage: where layers do not divide evenly, its stage has fewer of them."""
    fullest = stage_share(network, plan) * network.layers
    spared = blocks.point / fullest * spared_layers(network.layers, plan.pipeline, fullest)
    if not some(spared) or not some(ends.point):
        return ends
    return ends * largest(1 - spared / largest(ends.point, 1e-12), 0.0)


def _pass(parts: tuple[Part, ...], streams: Streams, machine: Machine, reverse: bool) -> Timing:
    with step("backward" if reverse else "forward"):
        return _one_way(parts, streams, machine, reverse)


def _one_way(parts: tuple[Part, ...], streams: Streams, machine: Machine, reverse: bool) -> Timing:
    loads: Iterable[Load] = _imbalanced(each_load(parts, streams, machine.plan), parts, machine)
    if reverse:
        loads = backward_loads(loads)
    loads = chain(loads, cast_loads(parts, streams, machine.plan, reverse))
    ways = (machine.cluster.chip, machine.plan.refined("loop"))
    apart, sort = (machine.efficiency.value(name, *ways) for name in ("apart", "chunk"))
    loads = launched_apart(loads, apart, sort, machine.plan.expert)
    busy = time_loads(loads, machine.cluster, machine.efficiency, machine.plan)
    return busy + _sent(parts, streams, busy, machine, reverse)


def _recomputed(network: Network, streams: Streams, machine: Machine, blocks: Timing) -> Timing:
    """Forward work done a second time: whole blocks, or (an unfused kernel's) attention."""
    plan, busy = machine.plan, Timing()
    if some(whole := plan.recompute == "full"):
        busy = blocks * choose(whole, plan.recomputed, 0.0)
    if plan.attention == "naive" and some(part_of_it := plan.recompute == "selective"):
        attention = tuple(part for part in network.blocks if part.kind == "attention")
        share = stage_share(network, plan) * choose(part_of_it, 1.0, 0.0)
        busy = busy + _pass(attention, streams, machine, False) * share
    return busy


def _replica_traffic(network: Network, micro_batches: Numeric, machine: Machine) -> Timing:
    """Gradients; with ZeRO-3 also the weights, twice a micro-batch."""
    plan = machine.plan
    shares = zip(
        params_on_chip(network, plan),
        state_ranks(plan, machine.cluster.domain),
        _gradient_ranks(plan),
        (plan.tensor, plan.expert_shards),  # chips from one that holds some weights to the next that holds the same
        strict=True,
    )
    layers = network.layers * stage_share(network, plan)
    messages: list[Message] = []
    for params, shards, ranks, stride in shares:
        messages += gradient_messages(params, plan, shards, ranks, micro_batches, stride)
        gather = weight_gather_message(params, plan, shards, layers, stride)
        twice = 2 * micro_batches
        messages.append(gather._replace(sent=gather.sent * twice, calls=gather.calls * twice))
    return time_messages(messages, machine.cluster, machine.efficiency)


def _gradient_ranks(plan: Plan) -> tuple[Numeric, Numeric]:
    """Replicas that hold the same dense and the same expert weights. [chip]"""
    dense = plan.data * plan.context
    return dense, largest(dense * plan.tensor / plan.expert_shards, 1)


def _update(network: Network, machine: Machine) -> Timing:
    """The optimizer reads and writes its states, reads gradients, writes weights; offloaded, in the host's memory."""
    plan, chip = machine.plan, machine.cluster.chip
    per_param = 2 * plan.optimizer_bytes + plan.gradient_bytes + element_bytes(plan.weights)
    traffic: Numeric = 0.0
    for params, ranks in zip(params_on_chip(network, plan), state_ranks(plan, machine.cluster.domain), strict=True):
        traffic = traffic + params * per_param / (1 + (plan.zero >= 1) * (ranks - 1))
    if plan.offload == "optimizer":
        link, host = (machine.efficiency.value(name, chip) for name in ("offload_bandwidth", "host_memory_bandwidth"))
        moved = traffic * (plan.gradient_bytes + element_bytes(plan.weights)) / per_param
        return waiting(memory_time(moved, link, 1.0) + memory_time(traffic, host, 1.0), "optimizer", "memory")
    busy = memory_time(traffic, chip.memory_bandwidth, machine.efficiency.value("memory", chip))
    return Timing(memory=busy, point=busy, bound={"memory": busy}, groups={"optimizer": busy}, traffic=traffic)


def _waits(busy: Numeric, machine: Machine) -> Timing:
    """Fixed cost of a step, and chips that wait for the slowest of many."""
    efficiency, cluster = machine.efficiency, machine.cluster
    doublings = log2(largest(machine.plan.chips / cluster.domain, 1))
    stragglers = busy * efficiency.value("strong_scaling", cluster.chip) * doublings
    return step_overhead("train", machine) + waiting(stragglers, "stragglers", "network")


def request_overhead(machine: Machine) -> Numeric:
    """What a server adds to the first token of a request, while its engine goes on. [s]"""
    return machine.efficiency.value("request_overhead", machine.cluster.chip, machine.plan.refined(""))


def step_overhead(phase: str, machine: Machine) -> Timing:
    """Fixed cost of a step of some kind (train, prefill, decode, generate): the host's work between steps. [s]"""
    qualifier = machine.plan.refined(phase)
    return waiting(machine.efficiency.value("step_overhead", machine.cluster.chip, qualifier), "step overhead")


def log2(value: Numeric) -> Numeric:
    """Binary logarithm that leaves plain numbers plain."""
    result: Array = np.log2(value)
    return result if np.ndim(result) else float(result)
