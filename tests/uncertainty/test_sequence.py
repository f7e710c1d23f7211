"""Scrambled Sobol points against SciPy's own, another implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy
from scipy.stats import qmc

from costline.uncertainty.sequence import scrambled_points

FOLDER = Path(scipy.__file__).parent


@pytest.mark.parametrize(("power", "columns", "seed"), [(1, 1, 0), (5, 2, 3), (12, 40, 0), (8, 300, 2**40)])
def test_points_are_those_of_scipy(power, columns, seed):
    theirs = qmc.Sobol(columns, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)
    assert np.array_equal(scrambled_points(FOLDER, power, columns, seed), theirs)


def test_points_fill_every_slice_once():
    """A property of the sequence: of 2^m points every 2^-m of each dimension holds one."""
    points = scrambled_points(FOLDER, 9, 25, seed=7)
    assert all(sorted((512 * column).astype(int)) == list(range(512)) for column in points.T)
