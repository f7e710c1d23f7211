"""Walking all settings block by block: the best, the front, the best of every other choice, what came nearest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from costline.numeric import Array
from costline.search.front import non_dominated
from costline.search.limits import Limit, Objective
from costline.search.setting import Measured, Setting, plain
from costline.studies.blocks import Block


@dataclass(frozen=True)
class Pick:
    """One combination: its setting by number, its fields, how bad it is, and what decides between equals."""

    setting: int
    fields: Mapping[str, Any]
    badness: float
    ties: tuple[float, ...] = ()


@dataclass
class Found:
    """What a search keeps while it walks; its size does not grow with the space but for the front.

    Attributes
    ----------
    best : Pick or None
        The best that fits and keeps all limits.
    considered, fitting, meeting : int
        Legal combinations; those that fit; those that keep all limits besides.
    front : list of Pick
        The Pareto front, and its values in `front_values`.
    others : dict
        Best by setting, axis and value.
    leanest : Pick or None
        The legal combination that needs the smallest share of its chip's memory.
    nearest : dict of int to Pick
        For each limit, by its number, the fitting combination that comes closest to it.
    """

    objective: Objective
    limits: Sequence[Limit]
    measures: Sequence[Objective]
    best: Pick | None = None
    considered: int = 0
    fitting: int = 0
    meeting: int = 0
    front: list[Pick] = field(default_factory=list)
    front_values: Array = field(init=False)
    others: dict[tuple[int, str, Any], Pick] = field(default_factory=dict)
    leanest: Pick | None = None
    nearest: dict[int, Pick] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.front_values = np.empty((0, len(self.measures)))

    def weigh(self, number: int, block: Block, legal: Array, share: Any) -> None:
        """Count a block of a setting, of whose memory the combinations need a share."""
        self.considered += int(block.flat(legal).sum())
        self.leanest = _better(self.leanest, _least(number, block, np.where(legal, share, np.inf)))

    def take(self, number: int, setting: Setting, block: Block, legal: Array, measured: Measured) -> None:
        """Add the figures of a block of a setting."""
        figures = measured.figures
        fits = legal & measured.fits
        good = fits
        for limit in self.limits:
            good = good & limit.met(figures)
        self.fitting += int(block.flat(fits).sum())
        for place, limit in enumerate(self.limits):
            distance = Objective(limit.figure, largest=not limit.most).badness(figures)
            near = _least(number, block, np.where(fits, distance, np.inf))
            if (kept := _better(self.nearest.get(place), near)) is not None:
                self.nearest[place] = kept
        passed = block.flat(good)[:, 0]
        self.meeting += int(passed.sum())
        if passed.any():
            self._score(number, setting, block, passed, measured)

    def _score(self, number: int, setting: Setting, block: Block, passed: Array, measured: Measured) -> None:
        flat = block.flat(self.objective.badness(measured.figures))[:, 0]
        score = np.where(passed, np.nan_to_num(flat, nan=np.inf), np.inf)
        columns = [block.flat(one.badness(measured.figures))[:, 0] for one in self.measures]
        self.best = _better(self.best, _first(number, block, score, columns))
        if not columns:
            return
        self._compare(number, block, score, setting.compared)
        places = np.flatnonzero(passed)
        values = np.stack([column[places] for column in columns], axis=1)
        if len(self.front):  # most are beaten by what is known; that is cheaper to see than a front
            values, places = _unbeaten(values, places, self.front_values)
        kept = non_dominated(values)
        rows, chosen = block.at(places[kept]), score[places[kept]]
        picks = [Pick(number, _row(rows, row), float(chosen[row])) for row in range(len(kept))]
        together = np.concatenate([self.front_values, values[kept]])
        picks = [*self.front, *picks]
        stay = non_dominated(together)
        self.front, self.front_values = [picks[place] for place in stay], together[stay]

    def _compare(self, number: int, block: Block, score: Array, compared: Collection[str] | None) -> None:
        """The best for every value of every axis that is compared."""
        shaped = score.reshape(block.shape)
        for axis, (name, values) in enumerate(block.fields.items()):
            if compared is not None and name not in compared:
                continue
            rows = np.moveaxis(shaped, axis, 0).reshape(block.shape[axis], -1)
            least = rows.min(axis=1)
            for place, value in enumerate(values.reshape(-1)):
                key = (number, name, plain(value))
                known = self.others.get(key)
                if np.isfinite(least[place]) and (known is None or least[place] < known.badness):
                    inside = np.where(np.arange(block.shape[axis]) == place, 0.0, np.inf)
                    lane = [1] * len(block.shape)
                    lane[axis] = -1
                    self.others[key] = _pick(number, block, (shaped + inside.reshape(lane)).ravel())


def search(
    settings: Sequence[Setting], objective: Objective, limits: Sequence[Limit], measures: Sequence[Objective]
) -> Found:
    """Evaluate every combination of every setting.

    Nothing is skipped but values of which no legal combination fits: what breaks a limit or is beaten is known to be
    so because it was worked out. Without `measures` there is no front, and other choices are not compared.
    """
    found = Found(objective, limits, measures)
    for number, setting in enumerate(settings):
        for block in setting.walked(setting.axes):
            _walk(found, number, setting, block)
    return found


def _walk(found: Found, number: int, setting: Setting, block: Block) -> None:
    """Evaluate a block, without the values of which nothing fits where memory alone is far less work."""
    machine, legal = setting.block(block)
    if not legal.any():
        return
    if setting.memory is not None:
        needed = setting.memory(machine)
        found.weigh(number, block, legal, needed.total / needed.usable)
        fits = legal & needed.fits
        if not fits.any():
            return
        block = block.within(fits)
        machine, legal = setting.block(block)
    measured = setting.measure(machine, block.fields)
    if setting.memory is None:
        memory = measured.figures["memory"]
        found.weigh(number, block, legal, np.asarray(memory.amount) / np.asarray(memory.high))
    found.take(number, setting, block, legal, measured)


def _unbeaten(values: Array, places: Array, known: Array) -> tuple[Array, Array]:
    """Rows that no known row beats or equals."""
    for row in known[:: max(len(known) // 16, 1)]:
        stay = (values < row).any(axis=1)
        values, places = values[stay], places[stay]
    return values, places


def _least(number: int, block: Block, values: Any) -> Pick | None:
    flat = block.flat(values)[:, 0]
    pick = _pick(number, block, flat)
    return pick if np.isfinite(pick.badness) else None


def _first(number: int, block: Block, score: Array, columns: Sequence[Array]) -> Pick | None:
    """The best of a block; of equals the one that is better in the first measure that tells them apart."""
    least = score.min()
    if not np.isfinite(least):
        return None
    equal = np.flatnonzero(score == least)
    place = equal[np.lexsort((equal, *(column[equal] for column in reversed(columns))))[0]]
    ties = tuple(float(column[place]) for column in columns)
    return Pick(number, _row(block.at(np.array([place])), 0), float(least), ties)


def _pick(number: int, block: Block, flat: Array) -> Pick:
    winner = int(flat.argmin())
    return Pick(number, _row(block.at(np.array([winner])), 0), float(flat[winner]))


def _row(rows: Mapping[str, Array], place: int) -> dict[str, Any]:
    return {name: plain(values[place]) for name, values in rows.items()}


def _better(one: Pick | None, other: Pick | None) -> Pick | None:
    if one is None or other is None:
        return one if other is None else other
    return other if (other.badness, other.ties) < (one.badness, one.ties) else one
