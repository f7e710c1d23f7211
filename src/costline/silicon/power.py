"""Peak and power of a chip from its arrays, its node and its memory, and how far that is from real chips."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from costline.catalogue import chip_facts, shipped
from costline.catalogue.chip_table import ChipFacts
from costline.catalogue.facts import chip_costs
from costline.errors import InputError
from costline.formulas.silicon_blocks import board_power, peak_rate
from costline.numeric import Numeric
from costline.silicon.draws import Draws
from costline.silicon.inputs import MemoryType, Spread, by_technology, memory_types, node_of, quantity

CENTRES: Mapping[str, float] = MappingProxyType(
    {"28/22 nm": 25.0, "16/14/12 nm": 14.0, "7/6/5 nm": 6.0, "3 nm": 3.0, "2 nm": 2.0}
)
"""Nodes that a row of the energy table stands for -> the one its value is taken at. [nm]"""

FINEST = f"{min(CENTRES.values()):g}"
"""Most advanced node of the energy table: what no process that anybody has published goes below. [nm]"""


@functools.cache
def operation_energy(node: str, bits: int = 16) -> Spread:
    """Energy of a FLOP on operands of 8 to 64 bits that are supplied. [J/FLOP]

    The table's energies are of a multiply-add (2 FLOP) in a programmable unit; between the nodes it lists they are
    interpolated as a power of the node.
    """
    rows = [row for row in chip_costs() if row.item == f"GPU FPU {bits}-bit op" and row.technology in CENTRES]
    rows.sort(key=lambda row: CENTRES[row.technology])
    nodes = np.log([CENTRES[row.technology] for row in rows])

    def at(ends: list[float]) -> float:
        return math.exp(float(np.interp(math.log(float(node)), nodes, np.log(ends)))) * 1e-12 / 2

    low, high = [row.low or 0.0 for row in rows], [row.high or 0.0 for row in rows]
    middle = [(one + other) / 2 for one, other in zip(low, high, strict=True)]
    return Spread(at(middle), at(low), at(high), rows[0].source, rows[0].kind)


@functools.cache
def fitted_energy(node: str, without: str = "") -> Spread:
    """Energy of a 16-bit FLOP that explains the stated power of the catalogue's accelerators. [J/FLOP]

    What is left of a chip's power after memory, links, regulation and rest, over its peak, fitted as a power of the
    node; the range is that of the chips around the fit. Graphics cards are left out: shading sets their limit. Beyond
    the nodes of those chips the energy goes on as that of the table of operations does: a slope that architectures
    took part in would promise too much of the next process.

    Parameters
    ----------
    node : str
        Process node.
    without : str
        A chip that the fit must not see, so that it can be predicted.
    """
    rows = [(math.log(_nanometres(facts)), math.log(left)) for facts in _accelerators()
            if facts.id != without and (left := _left_for_arithmetic(facts)) > 0]  # fmt: skip
    nodes, energies = np.array(rows).T
    slope, height = np.polyfit(nodes, energies, 1)
    around = np.exp(np.quantile(energies - (slope * nodes + height), [0.1, 0.9]))
    inside = float(np.clip(math.log(float(node)), nodes.min(), nodes.max()))
    beyond = operation_energy(node).value / operation_energy(f"{math.exp(inside):.6g}").value
    value = math.exp(slope * inside + height) * beyond
    source = f"fitted to the stated power of {len(rows)} accelerators of chips.csv"
    return Spread(value, value * float(around[0]), value * float(around[1]), source, "fitted")


def _nanometres(facts: ChipFacts) -> float:
    return float(node_of(facts.texts["process_node"]))


def _accelerators() -> list[ChipFacts]:
    """Chips with known area, node, rate and power that were built to compute."""
    return [facts for facts in _comparable() if not facts.id.startswith(("rtx", "arc", "ascend-310"))]


def _left_for_arithmetic(facts: ChipFacts) -> float:
    """Stated power less memory, links, regulation and rest, for each FLOP/s of peak. [J/FLOP]"""
    rate = _rate(facts) or 1.0
    bandwidth = facts.figures.get("memory_bandwidth_byte_per_s", 0.0)
    link = facts.figures.get("link_bandwidth_byte_per_s", 0.0)
    node = node_of(facts.texts["process_node"])
    dies = math.ceil(facts.figures["die_area_m2"] / quantity("reticle").value)
    between = (dies - 1) * quantity("die_link_share").value * bandwidth
    others = float(power(0.0, node, _memory(facts), bandwidth, link, between=between))
    return (facts.figures["tdp_w"] - others) * quantity("voltage_regulation").value * (1 - _idle().value) / rate


@functools.cache
def _idle() -> Spread:
    """Share of the power limit drawn at rest, a coefficient of the engine. [1]"""
    row = shipped.efficiency().row("power_active", next(iter(shipped.chips().values())), "idle")
    return Spread(row.value, row.low or row.value, row.high or row.value, row.source, row.kind)


@functools.cache
def least_operation(node: str, bits: int) -> Spread:
    """Energy of a FLOP in the most frugal circuit that anybody has measured, taken over to a node and a width. [J/FLOP]

    Both are taken over as the table of operations goes; below its narrowest width energies fall with the square of the
    width, as the cells of a multiplier do.
    """
    narrowest = 8
    known = max(bits, narrowest)
    at = [
        best.scaled(operation_energy(node, known).value / operation_energy(there, narrowest).value)
        for there, best in by_technology("best_operation").items()
    ]
    return min(at, key=lambda each: each.value).scaled((bits / known) ** 2)


def sram_energy(node: str) -> Spread:
    """Energy of a bit read from large on-chip memory, from one node to the others as operations go. [J/bit]"""
    ((there, energy),) = by_technology("sram_energy").items()
    return energy.scaled(operation_energy(node).value / operation_energy(there).value)


def power(
    rate: Numeric, node: str, memory: MemoryType | None, bandwidth: Numeric, link: Numeric = 0.0,
    draws: Draws | None = None, operation: Spread | None = None, between: Numeric = 0.0,
) -> Numeric:  # fmt: skip
    """Board power for a 16-bit peak, a memory bandwidth and links, all busy. [W]

    Parameters
    ----------
    rate : float or array
        Dense 16-bit peak. [FLOP/s]
    node : str
        Process node.
    memory : MemoryType or None
        Off-chip memory; None is on-chip SRAM.
    bandwidth, link : float or array
        Of the memory and of the links, one direction. [byte/s]
    draws : Draws, optional
        Inputs at their points, or drawn.
    operation : Spread, optional
        Energy of a FLOP; by default that of the table of energies.
    between : float or array
        Traffic between the dies of a package, both directions. [byte/s]
    """
    draws = draws or Draws()
    bits = sram_energy(node) if memory is None else memory.energy
    name = "SRAM" if memory is None else memory.memory
    energy = operation if operation is not None else operation_energy(node)
    return board_power(
        rate,
        draws.of(f"operation {energy.kind}", energy),
        bandwidth,
        draws.of(f"energy {name}", bits),
        link,
        draws.of("link energy", quantity("link_energy")),
        between,
        draws.of("die link energy", quantity("die_link_energy")),
        draws.of("regulation", quantity("voltage_regulation")),
        draws.of("idle", _idle()),
    )


@dataclass(frozen=True)
class Checked:
    """A model's figure beside a real chip's."""

    chip: str
    real: float
    modelled: float

    @property
    def error(self) -> float:
        """Modelled over real, less one. [1]"""
        return self.modelled / self.real - 1


def power_errors() -> list[Checked]:
    """Modelled against stated power, over every chip of the catalogue with known area, node and power.

    What cannot be modelled is listed by `unmodelled`, with the reason.
    """
    return [Checked(facts.id, facts.figures["tdp_w"], _modelled(facts)) for facts in _comparable()]


def unmodelled() -> dict[str, str]:
    """Chips with known area, node and power whose power is not modelled -> why."""
    return {facts.id: why for facts in chip_facts().values() if (why := _why_not(facts)) and _known(facts)}


def _known(facts: ChipFacts) -> bool:
    """Whether area, node and power are all known."""
    return {"die_area_m2", "tdp_w"} <= set(facts.figures) and bool(node_of(facts.texts["process_node"]))


def _why_not(facts: ChipFacts) -> str:
    """Why a chip is no check of the model; empty if it is one."""
    if facts.kind == "assumed":
        return "imagined: its power is the model's"
    if facts.figures.get("die_area_m2", 0.0) >= 0.01:
        return "a whole wafer"
    if facts.id.startswith("dgx"):
        return "a system with its processor"
    if facts.kind_of("tdp_w") not in {"datasheet", "measured"}:
        return f"its power is {facts.kind_of('tdp_w')}"
    if _rate(facts) is None:
        return "no 16-bit rate is stated"
    if "memory_bandwidth_byte_per_s" not in facts.figures:
        return "no memory bandwidth is stated"
    return ""


def _modelled(facts: ChipFacts, operation: Spread | None = None) -> float:
    """Power of a chip from its stated rate, bandwidths, node and dies. [W]"""
    bandwidth, link = (
        facts.figures.get(name, 0.0) for name in ("memory_bandwidth_byte_per_s", "link_bandwidth_byte_per_s")
    )
    dies = math.ceil(facts.figures["die_area_m2"] / quantity("reticle").value)
    between = (dies - 1) * quantity("die_link_share").value * bandwidth
    node = node_of(facts.texts["process_node"])
    return float(power(_rate(facts) or 0.0, node, _memory(facts), bandwidth, link, None, operation, between))


def fitted_errors() -> list[Checked]:
    """Power with the fitted energy, each chip predicted by a fit that has not seen it."""
    return [
        Checked(
            facts.id,
            facts.figures["tdp_w"],
            _modelled(facts, fitted_energy(node_of(facts.texts["process_node"]), facts.id)),
        )
        for facts in _accelerators()
    ]


def _rate(facts: ChipFacts) -> float | None:
    return facts.figures.get("bf16_flop_per_s", facts.figures.get("fp16_flop_per_s"))


def _comparable() -> list[ChipFacts]:
    """Chips with known area, node and power that the model can be checked on."""
    return [facts for facts in chip_facts().values() if _known(facts) and not _why_not(facts)]


def _memory(facts: ChipFacts) -> MemoryType | None:
    first = facts.texts["memory_type"].split(" ")[0]
    return memory_types().get({"HBM": "HBM2e"}.get(first, first))


STATED_OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "l20": "sold at half of what the arrays of its die do",
        "l40": "sold at half of what the arrays of its die do",
        "h800-sxm": "its clock in the catalogue is that of the H800 PCIe",
        "h100-nvl": "stated below the boost clock",
        "h200-nvl": "stated below the boost clock",
        "b200": "stated below the boost clock",
        "b300": "stated below the boost clock",
    }
)
"""Chips whose stated peak is more than 5 % off cores x multiply-adds x clock -> why."""


def peak_errors() -> list[Checked]:
    """Stated peak against cores x multiply-adds of a core x 2 x clock, over every chip whose arrays are published.

    The multiply-adds are those of the architecture, read apart from any peak. Cards for games are compared at sums in
    16 bits, which their arrays are made for.
    """
    checked = []
    for facts in chip_facts().values():
        rate = facts.figures.get("fp16acc_flop_per_s", _rate(facts))
        cores, clock = facts.figures.get("cores"), facts.figures.get("clock_hz")
        each = _of_family("multiply_adds", facts.family)
        if rate is None or not cores or not clock or each is None or facts.kind != "datasheet":
            continue
        sold = 0.5 if facts.id.endswith("-gcd") else 1.0  # one of two dies; its row has the cores of both
        tensor = _of_family("tensor_clock", facts.family) or 1.0
        checked.append(Checked(facts.id, rate, float(peak_rate(cores * sold * each, clock * tensor))))
    return checked


def _of_family(name: str, family: str) -> float | None:
    """A figure of an architecture, or None where none is published."""
    try:
        return quantity(name, family).value
    except InputError:
        return None


def spread_of_errors(checked: list[Checked]) -> dict[str, float]:
    """Count, median error, median absolute error and the 10th and 90th percentile. [1]"""
    errors = np.array([each.error for each in checked])
    low, high = np.quantile(errors, [0.1, 0.9])
    return {
        "chips": float(len(errors)),
        "median": float(np.median(errors)),
        "median absolute": float(np.median(np.abs(errors))),
        "low": float(low),
        "high": float(high),
    }
