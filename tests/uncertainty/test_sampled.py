"""Questions with ranges: against the same questions asked sample by sample, and what they cost."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pytest
from scipy import stats

import costline
from costline.errors import ConfigError, InputError, PlanError, QuantityError, UnknownNameError
from costline.plan import Plan
from costline.uncertainty.draws import drawing, sampling
from costline.uncertainty.ranged import settled
from costline.uncertainty.sampled import Asked, RangedEstimate
from costline.uncertainty.sobol import points

GPT4 = {
    "active": "400B to 600B", "params": "1.8T", "tokens": "13T to 20T", "on": "25000xa100-sxm-80gb",
    "mfu": "35% to 45%",
}  # fmt: skip


@pytest.fixture(scope="module")
def gpt4():
    return costline.train(**GPT4)


def test_the_question_of_the_design(gpt4):
    assert isinstance(gpt4, RangedEstimate)
    assert gpt4.title == "Train hypothetical on 16.1T tokens with 25,000 x a100-sxm-80gb"
    low, high = gpt4.sampled.span("time").low / 86400, gpt4.sampled.span("time").high / 86400
    # by hand, 6 x 490B x 16.1T over 25,000 x 312 TFLOP/s x 0.399 is 176 days before attention and interruptions
    assert low < 176 < high
    assert gpt4.sampled.span("mfu").median == pytest.approx(0.399, abs=0.002)
    origins = {variable.origin for variable in gpt4.sampled.variables}
    assert origins == {"input", "catalogue", "model"}


def test_an_answer_without_ranges_is_a_plain_one():
    estimate = costline.serve("llama-3.1-8b", on="h100-sxm")
    assert type(estimate) is costline.Estimate
    with sampling(64, always=True):
        doubtful = costline.serve("llama-3.1-8b", on="h100-sxm")
    assert isinstance(doubtful, RangedEstimate)
    assert doubtful.middle["tpot"] == estimate["tpot"]
    assert doubtful.sampled.span("tpot").low < estimate["tpot"] < doubtful.sampled.span("tpot").high


@pytest.mark.parametrize(
    ("question", "ranges", "fixed", "figures"),
    [
        (costline.serve, {"price": "$1.5/h to $3/h", "input": "500 to 3000", "output": "{100, 300}"},
         {"model": "llama-3.1-8b", "on": "2xh100-sxm", "batch": 16}, ("tpot", "ttft", "cost_output", "memory")),
        (costline.train, {"tokens": "10T to 15T", "price": "$2/h..$4/h", "pue": "1.1 to 1.4"},
         {"model": "llama-3.1-8b", "on": "1024xh100-sxm"}, ("time", "cost", "energy", "mfu", "flops_exact")),
        (costline.generate, {"steps": "20 to 50", "frames": "41..121", "price": "$2/h to $3/h"},
         {"model": "wan2.1-t2v-14b", "on": "8xh100-sxm"}, ("time", "cost", "flops", "memory")),
        (costline.caption, {"minutes": "1000 to 1000000", "frames": "4 to 16"},
         {"model": "llama-3.1-8b", "on": "8xh100-sxm", "price": "$2/h"}, ("time", "cost")),
    ],
)  # fmt: skip
def test_every_sample_is_the_question_asked_alone(question, ranges, fixed, figures):
    with sampling(64):
        estimate = question(**ranges, **fixed)
    study = estimate.sampled
    rows = study.shares.copy()
    rows[:, [variable.place for variable in study.variables if variable.origin != "input"]] = 0.5
    found = study.evaluate(rows)
    for sample in (0, 13, 63):
        own = {name: float(study.inputs(name)[sample]) for name in ranges}
        alone = question(**{**fixed, **own, **settled(estimate.middle)})
        for name in figures:
            assert found[name][sample] == pytest.approx(alone[name], rel=1e-9), name


def test_sizes_are_asked_as_a_family_and_lie_near_the_rounded_networks():
    sizes = np.geomspace(2e9, 2e11, 15)
    cases = {
        "tpot": (costline.serve, {"on": "8xh100-sxm", "batch": 32, "plan": Plan()}),
        "ttft": (costline.serve, {"on": "8xh100-sxm", "batch": 32, "plan": Plan()}),
        "time": (costline.train, {"on": "2048xh100-sxm", "tokens": "1T", "plan": Plan(zero=3, recompute="full")}),
    }
    for figure, (question, inputs) in cases.items():
        alone = np.array([question(params=float(size), **inputs)[figure] for size in sizes])
        error = np.abs(np.asarray(question(params=sizes, **inputs)[figure]) / alone - 1)
        assert np.median(error) < 0.03, figure
        assert np.max(error) < 0.1, figure


def test_coefficients_can_be_ranges_and_are_then_the_users_doubt():
    with sampling(128):
        estimate = costline.train(
            "llama-3.1-8b", tokens="1T", on="64xh100-sxm", coefficients={"gemm": "30% to 90%", "software": 1}
        )
    gemm = estimate.sampled.variable("gemm")
    assert gemm.origin == "input"
    assert np.corrcoef(estimate.sampled.inputs("gemm"), estimate.sampled.results["time"])[0, 1] < -0.6
    assert not [variable for variable in estimate.sampled.variables if variable.name == "gemm (2)"]


def test_a_range_of_numbers_of_chips():
    with sampling(128):
        estimate = costline.train("llama-3.1-8b", tokens="1T", on="500 to 2000xh100-sxm", mfu="40%", price="$2/h",
                                  failures=False)  # fmt: skip
    chips = estimate.sampled.inputs("chips")
    assert set(np.mod(chips, 1)) == {0.0}
    assert estimate.sampled.results["time"] * chips == pytest.approx(
        float(chips[0] * estimate.sampled.results["time"][0])
    )


def test_a_plan_is_chosen_for_each_number_of_chips():
    """Twice the chips are nearly twice as fast, as no plan is made for fewer, and none needs more than there are."""
    with sampling(64):
        estimate = costline.generate(params="14B", tokens="100k", on="{8, 16, 32}xh100-sxm", plan="tensor=1")
    assert estimate.middle.inputs["chips"] == 16
    assert estimate.fitting == 1
    chips, time = (estimate.sampled.values(name) for name in ("chips", "time"))
    eight, sixteen, more = (float(np.median(time[chips == number])) for number in (8, 16, 32))
    assert more < sixteen < eight < 2.2 * sixteen
    with pytest.raises(PlanError, match="there are as few as 8"):
        costline.generate(params="14B", tokens="100k", on="{8, 16, 32}xh100-sxm", plan="ring=16")


def test_a_plan_that_fits_the_medians_only_is_exchanged():
    with sampling(512):
        estimate = costline.train(**GPT4, plan="tensor=8, zero=1", shape={"experts": 16, "active_experts": 2})
    assert estimate.fitting > 0.9
    assert estimate.feasible is not False
    plan = next(row for row in estimate.assumptions if row.name == "plan")
    assert str(plan.value).endswith("percentile")


def test_impossible_at_every_sample_is_infeasible():
    with sampling(64):
        estimate = costline.serve("llama-3.1-70b", on="1xh100-sxm", price="$1/h to $2/h")
    assert estimate.feasible is False
    assert estimate.fitting == 0


def test_dictionaries_and_frames_hold_every_sample():
    with sampling(64, seed=9):
        estimate = costline.serve("llama-3.1-8b", on="h100-sxm", price="$1/h to $2/h").given("cost_output < $2/Mtoken")
    estimate = dataclasses.replace(estimate, asked=Asked(chances=("ttft < 1s",), percents=(5.0, 95.0)))
    body = estimate.to_dict()
    doubt = body["uncertainty"]
    assert body["figures"]["tpot"]["value"] == estimate.middle["tpot"]
    assert (doubt["samples"], doubt["seed"], doubt["given"]) == (64, 9, ["cost_output < $2/Mtoken"])
    assert len(doubt["figures"]["tpot"]["samples"]) == len(doubt["inputs"]["price"]["samples"]) == doubt["agreeing"]
    assert set(doubt["figures"]["tpot"]["percentiles"]) == {"p5", "p95"}
    assert 0 <= doubt["chances"]["ttft < 1s"] <= 1
    assert set(doubt["doubt"]["output_rate"]) == {"input", "model", "both"}
    assert doubt["implied"]["price"]["after"]["high"] <= doubt["implied"]["price"]["before"]["high"]
    frame = estimate.to_frame()
    assert len(frame["price"]) == len(frame["tpot"]) == doubt["agreeing"]


def test_what_is_explained(gpt4):
    assert gpt4.explained == ("time", "cost")
    assert dataclasses.replace(gpt4, asked=Asked(of="mfu")).explained == ("mfu",)
    with pytest.raises(UnknownNameError, match="did you mean"):
        _ = dataclasses.replace(gpt4, asked=Asked(of="tim")).explained


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ({"tokens": "20T to 13T"}, QuantityError, "tokens: '20T to 13T' runs downwards"),
        ({"mfu": "35% to 120%"}, QuantityError, "mfu"),
        ({"price": "$0/h to $2/h"}, QuantityError, "cannot start at 0"),
        ({"on": "2000 to 500xh100-sxm"}, QuantityError, "chips: '2000 to 500' runs downwards"),
        ({"pue": "0.5 to 1.4"}, QuantityError, "pue: starts at 0.500, below the least possible value, 1.00"),
        ({"tokens": "{0T, 2T}"}, QuantityError, "tokens: starts at 0 "),
        ({"mfu": "{0%, 10%}"}, QuantityError, "mfu: "),
        ({"batch_tokens": "0.1 to 0.4"}, QuantityError, "starts at 0.1"),
        ({"params": "10T to 1000T"}, InputError, "from 1e\\+06 to 1e\\+14"),
    ],
)
def test_degenerate_input(inputs, error, words):
    given = {**GPT4, **inputs}
    with pytest.raises(error, match=words):
        costline.train(**given)


def share_of_crossing(params, active):
    """Chance that one lognormal exceeds another, by their ends in logarithms."""
    (low, high), (least, most) = np.log(params), np.log(active)
    sigma = math.hypot(high - low, most - least) / (2 * stats.norm.ppf(0.95))
    return stats.norm.cdf(((least + most) / 2 - (low + high) / 2) / sigma)


def test_sizes_that_cross_are_refused_or_counted():
    given = {"tokens": "1T", "on": "64xh100-sxm", "mfu": "40%"}
    assert share_of_crossing((70, 100), (60, 90)) == pytest.approx(0.22, abs=0.01)
    with pytest.raises(ConfigError, match=r"active exceeds params in 2[12]% of the samples"):
        costline.train(params="70B to 100B", active="60B to 90B", **given)
    share = share_of_crossing((100, 140), (60, 90))
    warnings = costline.train(params="100B to 140B", active="60B to 90B", **given).warnings
    (warning,) = (each for each in warnings if each.startswith("active"))
    said = float(warning.removeprefix("active exceeds params in ").split(" %")[0])
    assert said == pytest.approx(100 * share, abs=0.1)
    assert 0 < share < 0.01
    apart = costline.train(params="1.8T", active="400B to 600B", **given).warnings
    assert not [each for each in apart if each.startswith("active")]


def test_each_coefficient_alone_leaves_the_median_where_the_prediction_is():
    """Of a rising or falling function of one number, the median is its value at the median: only sums move it."""
    with sampling(64, always=True):
        study = costline.train(params="70B", tokens="1T", on="1024xh100-sxm").sampled
    predicted = study.evaluate(np.full((1, study.shares.shape[1]), 0.5))["time"][0]
    for variable in study.variables:
        rows = np.full((101, study.shares.shape[1]), 0.5)
        rows[:, variable.place] = (np.arange(101) + 0.5) / 101
        assert np.median(study.evaluate(rows)["time"]) == pytest.approx(predicted, rel=0.005), variable.name


def test_4096_samples_cost_little_beyond_the_array_evaluation(gpt4):
    study = gpt4.sampled

    def work():
        shares = points(study.samples, study.shares.shape[1], study.seed)
        for variable in study.variables:
            variable.values(shares)
        for name in study.units:
            study.span(name)

    def seconds():
        start = time.thread_time()
        work()
        return time.thread_time() - start

    assert min(seconds() for _ in range(10)) < 0.05


def test_a_study_does_not_leak_out_of_its_block():
    from costline.uncertainty.draws import Draws, active

    with drawing(Draws()), pytest.raises(QuantityError):
        costline.train(**{**GPT4, "tokens": "nonsense"})
    assert active() is None
