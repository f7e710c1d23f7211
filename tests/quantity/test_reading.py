"""Reading: what people type, what must be refused, and pint as a second opinion."""

from __future__ import annotations

import contextlib
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import QuantityError
from costline.quantity import (
    AREA,
    BANDWIDTH,
    BYTES,
    CARBON_PER_JOULE,
    COUNT,
    DOLLARS,
    DOLLARS_PER_JOULE,
    DOLLARS_PER_SECOND,
    DOLLARS_PER_TOKEN,
    DOLLARS_PER_VIDEO_SECOND,
    FLOP,
    FLOP_RATE,
    FRACTION,
    FREQUENCY,
    JOULES,
    JOULES_PER_BYTE,
    KINDS,
    LINK_BANDWIDTH,
    PARAMS,
    RATIO,
    REQUEST_RATE,
    SECONDS,
    TOKEN_RATE,
    TOKENS,
    WATTS,
    read,
    read_duration,
)

RIGHT = [
    ("400B", PARAMS, 400e9),
    ("400b", PARAMS, 400e9),
    ("1.8T", PARAMS, 1.8e12),
    ("0.5 B", PARAMS, 500e6),
    ("70 billion parameters", PARAMS, 70e9),
    ("350m", PARAMS, 350e6),
    ("13T", TOKENS, 13e12),
    ("13T tokens", TOKENS, 13e12),
    ("15.6 trillion tokens", TOKENS, 15.6e12),
    ("32k", TOKENS, 32_000),
    ("32K", TOKENS, 32_000),
    ("32Ki", TOKENS, 32_768),
    ("1M", TOKENS, 1e6),
    ("1Mi", TOKENS, 1_048_576),
    ("1e12", COUNT, 1e12),
    ("1_000_000", COUNT, 1e6),
    ("16,384", COUNT, 16_384),
    ("16,384 GPUs", COUNT, 16_384),
    (".5", RATIO, 0.5),
    ("1.6x", RATIO, 1.6),
    ("80 GiB", BYTES, 80 * 2**30),
    ("80GB", BYTES, 80e9),
    ("80gb", BYTES, 80e9),
    ("80gib", BYTES, 80 * 2**30),
    ("16 Gbit", BYTES, 2e9),
    ("8 gigabytes", BYTES, 8e9),
    ("3.35 TB/s", BANDWIDTH, 3.35e12),
    ("3.35 TBps", BANDWIDTH, 3.35e12),
    ("3350 Gbit/s", BANDWIDTH, 3350e9 / 8),
    ("1 GiB/s", BANDWIDTH, 2**30),
    ("900 GB/s", LINK_BANDWIDTH, 900e9),
    ("400 Gb/s", LINK_BANDWIDTH, 50e9),
    ("400 Gbps", LINK_BANDWIDTH, 50e9),
    ("400Gbit/s", LINK_BANDWIDTH, 50e9),
    ("$2.49/h", DOLLARS_PER_SECOND, 2.49 / 3600),
    ("$2.49/gpu-hour", DOLLARS_PER_SECOND, 2.49 / 3600),
    ("$2.49 / GPU / hr", DOLLARS_PER_SECOND, 2.49 / 3600),
    ("2.49 USD per chip-hour", DOLLARS_PER_SECOND, 2.49 / 3600),
    ("2.49/h", DOLLARS_PER_SECOND, 2.49 / 3600),
    ("$50k/h", DOLLARS_PER_SECOND, 50_000 / 3600),
    ("$0.06/1k tokens", DOLLARS_PER_TOKEN, 0.06 / 1000),
    ("$3 per 1M tokens", DOLLARS_PER_TOKEN, 3e-6),
    ("$3/Mtok", DOLLARS_PER_TOKEN, 3e-6),
    ("$3/M", DOLLARS_PER_TOKEN, 3e-6),
    ("$3 per million output tokens", DOLLARS_PER_TOKEN, 3e-6),
    ("$0.10/s", DOLLARS_PER_VIDEO_SECOND, 0.1),
    ("$0.10 per second of video", DOLLARS_PER_VIDEO_SECOND, 0.1),
    ("$6/min", DOLLARS_PER_VIDEO_SECOND, 0.1),
    ("$0.08/kWh", DOLLARS_PER_JOULE, 0.08 / 3.6e6),
    ("8 cents/kWh", DOLLARS_PER_JOULE, 0.08 / 3.6e6),
    ("$15M", DOLLARS, 15e6),
    ("US$1.3 billion", DOLLARS, 1.3e9),
    ("1.3bn USD", DOLLARS, 1.3e9),
    ("$270,000", DOLLARS, 270_000),
    ("5s", SECONDS, 5),
    ("2h30m", SECONDS, 9000),
    ("2 h 30 min", SECONDS, 9000),
    ("2.5 h", SECONDS, 9000),
    ("1d12h", SECONDS, 129_600),
    ("178 days", SECONDS, 178 * 86_400),
    ("65 µs", SECONDS, 65e-6),
    ("65 μs", SECONDS, 65e-6),
    ("65us", SECONDS, 65e-6),
    ("40%", FRACTION, 0.4),
    ("40 %", FRACTION, 0.4),
    ("0.4", FRACTION, 0.4),
    ("100%", FRACTION, 1),
    ("989 TFLOP/s", FLOP_RATE, 989e12),
    ("989 TFLOPS", FLOP_RATE, 989e12),
    ("989 TFLOPs", FLOP_RATE, 989e12),
    ("989tflops", FLOP_RATE, 989e12),
    ("1 petaflop/s", FLOP_RATE, 1e15),
    ("1979 TOPS", FLOP_RATE, 1979e12),
    ("3.8e25", FLOP, 3.8e25),
    ("3.8e25 FLOP", FLOP, 3.8e25),
    ("3640 PFLOP/s-days", FLOP, 3640e15 * 86_400),
    ("400 W", WATTS, 400),
    ("10.2 kW", WATTS, 10_200),
    ("1.5 kWh", JOULES, 5.4e6),
    ("650 gCO2/kWh", CARBON_PER_JOULE, 0.65 / 3.6e6),
    ("650 gCO₂e/kWh", CARBON_PER_JOULE, 0.65 / 3.6e6),
    ("0.65 kg/kWh", CARBON_PER_JOULE, 0.65 / 3.6e6),
    ("4 pJ/bit", JOULES_PER_BYTE, 32e-12),
    ("105 tok/s", TOKEN_RATE, 105),
    ("100k clips a day", REQUEST_RATE, 100_000 / 86_400),
    ("814 mm²", AREA, 814e-6),
    ("1.98 GHz", FREQUENCY, 1.98e9),
    ("  80\u00a0GB\n", BYTES, 80e9),
]


@pytest.mark.parametrize(("text", "kind", "value"), RIGHT, ids=lambda item: item if isinstance(item, str) else "")
def test_what_people_type(text, kind, value):
    assert read(text, kind) == pytest.approx(value, rel=1e-15)


TWO_READINGS = [
    ("400 Gb/s", BANDWIDTH, "400 Gbit/s", "400 GB/s"),
    ("3350 Gbps", BANDWIDTH, "3350 Gbit/s", "3350 GBps"),
    ("400 gb/s", LINK_BANDWIDTH, "400 Gb/s", "400 GB/s"),
    ("400 gbps", LINK_BANDWIDTH, "400 Gbps", "400 GBps"),
    ("400g", LINK_BANDWIDTH, "400 Gbit/s", "400 GBps"),
    ("400 G/s", LINK_BANDWIDTH, "400 Gbit/s", "400 GB/s"),
    ("80 Gb", BYTES, "80 Gbit", "80 GB"),
    ("80G", BYTES, "80 GB", "80 GiB"),
    ("5 mw", WATTS, "5 mW", "5 MW"),
    ("5 mj", JOULES, "5 mJ", "5 MJ"),
    ("5M", SECONDS, "5 min", "5 months"),
]


@pytest.mark.parametrize(("text", "kind", "first", "second"), TWO_READINGS)
def test_ambiguous_text_is_refused_with_both_readings(text, kind, first, second):
    with pytest.raises(QuantityError, match="write the one you mean") as error:
        read(text, kind)
    assert f"{first} (=" in str(error.value)
    assert f"{second} (=" in str(error.value)
    assert read(first, kind) != read(second, kind)


REFUSED = [
    ("$5$", DOLLARS, "dollars twice"),
    ("5KKM", PARAMS, "unknown unit"),
    ("5 k M", TOKENS, "unknown unit"),
    ("3 TB/s/s", BANDWIDTH, "unknown unit"),
    ("3 TB/s per s", BANDWIDTH, "unknown unit"),
    ("", COUNT, "is empty"),
    ("   ", COUNT, "is empty"),
    ("abc", COUNT, "does not start with a number"),
    ("+5", COUNT, "does not start with a number"),
    ("-5", COUNT, "is negative, which no count can be"),
    ("$-5", DOLLARS, "is negative"),
    ("nan", COUNT, "not a finite number"),
    ("inf", SECONDS, "not a finite number"),
    ("1e999", COUNT, "the limit is 1e308"),
    ("1e309", COUNT, "the limit is 1.8e308"),
    ("9e307 TB", BYTES, "the limit is 1.8e308"),
    ("1e-330", COUNT, "too small to tell from 0"),
    ("1e-999999999999999999", COUNT, "out of range"),
    ("1,5", COUNT, "decimals a point"),
    ("16,3845", COUNT, "groups of three"),
    ("1.000.000", COUNT, "decimals a point"),
    ("1__000", COUNT, "groups of three"),
    ("1 000 000", COUNT, "space inside the number"),
    ("0x10", COUNT, "unknown unit 'x10'"),
    ("４０", COUNT, r"U\+FF14 \(fullwidth digit four\) in place of '4'"),
    ("١", COUNT, r"U\+0661 \(arabic-indic digit one\) in place of '1'"),
    ("5\u200b0", COUNT, r"U\+200B"),
    ("5\x00", COUNT, "control character"),
    ("−5", COUNT, r"U\+2212"),
    ("400B–600B", PARAMS, r"en dash\) in place of ' to '"),
    ("€5", DOLLARS, "prices are in US dollars"),
    ("5 EUR", DOLLARS, "not in US dollars"),
    ("$5", SECONDS, "is an amount of money; a time is"),
    ("40", FRACTION, "above the limit 1 of a fraction; did you mean 40% or 0.4?"),
    ("120%", FRACTION, "above the limit 1"),
    ("1.5", FRACTION, "did you mean 1.5% or 0.015?"),
    ("80 GiB", SECONDS, "is a memory size; a time is e.g. 2.5 h"),
    ("1.5 kWh", WATTS, "is an energy; a power is e.g. 400 W"),
    ("400 W", JOULES, "is a power"),
    ("80 GB", BANDWIDTH, "is a memory size"),
    ("80 GB", PARAMS, "is a memory size"),
    ("$2.49/h", DOLLARS, "is a rental price"),
    ("2.49", DOLLARS_PER_SECOND, "has no unit"),
    ("80", BYTES, "has no unit; a memory size is e.g. 80 GB or 80 GiB"),
    ("$98/node-hour", DOLLARS_PER_SECOND, "a node holds several chips"),
    ("$3/0 tokens", DOLLARS_PER_TOKEN, "divides by 0"),
    ("$3/", DOLLARS_PER_TOKEN, "unknown unit"),
    ("989 TFLOP", FLOP_RATE, "TFLOP is an amount of work; a rate is written TFLOP/s"),
    ("989 TFLOPS", FLOP, "TFLOPS is a rate; an amount of work is written TFLOP"),
    ("5 TMACs", FLOP, "one MAC is two FLOP"),
    ("5 hous", SECONDS, "did you mean hours?"),
    ("1:30", SECONDS, "every step has its unit"),
    ("2h30", SECONDS, "every step has its unit"),
    ("30m2h", SECONDS, "grow smaller"),
    ("2h2h", SECONDS, "grow smaller"),
    ("400B-600B", PARAMS, "a range is written"),
    ("400B to 600B", PARAMS, "is a range and this number of parameters takes one value"),
    ("400B..600B", PARAMS, "takes one value"),
    ("5 B B", COUNT, "unknown unit 'B B'"),
    ("5;rm -rf /", COUNT, "unknown unit"),
]


@pytest.mark.parametrize(("text", "kind", "message"), REFUSED, ids=[ascii(case[0])[:20] for case in REFUSED])
def test_refusals_name_the_value_and_the_fix(text, kind, message):
    with pytest.raises(QuantityError, match=message) as error:
        read(text, kind)
    assert repr(text)[1:5] in str(error.value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            b"5",
            [5],
            Decimal(5),
            5j,
            np.ones(2),
            float("nan"),
            float("inf"),
            -1,
            -1e-300,
            10**400,
            10**5000,
        ),
        *(Fraction(10**5000), Fraction(-1, 2), np.float64("nan"), np.bool_(True)),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("kind", [COUNT, FRACTION, DOLLARS_PER_TOKEN])
def test_bad_values_are_quantity_errors(value, kind):
    with pytest.raises(QuantityError):
        read(value, kind)


def test_numbers_are_si_already():
    assert read(80_000_000_000, BYTES) == 80e9
    assert read(np.float64(0.4), FRACTION) == 0.4
    assert read(np.int64(7), COUNT) == 7.0
    assert type(read(np.float32(2), COUNT)) is float
    assert str(read(-0.0, COUNT)) == "0.0"
    with pytest.raises(QuantityError, match="did you mean 40%"):
        read(40, FRACTION)


@given(st.text(max_size=130), st.sampled_from(list(KINDS)))
def test_any_text_is_read_or_refused(text, name):
    message = "5"
    try:
        assert 0 <= read(text, KINDS[name]) <= KINDS[name].limit
    except QuantityError as error:
        message = str(error)
    assert 0 < len(message) < 500
    assert message.isprintable()


@given(
    st.text(alphabet="0123456789.,_eE+-$/%xkMGTBbis hmdpertocksFLOPW", max_size=40),
    st.sampled_from(list(KINDS)),
)
def test_near_misses_are_read_or_refused(text, name):
    with contextlib.suppress(QuantityError):
        assert read(text, KINDS[name]) >= 0


@given(st.decimals(min_value=0, max_value=10**15, places=6), st.sampled_from(["", "k", "M", "B", "T"]))
def test_reading_rounds_once(number, suffix):
    """80.1 GB is the float nearest to 80,100,000,000: exact arithmetic, then one rounding."""
    power = {"": 0, "k": 3, "M": 6, "B": 9, "T": 12}[suffix]
    assert read(f"{number}{suffix}", COUNT) == float(Fraction(number) * 10**power)


HOSTILE = [
    "9" * 10_000_000,
    "1" + "0_" * 5_000_000,
    "1e" + "9" * 1_000_000,
    " " * 10_000_000,
    "1" + "h1" * 5_000_000,
    "(" * 1_000_000,
    "\u0661" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_megabytes_are_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(QuantityError, match="the limit is 100") as error:
        read(text, SECONDS)
    assert time.perf_counter() - start < 0.2
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("text", ["1" * 100, "1_" * 50, "1h" * 50, "1,111" * 20, "1e" * 50, "1/" * 50, "5 " + "a" * 98])
def test_the_longest_text_is_quick(text):
    start = time.perf_counter()
    for kind in KINDS.values():
        with contextlib.suppress(QuantityError):
            read(text, kind)
    assert time.perf_counter() - start < 2


def test_durations():
    assert read_duration("2h30m") == 9000
    assert read_duration("1.5 h 10 s") == 5410
    assert read_duration(5) == 5
