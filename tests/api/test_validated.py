"""Intervals of answers: from the errors of cases like them, inverted for rates, absent where they say nothing."""

from __future__ import annotations

import csv
import json
import math
import time

import numpy as np
import pytest
from tests.pace import best

import costline
from costline.api.serving import serving_job
from costline.api.validated import earned, nearest_note
from costline.catalogue import shipped
from costline.catalogue.software_table import all_software
from costline.catalogue.validated_table import NUMBERS, WORDS, Validated, validated_cases
from costline.cli import main
from costline.errors import CostlineError
from costline.studies.likeness import Likeness, Question, likeness


@pytest.fixture(scope="module")
def served():
    return costline.serve("llama-3.1-8b", on="h100-sxm", input=1000, output=200, batch=64, engine="vllm")


def around(value, like, doubt=0.0):
    """An interval around the value itself, another doubt added in squares on either side."""
    faster, slower = (math.hypot(max(side, 0.0), doubt) for side in (-math.log(like.low), math.log(like.high)))
    return value * math.exp(-faster), value * math.exp(slower)


def test_intervals_of_rates_are_the_inverse_of_those_of_times(served):
    tpot, rate = served.figures["tpot"], served.figures["output_rate"]
    assert tpot.interval[0] < tpot.interval[1]
    factors = np.asarray(tpot.interval) / tpot.value
    assert np.asarray(rate.interval) / rate.value == pytest.approx(1 / factors[::-1])


def test_the_interval_is_that_of_the_cases_like_the_question(served):
    chip, network = shipped.chip("h100-sxm"), shipped.model("llama-3.1-8b")
    words = {"model": network.name, "chip": chip.id, "family": chip.family, "vendor": chip.vendor, "software": "vllm",
             "format": "bf16"}  # fmt: skip
    numbers = {"params": float(network.active_params), "chips": 1.0, "batch": 64.0, "sequence": 1200.0}
    like = likeness(Question(targets=("serve, full engine",), words=words, numbers=numbers), validated_cases())
    like = like.within_peaks(max(served["decode_mfu"], served["decode_mbu"]))
    tpot = served.figures["tpot"]
    assert tpot.interval == pytest.approx(around(tpot.value, like), rel=1e-6)


def test_without_an_engine_the_interval_also_holds_what_engines_differ_by():
    """1.28 standard deviations of the engines' factors are 80 % of them, in squares beside the errors of the cases."""
    job = serving_job("llama-3.1-8b", on="h100-sxm", input=1000, output=200, batch=64)
    chip, seen = shipped.chip("h100-sxm"), job.place.machine.efficiency
    engines = [row.id for row in all_software() if row.study == "serve"]
    doubt = 1.2816 * np.std(np.log([seen.value("software", chip, engine) for engine in engines]))
    assert 0.05 < doubt < 0.5
    words = {"model": "llama-3.1-8b", "chip": chip.id, "family": chip.family, "vendor": chip.vendor, "software": "",
             "format": "bf16"}  # fmt: skip
    numbers = {"params": 8030261248.0, "chips": 1.0, "batch": 64.0, "sequence": 1200.0}
    like = likeness(Question(targets=("serve, full engine",), words=words, numbers=numbers), validated_cases())
    unnamed = costline.serve("llama-3.1-8b", on="h100-sxm", input=1000, output=200, batch=64).figures["tpot"]
    assert unnamed.interval == pytest.approx(around(unnamed.value, like, doubt), rel=1e-4)


@pytest.mark.parametrize(
    ("answer", "time", "used"),
    [
        (lambda: costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm", plan="recompute=full"), "step", ["hfu"]),
        (lambda: costline.serve("llama-3.1-70b", on="2xh100-sxm", input=100, output=900, batch=1), "tpot",
         ["decode_mfu", "decode_mbu"]),
        (lambda: costline.serve("llama-3.1-8b", on="h100-sxm", input=8000, output=1, batch=1), "ttft",
         ["prefill_mfu", "prefill_mbu"]),
        (lambda: costline.generate("wan2.1-t2v-14b", on="8xa100-sxm-80gb"), "time", ["mfu"]),
    ],
)  # fmt: skip
def test_no_interval_reaches_beyond_a_peak(answer, time, used):
    """At its fast end a job that used a share u of a peak uses u x time / fast end, never more than all of it."""
    found = answer()
    low, _ = found.figures[time].interval
    for name in used:
        assert found[name] * found[time] / low <= 1 + 1e-12
        if found.figures[name].interval:
            assert found.figures[name].interval[1] <= 1 + 1e-12


def test_an_interval_that_would_reach_beyond_the_peak_ends_there():
    like = Likeness(low=0.5, high=2.0, nearest=[0], distance=0.0, cases=10.0)
    assert like.within_peaks(0.8).low == 0.8
    assert like.within_peaks(0.3) == like
    assert like.within_peaks(1.2).low == 1.0, "the interval holds the prediction itself"


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
    assert "vllm-v0 of 2023," in said[0]


@pytest.mark.parametrize(("plan", "says"), [
    ("software=vlm", "unknown software"), ("year=20x", "not a date"), ("year=1999", "outside"),
])  # fmt: skip
def test_software_that_cannot_be_read(plan, says):
    with pytest.raises(CostlineError, match=says):
        costline.serve("llama-3.1-8b", on="h100-sxm", plan=plan)


def test_only_the_cases_of_the_study_are_read():
    everything = validated_cases()
    for study in ("train", "serve", "generate"):
        own = validated_cases(study)
        wanted = [target.startswith(f"{study}, ") for target in everything.words["target"].tolist()]
        assert own.words["id"].tolist() == everything.words["id"][wanted].tolist()
        assert np.array_equal(own.numbers["error"], everything.numbers["error"][wanted])


def test_the_first_token_of_one_request_is_a_prefill_and_of_many_waits():
    cases = validated_cases()
    answers = {batch: costline.serve("llama-3.1-8b", on="h100-sxm", batch=batch, engine="vllm") for batch in (1, 64)}
    chip = shipped.chip("h100-sxm")
    words = {"model": "llama-3.1-8b", "chip": chip.id, "family": chip.family, "vendor": chip.vendor, "software": "vllm",
             "format": "bf16"}  # fmt: skip
    for batch, target in ((1, "serve, prefill"), (64, "serve, TTFT under load")):
        numbers = {"params": 8030261248.0, "chips": 1.0, "batch": float(batch), "sequence": 1200.0}
        like = likeness(Question(targets=(target,), words=words, numbers=numbers), cases)
        first = answers[batch].figures["ttft"]
        assert first.interval == pytest.approx(around(first.value, like), rel=1e-6)


def test_a_case_is_told_with_measurement_and_prediction():
    """An error of ln 2 is a time predicted twice too long, or a rate predicted at half."""
    words = {name: np.array(["x"] * 2, dtype="U40") for name in WORDS}
    words |= {"model": np.array(["m", "n"]), "chip": np.array(["h100-sxm", "a100"]), "software": np.array(["vllm", ""]),
              "format": np.array(["fp8", "bf16"]), "run": np.array(["2025 fa3", ""]),
              "metric": np.array(["tpot_ms", "tokens_per_s_per_gpu"])}  # fmt: skip
    numbers = {name: np.array([8.0, 16.0]) for name in NUMBERS}
    numbers |= {"measured": np.array([20.0, 500.0]), "error": np.log([2.0, 2.0])}
    cases = Validated(words, numbers)
    assert (
        nearest_note(cases, 0).value
        == "m on 8×h100-sxm (vllm, fp8, 2025 fa3): TPOT measured 20.0 ms, predicted 40.0 ms"
    )
    assert nearest_note(cases, 1).value == "n on 16×a100 (bf16): tokens a chip measured 500 tok/s, predicted 250 tok/s"


@pytest.mark.parametrize(("plan", "target"), [
    ({}, "generate, dense 16-bit"), ({"precision": "fp8"}, "generate, narrow/offloaded"),
    ({"plan": "weights=int8"}, "generate, narrow/offloaded"), ({"plan": "reused=0.3"}, "generate, narrow/offloaded"),
    ({"plan": "offload=encoders"}, "generate, narrow/offloaded"),
])  # fmt: skip
def test_clips_are_likened_to_those_of_the_same_pipeline(plan, target):
    clip = costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", engine="xdit", **plan)
    tokens = 21 * 45 * 80  # latent frames of 81, latent pixels of 720 and 1280 in patches of two
    words = {"model": "wan2.1-t2v-14b", "chip": "h100-sxm", "family": "hopper", "vendor": "NVIDIA", "software": "xdit",
             "format": clip.inputs["compute"]}  # fmt: skip
    network = shipped.model("wan2.1-t2v-14b").transformers[0][0]
    numbers = {"params": float(network.params), "chips": 8.0, "batch": 1.0, "sequence": float(tokens)}
    like = likeness(Question(targets=(target,), words=words, numbers=numbers), validated_cases())
    assert clip.figures["time"].interval == pytest.approx(around(clip["time"], like), rel=1e-6)


def test_captions_have_the_interval_of_serving():
    answer = costline.caption("llama-3.1-8b", on="8xh100-sxm", minutes=1000)
    assert np.divide(answer.figures["time"].interval, answer["time"]) == pytest.approx(
        np.divide(answer.figures["cost"].interval, answer["cost"])
    )
    assert any(row.name == "nearest" for row in answer.assumptions)


def test_a_stated_utilisation_of_denoising_has_none_and_that_is_said():
    clip = costline.generate("wan2.1-t2v-14b", on="8xh100-sxm", mfu="40%")
    assert all(figure.interval is None for figure in clip.figures.values())
    run = costline.train("llama-3.1-8b", tokens="1T", on="64xh100-sxm", mfu="40%")
    assert all(any("no interval" in warning for warning in answer.warnings) for answer in (clip, run))


def test_far_from_all_cases_there_is_a_warning(tmp_path):
    own = tmp_path / "own.toml"
    chip = 'id = "mychip"\nmemory = "144 GB"\nmemory_bandwidth = "3.35 TB/s"\npeak = { bf16 = "180 TFLOP/s" }'
    own.write_text(f"[[chip]]\n{chip}\n")
    answer = costline.train(params="20M", on="1xmychip", tokens="1B", catalogue=own)
    assert any(warning.startswith("outside the validated range: ") for warning in answer.warnings)
    usual = costline.train("llama-3.1-8b", on="64xh100-sxm", tokens="1T")
    assert not any("outside the validated range" in warning for warning in usual.warnings)


def test_the_terminal_says_80_percent_once_and_csv_has_the_ends(capsys):
    assert main(["serve", "llama-3.1-8b", "--on", "1xh100-sxm"]) == 0
    shown = capsys.readouterr().out.split("request latency")[0]
    assert shown.count("80 %") == 1
    assert main(["serve", "llama-3.1-8b", "--on", "1xh100-sxm", "--csv"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    rows = {row["figure"]: row for row in csv.DictReader(lines)}
    tpot = rows["tpot"]
    assert float(tpot["interval_low"]) < float(tpot["value"]) < float(tpot["interval_high"])
    assert rows["memory"]["interval_low"] == ""


def test_looking_for_cases_takes_no_more_than_20_milliseconds():
    """Once in a process, most of it for reading 3,233 cases of serving; each further answer takes a third of it."""
    answer = costline.serve("llama-3.1-8b", on="h100-sxm", batch=64)
    job = serving_job("llama-3.1-8b", on="h100-sxm", batch=64)

    def cold():
        validated_cases.cache_clear()
        before = time.thread_time()
        earned(answer, job.subject, job.place.machine, 64, 1200)
        return time.thread_time() - before

    assert best(cold, 0.020) <= 0.020
