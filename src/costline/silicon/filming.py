"""Making video on chips as arrays: the fewest chips that hold the pipeline, under the plan that is soonest done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from costline.engine.passes import Machine
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.models.pipeline import Pipeline
from costline.numeric import Array
from costline.plan import Plan
from costline.studies.choose import Choice, generation_plan
from costline.studies.clip import Clip
from costline.studies.formats import settled_formats
from costline.studies.generate import generation_time
from costline.studies.generation_memory import generation_memory
from costline.studies.space import powers_of_two

MOST_CHIPS = 8
"""Largest unit tried for a clip. [chip]"""


@dataclass(frozen=True, kw_only=True)
class Film:
    """Making a video clip with a pipeline, in a format as `costline generate` reads it."""

    pipeline: Pipeline
    clip: Clip
    precision: str = "bf16"


def film_of(pipeline: Pipeline, precision: str = "bf16") -> Film:
    """A clip as the pipeline makes it by default; 720p and 50 steps where it does not say."""
    clip = Clip(
        frames=pipeline.frames or 121, height=pipeline.height or 720, width=pipeline.width or 1280,
        fps=pipeline.fps or 24.0, steps=pipeline.steps or 50, branches=pipeline.branches or 2,
    )  # fmt: skip
    return Film(pipeline=pipeline, clip=clip, precision=precision)


def film_units(film: Film, cluster: Cluster, efficiency: Efficiency) -> Iterator[tuple[int, Choice, Machine]]:
    """Units of 1, 2, 4 and 8 chips of the scale-up domain, the best plan of each, and the unit as a machine.

    Raises
    ------
    InputError
        The chip cannot run the pipeline at all.
    """
    fields, _ = settled_formats({}, film.precision, cluster.chip, training=False)
    for chips in powers_of_two(min(np.max(cluster.domain), MOST_CHIPS)):
        machine = Machine(replace(cluster, chips=chips), efficiency, Plan(**fields))
        choice = generation_plan(film.pipeline, film.clip, machine, {})
        yield chips, choice, replace(machine, plan=choice.plan)


def film_weights(film: Film, machine: Machine) -> float:
    """Weights of transformers, encoders and autoencoder on one chip of a plan. [byte]"""
    items = generation_memory(film.pipeline, film.clip, machine).items
    return sum(float(items.get(name, 0.0)) for name in ("transformer", "encoders", "autoencoder"))


def film_rates(film: Film, cluster: Cluster, efficiency: Efficiency) -> Array:
    """Seconds of video a second of one chip, on the fewest chips that hold the pipeline; 0 where none do. [1]

    The figures of the chip may be arrays of one length.
    """
    chip = cluster.chip
    figures = (chip.memory, chip.memory_bandwidth, *chip.peak.values(), cluster.scale_up)
    size = np.broadcast_shapes(*(np.asarray(each).shape for each in figures))
    rates = np.zeros(size)
    for chips, choice, machine in film_units(film, cluster, efficiency):
        seconds = np.asarray(generation_time(film.pipeline, film.clip, machine))
        fits = np.broadcast_to(np.asarray(choice.fits), size)
        rates = np.where((rates == 0) & fits, float(film.clip.seconds) / (seconds * chips), rates)
        if np.all(rates > 0):
            break
    return rates
