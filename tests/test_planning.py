"""Plans from text: what is contradictory or unknown is refused."""

from __future__ import annotations

import numpy as np
import pytest

from costline.errors import PlanError
from costline.plan import Plan
from costline.planning import check_plan, read_plan_fields


@pytest.mark.parametrize("written", ["tensor=4, tensor=2", "tp=4, tensor=4", "TP=4, tp=2"])
def test_a_field_stated_twice_is_refused(written):
    with pytest.raises(PlanError, match="is stated twice"):
        read_plan_fields(written)


def test_a_wrong_word_is_answered_with_all_that_are_right():
    with pytest.raises(PlanError, match=r"choose from fp32, .*bf16.*fp8.*int4"):
        read_plan_fields("cache=int3")


@pytest.mark.parametrize("name", ["density", "reused", "recomputed"])
def test_shares_may_be_percentages(name):
    assert read_plan_fields(f"{name}=50%") == read_plan_fields(f"{name}=0.5") == {name: 0.5}
    with pytest.raises(PlanError, match=name):
        read_plan_fields(f"{name}=half%")


@pytest.mark.parametrize(("fields", "said"), [
    ({"tensor": 0}, "tensor=0 is outside 1 to"), ({"data": -3}, "data=-3 is outside"),
    ({"tensor": "8"}, "tensor='8' is text"), ({"tensor": 1.5}, "'1.5' is not a whole number"),
    ({"pipeline": float("nan")}, "is not a whole number"), ({"tensor": np.array([0, 4])}, "tensor=0 is outside"),
    ({"attention": "fa9"}, "choose from naive"), ({"density": 1.5}, "density=1.5 is outside"),
])  # fmt: skip
def test_plans_made_in_python_are_held_to_the_limits_of_written_ones(fields, said):
    """``Plan(tensor=-1)`` was answered, and ``Plan(tensor=0)`` ended in a division by zero."""
    with pytest.raises(PlanError, match=said):
        check_plan(Plan(**fields))


def test_numbers_with_a_fraction_are_no_whole_numbers_in_a_mapping_either():
    """They were cut off."""
    with pytest.raises(PlanError, match=r"tensor='1.5' is not a whole number"):
        read_plan_fields({"tensor": 1.5})
    assert read_plan_fields({"tensor": 2.0}) == {"tensor": 2}
