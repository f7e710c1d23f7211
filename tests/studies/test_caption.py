"""Captioning against hand calculations."""

from __future__ import annotations

import pytest

from costline.studies.caption import Corpus, caption
from costline.studies.economics import Economics
from tests.conftest import make_machine


def test_the_corpus_is_counted_clip_by_clip(llama):
    """100 minutes in clips of 10 s: 600 captions of 8 x 256 + 64 input and 200 output tokens."""
    estimate = caption(llama, Corpus(seconds=6000, clip_seconds=10), make_machine(8, tensor=8))
    assert estimate["clips"] == 600
    assert estimate["input_tokens"] == 600 * 2112
    assert estimate["output_tokens"] == 600 * 200
    assert "vision encoder is not counted" in estimate.warnings[0]


def test_cost_is_the_rent_for_the_time_and_the_api_bill_its_price(llama):
    place = make_machine(8, tensor=8)
    estimate = caption(llama, Corpus(seconds=6000, batch=64), place, Economics(price=1e-3), api=(1e-6, 4e-6))
    assert estimate["cost"] == pytest.approx(8e-3 * estimate["time"])
    assert estimate["api_cost"] == pytest.approx(100 * (2112 * 1e-6 + 200 * 4e-6))


def test_twice_the_video_takes_twice_as_long(llama):
    place = make_machine(8, tensor=8)
    one, two = (caption(llama, Corpus(seconds=seconds), place) for seconds in (60_000, 120_000))
    assert two["time"] == pytest.approx(2 * one["time"])
