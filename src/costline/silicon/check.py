"""What physics and industry do not allow: bandwidth without pins, dies beyond the reticle, power beyond cooling.

Each check compares one figure with one limit and says where the limit comes from. "impossible" is a contradiction or a
limit nobody has passed; "doubtful" is further than any chip of the catalogue, or than a model of silicon expects. A
field that cannot be read takes no check from the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from costline.catalogue.chip_table import ChipFacts
from costline.formulas.silicon_blocks import logic_area, multiplier_transistors, peak_rate, sram_area
from costline.quantity import AREA, BANDWIDTH, BYTES, COUNT, FLOP_RATE, FREQUENCY, LINK_BANDWIDTH, WATTS, show
from costline.silicon.blueprint import LINK_STEP
from costline.silicon.chipfile import Described
from costline.silicon.contradictions import idle_pins, memory_kind, on_chip, rates
from costline.silicon.cost import BINARY
from costline.silicon.densest import densest
from costline.silicon.findings import Finding, below, beyond, disc, origin, record, room
from costline.silicon.inputs import NODES, MemoryType, known_node, logic_density, memory_types, primitive, quantity
from costline.silicon.watts import alike, draw, frugal, least, on_chip_memory, width


def check(described: Described) -> list[Finding]:
    """All findings on a chip, gravest first, each once."""
    found = list(dict.fromkeys(finding for one in CHECKS for finding in one(described)))
    return sorted(found, key=lambda finding: finding.severity != "impossible")


def unchecked(described: Described) -> list[str]:
    """What the file does not state, or not readably, and what could therefore be checked only in part or not at all."""
    table = described.silicon
    lacking = {
        "area": (
            table.area is None,
            "whether its dies fit the reticle is not checked, and the largest package is its area",
        ),
        "process": (table.process is None, "its area and power are held against the most advanced node"),
        "memory": (table.memory is None, "bandwidth, capacity and power are held against the best memory"),
        "devices": (
            described.off_chip is not None and table.devices is None,
            "pins and capacity of each device not checked",
        ),
        "tdp": (described.tdp is None, "its power is held against the most that anybody draws"),
        "multipliers and clock": (
            table.multipliers is None or table.clock is None,
            "its peaks against its arrays not checked",
        ),
    }
    return [f"{name} not known: {what}" for name, (missing, what) in lacking.items() if missing]


def _node(described: Described) -> str:
    """Its process node, or the most advanced one with a complete set of figures."""
    return known_node(described.silicon.process) if described.silicon.process else NODES[-1]


def reticle(described: Described) -> Iterable[Finding]:
    """A die is printed in one exposure, unless the wafer stays whole."""
    table = described.silicon
    if table.area is None:
        return []
    if table.wafer:
        whole = disc()
        return beyond(
            described, "impossible", "area", table.area, whole.area, AREA, "a disc of 300 mm less its rim", whole.source
        )
    field = quantity("reticle")
    why = f"one exposure, on each of {table.dies} die{'s' * (table.dies != 1)}"
    return beyond(
        described, "impossible", "area of a die", table.area / table.dies, field.value, AREA, why, field.source
    )


def package(described: Described) -> Iterable[Finding]:
    """Dies and stacks stand on one interposer."""
    table, kind = described.silicon, described.off_chip
    if table.area is None or table.wafer:
        return []
    stacks = (table.devices or 0) if kind is not None and kind.mount == "interposer" else 0
    if table.dies + stacks < 2:
        return []
    most = quantity("interposer_area")
    stands = (table.area + stacks * quantity("hbm_footprint").value) * quantity("interposer_factor").value
    why = f"the largest interposer of the road map; {table.dies} dies and {stacks} stacks stand on it"
    return beyond(described, "impossible", "package area", stands, most.value, AREA, why, most.source)


def assembly(described: Described) -> Iterable[Finding]:
    """Each die and stack on an interposer is bonded, and some bonds fail."""
    table, kind = described.silicon, described.off_chip
    stacks = (table.devices or 0) if kind is not None and kind.mount == "interposer" else 0
    bond = quantity("bonding_yield")
    most, why = math.log(0.5) / math.log(bond.high), f"half of the packages fail at {bond.high:.0%} a bond"
    return beyond(described, "doubtful", "dies and stacks:", table.dies + stacks, int(most), COUNT, why, bond.source)


def _off_chip(described: Described) -> MemoryType | None:
    """Kind of the memory; where it is not stated and does not fit on a chip, the fastest stack there is."""
    if described.off_chip is not None or described.silicon.memory is not None or on_chip_memory(described):
        return described.off_chip
    stacks = [each for each in memory_types().values() if each.mount == "interposer"]
    return max(stacks, key=lambda each: each.bits * each.pin_limit)


def pins(described: Described) -> Iterable[Finding]:
    """Bandwidth is pins times the rate of a pin; where devices are not stated, as many as a package holds."""
    kind, devices = _off_chip(described), described.silicon.devices
    if kind is None or described.memory_bandwidth is None:
        return []
    value = described.memory_bandwidth
    if described.off_chip is not None and devices is not None:
        channels = devices / (2 if described.silicon.clamshell else 1)
        limit = channels * kind.bits * kind.pin_limit / 8
        why = f"{channels * kind.bits:,.0f} pins at {kind.pin_limit / 1e9:g} Gb/s"
        return beyond(described, "impossible", "memory bandwidth", value, limit, BANDWIDTH, why, kind.source)
    if kind.mount == "interposer":
        most = quantity("hbm_stacks")
        limit, why = most.value * kind.bits * kind.pin_limit / 8, f"{most.value:.0f} stacks of {kind.memory}"
        if described.off_chip is None:
            why += f"; no chip holds {show(described.memory or 0.0, BYTES)} in memory of its own"
        return beyond(described, "impossible", "memory bandwidth", value, limit, BANDWIDTH, why, most.source)
    bus = quantity("gddr_bus")
    limit, why = bus.value * kind.pin_limit / 8, f"a bus of {bus.value:.0f} bits at {kind.pin_limit / 1e9:g} Gb/s"
    return beyond(described, "doubtful", "memory bandwidth", value, limit, BANDWIDTH, why, bus.source)


def capacity(described: Described) -> Iterable[Finding]:
    """Capacity is devices times the size of a device; where they are not stated, as many as there is room for."""
    kind, devices = described.off_chip, described.silicon.devices
    if described.memory is None or described.silicon.memory == "SRAM":
        return []
    if kind is not None and devices is not None:
        size = kind.capacity_limit * BINARY
        limit, why = devices * size, f"{devices} devices of {show(size, BYTES)}"
        return beyond(described, "impossible", "memory", described.memory, limit, BYTES, why, kind.source)
    stacked = kind is None or kind.mount == "interposer"
    most = quantity("hbm_stacks" if stacked else "gddr_bus")
    like = [kind] if kind is not None else [each for each in memory_types().values() if each.mount == "interposer"]
    best = max(like, key=lambda each: each.capacity_limit)
    held = most.value if stacked else 2 * most.value / best.bits
    room_for = (
        f"{held:.0f} stacks of {best.memory}" if stacked else f"two chips on each channel of {most.value:.0f} bits"
    )
    sure = stacked and kind is not None  # memory of a kind that nobody names may stand beside the package
    limit = held * best.capacity_limit * BINARY
    return beyond(
        described, "impossible" if sure else "doubtful", "memory", described.memory, limit, BYTES, room_for, most.source
    )


def placement(described: Described) -> Iterable[Finding]:
    """Stacks need room on the package and along the die; boards have room for so many wires."""
    kind, devices, table = described.off_chip, described.silicon.devices, described.silicon
    if kind is None or devices is None:
        return []
    if kind.mount == "board":
        bus = quantity("gddr_bus")
        bits = devices * kind.bits / (2 if table.clamshell else 1)
        why = "the widest bus of the catalogue"
        return beyond(described, "doubtful", "memory bus, in bits:", bits, bus.value, COUNT, why, bus.source)
    most, shipped = quantity("hbm_stacks"), quantity("hbm_stacks_shipped")
    found = beyond(
        described, "impossible", "stacks:", devices, most.value, COUNT, "a package of the road map", most.source
    ) or beyond(
        described, "doubtful", "stacks:", devices, shipped.value, COUNT, "as many as anybody ships", shipped.source
    )
    if table.area is None:
        return found
    edge = quantity("hbm_edge")
    side = (table.area / table.dies) ** 0.5
    along = table.dies * (2 * side // (edge.value / 1.02))
    why = f"two sides of {side * 1e3:.1f} mm of each die, {edge.value * 1e3:.1f} mm a stack"
    return [*found, *beyond(described, "doubtful", "stacks:", devices, along, COUNT, why, edge.source)]


def _density(facts: ChipFacts) -> float | None:
    known = {"tdp_w", "die_area_m2"} <= set(facts.figures)
    return facts.figures["tdp_w"] / facts.figures["die_area_m2"] if known else None


def cooling(described: Described) -> Iterable[Finding]:
    """Heat has to leave the package."""
    watts, found = described.tdp, list[Finding]()
    if watts is None:
        return found
    wafer = described.silicon.wafer
    if (most := record(lambda facts: facts.figures.get("tdp_w"), wafers=wafer)) is not None:
        found += beyond(
            described, "impossible", "power", watts, most[0], WATTS, f"what {most[1].id} draws", origin(most[1])
        )
    if described.silicon.cooling == "air":
        air = quantity("air_cooling")
        found += beyond(described, "doubtful", "power", watts, air.value, WATTS, "cooled by air", air.source)
    area = described.silicon.area
    if area is not None and (dense := record(_density)) is not None:
        why = f"{dense[0] * 1e-6:.2f} W on each mm2, as {dense[1].id}"
        found += beyond(described, "doubtful", "power", watts, dense[0] * area, WATTS, why, origin(dense[1]))
    return found


def arrays(described: Described) -> Iterable[Finding]:
    """Arithmetic is multipliers times clock; a multiplier may be cut into as many as the square of the width holds."""
    table = described.silicon
    found: list[Finding] = []
    if table.clock is not None and (fastest := record(lambda facts: facts.figures.get("clock_hz"))) is not None:
        found += beyond(
            described, "doubtful", "clock", table.clock, fastest[0], FREQUENCY, f"as {fastest[1].id}",
            origin(fastest[1]),
        )  # fmt: skip
    if table.multipliers is None or table.clock is None:
        return found
    base = peak_rate(table.multipliers, table.clock)
    for name, rate in described.peak.items():
        if name == "fp64":
            continue
        pieces = max(16 / width(name), 1.0) ** 2
        why = f"{table.multipliers:,} multiply-adds x 2 x {table.clock / 1e9:g} GHz x {pieces:g}"
        limit = float(base * pieces)
        found += beyond(described, "impossible", f"{name} peak", rate, limit, FLOP_RATE, why, "definition")
    return found


def _rate(described: Described) -> float | None:
    return described.peak.get("bf16", described.peak.get("fp16"))


def arithmetic(described: Described) -> Iterable[Finding]:
    """Arithmetic on an area, against the densest chip of the same process or an older one, shrunk to this one.

    Of several formats the one that is furthest beyond; a process or an area that is not stated is the best there is.
    """
    limits = {name: densest(_node(described), alike(name)) for name in described.peak}
    if not limits:
        return []
    within = room(described)
    name = max(limits, key=lambda each: described.peak[each] / limits[each].density)
    best, rate = limits[name], described.peak[name]
    scaled = ", taken over with the density of logic" if best.scaled else ""
    why = f"{best.density / 1e18:.2f} TFLOP/s on each mm2 of {within.words}, as {best.chip.id}{scaled}"
    return beyond(
        described, "doubtful", f"{name} peak", rate, best.density * within.area, FLOP_RATE, why, origin(best.chip)
    )


def blocks(described: Described) -> Iterable[Finding]:
    """The dies must hold at least bare multipliers, memory cells and interfaces."""
    table, kind, rate = described.silicon, described.off_chip, _rate(described)
    node = _node(described)
    multipliers = float(table.multipliers or 0)
    fastest = record(lambda facts: facts.figures.get("clock_hz"))
    if table.multipliers is None and rate is not None and fastest is not None:
        multipliers = rate / (2 * (table.clock or fastest[0]))  # no clock is faster than any
    bare = multiplier_transistors(primitive("64-bit FPU"), 10) * multipliers
    need = float(logic_area(bare, logic_density(node, table.process or "").high))
    held = table.scratchpad or described.sram or ((described.memory or 0.0) if table.memory == "SRAM" else 0.0)
    need += float(sram_area(held, quantity("sram_bitcell", node).low, 1.0))
    if kind is not None and table.devices is not None:
        need += kind.phy * table.devices / (2 if table.clamshell else 1)
    need += primitive("NVLink4 PHY") * (described.link_bandwidth or 0.0) / LINK_STEP
    why = f"multipliers, bit cells and interfaces of memory and links alone, at {node} nm and without wires"
    if table.area is not None:
        source = quantity("sram_bitcell", node).source
        return below(described, "impossible", "area", table.area, need, AREA, why, source)
    within = room(described)
    why = f"{within.words}, for {why}"
    return beyond(described, "impossible", "area of its blocks", need, within.area, AREA, why, within.source)


def on_chip_reading(described: Described) -> Iterable[Finding]:
    """On-chip memory is read along its area; no chip reads more on each square millimetre."""
    value = described.memory_bandwidth if on_chip_memory(described) else None
    value = max(filter(None, (value, described.sram_bandwidth)), default=None)
    best, within = record(_reading_density, wafers=True), room(described)
    if value is None or best is None:
        return []
    why = f"{best[0] / 1e15:.3g} GB/s on each mm2 of {within.words}, as {best[1].id}"
    return beyond(
        described, "doubtful", "on-chip bandwidth", value, best[0] * within.area, BANDWIDTH, why, origin(best[1])
    )


def _reading_density(facts: ChipFacts) -> float | None:
    """On-chip bandwidth over area. [byte/s/m2]"""
    values = [facts.figures.get("sram_bandwidth_byte_per_s")]
    if "SRAM" in facts.texts["memory_type"]:
        values.append(facts.figures.get("memory_bandwidth_byte_per_s"))
    area, known = facts.figures.get("die_area_m2"), [each for each in values if each]
    return max(known) / area if known and area else None


def links(described: Described) -> Iterable[Finding]:
    """No chip of the catalogue has faster links."""
    best = record(lambda facts: facts.figures.get("link_bandwidth_byte_per_s"))
    if described.link_bandwidth is None or best is None:
        return []
    value, holder = described.link_bandwidth, best[1]
    return beyond(
        described, "doubtful", "links", value, best[0], LINK_BANDWIDTH, f"one direction, as {holder.id}", origin(holder)
    )


CHECKS: tuple[Callable[[Described], Iterable[Finding]], ...] = (
    memory_kind, on_chip, rates, reticle, package, assembly, pins, capacity, placement, cooling, arrays, blocks,
    arithmetic, on_chip_reading, links, least, frugal, draw, idle_pins,
)  # fmt: skip
"""Every check, in the order findings are listed."""
