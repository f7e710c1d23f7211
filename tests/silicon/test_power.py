"""Peak and power from first principles against every chip that states them."""

from __future__ import annotations

import numpy as np

from costline.silicon.inputs import NODES, memory_type
from costline.silicon.power import (
    fitted_energy,
    fitted_errors,
    operation_energy,
    peak_errors,
    power,
    power_errors,
    spread_of_errors,
)


def test_peaks_are_whole_multiply_adds():
    """Cores x a power of two x clock gives the stated peak of half of 48 chips within 0.1 %."""
    errors = peak_errors()
    assert len(errors) >= 40
    assert spread_of_errors(errors)["median absolute"] < 0.001
    assert all(abs(each.error) < 0.2 for each in errors)


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
