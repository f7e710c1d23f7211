"""Captioning against hand calculations."""

from __future__ import annotations

import pytest

from costline.models.decoders.hypothetical import hypothetical_decoder
from costline.models.encoders.trunks import as_encoder
from costline.studies.caption import Corpus, caption
from costline.studies.economics import Economics
from costline.studies.serving_memory import Room
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
    """Of whole rounds: 256 clips of a minute are in flight."""
    place = make_machine(8, tensor=8)
    one, two = (caption(llama, Corpus(seconds=256 * 60 * rounds), place) for rounds in (4, 8))
    assert two["batch"] == 256
    assert two["time"] == pytest.approx(2 * one["time"])


@pytest.mark.parametrize("batch", [None, 256])
def test_one_clip_takes_as_long_as_its_tokens_are_read_one_by_one(llama, batch):
    """No more clips are in flight than there are, and 200 tokens read all weights 200 times."""
    place = make_machine(8, tensor=8)
    estimate = caption(llama, Corpus(seconds=60, batch=batch), place)
    assert estimate["batch"] == 1
    assert estimate["time"] > 200 * llama.params * 2 / 8 / place.cluster.chip.memory_bandwidth


def test_a_clip_more_than_a_batch_takes_another_round(llama):
    """As each of its tokens waits for all weights, and a whole round more is the most it can take."""
    place = make_machine(8, tensor=8)
    one, more, two = (caption(llama, Corpus(seconds=60 * clips), place)["time"] for clips in (256, 257, 512))
    alone = caption(llama, Corpus(seconds=60), place)["time"]
    assert more == pytest.approx(one + alone)
    assert one < more < two


def test_the_encoder_takes_memory_beside_the_language_model(llama):
    """Six billion weights of two bytes, divided as the model's are; so fewer clips are in flight if memory is short."""
    vision = as_encoder(hypothetical_decoder(6e9, name="vision encoder", vocab=256, tied=True))
    place = make_machine(2, tensor=2)
    corpus = Corpus(seconds=1e6, batch=64)
    without, beside = caption(llama, corpus, place), caption(llama, corpus, place, vision=vision)
    assert beside["memory"] - without["memory"] == pytest.approx(6e9 * 2 / 2, rel=0.02)
    roomy, tight = (Room(llama, place, each).most_sequences(2312, 2112) for each in (None, vision))
    assert tight < roomy
