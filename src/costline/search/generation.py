"""All ways to generate: Ulysses, ring, tensor and guidance parallelism, batch, parallel and tiled decoding, offload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from costline.engine.passes import Machine
from costline.plan import Plan
from costline.search.setting import Measured, Setting, plan_words, site_words
from costline.studies.blocks import Axes
from costline.studies.clip import Clip, Sampler
from costline.studies.economics import Economics
from costline.studies.generate import generate
from costline.studies.space import degrees, divisors, heads_of, powers_of_two

TILES = (0, 256, 512)
"""Edges of a tile of the autoencoder; 0 for none. [pixel]"""
LARGEST_BATCH = 8
"""Clips a replica makes together at most; they use the chip no better than long clips do."""


def generation_axes(pipeline: Sampler, clip: Clip, machine: Machine, fixed: Mapping[str, Any]) -> Axes:
    """Values of every field of a generation plan, and of the clips a replica makes together."""
    chips, heads = int(np.max(machine.cluster.chips)), heads_of(pipeline.transformers[0][0])
    branches = int(np.max(clip.branches))
    axes: dict[str, Any] = {
        "batch": powers_of_two(LARGEST_BATCH) if clip.segment is None else [1],
        "vae_parallel": powers_of_two(chips),
        "ring": degrees(chips),
        "guidance": [1, branches] if branches > 1 and chips >= branches else [1],
        "tensor": divisors(heads, chips),
        "ulysses": divisors(heads, chips),
    }
    return {name: [fixed[name]] if name in fixed else values for name, values in axes.items()}


def generation_settings(
    pipeline: Sampler,
    clip: Clip,
    machine: Machine,
    economics: Economics,
    fixed: Mapping[str, Any],
    title: str = "",
    batch: int | None = None,
) -> list[Setting]:
    """All generation plans on one machine, one setting for each way to offload and to tile.

    Parameters
    ----------
    pipeline, clip, machine, economics
        As for `costline.studies.generate.generate`.
    fixed : mapping
        Fields of the plan that the user set.
    title : str
        The question in words.
    batch : int, optional
        Clips a replica makes together; None lets the search choose.
    """
    offloads = [fixed["offload"]] if "offload" in fixed else ["none", "encoders", "weights"]
    decoded = pipeline.autoencoder is not None and clip.tokens is None
    tiles = [fixed["vae_tile"]] if "vae_tile" in fixed else TILES if decoded else (0,)
    stated = dict(fixed) if batch is None else {**fixed, "batch": batch}
    return [
        _setting(pipeline, clip, replace(machine, plan=replace(machine.plan, offload=offload, vae_tile=tile)),
                 economics, stated, title)
        for offload, tile in product(offloads, tiles)
    ]  # fmt: skip


def _setting(
    pipeline: Sampler, clip: Clip, machine: Machine, economics: Economics, fixed: Mapping[str, Any], title: str
) -> Setting:
    chips, heads = machine.cluster.chips, heads_of(pipeline.transformers[0][0])

    def legal(fields: Mapping[str, Any], plan: Plan) -> Any:
        even = np.equal(heads % (plan.tensor * plan.ulysses), 0) if "ulysses" not in fixed else True
        return (plan.replica <= chips) & even & (plan.vae_parallel <= plan.replica)

    def measure(place: Machine, fields: Mapping[str, Any]) -> Measured:
        answer = generate(pipeline, replace(clip, batch=fields["batch"]), place, economics)
        return Measured(answer.figures, answer.feasible)

    return Setting(
        words=site_words(machine),
        machine=machine,
        axes=generation_axes(pipeline, clip, machine, fixed),
        legal=legal,
        measure=measure,
        estimate=lambda place, fields: generate(
            pipeline, replace(clip, batch=fields["batch"]), place, economics, title
        ),
        shown=lambda place, fields: f"{plan_words(place.plan)}, batch={fields['batch']}",
    )
