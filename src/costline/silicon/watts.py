"""Power against what it has to pay for, whatever else a file leaves out.

Twice: at the least energy anybody has reached for an operation and for a bit, at the node and in the memory of the file
or in the best there are; and at what the most frugal chip of the catalogue does for a watt. The first is a limit, the
second a doubt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from costline.catalogue.chip_table import RATES, ChipFacts
from costline.quantity import BANDWIDTH, FLOP_RATE, WATTS, Kind, show
from costline.silicon.chipfile import Described
from costline.silicon.densest import HALVES
from costline.silicon.findings import Finding, Severity, below, beyond, origin, record, room
from costline.silicon.inputs import NODES, Spread, known_node, memory_types, quantity
from costline.silicon.power import FINEST, least_operation, power, sram_energy


@dataclass(frozen=True, slots=True)
class Bill:
    """Power that one figure of a chip takes, why, and where that comes from.

    Attributes
    ----------
    watts : float
        The power. [W]
    figure, kind
        The figure it is for, and of what kind that is.
    why, source : str
        In words; the source.
    """

    watts: float
    figure: float
    kind: Kind
    why: str
    source: str


def least(described: Described) -> Iterable[Finding]:
    """Power pays at least for the operations, and for the bits, at the least energy anybody has reached."""
    paid = [_operations(described), _bits(described)]
    return [finding for bills in paid for finding in _unpaid(described, "impossible", bills)]


def frugal(described: Described) -> Iterable[Finding]:
    """No chip of the catalogue does more operations, or reads more bytes, for a watt."""
    if described.tdp is None:
        return []
    paid = [_operations_of_chips(described), _bytes_of_chips(described)]
    return [finding for bills in paid for finding in _unpaid(described, "doubtful", bills)]


def draw(described: Described) -> Iterable[Finding]:
    """Power that the model of silicon expects; it is off by a third on half of the real chips."""
    table, kind = described.silicon, described.off_chip
    rate = described.peak.get("bf16", described.peak.get("fp16"))
    if table.process is None or rate is None or described.memory_bandwidth is None:
        return []
    if kind is None and table.memory != "SRAM":
        return []
    link = described.link_bandwidth or 0.0
    expected = float(power(rate, known_node(table.process), kind, described.memory_bandwidth, link))
    enough, source = 0.35 * expected, "costline chip power"
    why = f"about {show(expected, WATTS)} for everything at its peak; real chips state 0.5 to 2.5 times that"
    if described.tdp is not None:
        return below(described, "doubtful", "power", described.tdp, enough, WATTS, why, source)
    most = _most_drawn(described)
    why = f"what {most.chip} draws; {why}"
    return beyond(described, "doubtful", "power at the least", enough, most.watts, WATTS, why, source)


def on_chip_memory(described: Described) -> bool:
    """Whether the memory is on the chip, or may be: its kind is not stated, and so many bit cells find room."""
    table = described.silicon
    if table.memory is not None or described.memory is None:
        return table.memory == "SRAM"
    node = known_node(table.process) if table.process else NODES[-1]
    return 8 * described.memory * quantity("sram_bitcell", node).low <= room(described).area


def width(name: str) -> int:
    """Bits of an operand that is multiplied in a number format.

    Examples
    --------
    >>> width("bf16"), width("tf32"), width("mxfp4")  # TF32 has the significand of fp16
    (16, 16, 4)
    """
    digits = re.search(r"\d+", name.removeprefix("q"))
    return 16 if digits is None or name == "tf32" else int(digits[0])


@dataclass(frozen=True, slots=True)
class Draw:
    """Power of a chip of the catalogue. [W]"""

    watts: float
    chip: str


def _most_drawn(described: Described) -> Draw:
    """Most that any package of the catalogue draws, or any wafer for one."""
    found = record(lambda facts: facts.figures.get("tdp_w"), wafers=described.silicon.wafer)
    return Draw(math.inf, "nothing") if found is None else Draw(found[0], found[1].id)


def _unpaid(described: Described, severity: Severity, bills: Iterable[Bill]) -> list[Finding]:
    """The dearest of what power has to pay for, against the power that is stated, or the most that anybody draws."""
    dearest = max(bills, key=lambda bill: bill.watts, default=None)
    if dearest is None:
        return []
    given, what = described.tdp, "power"
    if given is None:
        most = _most_drawn(described)
        given, what = most.watts, f"power, not stated, at the most that any chip draws ({most.chip}),"
    found = below(described, severity, what, given, dearest.watts, WATTS, dearest.why, dearest.source)
    if not found:
        return []
    nearest = f"{show(dearest.figure / (dearest.watts / given), dearest.kind)} or less"
    return [replace(each, fix=nearest if described.tdp is None else f"{each.fix}, or {nearest}") for each in found]


def _node(described: Described) -> str:
    return known_node(described.silicon.process) if described.silicon.process else FINEST


def _operations(described: Described) -> Iterable[Bill]:
    node = _node(described)
    for name, rate in described.peak.items():
        energy = least_operation(node, width(name))
        why = (
            f"{show(rate, FLOP_RATE)} in {name} at {energy.value * 1e12:.2g} pJ, the least energy of an operation that "
            f"any circuit takes at {node} nm, and nothing else"
        )
        yield Bill(rate * energy.value, rate, FLOP_RATE, why, energy.source)


def _bits(described: Described) -> Iterable[Bill]:
    if described.memory_bandwidth is not None:
        yield _reading(described.memory_bandwidth, *_memory_energy(described))
    if described.sram_bandwidth is not None:
        yield _reading(described.sram_bandwidth, *_sram(described))
    if described.link_bandwidth is not None:
        yield _reading(described.link_bandwidth, quantity("link_energy"), "links", "send over")


def _reading(bandwidth: float, energy: Spread, what: str, doing: str = "read") -> Bill:
    why = f"to {doing} {what} with {show(bandwidth, BANDWIDTH)} at {energy.low * 1e12:.2g} pJ a bit, and nothing else"
    return Bill(8 * bandwidth * energy.low, bandwidth, BANDWIDTH, why, energy.source)


def _sram(described: Described) -> tuple[Spread, str]:
    node = _node(described)
    return sram_energy(node), f"on-chip memory at {node} nm"


def _memory_energy(described: Described) -> tuple[Spread, str]:
    """Energy of a bit of the memory that the file names, or else of the most frugal one it may have."""
    kind = described.off_chip
    if kind is not None:
        return kind.energy, kind.memory
    if on_chip_memory(described):
        return _sram(described)
    best = min(memory_types().values(), key=lambda each: each.energy.low)
    return best.energy, "memory off the chip"


def _operations_of_chips(described: Described) -> Iterable[Bill]:
    for name, rate in described.peak.items():
        best = record(partial(_for_a_watt, formats=alike(name)), wafers=True)
        if best is not None:
            why = f"{show(rate, FLOP_RATE)} in {name} at {best[0] / 1e12:.3g} TFLOP/s for a watt, the most of any chip"
            yield Bill(rate / best[0], rate, FLOP_RATE, f"{why}: {best[1].id}", origin(best[1]))


def alike(name: str) -> tuple[str, ...]:
    """Formats that the same units multiply: those as narrow up to 16 bits; each wider one stands alone.

    Examples
    --------
    >>> alike("fp8"), alike("fp16acc"), alike("tf32")
    (('fp8', 'int8'), ('bf16', 'fp16', 'fp16acc'), ('tf32',))
    """
    if name == "fp16acc":
        return (*HALVES, name)
    if name in HALVES:
        return HALVES
    return (name,) if width(name) > 8 else tuple(each for each in RATES if width(each) == width(name))


def _for_a_watt(facts: ChipFacts, formats: Iterable[str]) -> float | None:
    """Most operations for a joule of a chip's stated power. [FLOP/J]"""
    columns = [f"{name}_flop_per_s" for name in formats]
    known = [facts.figures[each] for each in columns if each in facts.figures and facts.kind_of(each) != "doubtful"]
    watts = facts.figures.get("tdp_w")
    return max(known) / watts if known and watts else None


def _bytes_of_chips(described: Described) -> Iterable[Bill]:
    """Bandwidth at what the best chip reads for a joule, off the chip where the memory cannot be on it."""
    if (value := described.memory_bandwidth) is None:
        return
    on_chip = on_chip_memory(described)
    best = record(lambda facts: _bytes_for_a_joule(facts, on_chip), wafers=True)
    if best is not None:
        where = "" if on_chip else " off a chip"
        why = f"to read memory{where} with {show(value, BANDWIDTH)} at {best[0] / 1e9:.3g} GB/s for a watt"
        yield Bill(value / best[0], value, BANDWIDTH, f"{why}, the most of any chip: {best[1].id}", origin(best[1]))


def _bytes_for_a_joule(facts: ChipFacts, on_chip: bool) -> float | None:
    if "SRAM" in facts.texts["memory_type"] and not on_chip:
        return None
    value, watts = facts.figures.get("memory_bandwidth_byte_per_s"), facts.figures.get("tdp_w")
    return value / watts if value and watts else None
