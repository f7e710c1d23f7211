"""Ranges: 5th to 95th percentile, or uniform."""

from __future__ import annotations

import contextlib
import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import QuantityError
from costline.quantity import (
    BANDWIDTH,
    DOLLARS_PER_SECOND,
    FRACTION,
    KINDS,
    PARAMS,
    SECONDS,
    Range,
    exact_range,
    read_range,
    show_range,
)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("400B to 600B", PARAMS, Range(400e9, 600e9, "lognormal")),
        ("400B TO 600B", PARAMS, Range(400e9, 600e9, "lognormal")),
        ("400B..600B", PARAMS, Range(400e9, 600e9, "uniform")),
        ("400B .. 600B", PARAMS, Range(400e9, 600e9, "uniform")),
        ("0..5", PARAMS, Range(0.0, 5.0, "uniform")),
        ("35% to 45%", FRACTION, Range(0.35, 0.45, "logit-normal")),
        ("0.35 to 0.45", FRACTION, Range(0.35, 0.45, "logit-normal")),
        ("35%..100%", FRACTION, Range(0.35, 1.0, "uniform")),
        ("$2/h to $3/gpu-hour", DOLLARS_PER_SECOND, Range(2 / 3600, 3 / 3600, "lognormal")),
        ("2h to 2h30m", SECONDS, Range(7200.0, 9000.0, "lognormal")),
        ("400B", PARAMS, 400e9),
        ("5 to 5", PARAMS, 5.0),
        (7, PARAMS, 7.0),
    ],
)
def test_ranges_people_type(text, kind, expected):
    assert read_range(text, kind) == expected


@pytest.mark.parametrize(
    ("short", "long", "kind"),
    [
        ("400 to 600B", "400B to 600B", PARAMS),
        ("400..600B", "400B..600B", PARAMS),
        ("1 to 2T", "1T to 2T", PARAMS),
        ("30 to 40%", "30% to 40%", FRACTION),
        ("0.5 to 2%", "0.5% to 2%", FRACTION),  # half of everything would run downwards
        ("2 to 3 TB/s", "2 TB/s to 3 TB/s", BANDWIDTH),
        ("$2 to $3/h", "$2/h to $3/h", DOLLARS_PER_SECOND),
    ],
)
def test_a_first_end_without_a_unit_has_that_of_the_second(short, long, kind):
    assert read_range(short, kind) == read_range(long, kind)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("600B to 400B", PARAMS, "runs downwards; write 400B to 600B"),
        ("400B to 600", PARAMS, "no unit at its end; write 400B to 600B"),
        ("35%..45", FRACTION, r"write 35%\.\.45%"),
        ("100 to 20k", PARAMS, "reads as 100k to 20k, which runs downwards; write both ends in full"),
        ("0 to 5", PARAMS, r"cannot start at 0; write 0\.\.5"),
        ("0 to 13T", PARAMS, r"cannot start at 0; write 0T\.\.13T"),
        ("50% to 100%", FRACTION, "ends below 1"),
        ("0% to 50%", FRACTION, "cannot start at 0"),
        ("1 to 2 to 3", PARAMS, "not a range of two"),
        ("1..2..3", PARAMS, "not a range of two"),
        ("1...3", PARAMS, "decimals a point|not a range"),
        ("..", PARAMS, "not a range of two"),
        ("5..", PARAMS, "not a range of two"),
        ("400B-600B", PARAMS, "a range is written"),
        ("0.3 to 40%", FRACTION, "0.3 is 30% or 0.3%"),
        ("0.4..40%", FRACTION, "0.4 is 40% or 0.4%"),
        ("400B – 600B", PARAMS, "en dash"),
        ("400B to 600 GB", PARAMS, "is a memory size"),
        ("-1 to 5", PARAMS, "negative"),
        ("nan to 5", PARAMS, "not a finite"),
        ("1 to " + "9" * 200, PARAMS, "the limit is 100"),
        ("", PARAMS, "empty"),
        (None, PARAMS, "NoneType"),
    ],
)
def test_refused_ranges(text, kind, message):
    with pytest.raises(QuantityError, match=message):
        read_range(text, kind)


@pytest.mark.parametrize(
    ("low", "high", "shape"),
    [
        (1, 1, "uniform"),
        (2, 1, "uniform"),
        (-1, 1, "uniform"),
        (0, 1, "lognormal"),
        (0.5, 1, "logit-normal"),
        (1, math.inf, "uniform"),
        (math.nan, 1, "uniform"),
        (1, 2, "normal"),
    ],
)
def test_a_range_cannot_be_made_wrong(low, high, shape):
    with pytest.raises(QuantityError):
        Range(low, high, shape)


@given(st.floats(0.01, 0.49), st.floats(0.51, 0.99))
def test_median_is_the_distribution_at_one_half(low, high):
    """Against the closed forms: exp of the mean logarithm, logistic of the mean logit, the middle."""
    z = NormalDist().inv_cdf(0.95)
    mean, deviation = (math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / (2 * z)
    assert math.exp(NormalDist(mean, deviation).inv_cdf(0.5)) == pytest.approx(Range(low, high, "lognormal").median)
    logits = [math.log(p / (1 - p)) for p in (low, high)]
    assert Range(low, high, "logit-normal").median == pytest.approx(1 / (1 + math.exp(-sum(logits) / 2)))
    assert Range(low, high, "uniform").median == pytest.approx((low + high) / 2)


@given(
    st.floats(min_value=1e-300, max_value=0.5),
    st.floats(min_value=0.6, max_value=0.999),
    st.sampled_from(list(KINDS)),
    st.booleans(),
)
def test_exact_ranges_round_trip(low, high, name, uniform):
    kind = KINDS[name]
    shape = "uniform" if uniform else "logit-normal" if kind is FRACTION else "lognormal"
    value = Range(low, high, shape)
    assert read_range(exact_range(value, kind), kind) == value


def test_ends_in_different_style_still_round_trip():
    value = Range(0.5, 1.0, "uniform")
    assert read_range(exact_range(value, FRACTION), FRACTION) == value


def test_shown_ranges():
    assert show_range(Range(0.35, 0.45, "uniform"), FRACTION) == "35.0 %..45.0 %"
    assert show_range(5.0, SECONDS) == "5.00 s"
    assert show_range(None, SECONDS) == "unknown"
    assert exact_range(5.0, SECONDS) == "5 s"


@given(st.text(max_size=60), st.text(max_size=40), st.sampled_from([" to ", ".."]))
def test_any_text_is_read_or_refused(low, high, joint):
    with contextlib.suppress(QuantityError):
        read_range(low + joint + high, PARAMS)
