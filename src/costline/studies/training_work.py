"""What a training run does: FLOPs by every convention, and how much of the hardware they use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from costline.engine.passes import Machine, Step
from costline.estimate import Figure
from costline.formulas.training import training_flops, utilisation
from costline.models.network import Network
from costline.models.parts import Convention
from costline.numeric import Numeric
from costline.plan import Plan
from costline.studies.formats import peak_rate

FORWARD_AND_BACKWARD = 3
"""Model FLOPs of training over those of a forward pass: the backward pass counts twice (PaLM, appendix B)."""
CONVENTIONS: tuple[Convention, Convention] = ("exact", "full")
NOTES = {
    "exact": "3 x forward, attention pairs a mask lets through",
    "full": "3 x forward, every attention pair",
    "hardware": "executed: attention backward 2.5 x forward, recomputation included",
}
RATES = {
    "mfu": ("flops_exact", "model FLOPs, exact attention, over the dense peak of all chips"),
    "mfu_full": ("flops_full", "model FLOPs, full attention"),
    "hfu": ("flops_hardware", "executed FLOPs, recomputation included"),
}


class Part(Protocol):
    """A stretch of a run, worked out: see `costline.studies.train.Stage`."""

    @property
    def samples(self) -> Numeric: ...
    @property
    def streams(self) -> dict[str, Numeric]: ...
    @property
    def step(self) -> Step: ...
    @property
    def plan(self) -> Plan: ...


class Asked(Protocol):
    """What is trained on how much: see `costline.studies.train.Run`."""

    @property
    def tokens(self) -> Numeric: ...
    @property
    def mfu(self) -> Numeric | None: ...


def work_figures(network: Network, run: Asked, stages: Iterable[Part]) -> dict[str, Figure]:
    """FLOPs of the run: the rule of thumb, the exact count, the full-attention count, what the hardware executes.

    Sparse attention computes a share of the pairs: a mask that lets through no more.
    """
    rule = training_flops(network.active_params, run.tokens)
    counts: dict[str, Numeric] = {"exact": 0.0, "full": 0.0, "hardware": 0.0}
    for stage in stages:
        forward, full = (_forward_flops(network, stage, convention) for convention in CONVENTIONS)
        ratio = _hardware_ratio(stage)
        exact, every = (FORWARD_AND_BACKWARD * one for one in (forward, full))
        factors = {"exact": exact, "full": every, "hardware": forward * ratio}
        for name, flops in factors.items():
            counts[name] = counts[name] + stage.samples / stage.streams["batch"] * flops
    figures = {"flops_6nd": Figure(name="flops_6nd", value=rule, unit="FLOP", note=f"6 x {_active(network)} x tokens")}
    for name, value in counts.items():
        figures[f"flops_{name}"] = Figure(name=f"flops_{name}", value=value, unit="FLOP", note=NOTES[name])
    return figures


def _forward_flops(network: Network, stage: Part, convention: Convention) -> Numeric:
    """FLOPs of a forward pass over a micro-batch, the pairs that sparse attention leaves out not counted. [FLOP]"""
    dense = network.flops(stage.streams, convention=convention)
    if not np.any(np.not_equal(stage.plan.density, 1)):
        return dense
    attention = sum(part.flops(stage.streams, convention) for part in network.parts if part.kind == "attention")
    return dense - attention * (1 - stage.plan.density)


def _active(network: Network) -> str:
    used = network.active_params
    return "active parameters" if isinstance(used, np.ndarray) else f"{used:,} active parameters"


def _hardware_ratio(stage: Part) -> Numeric:
    """Executed FLOPs of a step over forward FLOPs, read off the kernels that were timed."""
    step = stage.step
    executed = step.forward.flops + step.backward.flops + step.recompute.flops
    return executed / step.forward.flops


def rate_figures(run: Asked, seconds: Numeric, work: Mapping[str, Figure], machine: Machine) -> dict[str, Figure]:
    """Utilisation by every convention, and tokens a second."""
    chips, peak = machine.cluster.chips, peak_rate(machine.cluster.chip, machine.plan)
    figures = {}
    for name, (flops, note) in RATES.items():
        value = utilisation(work[flops].amount, seconds, chips, peak)
        figures[name] = Figure(name=name, value=value, unit="1", note=note)
    rate = run.tokens / seconds
    figures["tokens_per_second"] = Figure(name="tokens_per_second", value=rate, unit="token/s")
    figures["tokens_per_second_per_chip"] = Figure(
        name="tokens_per_second_per_chip", value=rate / chips, unit="token/s"
    )
    return figures


def beyond_peak(network: Network, run: Asked, stages: Sequence[Part], machine: Machine) -> tuple[str, ...]:
    """That a stated utilisation of model FLOPs would need more than all of the peak for what is executed."""
    work, stated = work_figures(network, run, stages), 0.0 if run.mfu is None else run.mfu
    idle = machine.cluster.chips / machine.plan.chips  # a share of all chips is more of those at work
    executed = stated * idle * work["flops_hardware"].amount / work["flops_exact"].amount
    if np.ndim(executed) or executed <= 1:
        return ()
    return (f"the MFU you stated needs {100 * executed:,.0f} % of the peak for the FLOPs that are executed",)
