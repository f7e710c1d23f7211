"""The queue of a running batch, against the queue itself."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from costline.formulas.serving import ahead_share, started_share, ttft_under_load


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


def ahead(clients: int, rounds: int, shortest: float) -> float:
    """Prefills before a newcomer's, over the other clients, in an engine that takes prompts in before it goes on.

    Answers have between a share and all of 400 tokens; a prefill takes as long as 20 steps of decoding.
    """
    random, now = np.random.default_rng(3), 0.0
    queue, running, sent, waits = [(0.0, turn) for turn in range(clients)], {}, [1] * clients, []
    while queue or running:
        if queue:
            arrival, turn = queue.pop(0)
            waits.append((now - arrival) / 20)
            now += 20
            running[turn] = int(random.uniform(shortest, 1) * 400)
            continue
        now += 1
        for turn in [turn for turn, left in running.items() if left == 1]:
            del running[turn]
            if sent[turn] < rounds:
                sent[turn] += 1
                queue.append((now, turn))
        running = {turn: left - 1 for turn, left in running.items()}
    return float(np.mean(waits)) / (clients - 1)


def test_requests_of_one_length_come_back_together_and_others_do_not():
    """The first wait for half of the others in every round, the latter in the first of ten and for few in the rest."""
    assert ahead(32, 10, 1.0) == pytest.approx(0.5)
    assert ahead(32, 10, 0.8) == pytest.approx(ahead_share(10), rel=0.4)


@pytest.mark.parametrize(("asked", "places", "rounds"), [(1600, 800, 1), (400, 200, 10), (960, 240, 1), (384, 96, 4)])
def test_waits_for_a_place_from_the_start(asked, places, rounds):
    """Told by letting clients in one by one; their stays vary as much as they last, so places come free evenly."""
    random, waits, sent = np.random.default_rng(5), [], asked
    coming, leaving = [0.0] * asked, [0.0] * places
    while coming:
        arrival = heapq.heappop(coming)
        begin = max(arrival, heapq.heappop(leaving))
        waits.append(begin - arrival)
        left = begin + random.exponential()
        heapq.heappush(leaving, left)
        if sent < rounds * asked:
            sent += 1
            heapq.heappush(coming, left)
    told = np.mean(waits) / (asked / places - 1)
    assert started_share(asked, places, rounds) == pytest.approx(told, rel=0.1)


def test_one_request_waits_for_nobody():
    assert ttft_under_load(0.25, 0.5, 0.25, 0.5, 1, server=0.1) == 0.35
