"""Every point of a sweep is what the study itself says of that point, asked alone."""

import numpy as np
import pytest

import costline
from costline.errors import CostlineError, UnknownNameError
from costline.sweep.evaluate import evaluate, figure_value, pieces
from costline.sweep.scenario import PIECE, make_scenario

from .conftest import STATED, serve_scenario

TRAINED = "tensor=8, pipeline=1, virtual=1, ulysses=1, expert=1, zero=1, micro_batch=1, recompute=none"
MADE = "tensor=1, ulysses=8, ring=1, guidance=1"

SCENARIOS = {
    "serve": {
        "study": "serve",
        "inputs": {"model": "llama-3.1-8b", "on": "8xh100-sxm", "plan": dict(STATED)},
        "axes": {
            "batching": ["continuous", "static"],
            "plan": {"tensor": [2, 8]},
            "output": [1, 300],
            "input": ["1k", "100k"],
            "batch": [8, 640],
            "price": ["$2/h", "$3/h"],
        },
    },
    "serve, plan chosen": {
        "study": "serve",
        "inputs": {"model": "mixtral-8x7b"},
        "axes": {"on": ["h100-sxm", "8xh100-sxm"], "batch": [1, 64], "price": ["$2/h", "$3/h"]},
    },
    "serve, rumoured": {
        "study": "serve",
        "inputs": {"on": "8xh100-sxm"},
        "axes": {"params": ["7B", "70B"], "pue": [1.1, 1.4], "coefficients": {"memory": [0.5, 0.8]}},
    },
    "train": {
        "study": "train",
        "inputs": {"model": "llama-3.1-8b", "on": "64xh100-sxm", "plan": TRAINED},
        "axes": {"precision": ["bf16", "fp8"], "tokens": ["1T", "2T"], "sequence": [2048, 8192]},
    },
    "train, plan chosen": {
        "study": "train",
        "inputs": {"model": "llama-3.1-8b", "tokens": "1T"},
        "axes": {"on": ["8xh100-sxm", "64xa100-sxm-80gb"], "sequence": [4096, 131072], "batch_tokens": ["1M", "8M"]},
    },
    "train, clips": {
        "study": "train",
        "inputs": {"model": "wan2.1-t2v-1.3b", "on": "8xh100-sxm", "plan": TRAINED.replace("tensor=8", "tensor=1")},
        "axes": {"resolution": ["832x480", "720p"], "frames": [17, 81], "clips": ["1M", "2M"]},
    },
    "generate": {
        "study": "generate",
        "inputs": {"model": "wan2.1-t2v-14b", "on": "8xh100-sxm", "plan": MADE},
        "axes": {"resolution": ["832x480", "720p"], "frames": [1, 81], "steps": [4, 50], "branches": [1, 2]},
    },
    "generate, plan chosen": {
        "study": "generate",
        "inputs": {"model": "wan2.1-t2v-1.3b", "resolution": "832x480"},
        "axes": {"on": ["h100-sxm", "2xh100-sxm"], "steps": [10, 50], "mfu": ["30%", "50%"]},
    },
}  # fmt: skip


def alone(scenario, values):
    """The study asked about one point with single numbers."""
    inputs = dict(scenario.inputs)
    for axis in scenario.axes:
        table, _, key = axis.name.partition(".")
        value = values[axis.name]
        inputs[table] = {**inputs.get(table, {}), key: value} if key else value
    return getattr(costline, scenario.study)(**inputs)


def named(scenario, block, row):
    """Values of the axes at a point, words as words."""
    values = {}
    for axis in scenario.axes:
        cell = block.axes[axis.name][row]
        values[axis.name] = axis.words[int(cell)] if axis.words else int(cell) if axis.whole else float(cell)
    return values


@pytest.mark.parametrize("name", SCENARIOS)
def test_points_are_what_the_study_says_of_each_alone(name):
    scenario = make_scenario(SCENARIOS[name])
    figures = scenario.asked.figures
    block = evaluate(scenario, figures, 0, scenario.points)
    seen = set()
    for row in range(scenario.points):
        values = named(scenario, block, row)
        seen.add(tuple(values.values()))
        estimate = alone(scenario, values)
        for figure in set(figures) & estimate.figures.keys():  # an image has no seconds of video
            single = estimate[figure]
            expected = float("nan") if single is None else single
            assert block.figures[figure][row] == pytest.approx(expected, rel=1e-12, nan_ok=True), (values, figure)
        assert bool(block.feasible[row]) is bool(estimate.feasible), values
    assert len(seen) == scenario.points


def test_any_part_of_a_sweep_is_the_same_as_that_part_of_the_whole():
    scenario = serve_scenario(
        {"plan": {"tensor": [1, 8]}, "batch": list(range(1, 301)), "price": "$1/h to $4/h"}, samples=70
    )
    whole = evaluate(scenario, ("tpot", "cost_output"), 0, scenario.points)
    for start, stop in ((0, 1), (20_999, 21_001), (16_384, 17_000), (41_000, scenario.points)):
        part = evaluate(scenario, ("tpot", "cost_output"), start, stop)
        assert part.axes["price"].tolist() == whole.axes["price"][start:stop].tolist()
        assert part.figures["tpot"] == pytest.approx(whole.figures["tpot"][start:stop], rel=1e-13)


def test_pieces_are_cut_where_combinations_end():
    scenario = serve_scenario({"plan": {"tensor": [1, 8]}, "batch": list(range(1, 20_001))})
    cut = list(pieces(scenario, 10, scenario.points))
    assert cut == [(10, PIECE), (PIECE, 20_000), (20_000, 20_000 + PIECE), (20_000 + PIECE, 40_000)]


def test_a_plan_that_contradicts_the_machine_is_an_answer():
    scenario = serve_scenario({"plan": {"tensor": [8, 16]}, "batch": [1, 2]})
    block = evaluate(scenario, ("tpot",), 0, 4)
    assert block.feasible.tolist() == [True, True, False, False]
    assert np.isnan(block.figures["tpot"]).tolist() == [False, False, True, True]
    assert "16 chips" in block.reason[3]
    with pytest.raises(CostlineError, match="16 chips"):
        alone(scenario, {"plan.tensor": 16, "batch": 1})


def test_points_that_a_study_refuses_do_not_spoil_their_neighbours():
    steps = make_scenario(
        {
            "study": "generate",
            "inputs": {"model": "wan2.1-t2v-1.3b", "on": "h100-sxm", "resolution": "832x480",
                       "plan": "tensor=1, ulysses=1, ring=1, guidance=1"},
            "axes": {"frames": [17, 33, 81], "mfu": [1e-9, 0.3]},
        }
    )  # fmt: skip
    block = evaluate(steps, ("time",), 0, 6)
    assert np.isnan(block.figures["time"]).tolist() == [True, False] * 3
    assert all("mfu" in block.reason[row] for row in (0, 2, 4))
    for row, frames in ((1, 17), (3, 33), (5, 81)):
        expected = alone(steps, {"frames": frames, "mfu": 0.3})["time"]
        assert block.figures["time"][row] == pytest.approx(expected, rel=1e-12)


def test_samples_are_the_slowest_of_the_inner_dimensions_and_common_to_all():
    scenario = serve_scenario(
        {"precision": ["bf16", "fp8"], "batch": [1, 2, 4], "price": "$1/h..$4/h"}, samples=5, seed=3
    )
    block = evaluate(scenario, ("cost_output",), 0, scenario.points)
    prices = block.axes["price"].reshape(2, -1)
    assert prices[0].tolist() == prices[1].tolist()
    assert len(set(prices[0].tolist())) == 5


def test_figures_have_parts_ends_and_plans():
    estimate = costline.serve("llama-3.1-8b", on="8xh100-sxm")
    memory = {child.name: child.value for child in estimate.figure("memory").children}
    assert figure_value(estimate, "memory/weights") == memory["weights"]
    assert figure_value(estimate, "tpot.low") <= figure_value(estimate, "tpot") <= figure_value(estimate, "tpot.high")
    assert figure_value(estimate, "plan.tensor") == estimate.inputs["tensor"]
    for name in ("tpt", "memory/weight", "tpot.lo"):
        with pytest.raises(UnknownNameError):
            figure_value(estimate, name)
