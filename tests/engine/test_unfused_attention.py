"""Unfused attention: the traffic of its scores, and heads that tensor cores cannot take."""

from __future__ import annotations

import pytest

from costline.engine.loads import forward_loads
from costline.engine.passes import forward_pass
from costline.models.parts import Attention
from costline.plan import Plan
from tests.conftest import make_machine

TOKENS, WIDTH = 2048, 13824


def attention(heads):
    """A layer of the BLOOM prototypes of width 13,824: 64 heads of 216 or 128 of 108."""
    head = WIDTH // heads
    return Attention(
        name="block/attention/core", queries="tokens", keys="tokens", heads=heads, key_heads=heads, key_dim=head,
        value_dim=head, mask="causal",
    )  # fmt: skip


STREAMS = {"batch": 1, "sample": 1, "tokens": TOKENS}


def math_time(heads, **plan):
    machine = make_machine(coefficients={"misaligned": 0.25}, **plan)
    return forward_pass([attention(heads)], STREAMS, machine).math


@pytest.mark.parametrize("heads", [64, 128])
def test_scores_are_written_and_read(heads):
    """Every head has a score for each pair of tokens, masked or not, that is moved five times in 16 bits."""
    (plain,), (unfused,) = (
        forward_loads([attention(heads)], STREAMS, Plan(attention=kernel)) for kernel in ("fa2", "naive")
    )
    assert unfused.traffic - plain.traffic == pytest.approx(heads * TOKENS**2 * 5 * 2)
    assert unfused.flops == plain.flops


def test_heads_that_are_no_multiple_of_8_wide_run_without_tensor_cores():
    """Measured on 384 A100: 103.5 s a step with 64 heads of 216, 147.4 s with 128 of 108 (BigScience, chronicles)."""
    assert math_time(128, attention="naive") == pytest.approx(4 * math_time(64, attention="naive"))


def test_fused_kernels_take_heads_of_any_width():
    assert math_time(128, attention="fa2") == pytest.approx(math_time(64, attention="fa2"))
