"""Peak and power from first principles against every chip that states them."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from costline.catalogue import chip_facts
from costline.silicon.inputs import NODES, memory_type, node_of
from costline.silicon.power import (
    FINEST,
    STATED_OTHERWISE,
    fitted_energy,
    fitted_errors,
    least_operation,
    operation_energy,
    peak_errors,
    power,
    power_errors,
    spread_of_errors,
    sram_energy,
    unmodelled,
)


def test_peaks_follow_from_arrays_and_clock():
    """A100: 108 SMs x 4 x 256 x 2 x 1.41 GHz; H100: 132 x 4 x 512 x 2 x 1.83; MI300X: 304 CUs x 2,048 x 2.1."""
    errors = peak_errors()
    assert len(errors) >= 45
    assert spread_of_errors(errors)["median absolute"] < 0.001
    assert {each.chip for each in errors if abs(each.error) > 0.05} == set(STATED_OTHERWISE)


def test_a_peak_is_not_predicted_from_itself(monkeypatch):
    """Twice the stated rates change no modelled peak."""
    before = {each.chip: each.modelled for each in peak_errors()}
    doubled = {
        name: replace(facts, figures={key: 2 * value if key.endswith("_flop_per_s") else value
                                      for key, value in facts.figures.items()})
        for name, facts in chip_facts().items()
    }  # fmt: skip
    monkeypatch.setattr("costline.silicon.power.chip_facts", lambda: doubled)
    assert {each.chip: each.modelled for each in peak_errors()} == before


def test_every_chip_with_known_area_node_and_power_is_checked_or_has_a_reason():
    known = {
        facts.id for facts in chip_facts().values()
        if {"die_area_m2", "tdp_w"} <= set(facts.figures) and node_of(facts.texts["process_node"])
    }  # fmt: skip
    checked, left = {each.chip for each in power_errors()}, unmodelled()
    assert checked | set(left) == known
    assert not checked & set(left)
    assert all(left.values())
    assert len(checked) >= 55


def test_power_without_any_fit_is_right_within_a_third_on_half_of_the_chips():
    spread = spread_of_errors(power_errors())
    assert spread["chips"] >= 50
    assert abs(spread["median"]) < 0.15
    assert spread["median absolute"] < 0.40


def test_the_fit_predicts_chips_it_has_not_seen_better():
    spread = spread_of_errors(fitted_errors())
    assert abs(spread["median"]) < 0.10
    assert spread["median absolute"] < 0.30


def test_energy_falls_from_node_to_node():
    for energy in (operation_energy, fitted_energy):
        values = [energy(node).value for node in NODES]
        assert values == sorted(values, reverse=True)
    assert all(energy(node).low <= energy(node).value <= energy(node).high for node in NODES)


def test_a_new_process_saves_what_its_maker_says_and_no_more():
    """TSMC of N3 against N5: 25 to 30 % less power at the same speed (technology symposium 2020), 32 % of N3E."""
    assert 0.25 <= 1 - fitted_energy("3").value / fitted_energy("5").value <= 0.32


def test_power_rises_with_everything():
    hbm = memory_type("HBM3")
    base = power(500e12, "7", hbm, 2e12, 1e11)
    assert power(600e12, "7", hbm, 2e12, 1e11) > base
    assert power(500e12, "7", hbm, 3e12, 1e11) > base
    assert power(500e12, "7", hbm, 2e12, 4e11) > base
    assert power(500e12, "5", hbm, 2e12, 1e11) < base


def test_memory_at_full_speed_draws_what_its_maker_says():
    """Micron: 6.0 pJ/bit of HBM2E, AttAcc 3.59; an A100's 2 TB/s are then 59 to 98 W in the stacks."""
    watts = power(0.0, "7", memory_type("HBM2e"), 2.04e12) * 0.9 * (1 - 0.12)
    assert 59 <= watts <= 98
    assert np.isscalar(watts)


def test_a_fit_that_has_not_seen_a_frugal_chip_expects_more():
    assert fitted_energy("5", "b200").value > fitted_energy("5").value


@pytest.mark.parametrize(
    ("node", "bits", "tops"),
    [  # measured macros that compute in memory: bits squared are those of input times weight
        ("28", 8, 40.15),  # signed 8 b, https://openreview.net/forum?id=EREq1GKZbv
        ("28", 4 * math.sqrt(2), 62.1),  # Neuro-CIM: 4 b and 8 b
        ("14", 16, 91.2),  # ISSCC 2024, 34.2: 16 nm, floating point, 33.2 to 91.2 TFLOPS/W
        ("14", 8, 163.3),  # the same, integers: 73.3 to 163.3 TOPS/W
    ],
)
def test_no_measured_circuit_is_more_frugal_than_the_least_energy(node, bits, tops):
    """Operations for a joule at most one over the energy; a quarter of the width takes at least a sixteenth."""
    least = least_operation(node, 8).value * (bits / 8) ** 2 if bits < 8 else least_operation(node, int(bits)).value
    assert tops * 1e12 <= 1 / least


def test_the_least_energy_falls_with_node_and_width():
    for narrow, wide in itertools.pairwise([4, 8, 16, 32, 64]):
        assert least_operation("5", narrow).value < least_operation("5", wide).value
    for old, new in itertools.pairwise([*NODES, FINEST]):
        assert least_operation(new, 8).value < least_operation(old, 8).value
    assert least_operation("22", 8).value == pytest.approx(1 / 150e12, rel=1e-3)


def test_no_chip_reads_on_chip_memory_for_less_than_the_least_energy():
    """WSE-2: 20 PB/s at 23 kW in 7 nm; Groq: 80 TB/s at 215 W in 14 nm."""
    assert 8 * 20e15 * sram_energy("7").low <= 23e3
    assert 8 * 80e12 * sram_energy("14").low <= 215
