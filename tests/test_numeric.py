"""Sums of numbers and arrays against NumPy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.numeric import add_up

SHAPES = ((), (1,), (4,), (3, 1), (1, 4), (3, 4))
VALUES = st.lists(st.tuples(st.sampled_from(SHAPES), st.sampled_from([int, float]), st.integers(-1000, 1000)))


def made(shape, kind, value):
    return np.full(shape, value, dtype=kind) + np.arange(4, dtype=kind)[: shape[-1]] if shape else kind(value)


@given(VALUES)
def test_sums_equal_numpys(drawn):
    values = [made(*one) for one in drawn]
    kept = [np.copy(value) for value in values]
    expected = sum((np.asarray(value, dtype=float) for value in values), np.asarray(0.0))
    assert np.asarray(add_up(values)) == pytest.approx(np.broadcast_to(expected, np.shape(expected)))
    assert all(np.array_equal(value, was) for value, was in zip(values, kept, strict=True))  # nothing is changed


def test_numbers_stay_numbers():
    assert isinstance(add_up([1.0, 2.0]), float)
