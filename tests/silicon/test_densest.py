"""Arithmetic on an area, against rates and areas that makers state."""

from __future__ import annotations

import pytest

from costline.catalogue import chip_facts
from costline.silicon.densest import densest
from costline.silicon.inputs import NODES, node_of


@pytest.mark.parametrize(
    ("node", "chip", "rate", "area"),
    [("14", "groq-lpu-v1", 188e12, 725e-6), ("5", "b200", 2250e12, 1600e-6)],
)
def test_the_densest_chips_of_their_processes(node, chip, rate, area):
    """Groq: 188 TFLOP/s on 725 mm2 of 14 nm; B200: 2,250 on two dies of 800 mm2 of 4 nm."""
    found = densest(node)
    assert (found.chip.id, found.scaled) == (chip, False)
    assert found.density == pytest.approx(rate / area)


def test_newer_processes_hold_more():
    densities = [densest(node).density for node in NODES]
    assert densities == sorted(densities)


def test_a_process_older_than_any_chip_takes_the_oldest():
    found = densest("28")
    assert found.scaled
    assert found.chip.id == "groq-lpu-v1"
    assert found.density < densest("14").density


def test_no_real_chip_but_wafers_is_denser_than_the_densest():
    for facts in chip_facts().values():
        area, rate = facts.figures.get("die_area_m2"), facts.figures.get("bf16_flop_per_s")
        node = node_of(facts.texts["process_node"])
        if area and rate and node and area < 0.01 and facts.kind == "datasheet":
            assert rate / area <= densest(node).density


def test_the_densest_in_eight_bits():
    """Groq: 750 TOPS on 725 mm2 of 14 nm."""
    found = densest("14", ("fp8", "int8"))
    assert (found.chip.id, found.scaled) == ("groq-lpu-v1", False)
    assert found.density == pytest.approx(750e12 / 725e-6)
