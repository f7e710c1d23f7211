"""Plans of the samples of a question: one for all of them, or one for each number of chips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from costline.estimate import Estimate
from costline.numeric import Array
from costline.plan import Plan
from costline.uncertainty.draws import Draws, drawing
from costline.uncertainty.ranged import settled

MOST = 256
"""Numbers of chips that get a plan of their own; of more, each takes the plan of the nearest that is smaller."""


class Plans:
    """Plans of the samples of one question, chosen at the medians of everything but the number of chips.

    Nobody runs 512 chips as 2,048 would be run; but the model's coefficients and the price are not known when a plan is
    chosen, and a plan that is best for a sample of them is nobody's either.

    Parameters
    ----------
    question : callable
        Asks with some inputs replaced.
    draws : Draws
        Uncertain inputs.
    middle : Estimate
        The answer with a plan chosen at the medians, or for larger sizes.
    level : float or None
        Share of the samples below the sizes that a plan is chosen for; None is their medians. [1]
    """

    def __init__(
        self, question: Callable[[Mapping[str, Any]], Estimate], draws: Draws, middle: Estimate,
        level: float | None = None,
    ) -> None:  # fmt: skip
        self._question, self._draws, self._level = question, draws, level
        self._chips, self._number = draws.chips_of(draws.question), draws.question
        self._one = settled(middle)
        self._counts: Array = np.empty(0)
        self._known: dict[str, Any] = {}

    @property
    def words(self) -> str:
        """What plans there are."""
        if self._counts.size <= 1:
            return "one plan for all"
        return f"a plan for each of {self._counts.size:,} numbers of chips"

    def at(self, shares: Array) -> dict[str, Any]:
        """Inputs of the question that fix the plan of each sample."""
        if self._chips is None:
            return self._one
        wanted = self._chips.values(shares)
        self._learn(np.unique(wanted))
        places = np.searchsorted(self._counts, wanted, side="right") - 1
        return {name: _each(value, lambda plan: _taken(plan, places)) for name, value in self._known.items()}

    def _learn(self, wanted: Array) -> None:
        """Choose plans for numbers of chips that have none, as long as there are not too many."""
        missing = np.setdiff1d(wanted, self._counts)
        if missing.size > (room := MOST - self._counts.size):  # evenly in number, the smallest always
            least = missing[missing < self._counts[0]][:1] if self._counts.size else missing[:1]
            spread = missing[np.linspace(0, missing.size - 1, room).astype(int)] if room > 0 else missing[:0]
            missing = np.union1d(least, spread)
        if not missing.size:
            return
        with drawing(self._draws, level=self._level, chips=missing):
            self._draws.question = self._number
            found = settled(self._question({"explain": False}))
        both = np.concatenate([self._counts, missing])
        order = np.argsort(both)
        old, size = self._known, (self._counts.size, missing.size)
        self._known = {
            name: _joined(old.get(name), value, size, order) if name == "plan" else value
            for name, value in found.items()
        }
        self._counts = both[order]


def _each(value: Any, change: Callable[[Plan], Plan]) -> Any:
    """A plan, or those of the parts of a curriculum, changed."""
    if isinstance(value, tuple):
        return tuple(change(one) for one in value)
    return change(value) if isinstance(value, Plan) else value


def _taken(plan: Plan, places: Array) -> Plan:
    """The plan of every sample; what is the same for all stays one value."""
    return Plan(**{name: value[places] if _varies(value) else _plain(value) for name, value in vars(plan).items()})


def _varies(value: Any) -> bool:
    return isinstance(value, np.ndarray) and bool(np.any(value != value.flat[0]))


def _plain(value: Any) -> Any:
    return value.flat[0].item() if isinstance(value, np.ndarray) else value


def _joined(old: Any, new: Any, sizes: tuple[int, int], order: Array) -> Any:
    """Plans of some numbers of chips and of others as those of all, in order."""
    if old is None:
        return new
    if isinstance(new, tuple):
        return tuple(_joined(one, other, sizes, order) for one, other in zip(old, new, strict=True))
    before = vars(old)
    return Plan(**{name: _column(before[name], value, sizes, order) for name, value in vars(new).items()})


def _column(before: Any, after: Any, sizes: tuple[int, int], order: Array) -> Any:
    """A field of a plan for all numbers of chips; formats and names are the same for all."""
    if not (isinstance(before, np.ndarray) or isinstance(after, np.ndarray)):
        return after
    return np.concatenate([np.broadcast_to(one, size) for one, size in zip((before, after), sizes, strict=True)])[order]
