"""The report: every scored row in it, within its budget, the same every time."""

from __future__ import annotations

import json
import time

import pytest

from costline.accuracy.groups import DIMENSIONS, grouped
from costline.accuracy.predict import predict
from costline.accuracy.rows import all_shipped, read_measurements
from costline.accuracy.summary import TARGETS, as_dict, lines, report
from costline.catalogue.standing_table import allowed, shipped_standing
from costline.errors import UnknownNameError
from tests.accuracy.conftest import SERVE, TRAIN
from tests.pace import paced

BUDGET = 20.0
"""Seconds for all shipped rows, with baselines."""


@pytest.fixture(scope="module")
def whole(efficiency):
    """Report of everything that is shipped, and how long it took this thread."""
    made = []

    def seconds():
        begin = time.thread_time()
        made.append(report(list(all_shipped()), efficiency, tuple(DIMENSIONS), in_sample=True))
        return time.thread_time() - begin

    return paced(seconds), made[0]


def test_all_scored_rows_within_the_budget(whole):
    seconds, made = whole
    # shared ones, and those gathered beside them in three goes
    assert len(made.rows) == (610 + 2449 + 235) + (78 + 200 + 73) + (97 + 317 + 146) + (80 + 269 + 126)
    assert seconds < BUDGET


def test_coverage_is_above_97_per_cent_and_every_other_row_has_a_reason(whole):
    _, made = whole
    assert made.predicted >= 0.97 * len(made.rows)
    assert made.predicted + sum(made.refused.values()) == len(made.rows)
    assert all(line["reason"] for line in lines(made) if line["predicted"] is None)


def test_groups_of_a_grouping_hold_every_predicted_row_once(whole):
    _, made = whole
    for groups in made.groups.values():
        assert sum(group.own.rows for group in groups) == made.predicted


def test_every_target_has_rows(whole):
    _, made = whole
    assert {group.label for group in made.groups["target"]} == set(TARGETS)


def test_no_target_is_worse_than_at_the_last_fit(whole):
    """Median and 90th percentile, within the stated margin; after a refit both sides are new."""
    _, made = whole
    own = {group.label: group.own for group in made.groups["target"]}
    worse = []
    for row in shipped_standing():
        now, (median, most) = own[row.target], row.errors["in_sample"]
        if now.median > allowed(median) or now.p90 > allowed(most):
            worse.append(f"{row.target}: {now.median:.3f} / {now.p90:.3f}, was {median:.3f} / {most:.3f}")
    assert not worse


def test_held_out_errors_of_a_target_are_those_of_the_fit(whole):
    """The table of rows, of four digits, and the table of targets were written by the same fit."""
    _, made = whole
    own = {group.label: group.held_out for group in made.groups["target"]}
    for row in shipped_standing():
        median, most = row.errors["unseen_group"]
        assert own[row.target].rows == row.rows
        assert own[row.target].median == pytest.approx(median, rel=0.01)
        assert own[row.target].p90 == pytest.approx(most, rel=0.01)


def test_held_out_errors_stand_beside_in_sample_ones_in_every_grouping(whole):
    _, made = whole
    for groups in made.groups.values():
        assert sum(group.held_out.rows for group in groups if group.held_out) == made.predicted
    body = as_dict(made)
    assert body["in_sample"] is True
    assert all(group["held_out"]["coverage"] for group in body["groups"]["table"])


def test_rows_of_ones_own_are_not_called_in_sample(efficiency, write):
    body = as_dict(report([read_measurements(write(SERVE))], efficiency))
    assert body["in_sample"] is False
    assert "held_out" not in body["groups"]["table"][0]


def test_baselines_stand_beside_every_group(whole):
    _, made = whole
    for group in made.groups["table"]:
        assert all(rival is not None and rival.rows >= 0.95 * group.own.rows for rival in group.rivals.values())


def test_json_is_plain(whole):
    _, made = whole
    body = json.loads(json.dumps(as_dict(made), allow_nan=False))
    assert body["schema"] == "costline.accuracy/1"
    assert len(body["not_predicted"]) == len(made.rows) - made.predicted


def test_groups_by_size_of_the_job(efficiency, write):
    rows = [
        {**TRAIN, "id": "1", "num_chips": "1", "dp": "1"},
        {**TRAIN, "id": "2", "num_chips": "512", "dp": "512", "seq_len": "65536", "zero_stage": "3"},
    ]
    made = list(predict(read_measurements(write(*rows)).rows, efficiency))
    assert set(grouped(made, "chips")) == {"1 chip", "512 chips and more"}
    assert set(grouped(made, "sequence")) == {"2k to 32k tokens", "32k tokens and more"}
    with pytest.raises(UnknownNameError, match="family"):
        grouped(made, "famly")


def test_lines_are_in_the_unit_of_the_metric(efficiency, write):
    measurements = read_measurements(write(SERVE, {**SERVE, "id": "x", "chip": "abacus"}))
    good, bad = lines(report([measurements], efficiency))
    assert list(good) == ["id", "metric", "measured", "predicted", "low", "high", "ape", "reason"]
    assert good["low"] <= good["predicted"] <= good["high"]
    assert 1 < good["predicted"] < 100  # milliseconds a token of a 7B model on an H100
    assert good["ape"] == pytest.approx(abs(good["predicted"] - 10) / 10)
    assert (bad["predicted"], bad["ape"]) == (None, None)
    assert "abacus" in bad["reason"]
