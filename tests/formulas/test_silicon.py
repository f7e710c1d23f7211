"""Yield, dies and costs against closed forms, a simulation that throws defects at dies, and laws of silicon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.formulas.silicon import (
    die_cost,
    dies_per_wafer,
    harvested_yield,
    murphy_yield,
    negative_binomial_yield,
    packaged_cost,
    poisson_yield,
)

areas = st.floats(10e-6, 858e-6)
densities = st.floats(100.0, 5000.0)
clusters = st.floats(0.5, 50.0)


@given(areas, densities)
def test_many_clusters_are_poisson(area, density):
    assert negative_binomial_yield(area, density, 1e7) == pytest.approx(poisson_yield(area, density), rel=1e-5)


@given(areas, densities, clusters)
def test_clustering_helps(area, density, few):
    """Defects on one heap kill fewer dies: Poisson is the worst of the three (Murphy 1964)."""
    worst = poisson_yield(area, density)
    assert negative_binomial_yield(area, density, few) >= worst * (1 - 1e-12)
    assert murphy_yield(area, density) >= worst


@given(areas, densities, clusters, st.floats(1.001, 3.0))
def test_a_die_costs_more_with_area_and_with_defects_and_less_with_yield(area, density, few, factor):
    def cost(square, defects):
        good = negative_binomial_yield(square, defects, few)
        return die_cost(10_000.0, dies_per_wafer(square, 0.3, 0.005), good)

    assert cost(area, density) < cost(area * factor, density)
    assert cost(area, density) < cost(area, density * factor)
    assert die_cost(10_000.0, 60.0, 0.9) < die_cost(10_000.0, 60.0, 0.8)


@given(areas, densities, clusters, st.floats(0.0, 1.0), st.integers(1, 150))
def test_harvesting_nothing_is_the_plain_yield(area, density, few, share, units):
    plain = negative_binomial_yield(area, density, few)
    assert harvested_yield(area, density, few, share, units, 0) == pytest.approx(plain, rel=1e-9)


@given(areas, densities, clusters, st.floats(0.0, 1.0), st.integers(2, 60), st.data())
def test_more_spare_units_never_hurt_and_never_save_a_defect_elsewhere(area, density, few, share, units, data):
    spare = data.draw(st.integers(0, units - 1))
    some, more = (harvested_yield(area, density, few, share, units, each) for each in (spare, spare + 1))
    elsewhere = negative_binomial_yield(area * (1 - share), density, few)
    assert some <= more + 1e-12
    assert more <= elsewhere + 1e-9


def test_harvesting_equals_the_binomial_when_defects_are_independent():
    """Poisson defects make units good independently: P(at most k of u dead) is the binomial sum."""
    area, density, share, units, spare = 800e-6, 1500.0, 0.6, 100, 8
    dead = 1 - math.exp(-area * share * density / units)
    binomial = sum(math.comb(units, k) * dead**k * (1 - dead) ** (units - k) for k in range(spare + 1))
    expected = math.exp(-area * (1 - share) * density) * binomial
    assert harvested_yield(area, density, 1e7, share, units, spare) == pytest.approx(expected, rel=1e-4)


def test_harvesting_equals_defects_thrown_at_dies():
    area, density, few, share, units, spare = 814e-6, 1500.0, 3.0, 0.6, 24, 2
    generator = np.random.default_rng(1)
    good = 0
    for count in generator.poisson(area * density * generator.gamma(few, 1 / few, 40_000)):
        places = generator.random(count)
        inside = places < share
        good += bool(inside.all()) and len(set((places[inside] / share * units).astype(int))) <= spare
    assert harvested_yield(area, density, few, share, units, spare) == pytest.approx(good / 40_000, abs=0.01)


def test_yields_take_arrays():
    density = np.array([500.0, 1000.0, 2000.0])
    loop = [harvested_yield(8e-4, each, 3.0, 0.6, 132, 12) for each in density]
    np.testing.assert_allclose(harvested_yield(8e-4, density, 3.0, 0.6, 132, 12), loop)


def test_a_die_larger_than_the_wafer_gives_none():
    assert dies_per_wafer(0.1, 0.3, 0.005) == 0


def test_the_die_of_cents_controller():
    """CENT (ASPLOS 2025): 18.96 mm2 at 7 nm costs $2.69; $9,346 a wafer, TTM-CAS's defects and clusters."""
    dies = dies_per_wafer(18.96e-6, 0.3, 0.0)
    assert die_cost(9346.0, dies, negative_binomial_yield(18.96e-6, 900.0, 3.0)) == pytest.approx(2.69, rel=0.05)


@given(st.floats(1, 1e4), st.floats(0, 1e4), st.floats(0.5, 0.99))
def test_a_failed_package_loses_its_parts(parts, assembly, bonding):
    assert packaged_cost(parts, assembly, bonding) * bonding == pytest.approx(parts + assembly)
