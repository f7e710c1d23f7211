"""Pint as a second opinion: where it agrees, and where it reads something else and why."""

from __future__ import annotations

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import QuantityError
from costline.quantity import (
    BANDWIDTH,
    BYTES,
    CARBON,
    CARBON_PER_JOULE,
    COUNT,
    FRACTION,
    FREQUENCY,
    JOULES,
    LINK_BANDWIDTH,
    PARAMS,
    SECONDS,
    TOKENS,
    WATTS,
    read,
)

PINT_AGREES = [
    ("3.35 TB/s", BANDWIDTH, "byte/s"),
    ("900 GB/s", LINK_BANDWIDTH, "byte/s"),
    ("400 Gbit/s", LINK_BANDWIDTH, "byte/s"),
    ("80 GiB", BYTES, "byte"),
    ("80 GB", BYTES, "byte"),
    ("1.5 kWh", JOULES, "joule"),
    ("10.2 kW", WATTS, "watt"),
    ("400 W", WATTS, "watt"),
    ("2.5 hours", SECONDS, "second"),
    ("178 days", SECONDS, "second"),
    ("5 years", SECONDS, "second"),
    ("3 months", SECONDS, "second"),
    ("1.98 GHz", FREQUENCY, "hertz"),
    ("650 g/kWh", CARBON_PER_JOULE, "kg/joule"),
    ("40 %", FRACTION, "dimensionless"),
    ("16,384", COUNT, "dimensionless"),
]


REGISTRY = pint.UnitRegistry(cache_folder=None)
REGISTRY("1 s")  # definitions are read with the first unit, which takes long


@pytest.mark.parametrize(("text", "kind", "unit"), PINT_AGREES)
def test_pint_agrees(text, kind, unit):
    expected = REGISTRY(text).to(unit).magnitude
    assert read(text, kind) == pytest.approx(expected, rel=1e-14)


BASES = {"s": SECONDS, "W": WATTS, "J": JOULES, "Wh": JOULES, "Hz": FREQUENCY, "g": CARBON}


@given(
    number=st.integers(1, 999),
    prefix=st.sampled_from(["", "Y", "E", "P", "T", "G", "M", "k", "m", "u", "n", "p"]),
    base=st.sampled_from(sorted(BASES)),
)
def test_a_prefix_that_is_read_is_worth_what_pint_says(number, prefix, base):
    """Prefixes of the SI differ in case, so what is read in another case than it is spelt must be worth the same."""
    kind, text = BASES[base], f"{number} {prefix}{base}"
    try:
        value = read(text, kind)
    except QuantityError:
        return
    assert value == pytest.approx(REGISTRY(text).to(kind.unit).magnitude, rel=1e-14)


@pytest.mark.parametrize(("text", "kind"), [("5 Ms", SECONDS), ("5MG", CARBON), ("3Ps", SECONDS), ("3 mHz", FREQUENCY)])
def test_mega_is_never_milli(text, kind):
    with pytest.raises(QuantityError, match=r"mega and m is milli|peta and p is pico|m is milli and M is mega"):
        read(text, kind)
    assert read("1980 mhz", FREQUENCY) == 1.98e9  # no prefix of the SI is spelt so


PINT_DIFFERS = [
    ("70B", PARAMS, "byte", 70e9),
    ("13T", TOKENS, "tesla", 13e12),
    ("1M", TOKENS, "molar", 1e6),
    ("32k", TOKENS, "boltzmann_constant", 32e3),
    ("400 Gb/s", LINK_BANDWIDTH, "gilbert / second", 50e9),
    ("400 Gbps", LINK_BANDWIDTH, "gigabaud", 50e9),
    ("5 m", SECONDS, "meter", 300),
]
"""Text that pint reads as another quantity than our users mean: the reason for a parser of our own."""


@pytest.mark.parametrize(("text", "kind", "unit", "value"), PINT_DIFFERS)
def test_pint_reads_something_else(text, kind, unit, value):
    assert REGISTRY(text).units == REGISTRY(f"1 {unit}").units
    assert read(text, kind) == value
