"""Inputs drawn from their ranges, the same draw of an input wherever it is used, so that chips can be compared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from costline.numeric import Array, Numeric
from costline.silicon.inputs import Spread

USUAL = 1000
"""Draws where nobody says otherwise."""


@dataclass(frozen=True)
class Draws:
    """Where inputs come from: their points, or a number of draws.

    Attributes
    ----------
    size : int
        Draws; 0 takes every input at its point.
    """

    size: int = 0

    def of(self, name: str, spread: Spread) -> Numeric:
        """The input `name`: its point, or draws from its range. [unit of the spread]

        Half of the draws lie on each side of the point, thinning out linearly towards the ends. Two inputs of the same
        name share their draws; different ones are independent.
        """
        if not self.size or spread.low == spread.high:
            return spread.value
        generator = np.random.default_rng(zlib.crc32(name.encode()))
        away = 1 - np.sqrt(generator.random(self.size))
        above = generator.random(self.size) < 0.5
        drawn: Array = spread.value + away * np.where(above, spread.high - spread.value, spread.low - spread.value)
        return drawn


def interval(values: Numeric) -> tuple[float, float]:
    """Ends of the middle 80 % of draws."""
    low, high = np.quantile(np.asarray(values, dtype=float), [0.1, 0.9])
    return float(low), float(high)
