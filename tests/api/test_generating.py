"""What `generate` answers: contracts of its inputs, and what follows from how a clip is cut."""

from __future__ import annotations

import pytest

import costline

WAN = "wan2.1-t2v-14b"


def plan_of(estimate):
    """The plan an answer is about, and the words on how it was found."""
    return next(row.value for row in estimate.assumptions if row.name == "plan")


def denoising(estimate):
    """Seconds of the transformer."""
    return next(part.value for part in estimate.figure("time").children if part.name == "denoise")


def test_the_plan_of_a_clip_in_segments_is_that_of_a_segment():
    """One pass holds one segment, so a minute made in pieces needs the memory and the plan of a piece."""
    asked = {"on": "8xh100-sxm", "chunk": 3}
    minute, piece = costline.generate(WAN, seconds=60, segment="5s", **asked), costline.generate(WAN, **asked)
    assert plan_of(minute) == plan_of(piece)
    assert "fit" in plan_of(minute)
    assert minute["memory"] == piece["memory"]
    assert denoising(minute) == pytest.approx(12 * denoising(piece))


def test_a_segment_covers_the_frames_its_latents_stand_for():
    """5 s are 80 frames, which Wan computes as 81: its own clip of 81 frames is one such segment."""
    whole, cut = (costline.generate(WAN, on="8xh100-sxm", segment=segment) for segment in (None, "5s"))
    assert denoising(cut) == denoising(whole)
