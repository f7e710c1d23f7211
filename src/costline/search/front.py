"""The Pareto front: what nothing else beats in every respect."""

from __future__ import annotations

import numpy as np

from costline.numeric import Array


def non_dominated(values: Array) -> Array:
    """Rows that no other row beats: as small in every column and smaller in one; of equal rows the first.

    Parameters
    ----------
    values : array
        One row a candidate, one column a figure, smaller is better.

    Returns
    -------
    array
        Positions of the rows, ordered by the first column.

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 5.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]])).tolist()
    [0, 1, 3]
    """
    # in this order a row is beaten only by rows before it, so the first of those left is always on the front
    left = np.lexsort((np.arange(len(values)), *values.T[::-1]))
    kept = []
    while left.size:
        first, rest = left[0], left[1:]
        kept.append(first)
        left = rest[(values[rest] < values[first]).any(axis=1)]
    return np.asarray(kept, dtype=np.int64)
