"""Targets that are missed: what is said of them, against cases made up by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costline.accuracy.held_out import predictions, shipped_weights
from costline.accuracy.missed import beyond, corrected, corrected_scores, reasons
from costline.accuracy.summary import TARGETS
from costline.catalogue.diagnosis_table import Diagnosis, shipped_diagnoses
from costline.catalogue.standing_table import shipped_standing
from costline.catalogue.validated_table import NUMBERS, WORDS, Validated, validated_cases


def made_up(errors, models):
    """Cases of one chip and software, each a model's, with the time predicted wrongly by the errors' factors."""
    count = len(errors)
    words = {name: np.asarray(["x"] * count, dtype="U40") for name in WORDS}
    words |= {"model": np.asarray(models), "target": np.asarray(["serve, prefill"] * count),
              "metric": np.asarray(["ttft_ms"] * count), "chip": np.asarray(["h100-sxm"] * count)}  # fmt: skip
    numbers = {name: np.full(count, 8.0) for name in NUMBERS}
    numbers |= {"measured": np.full(count, 100.0), "error": np.asarray(errors, dtype=float)}
    return Validated(words, numbers)


def test_an_error_that_others_share_is_taken_off():
    cases = made_up([0.3] * 6, list("abcdef"))
    assert corrected(cases).numbers["error"] == pytest.approx(np.zeros(6), abs=1e-12)


def test_an_error_of_ones_own_stays():
    """The one case that differs is told nothing by the others, and the others nothing by it: their middle is 0."""
    cases = made_up([0.0, 0.0, 0.9, 0.0, 0.0], list("abcde"))
    assert corrected(cases).numbers["error"] == pytest.approx([0.0, 0.0, 0.9, 0.0, 0.0])


def test_a_group_is_not_corrected_by_itself():
    cases = made_up([0.5, 0.5, 0.0, 0.0], ["a", "a", "b", "c"])
    assert corrected(cases).numbers["error"][:2] == pytest.approx([0.5, 0.5])


def test_scores_of_corrected_cases_are_those_of_right_predictions():
    cases = made_up([0.3] * 6, list("abcdef"))
    (found,) = corrected_scores(cases, np.ones(6), list("abcdef")).values()
    assert (found.median, found.p90) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_rows_beyond_are_counted_and_placed():
    """Factors of 2 and 1.1 on times of 100 ms: four rows are more than 50 % off."""
    cases = made_up(np.log([2, 2, 2, 2, 1.1]), list("abcde"))
    assert predictions(cases)[0] == pytest.approx(200.0)
    cases.words["software"] = np.asarray(["vllm", "vllm", "sglang", "", "vllm"])
    assert beyond(cases, "serve, prefill", 0.5) == (4, (("h100-sxm, vllm", 2),))


def test_a_diagnosis_names_its_target_and_what_was_tried():
    one = Diagnosis(target="train, MoE", cause="Because.", checked="a row", tried="much", date="2026-11-29")
    assert reasons("train, MoE", {"train, MoE": (one,)}) == [
        "**train, MoE.** Because. Found by: a row. Tried: much (2026-11-29)."
    ]
    assert reasons("train, dense", {"train, MoE": (one,)}) == []


def test_every_target_that_is_missed_has_a_diagnosis_that_names_rows():
    standing = {row.target: row.errors["unseen_group"] for row in shipped_standing()}
    known, ids = shipped_diagnoses(), set(validated_cases().words["id"].tolist())
    for target, aim in TARGETS.items():
        if standing[target][0] <= aim[0] and standing[target][1] <= aim[1]:
            continue
        words = " ".join(one.checked for one in known[target]).replace(",", " ").replace(";", " ").replace(":", " ")
        named = {word for word in words.split() if word in ids}
        assert len(named) >= 2, target


def test_weights_of_corrected_cases_are_those_of_the_cases():
    cases = validated_cases()
    weight, configurations = shipped_weights(cases)
    assert set(corrected_scores(cases, weight, configurations)) == set(cases.words["target"].tolist())
