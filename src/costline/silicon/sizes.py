"""Area of a design with the figures of a real chip, beside the area of that chip."""

from __future__ import annotations

from costline.catalogue import chip_facts
from costline.catalogue.chip_table import ChipFacts
from costline.silicon.blueprint import Blueprint
from costline.silicon.cost import devices_of, memory_named
from costline.silicon.inputs import node_of
from costline.silicon.power import Checked, power_errors


def area_errors() -> list[Checked]:
    """Modelled against stated area, over every chip whose power is checked too and whose memory is of a known kind.

    A design holds what multiplies matrices and what feeds it. Graphics, wide formats and large caches that real chips
    carry besides are not in it, so it comes out smaller than chips of many uses.
    """
    facts = chip_facts()
    checked = [facts[each.chip] for each in power_errors() if _known(facts[each.chip])]
    return [Checked(one.id, one.figures["die_area_m2"], float(design_like(one).area)) for one in checked]


def _known(facts: ChipFacts) -> bool:
    """Whether it is known how the chip holds a model."""
    kind = facts.texts["memory_type"]
    return "memory_byte" in facts.figures and ("SRAM" in kind or memory_named(kind) is not None)


def design_like(facts: ChipFacts) -> Blueprint:
    """A design with the peak, memory, links and process of a chip of the catalogue."""
    figures, kind = facts.figures, memory_named(facts.texts["memory_type"])
    rate = figures.get("bf16_flop_per_s", figures.get("fp16_flop_per_s", 0.0))
    on_chip = figures.get("sram_byte", 32e6 if kind else figures["memory_byte"])
    devices = devices_of(kind, figures["memory_byte"], figures["memory_bandwidth_byte_per_s"]) if kind else 0
    return Blueprint(
        name=facts.id, process=f"{node_of(facts.texts['process_node'])} nm", rate=rate,
        memory=kind.memory if kind else "SRAM", devices=devices, sram=on_chip,
        link=figures.get("link_bandwidth_byte_per_s", 0.0),
    )  # fmt: skip
