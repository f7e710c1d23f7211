"""A pipeline through on-chip memory against what is published of Groq's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.formulas.sram import (
    chips_to_hold,
    exchange_time,
    pipeline_latency,
    pipeline_rate,
    sequences_in_flight,
)
from costline.silicon.inputs import quantity


def test_chips_of_groqs_deployment():
    """Chips for 70B: 140 GB over 230 MB is 609 in fp16, 70 GB is 305 in int8; "10 racks or 570-odd" are printed."""
    assert chips_to_hold(140e9, 230e6) == 609
    assert chips_to_hold(70e9, 230e6) == 305


@given(st.integers(1, 1000), st.floats(1e-4, 1.0), st.integers(1, 100))
def test_chips_of_one_layer_share_it_and_layers_follow_each_other(chips, busy, layers):
    """Without hops: no faster than if every chip worked all the time, no slower than one chip alone."""
    time = pipeline_latency(busy, chips, layers, 0.0, 0.0)
    assert busy / chips <= time * (1 + 1e-12)
    assert time <= busy * (1 + 1e-12)
    assert pipeline_latency(busy, min(chips, layers), layers, 0.0, 0.0) == busy


def test_a_layer_takes_as_long_as_a_chip_reads_its_memory():
    """The same time a layer for 80 layers on 600 chips and for 32 on 240: reading does not depend on the model."""
    big, small = (pipeline_latency(layers * 7.5 * 1e-5, layers * 7.5, layers, 0.0, 0.0) / layers for layers in (80, 32))
    assert big == pytest.approx(small)
    assert big == pytest.approx(1e-5)


@given(st.integers(1, 200), st.floats(0, 1e-5), st.floats(0, 1e8), st.floats(1e9, 1e12))
def test_exchanges_are_two_all_reduces_of_a_scatter_and_a_gather(layers, hop, message, link):
    assert exchange_time(layers, 2, hop, message, link) == pytest.approx(2 * layers * 2 * (hop + message / link))


def test_an_all_reduce_over_256_chips():
    """Abts et al. 2022: three hops of 722 ns through 256 chips, 2.1 us."""
    assert exchange_time(1, 3, 722e-9, 0.0, 1e11) / 2 == pytest.approx(2166e-9)


def test_weights_stream_as_published():
    """Abts et al. 2020: 409,600 one-byte weights in 40 clocks; a GroqChip runs at 0.9 GHz and reads 80 TB/s."""
    assert quantity("stream_share").value * 80e12 == pytest.approx(409_600 / 40 * 0.9e9, rel=0.01)


@given(st.integers(1, 1000), st.floats(1e-3, 10), st.integers(1, 1000), st.floats(1e-3, 10))
def test_the_busiest_stage_limits_the_rate(sequences, latency, stages, occupied):
    rate = pipeline_rate(sequences, latency, stages, occupied)
    assert rate * occupied <= stages * (1 + 1e-12)
    assert rate * latency <= sequences * (1 + 1e-12)


def test_no_sequence_flies_where_the_weights_alone_do_not_fit():
    assert sequences_in_flight(100, 1e9, 200e9, 1e6) == 0
