"""Blocks against figures of real chips."""

from __future__ import annotations

import pytest

from costline.formulas.silicon_blocks import (
    board_power,
    die_link_area,
    multiplier_transistors,
    peak_rate,
    sram_area,
)


def test_peaks_of_datasheets():
    """A100: 108 SMs of 1,024 multiply-adds at 1,410 MHz, 312 TFLOP/s; V100: 80 of 512 at 1,530 MHz, 125 TFLOP/s."""
    assert peak_rate(108 * 1024, 1410e6) == pytest.approx(312e12, rel=1e-3)
    assert peak_rate(80 * 512, 1530e6) == pytest.approx(125e12, rel=5e-3)


def test_macro_of_n3e():
    """WikiChip Fuse, IEDM 2022: 0.021 um2 cells make 31.8 Mib/mm2 macros at 70 % efficiency."""
    assert sram_area(31.8 * 2**20 / 8, 0.021e-12, 0.7) == pytest.approx(1e-6, rel=0.01)


def test_a_half_is_a_27th_of_a_double():
    assert multiplier_transistors(27.0, 10) == pytest.approx(1.0, rel=0.01)


def test_power_is_the_sum_of_its_uses():
    parts = [
        board_power(1e14, 5e-13, 0, 5e-12, 0, 1e-12, 0, 1e-12, 0.9, 0.1),
        board_power(0, 5e-13, 1e12, 5e-12, 0, 1e-12, 0, 1e-12, 0.9, 0.1),
        board_power(0, 5e-13, 0, 5e-12, 1e11, 1e-12, 0, 1e-12, 0.9, 0.1),
        board_power(0, 5e-13, 0, 5e-12, 0, 1e-12, 1e13, 1e-12, 0.9, 0.1),
    ]
    assert board_power(1e14, 5e-13, 1e12, 5e-12, 1e11, 1e-12, 1e13, 1e-12, 0.9, 0.1) == pytest.approx(sum(parts))


def test_links_between_the_dies_of_a_b200():
    """10 TB/s over UCIe advanced, 4,096 Gb/s for a sender and a receiver of 0.406 mm2 each (CATCH), at both ends."""
    assert die_link_area(10e12, 4096e9 / 8, 2 * 0.4055184e-6) == pytest.approx(2 * 19.53 * 0.811e-6, rel=1e-3)
