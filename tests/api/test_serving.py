"""Serving where nobody states a plan: the best of all, and the simplest of equals."""

from __future__ import annotations

from itertools import product

import pytest

import costline


@pytest.mark.parametrize(("chips", "batch"), [(9, 64), (17, 4), (24, 64), (65, 8), (1025, 64)])
def test_a_pipeline_is_chosen_only_where_it_gains(chips, batch):
    """No plan of powers of two serves more, and none with fewer stages as much, whatever chips stand idle."""
    asked = {"on": f"{chips}xh100-sxm", "batch": batch}
    best = costline.serve("llama-3.1-70b", **asked)
    for tensor, pipeline in product((1, 2, 4, 8), (1, 2, 4)):
        if tensor * pipeline > chips:
            continue
        other = costline.serve("llama-3.1-70b", **asked, plan=f"tensor={tensor}, pipeline={pipeline}")
        if other.feasible:
            assert other["output_rate"] <= best["output_rate"] * (1 + 1e-12), (tensor, pipeline)
            if pipeline < best.inputs["pipeline"]:
                assert other["output_rate"] < best["output_rate"], (tensor, pipeline)


def test_replicas_beyond_the_sequences_in_flight_stand_idle():
    """Three sequences on eight chips that hold a replica each: three work, and as fast as on three chips."""
    eight, three = (costline.serve("llama-3.1-8b", on=f"{n}xh100-sxm", batch=3, plan="tensor=1") for n in (8, 3))
    assert eight.inputs["data"] == three.inputs["data"] == 3
    assert eight["output_rate"] == three["output_rate"]
    assert any("5 of 8 chips stand idle" in words for words in eight.warnings)
