"""Random draws: the same number at the same place, and the distribution they promise."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from costline.quantity import Range
from costline.sweep.draws import PERCENTILE_95, drawn, uniform

MANY = 200_000
PLACES = np.arange(MANY)


@given(some.integers(0, 10**12), some.integers(1, 40), some.integers(0, 30), some.integers(0, 2**62))
def test_a_number_depends_on_its_place_alone(first, count, skipped, seed):
    whole = uniform(first, skipped + count, seed, stream=3)
    assert uniform(first + skipped, count, seed, stream=3).tolist() == whole[skipped:].tolist()


@given(some.integers(0, 1000), some.integers(1, 50))
def test_pieces_of_a_range_join(cut, count):
    spread = Range(1.0, 9.0, "lognormal")
    whole = drawn(spread, np.arange(cut + count), seed=1, stream=0)
    assert drawn(spread, np.arange(cut, cut + count), seed=1, stream=0).tolist() == whole[cut:].tolist()


def test_streams_and_seeds_are_independent():
    base = uniform(0, MANY, seed=1, stream=0)
    for other in (uniform(0, MANY, seed=1, stream=1), uniform(0, MANY, seed=2, stream=0)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 5 / math.sqrt(MANY)


def test_uniform_numbers_are_never_0():
    values = uniform(0, MANY, seed=1, stream=0)
    assert 0 < values.min() <= values.max() <= 1


def test_the_percentile_is_that_of_the_standard_library():
    assert NormalDist().inv_cdf(0.95) == pytest.approx(PERCENTILE_95, rel=1e-15)


@pytest.mark.parametrize("percent", [5, 20, 50, 80, 95])
def test_a_lognormal_has_the_quantiles_of_its_definition(percent):
    spread = Range(2.0, 8.0, "lognormal")
    exact = NormalDist(math.log(4.0), math.log(2.0) / PERCENTILE_95).inv_cdf(percent / 100)
    values = np.log(drawn(spread, PLACES, seed=3, stream=0))
    assert np.percentile(values, percent) == pytest.approx(exact, abs=0.01)


def test_a_logit_normal_has_its_ends_at_the_5th_and_95th_percentile():
    values = drawn(Range(0.2, 0.7, "logit-normal"), PLACES, seed=3, stream=0)
    assert np.percentile(values, [5, 95]) == pytest.approx([0.2, 0.7], abs=0.01)
    assert 0 < values.min() < values.max() < 1


def test_a_uniform_range_is_flat():
    values = drawn(Range(10.0, 20.0, "uniform"), PLACES, seed=3, stream=0)
    assert np.percentile(values, [10, 50, 90]) == pytest.approx([11, 15, 19], abs=0.1)
    assert 10 <= values.min() <= values.max() <= 20
