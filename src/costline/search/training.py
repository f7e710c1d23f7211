"""All ways to train: every parallelism, ZeRO and its scope, recomputation, micro-batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from costline.engine.passes import Machine
from costline.models.network import Network
from costline.numeric import smallest
from costline.plan import Plan
from costline.search.setting import Measured, Setting, site_words
from costline.studies.batch import fed, sequences_of
from costline.studies.blocks import Axes
from costline.studies.choose import fed_replicas
from costline.studies.economics import Economics
from costline.studies.space import dividing, divisors, experts_of, heads_of, powers_of_two, stage_counts
from costline.studies.stated import ENDS, grouped
from costline.studies.train import Run, fullest_memory, sample_streams, sample_tokens, train

DEEPEST, WIDEST = 128, 64
"""Pipeline stages and chips of a tensor group beyond which nobody has published a run."""


def training_axes(network: Network, run: Run, machine: Machine, fixed: Mapping[str, Any]) -> Axes:
    """Values of every field of a training plan; fields in `fixed` have the one the user set."""
    chips, heads, experts = machine.cluster.chips, heads_of(network), experts_of(network)
    longest = _longest(network, run)
    sequences = float(np.max(sequences_of(run.batch_tokens, longest)))
    modes = ["none", "selective", "full"] if machine.plan.attention == "naive" else ["none", "full"]
    axes: dict[str, Any] = {
        "shard_scope": ["all", "domain"],
        "zero": [0, 1, 2, 3],
        "recompute": modes,  # a fused kernel keeps no scores, so selective recomputation changes nothing
        "expert_tensor": powers_of_two(min(8, chips)) if experts > 1 else [None],
        "virtual": [1, 2, 3, 4, 6, 8],
        "expert": dividing(powers_of_two(chips), experts) if experts > 1 else [1],
        "micro_batch": powers_of_two(min(sequences, 16)),
        "ring": powers_of_two(min(chips, longest / 1024, 64)),
        "ulysses": dividing(powers_of_two(min(chips, longest / 128)), heads),
        "tensor": [size for size in divisors(heads, chips) if size <= WIDEST],
        "pipeline": stage_counts(network.layers, smallest(chips, DEEPEST)),
    }
    if experts > 1:  # outermost, so that blocks of experts split over more chips than there are are passed over
        axes = {"tensor": axes["tensor"], **axes}
    axes = {name: [fixed[name]] if name in fixed else values for name, values in axes.items()}
    return {name: values for name, values in axes.items() if values != [None]}


def _longest(network: Network, run: Run) -> float:
    return float(max(np.max(sample_tokens(sample_streams(network, stretch, 1))) for stretch in run.stretches))


def training_setting(
    network: Network, run: Run, machine: Machine, economics: Economics, fixed: Mapping[str, Any], title: str = ""
) -> Setting:
    """All training plans on one machine.

    Parameters
    ----------
    network, run, machine, economics
        As for `costline.studies.train.train`.
    fixed : mapping
        Fields of the plan that the user set.
    title : str
        The question in words.
    """
    chips, heads = machine.cluster.chips, heads_of(network)
    sequences = sequences_of(run.batch_tokens, _longest(network, run))

    def legal(fields: Mapping[str, Any], plan: Plan) -> Any:
        # chips that no replica uses stand idle; they are paid for and count in the utilisation
        whole = (plan.replica <= chips) & fed(sequences, plan)
        even = np.equal(heads % (plan.tensor * plan.ulysses), 0) if "ulysses" not in fixed else True
        staged = (plan.virtual == 1) | (plan.pipeline > 1) & (plan.pipeline * plan.virtual <= network.layers + ENDS)
        split = plan.expert_split <= plan.tensor
        # only gathering weights is quicker inside a domain; otherwise less sharding costs memory and gains nothing
        scoped = (plan.zero >= 3) | (plan.shard_scope == "all") | ("shard_scope" in fixed)
        return whole & even & staged & split & grouped(plan) & scoped

    def measure(place: Machine, fields: Mapping[str, Any]) -> Measured:
        answer = train(network, run, place, economics)
        return Measured(answer.figures, answer.feasible)

    return Setting(
        words=site_words(machine),
        machine=machine,
        axes=training_axes(network, run, machine, fixed),
        legal=legal,
        measure=measure,
        replicas=fed_replicas(sequences),
        estimate=lambda place, fields: train(network, run, place, economics, title),
        memory=lambda place: fullest_memory(network, run, place),
    )
