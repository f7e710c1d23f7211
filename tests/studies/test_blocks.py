"""Blocks of a space against counts by hand and plain products."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from costline.plan import Plan
from costline.studies.blocks import blocks
from costline.studies.space import as_many_as_fit

AXES = st.lists(st.integers(1, 6), min_size=1, max_size=4)


def axes_of(sizes):
    return {f"axis{place}": list(range(1, size + 1)) for place, size in enumerate(sizes)}


@given(AXES, st.integers(1, 50))
def test_blocks_hold_every_combination_once_in_order_and_none_is_too_large(sizes, limit):
    axes = axes_of(sizes)
    seen = []
    for block in blocks(axes, limit=limit):
        assert block.size <= max(limit, 1)
        rows = block.at(np.arange(block.size))
        seen += list(zip(*(rows[name].tolist() for name in axes), strict=True))
    assert seen == list(product(*axes.values()))


def test_a_block_of_floats_cannot_overflow():
    (block,) = blocks({"tensor": [2**20], "pipeline": [2**20], "ulysses": [2**20], "ring": [2**20]})
    assert float(block.plan(Plan(), 2**80, as_many_as_fit).replica) == 2.0**80


@given(st.lists(st.booleans(), min_size=24, max_size=24).filter(any))
def test_a_block_within_holds_what_is_wanted_and_no_value_of_which_nothing_is(wanted):
    (block,) = blocks({"tensor": [1, 2, 4], "pipeline": [1, 2, 4, 8], "recompute": ["none", "full"]})
    mask = np.array(wanted).reshape(block.shape)
    inside = block.within(mask)

    def rows(one, places):
        return {tuple(values.tolist()) for values in np.stack(list(one.at(places).values()), axis=1)}

    chosen, kept = rows(block, np.flatnonzero(mask)), rows(inside, np.arange(inside.size))
    assert chosen <= kept
    for axis, values in enumerate(inside.fields.values()):
        assert values.shape[axis] == values.size
        assert set(values.ravel().tolist()) <= {type(values.ravel().tolist()[0])(row[axis]) for row in chosen}
