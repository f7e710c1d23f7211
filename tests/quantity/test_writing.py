"""Printing: three figures for people, every bit for files."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from costline.errors import QuantityError
from costline.quantity import (
    BYTES,
    CARBON_PER_JOULE,
    COUNT,
    DOLLARS,
    DOLLARS_PER_SECOND,
    DOLLARS_PER_TOKEN,
    FLOP,
    FLOP_RATE,
    FRACTION,
    JOULES,
    KINDS,
    PARAMS,
    SECONDS,
    TOKENS,
    column_scale,
    exact,
    read,
    show,
)

names = st.sampled_from(list(KINDS))


@pytest.mark.parametrize("name", KINDS)
@given(unit=st.floats(0, 1), number=st.floats(min_value=0, allow_infinity=False, allow_nan=False))
@example(unit=5e-324, number=5e-324)
@example(unit=1 / 3, number=1.7976931348623157e308)
@example(unit=2.2250738585072014e-308, number=2.49 / 3600)
@example(unit=0.07, number=9007199254740993.0)
def test_exact_round_trips_bit_for_bit(name, unit, number):
    kind = KINDS[name]
    value = unit if kind.limit == 1 else number
    text = exact(value, kind)
    assert text.isascii() or "µ" in text
    assert math.copysign(1, value) == 1
    assert np.float64(read(text, kind)).tobytes() == np.float64(value).tobytes()


@pytest.mark.parametrize("name", KINDS)
@given(power=st.floats(-18, 27), digits=st.integers(3, 8))
def test_show_reads_back_within_half_a_percent(name, power, digits):
    kind = KINDS[name]
    value = min(10.0**power, kind.limit)
    back = read(show(value, kind, digits), kind)
    assert back == pytest.approx(value, rel=0.5 * 10.0 ** (1 - digits) * 1.0001)


@given(st.floats(min_value=1e-300, max_value=1e300), names)
def test_show_reads_back_at_the_extremes(value, name):
    kind = KINDS[name]
    value = min(value, kind.limit)
    assert read(show(value, kind), kind) == pytest.approx(value, rel=0.005001)


@given(st.floats(min_value=1e-12, max_value=1e24), names)
def test_show_is_short_and_negation_only_adds_a_sign(value, name):
    text = show(value, KINDS[name])
    assert len(text) <= 24
    assert show(-value, KINDS[name]) == f"-{text}"


SHOWN = [
    (1.24e15, FLOP_RATE, "1.24 PFLOP/s"),
    (80e9, BYTES, "80.0 GB"),
    (41.2, DOLLARS, "$41.2"),
    (15e6, DOLLARS, "$15.0M"),
    (9600, SECONDS, "2.67 h"),
    (178 * 86400, SECONDS, "178 days"),
    (0.123, FRACTION, "12.3 %"),
    (2.49 / 3600, DOLLARS_PER_SECOND, "$2.49/h"),
    (3e-6, DOLLARS_PER_TOKEN, "$3.00/1M tokens"),
    (5.4e6, JOULES, "1.50 kWh"),
    (0.65 / 3.6e6, CARBON_PER_JOULE, "650 gCO2e/kWh"),
    (3.8e25, FLOP, "3.80e25 FLOP"),
    (405e9, PARAMS, "405B params"),
    (15.6e12, TOKENS, "15.6T tokens"),
    (81, COUNT, "81"),
    (2.5, COUNT, "2.50"),
    (None, COUNT, "unknown"),
    (None, DOLLARS, "unknown"),
    (0, BYTES, "0 B"),
    (0.0, DOLLARS_PER_SECOND, "$0/h"),
    (0.0, DOLLARS_PER_TOKEN, "$0/1M tokens"),
    (0, FRACTION, "0 %"),
    (-3, DOLLARS, "-$3.00"),
]


@pytest.mark.parametrize(("value", "kind", "text"), SHOWN)
def test_what_people_see(value, kind, text):
    assert show(value, kind) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (999.4e9, BYTES, "999 GB"),
        (999.6e9, BYTES, "1.00 TB"),
        (59.99, SECONDS, "1.00 min"),
        (0.9999, FRACTION, "100 %"),
    ],
)
def test_rounding_carries_into_the_next_unit(value, kind, text):
    assert show(value, kind) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.ones(2), "5", True, 10**400, [1.0]])
def test_only_finite_scalars_are_shown(value):
    with pytest.raises(QuantityError):
        show(value, COUNT)


@pytest.mark.parametrize("digits", [0, -1, 18])
def test_digits_have_limits(digits):
    with pytest.raises(QuantityError, match="limits are 1 and 17"):
        show(1.0, COUNT, digits)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), None])
def test_exact_refuses_what_read_refuses(value):
    with pytest.raises(QuantityError):
        exact(value, COUNT)


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("32k", TOKENS, "32,000 tokens"),
        ("32Ki", TOKENS, "32,768 tokens"),
        ("400B", PARAMS, "400,000,000,000 params"),
        ("80 GiB", BYTES, "85.89934592 GB"),
        ("$2.49/h", DOLLARS_PER_SECOND, "$2.49/h"),
        ("$3 per 1M tokens", DOLLARS_PER_TOKEN, "$3/1M tokens"),
        ("2h30m", SECONDS, "2.5 h"),
        ("80 s", SECONDS, "80 s"),
    ],
)
def test_exact_is_plain(typed, kind, text):
    assert exact(read(typed, kind), kind) == text


@given(st.lists(st.none() | st.floats(min_value=1e-6, max_value=1e18), min_size=1), names)
def test_a_column_has_one_unit_that_fits_its_largest_value(values, name):
    kind = KINDS[name]
    factor, label = column_scale(values, kind)
    assert factor in {float(scale.factor) for scale in (*kind.scales, kind.base)}
    known = [value for value in values if value is not None]
    if known and max(known) / float(kind.scales[0].factor) >= 1e-4 and label != kind.base.label:
        bigger = [float(scale.factor) for scale in kind.scales if float(scale.factor) > factor]
        # 999.5 of a unit is printed as 1.00 of the next, which is a thousand times as large
        assert not bigger or max(known) <= bigger[0] * (1 - 0.0005) * (1 + 1e-9)


def test_columns():
    assert column_scale(np.array([1e9, 80e9]), BYTES) == (1e9, "GB")
    assert column_scale([], BYTES) == (1.0, "B")
    assert column_scale([None, None], DOLLARS) == (1.0, "$")
    assert column_scale([2.0 / 3600], DOLLARS_PER_SECOND) == (1 / 3600, "$/h")
    assert column_scale([7e9, 405e9], PARAMS) == (1e9, "billion params")
    with pytest.raises(QuantityError, match="not finite"):
        column_scale([float("nan")], BYTES)


def test_long_times_stay_in_years():
    """A Julian year has 31,557,600 s (IAU)."""
    assert show(31_557_600 * 1e6, SECONDS) == "1.00e6 years"
    assert show(3.53e13, SECONDS) == "1.12e6 years"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (11.25e6, "11.3M"),
        (11.35e6, "11.4M"),
        (-11.25e6, "-11.3M"),
        (11.249e6, "11.2M"),
        (0.125, "0.125"),
        (999.5e9, "1.00T"),
    ],
)
def test_halves_are_rounded_up_as_people_do(value, shown):
    assert show(value, COUNT) == shown
