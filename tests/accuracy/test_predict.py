"""Predictions: blind to what was measured, deterministic, and never stopped by one bad row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costline.accuracy.predict import predict, predicted, prepare
from costline.accuracy.refusal import Refusal
from costline.accuracy.rows import TABLES, read_measurements, shipped_measurements
from tests.accuracy.conftest import ROWS, SERVE


def sample(table, every=29):
    """Some scored rows of a table, spread over the file."""
    return [row for row in shipped_measurements(table).rows if row.scored][::every]


@pytest.mark.parametrize("table", TABLES)
def test_the_measured_value_does_not_change_a_prediction(table, efficiency):
    rows = sample(table)
    other = [replace(row, value=(row.value or 1.0) * 7.3 + 11) for row in rows]
    one, two = (list(predict(each, efficiency)) for each in (rows, other))
    assert [row.outcome for row in one] == [row.outcome for row in two]


@pytest.mark.parametrize("table", TABLES)
def test_columns_that_repeat_the_result_do_not_change_a_prediction(table, efficiency, write):
    names = ("tokens_per_s_per_chip", "reported_mfu_pct", "calc_mfu_causal_pct", "achieved_bw_fraction", "mfu_derived",
             "apparent_mfu", "calc_note", "source_location")  # fmt: skip
    plain = read_measurements(write(ROWS[table], name="plain.csv")).rows
    filled = read_measurements(write({**ROWS[table], **dict.fromkeys(names, "0.77")}, name="filled.csv")).rows
    one, two = (next(predict(each, efficiency)).outcome for each in (plain, filled))
    assert one == two


@pytest.mark.parametrize("table", TABLES)
def test_figures_in_notes_do_not_change_a_prediction(table, efficiency, row):
    one, two = (
        next(predict([row(table, notes=words)], efficiency)).outcome
        for words in ("", "step 10.05 s; latency 3.2 s for the whole batch; 93.4 seq/s")
    )
    assert one == two


@pytest.mark.parametrize("table", TABLES)
def test_predictions_are_the_same_every_time_and_in_any_order(table, efficiency):
    rows = sample(table, every=61)
    forward = {one.measurement.id: one.outcome for one in predict(rows, efficiency)}
    backward = {one.measurement.id: one.outcome for one in predict(rows[::-1], efficiency)}
    assert forward == backward


@pytest.mark.parametrize("table", TABLES)
def test_almost_every_scored_row_is_predicted(table, efficiency):
    rows = [row for row in shipped_measurements(table).rows if row.scored]
    cases = [prepare(row, efficiency) for row in rows]
    assert sum(not isinstance(case, Refusal) for case in cases) >= 0.97 * len(rows)


@pytest.mark.parametrize("table", TABLES)
def test_a_prediction_is_within_its_bracket(table, efficiency):
    for row in predict(sample(table), efficiency):
        found = predicted(row)
        if found is not None:
            assert 0 < found.low <= found.value <= found.high


@pytest.mark.parametrize("table", TABLES)
def test_figures_add_up(table, efficiency):
    for row in predict(sample(table, every=97), efficiency):
        found = predicted(row)
        for figure in () if found is None else found.figure.walk():
            assert figure.recombined() == pytest.approx(figure.value)


def test_nonsense_in_one_row_never_stops_the_rest(efficiency, write):
    bad = [
        {"tp": "999999"}, {"tp": "0"}, {"chip": "abacus"}, {"chip": "a100-?"}, {"model": "nobody"}, {"input_len": ""},
        {"weight_dtype": "roman"}, {"batch_kind": "psychic"}, {"concurrency_or_batch": "many"}, {"metric": "joy"},
        {"num_chips": "unstated"}, {"spec_decode": "MTP-3"}, {"output_len": "x"}, {"value": "no"},
        {"concurrency_or_batch": "0", "input_len": "0", "output_len": "0"}, {"num_chips": "7", "tp": "3"},
        {"input_len": "1000000000000000"}, {"ep": "P1/D1", "tp": "P1/D1", "dp": "x"},
    ]  # fmt: skip
    rows = [{**SERVE, "id": f"bad{number}", **cells} for number, cells in enumerate(bad)]
    found = list(predict(read_measurements(write(*rows, {**SERVE, "id": "good"})).rows, efficiency))
    assert len(found) == len(rows) + 1
    assert predicted(found[-1]) is not None
    reasons = {one.measurement.id: one.outcome.reason for one in found if isinstance(one.outcome, Refusal)}
    assert "no datasheet row for chip abacus" in reasons["bad2"]
    assert "variant of the chip is not stated" in reasons["bad3"]
    assert "roman" in reasons["bad6"]
    assert "speculative" in reasons["bad11"]
    assert "output_len" in reasons["bad12"]
    assert len(reasons) >= 15


def test_a_prompt_alone_needs_no_answer_length(efficiency, row):
    prompt = {"metric": "prefill_latency_ms", "input_len": "4096"}
    rows = [row("serve", **prompt, output_len=words) for words in ("1", "")]
    rows.append(row("serve", metric="request_latency_ms", output_len=""))
    stated, blank, request = map(predicted, predict(rows, efficiency))
    assert stated == blank
    assert blank.value > 0
    assert request is None


def test_a_larger_job_takes_longer(efficiency, row):
    """Twice the output, twice the steps, twice the sequences: no prediction gets shorter."""
    pairs = [
        (row("serve", metric="request_latency_ms"), row("serve", metric="request_latency_ms", output_len="256")),
        (row("generate"), row("generate", steps="100")),
        (row("train"), row("train", global_batch_seqs="128")),
    ]
    for small, large in pairs:
        one, two = (predicted(each) for each in predict([small, large], efficiency))
        assert one.value < two.value
