"""Closed sums over tiles against the loop of the reference implementation."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from costline.formulas.autoencoder import tiled_pairs, tiled_positions, whole_tiles


def tiles(length, tile, stride):
    """Lengths of ``x[i : i + tile]`` for i in ``range(0, length, stride)``, as diffusers cuts them."""
    return [len(range(start, min(start + tile, length))) for start in range(0, length, stride)]


lengths, sides = st.integers(1, 3000), st.integers(1, 700)


@given(lengths, sides, sides)
def test_sums_equal_the_loop_over_tiles(length, one, other):
    tile, stride = max(one, other), min(one, other)
    cut = tiles(length, tile, stride)
    assert whole_tiles(length, tile, stride) == cut.count(tile)
    assert tiled_positions(length, tile, stride) == sum(cut)
    assert tiled_pairs(length, tile, stride) == sum(size**2 for size in cut)


@given(lengths, sides)
def test_tiles_without_overlap_cost_nothing(length, tile):
    assert tiled_positions(length, tile, tile) == length


def test_arrays_give_the_same_as_numbers():
    axis = np.array([30, 60, 90])
    assert tiled_positions(axis, 32, 24).tolist() == [tiled_positions(int(one), 32, 24) for one in axis]
