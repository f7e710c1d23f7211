"""Backwards questions by bisection, for whole numbers and arrays alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from costline.numeric import Array, Numeric


def largest_whole(fits: Callable[[Numeric], Numeric], limit: int = 2**40) -> Numeric:
    """Largest whole number from 0 to `limit` for which `fits` holds, where `fits` turns false once and stays so.

    Parameters
    ----------
    fits : callable
        ``fits(n)`` is a bool, or an array of bools of fixed shape.
    limit : int
        Upper end of the search.

    Examples
    --------
    >>> largest_whole(lambda n: n * n <= 50)
    7
    """
    shape = np.shape(fits(1))
    low: Array = np.zeros(shape, dtype=np.int64)
    high: Array = np.full(shape, limit + 1, dtype=np.int64)
    for _ in range(limit.bit_length() + 1):
        middle = (low + high) // 2
        good = np.asarray(fits(middle if shape else int(middle)))
        low, high = np.where(good & (middle > 0), middle, low), np.where(good & (middle > 0), high, middle)
        high = np.maximum(high, low + 1)
    return low if shape else int(low)
