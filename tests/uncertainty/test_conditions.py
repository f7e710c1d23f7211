"""Conditions as people write them."""

from __future__ import annotations

import numpy as np
import pytest

from costline.errors import InputError, UnknownNameError
from costline.quantity import FRACTION, PARAMS
from costline.uncertainty.conditions import Quantity, read_condition

KNOWN = {
    "time": Quantity("time", "s"),
    "cost": Quantity("cost", "USD"),
    "tpot": Quantity("tpot", "s"),
    "mfu": Quantity("mfu", "1"),
    "largest_batch": Quantity("largest_batch", "sequence"),
    "params": Quantity("params", kind=PARAMS, given=True),
    "overlap (data)": Quantity("overlap (data)", kind=FRACTION, given=True),
}


@pytest.mark.parametrize(
    ("written", "name", "low", "high"),
    [
        ("cost < $50", "cost", -np.inf, 50),
        ("cost<$2.5M", "cost", -np.inf, 2.5e6),
        ("days between 150 and 200", "time", 150 * 86400, 200 * 86400),
        ("hours between 1 and 2h", "time", 3600, 7200),
        ("days between 10s and 20s", "time", 10, 20),
        ("hours > 1,000", "time", 3.6e6, np.inf),
        ("time <= 90 days", "time", -np.inf, 90 * 86400),
        ("mfu >= 35%", "mfu", 0.35, np.inf),
        ("MFU  between 30% and 50%", "mfu", 0.3, 0.5),
        ("largest batch > 12", "largest_batch", 12, np.inf),
        ("params between 3B and 60B", "params", 3e9, 6e10),
        ("dollars < 50", "cost", -np.inf, 50),
        ("cost < 50", "cost", -np.inf, 50),
        ("tpot between 20 and 30ms", "tpot", 0.02, 0.03),
        ("tpot < 20 ms", "tpot", -np.inf, 0.02),
        ("tpot > 0", "tpot", 0, np.inf),
        ("mfu between 30 and 50%", "mfu", 0.3, 0.5),
        ("overlap (data) > 50%", "overlap (data)", 0.5, np.inf),
    ],
)
def test_conditions(written, name, low, high):
    found = read_condition(written, KNOWN)
    assert (found.name, found.low, found.high) == (name, pytest.approx(low), pytest.approx(high))


def test_bounds_are_open_or_closed_as_written():
    values = np.array([1.0, 2.0, 3.0, np.nan])
    known = {"cost": Quantity("cost", "USD")}
    truth = {
        "cost < $2": [1, 0, 0, 0],
        "cost <= $2": [1, 1, 0, 0],
        "cost > $2": [0, 0, 1, 0],
        "cost >= $2": [0, 1, 1, 0],
    }
    truth["cost between $1 and $2"] = [1, 1, 0, 0]
    for written, held in truth.items():
        assert read_condition(written, known).holds(values).astype(int).tolist() == held


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("cost", "is no condition; write 'cost < "),
        ("cost == 5", "is no condition"),
        ("cost < fifty", "fifty"),
        ("tpot < 20", "tpot: '20' has no unit; write 20ms or 20s"),
        ("tpot between 20ms and 30", "tpot: '30' has no unit; write 30ms or 30s"),
        ("time < 30", "time: '30' has no unit; write 30s or 30 days"),
        (5, "5 is no condition"),
        ("days between 200 and 150", "runs downwards; write between 150 and 200"),
        ("days between 10 and 20s", "10 is in days or is 10s; give it a unit"),
        ("cost < " + "9" * 300, "is no condition"),
    ],
)
def test_faults(written, words):
    with pytest.raises(InputError, match=words):
        read_condition(written, KNOWN)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean cost"):
        read_condition("costs < $5", KNOWN)
