"""Captioning: the plan is the best of all for what is run, at one point as at many."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import costline
from costline.errors import PlanError

CHIPS = "h100-sxm"


@pytest.mark.parametrize(("model", "chips", "minutes"), [
    ("llama-3.1-8b", 16, 3), ("llama-3.1-8b", 16, 1e6), ("llama-3.1-70b", 16, 40), ("llama-3.1-70b", 16, 1e5),
    ("llama-3.1-8b", 12, 700), ("qwen3-30b-a3b", 8, 1e5),
])  # fmt: skip
def test_no_stated_plan_captions_sooner(model, chips, minutes):
    """Every plan of powers of two, one question each, at the batch that it would run with."""
    asked = {"on": f"{chips}x{CHIPS}", "minutes": minutes}
    best = costline.caption(model, **asked)
    assert best.feasible
    experts = (1, 2, 4, 8) if "a3b" in model else (1,)
    for tensor, pipeline, expert in product((1, 2, 4, 8), (1, 2), experts):
        plan = f"tensor={tensor}, pipeline={pipeline}, expert={expert}"
        try:
            other = costline.caption(model, **asked, plan=plan)
        except PlanError:  # groups of experts that do not divide the chips, or more chips than there are
            continue
        # others are compared by `costline plan` only: groups of experts that leave chips over, stages within a domain
        common = (expert == 1 or expert * pipeline == chips) and pipeline <= max(chips // 8, 1)
        if other.feasible and common:
            assert best["time"] <= other["time"] * (1 + 1e-12), plan


@pytest.mark.parametrize("batch", [None, 48])
def test_many_corpora_are_answered_as_each_alone(batch):
    """Few clips among them, for which there are more chips than clips."""
    minutes = np.array([1.0, 2.0, 3.0, 7.0, 17.0, 64.0, 100.0, 1000.0, 1e6])
    asked = {"on": f"16x{CHIPS}", "batch": batch}
    together = costline.caption("llama-3.1-8b", minutes=minutes, **asked)
    alone = [costline.caption("llama-3.1-8b", minutes=float(each), **asked) for each in minutes]
    for name in ("time", "cost", "batch", "memory"):
        assert np.allclose(together[name], [each[name] for each in alone], rtol=1e-12), name


@pytest.mark.parametrize("size", ["300M", "1.5B", "6B"])
def test_a_range_of_vision_encoders_lies_around_the_one_in_its_middle(size):
    """Every sample has an encoder of its own size; all had that of the largest sample."""
    asked = {"on": f"8x{CHIPS}", "minutes": 1e6}
    alone = costline.caption("qwen2.5-7b", vision=size, **asked)["time"]
    plain = costline.caption("qwen2.5-7b", **asked)["time"]
    number = float(size[:-1])
    spread = costline.caption("qwen2.5-7b", vision=f"{number * 0.99}{size[-1]} to {number * 1.01}{size[-1]}", **asked)
    assert np.median(spread["time"]) - plain == pytest.approx(alone - plain, rel=0.4)  # unrounded, model in doubt


def test_captions_take_lists_as_other_questions_do():
    models = ["llama-3.1-8b", "llama-3.1-70b"]
    many = costline.caption(models, on=f"8x{CHIPS}", minutes=1e5)
    alone = [costline.caption(model, on=f"8x{CHIPS}", minutes=1e5)["time"] for model in models]
    assert many["time"] == pytest.approx(alone, rel=1e-12)
