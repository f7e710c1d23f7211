"""Many rows predicted by several sets of coefficients, on two cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeAlias

from costline.accuracy.predict import evaluate, prepare
from costline.accuracy.prediction import Case, Outcome, Prediction
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import Measurement
from costline.hardware.efficiency import Efficiency

MANY = 300
"""Rows from which on a second process pays."""
PIECE = 32
"""Rows that a process takes at a time."""

Outcomes: TypeAlias = tuple[Outcome, ...]
"""What a row is predicted to be by each set of coefficients, without what the figures are made of."""


@contextmanager
def outcomes(
    rows: Sequence[Measurement], cases: Sequence[Case | Refusal], used: Sequence[Efficiency]
) -> Iterator[Callable[[], list[Outcomes]]]:
    """Begin to predict rows; what is yielded ends it, so that this process can do something else first.

    A second process takes many rows from the front, piece by piece. It prepares them itself, as cases are large; where
    processes are forked, it knows the models that this one has read.

    Parameters
    ----------
    rows, cases : sequence
        Measurements, and what they became.
    used : sequence of Efficiency
        Sets of coefficients, those that cases are prepared with first.
    """
    if len(rows) < MANY:
        yield lambda: _predicted(cases, used)
        return
    unused = [each.asking(each.kernels) for each in used]  # without a chip at hand, which cannot be sent
    with ProcessPoolExecutor(1, initializer=_keep, initargs=(rows, unused)) as pool:
        there = {start: pool.submit(_piece, start) for start in range(0, len(rows), PIECE)}
        yield lambda: _gathered(there, cases, used)


def _gathered(
    there: dict[int, Future[list[Outcomes]]], cases: Sequence[Case | Refusal], used: Sequence[Efficiency]
) -> list[Outcomes]:
    """All outcomes: from the back this process takes the pieces that the other one has not begun."""
    here: dict[int, list[Outcomes]] = {}
    for start in reversed(there):
        if not there[start].cancel():
            break
        here[start] = _predicted(cases[start : start + PIECE], used)
    return [each for start, piece in there.items() for each in (here[start] if start in here else piece.result())]


def _predicted(cases: Sequence[Case | Refusal], used: Sequence[Efficiency]) -> list[Outcomes]:
    return [tuple(_alone(evaluate(case, each)) for each in used) for case in cases]


def _alone(outcome: Outcome) -> Outcome:
    return outcome.alone if isinstance(outcome, Prediction) else outcome


_SENT: list[tuple[Sequence[Measurement], Sequence[Efficiency]]] = []
"""Rows and coefficients of this process, so that it need not be sent them with every piece."""


def _keep(rows: Sequence[Measurement], used: Sequence[Efficiency]) -> None:
    _SENT[:] = [(rows, used)]


def _piece(start: int) -> list[Outcomes]:
    rows, used = _SENT[0]
    return _predicted([prepare(row, used[0]) for row in rows[start : start + PIECE]], used)
