"""Plans for those who state none: all sensible ones are evaluated at once, and the best that fits is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.errors import PlanError
from costline.models.decoder import Decoder
from costline.models.encoder import Encoder
from costline.models.network import Network
from costline.numeric import Array, Numeric, add_up, floor_divide, largest, smallest
from costline.plan import Plan
from costline.studies.batch import fed, sequences_of
from costline.studies.blocks import Axes, Replicas
from costline.studies.caption import Corpus, caption_memory, caption_time
from costline.studies.clip import Clip, Sampler
from costline.studies.generate import generation_time
from costline.studies.generation_memory import generation_memory
from costline.studies.serve import request_memory
from costline.studies.serving_times import Requests, serving_rate
from costline.studies.space import (
    as_many_as_fit,
    choose_plan,
    degrees,
    dividing,
    experts_of,
    heads_of,
    points_of,
    powers_of_two,
    stage_counts,
    whole_groups,
)
from costline.studies.stated import ENDS, check_groups, grouped
from costline.studies.train import Run, sample_streams, sample_tokens, stage_of, stretch_memory

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
    across : bool
        Whether plans across scale-up domains were taken, at some point at least, because no usual one fits.
    fits : bool or array
        Whether a plan was found that fits, one a point asked about.
    study : str
        What for: `costline plan` compares more kinds of plans.
    """

    plan: Plan
    considered: int
    fitting: int
    stated: bool = False
    across: bool = False
    fits: bool | Array = True
    study: str = "train"

    @property
    def words(self) -> str:
        """Sentence for the reader."""
        if self.stated:
            return "as stated"
        if not self.fitting:
            return f"none of {self.considered:,} plans fits; the one that needs least memory is shown"
        if self.considered == 1:
            return "the only plan that is left to choose"
        found = f"the best of {self.fitting:,} common plans that fit, of {self.considered:,} compared"
        if self.across:
            found += "; none of the usual ones does, so tensor and pipeline may be of any degree"
        return f"{found}; costline plan {self.study} compares more kinds"


def settled(
    axes: Iterable[str], machine: Machine, fixed: Mapping[str, Any], replicas: Replicas = as_many_as_fit
) -> Choice | None:
    """The plan of a user who states every field that would be chosen, with as many replicas as the chips hold.

    There is nothing to compare then, so what is asked may be an array of any shape.
    """
    if not set(axes) <= fixed.keys():
        return None
    plan = machine.plan
    number = _stated(fixed, replicas)(plan, machine.cluster.chips)
    plan = replace(plan, data=number if isinstance(number, np.ndarray) else int(number))
    check_groups(plan)
    return Choice(plan, considered=1, fitting=1, stated=True)


def _stated(fixed: Mapping[str, Any], replicas: Replicas) -> Replicas:
    """Replicas as the user states them, the other chips idle; else by the rule."""
    return replicas if "data" not in fixed else lambda plan, chips: fixed["data"]


def _axes(axes: Axes, fixed: Mapping[str, Any]) -> Axes:
    """The axes, those the user fixed reduced to their one value."""
    return {name: [fixed[name]] if name in fixed else values for name, values in axes.items()}


def _chosen(
    study: str,
    axes: Axes,
    fixed: Mapping[str, Any],
    machine: Machine,
    rules: Sequence[Callable[[Plan], Any]],
    memory: Callable[[Machine], Memory],
    badness: Callable[[Machine], Numeric],
    points: tuple[int, ...],
    wider: tuple[Axes, Callable[[Plan], Any]] | None = None,
    replicas: Replicas = as_many_as_fit,
) -> Choice:
    """Best plan of each point under the first of `rules` that any plan obeys there; if none does, the first there is.

    Where no plan fits, the best of the `wider` space under its own rule, if that has one.
    """
    replicas, chips = _stated(fixed, replicas), machine.cluster.chips
    found = choose_plan(_axes(axes, fixed), machine, rules[0], memory, badness, points, replicas)
    for legal in (*rules[1:], lambda plan: np.ones(np.shape(plan.replica), dtype=bool)):
        if found.lawful.all():
            break
        found = found.completed(choose_plan(_axes(axes, fixed), machine, legal, memory, badness, points, replicas))
    across = False
    if wider is not None and not found.fits.all():
        second = choose_plan(_axes(wider[0], fixed), machine, wider[1], memory, badness, points, replicas)
        across = bool((~found.fits & second.fits).any())
        found = found.filled(second) if second.considered else found
    if not found.considered:  # every plan counts under the last rule, so only replicas can be too many
        raise PlanError(f"data={fixed['data']}: {float(np.max(chips)):,.0f} chips hold fewer; leave data out")
    fits = found.fits.reshape(points) if points else bool(found.fits.all())
    plan = found.plan(machine.plan, chips, replicas)
    check_groups(plan)
    return Choice(plan, found.considered, found.fitting, across=across, fits=fits, study=study)


def training_plan(network: Network, run: Run, machine: Machine, fixed: Mapping[str, Any]) -> Choice:
    """Fastest training plan that fits; `fixed` fields stay as the user set them.

    Tensor parallelism stays inside a scale-up domain unless nothing fits then; context parallelism starts at 16,384
    tokens a sample.
    """
    longest = largest(*(sample_tokens(sample_streams(network, stretch, 1)) for stretch in run.stretches))
    replicas = fed_replicas(sequences_of(run.batch_tokens, longest))
    if (choice := settled(TRAINING_FIELDS, machine, fixed, replicas)) is not None:
        return choice
    chips, domain = machine.cluster.chips, machine.cluster.domain
    heads = heads_of(network)
    axes: Axes = {
        "recompute": ["none", "full"],
        "tensor": dividing(powers_of_two(smallest(domain, chips)), heads),
        "pipeline": stage_counts(network.layers, smallest(chips, 64)),
        "virtual": [1, 2, 4, 8],
        "ulysses": dividing(powers_of_two(smallest(chips, longest / 8192)), heads),
        "expert": dividing(powers_of_two(chips), experts_of(network)) if experts_of(network) > 1 else [1],
        "zero": [1, 3],
        "micro_batch": [1, 2, 4, 8] if np.any(np.asarray(experts_of(network)) > 1) else [1, 2, 4],
    }
    sequences = sequences_of(run.batch_tokens, longest)

    def legal(plan: Plan) -> Any:
        # chips that no replica uses stand idle; they are paid for and count in the utilisation
        whole = (plan.replica <= chips) & fed(sequences, plan)
        staged = (plan.virtual == 1) | (plan.pipeline > 1) & (plan.pipeline * plan.virtual <= network.layers + ENDS)
        long = plan.ulysses <= largest(longest / 8192, 1)
        return whole & staged & long & grouped(plan)

    far: Axes = {**axes, "tensor": dividing(powers_of_two(chips), heads), "virtual": [1]}
    return _chosen(
        "train",
        axes,
        fixed,
        machine,
        [legal, grouped],
        lambda one: _run_memory(network, run, one),
        lambda one: _run_time(network, run, one),
        _points(machine, run),
        (far, legal),
        replicas,
    )


def fed_replicas(sequences: Numeric) -> Replicas:
    """As many replicas as the chips hold and the sequences of a step feed; chips beyond them stand idle."""

    def number(plan: Plan, chips: Numeric) -> Numeric:
        fed = largest(smallest(as_many_as_fit(plan, chips), floor_divide(sequences, plan.micro_batch)), 1)
        return whole_groups(plan, fed)

    return number


def _run_memory(network: Network, run: Run, machine: Machine) -> Memory:
    needed = [stretch_memory(network, run, stretch, machine) for stretch in run.stretches]
    return max(needed, key=lambda memory: float(np.max(memory.total)))


def _run_time(network: Network, run: Run, machine: Machine) -> Numeric:
    return add_up(stage_of(network, run, stretch, machine).seconds for stretch in run.stretches)


def _points(machine: Machine, asked: object) -> tuple[int, ...]:
    """Shape of the points asked about."""
    return points_of(asked, machine.cluster, machine.efficiency.stated)


def serving_plan(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    fixed: Mapping[str, Any],
    wanted: Callable[[Machine], Any] | None = None,
    beside: object = (),
    across: bool = True,
) -> Choice:
    """Serving plan with the highest output rate at the asked batch that fits; one that is `wanted` before any other.

    See `_decoding_plan` for what is compared. `beside` is what `wanted` depends on besides, and may hold arrays.
    """
    return _decoding_plan(
        network, requests.batch, machine, fixed,
        lambda one: request_memory(network, requests, requests.batch / one.plan.data, one),
        lambda one: _slowness(network, requests, one, wanted), _points(machine, [requests, beside]), across,
    )  # fmt: skip


def captioning_plan(
    network: Decoder, corpus: Corpus, machine: Machine, fixed: Mapping[str, Any], vision: Encoder | None = None
) -> Choice:
    """Plan that captions a corpus soonest, each plan with the clips in flight that it would run with."""
    flying = corpus.clips if corpus.batch is None else smallest(corpus.batch, corpus.clips)
    return _decoding_plan(
        network, flying, machine, fixed,
        lambda one: caption_memory(network, corpus, one, vision),
        lambda one: caption_time(network, corpus, one, vision), _points(machine, corpus), across=True,
    )  # fmt: skip


def _decoding_plan(
    network: Decoder,
    sequences: Numeric,
    machine: Machine,
    fixed: Mapping[str, Any],
    memory: Callable[[Machine], Memory],
    badness: Callable[[Machine], Numeric],
    points: tuple[int, ...],
    across: bool,
) -> Choice:
    """Plan of least badness for so many sequences.

    At most one replica for each of them; the chips beyond stand idle. Experts stay whole and are spread over all chips
    at work, or are split like everything else. Where nothing fits and `across` is true, tensor parallelism may leave
    the scale-up domain, a pipeline may have any depth, and experts any group.
    """
    replicas = held_replicas(sequences)
    if (choice := settled(SERVING_FIELDS, machine, fixed, replicas)) is not None:
        return choice
    chips, domain = machine.cluster.chips, machine.cluster.domain
    beyond = np.max(np.asarray(chips) / np.minimum(domain, chips))
    axes: Axes = {
        "pipeline": powers_of_two(smallest(network.layers, beyond)),
        "tensor": dividing(powers_of_two(smallest(domain, chips)), heads_of(network)),
        "expert": dividing(powers_of_two(chips), experts_of(network)) if experts_of(network) > 1 else [1],
    }

    def whole(plan: Plan) -> Any:
        return (plan.replica <= chips) & grouped(plan)  # chips that would only slow it down stand idle

    def legal(plan: Plan) -> Any:
        return whole(plan) & ((plan.expert == 1) | np.equal(plan.expert * plan.pipeline, plan.chips))

    far: Axes = {
        **axes,
        "pipeline": stage_counts(network.layers, chips),
        "tensor": dividing(powers_of_two(chips), heads_of(network)),
    }
    return _chosen(
        "serve", axes, fixed, machine, [whole] if "expert" in fixed else [legal, whole], memory, badness, points,
        (far, whole) if across or "data" in fixed else None, replicas,
    )  # fmt: skip


def held_replicas(sequences: Numeric) -> Replicas:
    """As many replicas as the chips hold and there are sequences in flight; chips beyond them stand idle."""

    def number(plan: Plan, chips: Numeric) -> Numeric:
        held = largest(smallest(as_many_as_fit(plan, chips), floor_divide(sequences, 1)), 1)
        return whole_groups(plan, held)

    return number


def _slowness(
    network: Decoder, requests: Requests, machine: Machine, wanted: Callable[[Machine], Any] | None
) -> Numeric:
    """Less for a higher output rate, and less for any plan that is wanted than for all that are not."""
    rate = np.asarray(serving_rate(network, requests, machine))
    return -rate if wanted is None else np.where(wanted(machine), -rate, 1 / rate)


def generation_plan(pipeline: Sampler, clip: Clip, machine: Machine, fixed: Mapping[str, Any]) -> Choice:
    """Plan that finishes one clip soonest, by Ulysses, ring, tensor or guidance parallelism.

    Chips that would only slow it down stand idle: five work on a model of 24 heads as four do.
    """
    if (choice := settled(GENERATION_FIELDS, machine, fixed)) is not None:
        return choice
    chips = machine.cluster.chips
    heads = heads_of(pipeline.transformers[0][0])
    guided = np.any(np.asarray(clip.branches) >= 2)
    axes: Axes = {
        "tensor": dividing(powers_of_two(smallest(machine.cluster.domain, chips)), heads),
        "ulysses": dividing(degrees(chips), heads),
        "ring": degrees(chips),
        "guidance": [1, 2] if guided else [1],
    }

    def possible(plan: Plan) -> Any:
        return np.less_equal(plan.replica, chips) & np.less_equal(plan.guidance, largest(clip.branches, 1))

    return _chosen(
        "generate",
        axes,
        fixed,
        machine,
        [
            lambda plan: possible(plan) & np.equal(heads % (plan.tensor * plan.ulysses), 0),
            possible,
        ],
        lambda one: generation_memory(pipeline, clip, one),
        lambda one: generation_time(pipeline, clip, one),
        _points(machine, clip),
    )
