"""Times of requests: what one replica takes for prefill and decode, what a request sees, what a second brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from costline.derivation import step
from costline.engine.memory import residual_elements, round_share, stage_share
from costline.engine.messages import pipeline_message
from costline.engine.passes import Machine, forward_pass, one_round, request_overhead, step_overhead
from costline.engine.timing import Timing, time_messages
from costline.estimate import Figure, timed, total
from costline.formulas.serving import mixed_step, output_rate, request_latency, tpot, ttft_under_load
from costline.models.decoder import Decoder
from costline.models.parts import Part
from costline.numeric import Numeric, largest, smallest, some

Batching = Literal["continuous", "static"]


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What is asked of the model.

    Attributes
    ----------
    input, output : int or array
        Prompt and answer. [token]
    batch : int or array
        Sequences in flight on all chips together. [sequence]
    batching : {"continuous", "static"}
        Newcomers join a running batch, or the whole batch starts together.
    in_step : bool
        Whether requests are all of one length and sent again as soon as they are answered, as in benchmarks: they end
        together and come back together.
    """

    input: Numeric
    output: Numeric
    batch: Numeric = 1
    batching: Batching = "continuous"
    in_step: bool = False

    @property
    def together(self) -> bool:
        """Whether all prompts are taken in by one pass."""
        return self.batching == "static"


@dataclass(frozen=True)
class Served:
    """Requests on a machine: times of one replica, each worked out when it is asked for.

    Every stage works on its own share of the batch, so all stages together take the whole batch one step further, or
    through its prefill, in the time one share needs to pass all of them.
    """

    network: Decoder
    requests: Requests
    machine: Machine

    @cached_property
    def own(self) -> Numeric:
        """Sequences in flight. [sequence]"""
        return self.requests.batch / self.machine.plan.data

    @cached_property
    def first(self) -> Timing:
        """Prefill of one sequence. [s]"""
        with step("prefill of one request"):
            streams = self.network.streams(tokens=self.requests.input)
            busy = _through(self.network, self.network.parts, streams, self.machine)
        return busy + step_overhead("prefill", self.machine)

    @cached_property
    def prefill(self) -> Timing:
        """Prefill of the batch. [s]"""
        with step("prefill of the batch"):
            streams = self.network.streams(tokens=self.requests.input, batch=self._share)
            busy = self._round(self.network.parts, streams)
        return busy + step_overhead("prefill", self.machine)

    @cached_property
    def decode(self) -> Timing:
        """A decode step of the batch at the mean context. [s]"""
        context = self.requests.input + self.requests.output / 2
        with step("decode step"):
            streams = self.network.streams(tokens=1, cached=context - 1, batch=self._share)
            busy = self._round(self.network.decode_parts, streams)
        return busy + step_overhead("decode", self.machine)

    @property
    def _share(self) -> Numeric:
        """Sequences that one pipeline stage works on at a time. [sequence]"""
        return largest(self.own / self.machine.plan.pipeline, 1)

    def _round(self, parts: Sequence[Part], streams: dict[str, Numeric]) -> Timing:
        busy = _through(self.network, parts, streams, self.machine)
        return one_round(self.network, busy, self.own, self.machine.plan)

    @cached_property
    def ttft(self) -> Figure:
        """Time to the first token. [s]"""
        if self.requests.together:
            whole = self.prefill * _filled(self.network, self.own, self.machine)
            return timed("ttft", whole, note="prefill of the whole batch")
        alone, together = self.first, self.prefill
        ahead = ahead_of(self.machine, self.requests)
        return joining(self.own, self._rhythm[0], alone, together.point, self.outside, ahead)

    @cached_property
    def tpot(self) -> Figure:
        """Mean time between two tokens of a request. [s]"""
        rhythm, low, high = self._rhythm
        children: tuple[Figure, ...] = (timed("decode step", self.decode),)
        if not self.requests.together:
            beside = Figure(name="prefill of newcomers", value=rhythm - self.decode.point, unit="s")
            children = (*children, beside)
        return total("tpot", "s", children, low=low, high=high, note=_rhythm_note(children, self))

    @cached_property
    def latency(self) -> Figure:
        """Time of a whole request. [s]"""
        value = request_latency(self.ttft.amount, tpot(self._rhythm[0], 1), self.requests.output)
        return Figure(name="latency", value=value, unit="s", note="ttft + tpot x (output - 1)")

    @cached_property
    def outside(self) -> Numeric:
        """What of the time of a request it does not spend in the engine. [s]"""
        return 0.0 if self.requests.together else request_overhead(self.machine)

    @cached_property
    def _rhythm(self) -> tuple[Numeric, Numeric, Numeric]:
        """Mean time between two tokens and its bracket: a decode step, and the prefills of newcomers. [s]"""
        steps = self.decode.point, self.decode.lower, self.decode.upper
        if self.requests.together:
            return steps
        others = newcomers(self.own) / largest(self.own, 1)
        prefills = self.prefill.point, self.prefill.lower, self.prefill.upper
        point, low, high = (
            mixed_step(one, other, others, self.requests.output) for one, other in zip(steps, prefills, strict=True)
        )
        return point, low, high

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures of `serve` that are times and rates, without money, memory and limits."""
        requests, machine = self.requests, self.machine
        first, between, latency = self.ttft, self.tpot, self.latency
        rate = output_rate(self.own, requests.output, latency.amount - self.outside) * machine.plan.data
        gap = self.decode.point if requests.together else self.decode.point + self.first.point
        all_tokens = rate * (requests.input + requests.output) / requests.output
        made = (
            Figure(name="longest_gap", value=gap, unit="s", note="a decode step that one newcomer joins"),
            Figure(name="output_rate", value=rate, unit="token/s", note="all chips"),
            Figure(name="output_rate_per_chip", value=rate / machine.cluster.chips, unit="token/s"),
            Figure(name="total_rate", value=all_tokens, unit="token/s"),
        )
        return {figure.name: figure for figure in (first, between, latency, *made)}


def serving_times(network: Decoder, requests: Requests, machine: Machine) -> dict[str, Figure]:
    """The figures of `serve` that are times and rates, without money, memory and limits."""
    return Served(network, requests, machine).figures


def serving_rate(network: Decoder, requests: Requests, machine: Machine) -> Numeric:
    """Output tokens a second of all chips. [token/s]"""
    return serving_times(network, requests, machine)["output_rate"].amount


def _through(network: Decoder, parts: Sequence[Part], streams: dict[str, Numeric], machine: Machine) -> Timing:
    """One pass through all pipeline stages, with what each hands to the next. [s]"""
    plan, busy = machine.plan, forward_pass(parts, streams, machine)
    if not some(plan.pipeline > 1):
        return busy
    handed = pipeline_message(residual_elements(network, streams, plan), 1, plan)
    hops = time_messages([handed], machine.cluster, machine.efficiency) * (plan.pipeline - 1)
    return busy + hops


def _filled(network: Decoder, own: Numeric, machine: Machine) -> Numeric:
    """Time until the last share of a batch has passed the pipeline, over that of a round of all. [1]"""
    shares, stage = smallest(own, machine.plan.pipeline), stage_share(network, machine.plan)
    return (1 + (largest(shares, 1) - 1) * stage) / round_share(network, machine.plan, own)


def _rhythm_note(children: tuple[Figure, ...], times: Served) -> str:
    """What binds the mean time between tokens: the decode step, or the prefill of newcomers where that is longer."""
    if np.ndim(times.requests.output) == 0 and times.requests.output <= 1:
        return "no token follows the first"
    if len(children) == 1 or np.ndim(children[1].amount) or children[1].amount <= children[0].amount:
        return children[0].note
    return f"bound by {times.prefill.binds}, in the prefill of newcomers"


def newcomers(own: Numeric) -> Numeric:
    """Sequences that join while one of `own` in flight is answered: all but itself. [sequence]"""
    return largest(own - 1, 0)


def ahead_of(machine: Machine, requests: Requests) -> Numeric:
    """Share of the other requests in flight whose prefill goes before a newcomer's. [1]"""
    kind = machine.plan.refined("in step" if requests.in_step else "")
    return machine.efficiency.value("queue", machine.cluster.chip, kind)


def joining(own: Numeric, rhythm: Numeric, alone: Timing, together: Numeric, server: Numeric, ahead: Numeric) -> Figure:
    """TTFT of a request that joins a running batch: its own prefill, what it waits for, and what the server adds."""
    prefill = timed("own prefill", alone)
    value = ttft_under_load(alone.point, rhythm, together, ahead, own, server)
    queued = largest(value - alone.point - server, 0)  # a rounding error is no negative wait
    wait = Figure(name="waiting", value=queued, unit="s", note="for the running step and the queue")
    beside = Figure(name="server", value=server, unit="s", note="tokenising, queues between processes, network")
    high = largest(alone.upper, value)
    return total("ttft", "s", (prefill, wait, beside), low=alone.lower, high=high, note=prefill.note)
