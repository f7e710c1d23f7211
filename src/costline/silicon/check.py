"""What physics and industry do not allow: bandwidth without pins, dies beyond the reticle, power beyond cooling.

Each check compares one figure with one limit and says where the limit comes from. "impossible" is a contradiction or a
limit nobody has passed; "doubtful" is further than any chip of the catalogue, or than a model of silicon expects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.formulas.silicon_blocks import logic_area, multiplier_transistors, peak_rate, sram_area
from costline.precision import element_bytes
from costline.quantity import AREA, BANDWIDTH, BYTES, COUNT, FLOP_RATE, FREQUENCY, WATTS, Kind, show
from costline.silicon.chipfile import Described
from costline.silicon.inputs import MemoryType, known_node, logic_density, memory_type, primitive, quantity
from costline.silicon.power import power

Severity: TypeAlias = Literal["impossible", "doubtful"]
SLACK = 1.02
"""Printed figures are rounded; nobody is blamed for 2 %."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One figure beyond its limit.

    Attributes
    ----------
    chip : str
        Whose.
    severity : {"impossible", "doubtful"}
        How sure.
    what, limit, source, fix : str
        The figure; the limit; where the limit comes from; the nearest figure that would pass.
    """

    chip: str
    severity: Severity
    what: str
    limit: str
    source: str
    fix: str


def check(described: Described) -> list[Finding]:
    """All findings on a chip, gravest first."""
    found = [finding for one in CHECKS for finding in one(described)]
    return sorted(found, key=lambda finding: finding.severity != "impossible")


def _beyond(
    described: Described, severity: Severity, what: str, value: float, limit: float, kind: Kind, why: str, source: str
) -> list[Finding]:
    """A finding if `value` is above `limit`."""
    if value <= limit * SLACK:
        return []
    return [
        Finding(
            chip=described.chip.id,
            severity=severity,
            what=f"{what} {show(value, kind)}",
            limit=f"at most {show(limit, kind)}: {why}",
            source=source,
            fix=f"{show(limit, kind)} or less",
        )
    ]


def _off_chip(described: Described) -> MemoryType | None:
    name = described.silicon.memory
    return None if name in {None, "SRAM"} else memory_type(str(name))


def reticle(described: Described) -> Iterable[Finding]:
    """A die is printed in one exposure."""
    table = described.silicon
    if table.area is None:
        return []
    field = quantity("reticle")
    why = f"one exposure, on each of {table.dies} die{'s' * (table.dies != 1)}"
    return _beyond(
        described, "impossible", "area of a die", table.area / table.dies, field.value, AREA, why, field.source
    )


def pins(described: Described) -> Iterable[Finding]:
    """Bandwidth is pins times the rate of a pin."""
    kind, devices = _off_chip(described), described.silicon.devices
    if kind is None or devices is None:
        return []
    channels = devices / (2 if described.silicon.clamshell else 1)
    limit = channels * kind.bits * kind.pin_limit / 8
    why = f"{channels * kind.bits:,.0f} pins at {kind.pin_limit / 1e9:g} Gb/s"
    value = float(described.chip.memory_bandwidth)
    return _beyond(described, "impossible", "memory bandwidth", value, limit, BANDWIDTH, why, kind.source)


def capacity(described: Described) -> Iterable[Finding]:
    """Capacity is devices times the size of a device."""
    kind, devices = _off_chip(described), described.silicon.devices
    memory = float(described.chip.memory)
    if kind is None or devices is None:
        if described.silicon.memory == "SRAM" and described.silicon.scratchpad is not None:
            size = described.silicon.scratchpad
            return _beyond(described, "impossible", "memory", memory, size, BYTES, "its scratchpad", "the file itself")
        return []
    limit = devices * kind.capacity_limit
    why = f"{devices} devices of {show(kind.capacity_limit, BYTES)}"
    return _beyond(described, "impossible", "memory", memory, limit, BYTES, why, kind.source)


def placement(described: Described) -> Iterable[Finding]:
    """Stacks need room on the package and along the die; boards have room for so many wires."""
    kind, devices, table = _off_chip(described), described.silicon.devices, described.silicon
    if kind is None or devices is None:
        return []
    if kind.mount == "board":
        bus = quantity("gddr_bus")
        bits = devices * kind.bits / (2 if table.clamshell else 1)
        why = "the widest bus of the catalogue, in bits"
        return _beyond(described, "doubtful", "memory bus of", bits, bus.value, COUNT, why, bus.source)
    most, shipped = quantity("hbm_stacks"), quantity("hbm_stacks_shipped")
    found = _beyond(
        described, "impossible", "stacks:", devices, most.value, COUNT, "a package of the road map", most.source
    ) or _beyond(
        described, "doubtful", "stacks:", devices, shipped.value, COUNT, "as many as anybody ships", shipped.source
    )
    if table.area is None:
        return found
    edge = quantity("hbm_edge")
    side = (table.area / table.dies) ** 0.5
    room = table.dies * (2 * side // (edge.value / SLACK))
    why = f"two sides of {side * 1e3:.1f} mm of each die, {edge.value * 1e3:.1f} mm a stack"
    return [*found, *_beyond(described, "doubtful", "stacks:", devices, room, COUNT, why, edge.source)]


def _record(figure: Callable[[ChipFacts], float | None]) -> tuple[float, ChipFacts]:
    """Largest value of a figure among the catalogue's packages; whole wafers and processors' boards are left out."""
    known = [(value, facts) for facts in chip_facts().values()
             if facts.kind == "datasheet" and not facts.id.startswith("wse") and (value := figure(facts))]  # fmt: skip
    return max(known, key=lambda pair: pair[0])


def cooling(described: Described) -> Iterable[Finding]:
    """Heat has to leave the package."""
    watts = described.chip.tdp
    if watts is None:
        return []
    most, holder = _record(lambda facts: facts.figures.get("tdp_w"))
    found = _beyond(
        described, "impossible", "power", float(watts), most, WATTS, f"what {holder.id} draws", holder.source
    )
    if described.silicon.cooling == "air":
        air = quantity("air_cooling")
        found += _beyond(described, "doubtful", "power", float(watts), air.value, WATTS, "cooled by air", air.source)
    area = described.silicon.area
    if area is not None:
        dense, holder = _record(
            lambda facts: (
                facts.figures["tdp_w"] / facts.figures["die_area_m2"]
                if {"tdp_w", "die_area_m2"} <= set(facts.figures)
                else None
            )
        )
        why = f"{dense * 1e-6:.2f} W on each mm2, as {holder.id}"
        found += _beyond(described, "doubtful", "power", float(watts), dense * area, WATTS, why, holder.source)
    return found


def arrays(described: Described) -> Iterable[Finding]:
    """Arithmetic is multipliers times clock."""
    table = described.silicon
    found = []
    if table.clock is not None:
        fastest, holder = _record(lambda facts: facts.figures.get("clock_hz"))
        found += _beyond(
            described, "doubtful", "clock", table.clock, fastest, FREQUENCY, f"as {holder.id}", holder.source
        )
    if table.multipliers is None or table.clock is None:
        return found
    base = peak_rate(table.multipliers, table.clock)
    for name, rate in described.chip.peak.items():
        if name == "fp64":
            continue
        narrower = max(2 / element_bytes(name), 1.0)
        why = f"{table.multipliers:,} multiply-adds x 2 x {table.clock / 1e9:g} GHz x {narrower:g}"
        limit = float(base * narrower)
        found += _beyond(described, "impossible", f"{name} peak", float(rate), limit, FLOP_RATE, why, "definition")
    return found


def blocks(described: Described) -> Iterable[Finding]:
    """The die must hold at least its bare multipliers, its memory cells and its interfaces."""
    table, kind = described.silicon, _off_chip(described)
    if table.process is None or table.area is None:
        return []
    node = known_node(table.process)
    need = 0.0
    if table.multipliers is not None:
        bare = multiplier_transistors(primitive("64-bit FPU"), 10) * table.multipliers
        need += float(logic_area(bare, logic_density(node, table.process).high))
    held = table.scratchpad or described.chip.sram or (described.chip.memory if table.memory == "SRAM" else 0.0)
    need += float(sram_area(held, quantity("sram_bitcell", node).low, 1.0))
    if kind is not None and table.devices is not None:
        need += kind.phy * table.devices / (2 if table.clamshell else 1)
    if need <= table.area * SLACK:
        return []
    return [
        Finding(
            chip=described.chip.id,
            severity="impossible",
            what=f"area {show(table.area, AREA)}",
            limit=f"at least {show(need, AREA)}: multipliers, bit cells and memory interfaces alone, without wires",
            source=quantity("sram_bitcell", node).source,
            fix=f"{show(need, AREA)} or more",
        )
    ]


def draw(described: Described) -> Iterable[Finding]:
    """Power that the model of silicon expects; it is off by a third on half of the real chips."""
    table, chip, kind = described.silicon, described.chip, _off_chip(described)
    rate = chip.peak.get("bf16", chip.peak.get("fp16"))
    if table.process is None or chip.tdp is None or rate is None or (kind is None and table.memory != "SRAM"):
        return []
    expected = float(power(rate, known_node(table.process), kind, chip.memory_bandwidth, chip.link_bandwidth or 0.0))
    least = 0.35 * expected
    if float(chip.tdp) >= least:
        return []
    return [
        Finding(
            chip=chip.id,
            severity="doubtful",
            what=f"power {show(float(chip.tdp), WATTS)}",
            limit=f"about {show(expected, WATTS)} for everything at its peak; real chips state 0.5 to 2.5 times that",
            source="costline chip power",
            fix=f"{show(least, WATTS)} or more",
        )
    ]


CHECKS: tuple[Callable[[Described], Iterable[Finding]], ...] = (
    reticle, pins, capacity, placement, cooling, arrays, blocks, draw,
)  # fmt: skip
"""Every check, in the order findings are listed."""
