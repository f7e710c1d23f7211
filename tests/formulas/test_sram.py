"""A pipeline through on-chip memory against what is published of Groq's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from costline.formulas.sram import chips_to_hold, pipeline_latency, pipeline_rate, sequences_in_flight


def test_chips_of_groqs_deployment():
    """Chips for 70B: 140 GB over 230 MB is 609 in fp16, 70 GB is 305 in int8; "10 racks or 570-odd" are printed."""
    assert chips_to_hold(140e9, 230e6) == 609
    assert chips_to_hold(70e9, 230e6) == 305


@given(st.integers(1, 1000), st.floats(1e-4, 1.0), st.floats(0, 1e-5))
def test_splitting_never_shortens_the_path(chips, busy, hop):
    assert pipeline_latency(busy, chips, hop) >= busy


@given(st.integers(1, 1000), st.floats(1e-3, 10), st.integers(1, 1000), st.floats(1e-3, 10))
def test_the_busiest_stage_limits_the_rate(sequences, latency, chips, busy):
    rate = pipeline_rate(sequences, latency, chips, busy)
    assert rate * busy <= chips * (1 + 1e-12)
    assert rate * latency <= sequences * (1 + 1e-12)


def test_no_sequence_flies_where_the_weights_alone_do_not_fit():
    assert sequences_in_flight(100, 1e9, 200e9, 1e6) == 0
