"""Plans from text: what is contradictory or unknown is refused."""

from __future__ import annotations

import pytest

from costline.errors import PlanError
from costline.planning import read_plan_fields


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
