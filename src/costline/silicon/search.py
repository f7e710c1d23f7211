"""Search a space of chips: which kind wins for decoding, for video and for a mix, by how much, and how sure."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from costline.catalogue import shipped
from costline.numeric import Array, Numeric
from costline.silicon.blueprint import Blueprint
from costline.silicon.compare import Film, Talk
from costline.silicon.draws import USUAL, Draws
from costline.silicon.inputs import quantity
from costline.silicon.owning import made_rate
from costline.silicon.pim import device
from costline.silicon.speed import decode_rates, film_rates, pipeline_rates

Objective: TypeAlias = Literal["dollar", "joule", "latency"]

NODES = ("28 nm", "14 nm", "10 nm", "7 nm", "5 nm", "3 nm")
RATES = np.geomspace(30e12, 2000e12, 24)
"""16-bit peaks tried. [FLOP/s]"""
LINKS = np.array([50e9, 200e9, 450e9])
"""Links tried, one direction. [byte/s]"""
SCRATCH = np.array([16e6, 32e6, 64e6, 128e6])
"""On-chip memories tried beside off-chip memory. [byte]"""
MEMORIES: tuple[tuple[str, tuple[int, ...], bool, str], ...] = (
    ("HBM2e", (2, 4, 6, 8), False, ""),
    ("HBM3", (2, 4, 5, 6, 8), False, ""),
    ("HBM3e", (2, 4, 6, 8), False, ""),
    ("HBM2e", (2, 4, 6, 8), False, "hbm-pim"),
    ("HBM3", (2, 4, 6, 8), False, "hbm-pim"),
    ("HBM3", (4, 6, 8), False, "attacc"),
    ("GDDR6", (8, 16, 24, 32), True, ""),
)
"""Kind of memory, devices, two on a channel, memory that computes."""
ON_CHIP = np.array([64e6, 128e6, 256e6, 512e6])
"""On-chip memories of chips without any other. [byte]"""


CLASSES = ("mid node, large memory", "big GPU", "SRAM only", "memory that computes", "others")
"""What the article argues about: at most 14 nm class logic with 96 GB or more; 5 nm or better from 500 TFLOP/s."""


@dataclass(frozen=True)
class Batch:
    """Designs of one node and one kind of memory, as flat arrays."""

    blueprint: Blueprint
    pim: str
    tokens: Array
    floor: Array
    film: Array
    dollars: Array
    watts: Array
    valid: Array

    @property
    def size(self) -> int:
        """How many."""
        return int(self.tokens.size)


@dataclass(frozen=True, kw_only=True)
class Design:
    """One chip of the search; SI units, money and energy for a token or for a second of video."""

    words: str
    kind: str
    process: str
    memory: str
    rate: float
    capacity: float
    bandwidth: float
    area: float
    watts: float
    price: float
    token: float
    video: float
    floor: float
    index: float
    token_joules: float
    sure: float = 0.0
    low: float = 0.0
    high: float = 0.0
    blueprint: Blueprint = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found.

    Attributes
    ----------
    objective, share : str, float
        What was asked: the objective, and the share of money spent on decoding.
    winners : list of Design
        The best of each class, best first.
    front : list of Design
        Designs that no other beats both at decoding and at video.
    tried, valid : int
        Designs evaluated, and those within the limits of area, power and reticle.
    seconds : float
        Time of one processor it took. [s]
    """

    objective: Objective
    share: float
    winners: list[Design]
    front: list[Design]
    tried: int
    valid: int
    seconds: float


def search(talk: Talk, film: Film, share: float, objective: Objective = "dollar") -> Found:
    """Evaluate the whole space and pick.

    Parameters
    ----------
    talk, film : Talk, Film
        Workloads.
    share : float
        Share of the money spent on decoding: 1 decoding only, 0 video only. [1]
    objective : {"dollar", "joule", "latency"}
        Work for a dollar, work for a joule, or the least time per token.
    """
    for node in NODES:  # tables are read before the clock starts
        Blueprint(name="first", process=node, rate=1e14, memory="HBM3", devices=2).silicon()
        Blueprint(name="first", process=node, rate=1e14, memory="GDDR6", devices=2).power()
    start = time.process_time()
    batches = list(_batches(talk, film))
    cost = _indices(batches, share, objective)
    seconds = time.process_time() - start
    designs = [
        _design(batch, int(place), float(values[place]))
        for batch, values in zip(batches, cost, strict=True)
        for place in _leaders(batch, values)
    ]
    winners = _surest(_best_of_class(designs), share, objective)
    return Found(
        objective=objective,
        share=share,
        winners=winners,
        front=_front(batches),
        tried=sum(batch.size for batch in batches),
        valid=int(sum(batch.valid.sum() for batch in batches)),
        seconds=seconds,
    )


def _batches(talk: Talk, film: Film) -> Iterator[Batch]:
    """The space, a node and a kind of memory at a time; speed is computed once for all nodes."""
    for memory, devices, clamshell, pim in MEMORIES:
        rate, count, link = (mesh.ravel() for mesh in np.meshgrid(RATES, devices, LINKS, indexing="ij"))
        base = Blueprint(
            name="design", process="7 nm", rate=rate, memory=memory, devices=count, link=link, clamshell=clamshell,
            in_memory=bool(pim),
        )  # fmt: skip
        chip = base.chip()
        tokens, floor = decode_rates(talk, chip, device(pim) if pim else None)
        video = film_rates(film, chip)
        repeat = len(SCRATCH)
        wide = [np.repeat(each, repeat) for each in (rate, count, link, tokens, floor, video)]
        scratch = np.tile(SCRATCH, rate.size)
        for node in NODES:
            yield _batch(memory, node, pim, clamshell, scratch, wide)
    rate, sram, link = (mesh.ravel() for mesh in np.meshgrid(RATES, ON_CHIP, LINKS, indexing="ij"))
    base = Blueprint(name="design", process="7 nm", rate=rate, memory="SRAM", sram=sram, link=link)
    tokens, floor = pipeline_rates(talk, base.chip())
    video = film_rates(film, base.chip())
    for node in NODES:
        yield _batch("SRAM", node, "", False, sram, [rate, np.zeros_like(rate), link, tokens, floor, video])


def _batch(memory: str, node: str, pim: str, clamshell: bool, sram: Array, wide: Sequence[Array]) -> Batch:
    rate, count, link, tokens, floor, video = wide
    blueprint = Blueprint(
        name="design", process=node, rate=rate, memory=memory, devices=count, sram=sram, link=link,
        clamshell=clamshell, in_memory=bool(pim),
    )  # fmt: skip
    silicon = blueprint.silicon()
    watts = np.asarray(blueprint.power())
    return Batch(
        blueprint,
        pim,
        tokens,
        floor,
        video,
        np.asarray(made_rate(silicon)),
        watts,
        _allowed(blueprint, silicon.area, watts),
    )


def _allowed(blueprint: Blueprint, area: Numeric, watts: Array) -> Array:
    """Within two exposures, the power of real packages, and the edge that stacks need."""
    side = np.sqrt(np.asarray(area) / np.ceil(np.asarray(area) / quantity("reticle").value))
    dies = np.ceil(np.asarray(area) / quantity("reticle").value)
    kind = blueprint.kind
    room = np.floor(2 * side / quantity("hbm_edge").value + 0.05) * dies
    edge = np.asarray(blueprint.devices) <= room if kind is not None and kind.mount == "interposer" else True
    return (dies <= 2) & (watts <= quantity("package_power").value) & edge


@functools.cache
def _conditions() -> tuple[float, float, float]:
    """Power of a host for a chip, PUE, price of electricity. [W, 1, USD/J]"""
    host = float(shipped.efficiency().value("host_power", shipped.chip("h100-sxm")))
    return host, shipped.pue().value, shipped.electricity().value


def _running(batch: Batch) -> Array:
    """Price, host and electricity of a chip. [USD/s]"""
    host, pue, electricity = _conditions()
    return batch.dollars + (batch.watts + host) * pue * electricity


def _per(batch: Batch, rate: Array, objective: Objective) -> Array:
    """Dollars, joules or seconds of a token or a second of video; infinite where it cannot."""
    if objective == "latency":
        return np.where(batch.valid, batch.floor, np.inf)
    host, pue, _ = _conditions()
    spent = _running(batch) if objective == "dollar" else (batch.watts + host) * pue
    with np.errstate(divide="ignore"):
        return np.where(batch.valid & (rate > 0), spent / np.where(rate > 0, rate, 1), np.inf)


def _indices(batches: Sequence[Batch], share: float, objective: Objective) -> list[Array]:
    """Cost of the mix for every design; 1 if each job had the best chip of its own."""
    if objective == "latency":
        return [_per(batch, batch.tokens, objective) for batch in batches]
    totals: list[Array] = [np.zeros(batch.size) for batch in batches]
    for weight, name in ((share, "tokens"), (1 - share, "film")):
        if weight:
            spent = [_per(batch, getattr(batch, name), objective) for batch in batches]
            best = min(float(each.min()) for each in spent)
            totals = [total + weight * each / best for total, each in zip(totals, spent, strict=True)]
    return totals


def _leaders(batch: Batch, values: Array) -> list[int]:
    """The best of each class in a batch."""
    kinds = _kinds(batch)
    found = []
    for kind in np.unique(kinds):
        inside = np.where(kinds == kind, values, np.inf)
        if np.isfinite(inside).any():
            found.append(int(np.argmin(inside)))
    return found


def _kinds(batch: Batch) -> Array:
    """Which of `CLASSES` each design belongs to."""
    blueprint = batch.blueprint
    if blueprint.kind is None:
        return np.full(batch.size, "SRAM only")
    if batch.pim:
        return np.full(batch.size, "memory that computes")
    node = int(blueprint.node)
    large = (node >= 10) & (np.asarray(blueprint.capacity) >= 96e9)
    big = (node <= 5) & (np.asarray(blueprint.rate) >= 500e12)
    return np.where(large, CLASSES[0], np.where(big, CLASSES[1], CLASSES[4]))


def _one(batch: Batch, place: int) -> Blueprint:
    """The blueprint of one design."""
    blueprint = batch.blueprint
    rate, devices, sram, link = (
        float(np.ravel(getattr(blueprint, name))[place]) for name in ("rate", "devices", "sram", "link")
    )
    return Blueprint(
        name="design", process=blueprint.process, memory=blueprint.memory, clamshell=blueprint.clamshell,
        in_memory=blueprint.in_memory, rate=rate, devices=devices, sram=sram, link=link,
    )  # fmt: skip


def _design(batch: Batch, place: int, index: float) -> Design:
    blueprint = _one(batch, place)
    running = float(_running(batch)[place])
    tokens, film = float(batch.tokens[place]), float(batch.film[place])
    held = f"{blueprint.sram / 1e6:.0f} MB of" if blueprint.kind is None else f"{blueprint.devices:.0f} x"
    memory = f"{held} {blueprint.memory}"
    named = f" ({batch.pim})" if batch.pim else ""
    host, pue, _ = _conditions()
    joules = (float(batch.watts[place]) + host) * pue
    return Design(
        words=", ".join((blueprint.process, f"{blueprint.rate / 1e12:.0f} TFLOP/s", memory)) + named,
        kind=str(_kinds(batch)[place]),
        process=blueprint.process,
        memory=memory,
        rate=float(blueprint.rate),
        capacity=float(blueprint.capacity),
        bandwidth=float(blueprint.bandwidth),
        area=float(blueprint.area),
        watts=float(batch.watts[place]),
        price=float(batch.dollars[place]) * quantity("life").value,
        token=running / tokens if tokens else float("inf"),
        video=running / film if film else float("inf"),
        floor=float(batch.floor[place]),
        index=index,
        token_joules=joules / tokens if tokens else float("inf"),
        blueprint=blueprint,
    )


def _best_of_class(designs: Sequence[Design]) -> list[Design]:
    ordered = sorted(designs, key=lambda design: design.index)
    return [next(group) for _, group in itertools.groupby(sorted(ordered, key=lambda d: d.kind), key=lambda d: d.kind)]


def _surest(winners: Sequence[Design], share: float, objective: Objective) -> list[Design]:
    """How often each class wins when the inputs of its cost are drawn from their ranges; the draws are shared."""
    if not winners:
        return []
    draws = Draws(USUAL)
    drawn = np.array([_drawn(design, draws, objective) for design in winners])
    wins = np.bincount(drawn.argmin(axis=0), minlength=len(winners)) / USUAL
    ends = np.quantile(drawn, [0.1, 0.9], axis=1)
    found = [
        Design(**{**vars(design), "sure": float(win), "low": float(low), "high": float(high)})
        for design, win, low, high in zip(winners, wins, *ends, strict=True)
    ]
    return sorted(found, key=lambda design: design.index)


def _drawn(design: Design, draws: Draws, objective: Objective) -> Array:
    """The index of a design with drawn costs and power. [1]"""
    if objective == "latency":
        return np.full(draws.size, design.index)
    blueprint = design.blueprint
    host, pue, electricity = _conditions()
    watts = np.asarray(blueprint.power(draws)) + host
    point = design.watts + host
    if objective == "joule":
        return design.index * watts / point
    silicon = blueprint.silicon()
    spent = np.asarray(made_rate(silicon, draws)) + watts * pue * electricity
    return design.index * spent / (float(made_rate(silicon)) + point * pue * electricity)


def _front(batches: Sequence[Batch]) -> list[Design]:
    """Designs that no other beats at decoding and at video for a dollar."""
    points = []
    for number, batch in enumerate(batches):
        token, video = _per(batch, batch.tokens, "dollar"), _per(batch, batch.film, "dollar")
        finite = np.flatnonzero(np.isfinite(token) & np.isfinite(video))
        points.append(np.stack([token[finite], video[finite], np.full(finite.size, number), finite], axis=1))
    table = np.concatenate(points)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    best = np.minimum.accumulate(np.concatenate([[np.inf], table[:-1, 1]]))
    kept = table[table[:, 1] < best]
    return [_design(batches[int(number)], int(place), 0.0) for _, _, number, place in kept]
