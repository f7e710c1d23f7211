"""Infeasible is an answer: the reason, and the nearest change that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.quantity import BYTES, show


@dataclass(frozen=True)
class Fit:
    """Whether something can be run, why not, and what would."""

    feasible: bool | np.ndarray[Any, np.dtype[np.bool_]]
    reason: str = ""
    change: str = ""


def size(value: Any) -> str:
    """Bytes for a sentence, in the units of the tables."""
    return show(float(value), BYTES)


def nearest_fit(memory: Memory, changes: Callable[[], Sequence[Fit]]) -> Fit:
    """Compare what is needed with what a chip offers; `changes` finds those that fit, nearest first, if it is asked."""
    fits = np.asarray(memory.fits)
    if fits.ndim:
        return Fit(fits)
    if fits:
        return Fit(True)
    largest = max(memory.items, key=lambda name: float(memory.items[name]))
    reason = (
        f"needs {size(memory.total)} a chip of {size(memory.usable)} usable, "
        f"{size(memory.items[largest])} of it {largest}"
    )
    options = " or ".join(change.change for change in changes()[:3])
    return Fit(False, reason, f"fits with {options}" if options else "no single change found that fits")
