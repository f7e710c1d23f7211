"""Designs with the figures of real chips against the areas that their makers state."""

from __future__ import annotations

import pytest

from costline.catalogue import chip_facts
from costline.silicon.sizes import area_errors, design_like

ERRORS = {each.chip: each.error for each in area_errors()}


@pytest.mark.parametrize("chip", ["h100-sxm", "h200-sxm", "b200", "mi325x", "groq-lpu-v1"])
def test_chips_that_do_little_else_within_a_seventh(chip):
    """H100 814 mm2, B200 2 x 800, MI325X 1,017 of compute dies, Groq 725."""
    assert abs(ERRORS[chip]) < 1 / 7


def test_a_design_is_hardly_ever_larger_than_the_real_chip():
    """It lacks what real chips carry besides: graphics, wide formats, large caches."""
    assert len(ERRORS) >= 50
    assert max(ERRORS.values()) < 1 / 7
    assert min(ERRORS.values()) > -0.85


def test_a_design_has_the_figures_of_its_chip():
    made = design_like(chip_facts()["h100-sxm"])
    assert (made.rate, made.devices, made.node) == (pytest.approx(989e12, rel=0.01), 5, "5")
    assert design_like(chip_facts()["groq-lpu-v1"]).kind is None
