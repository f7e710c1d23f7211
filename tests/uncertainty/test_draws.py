"""One matrix for a study: what is shared stays shared."""

from __future__ import annotations

import numpy as np
import pytest

import costline
from costline.errors import InputError, QuantityError
from costline.quantity import COUNT, FRACTION, RATIO, SECONDS, Range
from costline.resolve import number
from costline.uncertainty.draws import Sampling, active, sample, sampling, settings, uncertain
from costline.uncertainty.drivers import drivers, tornado
from costline.uncertainty.spreads import Choices


def test_a_quantity_minus_itself_is_nothing(study):
    found = study(lambda a: {"difference": a - a, "ratio": a / a}, a="1 to 10")
    assert not np.any(found.results["difference"])
    assert np.all(found.results["ratio"] == 1)


def test_a_ratio_of_costs_does_not_depend_on_the_price_they_share():
    def questions(price, frames):
        clip = costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", frames=frames, price=price)
        answer = costline.serve("llama-3.1-8b", on="8xh100-sxm", price=price)
        return {"ratio": clip["cost"] / answer["cost_output"], "cost": (clip["cost"], "USD"), "price": price_of(clip)}

    def price_of(clip):
        return next(part.value for part in clip.figure("cost").children if part.name == "price")

    with sampling(256):
        found = costline.together(questions, price="$1/h to $10/h", frames="41 to 121")
    rows = found.shares.copy()
    rows[:, found.variable("price").place] = 0.9
    again = found.evaluate(rows)
    assert np.ptp(found.results["price"]) > 0 == np.ptp(again["price"])
    assert not np.allclose(again["cost"], found.results["cost"])
    assert again["ratio"] == pytest.approx(found.results["ratio"], rel=1e-12)
    assert {row.name: row.total for row in drivers(found, ["ratio"], base=256)["ratio"].ranked}["price"] < 1e-9


def test_the_same_words_in_two_questions_are_two_inputs():
    def questions():
        costs = [costline.train(params="7B to 70B", tokens="1T", on="64xh100-sxm")["flops_6nd"] for _ in range(2)]
        return {"ratio": costs[0] / costs[1]}

    with sampling(256):
        found = costline.together(questions)
    assert np.std(found.results["ratio"]) > 0.5
    assert [variable.name for variable in found.variables[:2]] == ["params", "params (2)"]


def test_columns_of_one_file_stay_together(study, tmp_path):
    path = tmp_path / "posterior.csv"
    rows = [(a, 10 - a) for a in range(1, 10)]
    path.write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows), encoding="utf-8")
    found = study(lambda a, b: a + b, a=f"{path}:a", b=f"{path}:b")
    assert np.all(found.results["result"] == 10)
    assert set(found.inputs("a")) == set(range(1, 10))
    assert found.shares.shape[1] == 1


def test_whole_inputs_are_whole_and_not_below_their_least():
    def read(frames, mfu):
        return {
            "frames": number(frames, RATIO, "frames", least=1, whole=True),
            "mfu": number(mfu, RATIO, "mfu", least=0.5),
        }

    found = costline.together(read, frames="1 to 3", mfu="0.5 to 0.9")
    assert set(found.results["frames"]) >= {1, 2, 3}
    assert not np.any(found.results["frames"] % 1)
    assert found.results["mfu"].min() == 0.5  # the tail below the 5th percentile
    for low in ("0..1", "0.4 to 1", "{0.4, 0.6}", [0.4, 0.6], Range(0.4, 0.6, "uniform")):
        with pytest.raises(QuantityError, match=r"mfu: starts at 0.*, below the least possible value, 0\.5"):
            costline.together(read, frames="1 to 3", mfu=low)
    assert costline.together(read, frames="1 to 3", mfu="{0.4: 0, 0.6: 0.5, 0.7: 0.5}").results["mfu"].min() == 0.6


def test_a_study_can_calculate_with_its_inputs():
    def results(x, tokens, share):
        train = costline.train("llama-3.1-8b", tokens=tokens, on="64xh100-sxm", mfu=share)
        return {
            "twice": 2 * x, "square": x * x, "log": np.log(x), "left": 1 - share, "same": x,
            "left over": train["tokens_per_second"] * train["time"] * train["goodput"] / tokens,
        }  # fmt: skip

    with sampling(512):
        found = costline.together(results, x="1 to 3", tokens="1T to 2T", share="30%..50%")
    x = found.inputs("x")
    assert found.results["twice"] == pytest.approx(2 * x)
    assert found.results["square"] == pytest.approx(x**2)
    assert found.results["log"] == pytest.approx(np.log(x))
    assert found.results["left"] == pytest.approx(1 - found.inputs("share"))
    assert np.array_equal(found.results["same"], x)
    assert np.ptp(found.results["left over"]) < 0.02 * np.mean(found.results["left over"])  # the same tokens in both
    assert sorted(each.name for each in found.variables if each.origin == "input") == ["share", "tokens", "x"]


def test_a_study_can_calculate_with_inputs_that_are_no_range():
    def results(x, fixed, share, name):
        return {"a": x * fixed, "b": fixed - x, "c": x**share, "d": x + len(name)}

    found = costline.together(results, x="1 to 3", fixed="3", share="50%", name="llama-3.1-8b")
    x = found.inputs("x")
    assert found.results["a"] == pytest.approx(3 * x)  # and not 33
    assert found.results["b"] == pytest.approx(3 - x)
    assert found.results["c"] == pytest.approx(np.sqrt(x))
    assert found.results["d"] == pytest.approx(x + 12)


def test_an_input_read_as_two_kinds_is_one_input():
    found = costline.together(
        lambda a: {"count": number(a, COUNT, "a"), "ratio": number(a, RATIO, "b"), "time": number(a, SECONDS, "c")},
        a="2 to 8",
    )
    assert np.array_equal(found.results["count"], found.results["ratio"])
    assert np.array_equal(found.results["count"], found.results["time"])
    assert found.shares.shape[1] == 1


def test_an_input_with_two_distributions_is_moved_as_one():
    found = costline.together(
        lambda a: {"sum": number(a, FRACTION, "a") + number(a, RATIO, "b")}, a=Range(0.3, 0.6, "uniform")
    )
    (swing,) = tornado(found, "sum").swings
    assert (swing.name, swing.at_low, swing.at_high) == ("a", pytest.approx(0.33), pytest.approx(0.57))
    assert (swing.low, swing.high) == (pytest.approx(0.66), pytest.approx(1.14))


@pytest.mark.parametrize(
    "given", [Range(0.3, 40.0, "uniform"), Choices((0.3, 40.0), (0.5, 0.5)), {"30%": 0.5, 40: 0.5}, "FILE:mfu"]
)
def test_ranges_that_are_no_text_have_the_limits_of_text(tmp_path, given):
    path = tmp_path / "posterior.csv"
    path.write_text("mfu\n0.3\n40\n", encoding="utf-8")
    given = given.replace("FILE", str(path)) if isinstance(given, str) else given
    with pytest.raises(QuantityError, match=r"mfu: .*40.* is above the limit 1 of a fraction"):
        costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm", mfu=given)


def test_outside_of_a_study_a_range_is_no_number():
    assert active() is None
    with pytest.raises(QuantityError, match="'1 to 2' is a range; this takes one value"):
        sample("1 to 2", RATIO, "a")
    with pytest.raises(QuantityError, match="chips: '1 to 2' is a range"):
        number("1 to 2", RATIO, "chips")


def test_a_study_needs_a_range():
    with pytest.raises(InputError, match="none of the inputs is a range"):
        costline.together(lambda a: {"a": 1.0}, a="1")


def test_settings_hold_inside_their_block():
    with sampling(8, seed=3, always=True) as how:
        assert settings() is how
        assert (how.samples, how.seed, how.always) == (8, 3, True)
    assert settings().samples == 4096


@pytest.mark.parametrize(
    ("samples", "seed", "words"),
    [
        (1, 0, "is not from"),
        (2**20 + 1, 0, "is not from"),
        (4096, -1, "is not from"),
        (100.5, 0, "samples: 100.5 is not a whole number"),
        (4096, 1.5, "seed: 1.5 is not a whole number"),
        ("many", 0, "samples: many is not a whole number"),
    ],
)
def test_settings_that_cannot_be(samples, seed, words):
    with pytest.raises(InputError, match=words):
        Sampling(samples, seed)


def test_plain_inputs_are_told_apart_quickly():
    assert not any(uncertain(each) for each in ("13T", 5, 5.0, None, np.arange(3.0), np.float64(1)))
    assert all(uncertain(each) for each in ("1 to 2", ["1", "2"], {"1": 1.0}))


def test_no_sample_of_a_coefficient_is_impossible():
    """What shows of the shorter side of a kernel is a part of it; experts spread no tokens less than evenly."""
    with sampling(1024, always=True):
        study = costline.train("deepseek-v3", tokens="1T", on="1024xa100-sxm-80gb", plan="expert=32").sampled
    drawn = {each.name: each.values(study.shares) for each in study.variables}
    parts = [values for name, values in drawn.items() if name.startswith(("exposed", "overlap"))]
    assert len(parts) >= 2
    assert all(0 <= values.min() <= values.max() <= 1 for values in parts)
    assert drawn["expert_spread"].min() >= 0
