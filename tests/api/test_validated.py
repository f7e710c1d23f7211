"""Intervals of answers: from the errors of cases like them, inverted for rates, absent where they say nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

import costline
from costline.catalogue import shipped
from costline.catalogue.validated_table import validated_cases
from costline.errors import CostlineError
from costline.studies.likeness import Question, likeness


@pytest.fixture(scope="module")
def served():
    return costline.serve("llama-3.1-8b", on="h100-sxm", input=1000, output=200, batch=64)


def test_intervals_of_rates_are_the_inverse_of_those_of_times(served):
    tpot, rate = served.figures["tpot"], served.figures["output_rate"]
    assert tpot.interval[0] < tpot.interval[1]
    factors = np.asarray(tpot.interval) / tpot.value
    assert np.asarray(rate.interval) / rate.value == pytest.approx(1 / factors[::-1])


def test_the_interval_is_that_of_the_cases_like_the_question(served):
    chip, network = shipped.chip("h100-sxm"), shipped.model("llama-3.1-8b")
    words = {"model": network.name, "chip": chip.id, "family": chip.family, "vendor": chip.vendor, "software": "",
             "format": "bf16"}  # fmt: skip
    numbers = {"params": float(network.active_params), "chips": 1.0, "batch": 64.0, "sequence": 1200.0}
    like = likeness(Question(targets=("serve, full engine",), words=words, numbers=numbers), validated_cases())
    tpot = served.figures["tpot"]
    assert tpot.interval == pytest.approx((tpot.value * like.low, tpot.value * like.high), rel=1e-6)


def test_the_nearest_cases_are_named_with_what_was_measured(served):
    near = [row for row in served.assumptions if row.name == "nearest"]
    assert near
    ids = set(validated_cases().words["id"].tolist())
    assert all(row.kind in ids and "measured" in row.value for row in near)


def test_json_says_the_share(served):
    body = json.loads(json.dumps(served.to_dict()))["figures"]["tpot"]
    assert body["interval"]["share"] == 0.8
    assert body["interval"]["low"] < body["interval"]["high"]


def test_a_stated_utilisation_has_no_error_of_the_model():
    run = costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm", mfu="40%")
    assert all(figure.interval is None for figure in run.figures.values())


def test_many_points_have_none():
    many = costline.serve("llama-3.1-8b", on="h100-sxm", input=np.array([500, 1000]), output=200, batch=8)
    assert all(figure.interval is None for figure in many.figures.values())


def test_older_software_is_slower_and_the_answer_says_which_it_stands_for():
    plans = ("software=vllm, year=2025", "software=vllm, year=2023")
    new, old = (costline.serve("llama-3.1-8b", on="h100-sxm", batch=8, plan=plan) for plan in plans)
    assert old["tpot"] > new["tpot"]
    said = [row.value for row in old.assumptions if row.name == "software"]
    assert len(said) == 1
    assert "vllm of 2023," in said[0]


@pytest.mark.parametrize(("plan", "says"), [
    ("software=vlm", "unknown software"), ("year=20x", "not a date"), ("year=1999", "outside"),
])  # fmt: skip
def test_software_that_cannot_be_read(plan, says):
    with pytest.raises(CostlineError, match=says):
        costline.serve("llama-3.1-8b", on="h100-sxm", plan=plan)
