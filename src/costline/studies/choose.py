"""Plans for those who state none: all sensible ones are evaluated at once, and the best that fits is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.models.decoder import Decoder
from costline.models.network import Network
from costline.models.parts import Attention, ExpertLinear
from costline.numeric import Array, Numeric
from costline.plan import Plan, Recompute
from costline.studies.clip import Clip, Sampler
from costline.studies.generate import generation_time
from costline.studies.generation_memory import generation_memory
from costline.studies.serve import Requests, serving_memory, serving_rate
from costline.studies.train import Run, sample_streams, sample_tokens, stage_of, stretch_memory

Axes = dict[str, Sequence[int]]

TRAINING_FIELDS = ("tensor", "pipeline", "virtual", "ulysses", "expert", "zero", "micro_batch", "recompute")
SERVING_FIELDS = ("tensor", "pipeline", "expert")
GENERATION_FIELDS = ("tensor", "ulysses", "ring", "guidance")
"""Fields of a plan that are chosen where the user does not state them."""


@dataclass(frozen=True)
class Choice:
    """A plan and where it came from.

    Attributes
    ----------
    plan : Plan
        The plan taken.
    considered, fitting : int
        Legal plans compared, and those that fit in memory.
    stated : bool
        Whether the user stated every field, so that nothing was compared.
    """

    plan: Plan
    considered: int
    fitting: int
    stated: bool = False

    @property
    def words(self) -> str:
        """Sentence for the reader."""
        if self.stated:
            return "as stated"
        if not self.fitting:
            return f"none of {self.considered:,} plans fits; the one that needs least memory is shown"
        return f"the best of {self.fitting:,} plans that fit, of {self.considered:,} compared"


def powers_of_two(limit: Numeric) -> list[int]:
    """1, 2, 4, ... up to `limit`; 1 at least."""
    return [2**power for power in range(int(max(limit, 1)).bit_length())]


def dividing(values: Iterable[int], whole: Numeric) -> list[int]:
    """Those of `values` that divide `whole`."""
    return [value for value in values if whole % value == 0]


def stage_counts(layers: int, limit: Numeric) -> list[int]:
    """Pipeline depths worth a look: powers of two, and what divides the layers evenly."""
    most = int(min(layers, limit))
    return sorted({*powers_of_two(most), *dividing(range(1, most + 1), layers)})


def heads_of(network: Network) -> int:
    """Largest number of heads that every attention of the blocks can be divided into. [head]"""
    heads = [part.heads for part in network.parts if isinstance(part, Attention) and part.name.startswith("block/")]
    return int(np.gcd.reduce(heads)) if heads else 1


def experts_of(network: Network) -> int:
    """Experts of a layer; 1 for a dense network."""
    return max((part.experts for part in network.parts if isinstance(part, ExpertLinear)), default=1)


def grid(axes: Axes, fixed: Mapping[str, Any]) -> dict[str, Array]:
    """Every combination of the axes, those in `fixed` reduced to their one value, as flat arrays by field."""
    values = [np.asarray([fixed[name]] if name in fixed else choices) for name, choices in axes.items()]
    return {name: mesh.ravel() for name, mesh in zip(axes, np.meshgrid(*values, indexing="ij"), strict=True)}


def settled(axes: Iterable[str], machine: Machine, fixed: Mapping[str, Any]) -> Choice | None:
    """The plan of a user who states every field that would be chosen, with as many replicas as the chips hold.

    There is nothing to compare then, so what is asked may be an array of any shape.
    """
    if not set(axes) <= fixed.keys():
        return None
    return Choice(machine.plan.spread(machine.cluster.chips), considered=1, fitting=1, stated=True)


def _kept(fields: dict[str, Array], keep: Array) -> dict[str, Array]:
    return {name: values[keep] for name, values in fields.items()}


def _best(
    fields: dict[str, Array],
    base: Plan,
    machine: Machine,
    memory: Callable[[Machine], Memory],
    badness: Callable[[Machine], Numeric],
) -> tuple[Plan, float, int]:
    """Plan with least badness among those that fit; the leanest if none does, with infinite badness."""
    chips = machine.cluster.chips

    def at(chosen: dict[str, Any]) -> Machine:
        return replace(machine, plan=replace(base, **chosen).spread(chips))

    needed = memory(at(fields))
    fits = np.broadcast_to(np.asarray(needed.fits), fields["tensor"].shape)
    if not fits.any():
        leanest = int(np.argmin(np.broadcast_to(np.asarray(needed.total), fits.shape)))
        return at({name: int(values[leanest]) for name, values in fields.items()}).plan, float("inf"), 0
    good = _kept(fields, fits)
    bad = np.broadcast_to(np.asarray(badness(at(good)), dtype=float), good["tensor"].shape)
    winner = int(np.argmin(bad))
    return at({name: int(values[winner]) for name, values in good.items()}).plan, float(bad[winner]), int(fits.sum())


def training_plan(network: Network, run: Run, machine: Machine, fixed: Mapping[str, Any]) -> Choice:
    """Fastest training plan that fits; `fixed` fields stay as the user set them.

    Tensor parallelism stays inside a scale-up domain, context parallelism starts at 16,384 tokens a sample.
    """
    if (choice := settled(TRAINING_FIELDS, machine, fixed)) is not None:
        return choice
    chips, domain = machine.cluster.chips, machine.cluster.domain
    longest = max(float(sample_tokens(sample_streams(network, stretch, 1))) for stretch in run.stretches)
    heads = heads_of(network)
    axes: Axes = {
        "tensor": dividing(powers_of_two(min(domain, chips)), heads),
        "pipeline": stage_counts(network.layers, min(chips, 64)),
        "virtual": [1, 2, 4, 8],
        "ulysses": dividing(powers_of_two(min(chips, longest / 8192)), heads),
        "expert": dividing(powers_of_two(min(chips, 64)), experts_of(network)) if experts_of(network) > 1 else [1],
        "zero": [1, 3],
        "micro_batch": [1, 2, 4],
    }
    fields = grid(axes, fixed)
    replica = fields["tensor"] * fields["pipeline"] * fields["ulysses"] * machine.plan.ring * machine.plan.guidance
    samples = run.batch_tokens / longest
    # chips that no replica uses stand idle; they are paid for and count in the utilisation
    legal = (replica <= chips) & (chips // replica * fields["micro_batch"] <= max(samples, 1))
    legal &= fields["expert"] <= chips // fields["pipeline"]
    legal &= (fields["virtual"] == 1) | (fields["pipeline"] > 1) & (
        fields["pipeline"] * fields["virtual"] <= network.layers
    )
    if not legal.any():
        legal = replica <= chips
    fields = _kept(fields, legal) if legal.any() else {name: values[:1] for name, values in fields.items()}
    modes: list[Recompute] = [fixed["recompute"]] if "recompute" in fixed else ["none", "full"]
    results = []
    for mode in modes:
        base = replace(machine.plan, recompute=mode)
        results.append(
            _best(
                fields,
                base,
                machine,
                lambda one: _run_memory(network, run, one),
                lambda one: _run_time(network, run, one),
            )
        )
    plan, _, _ = min(results, key=lambda result: result[1])
    return Choice(plan, len(modes) * len(fields["tensor"]), sum(result[2] for result in results))


def _run_memory(network: Network, run: Run, machine: Machine) -> Memory:
    needed = [stretch_memory(network, run, stretch, machine) for stretch in run.stretches]
    return max(needed, key=lambda memory: float(np.max(memory.total)))


def _run_time(network: Network, run: Run, machine: Machine) -> Numeric:
    seconds: Numeric = 0.0
    for stretch in run.stretches:
        seconds = seconds + stage_of(network, run, stretch, machine).seconds
    return seconds


def serving_plan(network: Decoder, requests: Requests, machine: Machine, fixed: Mapping[str, Any]) -> Choice:
    """Serving plan with the highest output rate at the asked batch that fits.

    At most one replica for each sequence in flight; experts stay whole and are spread over all chips, or are split
    like everything else.
    """
    if (choice := settled(SERVING_FIELDS, machine, fixed)) is not None:
        return choice
    chips, domain = machine.cluster.chips, machine.cluster.domain
    axes: Axes = {
        "tensor": dividing(powers_of_two(min(domain, chips)), heads_of(network)),
        "pipeline": powers_of_two(min(network.layers, chips / min(domain, chips) if chips > domain else 1)),
        "expert": dividing(powers_of_two(chips), experts_of(network)) if experts_of(network) > 1 else [1],
    }
    fields = grid(axes, fixed)
    replica = fields["tensor"] * fields["pipeline"]
    legal = (chips % replica == 0) & (chips // replica <= max(float(np.max(requests.batch)), 1))
    legal &= (fields["expert"] == 1) | (fields["expert"] == chips // fields["pipeline"])
    if "expert" in fixed or not legal.any():
        legal = chips % replica == 0
    fields = _kept(fields, legal) if legal.any() else {name: values[:1] for name, values in fields.items()}

    def memory(one: Machine) -> Memory:
        return serving_memory(network, requests.input + requests.output, requests.batch / one.plan.data, one)

    plan, _, fitting = _best(
        fields, machine.plan, machine, memory, lambda one: -np.asarray(serving_rate(network, requests, one))
    )
    return Choice(plan, len(fields["tensor"]), fitting)


def generation_plan(pipeline: Sampler, clip: Clip, machine: Machine, fixed: Mapping[str, Any]) -> Choice:
    """Plan that finishes one clip soonest: all chips work on it, by Ulysses, ring, tensor or guidance parallelism."""
    if (choice := settled(GENERATION_FIELDS, machine, fixed)) is not None:
        return choice
    chips = machine.cluster.chips
    network = pipeline.transformers[0][0]
    heads = heads_of(network)
    axes: Axes = {
        "tensor": dividing(powers_of_two(min(machine.cluster.domain, chips)), heads),
        "ulysses": dividing(powers_of_two(chips), heads),
        "ring": powers_of_two(chips),
        "guidance": [1, 2] if np.all(np.asarray(clip.branches) >= 2) and chips % 2 == 0 else [1],
    }
    fields = grid(axes, fixed)
    replica = fields["tensor"] * fields["ulysses"] * fields["ring"] * fields["guidance"] * machine.plan.pipeline
    divides = heads % (fields["tensor"] * fields["ulysses"]) == 0
    legal = (chips % replica == 0) & divides
    if not legal.any():
        legal = chips % replica == 0
    fields = _kept(fields, legal) if legal.any() else {name: values[:1] for name, values in fields.items()}
    plan, _, fitting = _best(
        fields,
        machine.plan,
        machine,
        lambda one: generation_memory(pipeline, clip, one),
        lambda one: generation_time(pipeline, clip, one),
    )
    return Choice(plan, len(fields["tensor"]), fitting)
