"""Backwards questions: the value meets the target and the next one does not, by single questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.api.limits import read_limit, read_limits
from costline.errors import InputError
from costline.studies.solve import extreme
from costline.uncertainty.conditions import Quantity, read_condition

LLAMA = {"model": "llama-3.1-70b", "on": "8xh100-sxm"}
PLAN = "tensor=8, pipeline=1, expert=1"


@given(st.integers(1, 2**24), st.integers(2, 2**24), st.booleans())
def test_whole_numbers_are_found_exactly(threshold, high, largest):
    found = extreme(lambda n: n <= threshold if largest else n >= threshold, 1, high, largest=largest, whole=True)
    possible = threshold <= high or largest
    assert found == (min(threshold, high) if possible else None)


@settings(max_examples=50)
@given(st.floats(1e-6, 1e6), st.booleans())
def test_real_numbers_are_found_to_twelve_digits(threshold, largest):
    found = extreme(lambda x: x <= threshold if largest else x >= threshold, 1e-9, 1e9, largest=largest, whole=False)
    assert found == pytest.approx(threshold, rel=1e-11)
    assert found <= threshold if largest else found >= threshold


def test_an_impossible_condition_has_no_value():
    assert extreme(lambda n: np.zeros(n.shape, dtype=bool), 1, 100, largest=True, whole=True) is None


@pytest.mark.parametrize(
    ("what", "target", "name", "figure", "most"),
    [("batch", "tpot<=30ms", "batch", "tpot", 0.030), ("longest prompt", "ttft<=1s", "input", "ttft", 1.0)],
)
def test_one_more_breaks_the_target(what, target, name, figure, most):
    found = costline.solve("serve", what.replace("prompt", "input"), target, **LLAMA, plan=PLAN)
    extra = {} if name == "batch" else {"batch": 64}
    at, beyond = (costline.serve(**LLAMA, plan=PLAN, **{**extra, name: found.value + more}) for more in (0, 1))
    assert at[figure] <= most < beyond[figure]
    assert found.estimate[figure] == pytest.approx(at[figure])
    assert figure in found.reason


def test_the_target_may_follow_the_unknown():
    one = costline.solve("serve", "largest batch for tpot=30ms", **LLAMA)
    assert one.value == costline.solve("serve", "batch", "tpot<=30ms", **LLAMA).value


def test_without_a_target_memory_decides():
    found = costline.solve("serve", "largest batch", **LLAMA, plan=PLAN)
    assert costline.serve(**LLAMA, plan=PLAN, batch=found.value).feasible is True
    assert costline.serve(**LLAMA, plan=PLAN, batch=found.value + 1).feasible is False
    assert found.value == costline.serve(**LLAMA, plan=PLAN)["largest_batch"]
    assert "does not fit" in found.reason


def test_a_plan_that_keeps_the_target_is_preferred():
    """The plan of the highest rate at batch 64 does not reach a TPOT that another plan does."""
    fastest = costline.serve("llama-3.1-8b", on="8xh100-sxm", batch=64)
    found = costline.solve("serve", "batch", f"tpot<={fastest['tpot'] * 0.9}s", model="llama-3.1-8b", on="8xh100-sxm")
    single = max(
        costline.solve("serve", "batch", f"tpot<={fastest['tpot'] * 0.9}s", model="llama-3.1-8b", on="8xh100-sxm",
                       plan=f"tensor={tensor}, pipeline=1, expert=1").value or 0
        for tensor in (1, 2, 4, 8)
    )  # fmt: skip
    assert found.value == single


def test_a_break_even_price_is_what_the_cost_is_proportional_to():
    found = costline.solve("serve", "break-even price", "cost_output<=$1/Mtoken", **LLAMA)
    once = costline.serve(**LLAMA, price="$1/h")["cost_output"]
    assert found.value == pytest.approx(1e-6 / once / 3600, rel=1e-9)


def test_the_fewest_chips_are_the_fewest():
    found = costline.solve("train", "fewest chips", "time<=60 days", model="llama-3.1-8b", on="h100-sxm", tokens="1T")
    days = {
        count: costline.train("llama-3.1-8b", on=f"{count}xh100-sxm", tokens="1T")
        for count in range(1, found.value + 1)
    }
    good = [count for count, one in days.items() if one.feasible is True and one["time"] <= 60 * 86400]
    assert good[0] == found.value


def test_the_fewest_chips_that_hold_a_model():
    found = costline.solve("serve", "chips", model="llama-3.1-70b", on="h100-sxm", batch=1)
    good = [n for n in range(1, 9) if costline.serve("llama-3.1-70b", on=f"{n}xh100-sxm", batch=1).feasible is True]
    assert found.value == good[0]


def test_needed_bandwidth_and_utilisation():
    wide = costline.solve("serve", "bandwidth", "tpot<=10ms", **LLAMA, batch=1)
    assert wide.estimate["tpot"] == pytest.approx(0.010, rel=1e-9)
    stated = costline.solve(
        "train", "mfu", "time<=54 days", model="llama-3.1-405b", on="16384xh100-sxm", tokens="15.6T"
    )
    again = costline.train("llama-3.1-405b", on="16384xh100-sxm", tokens="15.6T", mfu=stated.value)
    assert again["time"] == pytest.approx(54 * 86400, rel=1e-9)


def test_the_longest_clip():
    """Wan makes 4k + 1 frames (its pipeline in diffusers rounds to them), so the next clip has 4 more."""
    found = costline.solve("generate", "longest clip", "time<=600s", model="wan2.1-t2v-14b", on="8xh100-sxm")
    at, beyond = (
        costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", frames=found.value + more)["time"] for more in (0, 4)
    )
    assert found.value % 4 == 1
    assert at <= 600 < beyond


def test_the_cheapest_chip_costs_least_of_those_that_do():
    found = costline.solve("serve", "chip", "tpot<=30ms", model="llama-3.1-8b", on="h100-sxm, a100-sxm-80gb, l40s")
    assert [row["rent"] for row in found.table] == sorted(row["rent"] for row in found.table)
    assert found.value == found.table[0]["chip"]
    assert {row["chip"] for row in found.table} <= {"h100-sxm", "a100-sxm-80gb", "l40s"}
    assert f"{len(found.table)} of the 3 named can" in found.reason


def test_the_rent_of_the_cheapest_chip_is_at_the_price_that_is_stated():
    asked = {"model": "llama-3.1-70b", "on": "8xh100-sxm", "batch": 16, "price": "$2/h"}
    found = costline.solve("serve", "chip", "tpot<=30ms", **asked)
    assert found.table[0]["rent"] == pytest.approx(found.table[0]["chips"] * 2 / 3600)
    assert "the only one named" in found.reason


def test_what_cannot_be_reached_says_how_near_it_comes():
    found = costline.solve("serve", "batch", "tpot<=1us", **LLAMA)
    assert found.value is None
    assert found.reason.startswith("none: even at 1 sequence tpot is ")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("serve", "batc", None), "did you mean batch"),
        (("serve", "", None), "say what is sought"),
        (("serv", "batch", None), "choose from serve"),
        (("serve", "batch", "tpo<30ms"), "did you mean tpot"),
        (("serve", "batch", "tpot=fast"), "tpot=fast"),
        (("serve", "batch", "tpot"), "not of the form"),
        (("serve", "price", "tpot<30ms"), "needs a target about cost"),
    ],
)
def test_bad_questions(asked, says):
    question, what, target = asked
    with pytest.raises(InputError, match=says):
        costline.solve(question, what, target, **LLAMA)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("days<=30", "time<=30 days"),
        ("weeks<2", "time<14 days"),
        ("hours<12", "time<12 h"),
        ("days<36 h", "time<36 h"),
        ("dollars<1,000", "cost<$1000"),
    ],
)
def test_names_that_say_their_unit_mean_it_in_bounds_and_conditions(written, same):
    """A day has 86,400 s; --target, --within and --given share one table."""
    spoken, plain = read_limit(written, "train"), read_limit(same, "train")
    known = {"time": Quantity("time", "s"), "cost": Quantity("cost", "USD")}
    assert (spoken.figure, spoken.value) == (plain.figure, plain.value)
    assert read_condition(written, known).high == plain.value


def test_limits_are_read_with_their_units():
    found = read_limits("memory, ttft<1s, tpot <= 50 ms, mfu>30%, cost_output<$2/Mtoken, throughput>=1k", "serve")
    assert [(one.figure, one.most, one.value) for one in found] == [
        ("ttft", True, 1.0), ("tpot", True, pytest.approx(0.05)), ("mfu", False, pytest.approx(0.3)),
        ("cost_output", True, pytest.approx(2e-6)), ("output_rate", False, 1000.0),
    ]  # fmt: skip
    assert read_limit("mfu=0.3", "train", equal=True).most is False
    with pytest.raises(InputError, match="say tpot<"):
        read_limits("tpot=30ms", "serve")
    with pytest.raises(InputError, match="at most 1,000"):
        read_limits("x" * 2000, "serve")


def test_the_largest_context_is_none_that_the_model_does_not_state():
    """Llama 3.1 states 131,072 tokens; memory of an H100 alone would hold twice as many of one sequence."""
    found = costline.solve("serve", "context", model="llama-3.1-8b", on="h100-sxm", batch=1)
    assert found.value == 131_072
    assert found.reason == "nothing stops it: llama-3.1-8b states no longer context"
    assert found.estimate["largest_context"] == 131_072


@pytest.mark.parametrize("other", [{"curriculum": "90%@32k, 10%@1M"}, {"resolution": "720p"}])
def test_a_sequence_that_another_input_decides_is_not_solved_for(other):
    with pytest.raises(InputError, match="says how long samples are"):
        costline.solve("train", "context", model="llama-3.1-8b", tokens="1T", on="64xh100-sxm", **other)


@pytest.mark.parametrize(
    ("what", "stated"), [("batch", {"batch": 4}), ("context", {"input": 1000}), ("price", {"price": "$2/h"})]
)
def test_what_is_sought_is_not_stated_too(what, stated):
    with pytest.raises(InputError, match=f"is stated, and {what} is what is sought"):
        costline.solve("serve", what, "cost_output<$1/Mtoken", model="llama-3.1-8b", on="8xh100-sxm", **stated)
