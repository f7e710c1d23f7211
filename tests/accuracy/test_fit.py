"""The fit against problems whose answer is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from costline.accuracy.fit import Problem, errors, everywhere, fit, held_out, workers
from costline.accuracy.levels import Asking, adjusted, chip_rows, family_rows, levels_of, unmeasured_rows
from costline.accuracy.prediction import Prediction
from costline.accuracy.shipping import fitted_rows, to_csv
from costline.estimate import Figure
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Coefficient, Efficiency


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
        asking = Asking(BASE.rows, set())
        job.evaluate(asking)
        asked.append(frozenset(asking.asked))
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
    assert np.abs(done.error).max() < 0.05  # the prior holds a little back
    table = Efficiency([*BASE.rows, *chip_rows(BASE, done.adjustments, problem.lookups, CHIPS)])
    assert table.value("gemm", CHIPS["one"], "bf16") == pytest.approx(0.6 * 1.4, rel=0.05)
    assert table.value("memory", CHIPS["four"]) == pytest.approx(0.5 * 1.5, rel=0.05)


def test_a_chip_nobody_measured_inherits_its_family():
    problem = posed(jobs_on("one", "three"))
    with workers(problem, 1) as run:
        done = fit(problem, run, 4)
    rows = family_rows(BASE, done.adjustments, problem.lookups, CHIPS)
    table = Efficiency([*BASE.rows, *rows])
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
        found.append(sum(done.adjustments[level] for level in levels_of(("gemm", "bf16", "one"), CHIPS["one"])))
    assert found[1] == pytest.approx(found[0], abs=0.1)


def test_held_out_rows_do_not_see_their_own_measurement():
    """Changing the measurements of a group changes nothing in what is predicted for it."""
    jobs = jobs_on("one", "two", "three")
    groups = [job.chip.id for job in jobs]
    predictions = []
    for factor in (1.0, 1.02):
        measured = np.asarray([seconds(job) * (factor if job.chip.id == "two" else 1.0) for job in jobs])
        problem = posed(jobs, measured)
        with workers(problem, 1) as run:
            done = fit(problem, run, 4)
            error = held_out(problem, done, groups, run, 1000)
        predictions.append((np.exp(error) * measured)[8:16])
    assert predictions[1] == pytest.approx(predictions[0], rel=3e-3)


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
    assert errors(problem, found) == pytest.approx([math.log(value) for value in found])


@pytest.mark.parametrize(("name", "value", "log", "expected"), [
    ("gemm", 0.8, math.log(2), 0.97), ("gemm", 0.4, math.log(2), 0.8), ("overlap", 0.8, math.log(2), 0.6),
    ("overlap", 0.5, math.log(4), 0.0), ("expert_imbalance", 1.2, math.log(3), 1.6),
    ("launch", 2e-6, math.log(3), 6e-6),
])  # fmt: skip
def test_adjustments_keep_to_what_a_coefficient_can_be(name, value, log, expected):
    assert adjusted(name, value, log) == pytest.approx(expected)


def test_sourced_rows_of_scopes_nobody_measured_still_count():
    base = Efficiency([*BASE.rows, coefficient("gemm", "family:rare", 0.9)])
    fitted = [coefficient("gemm", "all", 0.4, "bf16")]
    rows = unmeasured_rows(base, {("gemm", "bf16", "all"): math.log(0.8)}, fitted, CHIPS)
    table = Efficiency([*base.rows, *fitted, *rows])
    rare = Chip(id="x", name="x", peak={}, memory=1.0, memory_bandwidth=1.0, family="rare")
    assert table.value("gemm", rare, "bf16") == pytest.approx(0.9 * 0.8)


def test_shipped_rows_carry_their_origin_and_bounds():
    problem = posed(jobs_on(*CHIPS))
    with workers(problem, 1) as run:
        done = fit(problem, run, 2)
    rows = fitted_rows(problem, done.adjustments, done.spread, "2026-01-02", "abc")
    assert all(row.kind == "fitted" and row.date == "2026-01-02" and "abc" in row.source for row in rows)
    assert all(row.low <= row.value <= row.high for row in rows)
    assert to_csv(rows).count("\n") == len(rows) + 1
