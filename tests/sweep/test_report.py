"""Pictures and tables of sweeps."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as some

from costline.report.sweep import HEIGHT, WIDTH, Scale, as_svg, cell, in_characters, picture

CELLS = {
    "batch": [1, 8, 64, 8, None],
    "tpot": [0.01, 0.02, 0.04, 0.03, 0.1],
    "precision": ["a<b", "a<b", "a<b", "c", "c"],
}
UNITS = {"tpot": "s"}


def test_points_are_drawn_where_they_are_and_unknown_ones_are_not():
    drawn = picture(CELLS, UNITS, "batch", "tpot", "precision")
    assert drawn.series == {"a<b": [(1, 0.01), (8, 0.02), (64, 0.04)], "c": [(8, 0.03)]}
    lines = in_characters(drawn, columns=61, lines=31).splitlines()
    field = [line[1:].ljust(61) for line in lines[1:32]]
    # from 1 to 64 on a logarithmic scale, 8 is in the middle; the least is at the bottom left
    assert (field[30][0], field[20][30], field[10][30], field[0][60]) == ("o", "o", "+", "o")
    assert sum(line.count("o") + line.count("+") for line in field) == 4
    assert "o a<b   + c" in lines[-1]


def test_svg_is_well_formed_and_inside_its_frame():
    svg = ET.fromstring(as_svg(picture(CELLS, UNITS, "batch", "tpot", "precision"), "a < b"))  # noqa: S314
    circles = [one for one in svg.iter() if one.tag.endswith("circle")]
    assert len(circles) == 4 + 2  # points and keys
    assert all(0 < float(one.get("cx")) < WIDTH and 0 < float(one.get("cy")) < HEIGHT for one in circles)
    assert not re.search(r"script|href", as_svg(picture(CELLS, UNITS, "batch", "tpot"), "title"))


@given(some.floats(1e-12, 1e12), some.floats(1, 1e6), some.booleans())
def test_ticks_are_inside_and_few(low, factor, logarithmic):
    scale = Scale(low, low * factor, logarithmic)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 14
    assert all(0 <= scale.place(tick) <= 1 for tick in ticks)


@pytest.mark.parametrize(
    ("value", "unit", "shown"), [(None, "s", "-"), (True, "", "yes"), (0.02, "s", "20.0 ms"), ("fp8", "", "fp8")]
)
def test_cells_are_for_people(value, unit, shown):
    assert cell(value, unit) == shown
