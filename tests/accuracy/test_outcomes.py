"""Rows predicted by several sets of coefficients: the same whoever predicts them."""

from __future__ import annotations

import pickle
from concurrent.futures import Future

import pytest

from costline.accuracy import outcomes as module
from costline.accuracy.baselines import roofline
from costline.accuracy.outcomes import outcomes
from costline.accuracy.predict import predict, prepare
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import read_measurements
from tests.accuracy.conftest import GENERATE, SERVE, TRAIN

COUNT = 3 * module.PIECE + 1


class Pool:
    """In the place of a second process, which begins some pieces; what would be sent can be pickled."""

    begun = 0

    def __init__(self, count, initializer, initargs):
        assert count == 1
        assert pickle.dumps(initargs)
        initializer(*initargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def submit(self, function, start):
        future = Future()
        if start < self.begun * module.PIECE:
            future.set_running_or_notify_cancel()
            future.set_result(function(start))
            assert pickle.dumps(future.result())
        return future


@pytest.fixture
def rows(write):
    """Rows of every kind, one of which is refused."""
    serving = [{**SERVE, "id": f"{row}", "concurrency_or_batch": str(row + 1)} for row in range(COUNT - 3)]
    serving.append({**SERVE, "id": "x", "chip": "abacus"})
    files = (write(*serving), write(TRAIN, name="t.csv"), write(GENERATE, name="g.csv"))
    return [row for file in files for row in read_measurements(file).rows]


@pytest.mark.parametrize("begun", [0, 1, 2, 4])
def test_it_does_not_matter_which_process_predicts_a_row(begun, rows, efficiency, monkeypatch):
    used = (efficiency, roofline(efficiency))
    alone = [[row.outcome for row in predict(rows, each)] for each in used]
    monkeypatch.setattr(module, "MANY", COUNT)
    monkeypatch.setattr(module, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(Pool, "begun", begun)
    with outcomes(rows, [prepare(row, efficiency) for row in rows], used) as found:
        together = found()
    assert len(together) == COUNT
    for one, other in zip(together, zip(*alone, strict=True), strict=True):
        assert [_plain(each) for each in one] == [_plain(each) for each in other]


def _plain(outcome):
    return outcome.reason if isinstance(outcome, Refusal) else (outcome.value, outcome.low, outcome.high)


def test_two_real_processes_agree_with_one(rows, efficiency, monkeypatch):
    used, cases = (efficiency, roofline(efficiency)), [prepare(row, efficiency) for row in rows]
    with outcomes(rows, cases, used) as found:
        alone = found()
    monkeypatch.setattr(module, "MANY", COUNT)
    with outcomes(rows, cases, used) as found:
        assert found() == alone


def test_no_rows_have_no_outcomes(efficiency):
    with outcomes([], [], (efficiency,)) as found:
        assert found() == []
