"""Random numbers by place: sample 7 of stream 2 is the same number wherever and whenever it is asked for.

A counter-based generator (Philox: Salmon et al. 2011) is set to the place of a number directly. So blocks may be worked
out in any order, on any machine, in pieces of any size, and still hold the samples of one sequence.
"""

from __future__ import annotations

import numpy as np

from costline.numeric import Array
from costline.quantity import Range

LANES = 4
"""Numbers that Philox makes of one state of its counter."""

PERCENTILE_95 = 1.6448536269514722
"""95th percentile of the standard normal distribution; the ends of a range are its 5th and 95th percentile."""


def uniform(first: int, count: int, seed: int, stream: int) -> Array:
    """Numbers `first` and following of a stream, above 0 and up to 1.

    Examples
    --------
    >>> whole = uniform(0, 10, seed=1, stream=0)
    >>> bool(np.all(uniform(3, 4, seed=1, stream=0) == whole[3:7]))
    True
    """
    bits = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64))
    bits.advance(first // LANES)
    skipped = first % LANES
    raw = np.asarray(bits.random_raw(skipped + count), dtype=np.uint64)[skipped:]
    # 53 bits fill a float's mantissa; 1 is added so that a logarithm can be taken
    return np.asarray(((raw >> np.uint64(11)) + np.uint64(1)) * 2.0**-53)


def normal(first: int, count: int, seed: int, stream: int) -> Array:
    """Standard normal numbers, by Box and Muller's transform of two streams of uniform ones."""
    radius = np.sqrt(-2 * np.log(uniform(first, count, seed, 2 * stream)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(first, count, seed, 2 * stream + 1)))


def drawn(spread: Range, places: Array, seed: int, stream: int) -> Array:
    """Values of samples `places`, a run of consecutive sample numbers. [unit of the range]"""
    first, count = int(places[0]), len(places)
    if spread.shape == "uniform":
        return spread.low + (spread.high - spread.low) * uniform(first, count, seed, 2 * stream)
    deviation = normal(first, count, seed, stream) / PERCENTILE_95
    if spread.shape == "lognormal":
        low, high = np.log(spread.low), np.log(spread.high)
        return np.asarray(np.exp((low + high) / 2 + (high - low) / 2 * deviation))
    low, high = (np.log(end / (1 - end)) for end in (spread.low, spread.high))
    odds = np.exp((low + high) / 2 + (high - low) / 2 * deviation)
    return np.asarray(odds / (1 + odds))
