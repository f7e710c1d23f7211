"""The front against the definition, row by row."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from costline.search.front import non_dominated

ROWS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=60)


def beats(one, other):
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


@given(ROWS)
def test_the_front_is_what_nothing_beats(rows):
    kept = non_dominated(np.array(rows, dtype=float))
    values = {rows[place] for place in kept}
    assert values == {row for row in rows if not any(beats(other, row) for other in rows)}
    assert len(kept) == len(values)  # of equal rows the first
    assert all(rows.index(rows[place]) == place for place in kept)


def test_nothing_has_no_front():
    assert non_dominated(np.empty((0, 2))).size == 0
