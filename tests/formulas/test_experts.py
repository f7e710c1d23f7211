"""The busiest chip of an expert-parallel group against drawn loads."""

from __future__ import annotations

import numpy as np
import pytest

from costline.formulas.experts import busiest_load


@pytest.mark.parametrize(("experts", "groups"), [(256, 8), (256, 32), (128, 16), (512, 64)])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_the_busiest_group_of_drawn_loads_stays_below(experts, groups, spread):
    """Loads of experts drawn from a gamma distribution of that spread; the bound holds for its mean and is near it."""
    draws = np.random.default_rng(7).gamma(spread**-2, spread**2, size=(4000, groups, experts // groups))
    drawn = draws.mean(axis=2).max(axis=1).mean()
    assert 0.75 < (busiest_load(spread, experts, groups) - 1) / (drawn - 1) < 1.45


def test_a_group_of_one_is_even():
    assert busiest_load(2.0, 64, 1) == 1.0


def test_arrays():
    groups = np.array([1, 8, 32])
    assert busiest_load(0.5, 256, groups).tolist() == [busiest_load(0.5, 256, each) for each in groups.tolist()]
