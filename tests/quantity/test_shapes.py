"""Machines and pictures."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import QuantityError
from costline.quantity import read_fleet, read_resolution
from costline.quantity.shapes import AMBIGUOUS, HEIGHTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8xh100-sxm", (8, "h100-sxm")),
        ("8Xh100-sxm", (8, "h100-sxm")),
        ("8×h100-sxm", (8, "h100-sxm")),
        ("8*h100-sxm", (8, "h100-sxm")),
        ("8 x h100-sxm", (8, "h100-sxm")),
        ("h100-sxm", (1, "h100-sxm")),
        ("16,384xh100-sxm", (16384, "h100-sxm")),
        ("16_384xh100-sxm", (16384, "h100-sxm")),
        ("25kxa100-sxm-80gb", (25000, "a100-sxm-80gb")),
        ("1.5kxh100", (1500, "h100")),
        ("1e5xh100", (100000, "h100")),
        ("8x./mychip.toml", (8, "./mychip.toml")),
        ("8xtpu-v5p", (8, "tpu-v5p")),
        ("xeon-max", (1, "xeon-max")),
        ("2080ti", (1, "2080ti")),
        ("8x2080ti", (8, "2080ti")),
        ("8xxeon-max", (8, "xeon-max")),
        ("8xmlu370-x4", (8, "mlu370-x4")),
    ],
)
def test_fleets(text, expected):
    assert read_fleet(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0xh100", "from 1 to 10,000,000"),
        ("99999999xh100", "from 1 to 10,000,000"),
        ("1.5xh100", "is whole"),
        ("1.000xh100", "is whole"),
        ("-8xh100", "write count x name"),
        ("8 h100", "write count x name"),
        ("8", "write count x name"),
        ("8x", "write count x name"),
        ("10xx8xh100", "more than one number of chips"),
        ("10x8xh100", "more than one number of chips"),
        ("x8xh100", "more than one number of chips"),
        ("10 x x h100", "more than one number of chips"),
        ("8xh100-sxm x2", "more than one number of chips"),
        ("5KKMxh100", "one magnitude"),
        ("5k M x h100", "one magnitude"),
        ("5KKM", "one magnitude"),
        ("8xh100;ls", "write count x name"),
        ("", "is empty"),
        ("８xh100", "fullwidth digit eight"),
        ("x" * 10_000_000, "the limit is 100"),
        (8, "int is not text"),
        (None, "NoneType is not text"),
    ],
)
def test_refused_fleets(text, message):
    with pytest.raises(QuantityError, match=message):
        read_fleet(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("720p", (1280, 720)),
        ("720P", (1280, 720)),
        ("1080p", (1920, 1080)),
        ("1280x720", (1280, 720)),
        ("720x1280", (720, 1280)),
        ("1280×720", (1280, 720)),
        ("1280*720", (1280, 720)),
        ("1280 x 720", (1280, 720)),
        ("1024", (1024, 1024)),
        (1024, (1024, 1024)),
    ],
)
def test_resolutions(text, expected):
    assert read_resolution(text) == expected


def test_names_are_sixteen_to_nine_exactly():
    for name, width in HEIGHTS.items():
        assert width * 9 == int(name[:-1]) * 16


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_names_of_several_sizes_are_refused_with_all_of_them(name):
    with pytest.raises(QuantityError, match="write the one you mean") as error:
        read_resolution(name)
    for size in AMBIGUOUS[name]:
        assert size in str(error.value)
        assert read_resolution(size.split()[0])[0] > 0


@pytest.mark.parametrize(
    "text",
    ["", "abc", "0x720", "1280x0", "99999x720", "-1280x720", "1280x720x3", "1280.5x720", "720x", "700p", "١x٢"],
)
def test_refused_resolutions(text):
    with pytest.raises(QuantityError, match="write"):
        read_resolution(text)


@pytest.mark.parametrize(
    "text", [None, True, -5, 0, 1024.0, 10**50, "9" * 1_000_000], ids=lambda item: type(item).__name__
)
def test_refused_resolutions_of_other_types(text):
    with pytest.raises(QuantityError):
        read_resolution(text)


@given(
    first=st.integers(1, 9999),
    between=st.lists(st.sampled_from(["k", "K", "M", "Ki", " ", "8"]), max_size=4).map("".join),
)
def test_what_is_read_of_a_pile_is_one_count_with_one_magnitude(first, between):
    """Whatever is accepted is written as digits, at most one magnitude, and the name once."""
    try:
        found, _ = read_fleet(f"{first}{between}xh100")
    except QuantityError:
        return
    digits, magnitude = re.fullmatch(r"([0-9]+) *(|k|K|M|Ki) *x *", f"{first}{between}x").groups()
    assert found == int(digits) * {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "Ki": 1024}[magnitude]


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text):
    for reader in (read_fleet, read_resolution):
        with contextlib.suppress(QuantityError):
            reader(text)
