"""What is sought and what must hold, in terms of the figures of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from costline.estimate import Figure
from costline.numeric import Array, Numeric

Study: TypeAlias = Literal["train", "serve", "generate"]
Goal: TypeAlias = Literal["time", "cost", "energy", "throughput"]


@dataclass(frozen=True)
class Objective:
    """A figure that is to be as small, or as large, as can be.

    Attributes
    ----------
    figure : str
        Its name.
    largest : bool
        Whether more is better.
    """

    figure: str
    largest: bool = False

    def badness(self, figures: Mapping[str, Figure]) -> Numeric:
        """What is to be least; infinite where the figure is unknown."""
        value = figures[self.figure].value if self.figure in figures else None
        if value is None:
            return np.inf
        return -value if self.largest else value


@dataclass(frozen=True)
class Limit:
    """A bound on a figure.

    Attributes
    ----------
    figure : str
        Its name.
    most : bool
        Whether the value is the most allowed, or the least.
    value : float
        The bound. [SI unit of the figure]
    words : str
        As the user wrote it.
    """

    figure: str
    most: bool
    value: float
    words: str

    def met(self, figures: Mapping[str, Figure]) -> bool | Array:
        """Where the figure keeps the bound; nowhere if it is unknown."""
        value = figures[self.figure].value if self.figure in figures else None
        if value is None:
            return False
        met = np.asarray(value) <= self.value if self.most else np.asarray(value) >= self.value
        return met if met.ndim else bool(met)


OBJECTIVES: dict[Study, dict[Goal, Objective]] = {
    "train": {
        "time": Objective("time"),
        "cost": Objective("cost"),
        "energy": Objective("energy"),
        "throughput": Objective("tokens_per_second", largest=True),
    },
    "serve": {
        "time": Objective("latency"),
        "cost": Objective("cost_per_request"),
        "energy": Objective("energy_output"),
        "throughput": Objective("output_rate", largest=True),
    },
    "generate": {
        "time": Objective("time"),
        "cost": Objective("cost"),
        "energy": Objective("energy"),
        "throughput": Objective("clips_per_hour", largest=True),
    },
}
"""Figure behind each objective, by study."""

FRONTS: dict[Study, tuple[Objective, ...]] = {
    "train": (Objective("time"), Objective("cost"), Objective("memory")),
    "serve": (Objective("tpot"), Objective("ttft"), Objective("output_rate", largest=True)),
    "generate": (Objective("time"), Objective("cost"), Objective("memory")),
}
"""Figures between which a Pareto front is drawn, by study."""
