"""What a chip costs to make and must sell for: dies, memory, package, test, board, design, margin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from costline.catalogue.chip_table import ChipFacts
from costline.errors import InputError
from costline.estimate import Assumption, Estimate, Figure
from costline.formulas.silicon import (
    design_cost_per_unit,
    die_cost,
    dies_per_wafer,
    embodied_carbon,
    harvested_yield,
    packaged_cost,
    selling_price,
)
from costline.numeric import Numeric, choose
from costline.silicon.densest import is_wafer
from costline.silicon.draws import USUAL, Draws, interval
from costline.silicon.inputs import (
    MemoryType,
    Spread,
    defect_density,
    design_cost,
    fab_figure,
    known_node,
    memory_price,
    memory_type,
    node_of,
    quantity,
    wafer_price,
)


@dataclass(frozen=True, kw_only=True)
class Silicon:
    """What a chip is made of.

    Attributes
    ----------
    name, process : str
        Chip; process node, such as "7 nm".
    area : float or array
        Of all logic dies together. [m2]
    dies : int or array
        Logic dies, equal in size.
    memory : MemoryType, optional
        Off-chip memory; None for a chip that has none.
    capacity : float or array
        Its size. [byte]
    devices : float or array
        Stacks or chips of it.
    in_memory : bool
        Whether the memory computes, which makes it dearer.
    units, spare : int
        Cores on a die, and how many of them may be dead.
    notes : tuple of str
        What was assumed of it.
    price_without : str
        Memory prices derived from this bill, which must not predict it.
    """

    name: str
    process: str
    area: Numeric
    dies: Numeric = 1
    memory: MemoryType | None = None
    capacity: Numeric = 0.0
    devices: Numeric = 0
    in_memory: bool = False
    units: int = 128
    spare: int = 10
    notes: tuple[str, ...] = field(default=())
    price_without: str = ""


BINARY = 2**30 / 1e9
"""Bytes of what memory makers call a gigabyte, over 1e9."""


def silicon_of(facts: ChipFacts) -> Silicon:
    """What a chip of the catalogue is made of.

    Raises
    ------
    InputError
        Die area or process is unknown, or the chip is a whole wafer.
    """
    if is_wafer(facts):
        raise InputError(f"{facts.id}: a whole wafer; what spare cores, power and package cost it is not published")
    area, (process, assumed) = facts.figures.get("die_area_m2"), process_of(facts)
    node = node_of(process)
    if area is None or not node:
        lacking = " and ".join(
            name for name, known in (("die area", area is not None), ("process node", bool(node))) if not known
        )
        raise InputError(f"{facts.id}: {lacking} unknown, so no cost follows")
    dies = math.ceil(area / quantity("reticle").value)
    kind = memory_named(facts.texts["memory_type"])
    capacity = facts.figures.get("memory_byte", 0.0) if kind else 0.0
    notes = [assumed] if assumed else []
    if dies > 1:
        notes.append(f"{dies} dies of {area / dies * 1e6:.0f} mm2: one exposure holds 858 mm2")
    units, spare, note = _harvest(facts, dies)
    return Silicon(
        name=facts.id,
        process=process,
        area=area,
        dies=dies,
        memory=kind,
        capacity=capacity,
        devices=devices_of(kind, capacity, facts.figures.get("memory_bandwidth_byte_per_s", 0.0)) if kind else 0,
        units=units,
        spare=spare,
        notes=(*notes, note),
    )


def process_of(facts: ChipFacts) -> tuple[str, str]:
    """Process of a chip, and a word on it where it is assumed because its maker does not disclose it."""
    stated = facts.texts["process_node"]
    if stated:
        return stated, ""
    try:
        assumed = quantity("process", facts.id)
    except InputError:
        return "", ""
    return f"{assumed.value * 1e9:.0f} nm", f"process assumed to be {assumed.value * 1e9:.0f} nm"


def devices_of(kind: MemoryType, capacity: float, bandwidth: float) -> int:
    """Stacks or chips that hold a capacity and carry a bandwidth: of usual size, of the largest where a package has no
    room for so many.

    Devices hold powers of two of bytes (16 GiB), whatever a datasheet calls them.

    Examples
    --------
    >>> hbm3 = memory_type("HBM3")  # H100: 5 stacks of 16 GiB; MI300X: 12 of those have no room, 8 of 24 GiB do
    >>> devices_of(hbm3, 85.5e9, 3.35e12), devices_of(hbm3, 192 * 2**30, 5.3e12)
    (5, 8)
    """
    usual, fewest = (math.ceil(capacity / (size * BINARY) - 0.01) for size in (kind.capacity, kind.capacity_limit))
    crowded = kind.mount == "interposer" and usual > quantity("hbm_stacks_shipped").value
    carried = math.ceil(bandwidth / (kind.bits * kind.pin_limit / 8) - 0.01)
    return max(fewest if crowded else usual, carried)


def memory_named(text: str) -> MemoryType | None:
    """Kind of memory a catalogue cell names ("HBM2e x8"); None for on-chip memory and unknown kinds."""
    first = text.partition(" ")[0] if text else ""
    if first == "HBM":
        first = "HBM2e"
    try:
        return memory_type(first)
    except InputError:
        return None


def usual_harvest(sold: int = 128) -> tuple[int, int]:
    """Cores on a die and spare ones where the number on the die is not known. [1]"""
    physical = math.ceil(sold / quantity("sold_share").value)
    return physical, physical - sold


def _harvest(facts: ChipFacts, dies: int) -> tuple[int, int, str]:
    """Cores on a die and spare ones: known for few chips, else the usual share."""
    sold = int(facts.figures.get("cores", 128))
    sold = sold // dies if 8 <= sold <= 1000 else 128
    try:
        physical = int(quantity("units", facts.id).value)
        return physical, physical - sold, f"{sold} of {physical} cores sold"
    except InputError:
        physical, spare = usual_harvest(sold)
        return physical, spare, f"{sold} of {physical} cores of a die sold (assumed)"


@dataclass(frozen=True)
class Bill:
    """Cost of a chip, item by item; every item may be an array of draws. [USD]"""

    dies: Numeric
    memory: Numeric
    package: Numeric
    loss: Numeric
    test: Numeric
    board: Numeric
    design: Numeric
    good: Numeric

    @property
    def items(self) -> dict[str, Numeric]:
        """Bill of materials by item: what published teardowns add up. [USD]"""
        return {
            "logic dies": self.dies,
            "memory": self.memory,
            "package": self.package,
            "failed assemblies": self.loss,
            "test and assembly": self.test,
        }

    @property
    def materials(self) -> Numeric:
        """Sum of `items`. [USD]"""
        return self.dies + self.memory + self.package + self.loss + self.test

    @property
    def total(self) -> Numeric:
        """Bill, board, and the share of the design. [USD]"""
        return self.materials + self.board + self.design


def die_yield(silicon: Silicon, draws: Draws) -> Numeric:
    """Share of dies that can be sold, cores harvested. [1]"""
    node = known_node(silicon.process)
    density = draws.of(f"defects {node}", defect_density(node))
    clusters = draws.of("clusters", quantity("clusters"))
    share = draws.of("core share", quantity("core_share"))
    return harvested_yield(silicon.area / silicon.dies, density, clusters, share, silicon.units, silicon.spare)


def wafer_dies(silicon: Silicon) -> Numeric:
    """Dies of a wafer, scribe lines and rim taken off."""
    side = (silicon.area / silicon.dies) ** 0.5 + quantity("scribe").value
    return dies_per_wafer(side**2, quantity("wafer_diameter").value, quantity("wafer_edge").value)


def bill(silicon: Silicon, draws: Draws | None = None, volume: Numeric | None = None) -> Bill:
    """Cost of a chip from first principles.

    Parameters
    ----------
    silicon : Silicon
        What it is made of.
    draws : Draws, optional
        Inputs at their points, or drawn from their ranges.
    volume : float or array, optional
        Chips that carry the cost of the design. [chip]
    """
    draws = draws or Draws()
    node = known_node(silicon.process)
    if np.any(np.asarray(wafer_dies(silicon)) < 1):
        square = f"{silicon.area / silicon.dies * 1e6:,.0f} mm2"
        raise InputError(f"{silicon.name}: no wafer holds a die of {square}; give dies, or a smaller area")
    good = die_yield(silicon, draws)
    dies = silicon.dies * die_cost(draws.of(f"wafer {node}", wafer_price(node)), wafer_dies(silicon), good)
    memory: Numeric = 0.0
    if silicon.memory is not None:
        price = memory_price(silicon.memory.memory, silicon.price_without)
        memory = silicon.capacity * draws.of(f"price {silicon.memory.memory}", price)
        if silicon.in_memory:
            memory = memory * draws.of("pim premium", quantity("pim_premium"))
    package, parts = _package(silicon, draws)
    bonding = draws.of("bonding", quantity("bonding_yield")) ** parts
    loss = packaged_cost(dies + memory, package, bonding) - (dies + memory + package)
    test = draws.of("test", quantity("test_share")) * (dies + memory + package)
    sold = draws.of("volume", quantity("volume")) if volume is None else volume
    design = design_cost_per_unit(draws.of(f"design {node}", design_cost(node)), sold)
    return Bill(dies, memory, package, loss, test, draws.of("board", quantity("board")), design, good)


def _package(silicon: Silicon, draws: Draws) -> tuple[Numeric, Numeric]:
    """Cost of the package without what stands in it, and the parts whose bonding may fail. [USD, 1]"""
    stacks = silicon.devices if silicon.memory is not None and silicon.memory.mount == "interposer" else 0
    footprint = draws.of("footprint", quantity("hbm_footprint"))
    occupied = (silicon.area + stacks * footprint) * quantity("interposer_factor").value
    interposer = occupied * draws.of("interposer", quantity("interposer_price"))
    together = np.asarray(silicon.dies + stacks) > 1  # dies that talk to each other or to stacks stand on silicon
    cost = choose(together, interposer, draws.of("board package", quantity("board_package")))
    return cost, silicon.dies + stacks


def made_price(silicon: Silicon, draws: Draws | None = None, volume: Numeric | None = None) -> Numeric:
    """Price of a chip on its board at the usual margin. [USD]"""
    draws = draws or Draws()
    return selling_price(bill(silicon, draws, volume).total, draws.of("margin", quantity("margin")))


def made_carbon(silicon: Silicon, draws: Draws | None = None) -> Numeric:
    """Embodied emissions of the dies and the memory. [kg]"""
    draws = draws or Draws()
    node = known_node(silicon.process)
    square = quantity("wafer_diameter").value ** 2 * np.pi / 4 / wafer_dies(silicon)
    figures = {
        name: draws.of(f"{name} {node}", fab_figure(name, node)) for name in ("fab energy", "gas", "raw material")
    }
    grid = draws.of("fab grid", quantity("fab_grid"))
    dies = silicon.dies * embodied_carbon(
        square, figures["fab energy"], grid, figures["gas"], figures["raw material"], die_yield(silicon, draws)
    )
    return dies + silicon.capacity * draws.of("dram carbon", quantity("dram_carbon"))


def cost_estimate(silicon: Silicon, volume: float | None = None, size: int = USUAL) -> Estimate:
    """Cost, price and embodied carbon of a chip with 80 % ranges.

    Parameters
    ----------
    silicon : Silicon
        What it is made of.
    volume : float, optional
        Chips that carry the cost of the design. [chip]
    size : int
        Draws behind the ranges.
    """
    draws = Draws(size)
    point, drawn = bill(silicon, None, volume), bill(silicon, draws, volume)

    def figure(name: str, value: Numeric, spread: Numeric, unit: str = "USD", **more: object) -> Figure:
        low, high = interval(spread)
        return Figure(name=name, value=value, unit=unit, low=low, high=high, **more)  # type: ignore[arg-type]

    items = tuple(figure(name, point.items[name], drawn.items[name]) for name in point.items)
    materials = figure("bill of materials", point.materials, drawn.materials, combine="sum", children=items)
    parts = (
        materials,
        figure("board", point.board, drawn.board),
        figure("design", point.design, drawn.design, note=_volume_note(volume)),
    )
    figures = {
        "price": figure(
            "price", made_price(silicon, None, volume), made_price(silicon, draws, volume), note="at the margin below"
        ),
        "making": figure("making", point.total, drawn.total, combine="sum", children=parts),
        "materials": materials,
        "die": figure("die", point.dies / silicon.dies, drawn.dies / silicon.dies, note="a die that can be sold"),
        "yield": figure("yield", point.good, drawn.good, "1", note="; ".join(silicon.notes)),
        "dies_per_wafer": Figure(name="dies_per_wafer", value=wafer_dies(silicon), unit="die"),
        "embodied": figure("embodied", made_carbon(silicon), made_carbon(silicon, draws), "kg", note="dies and memory"),
    }
    return Estimate(
        study="chip cost",
        title=f"What {silicon.name} costs to make",
        inputs={"chip": silicon.name, "process": silicon.process, "volume": volume or quantity("volume").value},
        figures=figures,
        assumptions=tuple(_assumptions(silicon, volume)),
    )


def _volume_note(volume: float | None) -> str:
    """Over how many chips the one-time cost is spread."""
    return "one-time cost over the volume below" if volume is None else f"one-time cost over {volume:,.0f} chips"


def _plain(value: float, unit: str) -> str:
    """A bound in the unit of its row, at three figures and without powers of ten."""
    return f"{value:.0%}" if unit == "1" else f"{float(f'{value:.3g}'):,.10g}"


def _assumptions(silicon: Silicon, volume: float | None) -> list[Assumption]:
    """The inputs of a bill with their ranges; a stated volume is no range."""
    node = known_node(silicon.process)
    rows: list[tuple[str, Spread, str]] = [
        (f"wafer, {node} nm", wafer_price(node), "USD"),
        ("defects", defect_density(node), "per m2"),
        ("cluster parameter", quantity("clusters"), ""),
        ("margin", quantity("margin"), "1"),
    ]
    if volume is None:
        rows.append(("volume", quantity("volume"), "chip"))
    if silicon.memory is not None:
        rows.insert(2, ("memory, a GB", memory_price(silicon.memory.memory).scaled(1e9), "USD"))
    taken = [
        Assumption(
            name=name,
            value=spread.value,
            unit=unit,
            source=spread.source,
            kind=f"{_plain(spread.low, unit)} to {_plain(spread.high, unit)}, {spread.kind}",
        )
        for name, spread, unit in rows
    ]
    stated = [] if volume is None else [Assumption(name="volume", value=volume, unit="chip", kind="--volume")]
    return [*taken, *stated]
