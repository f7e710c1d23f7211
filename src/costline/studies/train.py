"""Training: FLOPs, time, MFU, memory, money and energy of a run, sequence curricula and failures included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.derivation import step as recorded_step
from costline.engine.memory import Memory, activations, gathered_bytes, logits_bytes, model_states, usable
from costline.engine.passes import Machine, Step, training_step
from costline.engine.timing import Timing, one_after_another
from costline.estimate import Estimate, Figure, timed, total
from costline.formulas.reliability import checkpoint_interval, failure_rate, goodput
from costline.formulas.training import time_at_utilisation
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.network import Network
from costline.numeric import Numeric, add_up, largest, smallest
from costline.plan import Plan
from costline.studies.batch import batch_notes, fed, micro_batches_of, sequences_of
from costline.studies.clip import grid_notes
from costline.studies.economics import Economics, cost_figure, energy_figures, idle_notes
from costline.studies.fit import Fit, nearest_fit
from costline.studies.formats import peak_rate
from costline.studies.serve import memory_figure
from costline.studies.space import dividing, heads_of
from costline.studies.training_work import beyond_peak, rate_figures, work_figures

DIT_ALONE = (
    "the transformer alone: encoding clips with the autoencoder and captions with the text encoder is not counted; "
    "runs that do not encode them beforehand pay for it too"
)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of training at one sequence length.

    Attributes
    ----------
    share : float or array
        Share of the tokens. [1]
    sequence : int or array
        Tokens of a sample: text tokens, or latent tokens of a clip. [token]
    clip : tuple, optional
        Frames, height and width in pixels, where the sample is a clip. [frame, pixel, pixel]
    plan : Plan, optional
        How this part is run; the machine's plan where it is left out.
    """

    share: Numeric = 1.0
    sequence: Numeric = 0
    clip: tuple[Numeric, Numeric, Numeric] | None = None
    plan: Plan | None = None

    def on(self, machine: Machine) -> Machine:
        """The machine with the plan of this part."""
        return machine if self.plan is None else replace(machine, plan=self.plan)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is trained on how much.

    Attributes
    ----------
    tokens : float or array
        Training tokens. [token]
    stretches : sequence of Stretch
        The curriculum; shares sum to 1.
    batch_tokens : float or array
        Tokens of one optimizer step; what is trained on is the nearest number of whole sequences. [token]
    mfu : float, array or None
        Utilisation fixed by the user, which overrides the time model. [1]
    failures : bool
        Whether interruptions and checkpoints lengthen the run.
    """

    tokens: Numeric
    stretches: Sequence[Stretch]
    batch_tokens: Numeric
    mfu: Numeric | None = None
    failures: bool = True


@dataclass(frozen=True)
class Stage:
    """One stretch of a run, worked out."""

    stretch: Stretch
    streams: dict[str, Numeric]
    sequences: Numeric
    steps: Numeric
    step: Step
    memory: Memory
    plan: Plan
    tokens: Numeric

    @property
    def samples(self) -> Numeric:
        """Samples of the stretch that count: those of the tokens asked for. [sample]"""
        return self.tokens / sample_tokens(self.streams)

    @property
    def seconds(self) -> Numeric:
        """Time of the stretch without interruptions. [s]"""
        return self.steps * self.step.total.point


def sample_streams(network: Network, stretch: Stretch, batch: Numeric) -> dict[str, Numeric]:
    """Streams of one training micro-batch."""
    if isinstance(network, DiT):
        if stretch.clip is None:
            return network.token_streams(stretch.sequence, batch=batch)
        frames, height, width = stretch.clip
        return network.streams(frames=frames, height=height, width=width, batch=batch)
    if not isinstance(network, Decoder):
        raise TypeError(f"{network.name} is neither a decoder nor a diffusion transformer")
    return network.streams(tokens=stretch.sequence, logits=stretch.sequence, batch=batch)


def sample_tokens(streams: dict[str, Numeric]) -> Numeric:
    """Tokens of a sample that count as training tokens: text of a decoder, latents of a DiT. [token]"""
    return streams["tokens"] if "tokens" in streams else streams["image"]


def train(
    network: Network, run: Run, machine: Machine, economics: Economics | None = None, title: str = ""
) -> Estimate:
    """Estimate a training run.

    Parameters
    ----------
    network : Network
        A decoder or a diffusion transformer.
    run : Run
        Tokens, curriculum, batch.
    machine : Machine
        Cluster, coefficients and plan.
    economics : Economics, optional
        Prices and conditions.
    title : str
        The question in words.

    Returns
    -------
    Estimate
        Figures ``time``, ``cost``, ``energy``, ``mfu``, ``hfu``, ``tokens_per_second_per_chip``, ``step``, ``memory``,
        FLOPs by both conventions, goodput.
    """
    economics = economics or Economics()
    stages = [stage_of(network, run, stretch, machine) for stretch in run.stretches]
    work = work_figures(network, run, stages)
    busy = _busy(run, stages, work, machine)
    kept = _goodput(network, run, stages, machine)
    seconds = busy.amount / kept.amount
    lost = Figure(name="interruptions", value=seconds - busy.amount, unit="s", note=kept.note)
    low, high = (None if side is None else side / kept.amount for side in (busy.low, busy.high))
    figures = {"time": total("time", "s", (busy, lost), low=low, high=high, note=busy.note)}
    figures["cost"] = cost_figure("cost", machine.cluster.chips, seconds, economics)
    figures |= energy_figures(_all_steps(stages, busy.amount), seconds, machine, economics)
    figures |= rate_figures(run, busy.amount, work, machine)
    figures["step"] = _step_figure(stages) if run.mfu is None else _stated_step(stages, busy.amount)
    fullest = max(stages, key=lambda stage: float(np.max(stage.memory.total)))
    figures["memory"] = memory_figure(fullest.memory)
    figures |= work | {"goodput": kept}
    fit = _fit(network, run, fullest, stages, machine)
    return Estimate(
        study="train",
        title=title or f"train {network.name}",
        inputs=_inputs(network, run, machine),
        figures=figures,
        feasible=fit.feasible,
        reason=fit.reason,
        change=fit.change,
        warnings=_warnings(network, run, stages, machine),
    )


def stage_of(network: Network, run: Run, stretch: Stretch, machine: Machine) -> Stage:
    """Work out one stretch: streams, steps, time of a step, memory.

    A step trains on the sequences of the batch and no others, and lasts as long as its fullest replica works. Fewer
    tokens than a step takes are a step all the same.
    """
    machine = stretch.on(machine)
    streams = sample_streams(network, stretch, machine.plan.micro_batch)
    sequences = sequences_of(run.batch_tokens, sample_tokens(streams))
    most = micro_batches_of(sequences, machine.plan)
    steps = largest(
        run.tokens * stretch.share / (sequences * sample_tokens(streams)), np.greater(stretch.share, 0) * 1.0
    )
    with recorded_step(f"optimizer step, {_length(stretch)}"):
        step = training_step(network, streams, most, machine)
    memory = training_memory(network, streams, most, machine)
    return Stage(stretch, streams, sequences, steps, step, memory, machine.plan, run.tokens * stretch.share)


def stretch_memory(network: Network, run: Run, stretch: Stretch, machine: Machine) -> Memory:
    """Memory of one chip during one stretch, its time not worked out."""
    machine = stretch.on(machine)
    streams = sample_streams(network, stretch, machine.plan.micro_batch)
    most = micro_batches_of(sequences_of(run.batch_tokens, sample_tokens(streams)), machine.plan)
    return training_memory(network, streams, most, machine)


def fullest_memory(network: Network, run: Run, machine: Machine) -> Memory:
    """Memory of one chip during the stretch that needs most, in all; its time not worked out."""
    needed = [stretch_memory(network, run, stretch, machine) for stretch in run.stretches]
    return Memory({"all": largest(*(each.total for each in needed))}, needed[0].usable)


def training_memory(network: Network, streams: dict[str, Numeric], micro_batches: Numeric, machine: Machine) -> Memory:
    """Memory of one chip at the fullest moment of a step."""
    plan = machine.plan
    items = dict(model_states(network, plan, machine.cluster.domain))
    items["activations"] = activations(network, streams, plan, micro_batches)
    if isinstance(network, Decoder):
        items["logits"] = logits_bytes(network, streams, plan, 2)
    items["buffers"] = gathered_bytes(network, plan)
    return Memory(items, usable(machine.cluster.chip, machine.efficiency))


def _busy(run: Run, stages: Sequence[Stage], work: dict[str, Figure], machine: Machine) -> Figure:
    """Time without interruptions: modelled, or from the user's own utilisation."""
    chip, chips = machine.cluster.chip, machine.cluster.chips
    if run.mfu is not None:
        flops = work["flops_exact"].amount
        value = time_at_utilisation(flops, chips, peak_rate(chip, machine.plan), run.mfu)
        return Figure(name="training", value=value, unit="s", note="from the stated MFU, not from the time model")
    children = []
    for stage in stages:
        name = f"steps of {_length(stage.stretch)}" if len(stages) > 1 else "steps"
        one = timed("step", stage.step.total)
        parts = (Figure(name="number", value=stage.steps, unit="step"), one)
        low, high = stage.steps * stage.step.total.lower, stage.steps * stage.step.total.upper
        children.append(
            Figure(
                name=name, value=stage.seconds, unit="s", combine="product", children=parts, low=low, high=high,
                note=one.note,
            )
        )  # fmt: skip
    low, high = (sum(getattr(child, side) for child in children) for side in ("low", "high"))
    return total("training", "s", children, low=low, high=high, note=children[0].note)


def _length(stretch: Stretch) -> str:
    value = stretch.sequence
    return "a sweep of lengths" if isinstance(value, np.ndarray) else f"{value:,.0f} tokens"


def _all_steps(stages: Sequence[Stage], seconds: Numeric) -> Timing:
    """All steps of the run, for mean power; in the time they take, which a stated utilisation may set."""
    busy = one_after_another(stage.step.total * stage.steps for stage in stages)
    faster = smallest(seconds / busy.point, 1.0)  # the same work in more time leaves units idle, in less not one more
    return replace(busy, point=seconds, bound={name: value * faster for name, value in busy.bound.items()})


def _step_figure(stages: Sequence[Stage]) -> Figure:
    """Time of one optimizer step by phase, of the stretch that takes longest."""
    stage = max(stages, key=lambda candidate: float(np.max(candidate.seconds)))
    children = [timed(name, phase) for name, phase in stage.step.phases.items() if np.any(phase.point)]
    whole = stage.step.total
    note = "" if np.ndim(whole.point) else f"bound by {whole.binds}"
    return total(
        "step",
        "s",
        children,
        low=whole.lower,
        high=whole.upper,
        note=note,
    )


def _stated_step(stages: Sequence[Stage], seconds: Numeric) -> Figure:
    """Mean time of an optimizer step at a stated utilisation."""
    steps = add_up(stage.steps for stage in stages)
    return Figure(name="step", value=seconds / steps, unit="s", note="from the stated MFU, not from the time model")


def _working(stages: Sequence[Stage]) -> Numeric:
    """Chips at work, the mean over time where parts of a curriculum use different numbers. [chip]"""
    if len(stages) == 1:
        return stages[0].plan.chips
    return add_up(stage.seconds * stage.plan.chips for stage in stages) / add_up(stage.seconds for stage in stages)


def _goodput(network: Network, run: Run, stages: Sequence[Stage], machine: Machine) -> Figure:
    """Share of the wall time that trains, after interruptions and checkpoints; a chip that idles stops nothing."""
    chip, plan, chips = machine.cluster.chip, machine.plan, _working(stages)
    per_chip = machine.efficiency.value("failures", chip) if run.failures else 0.0
    if not np.any(per_chip):
        return Figure(name="goodput", value=1.0, unit="1", note="interruptions left out")
    rate = failure_rate(per_chip, chips)
    state = network.params * (plan.optimizer_bytes + 2.0)
    written = state / chips / machine.efficiency.value("checkpoint_bandwidth", chip)
    interval = checkpoint_interval(written, rate)
    restart = machine.efficiency.value("restart_time", chip)
    value = goodput(interval, written, rate, restart)
    children = (
        Figure(name="interruptions", value=rate, unit="1/s"),
        Figure(name="checkpoint interval", value=interval, unit="s"),
        Figure(name="checkpoint write", value=written, unit="s"),
        Figure(name="restart", value=restart, unit="s"),
    )
    note = "failures, restarts and checkpoints, by coefficients of the catalogue"
    return Figure(name="goodput", value=value, unit="1", combine="beside", children=children, note=note)


def _fit(network: Network, run: Run, fullest: Stage, stages: Sequence[Stage], machine: Machine) -> Fit:
    """Whether the fullest stretch fits and the batch feeds every replica."""
    works = [np.asarray(stage.memory.fits) & fed(stage.sequences, stage.plan) for stage in stages]
    if np.ndim(works[0]):
        return Fit(np.logical_and.reduce(np.broadcast_arrays(*works)))
    for stage in stages:
        sequences, plan = stage.sequences, stage.plan
        if not fed(sequences, plan):
            replicas = f"{plan.data:,.0f} replicas of micro-batch {plan.micro_batch:,.0f}"
            need = f"a batch of {sequences:,.0f} sequences cannot feed {replicas}"
            return Fit(False, need, f"feasible with at least {plan.data * plan.micro_batch:,.0f} sequences a step")
    where = fullest.stretch.on(machine)
    return nearest_fit(fullest.memory, lambda: _changes(network, run, replace(fullest.stretch, plan=None), where))


def _changes(network: Network, run: Run, stretch: Stretch, machine: Machine) -> list[Fit]:
    """Changes that make it fit, in the order a user would try them."""
    everything = {"zero": 3, "recompute": "full"}
    variants: list[tuple[str, dict[str, Any]]] = [
        ("full recomputation", {"recompute": "full"}),
        ("ZeRO-1", {"zero": 1}),
        ("ZeRO-3", {"zero": 3}),
        ("ZeRO-3 and full recomputation", everything),
        ("offload=optimizer", {"offload": "optimizer"}),
    ]
    sizes = dividing((2, 4, 8), heads_of(network))
    divided = [(f"tensor={size}, ZeRO-3 and full recomputation", everything | {"tensor": size}) for size in sizes]
    spread = [("ZeRO-3 and full recomputation", everything), *divided]
    variants += divided

    def fits(fields: dict[str, Any], chips: Numeric) -> bool:
        plan = replace(machine.plan, **fields).spread(chips)
        changed = replace(machine, cluster=replace(machine.cluster, chips=chips), plan=plan)
        return bool(plan.data >= 1 and stretch_memory(network, run, stretch, changed).fits)

    changes = [Fit(True, change=words) for words, fields in variants if fits(fields, machine.cluster.chips)]
    if not changes and fits({"offload": "optimizer", "recompute": "full"}, machine.cluster.chips):
        changes.append(Fit(True, change="offload=optimizer and full recomputation"))
    for chips in (machine.cluster.chips * 2**doubling for doubling in range(1, 13)):
        found = next((words for words, fields in spread if fits(fields, chips)), "")
        if found:
            return [*changes, Fit(True, change=f"{chips:,.0f} chips with {found}")]
    return changes


def _warnings(network: Network, run: Run, stages: Sequence[Stage], machine: Machine) -> tuple[str, ...]:
    idle = dict.fromkeys(note for stage in stages for note in idle_notes(stage.stretch.on(machine)))
    if run.mfu is not None:
        return (
            "time follows from the MFU you stated; the time model was not used, and no interval holds its errors",
            *beyond_peak(network, run, stages, machine),
            *idle,
        )
    notes: list[str] = [DIT_ALONE] if isinstance(network, DiT) else []
    for stage in stages:
        if isinstance(network, DiT) and stage.stretch.clip is not None:
            notes.extend(grid_notes(network, *stage.stretch.clip))
        notes.extend(batch_notes(run.batch_tokens, sample_tokens(stage.streams), stage.plan))
    return tuple(dict.fromkeys((*notes, *idle)))


def _inputs(network: Network, run: Run, machine: Machine) -> dict[str, Any]:
    return {
        "model": network.name,
        "chip": machine.cluster.chip.id,
        "chips": machine.cluster.chips,
        "tokens": run.tokens,
        "batch_tokens": run.batch_tokens,
        "mfu": run.mfu,
        "curriculum": [
            {"share": row.share, "sequence": row.sequence, "clip": row.clip}
            | ({} if row.plan is None else {"plan": vars(row.plan)})
            for row in run.stretches
        ],
        **vars(machine.plan),
    }
