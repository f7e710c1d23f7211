"""Search freely: spaces too large to enumerate, by optuna's sampler, many trials at a time.

The grid is searched first; its best design of every kind of memory is where a study starts, and its index is the unit,
so that an index below 1 is a design between the points of the grid.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costline.errors import InputError
from costline.numeric import Array
from costline.silicon.blueprint import Blueprint
from costline.silicon.designs import LINKS, MEMORIES, NODES, ON_CHIP, RATES, Batch, Case, priced, space, speeds
from costline.silicon.inputs import memory_type
from costline.silicon.search import Found, bests, found_in, index

TOGETHER = 32
"""Trials evaluated at once."""
REFUSED = 1e9
"""Index that a design that cannot be built reports to the sampler."""
MOST_DIES = 6
"""Most logic dies tried."""


def search_freely(case: Case, trials: int) -> Found:
    """Search every kind of memory with a number of trials.

    Raises
    ------
    InputError
        optuna is not installed.
    """
    optuna = _optuna()
    start = time.process_time()
    grid = list(space(case))
    best = bests(grid, case)
    known = [index(batch, case, best) for batch in grid]
    batches, values = [*grid], [*known]
    for memory, devices, clamshell, pim in (*MEMORIES, ("SRAM", (), False, "")):
        same = [
            (batch, each) for batch, each in zip(grid, known, strict=True)
            if (batch.blueprint.memory, batch.pim, batch.blueprint.clamshell) == (memory, pim, clamshell)
        ]  # fmt: skip
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
        study.enqueue_trial(_first(same, devices))
        for made in _tried(study, case, trials, (memory, devices, clamshell, pim), best):
            batches.append(made)
            values.append(index(made, case, best))
    how = f"of a grid and {trials:,} free trials of each memory"
    return found_in(case, batches, values, time.process_time() - start, how)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        needed = "a free search needs optuna: pip install '.[design]' in a clone, or leave out --trials"
        raise InputError(needed) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _first(batches: Sequence[tuple[Batch, Array]], devices: Sequence[int]) -> dict[str, Any]:
    """The best of the grid, as a trial."""
    batch, values = min(batches, key=lambda pair: float(np.min(pair[1])))
    one = batch.one(int(np.argmin(values)))
    first: dict[str, Any] = {"node": one.process, "rate": one.rate, "link": one.link, "dies": int(one.parts)}
    if not devices:
        return first | {"sram": one.sram}
    return first | {"devices": int(one.devices), "large": bool(one.device_size > one.kind.capacity)}  # type: ignore[union-attr, operator]


def _tried(
    study: Any, case: Case, trials: int, arrangement: tuple[str, Sequence[int], bool, str], best: dict[str, float]
) -> Iterator[Batch]:
    """Batches of trials of one kind of memory, on every node."""
    memory, devices, clamshell, pim = arrangement
    for done in range(0, trials, TOGETHER):
        asked = [study.ask() for _ in range(min(TOGETHER, trials - done))]
        choices = [_choices(trial, devices, clamshell=clamshell) for trial in asked]
        base = _blueprint(memory, choices, clamshell=clamshell, pim=pim)
        fast = speeds(case, replace(base, dies=1.0), pim)
        told = np.full(len(asked), REFUSED)
        for node in NODES:
            made = priced(case, replace(base, process=node), pim, fast)
            own = np.array([each["node"] == node for each in choices])
            made = replace(made, valid=made.valid & own)
            told = np.where(own, np.minimum(index(made, case, best), REFUSED), told)
            if own.any():
                yield made
        for trial, value in zip(asked, told, strict=True):
            study.tell(trial, float(value))


def _choices(trial: Any, devices: Sequence[int], *, clamshell: bool) -> dict[str, Any]:
    """What the sampler chooses."""
    chosen = {
        "node": trial.suggest_categorical("node", NODES),
        "rate": trial.suggest_float("rate", float(RATES[0]), float(RATES[-1]), log=True),
        "link": trial.suggest_float("link", float(LINKS[0]), float(LINKS[-1]), log=True),
        "dies": trial.suggest_int("dies", 1, MOST_DIES),
    }
    if not devices:
        return chosen | {"sram": trial.suggest_float("sram", float(ON_CHIP[0]), float(ON_CHIP[-1]), log=True)}
    least, step = (2, 2) if clamshell else (1, 1)
    return chosen | {
        "devices": trial.suggest_int("devices", least, max(devices), step=step),
        "large": trial.suggest_categorical("large", [False, True]),
    }


def _blueprint(memory: str, choices: Sequence[dict[str, Any]], *, clamshell: bool, pim: str) -> Blueprint:
    """The trials as one blueprint of arrays."""

    def column(name: str) -> Array:
        return np.array([each[name] for each in choices], dtype=float)

    given: dict[str, Any] = {name: column(name) for name in ("rate", "link", "dies")}
    if memory == "SRAM":
        given["sram"] = column("sram")
    else:
        kind = memory_type(memory)
        large = np.array([each["large"] for each in choices])
        given |= {"devices": column("devices"), "device_size": np.where(large, kind.capacity_limit, kind.capacity)}
    return Blueprint(name="design", process=NODES[0], memory=memory, clamshell=clamshell, in_memory=bool(pim), **given)
