"""The argument of the article with ranges, which the documentation shows and says in words."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import costline
from costline import sampling
from costline.uncertainty.drivers import drivers

PATH = Path(__file__).parents[2] / "examples" / "sora_against_gpt4.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("sora_against_gpt4", PATH)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def study(example):
    with sampling(2048):
        return costline.together(example.costs, **example.RANGES)


def test_the_words_of_the_documentation_hold(study):
    assert study.chance("ratio > 1000") == pytest.approx(1 / 8, abs=0.03)  # "one in eight"
    assert study.chance("ratio, guided > 1000") == pytest.approx(0.3, abs=0.04)  # "three in ten"
    span = study.span("training")
    assert 15 < span.high / span.low < 25  # "a factor of twenty wide"
    assert span.low < 0.25 < span.high
    assert study.chance("bill < $90") > 0.5  # "most samples lie below"
    ranked = {row.name: row.total for row in drivers(study, ["ratio"])["ratio"].ranked}
    assert min(ranked["minute"], ranked["batch"]) > max(ranked["sora"], ranked["active"])  # "more than the size"
    assert next(iter(row.name for row in drivers(study, ["training"])["training"].ranked)) == "minutes"


def test_the_price_that_both_sides_share_does_not_matter(example, study):
    dear = {**example.RANGES, "price": "$13/h to $30/h"}
    with sampling(256):
        cheap, other = costline.together(example.costs, **example.RANGES), costline.together(example.costs, **dear)
    assert np.allclose(cheap.results["ratio"], other.results["ratio"], rtol=1e-12)
    assert np.allclose(10 * cheap.results["minute"], other.results["minute"], rtol=1e-6)


def test_what_a_minute_and_training_cost_by_hand(example, study):
    """A transformer of hidden size h and L layers, 12 L h^2 parameters: 2 P N + 4 L N^2 h FLOPs an evaluation."""
    draws = {name: study.inputs(name) for name in ("sora", "minute", "steps", "price", "minutes", "length", "active")}
    draws["tokens"] = study.inputs("tokens")
    hidden = 128 * np.round((draws["sora"] / 12 / 40) ** 0.5 / 128)  # about 40 layers, as at 10B and more
    layers = draws["sora"] / 12 / hidden**2

    def work(tokens):
        return 2 * draws["sora"] * tokens + 4 * layers * tokens**2 * hidden

    # of a long sequence nearly everything is attention: between a quarter and nine tenths of the peak of an A100
    best = work(draws["minute"]) * draws["steps"] / 312e12 * draws["price"]
    share = best / study.results["minute"]
    assert 0.25 < np.median(share) < 0.9
    training = 3 * work(draws["length"]) * draws["minutes"] * draws["minute"] / draws["length"]
    found = study.results["training"] * 6 * draws["active"] * draws["tokens"]
    assert np.median(training / found) == pytest.approx(1, abs=0.3)
    assert np.corrcoef(np.log(training), np.log(found))[0, 1] > 0.98
