"""Scenarios: what is refused before any work, and how points are cut into blocks."""

import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as some

from costline.errors import InputError
from costline.sweep.scenario import BLOCK, make_scenario, read_scenario

from .conftest import grid, serve_scenario

INPUTS = {"model": "llama-3.1-8b", "on": "8xh100-sxm"}
BATCH = {"batch": [1, 2]}


def scenario(**fields):
    return make_scenario({"study": "serve", "inputs": INPUTS, "axes": BATCH} | fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"study": "serf"}, "did you mean serve"),
        ({"axis": {}}, "did you mean axes"),
        ({"axes": {}}, "one axis at least"),
        ({"axes": {"batch": []}}, "batch is empty"),
        ({"axes": {"bach": [1]}}, "did you mean batch"),
        ({"axes": {"plan": {"tensr": [1]}}}, "did you mean tensor"),
        ({"inputs": {"modle": "x"}}, "did you mean model"),
        ({"inputs": INPUTS | {"batch": 3}}, "batch: both fixed and an axis"),
        ({"inputs": INPUTS | {"plan": {"tensor": 8}}, "axes": {"plan": {"tensor": [1, 2]}}}, "both fixed"),
        ({"axes": {"price": "$1/h to $4/h"}}, "samples = 1000"),
        ({"samples": 10}, "no axis to draw"),
        ({"samples": -1, "axes": {"price": "$1/h to $4/h"}}, "whole number from 1"),
        ({"seed": 1.5}, "whole number from 0"),
        ({"samples": 10**13, "axes": {"price": "$1/h to $4/h"}}, "samples"),
    ],
)
def test_what_is_no_scenario_is_refused_with_the_nearest_fix(fields, says):
    with pytest.raises(InputError, match=says):
        scenario(**fields)


def test_too_many_points_are_refused_without_making_them():
    long = {"from": 1, "to": 100_000, "step": 1}
    with pytest.raises(InputError, match=r"1e\+15 points \(100,000 x 100,000 x 100,000\).*samples"):
        scenario(axes={"batch": long, "input": long, "output": long})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "scenario.toml"
    for body, says in (("study = ", "Invalid"), ('study = "serve"\nfigure = []', "did you mean figures")):
        path.write_text(body)
        with pytest.raises(InputError, match=says) as caught:
            read_scenario(path)
        assert str(path) in str(caught.value)
    with pytest.raises(InputError, match=r"none\.toml"):
        read_scenario(tmp_path / "none.toml")


def test_numbers_are_arrays_once_the_plan_is_stated():
    stated = serve_scenario({"batch": [1, 2], "plan": {"tensor": [1, 8]}})
    assert (stated.inner, stated.points) == (2, 4)
    assert [axis.name for axis in stated.arrays] == ["batch"]


def test_samples_are_shared_by_all_combinations():
    sampled = serve_scenario({"batch": [1, 2], "price": "$1/h to $4/h", "precision": ["bf16", "fp8"]}, samples=100)
    assert sampled.points == 400


@given(some.integers(1, 40), some.integers(1, 3000), some.integers(1, 400))
def test_blocks_hold_every_point_once(words, first, second):
    chips = [f"{number}xh100-sxm" for number in range(1, words + 1)]
    axes = {"on": chips, "input": list(range(1, first + 1)), "batch": list(range(1, second + 1))}
    inputs = {"model": "llama-3.1-8b", "plan": {"tensor": 1, "pipeline": 1, "expert": 1}}
    made = make_scenario({"study": "serve", "inputs": inputs, "axes": axes})
    spans = [made.span(number) for number in range(made.blocks)]
    assert spans[0][0] == 0
    assert spans[-1][1] == made.points == words * first * second
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    assert all(0 < stop - start <= BLOCK for start, stop in spans)


def test_it_survives_the_way_to_another_process():
    made = grid()
    assert made.digest
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
    assert again == made
    assert again.digest == made.digest


def test_the_hash_follows_what_decides_the_result(tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"a": 1}')
    one = scenario(inputs=INPUTS | {"model": str(config)})
    before = one.digest
    assert scenario(inputs=INPUTS | {"model": str(config)}).digest == before
    assert scenario(inputs=INPUTS | {"model": str(config)}, seed=1).digest != before
    config.write_text('{"a": 2}')
    assert scenario(inputs=INPUTS | {"model": str(config)}).digest != before


@pytest.mark.parametrize(("content", "says"), [
    ("a = " + "[" * 50_000 + "]" * 50_000, "nested too deeply"), (b"\xff\xfe", "not UTF-8"), ("[axes", "is not TOML"),
])  # fmt: skip
def test_a_file_that_is_no_toml_is_one_clear_error(content, says, tmp_path):
    path = tmp_path / "scenario.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=says):
        read_scenario(path)
