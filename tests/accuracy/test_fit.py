"""The fit against problems whose answer is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from costline.accuracy.fit import descend, fit, objective
from costline.accuracy.folds import folds_of, left_out, left_out_linearised, shrunk
from costline.accuracy.levels import Adjusted
from costline.accuracy.prediction import Prediction
from costline.accuracy.problem import Problem, errors, everywhere, workers
from costline.accuracy.refit import refit
from costline.accuracy.rows import read_measurements
from costline.accuracy.shipping import fitted_rows, to_csv
from costline.catalogue.standing_table import WAYS
from costline.estimate import Figure
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Adjustment, Coefficient, Efficiency, adjusted, levels_of
from tests.accuracy.conftest import TRAIN


def coefficient(name, scope, value, qualifier=""):
    return Coefficient(
        name=name, scope=scope, qualifier=qualifier, value=value, unit="1", source="test", kind="measured"
    )


BASE = Efficiency([
    coefficient("gemm", "all", 0.5), coefficient("gemm", "family:old", 0.6), coefficient("memory", "all", 0.5),
    coefficient("launch", "all", 1e-5, "graph"), coefficient("gemm", "vendor:rare", 0.7),
])  # fmt: skip
CHIPS = {
    name: Chip(id=name, name=name, peak={"bf16": 1.0}, memory=1.0, memory_bandwidth=1.0, family=family)
    for name, family in (("one", "old"), ("two", "old"), ("three", "new"), ("four", "new"))
}
TRUE = {"one": (1.4, 1.0), "two": (1.4, 1.0), "three": (0.8, 1.5), "four": (0.8, 1.5)}
"""What the true gemm and memory shares are, as factors of the sourced ones."""


@dataclass(frozen=True)
class Job:
    """Seconds of arithmetic at the peak, of traffic at the full bandwidth, and launches, one after the other."""

    chip: Chip
    math: float
    memory: float
    calls: float = 0.0

    def evaluate(self, efficiency):
        value = (
            self.math / efficiency.value("gemm", self.chip, "bf16")
            + self.memory / efficiency.value("memory", self.chip)
            + self.calls * efficiency.value("launch", self.chip, "graph")
        )
        return Prediction(value=value, low=value, high=value, figure=Figure(name="time", value=value, unit="s"))


def seconds(job):
    """Time of a job under the true factors, by hand."""
    gemm, memory = TRUE[job.chip.id]
    share = 0.6 if job.chip.family == "old" else 0.5
    return job.math / (share * gemm) + job.memory / (0.5 * memory) + job.calls * 1e-5


def posed(jobs, measured=None):
    asked = []
    for job in jobs:
        asking = Adjusted(BASE, {})
        job.evaluate(asking)
        asked.append(asking.asked)
    values = [seconds(job) for job in jobs] if measured is None else measured
    return Problem([], jobs, asked, CHIPS, BASE, np.asarray(values), np.ones(len(jobs)))


def jobs_on(*chips, count=8):
    return [
        Job(CHIPS[name], math=1.0 + number, memory=10.0 / (1 + number), calls=100.0 * number)
        for name in chips
        for number in range(count)
    ]


def test_known_factors_are_found():
    problem = posed(jobs_on(*CHIPS))
    with workers(problem, 1) as run:
        done = fit(problem, run, 4)
    assert np.abs(done.error).max() < 0.06  # the prior holds a little back
    table = Adjusted(BASE, done.adjustments)
    assert table.value("gemm", CHIPS["one"], "bf16") == pytest.approx(0.6 * 1.4, rel=0.05)
    assert table.value("memory", CHIPS["four"]) == pytest.approx(0.5 * 1.5, rel=0.05)


def test_a_chip_nobody_measured_inherits_its_family():
    problem = posed(jobs_on("one", "three"))
    with workers(problem, 1) as run:
        done = fit(problem, run, 4)
    table = Adjusted(BASE, done.adjustments)
    stranger = Chip(id="five", name="five", peak={}, memory=1.0, memory_bandwidth=1.0, family="old")
    assert 0.6 * 1.15 < table.value("gemm", stranger, "bf16") < 0.6 * 1.4
    somebody = Chip(id="six", name="six", peak={}, memory=1.0, memory_bandwidth=1.0, family="nobody's")
    assert table.value("memory", somebody) > 0.5


def test_without_measurements_nothing_moves():
    problem = posed(jobs_on("one"), measured=[Job.evaluate(job, BASE).value for job in jobs_on("one")])
    with workers(problem, 1) as run:
        done = fit(problem, run, 2)
    assert max(abs(value) for value in done.adjustments.values()) < 1e-6


def test_a_wild_measurement_hardly_counts():
    jobs = jobs_on("one", count=12)
    clean, spoilt = [seconds(job) for job in jobs], [seconds(job) for job in jobs]
    spoilt[3] *= 50
    found = []
    for measured in (clean, spoilt):
        problem = posed(jobs, measured)
        with workers(problem, 1) as run:
            done = fit(problem, run, 4)
        found.append(sum(done.adjustments[level] for level in levels_of("gemm", "bf16", CHIPS["one"])))
    assert found[1] == pytest.approx(found[0], abs=0.1)


@pytest.mark.parametrize("without", [left_out, left_out_linearised])
def test_held_out_rows_do_not_see_their_own_measurement(without):
    """Changing the measurements of a group changes nothing in what is predicted for it."""
    jobs = jobs_on("one", "two", "three")
    fold = folds_of([job.chip.id for job in jobs])
    predictions = []
    for factor in (1.0, 1.02):
        measured = np.asarray([seconds(job) * (factor if job.chip.id == "two" else 1.0) for job in jobs])
        problem = posed(jobs, measured)
        with workers(problem, 1) as run:
            done = fit(problem, run, 6)
            error = without(problem, done, fold, run)
        predictions.append((np.exp(error) * measured)[8:16])
    assert predictions[1] == pytest.approx(predictions[0], rel=3e-3)


def test_both_ways_to_hold_out_agree_where_the_model_is_smooth():
    jobs = jobs_on(*CHIPS)
    problem, fold = posed(jobs), folds_of([job.chip.id for job in jobs])
    with workers(problem, 1) as run:
        done = fit(problem, run, 6)
        exact, quick = (way(problem, done, fold, run) for way in (left_out, left_out_linearised))
    assert np.abs(exact - quick).max() < 0.05


def test_no_step_makes_the_objective_larger():
    """Whatever the slopes promise: more steps never end higher."""
    problem = posed(jobs_on(*CHIPS))
    rows = np.arange(len(problem.cases))
    with workers(problem, 1) as run:
        losses = []
        for steps in range(5):
            found = descend(problem, rows, {}, run, steps)
            losses.append(objective(problem, everywhere(run, found, rows.tolist()), found))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 2


def test_what_only_held_out_rows_told_is_forgotten():
    problem = posed(jobs_on("one", "two", "three"))
    kept = np.asarray([place for place, case in enumerate(problem.cases) if case.chip.id != "two"])
    with workers(problem, 1) as run:
        done = fit(problem, run, 6)
    less = shrunk(done, kept)
    own = [level for level in less if level[2] == "chip:two"]
    assert own
    assert all(less[level] == 0 for level in own)
    assert all(abs(less[level]) <= abs(done.adjustments[level]) + 1e-12 for level in less)


def test_folds_do_not_divide_groups():
    groups = ["b", "a", "c", "a", "b"]
    assert folds_of(groups).tolist() == [1, 0, 2, 0, 1]
    assert folds_of(groups, 2).tolist() == [1, 0, 0, 0, 1]


def test_processes_do_not_change_the_result():
    problem = posed(jobs_on("one", "three"))
    results = []
    for count in (1, 2):
        with workers(problem, count) as run:
            results.append(fit(problem, run, 2).adjustments)
    assert results[0] == results[1]


def test_errors_are_logarithms_of_prediction_over_measurement():
    problem = posed(jobs_on("one", count=2), measured=[1.0, 1.0])
    with workers(problem, 1) as run:
        found = everywhere(run, {}, [0, 1])
    assert errors(problem, found.value) == pytest.approx([math.log(value) for value in found.value])


def test_slopes_are_those_of_finite_differences():
    """A job of one kind of work: its logarithm falls as fast as that of the share rises."""
    job = Job(CHIPS["one"], math=3.0, memory=0.0)
    problem = posed([job])
    with workers(problem, 1) as run:
        seen = everywhere(run, {}, [0], 0.01)
    assert seen.slopes[0]["gemm", "bf16"] == pytest.approx(-1.0, abs=1e-9)
    assert seen.slopes[0]["memory", ""] == 0.0


@pytest.mark.parametrize(("name", "value", "factor", "expected"), [
    ("gemm", 0.8, 2, 0.97), ("gemm", 0.4, 2, 0.8), ("overlap", 0.8, 2, 0.6),
    ("overlap", 0.5, 4, 0.0), ("expert_spread", 0.5, 3, 1.5), ("launch", 2e-6, 3, 6e-6),
])  # fmt: skip
def test_adjustments_keep_to_what_a_coefficient_can_be(name, value, factor, expected):
    assert adjusted(name, value, factor) == pytest.approx(expected)


def test_shipped_rows_carry_their_origin_and_bounds():
    problem = posed(jobs_on(*CHIPS))
    with workers(problem, 1) as run:
        done = fit(problem, run, 2)
    rows = fitted_rows(problem, done.adjustments, done.spread, "2026-01-02", "abc")
    assert all(row.date == "2026-01-02" and "abc" in row.source for row in rows.values())
    assert all(row.low < row.factor < row.high for row in rows.values())
    table = Efficiency(BASE.rows, adjustments=rows)
    for chip in CHIPS.values():
        found = table.row("gemm", chip, "bf16")
        assert (found.kind, found.date) == ("fitted", "2026-01-02")
        assert found.low < found.value < found.high
        # four digits of each factor are shipped, and what is next to nothing is not
        assert found.value == pytest.approx(Adjusted(BASE, done.adjustments).value("gemm", chip, "bf16"), rel=0.01)
    assert to_csv(rows).count("\n") == len(rows) + 1


def test_a_refined_qualifier_falls_back_and_adds_up():
    rows = [coefficient("launch", "all", 2.0, "graph"), coefficient("launch", "all", 3.0)]
    fitted = {
        ("launch", "graph", "all"): Adjustment(factor=1.5, low=1.4, high=1.6, rows=5, date="2026", source="test"),
        ("launch", "graph/mine", "all"): Adjustment(factor=2.0, low=1.9, high=2.1, rows=2, date="2026", source="test"),
    }
    table = Efficiency(rows, adjustments=fitted)
    assert table.value("launch", CHIPS["one"], "graph/mine") == pytest.approx(2.0 * 1.5 * 2.0)
    assert table.value("launch", CHIPS["one"], "graph/other") == pytest.approx(2.0 * 1.5)
    assert table.value("launch", CHIPS["one"]) == 3.0


def test_a_refit_writes_where_every_target_stands(write):
    """Four rows of two chips: all seven ways to predict them are there; the fitted one is better than the sourced."""
    rows = [
        {**TRAIN, "id": f"{chip}{size}", "chip": chip, "model": f"llama-2-{size}", "value": str(value)}
        for chip, size, value in (
            ("a100-sxm-80gb", "7b", 40), ("a100-sxm-80gb", "13b", 75), ("h100-sxm", "7b", 20), ("h100-sxm", "13b", 38),
        )
    ]  # fmt: skip
    done = refit(read_measurements(write(*rows)).rows, "2026-01-02", "abc", folds=2, processes=1, iterations=2)
    (row,) = done.standing
    assert (row.target, row.rows, row.date) == ("train, dense", 4, "2026-01-02")
    assert set(row.errors) == set(WAYS)
    assert row.errors["in_sample"][0] < row.errors["sourced"][0]
    assert "abc" in row.source
    assert done.validated.count("\n") == 5
