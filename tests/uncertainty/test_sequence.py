"""Scrambled Sobol points against SciPy's own, another implementation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy
from scipy.stats import qmc

from costline.uncertainty.sequence import scrambled_points
from costline.uncertainty.sobol import points

FOLDER = Path(scipy.__file__).parent


@pytest.mark.parametrize(("power", "columns", "seed"), [(1, 1, 0), (5, 2, 3), (12, 40, 0), (8, 300, 2**40)])
def test_points_are_those_of_scipy(power, columns, seed):
    theirs = qmc.Sobol(columns, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)
    assert np.array_equal(scrambled_points(FOLDER, power, columns, seed), theirs)


def test_points_fill_every_slice_once():
    """A property of the sequence: of 2^m points every 2^-m of each dimension holds one."""
    drawn = scrambled_points(FOLDER, 9, 25, seed=7)
    assert all(sorted((512 * column).astype(int)) == list(range(512)) for column in drawn.T)


@pytest.mark.parametrize("samples", [1, 37, 256])
def test_points_are_the_same_where_scipy_keeps_its_numbers_elsewhere(samples, monkeypatch, tmp_path):
    expected = points(samples, 12, seed=5)
    monkeypatch.setattr("costline.uncertainty.sobol.scrambled_points", partial(_elsewhere, tmp_path))
    assert np.array_equal(points(samples, 12, seed=5), expected)


def _elsewhere(folder, _, *asked):
    return scrambled_points(folder, *asked)
