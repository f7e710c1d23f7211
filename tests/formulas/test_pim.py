"""Processing in memory against figures of real devices and Amdahl's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.formulas.pim import amdahl_speedup, bank_bandwidth, in_memory_time, power_limited_gain


def test_aquabolt():
    """Samsung: 4 times the bandwidth of the interface, 307 GB/s of HBM2 at 2.4 Gb/s a pin."""
    assert bank_bandwidth(128, 256, 300e6) / (1024 * 2.4e9 / 8) == pytest.approx(4.0)


def test_aim():
    """SK hynix: 512 GB/s in a GDDR6-AiM chip, 16 banks at 1 GHz."""
    assert bank_bandwidth(16, 256, 1e9) == 512e9


@given(st.floats(0.0, 1.0), st.floats(1.0, 100.0))
def test_amdahl(moved, gain):
    assert 1 - 1e-12 <= amdahl_speedup(moved, gain) <= gain * (1 + 1e-9)


@given(st.floats(1, 64), st.floats(1e-12, 1e-11), st.floats(1e-13, 1e-12))
def test_power_never_raises_the_gain_above_the_banks(banks, outside, inside):
    assert power_limited_gain(banks, outside, inside, 0.0) <= banks


def test_batches_are_bound_by_arithmetic():
    """At one FLOP a byte, a batch of 8 takes 8 times as long: every sequence reads the weights again."""
    one, eight = (in_memory_time(batch * 1e9, 1e12, 1e9, 1e12, 1.0) for batch in (1, 8))
    assert eight == pytest.approx(8 * one)
