"""Search a space of chips: which kind wins for decoding, for video and for a mix, by how much, and how sure."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from costline.numeric import Array
from costline.silicon.blueprint import Blueprint
from costline.silicon.designs import NODES, Batch, Case, conditions, space
from costline.silicon.inputs import quantity
from costline.silicon.sure import surest


@dataclass(frozen=True, kw_only=True)
class Design:
    """One chip of the search; SI units, money and energy for a token or for a second of video.

    `index` is what was asked for: the cost of the mix over that of the best chips, or a time per token; `sure` the
    share of draws in which it is the best, `low` and `high` the middle 80 % of `index`, `over_low` and `over_high` of
    `index` over that of the best kind, with the same draws for both.
    """

    words: str
    kind: str
    process: str
    memory: str
    pim: str
    rate: float
    capacity: float
    bandwidth: float
    area: float
    dies: float
    watts: float
    price: float
    token: float
    video: float
    floor: float
    unit: float
    index: float
    token_joules: float
    video_joules: float
    sure: float = 0.0
    low: float = 0.0
    high: float = 0.0
    over_low: float = 1.0
    over_high: float = 1.0
    blueprint: Blueprint = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found.

    Attributes
    ----------
    case : Case
        What was asked.
    winners : list of Design
        The best of each class, best first.
    front : list of Design
        Designs that no other beats at both measures of the objective.
    tried, valid : int
        Designs evaluated, and those within the limits of area, power and reticle.
    seconds : float
        Time of one processor it took. [s]
    how : str
        In words, how designs were chosen.
    """

    case: Case
    winners: list[Design]
    front: list[Design]
    tried: int
    valid: int
    seconds: float
    how: str = "of a grid"


def search(case: Case) -> Found:
    """Evaluate the whole space and pick."""
    return searches(case, (case.share,))[0]


def searches(case: Case, shares: Sequence[float]) -> list[Found]:
    """Evaluate the whole space once, and pick for every share of the money that is spent on decoding."""
    for node in NODES:  # tables are read before the clock starts
        for memory in ("HBM3", "GDDR6"):
            Blueprint(name="first", process=node, rate=1e14, memory=memory, devices=2).silicon()
    start = time.process_time()
    batches = list(space(case))
    evaluated, found = time.process_time() - start, []
    for share in shares:
        one, start = replace(case, share=share), time.process_time()
        best = bests(batches, one)
        values = [index(batch, one, best) for batch in batches]
        found.append(found_in(one, batches, values, evaluated + time.process_time() - start))
    return found


def found_in(
    case: Case, batches: Sequence[Batch], values: Sequence[Array], seconds: float, how: str = "of a grid"
) -> Found:
    """The winners and the front among batches of designs with their indices."""
    designs = [
        design_of(batch, int(place), float(each[place]))
        for batch, each in zip(batches, values, strict=True)
        for place in _leaders(batch, each)
    ]
    return Found(
        case=case,
        winners=_judged(_best_of_class(designs), case),
        front=_front(batches, case),
        tried=sum(batch.size for batch in batches),
        valid=int(sum(batch.valid.sum() for batch in batches)),
        seconds=seconds,
        how=how,
    )


def bests(batches: Sequence[Batch], case: Case) -> dict[str, float]:
    """Least dollars or joules of each job that counts in the mix; 1 where nothing can do it."""
    found = {}
    for weight, name in ((case.share, "tokens"), (1 - case.share, "film")):
        if weight:
            least = min(float(batch.spent(getattr(batch, name), case.objective).min()) for batch in batches)
            found[name] = least if np.isfinite(least) else 1.0
    return found


def index(batch: Batch, case: Case, best: Mapping[str, float]) -> Array:
    """Cost of the mix for every design; 1 if each job had the best chip of its own. Of latency, the time per token."""
    if case.objective == "latency":
        return batch.spent(batch.tokens, case.objective)
    weights = {"tokens": case.share, "film": 1 - case.share}
    total = np.zeros(batch.size)
    for name, least in best.items():
        total = total + weights[name] * batch.spent(getattr(batch, name), case.objective) / least
    return total


def _leaders(batch: Batch, values: Array) -> list[int]:
    """The best of each class in a batch."""
    kinds = batch.kinds
    found = []
    for kind in np.unique(kinds):
        inside = np.where(kinds == kind, values, np.inf)
        if np.isfinite(inside).any():
            found.append(int(np.argmin(inside)))
    return found


def design_of(batch: Batch, place: int, index: float) -> Design:
    """One design of a batch, in words and figures."""
    blueprint = batch.one(place)
    running, watts = float(batch.running[place]), float(batch.watts[place])
    tokens, film = float(batch.tokens[place]), float(batch.film[place])
    host, pue, _ = conditions()
    joules = (watts + host) * pue

    def each(spent: float, rate: float) -> float:
        return spent / rate if rate else float("inf")

    memory, words = in_words(blueprint, batch.pim)
    return Design(
        words=words,
        kind=str(batch.kinds[place]),
        process=blueprint.process,
        memory=memory,
        pim=batch.pim,
        rate=float(blueprint.rate),
        capacity=float(blueprint.capacity),
        bandwidth=float(blueprint.bandwidth),
        area=float(blueprint.area),
        dies=float(blueprint.parts),
        watts=watts,
        price=float(batch.dollars[place]) * quantity("life").value,
        token=each(running, tokens),
        video=each(running, film),
        floor=float(batch.floor[place]),
        unit=float(batch.unit[place]),
        index=index,
        token_joules=each(joules, tokens),
        video_joules=each(joules, film),
        blueprint=blueprint,
    )


def in_words(blueprint: Blueprint, pim: str) -> tuple[str, str]:
    """The memory of a design, and all of it."""
    if blueprint.kind is None:
        memory = f"{blueprint.sram / 1e6:,.0f} MB SRAM"
    else:
        size = blueprint.capacity / blueprint.devices / 1e9
        memory = f"{blueprint.devices:.0f} x {size:.0f} GB {blueprint.memory}{f' {pim}' if pim else ''}"
    dies = f"{blueprint.parts:.0f} dies, " if blueprint.parts > 1 else ""
    links = f"links {blueprint.link / 1e9:,.0f} GB/s"
    return memory, f"{blueprint.process}, {dies}{blueprint.rate / 1e12:,.0f} TFLOP/s, {memory}, {links}"


def _best_of_class(designs: Sequence[Design]) -> list[Design]:
    ordered = sorted(designs, key=lambda design: (design.kind, design.index))
    return [next(group) for _, group in itertools.groupby(ordered, key=lambda design: design.kind)]


def _judged(winners: Sequence[Design], case: Case) -> list[Design]:
    """The winners, best first, with how often each wins when inputs are drawn from their ranges."""
    judged = surest(winners, case)
    found = [
        replace(design, sure=each.sure, low=each.low, high=each.high, over_low=each.over_low, over_high=each.over_high)
        for design, each in zip(winners, judged, strict=True)
    ]
    return sorted(found, key=lambda design: design.index)


def axes_of(case: Case) -> tuple[Axis, Axis]:
    """The two measures whose front is shown: of both workloads where there are two, else of the one and its time."""
    if case.objective == "latency":
        return AXES["floor"], AXES["token"]
    joules = "_joules" if case.objective == "joule" else ""
    if case.talk is None:
        return AXES[f"video{joules}"], AXES["video" if joules else "video_joules"]
    return AXES[f"token{joules}"], AXES["floor" if case.film is None else f"video{joules}"]


Axis: TypeAlias = tuple[str, str, float]
"""Attribute of `Design`, unit, and what it is multiplied by to print it."""
AXES: Mapping[str, Axis] = MappingProxyType(
    {
        "token": ("token", "$/Mtok", 1e6),
        "video": ("video", "$/s video", 1.0),
        "token_joules": ("token_joules", "J/token", 1.0),
        "video_joules": ("video_joules", "kJ/s video", 1e-3),
        "floor": ("floor", "ms/token", 1e3),
    }
)


def _front(batches: Sequence[Batch], case: Case) -> list[Design]:
    """Designs that no other beats at both measures by more than `SAME`."""
    first, second = (name for name, _, _ in axes_of(case))
    points = []
    for number, batch in enumerate(batches):
        pair = batch.measure(first), batch.measure(second)
        finite = np.flatnonzero(np.isfinite(pair[0]) & np.isfinite(pair[1]))
        columns = [each[finite] for each in pair]
        points.append(np.stack([*columns, np.full(finite.size, number), finite], axis=1))
    table = np.concatenate(points)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    best = np.minimum.accumulate(np.concatenate([[np.inf], table[:-1, 1]]))
    kept, least = [], np.inf
    for row in table[table[:, 1] < best]:
        if row[1] < (1 - SAME) * least:
            kept.append(row)
            least = row[1]
    return [design_of(batches[int(number)], int(place), 0.0) for _, _, number, place in kept]


SAME = 0.005
"""What a design of a front must be better by than the one before it: less does not show in three figures. [1]"""
