"""Errors of whole predictions in sampled answers: against the answer without ranges, and against sums of normals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import costline
from costline.estimate import Estimate, Figure
from costline.uncertainty.errors import COLUMNS, errors_beyond
from costline.uncertainty.sobol import points

CERTAIN = {"model": "llama-3.1-8b", "on": "h100-sxm", "batch": 32, "price": "$2.4499/h..$2.4501/h"}
"""A question with a range, so that it is sampled, that leaves nothing open."""


def answer(**figures: Figure) -> Estimate:
    return Estimate(study="serve", title="", inputs={}, figures=figures)


def deviations(low: float, high: float) -> tuple[float, float]:
    """Standard deviations, below and above, of a lognormal of median 1 with such 10th and 90th percentiles."""
    z = stats.norm.ppf(0.9)
    return -math.log(low) / z, math.log(high) / z


@pytest.mark.parametrize(("low", "high", "part"), [(0.5, 2.0, 0.3), (0.5, 3.0, 0.2), (0.9, 1.1, 0.3), (0.4, 1.5, 0.1)])
@pytest.mark.parametrize("falls", [False, True])
def test_what_is_left_beside_a_part_makes_the_whole(low, high, part, falls):
    """Two independent normals add in squares; a part wider than the whole leaves nothing."""
    shares = points(4096, 1 + COLUMNS, 0)
    drawn = np.exp(part * stats.norm.ppf(shares[:, 0]))
    middle = answer(rate=Figure(name="", value=1.0, unit="1", interval=(low, high), falls=falls))
    alone = answer(rate=Figure(name="", value=drawn, unit="1"))
    found = errors_beyond(middle, alone, 1).at(alone, shares).figures["rate"]
    got = np.quantile(found.amount, [0.1, 0.5, 0.9])
    for end, whole, side in zip(got[[0, 2]], deviations(low, high), (-1, 1), strict=True):
        expected = max(whole, part) * stats.norm.ppf(0.9)
        assert side * math.log(end) == pytest.approx(expected, rel=0.12)
    assert found.recombined() == pytest.approx(found.amount)


def test_an_answer_whose_inputs_are_certain_has_the_interval_of_one_without_ranges():
    plain = costline.serve(**{**CERTAIN, "price": "$2.45/h"})
    study = costline.serve(**CERTAIN).sampled
    for name in ("tpot", "ttft", "output_rate"):
        low, high = plain.figures[name].interval
        span = study.span(name)
        assert math.log(span.high / span.low) == pytest.approx(math.log(high / low), rel=0.15), name


def test_the_errors_of_a_rate_are_those_of_its_time():
    study = costline.serve(**CERTAIN).sampled
    rows = np.full((101, study.shares.shape[1]), 0.5)
    (place,) = (each.place for each in study.variables if each.name == "errors of like cases (tpot)")
    rows[:, place] = (np.arange(101) + 0.5) / 101
    found = study.evaluate(rows)
    assert np.all(np.diff(found["tpot"]) > 0)
    assert np.all(np.diff(found["output_rate"]) < 0)
    assert found["ttft"] == pytest.approx(found["ttft"][0])  # first tokens have published cases of their own


def test_a_stated_utilisation_has_no_errors_of_predictions():
    study = costline.train(params="70B", tokens="1T", on="1024xh100-sxm", mfu="35% to 45%").sampled
    assert not [each.name for each in study.variables if each.name.startswith("errors")]
