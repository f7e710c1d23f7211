"""From settings to an answer: search, then work out in full what is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from costline.estimate import Assumption, Estimate, Figure
from costline.quantity import BYTES, DOLLARS, DOLLARS_PER_TOKEN, JOULES, SECONDS, show
from costline.search.limits import FRONTS, OBJECTIVES, Goal, Limit, Study
from costline.search.result import Missing, PlanSearch, Row
from costline.search.setting import Setting
from costline.search.terms import differences, terms
from costline.search.walk import Found, Pick, search
from costline.studies.blocks import listed
from costline.studies.fit import size

Wider: TypeAlias = Sequence[Sequence[tuple[str, Callable[[], Sequence[Setting]]]]]
"""Groups of settings to fall back on, each with words for it."""

WRITTEN = {"s": SECONDS, "USD": DOLLARS, "byte": BYTES, "J": JOULES, "USD/token": DOLLARS_PER_TOKEN}
"""Kinds of figures that are written with prefixes, by unit."""
MOST_RIVALS, MOST_FRONT = 6, 40
"""Runners-up that are worked out; rows of a front that are, evenly chosen if there are more."""
MOST_LOOKED = 2_000_000
"""Plans of a group of wider settings after which no wider one is looked at: a few seconds."""


def found_plan(
    study: Study,
    settings: Sequence[Setting],
    goal: Goal,
    limits: Sequence[Limit],
    title: str,
    assumptions: Iterable[Assumption] = (),
    wider: Wider = (),
    every: Callable[[], Sequence[Setting]] | None = None,
) -> PlanSearch:
    """Search settings and answer.

    Parameters
    ----------
    study : {"train", "serve", "generate"}
        What is run.
    settings : sequence of Setting
        The spaces.
    goal : {"time", "cost", "energy", "throughput"}
        What is sought.
    limits : sequence of Limit
        What must hold besides fitting in memory.
    title : str
        The question in words.
    assumptions : iterable of Assumption
        What was assumed.
    wider : sequence of sequences
        Groups of other settings with words for them, nearest first; where nothing is found, the first of each group
        that has an answer is named.
    every : callable, optional
        The spaces with what breaks a limit for sure, where `settings` are without: searched if nothing is found, to
        tell what comes nearest.
    """
    start = time.perf_counter()
    objective = OBJECTIVES[study][goal]
    found = search(settings, objective, limits, FRONTS[study])
    if found.best is None and limits and every is not None:
        settings = every()
        found = search(settings, objective, limits, ())
    answer = PlanSearch(
        study=study, title=title, objective=objective.figure, best=None, estimate=None, considered=found.considered,
        fitting=found.fitting, meeting=found.meeting, assumptions=tuple(assumptions),
    )  # fmt: skip
    if found.best is None:
        answer = replace(answer, seconds=time.perf_counter() - start)
        return replace(answer, missing=_missing(found, settings, wider))
    shown = list(dict.fromkeys([objective.figure, *(limit.figure for limit in limits),
                                *(one.figure for one in FRONTS[study])]))  # fmt: skip
    best = _worked_out(settings, found.best)
    answer = replace(answer, best=_row(settings, found.best, best.figures, shown))
    rivals = [_rival(settings, pick, found, best, shown) for pick in _rivals(found)]
    return replace(
        answer,
        estimate=best,
        front=_front(settings, _thinned(found.front), shown),
        rivals=_distinct(rivals, answer.best),
        unit=terms(best, objective.figure)[0],
        seconds=time.perf_counter() - start,
    )


def _worked_out(settings: Sequence[Setting], pick: Pick) -> Estimate:
    setting = settings[pick.setting]
    return setting.estimate(setting.one(pick.fields), pick.fields)


def _row(settings: Sequence[Setting], pick: Pick, figures: Mapping[str, Figure], shown: Iterable[str]) -> Row:
    setting = settings[pick.setting]
    figures = {name: replace(figures[name], children=()) for name in shown if name in figures}
    words = setting.shown(setting.one(pick.fields), pick.fields)
    return Row(where=setting.words, plan=words, fields=pick.fields, figures=figures)


def _front(settings: Sequence[Setting], picks: Sequence[Pick], shown: Sequence[str]) -> tuple[Row, ...]:
    """Rows of a front; those of one setting are measured together."""
    rows: dict[int, Row] = {}
    for number in {pick.setting for pick in picks}:
        setting = settings[number]
        places = [place for place, pick in enumerate(picks) if pick.setting == number]
        block = listed([picks[place].fields for place in places])
        machine, _ = setting.block(block)
        figures = setting.measure(machine, block.fields).figures
        figures = {name: figures[name] for name in shown if name in figures}
        for position, place in enumerate(places):
            own = {name: _at(figure, position, len(places)) for name, figure in figures.items()}
            rows[place] = _row(settings, picks[place], own, shown)
    return tuple(rows[place] for place in range(len(picks)))


def _at(figure: Figure, position: int, count: int) -> Figure:
    """One entry of a figure of arrays, without its parts."""
    chosen = {name: getattr(figure, name) for name in ("value", "low", "high")}
    chosen = {
        name: None if one is None else float(np.broadcast_to(one, count)[position]) for name, one in chosen.items()
    }
    return replace(figure, children=(), **chosen)


def _rival(settings: Sequence[Setting], pick: Pick, found: Found, best: Estimate, shown: Iterable[str]) -> Row:
    estimate = _worked_out(settings, pick)
    row, name = _row(settings, pick, estimate.figures, shown), found.objective.figure
    first = abs(found.best.badness) if found.best is not None else 0.0
    small, large = sorted((first, abs(pick.badness)))
    return replace(row, differences=differences(estimate, best, name), excess=large / small - 1 if small else 0.0)


def _distinct(rows: Sequence[Row], best: Row | None) -> tuple[Row, ...]:
    """Rows that read differently from the best and from each other."""
    known = {(row.where, row.plan): row for row in reversed(rows)}
    if best is not None:
        known.pop((best.where, best.plan), None)
    return tuple(sorted(known.values(), key=lambda row: row.excess))


def _rivals(found: Found) -> list[Pick]:
    """For each choice the best plan makes, the best plan that makes another one; best first."""
    best = found.best
    if best is None:
        return []
    nearest: dict[tuple[int, str], Pick] = {}
    for (setting, name, value), pick in found.others.items():
        other_place = setting != best.setting
        if not other_place and best.fields.get(name) == value:
            continue
        key = (setting, "" if other_place else name)
        if key not in nearest or pick.badness < nearest[key].badness:
            nearest[key] = pick
    distinct: dict[tuple[Any, ...], Pick] = {}
    for pick in sorted(nearest.values(), key=lambda one: one.badness):
        distinct.setdefault((pick.setting, *sorted(pick.fields.items())), pick)
    return list(distinct.values())[:MOST_RIVALS]


def _thinned(front: Sequence[Pick]) -> list[Pick]:
    if len(front) <= MOST_FRONT:
        return list(front)
    return [front[place] for place in np.linspace(0, len(front) - 1, MOST_FRONT).astype(int)]


def _missing(found: Found, settings: Sequence[Setting], wider: Wider) -> Missing:
    """What the nearest plans lack, and the first wider settings that have it."""
    start, looked = time.perf_counter(), 0
    changes, ended = [], []
    for group in wider:
        plans = 0
        for place, (words, made) in enumerate(group):
            others = made()
            again = search(others, found.objective, found.limits, ())
            plans += again.considered
            if again.best is not None:
                setting = others[again.best.setting]
                changes.append(f"{words}: {setting.shown(setting.one(again.best.fields), again.best.fields)}")
                break
            if plans > MOST_LOOKED and place < len(group) - 1:
                ended.append(words)
                break
        looked += plans
    spent = time.perf_counter() - start
    return Missing(
        reasons=tuple(_reasons(found, settings)), changes=tuple(changes), looked=looked, ended=" and ".join(ended),
        seconds=spent,
    )  # fmt: skip


def _reasons(found: Found, settings: Sequence[Setting]) -> list[str]:
    """What the nearest plans lack."""
    reasons = []
    if not found.considered:
        reasons.append("no legal plan: the fields you fixed leave none, or the batch is too small for a replica")
    elif not found.fitting and found.leanest is not None:
        reasons.append(_memory_words(settings, found.leanest))
    elif not found.limits:
        reasons.append(f"{found.objective.figure} is not known for any plan")
    for place, limit in enumerate(found.limits):
        if place in found.nearest:
            pick = found.nearest[place]
            near = _worked_out(settings, pick).figures[limit.figure]
            if not limit.met({limit.figure: near}):
                setting = settings[pick.setting]
                words = setting.shown(setting.one(pick.fields), pick.fields)
                reasons.append(f"{limit.words}: the nearest any plan comes is {_shown(near)}, with {words}")
    if found.fitting and not reasons:
        reasons.append("every limit can be kept alone, but no plan keeps all of them together")
    return reasons


def _memory_words(settings: Sequence[Setting], pick: Pick) -> str:
    setting, estimate = settings[pick.setting], _worked_out(settings, pick)
    memory = estimate.figure("memory")
    need, offer = float(np.max(memory.amount)), float(np.max(memory.high if memory.high is not None else 0.0))
    words = setting.shown(setting.one(pick.fields), pick.fields)
    lack = f"{size(need - offer)} a chip missing" if need > offer else ""
    if need <= offer:
        return f"the leanest plan fits in memory but cannot be run: {estimate.reason or words}"
    return f"the leanest plan needs {size(need)} a chip of {size(offer)} usable, {lack}: {words} on {setting.words}"


def _shown(figure: Figure) -> str:
    value = float(np.max(figure.amount))
    if figure.unit == "1":
        return f"{100 * value:.3g} %"
    kind = WRITTEN.get(figure.unit)
    return f"{value:.4g} {figure.unit}".strip() if kind is None else show(value, kind)
