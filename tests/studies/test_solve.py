"""Bisection against the answer known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.studies.solve import largest_whole


@given(st.integers(0, 2**40))
def test_finds_the_threshold(threshold):
    assert largest_whole(lambda n: threshold - n) == threshold


@given(st.integers(0, 2**40))
def test_finds_the_threshold_of_a_bent_line(threshold):
    """A sliding window bends memory against context."""
    assert largest_whole(lambda n: min(10 * (threshold - n), threshold - n + 7)) == threshold


def test_nothing_fits():
    assert largest_whole(lambda n: -1 - n) == 0


def test_arrays_are_solved_elementwise():
    thresholds = np.array([0, 1, 17, 10_000])
    assert largest_whole(lambda n: thresholds - n, 2**20).tolist() == thresholds.tolist()


@pytest.mark.parametrize("free", [lambda n: 50_000 - 7 * n, lambda n: min(90_000 - n, 50_000 - 7 * n)])
def test_the_last_of_a_few_lines_gives_the_answer_in_four_calls(free):
    asked = []
    assert largest_whole(lambda n: asked.append(n) or free(n), 2**24) == 50_000 // 7
    assert len(asked) == 4
