"""Distributions against their closed forms, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from costline.errors import QuantityError
from costline.quantity import FRACTION, PARAMS, Range
from costline.uncertainty.spreads import Bounds, Choices, Column, describe, median, plain_spread, quantile
from costline.uncertainty.study import span

SHARES = np.linspace(0.001, 0.999, 999)
Z95 = stats.norm.ppf(0.95)


def test_ends_of_a_range_are_its_5th_and_95th_percentile():
    for spread in (Range(4e11, 6e11, "lognormal"), Range(0.35, 0.45, "logit-normal")):
        low, middle, high = quantile(spread, np.array([0.05, 0.5, 0.95]))
        assert (low, middle, high) == pytest.approx((spread.low, spread.median, spread.high), rel=1e-12)


def test_lognormal_is_scipys():
    spread = Range(13e12, 20e12, "lognormal")
    sigma = math.log(20 / 13) / (2 * Z95)
    assert quantile(spread, SHARES) == pytest.approx(stats.lognorm(s=sigma, scale=spread.median).ppf(SHARES))


def test_logit_of_a_logit_normal_is_normal():
    logit = lambda share: np.log(share / (1 - share))  # noqa: E731
    values = logit(quantile(Range(0.2, 0.9, "logit-normal"), SHARES))
    low, high = logit(0.2), logit(0.9)
    assert values == pytest.approx(stats.norm((low + high) / 2, (high - low) / (2 * Z95)).ppf(SHARES))


def test_uniform_is_straight():
    assert quantile(Range(3e9, 60e9, "uniform"), SHARES) == pytest.approx(3e9 + 57e9 * SHARES)


def test_choices_come_as_often_as_their_weights_say():
    drawn = quantile(Choices((60e9, 20e9), (0.4, 0.6)), SHARES)
    assert set(drawn) == {20e9, 60e9}
    assert np.mean(drawn == 20e9) == pytest.approx(0.6, abs=0.002)
    assert median(Choices((1.0, 2.0, 3.0), (0.2, 0.2, 0.6))) == 3.0


@pytest.mark.parametrize(
    ("spread", "middle"),
    [
        (Choices.even((13.0, 20.0)), 13.0),
        (Choices.even((1.0, 2.0, 3.0, 4.0, 5.0, 6.0)), 3.0),
        (Choices((13.0, 20.0), (0.5 - 1e-9, 0.5 + 1e-9)), 20.0),
        (Column("a.csv", "b", (4.0, 1.0, 3.0, 2.0)), 2.0),
    ],
)
def test_a_choice_has_one_median(spread, middle):
    """The least value that half of the weight reaches, whoever asks."""
    many = quantile(spread, (np.arange(1 << 20) + 0.5) / (1 << 20))
    if abs(middle - 20) > 1:  # nobody can tell 0.5 - 1e-9 from a million samples
        assert span(many).median == middle
    assert (median(spread), float(quantile(spread, np.array([0.5]))[0])) == (middle, middle)


def test_bounds_are_the_10th_and_90th_percentile_and_the_point_the_median():
    for bounds in (Bounds(0.62, 0.5, 0.73, share=True), Bounds(5e-9, 2e-9, 1.5e-8), Bounds(0.1, 0.0, 0.5, share=True)):
        ends = quantile(bounds, np.array([0.1, 0.5, 0.9]))
        assert ends == pytest.approx((bounds.low, bounds.value, bounds.high), abs=1e-12)


@given(st.floats(0.001, 0.4), st.floats(0.4, 0.6), st.floats(0.6, 0.999))
def test_a_share_stays_one_and_rises(low, value, high):
    drawn = quantile(Bounds(value, low, high, share=True), SHARES)
    assert drawn.min() > 0
    assert drawn.max() <= 1
    assert np.all(np.diff(drawn) >= 0)


def test_a_column_gives_back_its_rows_in_equal_parts():
    values = (5.0, 1.0, 3.0, 9.0)
    drawn = quantile(Column("samples.csv", "mfu", values), (np.arange(4000) + 0.5) / 4000)
    assert {value: int(np.sum(drawn == value)) for value in values} == dict.fromkeys(values, 1000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Choices((1.0, 2.0), (0.5, 0.6)), "sum to 1.1, not to 1"),
        (lambda: Choices((1.0, 2.0), (1.5, -0.5)), "a probability from 0 to 1, got 1.5"),
        (lambda: Choices((), ()), "one weight for each"),
        (lambda: Choices((1.0,), (0.5, 0.5)), "one weight for each"),
        (lambda: Bounds(2.0, 3.0, 4.0), "2 is not between its bounds 3 and 4"),
    ],
)
def test_what_is_no_distribution_is_refused(make, words):
    with pytest.raises(QuantityError, match=words):
        make()


def test_descriptions_name_everything():
    assert describe(Range(4e11, 6e11, "lognormal"), PARAMS) == "400B params to 600B params"
    assert describe(Bounds(0.62, 0.5, 0.73), FRACTION) == "62.0 % (80 % 50.0 % to 73.0 %)"
    assert describe(Column("a.csv", "b", (1.0, 2.0)), None) == "2 samples of a.csv:b"
    assert plain_spread(Range(4e11, 6e11, "lognormal"), PARAMS)["ends"] == "p5 and p95"
    assert plain_spread(Choices.even((1.0, 2.0)), None)["weights"] == [0.5, 0.5]
    assert plain_spread(Column("a.csv", "b", (1.0, 2.0)), None)["rows"] == 2
