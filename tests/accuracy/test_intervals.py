"""Intervals of predictions: closed forms, and coverage worked out by hand on a frozen handful of rows."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from costline.accuracy.intervals import interval, scored_csv, with_intervals
from costline.accuracy.predict import Scored, predict, predicted
from costline.accuracy.prediction import Prediction
from costline.accuracy.rows import shipped_measurements
from costline.accuracy.score import summarise, summary_of
from costline.catalogue import shipped
from costline.catalogue.table import DATA
from costline.catalogue.validated_table import NUMBERS, WORDS, Validated, factor_of, is_time, validated_cases
from costline.cli import main
from costline.estimate import Figure


@pytest.fixture(scope="module")
def rows():
    """Five times of generating and five rates of training, predicted."""
    found = []
    for table, timed in (("generate", True), ("train", False)):
        listed = [
            row for row in shipped_measurements(table).rows if row.scored and row.value and is_time(row.metric) is timed
        ]
        found += list(predict(listed[:5], shipped.efficiency()))
    return found


def table(error, ids=()):
    """Cases of one group each, of every study, all as far from any question."""
    targets = ("train, dense", "generate, dense 16-bit")
    count = len(error) * len(targets)
    words = {name: np.full(count, "elsewhere", dtype="U30") for name in WORDS}
    words["target"] = np.repeat(targets, len(error))
    words["model"] = np.asarray([f"m{place}" for place in range(count)])
    words["id"] = np.asarray([*ids, *(f"x{place}" for place in range(count))][:count])
    numbers = {name: np.full(count, np.nan) for name in NUMBERS}
    return Validated(words, {**numbers, "error": np.tile(np.asarray(error, dtype=float), len(targets))})


def test_where_every_case_was_off_alike_the_factor_is_exact(rows):
    """All were predicted twice too slow: half the time, twice the rate, however few or far they are."""
    for row in with_intervals(rows, table([math.log(2)] * 12)):
        factor = 0.5 if is_time(row.measurement.metric) else 2.0
        assert row.interval == pytest.approx([predicted(row).value * factor] * 2)


def test_intervals_of_rates_are_the_inverse_of_those_of_times(rows):
    cases = table(np.linspace(-0.4, 0.4, 41))
    for row in with_intervals(rows, cases):
        low, high = np.asarray(row.interval) / predicted(row).value
        as_time, as_rate = (
            interval(row.case, metric, predicted(row), cases)[:2] for metric in ("e2e_s", "output_tokens_per_s")
        )
        assert (low, high) == pytest.approx(
            np.asarray(as_time if is_time(row.measurement.metric) else as_rate) / predicted(row).value
        )
        assert np.multiply(as_time, as_rate[::-1]) == pytest.approx([predicted(row).value ** 2] * 2)


def test_all_at_once_is_one_by_one():
    """A hundred rows of the table and more are worked out at once, with the same result."""
    listed = [row for row in shipped_measurements("generate").rows if row.scored][:110]
    found = list(predict(listed, shipped.efficiency()))
    cases = validated_cases()
    for row in with_intervals(found, cases)[::10]:
        alone = interval(row.case, row.measurement.metric, predicted(row), cases, row.measurement.id)
        assert row.interval == pytest.approx(alone[:2], rel=1e-4)  # the table has four figures of a number


def made(measurement, value, held):
    figure = Figure(name="time", value=value, unit="s")
    return Scored(measurement, None, Prediction(value=value, low=value, high=value, figure=figure), held)


def test_coverage_of_four_rows_by_hand(rows):
    """Measured 10 s each: inside of 9 to 11 and of 10 to 12, outside of 11 to 12, nothing known of the fourth."""
    one = replace(rows[0].measurement, value=10.0)
    listed = [replace(one, id=str(place)) for place in range(4)]
    held = [(9.0, 11.0), (10.0, 12.0), (11.0, 12.0), None]
    found = summary_of([made(each, 10.0, ends) for each, ends in zip(listed, held, strict=True)])
    assert found.coverage == pytest.approx(2 / 3)
    assert summary_of([made(listed[0], 10.0, None)]).coverage is None


def test_coverage_is_weighted():
    ones = np.ones(3)
    found = summarise(ones, ones, ones > 0, np.array([1.0, 1.0, 2.0]), 3, covered=np.array([1.0, 0.0, 1.0]))
    assert found.coverage == pytest.approx(3 / 4)


def test_the_command_prints_and_writes_it(tmp_path, capsys):
    own = tmp_path / "generate.csv"
    with (DATA / "measurements" / "generate.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    with own.open("w", newline="") as file:
        csv.writer(file).writerows(lines[:12])
    assert main(["accuracy", "--measurements", str(own), "--csv", str(tmp_path / "out.csv"), "--plain"]) == 0
    assert "80 %: share inside the 80 % interval" in capsys.readouterr().out
    with (tmp_path / "out.csv").open(newline="") as file:
        written = [row for row in csv.DictReader(file) if row["predicted"]]
    assert written
    assert all(float(row["low"]) < float(row["high"]) for row in written)
    assert main(["accuracy", "--measurements", str(own), "--json"]) == 0
    assert '"coverage"' in capsys.readouterr().out
    assert main(["accuracy", "--measurements", str(own), "--explain", written[0]["id"]]) == 0
    shown = capsys.readouterr().out
    assert "nearest: " in shown
    assert "80 %: " in shown


def test_rows_predicted_in_any_way_become_cases_with_the_time_predicted_over_the_time_measured(rows):
    """Of a rate the inverse: twice the rate is half the time."""
    doubled = []
    for row in rows:
        value = 2 * row.measurement.value / factor_of(row.measurement.metric)
        doubled.append(replace(row, outcome=replace(predicted(row), value=value)))
    lines = list(csv.DictReader(scored_csv(doubled).splitlines()))
    assert [line["id"] for line in lines] == [row.measurement.id for row in rows]
    for line, row in zip(lines, rows, strict=True):
        sign = 1 if is_time(row.measurement.metric) else -1
        assert float(line["error"]) == pytest.approx(sign * math.log(2), rel=1e-3)
        assert float(line["measured"]) == pytest.approx(row.measurement.value, rel=1e-3)
