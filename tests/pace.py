"""Seconds of a reference machine: what a measured time would have been on a core that nothing else slows.

Budgets are promised for a core that runs CPython 3.11 at the pace of `REFERENCE`. Shared machines change their pace by
a factor of two from one minute to the next, so each measurement is taken between two runs of the same short loop and
is divided by how much slower than the reference these were. A faster machine is not given credit.
"""

from __future__ import annotations

import time

REFERENCE = 0.045
"""Seconds of `loop` on a server core of some 3 GHz with CPython 3.11."""
TRIES = 10


def loop() -> float:
    """Processor time of a million multiplications in plain Python. [s]"""
    before = time.thread_time()
    sum(number * number for number in range(1_000_000))
    return time.thread_time() - before


def paced(measure):
    """Seconds that `measure` returns, at the pace of the reference machine."""
    before = loop()
    seconds = measure()
    return seconds / max(1.0, (before + loop()) / 2 / REFERENCE)


def best(measure, budget):
    """Best of several tries at the reference pace; the first within the budget ends them."""
    seconds = float("inf")
    for _ in range(TRIES):
        seconds = min(seconds, paced(measure))
        if seconds <= budget:
            break
    return seconds
