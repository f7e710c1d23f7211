"""Step caches at a threshold, against what their authors published."""

from __future__ import annotations

import csv

import pytest

from costline.catalogue import shipped
from costline.catalogue.table import DATA
from costline.studies.methods import reused_at

AUTHORS = "ali-vilab/TeaCache"
JOB = ("source", "chip", "model", "width", "height", "frames", "steps")


def published():
    """Model, steps, method and share of the time that is left, of runs with a base beside them on the same page."""
    with (DATA / "measurements" / "generate.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"].startswith(AUTHORS) and row["metric"] == "e2e_s"]
    base = {tuple(row[name] for name in JOB): float(row["value"]) for row in rows if row["cache_method"] == "none"}
    for row in rows:
        if row["cache_method"] != "none":
            whole = base[tuple(row[name] for name in JOB)]
            yield row["model"], int(row["steps"]), row["cache_method"], float(row["value"]) / whole


def test_a_root_of_the_threshold_tells_what_teacache_computes():
    """One number for Wan 2.1, HunyuanVideo, CogVideoX 1.5 and FLUX.1, thresholds of 0.05 to 0.8 and 28 to 50 steps."""
    chip, cases = shipped.chip("a800-sxm-80gb"), list(published())
    assert {model for model, *_ in cases} >= {"Wan2.1-T2V-14B", "HunyuanVideo", "FLUX.1-dev", "CogVideoX1.5-5B"}
    off = []
    for _, steps, method, left in cases:
        share, words, row = reused_at(method, steps, shipped.efficiency(), chip)
        assert "teacache" in words
        assert row.kind == "derived"
        off.append(abs((1 - share) / left - 1))
    assert sorted(off)[len(off) // 2] < 0.12
    assert max(off) < 0.4


def test_more_steps_reuse_more_and_compute_the_same():
    chip = shipped.chip("h100-sxm")
    computed = [steps * (1 - reused_at("teacache0.2", steps, shipped.efficiency(), chip)[0]) for steps in (30, 50, 100)]
    assert computed == pytest.approx([computed[0]] * 3)
    assert reused_at("teacache0.01", 20, shipped.efficiency(), chip)[0] == 0


@pytest.mark.parametrize("method", ["teacache", "teacache0.0", "attncache1.6", "teacache 0.2", "0.2", "scm-fast"])
def test_what_has_no_threshold_or_no_law_has_no_share_of_its_own(method):
    assert reused_at(method, 50, shipped.efficiency(), shipped.chip("h100-sxm")) is None
