"""Two more ways to serve: prompts prefilled in chunks between decode steps, and prefill on chips of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from costline.derivation import step
from costline.engine.memory import Memory
from costline.engine.messages import Message
from costline.engine.passes import Machine, forward_pass, one_round, request_overhead, step_overhead
from costline.engine.timing import Timing, time_messages
from costline.estimate import Figure, timed, total
from costline.formulas.serving import balanced_rate, chunk_share, output_rate, request_latency
from costline.models.decoder import Decoder
from costline.models.parts import Attention, LinearAttention, Part
from costline.numeric import Numeric, ceil_divide, largest, smallest
from costline.precision import element_bytes
from costline.studies.economics import Economics, energy_figures, mean_power
from costline.studies.serve import cost_per_request, memory_figure, whole_mfu
from costline.studies.serving_memory import prefill_memory, serving_memory
from costline.studies.serving_times import Requests, ahead_of, joining, newcomers

Figures = dict[str, Figure]


def chunked_figures(
    network: Decoder, requests: Requests, chunk: Numeric, machine: Machine, economics: Economics
) -> tuple[Figures, Memory, Numeric]:
    """Serving with chunked prefill: a step decodes the batch and takes in a chunk of one prompt.

    Dense layers run once over the rows of both; attention runs for each (Agrawal et al. 2023, arXiv:2308.16369).

    Parameters
    ----------
    network, requests, machine, economics
        As for `costline.studies.serve.serve`.
    chunk : int or array
        Prompt tokens a step takes in at most. [token]

    Returns
    -------
    tuple
        Figures as of `serve`, the memory of a chip, and the share of steps that carry a chunk; above 1 the prompts
        cannot keep up, and the plan cannot be run. [1]
    """
    plan = machine.plan
    own = requests.batch / plan.data
    running = largest(own / plan.pipeline, 1)
    taken = smallest(chunk, requests.input)
    share = chunk_share(newcomers(running), requests.input, requests.output, taken)
    decode, mixed = _steps(network, requests, running, taken, machine)
    carried = smallest(share, 1.0)
    mean = decode * (1 - carried) + mixed * carried
    first = mixed * ceil_divide(requests.input, taken)
    # prompts are taken in one after the other, so all of them together take that many times as long
    outside = request_overhead(machine)
    waited = joining(own, mean.point, first, first.point * own, outside, ahead_of(machine, requests))
    latency = request_latency(waited.amount, mean.point, requests.output)
    rate = output_rate(own, requests.output, latency - outside) * plan.data
    steps = (timed("decode step", decode * (1 - carried)), timed("step with a chunk", mixed * carried))
    figures = {
        "ttft": waited,
        "tpot": total("tpot", "s", steps, low=mean.lower, high=mean.upper),
        "latency": Figure(name="latency", value=latency, unit="s", note="ttft + tpot x (output - 1)"),
        "longest_gap": Figure(name="longest_gap", value=mixed.point, unit="s", note="a step with a chunk"),
    }
    figures |= _rates(requests, rate, machine.cluster.chips)
    figures |= _money(requests, rate, machine.cluster.chips, economics)
    figures["mfu"] = whole_mfu(network, requests, rate, machine)
    energy = energy_figures(mean, 1 / rate, machine, economics)["energy"]
    figures["energy_output"] = replace(energy, name="energy_output", unit="J/token", note=energy.note or "all energy")
    memory = serving_memory(network, requests.input + requests.output, own, machine, taken)
    return figures | {"memory": memory_figure(memory)}, memory, share


def _steps(
    network: Decoder, requests: Requests, running: Numeric, chunk: Numeric, machine: Machine
) -> tuple[Timing, Timing]:
    """A decode step of `running` sequences, and one that takes in a chunk besides."""
    context = requests.input + requests.output / 2
    decoding = network.streams(tokens=1, cached=context - 1, batch=running)
    # a chunk sees the prompt before it: on average half of the rest
    taking_in = network.streams(tokens=chunk, cached=(requests.input - chunk) / 2)
    both = network.streams(tokens=running + chunk, logits=running + 1)
    shared, apart, joining = _division(network)
    fixed = step_overhead("decode", machine)
    with step("decode step"):
        alone = forward_pass(network.decode_parts, decoding, machine)
    with step("decode step with a chunk"):
        together = forward_pass(shared, both, machine) + forward_pass(apart, decoding, machine)
        together = together + forward_pass(joining, taking_in, machine)
    alone, together = (one_round(network, each, machine.plan.pipeline, machine.plan) for each in (alone, together))
    return alone + fixed, together + fixed


def _division(network: Decoder) -> tuple[tuple[Part, ...], tuple[Part, ...], tuple[Part, ...]]:
    """Parts that run once over the rows of decode and prefill, and those that run for either."""
    both = set(network.parts) & set(network.decode_parts)
    shared = tuple(part for part in network.parts if part in both and not isinstance(part, Attention | LinearAttention))
    kept = set(shared)
    decode, prefill = (
        tuple(part for part in parts if part not in kept) for parts in (network.decode_parts, network.parts)
    )
    return shared, decode, prefill


@dataclass(frozen=True)
class Pool:
    """One replica of a pool that does only prefill or only decode.

    Attributes
    ----------
    timing : Timing
        A prefill of `batch` prompts, or a decode step of `batch` sequences. [s]
    batch : float or array
        Sequences of one replica. [sequence]
    rate : float or array
        Requests a second of one replica. [request/s]
    memory : Memory
        Of one chip.
    """

    timing: Timing
    batch: Numeric
    rate: Numeric
    memory: Memory


def prefill_pool(network: Decoder, requests: Requests, batch: Numeric, machine: Machine) -> Pool:
    """A replica that prefills `batch` prompts at a time; its stages do not overlap."""
    start = step_overhead("prefill", machine)
    streams = network.streams(tokens=requests.input, batch=batch)
    with step("prefill"):
        timing = forward_pass(network.parts, streams, machine) + start
    memory = prefill_memory(network, requests.input, batch, machine)
    return Pool(timing, batch, batch / timing.point, memory)


def first_of_pool(pool: Pool, flying: Numeric, machine: Machine, requests: Requests) -> Figure:
    """TTFT from a replica that only prefills, `flying` requests being in flight for it, some of them waiting."""
    own, outside, ahead = pool.timing, request_overhead(machine), ahead_of(machine, requests)
    return joining(flying, own.point, own, flying / pool.rate, outside, ahead)


def decode_pool(network: Decoder, requests: Requests, batch: Numeric, machine: Machine) -> Pool:
    """A replica that holds `batch` sequences and only decodes."""
    fixed = step_overhead("decode", machine)
    running = largest(batch / machine.plan.pipeline, 1)
    context = requests.input + requests.output / 2
    with step("decode step"):
        timing = forward_pass(
            network.decode_parts, network.streams(tokens=1, cached=context - 1, batch=running), machine
        )
    timing = one_round(network, timing, batch, machine.plan) + fixed
    memory = serving_memory(network, requests.input + requests.output, batch, machine, 0)
    return Pool(timing, batch, batch / (timing.point * requests.output), memory)


def apart_figures(
    network: Decoder,
    requests: Requests,
    pools: tuple[Pool, Pool],
    machines: tuple[Machine, Machine],
    economics: Economics,
) -> tuple[Figures, Numeric]:
    """Serving with prefill and decode on chips of their own (Zhong et al. 2024, arXiv:2401.09670).

    Parameters
    ----------
    network, requests, economics
        As for `costline.studies.serve.serve`; the batch of `requests` is not used.
    pools : tuple of Pool
        A replica for prefill and one for decode.
    machines : tuple of Machine
        Where each pool is; the plan says how many replicas it has.

    Returns
    -------
    tuple
        Figures as of `serve`, and whether a chip of either pool holds what it must.
    """
    (prefill, decode), (entering, leaving) = pools, machines
    rates = prefill.rate * entering.plan.data, decode.rate * leaving.plan.data
    rate = balanced_rate(*rates)
    chips = entering.cluster.chips + leaving.cluster.chips
    moved = _transfer(network, requests, entering, leaving)
    flying = decode.batch * leaving.plan.data / entering.plan.data  # requests in flight for one prefill replica
    first = first_of_pool(prefill, flying, entering, requests)
    latency = request_latency(first.amount + moved.point, decode.timing.point, requests.output)
    figures: Figures = {
        "ttft": first,
        "tpot": timed("tpot", decode.timing),
        "latency": Figure(name="latency", value=latency, unit="s", note="ttft + KV transfer + tpot x (output - 1)"),
        "longest_gap": Figure(name="longest_gap", value=decode.timing.point, unit="s", note="a decode step"),
        "kv_transfer": Figure(name="kv_transfer", value=moved.point, unit="s", note="KV cache of one prompt"),
    }
    figures |= _rates(requests, rate * requests.output, chips)
    figures |= _money(requests, rate * requests.output, chips, economics)
    figures["mfu"] = whole_mfu(network, requests, rate * requests.output, _joined(entering, leaving))
    figures["energy_output"] = _energy(requests, rate, pools, machines, economics)
    held = [replace(memory_figure(pool.memory), name=name, high=None, note="") for pool, name in zip(
        pools, ("prefill chip", "decode chip"), strict=True)]  # fmt: skip
    figures["memory"] = Figure(
        name="memory", value=largest(*(one.amount for one in held)), unit="byte", combine="max", children=tuple(held),
        high=decode.memory.usable, note="per chip; high is what the chip offers",
    )  # fmt: skip
    return figures, np.logical_and(prefill.memory.fits, decode.memory.fits)


def _joined(entering: Machine, leaving: Machine) -> Machine:
    """The chips of both pools."""
    chips = entering.cluster.chips + leaving.cluster.chips
    return replace(leaving, cluster=replace(leaving.cluster, chips=chips))


def _transfer(network: Decoder, requests: Requests, entering: Machine, leaving: Machine) -> Timing:
    """KV cache of one prompt from one pool to the other, over the links of the smaller replica."""
    chips = smallest(entering.plan.replica, leaving.plan.replica)
    size = network.cache_elements(requests.input) * element_bytes(leaving.plan.cache)
    reach = (entering.cluster.chips + leaving.cluster.chips) / 2  # how far apart partners are
    return time_messages([Message("transfer", size / chips, 1, 2, reach)], leaving.cluster, leaving.efficiency)


def _rates(requests: Requests, rate: Numeric, chips: Numeric) -> Figures:
    values = {
        "output_rate": rate,
        "output_rate_per_chip": rate / chips,
        "total_rate": rate * (requests.input + requests.output) / requests.output,
    }
    return {name: Figure(name=name, value=value, unit="token/s") for name, value in values.items()}


def _money(requests: Requests, rate: Numeric, chips: Numeric, economics: Economics) -> Figures:
    return {"cost_per_request": cost_per_request(chips, economics, rate / requests.output)}


def _energy(
    requests: Requests,
    rate: Numeric,
    pools: tuple[Pool, Pool],
    machines: tuple[Machine, Machine],
    economics: Economics,
) -> Figure:
    """Energy of both pools for a token; a pool that waits for the other one draws what an idle chip draws."""
    power: Numeric = 0.0
    for pool, machine in zip(pools, machines, strict=True):
        busy = rate / (pool.rate * machine.plan.data)
        drawn = mean_power(replace(pool.timing, point=pool.timing.point / busy), machine)
        if drawn is None:
            unknown = f"no power limit known for {machine.cluster.chip.id}"
            return Figure(name="energy_output", value=None, unit="J/token", note=unknown)
        power = power + drawn
    value = power * economics.pue / (rate * requests.output)
    return Figure(name="energy_output", value=value, unit="J/token", note="all energy")
