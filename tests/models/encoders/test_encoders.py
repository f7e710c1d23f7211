"""What sets the text encoders apart, beyond the counts of the reference tables."""

from __future__ import annotations

import json
from pathlib import Path

from costline.models.importer import read_network
from costline.models.parts import Attention, Linear

EXAMPLES = Path(__file__).parents[3] / "examples"
ENCODERS = ("umt5-xxl", "t5-v1.1-xxl")


def part(network, name):
    return next(part for part in network.parts if part.name == name)


def example(name):
    return read_network(json.loads((EXAMPLES / name / "config.json").read_text(encoding="utf-8")), name)


def test_umt5_has_a_position_table_in_every_layer_and_t5_one():
    umt5, t5 = (example(name) for name in ENCODERS)
    # 32 buckets, 64 heads; the vocabularies have 256,384 and 32,128 rows of 4,096 features
    assert umt5.params - t5.params == (24 - 1) * 32 * 64 + (256384 - 32128) * 4096


def test_gating_adds_a_third_matrix():
    gated = read_network({"feed_forward_proj": "gated-gelu"}, "t5", "T5EncoderModel")
    plain = read_network({}, "t5", "T5EncoderModel")
    assert gated.params - plain.params == 6 * 512 * 2048


def test_t5_attends_both_ways_and_clip_causally():
    tokens = 77
    t5 = part(example("t5-v1.1-xxl"), "block/self/core")
    clip = part(read_network({}, "clip", "CLIPTextModel"), "block/self/core")
    streams = {"sample": 1, "tokens": tokens, "batch": 1}
    assert isinstance(t5, Attention)
    assert t5.pairs(streams) == tokens**2
    assert clip.pairs(streams) == tokens * (tokens + 1) / 2


def test_clip_projects_one_token_a_sample():
    network = read_network({"projection_dim": 1280}, "clip", "CLIPTextModelWithProjection")
    projection = part(network, "head/projection")
    assert isinstance(projection, Linear)
    assert projection.flops(network.streams(tokens=77, batch=2)) == 2 * 2 * 512 * 1280


def test_nothing_is_cached_by_a_trunk():
    for architecture in ("LlamaModel", "Gemma2Model", "Qwen2Model"):
        network = read_network({}, "trunk", architecture)
        attentions = [part for part in network.parts if isinstance(part, Attention)]
        assert attentions
        assert all(part.cache_width == 0 and part.keys == "tokens" for part in attentions)
