"""The queue of a running batch, against the queue itself."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from costline.formulas.serving import ttft_under_load


def waited(clients: int, rounds: int, pause: float) -> float:
    """Mean wait, in services of length 1, of clients that start at once and return a pause after each service."""
    coming, free, waits = [(0.0, turn) for turn in range(clients)], 0.0, []
    while len(waits) < clients * rounds:
        arrival, turn = heapq.heappop(coming)
        waits.append(max(free - arrival, 0.0))
        free = max(free, arrival) + 1
        heapq.heappush(coming, (free + pause, turn))
    return float(np.mean(waits))


@pytest.mark.parametrize(("clients", "rounds"), [(16, 10), (64, 10), (256, 5)])
def test_requests_that_start_at_once_queue_in_their_first_round_alone(clients, rounds):
    """After it they return as they were served, one after the other."""
    share = 1 / (2 * rounds)
    formula = ttft_under_load(1.0, 0.0, float(clients), share, clients) - 1.0
    assert waited(clients, rounds, 2.0 * clients) == pytest.approx(formula, rel=1e-12)
    assert waited(clients, 1, 2.0 * clients) == pytest.approx(formula * rounds, rel=1e-12)


def test_one_request_waits_for_nobody():
    assert ttft_under_load(0.25, 0.5, 0.25, 0.5, 1, server=0.1) == 0.35
