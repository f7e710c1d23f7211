"""How much arithmetic real chips put on an area: what no chip of one's own should be expected to exceed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.silicon.inputs import logic_density, node_of, quantity

HALVES = ("bf16", "fp16")
"""Formats of 16 bits with sums of 32."""


@dataclass(frozen=True, slots=True)
class Densest:
    """Most arithmetic on an area in a process. [FLOP/s/m2]

    `scaled` says that the chip is of another process, and its density taken over with that of logic.
    """

    density: float
    chip: ChipFacts
    scaled: bool


@functools.cache
def densest(node: str, formats: tuple[str, ...] = HALVES) -> Densest:
    """Most arithmetic on an area of any chip of a process or an older one, taken over with the density of logic.

    For a process that is older than that of any chip, the chips of the oldest give the answer. Whole wafers are left
    out: they have neither interfaces nor edges.

    Parameters
    ----------
    node : str
        Process node.
    formats : tuple of str
        Number formats that count alike; at least one chip has one of them.
    """
    known = [facts for facts in chip_facts().values() if _density(facts, formats)]
    oldest = max(_nanometres(facts) for facts in known)
    chosen = [facts for facts in known if _nanometres(facts) >= min(int(node), oldest)]

    def here(facts: ChipFacts) -> float:
        return (_density(facts, formats) or 0.0) * _shrink(facts, node)

    best = max(chosen, key=here)
    return Densest(here(best), best, scaled=_nanometres(best) != int(node))


def is_wafer(facts: ChipFacts) -> bool:
    """Whether a record of the catalogue is a whole wafer, larger than any package."""
    return facts.figures.get("die_area_m2", 0.0) > quantity("interposer_area").value


def _density(facts: ChipFacts, formats: tuple[str, ...]) -> float | None:
    """Stated peak over stated area; None where either is unknown. [FLOP/s/m2]"""
    area, node = facts.figures.get("die_area_m2"), node_of(facts.texts["process_node"])
    rates = [facts.figures[each] for name in formats if (each := f"{name}_flop_per_s") in facts.figures]
    packaged = facts.kind == "datasheet" and not is_wafer(facts)
    return max(rates) / area if packaged and area and node and rates else None


def _nanometres(facts: ChipFacts) -> int:
    return int(node_of(facts.texts["process_node"]))


def _shrink(facts: ChipFacts, node: str) -> float:
    """Transistors of an area in a process over those in a chip's own. [1]"""
    return logic_density(node).value / logic_density(str(_nanometres(facts))).value
