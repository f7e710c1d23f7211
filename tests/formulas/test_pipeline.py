"""Chunks that stages pass on, against the stages themselves."""

from __future__ import annotations

import pytest

from costline.formulas.pipeline import pipelined_share


def passed(stages, chunks, in_flight):
    """Time until chunks have passed stages, each taken up when the stage before and the chunk before are done with it
    and as many chunks earlier as may be in flight have left."""
    free, left = [0.0] * len(stages), []
    for chunk in range(chunks):
        ready = left[chunk - in_flight] if chunk >= in_flight else 0.0
        for place, length in enumerate(stages):
            ready = free[place] = max(ready, free[place]) + length
        left.append(ready)
    return left[-1]


@pytest.mark.parametrize("stages", [[0.25] * 4, [9 / 32, 8 / 32, 8 / 32, 7 / 32]])
def test_chunks_follow_each_other_at_the_pace_of_the_fullest_stage(stages):
    """Told chunk by chunk."""
    for chunks in (1, 2, 8, 16):
        told = passed(stages, chunks, chunks) / chunks
        assert pipelined_share(max(stages), chunks) == pytest.approx(told, rel=1e-12)


def test_no_more_chunks_are_on_their_way_than_may_be():
    told = passed([1 / 8] * 8, 64, 4) / 64
    assert pipelined_share(1 / 4, 64) == pytest.approx(told, rel=0.03)
