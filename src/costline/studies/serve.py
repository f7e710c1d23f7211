"""Serving a decoder: TTFT, TPOT, tokens a second, what fits, what a token costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.estimate import Estimate, Figure, total
from costline.formulas.money import cost_per_unit
from costline.formulas.roofline import arithmetic_intensity, ridge_point
from costline.formulas.training import utilisation
from costline.models.decoder import Decoder
from costline.numeric import Numeric, largest
from costline.studies.economics import Economics, energy_figures, idle_notes
from costline.studies.fit import Fit, nearest_fit
from costline.studies.formats import peak_rate
from costline.studies.serving_changes import serving_changes
from costline.studies.serving_memory import Room, context_notes
from costline.studies.serving_times import Requests, Served


def serve(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    economics: Economics | None = None,
    title: str = "",
    room: Room | None = None,
) -> Estimate:
    """Estimate prefill and decode of a decoder at a batch, context and plan.

    Parameters
    ----------
    network : Decoder
        The model.
    requests : Requests
        Lengths and concurrency.
    machine : Machine
        Cluster, coefficients and plan.
    economics : Economics, optional
        Prices and conditions.
    title : str
        The question in words.
    room : Room, optional
        Memory of a chip, where it holds more than the model.

    Returns
    -------
    Estimate
        Figures ``ttft``, ``tpot``, ``latency``, ``output_rate``, ``cost_input``, ``cost_output``, ``memory``,
        utilisation of arithmetic and bandwidth, largest batch and context.
    """
    own = requests.batch / machine.plan.data
    room = room or Room(network, machine)
    figures, memory = serving_figures(network, requests, machine, economics or Economics(), room)
    figures |= _limits(network, requests, own, room)
    fit = nearest_fit(memory, lambda: serving_changes(requests, own, room))
    return serving_estimate(network, requests, machine, figures, fit, title)


def serving_estimate(
    network: Decoder, requests: Requests, machine: Machine, figures: dict[str, Figure], fit: Fit, title: str = ""
) -> Estimate:
    """Figures of serving, whichever way, as an answer."""
    return Estimate(
        study="serve",
        title=title or f"serve {network.name}",
        inputs=_inputs(network, requests, machine),
        figures=figures,
        feasible=fit.feasible,
        reason=fit.reason,
        change=fit.change,
        warnings=(*context_notes(network, requests.input + requests.output), *idle_notes(machine)),
    )


def serving_figures(
    network: Decoder, requests: Requests, machine: Machine, economics: Economics, room: Room | None = None
) -> tuple[dict[str, Figure], Memory]:
    """The figures of `serve` but for the largest batch and context, and the memory of a chip."""
    times = Served(network, requests, machine)
    figures = times.figures
    memory = request_memory(network, requests, times.own, machine, room)
    figures |= _costs(requests, times, figures, machine, economics)
    figures |= _utilisation(network, times, machine)
    figures["mfu"] = whole_mfu(network, requests, figures["output_rate"].amount, machine)
    return figures | {"memory": memory_figure(memory)}, memory


def _costs(
    requests: Requests, times: Served, figures: dict[str, Figure], machine: Machine, economics: Economics
) -> dict[str, Figure]:
    """Dollars and joules a token: the engine's time for a sequence divided into its prefill and its decode."""
    per_sequence = times.prefill.point + times.decode.point * requests.output
    sequences = figures["output_rate"].amount
    sequences = sequences / requests.output
    share = times.prefill.point / per_sequence
    result: dict[str, Figure] = {}
    for name, part, tokens in (("cost_input", share, requests.input), ("cost_output", 1 - share, requests.output)):
        value = None
        if economics.price is not None:
            rate = machine.cluster.chips * economics.price * part
            value = cost_per_unit(rate, sequences * tokens)
        note = "" if value is not None else "no rental price known: give one with --price"
        result[name] = Figure(name=name, value=value, unit="USD/token", note=note)
    result["cost_per_request"] = cost_per_request(machine.cluster.chips, economics, sequences)
    work = times.prefill + times.decode * requests.output
    energy = energy_figures(work, 1 / (sequences * requests.output), machine, economics)["energy"]
    result["energy_output"] = replace(energy, name="energy_output", unit="J/token", note=energy.note or "all energy")
    return result


def cost_per_request(chips: Numeric, economics: Economics, requests: Numeric) -> Figure:
    """Rent of all chips over the requests answered a second. [USD]"""
    if economics.price is None:
        return Figure(
            name="cost_per_request", value=None, unit="USD", note="no rental price known: give one with --price"
        )
    value = cost_per_unit(chips * economics.price, requests)
    return Figure(name="cost_per_request", value=value, unit="USD", note="machines always busy")


def _utilisation(network: Decoder, times: Served, machine: Machine) -> dict[str, Figure]:
    """Shares of peak arithmetic and bandwidth, derived: nobody assumes 5 %."""
    chip = machine.cluster.chip
    peak = chip.rate(machine.plan.compute)
    figures: dict[str, Figure] = {}
    for name, timing in (("prefill", times.prefill), ("decode", times.decode)):
        used = utilisation(timing.flops, timing.point, 1, peak_rate(chip, machine.plan))
        moved = timing.traffic / timing.point / chip.memory_bandwidth
        for short, value, what in (("mfu", used, "arithmetic"), ("mbu", moved, "bandwidth")):
            note = f"share of peak {what}, chips at work"
            figures[f"{name}_{short}"] = Figure(name=f"{name}_{short}", value=value, unit="1", note=note)
    intensity = arithmetic_intensity(times.decode.flops, times.decode.traffic)
    ridge = ridge_point(peak, chip.memory_bandwidth)
    figures["decode_intensity"] = Figure(
        name="decode_intensity", value=intensity, unit="FLOP/byte", children=(
            Figure(name="ridge point", value=ridge, unit="FLOP/byte"),), combine="beside",
    )  # fmt: skip
    return figures


def whole_mfu(network: Decoder, requests: Requests, rate: Numeric, machine: Machine) -> Figure:
    """Model FLOPs of prompts and answers over what all chips could do meanwhile. [1]"""
    context = requests.input + requests.output / 2
    work = network.flops(network.streams(tokens=requests.input))
    work = work + requests.output * network.flops(network.streams(tokens=1, cached=context - 1))
    peak = peak_rate(machine.cluster.chip, machine.plan)
    value = utilisation(work * (rate / requests.output), 1.0, machine.cluster.chips, peak)
    return Figure(name="mfu", value=value, unit="1", note="prefill and decode together, all chips")


def request_memory(
    network: Decoder, requests: Requests, own: Numeric, machine: Machine, room: Room | None = None
) -> Memory:
    """Memory of one chip while `own` of the requests are in flight on its replica, prompts taken in whole."""
    context = requests.input + requests.output
    return (room or Room(network, machine)).serving(context, own, requests.input, together=requests.together)


def memory_figure(memory: Memory) -> Figure:
    """Memory of one chip as a sum. [byte]"""
    children = {name: Figure(name=name, value=value, unit="byte") for name, value in memory.items.items()}
    if memory.passes:
        turns = tuple(Figure(name=name, value=value, unit="byte") for name, value in memory.passes.items())
        children["activations"] = replace(children["activations"], children=turns, combine="max")
    return total("memory", "byte", children.values(), high=memory.usable, note="per chip; high is what the chip offers")


def _limits(network: Decoder, requests: Requests, own: Numeric, room: Room) -> dict[str, Figure]:
    """Largest batch and largest context that fit, everything else as asked."""
    context = requests.input + requests.output
    batch = room.most_sequences(context, requests.input, together=requests.together)
    longest = room.longest_context(own, requests.output, together=requests.together)
    limited = network.max_context
    if limited is not None:
        longest = -largest(-longest, -limited)
    return {
        "largest_batch": Figure(
            name="largest_batch",
            value=batch,
            unit="sequence",
            note=f"at {plain_int(context)} tokens under this plan; --solve batch tries all plans",
        ),
        "largest_context": Figure(
            name="largest_context",
            value=longest,
            unit="token",
            note="at the batch asked" + (f"; at most the {limited:,} the model states" if limited is not None else ""),
        ),
    }


def plain_int(value: Numeric) -> str:
    """Whole number for a note; arrays are only described."""
    return "the asked" if isinstance(value, np.ndarray) else f"{value:,.0f}"


def largest_batch(
    network: Decoder, context: Numeric, machine: Machine, prompt: Numeric | None = None, *, together: bool = False
) -> Numeric:
    """Largest number of sequences of `context` tokens in flight that fits; see `serving_memory`. [sequence]"""
    return Room(network, machine).most_sequences(context, prompt, together=together)


def largest_context(
    network: Decoder, own: Numeric, machine: Machine, output: Numeric = 0, *, together: bool = False
) -> Numeric:
    """Longest context at which `own` sequences a replica fit; all of it is prompt but for `output` tokens. [token]"""
    return Room(network, machine).longest_context(own, output, together=together)


def _inputs(network: Decoder, requests: Requests, machine: Machine) -> dict[str, Any]:
    cluster = machine.cluster
    return {
        "model": network.name,
        "chip": cluster.chip.id,
        "chips": cluster.chips,
        **{name: getattr(requests, name) for name in ("input", "output", "batch", "batching")},
        **vars(machine.plan),
    }
