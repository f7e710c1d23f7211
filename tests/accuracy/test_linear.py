"""Linearised problems in blocks against the same problems as one dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costline.accuracy.linear import Linear, blocks_of

CHIPS = ("a", "b", "c", "d")


def problem(seed, rows):
    """Random slopes with what all chips, a family of two and each chip have; the last chip may have no rows."""
    random = np.random.default_rng(seed)
    chips = [CHIPS[number] for number in random.integers(0, len(CHIPS), rows)]
    effects = []
    for chip in chips:
        scopes = ("all", f"family:{chip in 'ab'}", f"chip:{chip}")
        known = [(name, "", scope) for name in ("gemm", "memory", "launch") for scope in scopes]
        effects.append({level: float(random.normal()) for level in known if random.random() < 0.8})
    levels, blocks = blocks_of(effects, chips)
    dense = np.asarray([[found.get(level, 0.0) for level in levels] for found in effects])
    prior = random.uniform(0.5, 20, len(levels))
    return Linear(levels, blocks, random.normal(size=rows), prior), dense, random


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_the_minimum_is_that_of_the_dense_normal_equations(seed, rows):
    linear, dense, random = problem(seed, rows)
    weight, pull = random.uniform(0, 3, rows), random.normal(size=len(linear.levels))
    ridge = linear.prior + random.uniform(0, 2)
    normal = dense.T @ (dense * weight[:, None]) + np.diag(ridge)
    assert linear.minimum(weight, ridge, pull) == pytest.approx(np.linalg.solve(normal, pull), rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_products_are_those_of_the_dense_matrix_with_and_without_some_rows(seed, rows):
    linear, dense, random = problem(seed, rows)
    kept = np.flatnonzero(random.random(rows) < 0.6)
    for some, matrix, constant in (
        (linear, dense, linear.constant), (linear.only(kept), dense[kept], linear.constant[kept]),
    ):  # fmt: skip
        weight, moved = random.uniform(0, 3, len(matrix)), random.normal(size=len(linear.levels))
        assert some.errors(moved) == pytest.approx(constant + matrix @ moved)
        assert some.pulled(weight) == pytest.approx(matrix.T @ weight)
        assert some.told(weight) == pytest.approx((matrix**2).T @ weight)
        assert some.precision(weight) == pytest.approx(matrix.T @ (matrix * weight[:, None]) + np.diag(linear.prior))
