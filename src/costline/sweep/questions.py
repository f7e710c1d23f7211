"""Questions about a sweep: which points, which of them are best, which are not beaten, what groups have in common.

All of them read the sweep once, block by block, and keep only what the answer needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costline.errors import InputError, QuantityError, nearest_names
from costline.numeric import Array
from costline.quantity import COUNT, read
from costline.report.values import KINDS
from costline.sweep.kept import Batch, Kept

COMPARE: Mapping[str, np.ufunc] = {
    "<=": np.less_equal, ">=": np.greater_equal, "!=": np.not_equal, "=": np.equal, "<": np.less, ">": np.greater,
}  # fmt: skip
CONDITION = re.compile(r"\s*([\w./]+(?: [\w]+)*?)\s*(<=|>=|!=|=|<|>)\s*(.+?)\s*")
MORE_IS_BETTER = re.compile(
    r".*(_rate|rate_per_chip|per_second_per_chip|tokens_per_second|_per_hour|mfu|mbu|hfu|goodput)"
)
MOST_GROUPS = 1_000_000


@dataclass(frozen=True)
class Condition:
    """``tpot < 50 ms``: a column compared with a value. [SI unit of the column]"""

    column: str
    compare: str
    value: float

    def holds(self, batch: Batch) -> Array:
        """Which points of a block meet it; unknown values meet none."""
        return np.asarray(COMPARE[self.compare](batch[self.column], self.value) & np.isfinite(batch[self.column]))


@dataclass(frozen=True)
class Goal:
    """``min cost_output``: what is better."""

    column: str
    sign: int

    def badness(self, batch: Batch) -> Array:
        """The column, turned so that less is better."""
        return np.asarray(batch[self.column] * self.sign)


def read_conditions(kept: Kept, text: str) -> list[Condition]:
    """Read conditions separated by commas: ``tpot < 50 ms, precision = fp8``.

    Raises
    ------
    InputError
        Not of that form; an unknown column or word; a value of another kind.
    """
    return [_condition(kept, piece) for piece in text.split(",") if piece.strip()]


def _condition(kept: Kept, text: str) -> Condition:
    parts = CONDITION.fullmatch(text)
    if parts is None:
        raise InputError(f"{text.strip()[:60]!r} is no condition, such as 'tpot < 50ms' or 'precision = fp8'")
    column = kept.column(parts[1])
    if column.name in kept.words:
        return _named(kept, column.name, parts[2], parts[3])
    if column.role in {"feasible", "reason"}:
        raise InputError(f"{column.name} is no number: points that do not fit are left out unless --all is given")
    try:
        return Condition(column.name, parts[2], read(parts[3], KINDS.get(column.unit, COUNT)))
    except QuantityError as error:
        raise InputError(f"{column.name}: {error}") from None


def _named(kept: Kept, column: str, compare: str, word: str) -> Condition:
    words = kept.words[column]
    if compare not in {"=", "!="}:
        raise InputError(f"{column} is a word: compare it with = or !=")
    if word not in words:
        near = nearest_names(word, words)
        raise InputError(f"{column}: no {word[:60]!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
    return Condition(column, compare, words.index(word))


def read_goals(kept: Kept, text: str) -> list[Goal]:
    """Read goals separated by commas: ``min cost_output, max output_rate``; without a word, rates and shares are
    better high and everything else low.

    Raises
    ------
    InputError
        An unknown column, or one of words.
    """
    goals = []
    for piece in text.split(","):
        word, _, name = piece.strip().rpartition(" ")
        column = kept.column(name).name
        if word.strip() not in {"", "min", "max"} or column in kept.words or column in {"feasible", "reason"}:
            raise InputError(f"{piece.strip()[:60]!r}: a goal is 'min FIGURE' or 'max FIGURE'")
        more = word.strip() == "max" or (not word.strip() and MORE_IS_BETTER.fullmatch(column) is not None)
        goals.append(Goal(column, -1 if more else 1))
    return goals


def matching(
    kept: Kept, names: Iterable[str], where: Sequence[Condition] = (), *, infeasible: bool = False
) -> Iterator[Batch]:
    """Points of each block that can be run and meet all conditions, with their number under ``point``."""
    wanted = dict.fromkeys(["point", "feasible", *names, *(condition.column for condition in where)])
    for batch in kept.batches(wanted):
        keep = np.ones(len(batch["point"]), dtype=bool) if infeasible else batch["feasible"].astype(bool)
        for condition in where:
            keep &= condition.holds(batch)
        yield {name: column[keep] for name, column in batch.items()}


def thinned(kept: Kept, limit: int, where: Sequence[Condition] = (), *, infeasible: bool = False) -> list[int]:
    """At most `limit` matching points, evenly thinned so that they come from the whole sweep."""
    found: list[Array] = []
    total, every = 0, 1
    for batch in matching(kept, (), where, infeasible=infeasible):
        places = np.arange(total, total + len(batch["point"]))
        found.append(np.stack([places, batch["point"]])[:, places % every == 0])
        total += len(places)
        while sum(part.shape[1] for part in found) > limit:
            every *= 2
            found = [part[:, part[0] % every == 0] for part in found]
    return np.concatenate([part[1] for part in found]).tolist() if found else []


class Groups:
    """Points by the listed values of some axes.

    Parameters
    ----------
    kept : Kept
        The sweep.
    per : sequence of str
        Axes; none makes one group of everything.

    Raises
    ------
    InputError
        A column that is no listed axis, or more groups than can be kept.
    """

    def __init__(self, kept: Kept, per: Sequence[str]) -> None:
        self.per = tuple(per)
        self.values = [kept.values(name) for name in per]
        self.words = [name in kept.words for name in per]
        self.shape = tuple(len(values) for values in self.values)
        self.size = int(np.prod(self.shape, dtype=object)) if self.shape else 1
        if self.size > MOST_GROUPS:
            raise InputError(f"{self.size:,} groups; the most is {MOST_GROUPS:,}")

    def of(self, batch: Batch) -> Array:
        """Number of the group of each point."""
        total = np.zeros(len(batch["point"]), dtype=np.int64)
        for name, values, word in zip(self.per, self.values, self.words, strict=True):
            total = total * len(values) + (batch[name] if word else _place(values, batch[name]))
        return total

    def names(self, number: int) -> list[float | str]:
        """Values of the axes of a group."""
        index = np.unravel_index(number, self.shape) if self.shape else ()
        return [values[int(place)] for values, place in zip(self.values, index, strict=True)]


def _place(values: Sequence[float | str], column: Array) -> Array:
    numbers = np.asarray(values, dtype=float)
    order = np.argsort(numbers)
    return order[np.clip(np.searchsorted(numbers[order], column), 0, len(numbers) - 1)]


def best(
    kept: Kept,
    goal: Goal,
    per: Sequence[str] = (),
    where: Sequence[Condition] = (),
    *,
    infeasible: bool = False,
) -> list[int]:
    """Best matching point of each group, the first of equals; groups without one are left out."""
    groups = Groups(kept, per)
    least, winner = np.full(groups.size, np.inf), np.full(groups.size, -1, dtype=np.int64)
    for batch in matching(kept, [goal.column, *per], where, infeasible=infeasible):
        badness, group = goal.badness(batch), groups.of(batch)
        badness = np.where(np.isnan(badness), np.inf, badness)
        before = least.copy()
        np.minimum.at(least, group, badness)
        hit = (badness == least[group]) & (badness < before[group])
        # the first of equals is written last
        winner[group[hit][::-1]] = batch["point"][hit][::-1]
    return [int(point) for point in winner if point >= 0]


def front(kept: Kept, goals: Sequence[Goal], where: Sequence[Condition] = (), *, infeasible: bool = False) -> list[int]:
    """Matching points that no other beats in every goal, by the first goal."""
    points, costs = np.empty(0, dtype=np.int64), np.empty((0, len(goals)))
    for batch in matching(kept, [goal.column for goal in goals], where, infeasible=infeasible):
        here = np.stack([goal.badness(batch) for goal in goals], axis=1)
        hopeful = np.isfinite(here).all(axis=1)
        hopeful[hopeful] = ~_beaten(here[hopeful], costs)
        costs = np.concatenate([costs, here[hopeful]])
        points = np.concatenate([points, batch["point"][hopeful]])
        keep = unbeaten(costs)
        points, costs = points[keep], costs[keep]
    return [int(point) for point in points[np.lexsort((points, costs[:, 0]))]]


def _beaten(costs: Array, others: Array) -> Array:
    """Rows that the front of earlier blocks equals or beats; told for two goals, where it is a look-up in a stair."""
    if costs.shape[1] != 2 or not len(others):
        return np.zeros(len(costs), dtype=bool)
    order = np.argsort(others[:, 0])
    stair = others[order]
    step = np.searchsorted(stair[:, 0], costs[:, 0], side="right") - 1
    return np.asarray((step >= 0) & (stair[np.maximum(step, 0), 1] <= costs[:, 1]))


def unbeaten(costs: Array) -> Array:
    """Rows that no other row beats: none is as low everywhere and lower somewhere; of equal rows the first.

    Examples
    --------
    >>> unbeaten(np.array([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0]])).tolist()
    [0, 1]
    """
    order = np.lexsort((np.arange(len(costs)), *costs.T[::-1]))
    ranked = costs[order]
    if costs.shape[1] <= 2:
        last = ranked[:, -1]
        lowest = np.minimum.accumulate(last)
        kept = np.ones(len(last), dtype=bool)
        kept[1:] = last[1:] < lowest[:-1]
        if costs.shape[1] == 1:
            kept[1:] = False
        return np.asarray(np.sort(order[kept]))
    front: list[int] = []
    left = np.arange(len(ranked))
    while left.size:  # what comes first by all columns in turn cannot be beaten by what comes later
        head = left[0]
        front.append(int(head))
        left = left[1:][(ranked[left[1:]] < ranked[head]).any(axis=1)]
    return np.asarray(np.sort(order[front]), dtype=np.int64)


@dataclass(frozen=True)
class Span:
    """A figure of a group: how many points have it, least, mean, largest. [SI unit]"""

    count: int
    least: float | None
    mean: float | None
    most: float | None


class Tally:
    """Running count, sum and ends of one figure by group."""

    def __init__(self, groups: int) -> None:
        self.counts = np.zeros(groups, dtype=np.int64)
        self.sums = np.zeros(groups)
        self.least, self.most = np.full(groups, np.inf), np.full(groups, -np.inf)

    def add(self, values: Array, group: Array) -> None:
        """Count the values of a block; unknown ones are left out."""
        known = np.isfinite(values)
        values, group = values[known], group[known]
        if len(self.counts) == 1:  # sums of everything are several times as fast as sums by group
            self.counts += len(values)
            self.sums += values.sum()
            self.least = np.minimum(self.least, values.min(initial=np.inf))
            self.most = np.maximum(self.most, values.max(initial=-np.inf))
            return
        self.counts += np.bincount(group, minlength=len(self.counts))
        self.sums += np.bincount(group, values, minlength=len(self.counts))
        np.minimum.at(self.least, group, values)
        np.maximum.at(self.most, group, values)

    def span(self, group: int) -> Span:
        """What a group has."""
        count = int(self.counts[group])
        if not count:
            return Span(0, None, None, None)
        return Span(count, float(self.least[group]), float(self.sums[group]) / count, float(self.most[group]))


@dataclass(frozen=True)
class Group:
    """Points that share the values of some axes.

    Attributes
    ----------
    values : tuple
        Values of the axes.
    points : int
        Points that match.
    figures : mapping of str to Span
        Spans of the figures over them.
    """

    values: tuple[float | str, ...]
    points: int
    figures: Mapping[str, Span]


def spans(
    kept: Kept,
    names: Sequence[str],
    per: Sequence[str] = (),
    where: Sequence[Condition] = (),
    *,
    infeasible: bool = False,
) -> list[Group]:
    """Least, mean and largest value of figures, by group; groups without a point are left out."""
    groups = Groups(kept, per)
    points = np.zeros(groups.size, dtype=np.int64)
    tallies = {name: Tally(groups.size) for name in names}
    for batch in matching(kept, [*names, *per], where, infeasible=infeasible):
        group = groups.of(batch)
        points += np.bincount(group, minlength=groups.size)
        for name, tally in tallies.items():
            tally.add(batch[name], group)
    return [
        Group(
            tuple(groups.names(number)), int(points[number]), {name: one.span(number) for name, one in tallies.items()}
        )
        for number in map(int, np.flatnonzero(points))
    ]
