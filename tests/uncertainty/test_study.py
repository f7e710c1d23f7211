"""Sampled answers against closed forms, plain Monte Carlo and conditions worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from costline.errors import InputError, UnknownNameError
from costline.quantity import Range
from costline.uncertainty.spreads import Bounds
from costline.uncertainty.study import ENOUGH, span

Z90, Z95 = stats.norm.ppf([0.9, 0.95])


def normal(mean, deviation):
    """A normal distribution, written as a point with its 80 % bounds (below 0, so that nothing is cut off)."""
    return Bounds(mean, mean - Z90 * deviation, mean + Z90 * deviation)


def test_a_sum_of_normals_is_normal(study):
    found = study(lambda a, b, c: a + b - c, a=normal(-3, 3), b=normal(-1, 4), c=normal(0, 12))
    truth = stats.norm(-4, 13)  # 3^2 + 4^2 + 12^2 = 13^2
    for percent in (5, 10, 50, 90, 95):
        assert found.percentiles("result", [percent])[0] == pytest.approx(truth.ppf(percent / 100), abs=0.3)
    assert np.mean(found.values("result")) == pytest.approx(-4, abs=0.01)
    assert np.std(found.values("result")) == pytest.approx(13, rel=0.01)


def test_a_product_of_lognormals_is_lognormal(study):
    found = study(lambda a, b, c: a * b / c, a="2 to 8", b="10 to 1000", c="5 to 20")
    sigma = math.hypot(math.log(4), math.log(100), math.log(4)) / (2 * Z95)
    truth = stats.lognorm(s=sigma, scale=4 * 100 / 10)
    for percent in (5, 25, 50, 75, 95):
        assert found.percentiles("result", [percent])[0] == pytest.approx(truth.ppf(percent / 100), rel=0.03)
    assert found.chance("result < 100") == pytest.approx(truth.cdf(100), abs=0.004)


def test_percentiles_are_those_of_a_million_plain_samples(study):
    def seconds(active, tokens, mfu, chips):
        return 6 * active * tokens / (chips * 312e12 * mfu)

    found = study(
        seconds, active="400000000000 to 600000000000", tokens="13e12 to 20e12", mfu=Range(0.35, 0.45, "logit-normal"),
        chips="20000..30000",
    )  # fmt: skip
    random = np.random.default_rng(7)
    n = 1_000_000

    def lognormal(low, high):
        middle, sigma = math.log(low * high) / 2, math.log(high / low) / (2 * Z95)
        return np.exp(random.normal(middle, sigma, n))

    low, high = (math.log(share / (1 - share)) for share in (0.35, 0.45))
    mfu = 1 / (1 + np.exp(-random.normal((low + high) / 2, (high - low) / (2 * Z95), n)))
    truth = seconds(lognormal(4e11, 6e11), lognormal(13e12, 20e12), mfu, random.uniform(2e4, 3e4, n))
    percents = [1, 5, 10, 25, 50, 75, 90, 95, 99]
    assert found.percentiles("result", percents) == pytest.approx(tuple(np.percentile(truth, percents)), rel=0.01)


def test_the_same_seed_gives_the_same_samples_and_another_gives_others(study):
    one, same, other = (study(lambda a: a, seed=seed, a="1 to 2").results["result"] for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_condition_by_hand(study):
    # a and b are uniform on the unit square; above a + b = 1.5 lies a triangle of area 1/8
    found = study(lambda a, b: {"sum": a + b, "product": a * b}, samples=2**14, a="0..1", b="0..1").given("sum > 1.5")
    assert found.agreeing / found.samples == pytest.approx(1 / 8, abs=0.002)
    a = found.values("a")  # density 8 (a - 1/2), so the quantile of q is (1 + sqrt(q)) / 2
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(a, share) == pytest.approx((1 + math.sqrt(share)) / 2, abs=0.01)
    (first, _) = found.implied()
    assert first.before.median == pytest.approx(0.5, abs=0.001)
    assert first.after.median == pytest.approx((1 + math.sqrt(0.5)) / 2, abs=0.01)
    assert first.shift == pytest.approx(1 / 3, abs=0.01)  # the mean of the triangle is at 5/6
    assert first.moved
    assert found.chance("a > 0.75") == pytest.approx(3 / 4, abs=0.01)  # 1 - (2 * 0.25)^2


def test_a_choice_has_the_chances_of_bayes(study):
    # 0.6 x P(b > 0.8) against 0.4 x P(b > 0.2): a is 1 in three of eleven cases
    found = study(lambda a, b: a + b, samples=2**14, a="{1: 0.6, 1.6: 0.4}", b="0..1").given("result > 1.8")
    weights = {value: (before, after) for value, before, after in found.implied()[0].weights}
    assert weights[1.0] == (pytest.approx(0.6, abs=0.001), pytest.approx(0.6 * 0.2 / (0.6 * 0.2 + 0.4 * 0.8), abs=0.01))
    assert weights[1.6] == (pytest.approx(0.4, abs=0.001), pytest.approx(0.4 * 0.8 / (0.6 * 0.2 + 0.4 * 0.8), abs=0.01))


def test_what_a_finding_has_nothing_to_do_with_does_not_move(study):
    found = study(lambda a, b, c: {"sum": a + b, "c": c}, a="0..1", b="0..1", c="1 to 9").given("sum > 1.5")
    assert [row.moved for row in found.implied()] == [True, True, False]


def test_findings_add_up(study):
    found = study(lambda a: {"a2": a * a}, a="0..1").given("a2 > 0.25").given("a < 0.75")
    assert found.agreeing == pytest.approx(4096 / 4, abs=2)
    assert [finding.written for finding in found.findings] == ["a2 > 0.25", "a < 0.75"]
    assert (found.values("a").min(), found.values("a").max()) == pytest.approx((0.5, 0.75), abs=0.001)


def test_a_condition_on_a_gaussian_pair(study):
    # of two equal normals whose sum is found to be high, each has its mean raised by half of the sum's excess
    found = study(lambda a, b: a + b, samples=2**15, a=normal(0, 1), b=normal(0, 1)).given("result between 1.9 and 2.1")
    assert np.mean(found.values("a")) == pytest.approx(1.0, abs=0.02)
    assert np.std(found.values("a")) == pytest.approx(math.sqrt(0.5), rel=0.05)
    assert found.agreeing > ENOUGH


def test_no_sample_left_says_what_there_is(study):
    found = study(lambda a: {"cost": (a, "USD")}, a="10..20")
    with pytest.raises(InputError, match=r"no sample of 4,096 agrees with 'cost < \$5': cost is \$10\.0 to \$20\.0"):
        found.given("cost < $5")


def test_doubts_apart(study):
    found = study(lambda a, b: a + b, a="0..1", b="0..10")
    assert found.alone("result", "input").high == pytest.approx(found.span("result").high, abs=0.05)
    assert found.alone("result", "model") == span(np.full(4, 5.5))


def test_all_doubt_together_is_that_of_the_headline(study):
    found = study(lambda a, b: a * b, samples=4096, a="1 to 9", b="1 to 100")
    assert found.alone("result", "input", "catalogue", "model") == found.span("result")
    assert found.given("a > 3").alone("result", "input") == found.span("result")  # findings are left out


def test_what_is_asked_amiss(study):
    found = study(lambda a: a, a="1 to 2")
    with pytest.raises(InputError, match="from 0 to 100, got 101"):
        found.percentiles("result", [101])
    with pytest.raises(InputError, match="between 0 and 1, got 1"):
        found.span("result", 1.0)
    with pytest.raises(UnknownNameError):
        found.values("nothing")
    with pytest.raises(UnknownNameError):
        found.variable("nothing")


def test_unknown_values_are_left_out(study):
    found = study(lambda a: {"half": np.where(a < 1, np.nan, a), "none": np.nan * a}, a="0..2")
    assert found.span("half").median == pytest.approx(1.5, abs=0.01)
    assert np.isnan(found.span("none").median)
    assert np.isnan(found.percentiles("none", [50])[0])
