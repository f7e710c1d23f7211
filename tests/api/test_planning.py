"""Searches asked by name: what is advised is asked again."""

from __future__ import annotations

import re

import pytest

import costline

ON = re.compile(r"on ([0-9,]+) x ([^:]+): (.*)")


@pytest.mark.parametrize(("model", "chips", "inputs"), [
    ("llama-3.1-8b", "1xa100-pcie-40gb", {}),
    ("llama-3.1-70b", "7xh100-sxm", {}),
    ("llama-3.1-70b", "7xh100-sxm", {"plan": "data=3"}),
    ("gpt-oss-20b", "7xa100-pcie-40gb", {"batch_tokens": 2**17}),
    ("wan2.1-t2v-14b", "5xa100-pcie-40gb", {}),
])  # fmt: skip
def test_chips_that_are_advised_can_be_used_as_advised(model, chips, inputs):
    """The same search on that many chips finds a plan, and the plan can be stated to `train`."""
    missing = costline.find_plan("train", model, on=chips, tokens=1e12, **inputs).missing
    count, chip, plan = ON.fullmatch(missing.changes[0]).groups()
    on = f"{count.replace(',', '')}x{chip}"
    again = costline.find_plan("train", model, on=on, tokens=1e12, **inputs)
    assert again.feasible
    assert again.best.plan == plan
    inputs["plan"] = plan
    assert costline.train(model, on=on, tokens=1e12, **inputs).feasible


def test_no_more_chips_are_advised_than_a_budget_pays():
    """16 H100 train a 70B and cost $32/h at $2/h: more than $20/h, less than $40/h."""
    asked = {"on": "4xh100-sxm", "tokens": 1e12, "price": "$2/h"}
    poor = costline.find_plan("train", "llama-3.1-70b", budget="$20/h", **asked).missing
    assert not any(ON.match(change) for change in poor.changes)
    rich = costline.find_plan("train", "llama-3.1-70b", budget="$40/h", **asked).missing
    assert rich.changes[0].startswith("on 16 x h100-sxm: ")


def test_a_machine_that_is_named_twice_is_searched_once():
    once, twice = (costline.find_plan("serve", "llama-3.1-8b", on=on) for on in ("2xl40s", "2xl40s, 2xl40s"))
    assert once.considered == twice.considered


def test_a_limit_that_nothing_keeps_is_told_in_the_units_of_answers():
    missing = costline.find_plan("train", "llama-3.1-8b", on="8xh100-sxm", tokens=1e12, budget="$5").missing
    assert re.match(r"cost<=\$5: the nearest any plan comes is \$[0-9.]+k, with ", missing.reasons[0])
