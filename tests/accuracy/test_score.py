"""Scores against small sets worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.accuracy.score import summarise, weighted_quantile, weights

POSITIVE = st.floats(1e-3, 1e3)


def test_four_rows_by_hand():
    """Errors 10, 50, 20 and 0 per cent; the second is a rate and twice too low, so its time is twice too long."""
    measured = np.array([10.0, 100.0, 5.0, 8.0])
    predictions = np.array([11.0, 50.0, 4.0, 8.0])
    found = summarise(measured, predictions, np.array([True, False, True, True]), np.ones(4), 4)
    assert found.median == pytest.approx(0.15)
    assert found.mean == pytest.approx(0.2)
    assert found.p90 == pytest.approx(0.5)
    assert found.bias == pytest.approx((1.1 * 2.0 * 0.8 * 1.0) ** 0.25 - 1)
    assert (found.within_10, found.within_20) == (0.5, 0.75)


def test_repeats_of_a_configuration_weigh_as_one_row():
    """Errors 0, 0, 0 (one configuration, three times) and 40 per cent: the mean is 20, not 10."""
    measured, predictions = np.full(4, 10.0), np.array([10.0, 10.0, 10.0, 14.0])
    weight = np.array([1 / 3, 1 / 3, 1 / 3, 1.0])
    found = summarise(measured, predictions, np.ones(4, bool), weight, 2)
    assert found.mean == pytest.approx(0.2)
    assert found.within_10 == pytest.approx(0.5)


def test_ninth_and_tenth_of_ten_are_averaged():
    values = np.arange(1.0, 11.0)
    assert weighted_quantile(values, np.ones(10), 0.9) == 9.5


@given(st.lists(POSITIVE, min_size=1, max_size=30))
def test_the_median_is_that_of_numpy_for_equal_weights(values):
    array = np.array(values)
    assert weighted_quantile(array, np.ones(len(array)), 0.5) == pytest.approx(float(np.median(array)))


@given(st.lists(st.tuples(POSITIVE, st.integers(1, 5)), min_size=1, max_size=12))
def test_a_whole_weight_is_that_many_copies(pairs):
    values, counts = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    copies = np.repeat(values, counts.astype(int))
    for share in (0.5, 0.9):
        one, other = weighted_quantile(values, counts, share), weighted_quantile(copies, np.ones(len(copies)), share)
        assert one == pytest.approx(other)


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=20))
def test_a_perfect_prediction_has_no_error_and_a_rate_mirrors_a_time(pairs):
    measured, predictions = (np.array(column) for column in zip(*pairs, strict=True))
    one = np.ones(len(measured))
    exact = summarise(measured, measured, one > 0, one, 1)
    assert (exact.median, exact.p90, exact.within_10) == (0.0, 0.0, 1.0)
    assert exact.bias == pytest.approx(0.0)
    as_time = summarise(measured, predictions, one > 0, one, 1)
    as_rate = summarise(1 / measured, 1 / predictions, one < 0, one, 1)
    assert math.log1p(as_time.bias) == pytest.approx(math.log1p(as_rate.bias), abs=1e-9)


def test_releases_of_one_training_configuration_share_a_weight(write):
    from costline.accuracy.rows import read_measurements
    from tests.accuracy.conftest import SERVE, TRAIN

    rows = [
        {**TRAIN, "id": "1", "framework_version": "25.09", "date": "2025-10"},
        {**TRAIN, "id": "2", "framework_version": "26.04", "date": "2026-04"},
        {**TRAIN, "id": "3", "framework_version": "26.04", "date": "2026-04", "micro_batch": "2"},
    ]
    read = read_measurements(write(*rows)).rows
    assert list(weights(read)) == [0.5, 0.5, 1.0]
    assert [row.configuration for row in read] == ["train/1", "train/1", "train/3"]
    served = read_measurements(write({**SERVE, "id": "1"}, {**SERVE, "id": "2"}, name="serve.csv")).rows
    assert list(weights(served)) == [1.0, 1.0]
