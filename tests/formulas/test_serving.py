"""The queue of a running batch, against the queue itself."""

from __future__ import annotations

import numpy as np
import pytest

from costline.formulas.serving import ttft_under_load


def waited(sources: int, load: float, rounds: int = 80) -> float:
    """Mean wait, in services of length 1, of sources that each return once a period and start at random."""
    random, found = np.random.default_rng(1), []
    for _ in range(rounds):
        period = sources / load
        phases = np.sort(random.random(sources)) * period
        arrivals = np.concatenate([phases + turn * period for turn in range(5)])
        wait, waits = 0.0, []
        for gap in np.diff(arrivals, prepend=arrivals[0]):
            wait = max(wait + 1 - gap, 0.0) if waits else 0.0
            waits.append(wait)
        found.append(np.mean(waits[-sources:]))
    return float(np.mean(found))


@pytest.mark.parametrize("sources", [144, 400])
def test_at_full_load_requests_that_return_at_random_wait_as_a_brownian_bridge(sources):
    """sqrt(pi / 8) services for the root of their number; a finite number waits a little less."""
    formula = ttft_under_load(1.0, 0.0, float(sources), np.sqrt(np.pi / 8), sources) - 1.0
    assert waited(sources, 1.0) == pytest.approx(formula, rel=0.2)
    assert waited(sources, 0.5) < 0.2 * formula, "an engine that prefills half of the time has hardly a queue"


def test_one_request_waits_for_nobody():
    assert ttft_under_load(0.25, 0.5, 0.25, 0.5, 1, server=0.1) == 0.35
