"""Backwards questions for whole numbers, arrays and single values alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from costline.derivation import unrecorded
from costline.numeric import Array, Numeric

LINES = 4
"""Lines followed before bisection: memory is made of few straight pieces."""


def largest_whole(free: Callable[[Numeric], Numeric], limit: int = 2**40) -> Numeric:
    """Largest whole number from 0 to `limit` for which `free` is not negative, where `free` never rises.

    If `free` falls along a straight line, as memory does with the batch, the line gives the answer in four calls; along
    a few straight pieces in two more for each; if it does not, bisection does.

    Parameters
    ----------
    free : callable
        ``free(n)`` is a number, or an array of fixed shape.
    limit : int
        Upper end of the search.

    Examples
    --------
    >>> largest_whole(lambda n: 50 - n * n)
    7
    """
    with unrecorded():
        return _searched(free, limit)


def _searched(free: Callable[[Numeric], Numeric], limit: int) -> Numeric:
    """Follow the line through two neighbours to where it meets zero, and again from there; then bisect.

    The first line is that of the upper end: of a few lines that bend downwards it is the one that ends the others.
    """
    first, second = np.asarray(free(limit)), np.asarray(free(limit + 1))
    shape, place = first.shape, np.full(first.shape, float(limit))
    for _ in range(LINES):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            line = np.floor(place + first / (first - second))
        place = np.clip(np.nan_to_num(line, nan=0.0), 0, limit)
        guess = place.astype(np.int64)
        first, second = (np.asarray(free(value if shape else int(value))) for value in (guess, guess + 1))
        if np.all(((first >= 0) | (guess == 0)) & ((second < 0) | (guess == limit))):
            return guess if shape else int(guess)
    return _bisected(free, limit, shape)


def _bisected(free: Callable[[Numeric], Numeric], limit: int, shape: tuple[int, ...]) -> Numeric:
    low: Array = np.zeros(shape, dtype=np.int64)
    high: Array = np.full(shape, limit + 1, dtype=np.int64)
    for _ in range(limit.bit_length() + 1):
        middle = (low + high) // 2
        good = (np.asarray(free(middle if shape else int(middle))) >= 0) & (middle > 0)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
        high = np.maximum(high, low + 1)
    return low if shape else int(low)


MOST_ROUNDS = 60
"""Rounds of narrowing: each divides the bracket by `PROBES`, so this is never reached."""
PROBES = 64
"""Values tried together; a study takes them as one array."""


def extreme(
    meets: Callable[[Array], Array], low: float, high: float, *, largest: bool, whole: bool, tolerance: float = 1e-12
) -> float | None:
    """The largest, or the least, value of an interval that meets a condition, where the condition holds up to it.

    The interval is probed at `PROBES` values in equal ratios; the last one that meets the condition and its neighbour
    that does not are the next interval, until whole numbers are neighbours or real ones agree to `tolerance`.

    Parameters
    ----------
    meets : callable
        From an array of values to one of booleans.
    low, high : float
        Ends of the interval, both positive.
    largest : bool
        Whether the largest value is sought, or the least.
    whole : bool
        Whether only whole numbers count.
    tolerance : float
        Relative width at which a real value is known. [1]

    Returns
    -------
    float or None
        The value, on the side that meets the condition; None if no probe does.

    Examples
    --------
    >>> extreme(lambda n: n * n <= 50, 1, 1000, largest=True, whole=True)
    7.0
    """
    good: float | None = None
    bad: float | None = None
    for _ in range(MOST_ROUNDS):
        probes = _probes(low, high, whole)
        hits = np.flatnonzero(meets(probes))
        if not hits.size:
            break
        place = int(hits[-1] if largest else hits[0])
        good, beyond = float(probes[place]), place + (1 if largest else -1)
        if 0 <= beyond < probes.size:
            bad = float(probes[beyond])
        if bad is None or abs(bad - good) <= (1 if whole else tolerance * abs(good)):
            break
        low, high = min(good, bad), max(good, bad)
    return good


def _probes(low: float, high: float, whole: bool) -> Array:
    values: Array = np.geomspace(low, high, PROBES)
    values[0], values[-1] = low, high
    return np.unique(np.rint(values)) if whole else values
