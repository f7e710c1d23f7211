"""Questions about sweeps, against plain loops over all rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays

from costline.errors import InputError
from costline.sweep import make_scenario, run
from costline.sweep.kept import Kept
from costline.sweep.questions import best, front, read_conditions, read_goals, spans, thinned, unbeaten

from .conftest import STATED

FIGURES = ("ttft", "tpot", "output_rate", "cost_output")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep of several blocks, with points that do not fit and some that cannot be."""
    folder = tmp_path_factory.mktemp("questions") / "out"
    axes = {
        "precision": ["bf16", "fp8"], "plan": {"tensor": [8, 16, 1]}, "input": [500, 64_000, 8000],
        "batch": [1, 4, 512], "price": ["$2/h", "$1/h"],
    }  # fmt: skip
    inputs = {"model": "llama-3.1-8b", "on": "8xh100-sxm", "plan": dict(STATED)}
    scenario = make_scenario({"study": "serve", "inputs": inputs, "axes": axes, "figures": list(FIGURES)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("costline.sweep.scenario.BLOCK", 40)
        run(scenario, folder)
    return Kept(folder)


@pytest.fixture(scope="module")
def rows(sweep):
    """All rows as dictionaries."""
    columns = sweep.rows(range(sweep.points), list(sweep.columns))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def dominated(row, others, names):
    return any(
        all(other[name] <= row[name] for name in names) and any(other[name] < row[name] for name in names)
        for other in others
    )


def test_it_has_what_the_tests_need(sweep, rows):
    assert len(sweep.blocks) == 3
    assert sweep.points == 108
    assert 0 < sum(row["feasible"] for row in rows) < sum(row["reason"] is None for row in rows) < 108


def test_rows_come_in_the_order_asked(sweep, rows):
    points = [100, 3, 55, 3]
    assert sweep.rows(points, ["batch", "precision"]) == {
        name: [rows[point][name] for point in points] for name in ("batch", "precision")
    }


def test_the_best_of_each_group(sweep, rows):
    (goal,) = read_goals(sweep, "min cost_output")
    found = best(sweep, goal, ["precision", "input"])
    for precision in ("bf16", "fp8"):
        for length in (500, 64_000, 8000):
            group = [row for row in rows if row["feasible"] and (row["precision"], row["input"]) == (precision, length)]
            winner = min(group, key=lambda row: (row["cost_output"], row["point"]))
            assert winner["point"] in found
    assert len(found) == 6


def test_the_best_of_all_that_meet_conditions(sweep, rows):
    where = read_conditions(sweep, "tpot < 12ms, precision = bf16, plan.tensor != 1")
    (goal,) = read_goals(sweep, "output_rate")
    fitting = [
        row for row in rows
        if row["feasible"] and row["tpot"] < 0.012 and row["precision"] == "bf16" and row["plan.tensor"] != 1
    ]  # fmt: skip
    winner = max(fitting, key=lambda row: (row["output_rate"], -row["point"]))
    assert best(sweep, goal, (), where) == [winner["point"]]


@pytest.mark.parametrize("names", [["tpot"], ["cost_output", "tpot"], ["cost_output", "tpot", "ttft"]])
def test_a_front_is_what_no_other_point_beats(sweep, rows, names):
    goals = read_goals(sweep, ", ".join(f"min {name}" for name in names))
    feasible = [row for row in rows if row["feasible"]]
    expected, seen = [], set()
    for row in feasible:
        costs = tuple(row[name] for name in names)
        if not dominated(row, feasible, names) and costs not in seen:
            seen.add(costs)
            expected.append(row["point"])
    assert sorted(front(sweep, goals)) == expected


def test_spans_of_groups(sweep, rows):
    found = spans(sweep, FIGURES, ["batch", "precision"])
    assert sum(group.points for group in found) == sum(row["feasible"] for row in rows)
    for group in found:
        inside = [row for row in rows if row["feasible"] and (row["batch"], row["precision"]) == group.values]
        for name in FIGURES:
            values = [row[name] for row in inside]
            span = group.figures[name]
            assert (span.count, span.least, span.most) == (len(values), min(values), max(values))
            assert span.mean == pytest.approx(math.fsum(values) / len(values))


def test_spans_of_everything_leave_unknown_values_out(sweep, rows):
    (group,) = spans(sweep, ["tpot"], infeasible=True)
    known = [row["tpot"] for row in rows if row["tpot"] is not None]
    assert group.points == len(rows)
    assert (group.figures["tpot"].count, group.figures["tpot"].most) == (len(known), max(known))


@pytest.mark.parametrize("limit", [1, 7, 36, 1000])
def test_thinned_rows_match_and_come_from_everywhere(sweep, rows, limit):
    found = thinned(sweep, limit, read_conditions(sweep, "batch < 512"))
    matching = [row["point"] for row in rows if row["feasible"] and row["batch"] < 512]
    assert set(found) <= set(matching)
    assert min(limit, len(matching)) / 2 <= len(found) <= limit
    assert found == sorted(found)


@given(arrays(np.float64, some.tuples(some.integers(1, 30), some.integers(1, 4)), elements=some.integers(0, 5)))
def test_unbeaten_rows_by_definition(costs):
    listed = [dict(enumerate(row)) for row in costs.tolist()]
    names = range(costs.shape[1])
    expected = [
        place for place, row in enumerate(listed)
        if not dominated(row, listed, names) and row not in listed[:place]
    ]  # fmt: skip
    assert unbeaten(costs).tolist() == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tpt < 1s", "did you mean tpot"),
        ("tpot", "no condition"),
        ("tpot < fast", "tpot: "),
        ("tpot < 3 GB", "tpot: "),
        ("precision < fp8", "= or !="),
        ("precision = fp9", "did you mean fp8"),
        ("feasible = 1", "--all"),
    ],
)
def test_what_is_no_condition_is_refused(sweep, text, says):
    with pytest.raises(InputError, match=says):
        read_conditions(sweep, text)


@pytest.mark.parametrize(
    ("text", "says"), [("cheapest tpot", "min FIGURE"), ("precision", "min FIGURE"), ("min tpt", "did you mean tpot")]
)
def test_what_is_no_goal_is_refused(sweep, text, says):
    with pytest.raises(InputError, match=says):
        read_goals(sweep, text)


def test_rates_are_better_high_and_costs_low(sweep):
    signs = {goal.column: goal.sign for goal in read_goals(sweep, "output_rate, cost_output, max tpot")}
    assert signs == {"output_rate": -1, "cost_output": 1, "tpot": -1}


def test_groups_are_of_listed_axes(sweep):
    (goal,) = read_goals(sweep, "tpot")
    with pytest.raises(InputError, match=r"no axis of listed values; those are: precision, plan\.tensor"):
        best(sweep, goal, ["ttft"])
