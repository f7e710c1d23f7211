"""Walking a space against itertools; the plan of many points against the plan of each."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costline
from costline.studies.blocks import blocks
from costline.studies.choose import generation_plan, serving_plan, training_plan
from costline.studies.clip import Clip
from costline.studies.serving_times import Requests
from costline.studies.space import Least
from costline.studies.train import Run, Stretch
from tests.conftest import make_machine
from tests.studies.test_blocks import AXES, axes_of


@given(AXES, st.integers(1, 50), st.integers(1, 3))
def test_the_least_of_all_blocks_is_the_least_of_all(sizes, limit, points):
    axes, weights = axes_of(sizes), np.arange(1, points + 1)
    least = Least((points,))
    for block in blocks(axes, 1, limit):
        value = sum((values - 2.5) ** 2 * (place + 1) for place, values in enumerate(block.fields.values()))
        least.take(block, np.abs(value - weights))
    for point in range(points):
        values = {
            one: abs(sum((value - 2.5) ** 2 * (place + 1) for place, value in enumerate(one)) - weights[point])
            for one in product(*axes.values())
        }
        assert least.value[point] == pytest.approx(min(values.values()))
        assert tuple(least.fields[name][point] for name in axes) == min(values, key=values.get)


def singles(plan, size):
    for place in range(size):
        yield {name: np.broadcast_to(value, size)[place] for name, value in vars(plan).items() if value is not None}


def test_each_point_of_an_array_gets_its_own_serving_plan(llama):
    machine = make_machine(16)
    batch, length = np.array([1.0, 8.0, 64.0, 300.0]), np.array([100.0, 4000.0, 1000.0, 30000.0])
    many = serving_plan(llama, Requests(input=length, output=200, batch=batch), machine, {})
    for place, plan in enumerate(singles(many.plan, 4)):
        asked = Requests(input=float(length[place]), output=200, batch=float(batch[place]))
        one = serving_plan(llama, asked, machine, {}).plan
        assert {name: plan[name] for name in ("tensor", "pipeline", "data")} == {
            name: getattr(one, name) for name in ("tensor", "pipeline", "data")
        }


def test_each_point_of_an_array_gets_its_own_training_plan(gpt3):
    machine = make_machine(256)
    sequence = np.array([2048.0, 8192.0, 65536.0])
    many = training_plan(gpt3, Run(tokens=1e9, stretches=[Stretch(sequence=sequence)], batch_tokens=2**23), machine, {})
    assert set(np.asarray(many.plan.recompute).tolist()) <= {"none", "full"}
    for place, plan in enumerate(singles(many.plan, 3)):
        run = Run(tokens=1e9, stretches=[Stretch(sequence=float(sequence[place]))], batch_tokens=2**23)
        one = training_plan(gpt3, run, machine, {}).plan
        assert {name: plan[name] for name in ("tensor", "pipeline", "recompute", "ulysses", "data")} == {
            name: getattr(one, name) for name in ("tensor", "pipeline", "recompute", "ulysses", "data")
        }


def test_points_of_several_dimensions_keep_their_shape(llama):
    batch, length = np.array([[1.0], [64.0]]), np.array([[100.0, 1000.0, 10000.0]])
    many = serving_plan(llama, Requests(input=length, output=200, batch=batch), make_machine(8), {})
    assert np.shape(many.plan.tensor) == (2, 3)


def test_a_space_larger_than_a_block_is_searched_in_pieces(llama, monkeypatch):
    from costline.studies import space

    machine, asked = make_machine(64), Requests(input=1000, output=200, batch=64)
    whole = serving_plan(llama, asked, machine, {})
    monkeypatch.setattr(space, "BLOCK", 3)
    assert serving_plan(llama, asked, machine, {}) == whole


def test_every_chip_of_a_generation_plan_works():
    from costline.catalogue import shipped

    wan = shipped.model("wan2.1-t2v-14b")
    clip = Clip(frames=81, height=720, width=1280, steps=50, branches=2)
    plan = generation_plan(wan, clip, make_machine(8), {}).plan
    assert math.prod((plan.tensor, plan.ulysses, plan.ring, plan.guidance, plan.data)) == 8


@pytest.mark.parametrize("batch", [None, 4])
def test_a_pipeline_of_any_depth_serves_what_no_usual_plan_holds(batch):
    """Llama 3.1 405B in bf16 is 812 GB: 101 GB a chip on 8 of 12 H100, 68 GB on all of them, of 72 GB usable."""
    answer = costline.serve("llama-3.1-405b", on="12xh100-sxm", precision="bf16", batch=batch)
    assert answer.feasible is True
    assert answer.inputs["tensor"] * answer.inputs["pipeline"] == 12
    assert "none of the usual ones does" in answer.assumptions[0].value


def test_tensor_parallelism_leaves_the_domain_only_where_nothing_else_fits():
    """In bf16 and without a pipeline 141 GB fit on 8 chips of 72 GB usable, 812 GB on 16 only."""
    fixed = "pipeline=1"
    inside = costline.serve("llama-3.1-70b", on="16xh100-sxm", precision="bf16", plan=fixed, batch=8)
    assert inside.inputs["tensor"] <= 8
    across = costline.serve("llama-3.1-405b", on="16xh100-sxm", precision="bf16", plan=fixed, batch=8)
    assert across.feasible is True
    assert across.inputs["tensor"] == 16


def test_plans_across_domains_are_the_same_one_by_one_and_in_an_array():
    inputs = {"on": "12xh100-sxm", "precision": "bf16", "output": 100}
    lengths = np.array([500, 3_000, 40_000])
    for model in ("llama-3.1-70b", "llama-3.1-405b"):
        swept = costline.serve(model, input=lengths, **inputs)
        for place, length in enumerate(lengths):
            one = costline.serve(model, input=int(length), **inputs)
            for name in ("tensor", "pipeline", "data", "batch"):
                assert np.broadcast_to(swept.inputs[name], 3)[place] == one.inputs[name], (model, name)
            assert np.broadcast_to(swept.feasible, 3)[place] == one.feasible
            assert np.broadcast_to(swept["output_rate"], 3)[place] == pytest.approx(one["output_rate"])


def test_training_leaves_the_domain_where_nothing_else_fits():
    """GPT-3 without ZeRO and pipeline: 16 bytes a parameter, 2.8 TB, are 350 GB a chip on 8 chips, 88 GB on 32."""
    stated = "pipeline=1, zero=0, ulysses=1"
    answer = costline.train("gpt3-175b", tokens="300B", on="64xh200-sxm", plan=stated)
    assert answer.feasible is True
    assert answer.inputs["tensor"] == 32  # of 96 heads
