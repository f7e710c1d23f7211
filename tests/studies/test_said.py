"""What an answer must say: clips on another grid than asked, chips that idle and are paid for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.models.diffusion.wan import WanGrid
from costline.models.dit import Grid
from costline.planning import read_plan_fields

WAN = {"resolution": "832x480", "frames": 81, "on": "h100-sxm"}


@pytest.mark.parametrize(
    ("changed", "made"),
    [  # Wan: latents of 8 pixels in patches of 2, frames to 4 k + 1; the pipeline makes 81 frames of 80
        ({"resolution": "840x490"}, "81 frames of 832x480"),
        ({"frames": 80}, "81 frames of 832x480"),
        ({"frames": 83, "resolution": "847x495"}, "81 frames of 832x480"),
    ],
)
def test_a_clip_off_the_grid_is_told_as_it_is_computed(changed, made):
    found = costline.generate("wan2.1-t2v-1.3b", **WAN | changed)
    whole = costline.generate("wan2.1-t2v-1.3b", **WAN)
    (said,) = [warning for warning in found.warnings if "are computed" in warning]
    assert made in said
    assert found["tokens"] == whole["tokens"]


def test_a_clip_on_the_grid_has_nothing_to_say():
    assert costline.generate("wan2.1-t2v-1.3b", **WAN).warnings == ()
    assert costline.generate("flux.1-dev", on="h100-sxm").warnings == ()


def test_arrays_of_sizes_say_it_too():
    found = costline.generate("wan2.1-t2v-1.3b", **WAN | {"frames": np.array([81, 82])})
    assert any("at some points" in warning for warning in found.warnings)


def test_training_on_clips_says_it():
    found = costline.train("wan2.1-t2v-1.3b", on="64xh100-sxm", clips=1000, resolution="840x490", frames=81)
    assert any("81 frames of 832x480 are computed" in warning for warning in found.warnings)


def test_every_field_of_a_plan_off_its_default_is_printed_as_it_can_be_stated():
    stated = {
        "tensor": 2, "ring": 2, "zero": 3, "shard_scope": "domain", "recompute": "full", "recomputed": 0.5,
        "offload": "optimizer", "gradient_bytes": 4.0, "optimizer_bytes": 16.0, "sequence_parallel": False,
    }  # fmt: skip
    found = costline.train("llama-3.1-8b", on="64xh100-sxm", tokens=1e12, plan=stated)
    printed = next(str(row.value) for row in found.assumptions if row.name == "plan").partition(": ")[0]
    assert stated.items() <= read_plan_fields(printed).items()


@pytest.mark.parametrize(("attention", "told"), [("fa2", True), ("naive", False)])
def test_selective_recomputation_of_a_fused_kernel_is_said_to_change_nothing(attention, told):
    """Korthikanti et al. 2022, section 5: it drops the attention scores, which FlashAttention never keeps."""
    ask = {"on": "64xh100-sxm", "tokens": 1e12, "attention": attention}
    plan = "tensor=8, pipeline=1, virtual=1, ulysses=1, expert=1, zero=1, micro_batch=1, recompute="
    two = [costline.train("llama-3.1-8b", plan=plan + mode, **ask) for mode in ("none", "selective")]
    assert any("same as none" in warning for warning in two[1].warnings) is told
    assert (two[0]["step"] == two[1]["step"]) is told


GRIDS = [Grid(time=4), Grid(time=8, space=32, patch_space=1), Grid(time=4, first_frame_alone=False), WanGrid(time=4)]


@pytest.mark.parametrize("grid", GRIDS)
@given(st.integers(1, 200), st.integers(64, 1500), st.integers(64, 1500))
@settings(max_examples=25)
def test_what_is_covered_has_the_same_tokens_and_covers_itself(grid, frames, height, width):
    covered = grid.covered(frames, height, width)
    assert grid.streams(*covered) == grid.streams(frames, height, width)
    assert grid.covered(*covered) == covered


ASKED = {
    "generate": ("wan2.1-t2v-1.3b", {"plan": "tensor=4, ulysses=1, ring=1, guidance=1"}),
    "serve": ("llama-3.1-8b", {"plan": "tensor=4", "batch": 16}),
    "train": ("llama-3.1-8b", {"plan": "tensor=4, pipeline=1, zero=1", "tokens": "1B"}),
    "caption": ("llama-3.1-8b", {"plan": "tensor=4", "minutes": 100, "batch": 16}),
}


@pytest.mark.parametrize("study", ASKED)
def test_idle_chips_are_paid_for_and_told_in_every_study(study):
    """Four chips work in each case: six cost half as much again, and nothing is quicker."""
    model, more = ASKED[study]
    money = "cost_output" if study == "serve" else "cost"
    four, six = (getattr(costline, study)(model, on=f"{chips}xh100-sxm", price="$2/h", **more) for chips in (4, 6))
    assert six[money] == pytest.approx(1.5 * four[money], rel=5e-3)
    assert any("2 of 6 chips stand idle beside 4 at work" in warning for warning in six.warnings)
    assert not any("idle" in warning for warning in four.warnings)


def test_replicas_that_all_make_clips_share_the_rent():
    """Two replicas of four chips: a clip takes as long as on four, and costs as much."""
    model, more = ASKED["generate"]
    four, eight = (costline.generate(model, on=f"{chips}xh100-sxm", price="$2/h", **more) for chips in (4, 8))
    assert eight["cost"] == pytest.approx(four["cost"], rel=5e-3)
    assert eight["clips_per_hour"] == pytest.approx(2 * four["clips_per_hour"], rel=5e-3)
