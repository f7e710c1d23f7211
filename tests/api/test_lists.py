"""Lists and long arrays against single questions."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.api import lists
from costline.errors import InputError, UnknownNameError

MODELS, CHIPS = ["llama-3.1-8b", "llama-3.1-70b"], ["8xh100-sxm", "8xa100-sxm-80gb"]


@pytest.fixture(scope="module")
def many():
    return costline.serve(MODELS, on=CHIPS, batch=np.array([1, 8, 64]), precision=["bf16", "fp8"])


def test_axes_are_the_lists_in_their_order_and_then_the_arrays(many):
    assert dict(many.axes) == {
        "model": tuple(MODELS), "on": tuple(CHIPS), "precision": ("bf16", "fp8"), "batch": (1, 8, 64)
    }  # fmt: skip
    assert many["tpot"].shape == many.shape == (2, 2, 2, 3)
    assert many.units["tpot"] == "s"


def test_every_place_is_the_answer_to_a_single_question(many):
    for place, model in enumerate(MODELS):
        for other, chips in enumerate(CHIPS):
            one = costline.serve(model, on=chips, batch=8, precision="bf16")
            for name in ("ttft", "tpot", "output_rate", "memory"):
                assert many[name][place, other, 0, 1] == pytest.approx(one[name], rel=1e-12), name
            assert bool(many.feasible[place, other, 0, 1]) is one.feasible


def test_a_full_answer_is_found_by_its_labels(many):
    found = many.at(model="llama-3.1-8b", on="8xh100-sxm", precision="fp8")
    assert found.inputs["weights"] == "fp8"
    assert np.array_equal(found["tpot"], many["tpot"][0, 0, 1])
    with pytest.raises(InputError, match="say which of"):
        many.at(model="llama-3.1-8b", on="8xh100", precision="fp8")
    with pytest.raises(UnknownNameError, match="tpot"):
        many["tpt"]


def test_a_frame_has_a_row_for_each_place(many):
    frame = many.to_frame()
    assert all(len(column) == 24 for column in frame.values())
    row = 7  # the second precision of the second chips of the first model, batch 8
    assert (frame["model"][row], frame["on"][row], frame["batch"][row]) == ("llama-3.1-8b", "8xa100-sxm-80gb", 8)
    assert frame["tpot"][row] == many["tpot"].ravel()[row]


def test_arrays_of_several_dimensions_name_their_axes():
    found = costline.serve(
        "llama-3.1-8b", on=CHIPS, batch=np.array([[1], [8], [64]]), input=np.array([100, 1000])
    )  # fmt: skip
    assert list(found.axes) == ["on", "batch", "input"]
    joined = costline.serve("llama-3.1-8b", on=CHIPS, batch=np.array([1, 8]), input=np.array([100, 1000]))
    assert list(joined.axes) == ["on", "point"]
    assert joined.to_frame()["input"].tolist() == [100, 1000, 100, 1000]


def test_without_xarray_it_says_so(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InputError, match="needs the package xarray"):
        many.to_xarray()


def test_xarray_gets_dimensions_that_agree(monkeypatch):
    """A stand-in that checks what xarray checks: every variable has the lengths of its dimensions."""

    def dataset(variables, coordinates, attributes):
        sizes = {name: len(values) for name, (own, values) in coordinates.items() if own == name}
        for dimensions, values, *_ in (*variables.values(), *coordinates.values()):
            named = (dimensions,) if isinstance(dimensions, str) else dimensions
            assert np.shape(values) == tuple(sizes[name] for name in named)
        return SimpleNamespace(variables=variables, coordinates=coordinates, attributes=attributes)

    monkeypatch.setitem(sys.modules, "xarray", SimpleNamespace(Dataset=dataset))
    found = costline.serve(MODELS, on="h100-sxm", batch=np.array([1, 8]), input=np.array([100, 1000])).to_xarray()
    assert found.coordinates["input"][0] == ("point",)
    assert found.variables["tpot"][2] == {"units": "s"}


def test_trainings_and_clips_take_lists_too():
    trained = costline.train(MODELS, on="64xh100-sxm", tokens=np.array([1e12, 2e12]))
    assert trained["time"].shape == (2, 2)
    assert trained["time"][:, 1] == pytest.approx(2 * trained["time"][:, 0], rel=0.05)
    clips = costline.generate("wan2.1-t2v-1.3b", on=["h100-sxm", "a100-sxm-80gb"], resolution=["832x480", "1280x720"])
    assert clips["time"].shape == (2, 2)
    assert (clips["time"][:, 1] > clips["time"][:, 0]).all()


@pytest.mark.parametrize("empty", [{"on": []}, {"on": "h100-sxm", "precision": []}])
def test_an_empty_list_is_refused(empty):
    with pytest.raises(InputError, match="an empty list has no answer"):
        costline.serve("llama-3.1-8b", **empty)


@settings(max_examples=5)
@given(st.integers(7, 40))
def test_long_arrays_are_asked_in_blocks_that_change_nothing(length):
    asked = {"on": "8xh100-sxm", "batch": np.arange(1, length + 1), "input": np.arange(length, 0, -1) * 100}
    whole = costline.serve("llama-3.1-8b", **asked)
    was, lists.LONG = lists.LONG, 5
    try:
        pieces = costline.serve("llama-3.1-8b", **asked)
    finally:
        lists.LONG = was
    for name, figure in whole.figures.items():
        if figure.value is not None:
            assert np.broadcast_to(pieces[name], length) == pytest.approx(
                np.broadcast_to(figure.value, length), rel=1e-12
            )
    assert np.array_equal(np.broadcast_to(whole.inputs["tensor"], length), pieces.inputs["tensor"])


def test_the_parts_of_long_answers_still_add_up(monkeypatch):
    monkeypatch.setattr(lists, "LONG", 4)
    found = costline.serve("llama-3.1-8b", on="8xh100-sxm", batch=np.arange(1, 12))
    for name in ("tpot", "memory", "ttft"):
        figure = found.figure(name)
        assert figure.recombined() == pytest.approx(figure.value)


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["8xrtx-4090", "256xtpu-v5e", "32xh100-sxm"]),
    st.sampled_from(["tensor=1", "expert=4", "pipeline=2", "tensor=2, expert=1"]),
    st.lists(st.tuples(st.integers(1, 90_000), st.integers(1, 3000), st.integers(1, 1500)), min_size=2, max_size=4),
)
def test_points_of_a_partly_stated_plan_are_chosen_for_one_by_one(on, plan, points):
    """What is legal, and what fits, at one point says nothing about another."""
    fixed = {"on": on, "plan": plan, "precision": "int4", "batching": "static"}
    inputs, outputs, batches = (np.array(each) for each in zip(*points, strict=True))
    together = costline.serve("qwen3-30b-a3b", input=inputs, output=outputs, batch=batches, **fixed)
    for at, (tokens, answer, batch) in enumerate(points):
        alone = costline.serve("qwen3-30b-a3b", input=tokens, output=answer, batch=batch, **fixed)
        assert np.broadcast_to(together.feasible, len(points))[at] == alone.feasible
        for name in ("ttft", "output_rate", "memory"):
            assert np.broadcast_to(together[name], len(points))[at] == pytest.approx(alone[name], rel=1e-9), name


SIZED = {
    "serve": (costline.serve, {"on": "8xh100-sxm"}, "params"),
    "train": (costline.train, {"on": "64xh100-sxm", "tokens": 1e12}, "params"),
    "generate": (costline.generate, {"on": "8xh100-sxm", "tokens": 1e5, "steps": 20}, "params"),
    "caption": (costline.caption, {"on": "8xh100-sxm", "minutes": 1e5}, "params"),
    "active": (costline.serve, {"on": "64xh100-sxm", "params": 1e12}, "active"),
    "vision": (costline.caption, {"model": "llama-3.1-8b", "on": "8xh100-sxm", "minutes": 1e5}, "vision"),
}


@pytest.mark.parametrize("which", SIZED)
def test_an_array_of_sizes_is_answered_as_each_alone(which):
    """A network is shaped for each, with a plan of its own; what it is made of adds up at every point."""
    question, asked, name = SIZED[which]
    sizes = np.array([1e9, 7e9, 70e9])
    together = question(**asked, **{name: sizes})
    alone = [question(**asked, **{name: float(size)}) for size in sizes]
    for label, figure in together.figures.items():
        if figure.value is not None:
            found = np.broadcast_to(figure.value, sizes.shape)
            assert found == pytest.approx([each[label] for each in alone], rel=1e-12), label
            for part in figure.walk():
                assert part.value is None or part.recombined() == pytest.approx(part.value, rel=1e-9), part.name
    if name != "vision":
        degrees = np.broadcast_to(together.inputs["tensor"], sizes.shape)
        assert degrees.tolist() == [each.inputs["tensor"] for each in alone]


def test_sizes_broadcast_with_other_arrays():
    grid = costline.serve(params=np.array([[7e9], [70e9]]), batch=np.array([1, 8, 64]), on="8xh100-sxm")
    assert np.shape(grid["tpot"]) == (2, 3)
    assert (
        costline.serve(params=np.array(7e9), on="h100-sxm")["tpot"] == costline.serve(params=7e9, on="h100-sxm")["tpot"]
    )
    with pytest.raises(InputError, match="params: the derivation is of one size at a time, not of 2"):
        costline.serve(params=np.array([7e9, 70e9]), on="8xh100-sxm", explain=True)


@settings(max_examples=15, deadline=None)
@given(
    tensor=st.lists(st.sampled_from([1, 2, 4, 8]), min_size=3, max_size=3),
    pipeline=st.lists(st.sampled_from([1, 2]), min_size=2, max_size=2),
    batches=st.lists(st.integers(1, 200), min_size=3, max_size=3),
)
def test_fields_of_a_plan_may_be_arrays(tensor, pipeline, batches):
    plan = {"tensor": np.array(tensor), "pipeline": np.array(pipeline)[:, None]}
    found = costline.serve("llama-3.1-8b", on="16xh100-sxm", batch=np.array(batches), plan=plan)
    assert np.shape(found["tpot"]) == (2, 3)
    for row, column in np.ndindex(2, 3):
        own = {"tensor": tensor[column], "pipeline": pipeline[row]}
        one = costline.serve("llama-3.1-8b", on="16xh100-sxm", batch=batches[column], plan=own)
        for name in ("ttft", "tpot", "output_rate", "memory", "largest_batch"):
            values = np.broadcast_to(found[name], (2, 3))
            assert values[row, column] == pytest.approx(one[name], rel=1e-12), name


def test_what_a_plan_of_arrays_cannot_be_is_one_clear_error():
    with pytest.raises(InputError, match=r"tensor=3: .* divide by"):
        costline.train("llama-3.1-8b", on="64xh100-sxm", tokens="1T", plan={"tensor": np.array([1, 3])})


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"batch": np.array([1, 2, 3]), "input": np.array([1, 2])}, r"do not broadcast: input \(2,\), batch \(3,\)"),
        ({"batch": np.array([1, 2, 3]), "plan": {"tensor": np.array([1, 2])}}, r"plan.tensor \(2,\)"),
        ({"batch": np.array([])}, "batch: an empty array has no answer"),
        ({"plan": {"tensor": np.array([])}}, "plan.tensor: an empty array has no answer"),
        ({"batch": np.array(["a", "b"])}, "batch: an array of str32 has no numbers"),
        ({"batch": np.array([1, {}])}, "batch: not every element of the array is a number"),
        ({"batch": "10 to 20", "input": np.array([100, 200])}, "arrays or ranges, not both"),
        ({"batch": "10 to 20", "plan": {"tensor": np.array([1, 2])}}, "arrays or ranges, not both"),
    ],
)
def test_arrays_that_cannot_be_read_are_one_clear_error(inputs, words):
    with pytest.raises(InputError, match=words):
        costline.serve("llama-3.1-8b", on="8xh100-sxm", **inputs)
