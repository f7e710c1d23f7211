"""Unit tables against the SI, against pint, and against confusion."""

from __future__ import annotations

from fractions import Fraction

import pint
import pytest

from costline.quantity import KINDS, units
from costline.quantity.units import Advice, Readings, Table

TABLES = {name: value for name, value in vars(units).items() if isinstance(value, Table)}
REGISTRY = pint.UnitRegistry()

PINT = {
    "TIME": ("second", ["s", "ms", "us", "ns", "ps", "min", "h", "hr", "hour", "d", "day", "week", "month", "year"]),
    "WATT": ("watt", ["mW", "W", "kW", "MW", "GW", "TW", "uW"]),
    "JOULE": ("joule", ["pJ", "nJ", "mJ", "J", "kJ", "MJ", "GJ", "PJ", "Wh", "kWh", "MWh", "GWh", "TWh", "mWh"]),
    "SIZE": ("byte", ["B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "Gbit", "bit", "Mibit"]),
    "RATE_SIZE": ("byte", ["GB", "TB", "GiB", "Gbit"]),
    "LINK_SIZE": ("byte", ["GB", "TB", "GiB", "Gbit"]),
    "DATA": ("byte", ["GB", "byte", "bit"]),
    "HERTZ": ("hertz", ["Hz", "kHz", "MHz", "GHz", "THz"]),
    "AREA_WORDS": ("meter**2", []),
    "MASS": ("kilogram", ["mg", "g", "kg", "t", "tonne"]),
    "PERCENT": ("", ["%", "percent"]),
}
"""Units on which pint agrees with our users (but its kt is a knot); test_reading.py lists where it differs."""


@pytest.mark.parametrize(("table", "unit"), [(table, unit) for table, (_, words) in PINT.items() for unit in words])
def test_worth_is_pints(table, unit):
    base = PINT[table][0]
    expected = REGISTRY.Quantity(1, unit).to(base or "dimensionless").magnitude
    assert float(TABLES[table].find(unit)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(("word", "expected"), [("m2", 1), ("cm2", Fraction(1, 10**4)), ("mm2", Fraction(1, 10**6))])
def test_areas(word, expected):
    assert TABLES["AREA_WORDS"].find(word) == expected


@pytest.mark.parametrize("name", TABLES)
def test_every_reading_is_a_unit_of_a_kind_that_uses_the_table(name):
    """The units that a refusal proposes can be read by the same field."""
    table = TABLES[name]
    kinds = [kind for kind in KINDS.values() if table in (kind.whole, kind.over, kind.per)]
    assert kinds, f"no kind uses {name}"
    for worth in table.words.values():
        if not isinstance(worth, Readings):
            continue
        for unit in worth.units:
            for kind in kinds:
                tables = [kind.whole, kind.over, kind.per]
                upper, _, below = unit.partition("/")
                found = [part.find(upper) for part in tables if part]
                assert any(isinstance(value, Fraction) for value in found), (unit, kind)
                assert not below or isinstance(kind.per.find(below), Fraction)


@pytest.mark.parametrize("name", TABLES)
def test_case_is_ignored_only_where_it_cannot_matter(name):
    """A word in another case is worth what its spelling is worth, or is refused with different readings."""
    table = TABLES[name]
    for word, worth in table.words.items():
        for other in {word.lower(), word.upper(), word.swapcase()} - {word}:
            found = table.find(other)
            if other in table.words or isinstance(worth, Advice) or found is None or isinstance(found, Advice):
                continue
            if isinstance(found, Readings):
                assert len(found.units) >= 2
                values = {table.words.get(unit, unit) for unit in found.units}
                assert len(values) == len(found.units), (name, other)
            else:
                same = {str(table.words[key]) for key in table.words if key.lower() == other.lower()}
                assert str(found) in same


def test_worths_are_positive():
    for table in TABLES.values():
        assert all(worth > 0 for worth in table.words.values() if isinstance(worth, Fraction))


def test_lower_case_milli_is_never_mega():
    """The one slip of case that changes a value a billion times."""
    for name in ("WATT", "JOULE"):
        for word in TABLES[name].words:
            if word.startswith("M"):
                assert isinstance(TABLES[name].find(word.lower()), Readings), word
