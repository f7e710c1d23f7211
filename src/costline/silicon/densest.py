"""How much arithmetic real chips put on an area: what no chip of one's own should be expected to exceed."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.silicon.inputs import logic_density, node_of


@dataclass(frozen=True, slots=True)
class Densest:
    """Most arithmetic on an area in a process. [FLOP/s/m2]

    `scaled` says that the chip is of another process, and its density taken over with that of logic.
    """

    density: float
    chip: ChipFacts
    scaled: bool


@functools.cache
def densest(node: str) -> Densest:
    """Most 16-bit arithmetic on an area of any chip of a process or an older one, taken over with the density of logic.

    For a process that is older than that of any chip, the chips of the oldest give the answer. Whole wafers are left
    out: they have neither interfaces nor edges.
    """
    known = [facts for facts in chip_facts().values() if _density(facts)]
    oldest = max(_nanometres(facts) for facts in known)
    chosen = [facts for facts in known if _nanometres(facts) >= min(int(node), oldest)]

    def here(facts: ChipFacts) -> float:
        return (_density(facts) or 0.0) * _shrink(facts, node)

    best = max(chosen, key=here)
    return Densest(here(best), best, scaled=_nanometres(best) != int(node))


def _density(facts: ChipFacts) -> float | None:
    """Stated peak over stated area; None where either is unknown. [FLOP/s/m2]"""
    area, node = facts.figures.get("die_area_m2"), node_of(facts.texts["process_node"])
    rate = facts.figures.get("bf16_flop_per_s", facts.figures.get("fp16_flop_per_s"))
    packaged = facts.kind == "datasheet" and not facts.id.startswith("wse")
    return rate / area if packaged and area and node and rate else None


def _nanometres(facts: ChipFacts) -> int:
    return int(node_of(facts.texts["process_node"]))


def _shrink(facts: ChipFacts, node: str) -> float:
    """Transistors of an area in a process over those in a chip's own. [1]"""
    return logic_density(node).value / logic_density(str(_nanometres(facts))).value
