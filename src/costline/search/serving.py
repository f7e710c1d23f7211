"""All ways to serve: together, with chunked prefill, and with prefill and decode on chips of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from costline.engine.passes import Machine
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.search.setting import Measured, Setting, plan_words, site_words
from costline.studies.blocks import Axes
from costline.studies.economics import Economics
from costline.studies.fit import nearest_fit
from costline.studies.serve import serve, serving_estimate, serving_figures
from costline.studies.serving_modes import chunked_figures
from costline.studies.serving_times import Requests
from costline.studies.space import dividing, divisors, experts_of, heads_of, powers_of_two, stage_counts

CHUNKS = (128, 256, 512, 1024, 2048, 4096, 8192)
"""Prompt tokens a step takes in; engines offer powers of two."""
LARGEST_BATCH = 2048
"""Sequences of a replica: beyond the default limits of the engines (vLLM 256 to 1024)."""


def batches(most: int) -> list[int]:
    """Sequences of a replica: powers of two and the halfway points between them.

    Examples
    --------
    >>> batches(16)
    [1, 2, 3, 4, 6, 8, 12, 16]
    """
    twos = powers_of_two(most)
    return sorted({*twos, *(size * 3 // 2 for size in twos if size >= 2 and size * 3 // 2 <= most)})


def replica_axes(network: Decoder, chips: int, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """How a replica of the model is divided: pipeline, tensor and expert parallelism."""
    experts = experts_of(network)
    axes: dict[str, Any] = {
        "expert": dividing(powers_of_two(chips), experts) if experts > 1 else [1],
        "tensor": divisors(heads_of(network), chips),
        "pipeline": [depth for depth in stage_counts(network.layers, chips) if depth <= 16],
    }
    return {name: [fixed[name]] if name in fixed else values for name, values in axes.items()}


def legal_replica(plan: Plan, chips: Any) -> Any:
    """Replicas that fit on the chips, experts divided evenly over chips that see the same layer."""
    spread = np.equal(plan.tensor * plan.data % plan.expert, 0)
    return (plan.replica <= chips) & (spread | (plan.expert == 1))


def _axes(
    network: Decoder, machine: Machine, fixed: Mapping[str, Any], batch: int | None, chunks: Iterable[int] | None
) -> Axes:
    chips = int(np.max(machine.cluster.chips))
    own: dict[str, Any] = {} if chunks is None else {"chunk": list(chunks)}
    replicas = replica_axes(network, chips, fixed)
    return {**own, "batch": batches(LARGEST_BATCH) if batch is None else [batch], **replicas}


def _asked(requests: Requests, batch: int | None, plan: Plan, fields: Mapping[str, Any]) -> Requests:
    """What is asked of all replicas; a batch that nobody stated is that of one."""
    return replace(requests, batch=fields["batch"] * (plan.data if batch is None else 1))


def _legal(requests: Requests, plan: Plan, machine: Machine) -> Any:
    """Replicas that fit on the chips and have a sequence each."""
    return legal_replica(plan, machine.cluster.chips) & (requests.batch >= plan.data)


def together_setting(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    economics: Economics,
    fixed: Mapping[str, Any],
    title: str = "",
    batch: int | None = None,
) -> Setting:
    """All plans that prefill and decode on the same chips, whole prompts at a time.

    Parameters
    ----------
    network, requests, machine, economics
        As for `costline.studies.serve.serve`.
    fixed : mapping
        Fields of the plan that the user set.
    title : str
        The question in words.
    batch : int, optional
        Sequences in flight on all chips; None lets the search choose those of a replica.
    """

    asked = partial(_asked, requests, batch)

    def measure(place: Machine, fields: Mapping[str, Any]) -> Measured:
        figures, memory = serving_figures(network, asked(place.plan, fields), place, economics)
        return Measured(figures, memory.fits)

    return Setting(
        words=site_words(machine, f"{requests.batching} batching"),
        machine=machine,
        axes=_axes(network, machine, fixed, batch, None),
        legal=lambda fields, plan: _legal(asked(plan, fields), plan, machine),
        measure=measure,
        estimate=lambda place, fields: serve(network, asked(place.plan, fields), place, economics, title),
        shown=lambda place, fields: f"{plan_words(place.plan)}, batch={asked(place.plan, fields).batch}",
    )


def chunked_setting(
    network: Decoder,
    requests: Requests,
    machine: Machine,
    economics: Economics,
    fixed: Mapping[str, Any],
    title: str = "",
    batch: int | None = None,
) -> Setting:
    """All plans that take prompts in by chunks, with the parameters of `together_setting`."""
    lengths = [size for size in CHUNKS if size < np.max(requests.input)]

    asked = partial(_asked, requests, batch)

    def measure(place: Machine, fields: Mapping[str, Any]) -> Measured:
        own = asked(place.plan, fields)
        figures, memory, share = chunked_figures(network, own, fields["chunk"], place, economics)
        return Measured(figures, np.logical_and(memory.fits, share <= 1))

    def estimate(place: Machine, fields: Mapping[str, Any]) -> Any:
        own = asked(place.plan, fields)
        figures, memory, _ = chunked_figures(network, own, fields["chunk"], place, economics)
        answer = serving_estimate(network, own, place, figures, nearest_fit(memory, list), title)
        return replace(answer, inputs={**answer.inputs, "chunk": fields["chunk"]})

    return Setting(
        words=site_words(machine, "chunked prefill"),
        machine=machine,
        axes=_axes(network, machine, fixed, batch, lengths),
        legal=lambda fields, plan: _legal(asked(plan, fields), plan, machine),
        measure=measure,
        estimate=estimate,
        shown=lambda place, fields: (
            f"{plan_words(place.plan)}, batch={asked(place.plan, fields).batch}, chunk={fields['chunk']}"
        ),
    )
