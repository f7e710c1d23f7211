"""Targets that are missed: what is said of them, against cases made up by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from costline.accuracy.held_out import predictions, shipped_weights
from costline.accuracy.missed import beyond, corrected, corrected_scores, of_unseen_chips, reasons
from costline.accuracy.summary import TARGETS, UNSEEN_CHIP_AIM
from costline.catalogue.diagnosis_table import Diagnosis, shipped_diagnoses
from costline.catalogue.standing_table import shipped_standing
from costline.catalogue.validated_table import NUMBERS, WORDS, Validated, is_time, validated_cases


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


def test_every_table_that_misses_on_unseen_chips_has_a_diagnosis_that_names_rows():
    """Train reaches the aim; errors by NumPy from the file, where rows of serving and generation count once."""
    cases, known = validated_cases(), shipped_diagnoses()
    for study in ("serve", "generate"):
        rows = np.char.startswith(cases.words["target"].astype(np.str_), study)
        slow = np.where([is_time(metric) for metric in cases.words["metric"][rows].tolist()], 1, -1)
        error = np.abs(np.expm1(slow * cases.numbers["chip_error"][rows]))
        if np.median(error) > UNSEEN_CHIP_AIM[0] or np.quantile(error, 0.9) > UNSEEN_CHIP_AIM[1]:
            ids = set(cases.words["id"][rows].tolist())
            words = " ".join(one.checked for one in known[f"{study}, unseen chip"])
            assert len(set(re.findall(r"\w+", words)) & ids) >= 2, study


def test_cases_of_unseen_chips_have_the_errors_of_fits_without_them():
    cases = made_up([0.1, 0.2], ["a", "b"])
    cases.numbers["chip_error"] = np.log([2.0, 3.0])
    found = of_unseen_chips(cases)
    assert predictions(found) == pytest.approx([200.0, 300.0])
    assert set(found.words["target"].tolist()) == {"serve, unseen chip"}
    assert beyond(found, "serve, unseen chip", 1.5) == (1, (("h100-sxm, x", 1),))


def test_weights_of_corrected_cases_are_those_of_the_cases():
    cases = validated_cases()
    weight, configurations = shipped_weights(cases)
    assert set(corrected_scores(cases, weight, configurations)) == set(cases.words["target"].tolist())
