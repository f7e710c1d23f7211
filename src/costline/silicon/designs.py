"""A space of chips as arrays: how fast, how dear, how hot each is, and whether it can be built.

Speed depends on peak, memory and links alone, so it is computed once for all nodes and numbers of dies; the axes stay
apart until the end, and nothing is computed twice. On-chip memory beside off-chip memory changes no time in the engine,
so it is no axis.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.catalogue import shipped
from costline.hardware.cluster import Cluster
from costline.numeric import Array, Numeric
from costline.silicon.blueprint import Blueprint
from costline.silicon.decoding import Talk, decoding
from costline.silicon.filming import Film, film_rates
from costline.silicon.inputs import memory_type, quantity
from costline.silicon.owning import made_rate
from costline.silicon.pim import device
from costline.silicon.sram import pipelines

Objective: TypeAlias = Literal["dollar", "joule", "latency"]

NODES = ("28 nm", "14 nm", "10 nm", "7 nm", "5 nm", "3 nm")
RATES = np.geomspace(30e12, 6000e12, 24)
"""16-bit peaks tried. [FLOP/s]"""
LINKS = np.array([50e9, 200e9, 450e9, 900e9])
"""Links tried, one direction. [byte/s]"""
DIES = np.array([1.0, 2.0, 4.0])
"""Logic dies tried."""
MEMORIES: tuple[tuple[str, tuple[int, ...], bool, str], ...] = (
    ("HBM2e", (2, 4, 6, 8), False, ""),
    ("HBM3", (2, 4, 5, 6, 8), False, ""),
    ("HBM3e", (2, 4, 6, 8, 12), False, ""),
    ("HBM2e", (2, 4, 6, 8), False, "hbm-pim"),
    ("HBM3", (4, 6, 8), False, "attacc"),
    ("GDDR6", (8, 16, 24, 32), True, ""),
    ("GDDR6", (4, 8, 12, 16), False, "aim"),
)
"""Kind of memory, devices, two on a channel, memory that computes."""
ON_CHIP = np.array([128e6, 256e6, 512e6, 1e9, 2e9])
"""On-chip memories of chips without any other. [byte]"""

CLASSES = ("mid node, large memory", "big GPU", "SRAM only", "memory that computes", "others")
"""What the article argues about: at most 14 nm class logic with 96 GB or more; 5 nm or better from 500 TFLOP/s."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What chips are designed for.

    Attributes
    ----------
    talk : Talk, optional
        What is decoded; needed unless all money is spent on video.
    film : Film, optional
        What is filmed; needed unless all money is spent on decoding.
    share : float
        Share of the money spent on decoding: 1 decoding only, 0 video only. [1]
    objective : {"dollar", "joule", "latency"}
        Work for a dollar, work for a joule, or the least time per token.
    volume : float, optional
        Chips that carry the cost of a design. [chip]
    """

    talk: Talk | None = None
    film: Film | None = None
    share: float = 1.0
    objective: Objective = "dollar"
    volume: float | None = None


@dataclass(frozen=True)
class Batch:
    """Designs of one node and one kind of memory, as flat arrays.

    Attributes
    ----------
    blueprint : Blueprint
        Its choices as arrays.
    pim : str
        Memory that computes; empty for none.
    tokens, floor, film : array
        Tokens a second of one chip, shortest time per token, seconds of video a second. [token/s, s, 1]
    unit : array
        Chips that decode together at that rate. [chip]
    dollars, watts : array
        Price and host over their life, power. [USD/s, W]
    valid : array of bool
        Whether it can be built.
    """

    blueprint: Blueprint
    pim: str
    tokens: Array
    floor: Array
    film: Array
    unit: Array
    dollars: Array
    watts: Array
    valid: Array

    @property
    def size(self) -> int:
        """How many."""
        return int(self.tokens.size)

    @property
    def running(self) -> Array:
        """Price, host and electricity of a chip. [USD/s]"""
        host, pue, electricity = conditions()
        return self.dollars + (self.watts + host) * pue * electricity

    def spent(self, rate: Array, objective: Objective) -> Array:
        """Dollars, joules or seconds of a token or a second of video; infinite where it cannot."""
        if objective == "latency":
            return np.where(self.valid, self.floor, np.inf)
        host, pue, _ = conditions()
        spent = self.running if objective == "dollar" else (self.watts + host) * pue
        with np.errstate(divide="ignore"):
            return np.where(self.valid & (rate > 0), spent / np.where(rate > 0, rate, 1), np.inf)

    def measure(self, name: str) -> Array:
        """What every design spends, by the attribute of a `Design`; infinite where it cannot. [USD, J, s]"""
        rate = self.film if name.startswith("video") else self.tokens
        if name == "floor":
            return self.spent(rate, "latency")
        return self.spent(rate, "joule" if name.endswith("joules") else "dollar")

    @property
    def kinds(self) -> Array:
        """Which of `CLASSES` each design belongs to."""
        blueprint = self.blueprint
        if blueprint.kind is None:
            return np.full(self.size, "SRAM only")
        if self.pim:
            return np.full(self.size, "memory that computes")
        node = int(blueprint.node)
        large = (node >= 10) & (np.asarray(blueprint.capacity) >= 96e9)
        big = (node <= 5) & (np.asarray(blueprint.rate) >= 500e12)
        return np.where(large, CLASSES[0], np.where(big, CLASSES[1], CLASSES[4]))

    def one(self, place: int) -> Blueprint:
        """The blueprint of one design."""
        names = ("rate", "devices", "device_size", "sram", "link", "dies")
        given = {name: getattr(self.blueprint, name) for name in names}
        picked: dict[str, Any] = {
            name: None if value is None else float(np.ravel(value)[place]) for name, value in given.items()
        }
        return replace(self.blueprint, **picked)


@functools.cache
def conditions() -> tuple[float, float, float]:
    """Power of a host for a chip, PUE, price of electricity. [W, 1, USD/J]"""
    host = float(shipped.efficiency().value("host_power", shipped.chip("h100-sxm")))
    return host, shipped.pue().value, shipped.electricity().value


Fast: TypeAlias = tuple[Array, Array, Array, Array]
"""Tokens a second of one chip, shortest time per token, seconds of video a second, chips that decode together."""


def speeds(case: Case, blueprint: Blueprint, pim: str, filmed: Array | None = None) -> Fast:
    """How fast every design is; what nobody asks about is not computed, nor `filmed` again. [token/s, s, 1, chip]"""
    cluster, none = blueprint.cluster(), np.zeros(())
    spoken = (none, np.array(np.inf), none) if case.talk is None else _spoken(case.talk, cluster, blueprint, pim)
    film = none if filmed is None else filmed
    if filmed is None and case.film is not None and blueprint.kind is not None:
        film = film_rates(case.film, cluster, shipped.efficiency())
    tokens, floor, unit = spoken
    return tokens, floor, film, unit


def _spoken(talk: Talk, cluster: Cluster, blueprint: Blueprint, pim: str) -> tuple[Array, Array, Array]:
    """Tokens a second of one chip, shortest time per token, chips that decode together. [token/s, s, chip]"""
    efficiency = shipped.efficiency()
    if blueprint.kind is None:
        pipeline = pipelines(talk, cluster, efficiency)
        each, chips = pipeline.each(talk.tpot), pipeline.chips.reshape(*pipeline.chips.shape[:-2], -1)
        return each.max(axis=-1), pipeline.floor, _at_best(each, chips)
    tried = decoding(talk, cluster, efficiency, device(pim) if pim else None)
    each, units = tried.each(talk.tpot), np.broadcast_to(tried.units, tried.rate.shape[-2:]).ravel()
    return each.max(axis=-1), tried.floor, _at_best(each, np.broadcast_to(units, each.shape))


def _at_best(each: Array, chips: Array) -> Array:
    """Chips where `each` is largest along the last axis; 0 where it is 0."""
    best = each.argmax(axis=-1)[..., np.newaxis]
    found: Array = np.where(each.max(axis=-1) > 0, np.take_along_axis(chips, best, axis=-1)[..., 0], 0)
    return found


def priced(case: Case, blueprint: Blueprint, pim: str, fast: Fast) -> Batch:
    """Designs with their costs and limits, flat."""
    silicon = blueprint.silicon()
    watts = np.asarray(blueprint.power())
    valid = buildable(blueprint, silicon.area, watts)
    most = quantity("reticle").value * np.asarray(silicon.dies)  # what is larger is refused, whatever it would cost
    silicon = replace(silicon, area=np.minimum(silicon.area, most))
    dollars = np.asarray(made_rate(silicon, None, case.volume))
    choices = {name: getattr(blueprint, name) for name in ("rate", "devices", "device_size", "sram", "link", "dies")}
    shape = np.broadcast_shapes(*(np.shape(each) for each in (*fast, watts, dollars, *choices.values())))

    def flat(value: Numeric) -> Array:
        return np.broadcast_to(np.asarray(value), shape).ravel()

    spread: dict[str, Any] = {name: None if value is None else flat(value) for name, value in choices.items()}
    return Batch(replace(blueprint, **spread), pim, *(flat(each) for each in (*fast, dollars, watts, valid)))


def buildable(blueprint: Blueprint, area: Numeric, watts: Numeric) -> Array:
    """Within the reticle, the power of real packages, the largest interposer, and the edge that stacks need."""
    square = np.asarray(area) / np.asarray(blueprint.parts)
    inside = (square <= quantity("reticle").value) & (np.asarray(watts) <= quantity("package_power").value)
    kind, footprint = blueprint.kind, 0.0
    if kind is not None and kind.mount == "interposer":
        room = np.floor(2 * np.sqrt(square) / quantity("hbm_edge").value + 0.05) * blueprint.parts
        inside = inside & (np.asarray(blueprint.devices) <= room)
        footprint = quantity("hbm_footprint").value
    if kind is not None and kind.mount == "board":
        inside = inside & (np.asarray(blueprint.channels) * kind.bits <= quantity("gddr_bus").value)
    stands = (np.asarray(area) + np.asarray(blueprint.devices) * footprint) * quantity("interposer_factor").value
    found: Array = inside & (stands <= quantity("interposer_area").value)
    return found


def space(case: Case) -> Iterator[Batch]:
    """Every design, a node and a kind of memory at a time; the axes are peak, devices, their size, links and dies."""
    rate, link, dies = RATES.reshape(-1, 1, 1, 1, 1), LINKS.reshape(-1, 1), DIES
    base = Blueprint(name="design", process=NODES[0], rate=rate, memory="SRAM", link=link, dies=dies)
    filmed: dict[tuple[str, bool], tuple[tuple[int, ...], Array]] = {}
    for memory, devices, clamshell, pim in MEMORIES:
        kind = memory_type(memory)
        sizes = np.unique([kind.capacity, kind.capacity_limit])
        one = replace(
            base, memory=memory, clamshell=clamshell, in_memory=bool(pim), device_size=sizes.reshape(-1, 1, 1),
            devices=np.array(devices, dtype=float).reshape(-1, 1, 1, 1),
        )  # fmt: skip
        fast = speeds(case, replace(one, dies=1.0), pim, _alike(filmed.get((memory, clamshell)), devices))
        filmed.setdefault((memory, clamshell), (devices, fast[2]))
        yield from _on_all_nodes(case, one, pim, fast)
    one = replace(base, sram=ON_CHIP.reshape(-1, 1, 1, 1))
    yield from _on_all_nodes(case, one, "", speeds(case, replace(one, dies=1.0), ""))


def _alike(filmed: tuple[tuple[int, ...], Array] | None, devices: tuple[int, ...]) -> Array | None:
    """Video of the same memory without arithmetic in it, which helps no video; None where it is not known."""
    if filmed is None or filmed[1].ndim == 0 or not set(devices) <= set(filmed[0]):
        return None
    return np.take(filmed[1], [filmed[0].index(each) for each in devices], axis=1)


def _on_all_nodes(case: Case, base: Blueprint, pim: str, fast: Fast) -> Iterator[Batch]:
    for node in NODES:
        yield priced(case, replace(base, process=node), pim, fast)
