"""What would make requests fit that do not: fewer or shorter ones, more chips, narrower weights."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Protocol

import numpy as np

from costline.numeric import Numeric, smallest
from costline.studies.fit import Fit
from costline.studies.serving_memory import Room
from costline.studies.space import dividing, heads_of, powers_of_two, stage_counts


class Asked(Protocol):
    """What is asked of the model: see `costline.studies.serve.Requests`."""

    @property
    def input(self) -> Numeric: ...
    @property
    def output(self) -> Numeric: ...
    @property
    def batch(self) -> Numeric: ...
    @property
    def together(self) -> bool: ...


MUCH_SHORTER = 4
"""A context shorter than asked by more than this factor is no advice."""


def serving_changes(requests: Asked, own: Numeric, room: Room) -> list[Fit]:
    """Changes that could make it fit, in the order a user would try them."""
    context = requests.input + requests.output
    if isinstance(own, np.ndarray) or isinstance(context, np.ndarray):
        return []
    changes: list[Fit] = []
    network, machine = room.network, room.machine
    batch = room.most_sequences(context, requests.input, together=requests.together)
    if isinstance(batch, int) and batch >= 1:
        changes.append(Fit(True, change=f"batch {batch}"))
    longest = room.longest_context(own, requests.output, together=requests.together)
    if network.max_context is not None:
        longest = smallest(longest, network.max_context)
    if isinstance(longest, int) and longest >= context / MUCH_SHORTER:
        changes.append(Fit(True, change=f"context {longest:,} tokens"))
    changes += _wider(requests, room)
    for name in ("fp8", "int4"):
        changed = replace(machine, plan=replace(machine.plan, weights=name))
        if _fits(requests, own, room.on(changed)):
            changes.append(Fit(True, change=f"{name} weights"))
            break
    return changes


def _wider(requests: Asked, room: Room) -> list[Fit]:
    """Tensor and pipeline degrees that fit on the fewest chips, those there are if possible."""
    network, machine = room.network, room.machine
    plan, chips = machine.plan, machine.cluster.chips
    degrees = itertools.product(dividing(powers_of_two(128), heads_of(network)), stage_counts(network.layers, 128))
    for tensor, pipeline in sorted(degrees, key=lambda pair: (max(pair[0] * pair[1], chips), pair[1], pair[0])):
        spread = replace(plan, tensor=tensor, pipeline=pipeline)
        spread = replace(spread, data=max(chips // spread.replica, 1))
        if tensor * spread.data % plan.expert:
            continue
        if _fits(requests, requests.batch / spread.data, room.on(replace(machine, plan=spread))):
            words = f"tensor={tensor}" + (f", pipeline={pipeline}" if pipeline > 1 else "")
            return [Fit(True, change=f"{words} on {max(spread.chips, chips):,} chips")]
    return []


def _fits(requests: Asked, own: Numeric, room: Room) -> bool:
    context = requests.input + requests.output
    memory = room.serving(context, own, requests.input, together=requests.together)
    return bool(np.all(memory.fits))
