"""Axes: lists, steps, logarithmic spacing, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from costline.errors import InputError
from costline.quantity import COUNT, DOLLARS_PER_SECOND, SECONDS, TOKENS
from costline.sweep.axes import read_axis, spaced_values


def values(given, kind=COUNT, whole=False):
    return spaced_values(read_axis("x", given, kind, whole)).tolist()


def test_a_list_is_read_with_its_units():
    assert values(["1k", "32k", 64], TOKENS, whole=True) == [1000, 32000, 64]
    assert values(["$3.60/h"], DOLLARS_PER_SECOND) == pytest.approx([0.001])


def test_words_stay_words():
    axis = read_axis("precision", ["bf16", "fp8"], None, whole=False)
    assert [axis.value(place) for place in range(axis.size)] == ["bf16", "fp8"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"from": 1, "to": 9, "step": 2}, [1, 3, 5, 7, 9]),
        ({"from": 1, "to": 10, "step": 4}, [1, 5, 9]),
        ({"from": 0, "to": 1, "step": 0.1}, np.arange(11) / 10),
        ({"from": 0, "to": 1, "count": 5}, [0, 0.25, 0.5, 0.75, 1]),
        ({"from": 1, "to": 1000, "count": 4, "scale": "log"}, [1, 10, 100, 1000]),
    ],
)
def test_spacing_follows_its_definition(table, expected):
    assert values(table) == pytest.approx(list(expected))


def test_spacing_takes_units():
    assert values({"from": "1s", "to": "1min", "count": 2}, SECONDS) == [1, 60]


@given(some.integers(1, 1000), some.integers(1, 10**6), some.integers(1, 300), some.sampled_from(["linear", "log"]))
def test_whole_axes_hold_each_whole_number_once_and_keep_their_ends(first, width, count, scale):
    found = values({"from": first, "to": first + width, "count": count, "scale": scale}, TOKENS, whole=True)
    assert found == sorted(set(found))
    assert all(value == int(value) for value in found)
    assert found[0] == first
    assert count == 1 or found[-1] == first + width
    assert len(found) <= count


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "empty"),
        ([1, 2, 1.0], "twice"),
        (["1k", 1000], "twice"),
        ([1, [2]], "texts, numbers"),
        ([True], "count"),
        (["fast"], "x: "),
        ("8", "one value"),
        (8, "no list"),
        ({"from": 9, "to": 1, "step": 1}, "empty"),
        ({"from": 0, "to": 1, "count": 3, "scale": "log"}, "empty"),
        ({"from": 1, "to": 9}, "of the form"),
        ({"from": 1, "to": 9, "count": 3, "step": 1}, "of the form"),
        ({"from": 1, "to": 9, "cuont": 3}, "of the form"),
        ({"from": 1, "to": 9, "count": 0}, "whole number from 1"),
        ({"from": 1, "to": 9, "count": 2.5}, "whole number from 1"),
        ({"from": 1, "to": 9, "count": 10**12}, "1,000,000"),
        ({"from": 1, "to": 9, "step": 1e-9}, "1,000,000"),
        ({"from": 1, "to": 9, "step": -1}, "x: "),
        ({"from": 1, "to": 9, "count": 3, "scale": "square"}, "neither"),
    ],
)
def test_what_is_no_axis_is_refused_by_name(given, says):
    with pytest.raises(InputError, match=says) as caught:
        read_axis("x", given, COUNT, whole=False)
    assert "x" in str(caught.value)


def test_a_range_of_words_is_refused():
    with pytest.raises(InputError, match="no list"):
        read_axis("model", "llama-3.1-8b", None, whole=False)
