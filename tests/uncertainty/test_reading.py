"""Every way to write a range, and every way to get it wrong."""

from __future__ import annotations

import pytest

from costline.errors import QuantityError
from costline.quantity import COUNT, FRACTION, PARAMS, SECONDS, Range
from costline.uncertainty.reading import is_spread, read_column, read_spread, sorted_rows
from costline.uncertainty.spreads import Choices, Column


@pytest.mark.parametrize(
    ("written", "kind", "meant"),
    [
        ("400B to 600B", PARAMS, Range(4e11, 6e11, "lognormal")),
        ("3B..60B", PARAMS, Range(3e9, 6e10, "uniform")),
        ("35% to 45%", FRACTION, Range(0.35, 0.45, "logit-normal")),
        ("{20B, 40B, 60B}", PARAMS, Choices.even((2e10, 4e10, 6e10))),
        ("{20B: 0.6, 60B: 0.4}", PARAMS, Choices((2e10, 6e10), (0.6, 0.4))),
        ("{20B: 60%, 60B: 40%}", PARAMS, Choices((2e10, 6e10), (0.6, 0.4))),
        ({"20B": 0.6, 60e9: 0.4}, PARAMS, Choices((2e10, 6e10), (0.6, 0.4))),
        (["20B", 6e10], PARAMS, Choices.even((2e10, 6e10))),
        (Range(1.0, 2.0, "uniform"), SECONDS, Range(1.0, 2.0, "uniform")),
        ("5s", SECONDS, 5.0),
        ("5s to 5s", SECONDS, 5.0),
    ],
)
def test_ranges_in_every_form(written, kind, meant):
    assert read_spread(written, kind) == meant


@pytest.mark.parametrize(
    ("written", "kind", "words"),
    [
        ("600B to 400B", PARAMS, "runs downwards; write 400B to 600B"),
        ("0B to 5B", PARAMS, r"cannot start at 0; write 0B\.\.5B"),
        ("-1B to 5B", PARAMS, "-1B"),
        ("50% to 120%", FRACTION, "120"),
        ("50% to 100%", FRACTION, "ends below 1; a uniform one"),
        ("{20B: 0.6, 60B: 0.6}", PARAMS, "sum to 1.2, not to 1"),
        ("{20B: 1.4, 60B: -0.4}", PARAMS, "weight of 20B"),
        ("{20B: 0.6, 60B}", PARAMS, "either every value has a weight"),
        ("{20B, }", PARAMS, "either every value has a weight"),
        ("{}", PARAMS, "holds no value"),
        ("{20B", PARAMS, "is not a choice"),
        ("{1,000, 2,000}", COUNT, "commas part the values"),
        ("{1B to 2B, 3B}", PARAMS, "a range inside a choice"),
        ([], PARAMS, "no value to choose from"),
        (list(range(201)), COUNT, "the limit is 200"),
        ("{" + "1, " * 900 + "1}", COUNT, "is not a choice"),
        ("1B to 2B to 3B", PARAMS, "not a range of two"),
        ("nowhere.csv:mfu", FRACTION, "No such file"),
    ],
)
def test_faults_say_what_is_wrong(written, kind, words):
    with pytest.raises(QuantityError, match=words):
        read_spread(written, kind)


def test_looks():
    uncertain = ("1 to 2", "1..2", "{1, 2}", "samples.csv:a", ["1", "2"], {"1": 1.0}, Choices.even((1.0,)))
    assert all(is_spread(each) for each in uncertain)
    assert not any(is_spread(each) for each in ("1", "8xh100-sxm", 5, 5.0, None))


def test_a_column_of_samples(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("# posterior\nparams, mfu\n20B,0.4\n60e9,0.3\n", encoding="utf-8")
    found = read_spread(f"{path}:params", PARAMS)
    assert isinstance(found, Column)
    assert found.values == (2e10, 6e10)
    assert read_column(path, "mfu", FRACTION).values == (0.4, 0.3)
    assert sorted_rows((0.4, 0.3)) == (1, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a\n1\n", "no column 'mfu'; it has a"),
        ("mfu\n", "0 rows"),
        ("mfu\n0.3\nfast\n", "row 2"),
        ("mfu\n0.3\n-1\n", "row 2: '-1' is negative"),
        ("mfu\n0.3\nnan\n", "row 2: 'nan' is negative or no number"),
        ("mfu,b\n0.3\n,4\n", "row 2"),
        ("", "no column"),
    ],
)
def test_bad_columns(tmp_path, content, words):
    path = tmp_path / "samples.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(QuantityError, match=words):
        read_column(path, "mfu", FRACTION)


def test_a_file_without_its_column_says_what_there_is(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("params, mfu\n20B,0.4\n", encoding="utf-8")
    assert is_spread(str(path))
    with pytest.raises(QuantityError, match=r"as in samples\.csv:params; it has params, mfu"):
        read_spread(str(path), FRACTION)
