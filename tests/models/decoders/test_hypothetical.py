"""Decoders shaped from a size alone."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import costline
from costline.errors import ConfigError
from costline.models.decoders import hypothetical
from costline.models.decoders.family import decoder_family
from costline.models.decoders.hypothetical import hypothetical_decoder, ruled_layers
from costline.models.decoders.rows import decoder_from_row
from costline.models.decoders.shape import DecoderShape, describe_shape

TABLE = Path(costline.__file__).parent / "data" / "models_llm.csv"


FITTED = "2026-11-24"
"""Rows read later are named models that were not in the fit: the rule stands until it is fitted again."""


def published():
    """Distinct published decoders of the table when the rule was fitted, without recurrent mixers."""
    found = {}
    for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()):
        if row["kind"] == "published" and row["architecture"] and row["date"] <= FITTED:
            decoder = decoder_from_row(row)
            shape = decoder.shape
            key = (shape.layers, shape.hidden, shape.ffn, shape.experts, shape.expert_ffn, shape.heads)
            if shape.gated and not shape.mamba_layers and not shape.delta_layers:
                found.setdefault(key, decoder)
    return list(found.values())


PUBLISHED = published()
DENSE = [decoder for decoder in PUBLISHED if not decoder.shape.experts]
SPARSE = [decoder for decoder in PUBLISHED if decoder.shape.experts]


@pytest.mark.parametrize(
    ("decoders", "size", "rule"),
    [
        (DENSE, lambda decoder: decoder.params, hypothetical.DENSE_LAYERS),
        (SPARSE, lambda decoder: decoder.active_params, hypothetical.MOE_LAYERS),
    ],
    ids=["dense", "sparse"],
)
def test_the_layer_rule_is_the_fit_to_the_table(decoders, size, rule):
    power, intercept = np.polyfit(
        np.log([size(decoder) for decoder in decoders]), np.log([decoder.layers for decoder in decoders]), 1
    )
    # the rounded rule and the fit agree on layers within 1 % from a billion to a trillion
    for params in (1e9, 1e12):
        fitted = math.exp(intercept) * params**power
        assert rule[0] * params ** rule[1] == pytest.approx(fitted, rel=0.01)


def test_the_proportions_are_the_medians_of_the_table():
    assert np.median([decoder.shape.ffn / decoder.hidden_size for decoder in DENSE]) == hypothetical.FFN_RATIO
    assert np.median([decoder.shape.head_dim for decoder in DENSE]) == hypothetical.HEAD_DIM
    assert np.median([decoder.shape.kv_heads for decoder in DENSE]) == hypothetical.KEY_HEADS
    assert np.median([decoder.shape.active_experts for decoder in SPARSE]) == hypothetical.VISITS
    visited = [d.shape.active_experts * d.shape.expert_ffn / d.hidden_size for d in SPARSE]
    assert np.median(visited) == hypothetical.EXPERT_RATIO
    routed = ("block/moe/gate", "block/moe/up", "block/moe/down")
    shares = [sum(part.active_params for part in d.parts if part.name in routed) / d.active_params for d in SPARSE]
    assert np.median(shares) == pytest.approx(hypothetical.ROUTED_SHARE, abs=0.005)


@given(st.floats(6.5, 13.9))
def test_dense_parameters_are_met(exponent):
    params = 10**exponent
    decoder = hypothetical_decoder(params)
    assert decoder.params == pytest.approx(params, rel=0.005)
    assert decoder.active_params == decoder.params


@given(st.floats(10, 13), st.floats(0.04, 0.9))
def test_parameters_of_a_mixture_are_met(exponent, share):
    params = 10**exponent
    decoder = hypothetical_decoder(params, share * params)
    assert decoder.params == pytest.approx(params, rel=0.005)
    assert decoder.active_params == pytest.approx(share * params, rel=0.005)
    experts = decoder.shape.experts
    assert experts % 8 == 0
    assert experts & (experts - 1) == 0 or experts // 3 & (experts // 3 - 1) == 0 or experts % 160 == 0


def test_every_published_number_of_experts_is_a_usual_one():
    assert {decoder.shape.experts for decoder in SPARSE} <= set(hypothetical.USUAL_EXPERTS)


@pytest.mark.parametrize(
    ("params", "active", "experts"),  # Kimi K2 384, DeepSeek-V3 256, Qwen3-30B 128; GPT-4 as rumoured
    [(1.04e12, 32.6e9, 384), (671e9, 37.5e9, 256), (30.5e9, 3.3e9, 128), (1.8e12, 4e11, 64)],
)
def test_experts_are_as_many_as_published_decoders_of_the_size_have(params, active, experts):
    assert hypothetical_decoder(params, active).shape.experts == experts


@pytest.mark.parametrize(
    ("params", "active", "fields", "says"),
    [
        (1e10, 1e6, {}, "1 layers of width 1; the least are width 64 and 16 times the layers"),
        (8e9, 1e8, {}, "11 layers of width 128; the least are"),
        (1e6, None, {}, "2 layers of width 28; the least are"),
    ],
)
def test_what_is_thinner_than_any_decoder_is_refused(params, active, fields, says):
    with pytest.raises(ConfigError, match=says):
        hypothetical_decoder(params, active, **fields)
    sizes = np.array([params, params])
    with pytest.raises(ConfigError, match=r"the usual proportions make .* state layers or hidden"):
        decoder_family(sizes, None if active is None else np.array([active, active]))


def test_published_decoders_are_far_wider_than_the_limit():
    assert min(decoder.hidden_size / decoder.layers for decoder in PUBLISHED) >= 37 > 2 * hypothetical.THINNEST
    assert hypothetical_decoder(8e9, 1e8, layers=4).layers == 4


@given(st.integers(8, 128), st.sampled_from([1024, 2048, 4096, 8192]), st.sampled_from([1, 4, 8]), st.booleans())
def test_stated_fields_are_kept(layers, hidden, kv_heads, tied):
    stated = {"layers": layers, "hidden": hidden, "kv_heads": kv_heads, "tied": tied}
    wide = hypothetical_decoder(1e11, **stated)
    assert {key: getattr(wide.shape, key) for key in stated} == stated
    assert wide.params == pytest.approx(1e11, rel=0.005)


def test_a_rumour_with_named_experts():
    decoder = hypothetical_decoder(1.8e12, 2.8e11, experts=16, active_experts=2, layers=120)
    assert (decoder.shape.experts, decoder.shape.active_experts, decoder.layers) == (16, 2, 120)
    assert decoder.params == pytest.approx(1.8e12, rel=0.005)
    assert decoder.active_params == pytest.approx(2.8e11, rel=0.005)


def test_experts_without_active_parameters_follow_the_proportions():
    decoder = hypothetical_decoder(314e9, experts=8, active_experts=2)
    assert decoder.params == pytest.approx(314e9, rel=0.005)
    ratio = decoder.shape.active_experts * decoder.shape.expert_ffn / decoder.hidden_size
    assert ratio == pytest.approx(hypothetical.EXPERT_RATIO, rel=0.3)


def test_as_many_active_as_there_are_is_dense():
    assert hypothetical_decoder(7e9, 7e9).shape == hypothetical_decoder(7e9).shape


def test_the_description_rebuilds_the_shape():
    shape = hypothetical_decoder(671e9, 37e9).shape
    assert DecoderShape(**describe_shape(shape)) == shape


@given(st.floats(6, 13), st.floats(6, 13))
def test_more_parameters_have_at_least_as_many_layers(one, other):
    low, high = sorted((10**one, 10**other))
    assert ruled_layers(low) <= ruled_layers(high)


@pytest.mark.parametrize(
    ("arguments", "fields", "message"),
    [
        ((1e9, 2e9), {}, r"active \(2.00B params\) exceeds params \(1.00B params\); at most all are active"),
        ((5e5,), {}, r"params must be a number from 1e\+06 to 1e\+14, got 500000.0"),
        ((1e15,), {}, "params must be a number from"),
        ((float("nan"),), {}, "params must be a number from"),
        ((7e10, 100), {}, r"active must be a number from 1e\+06"),
        ((7e10,), {"layer": 80}, "no field 'layer' of a decoder; nearest: layers"),
        ((7e10,), {"layers": 0}, "layers must be a whole number from 1 to 1e8, got 0"),
        ((7e10,), {"layers": 2.5}, "layers must be a whole number from 1 to 1e8, got 2.5"),
        ((7e10,), {"hidden": 10**9}, "hidden must be a whole number from 1 to 1e8"),
        (
            (7e10,),
            {"layers": 10, "hidden": 512, "ffn": 1024},
            "layers 10, hidden 512, ffn 1024: the nearest has 1.576e",
        ),
        ((7e8,), {"layers": 100, "hidden": 8192}, "the stated sizes need more; state fewer sizes"),
        ((1.8e12, 1e11), {"experts": 16, "active_experts": 2}, r"at least 2.25e\+11 of 1.8e\+12 parameters are active"),
        ((1e11, 1e10), {"experts": 4, "active_experts": 4}, "must visit fewer experts than there are, got 4 of 4"),
        ((7e10,), {"heads": 65, "hidden": 8192, "kv_heads": 8}, r"heads \(65\) is not a multiple of kv_heads \(8\)"),
    ],
)
def test_impossible_requests_name_the_limit(arguments, fields, message):
    with pytest.raises(ConfigError, match=message):
        hypothetical_decoder(*arguments, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layers": "abc"}, "layers must be a whole number from 1 to 1e8, got 'abc'"),
        ({"layers": "8 to 12"}, "layers must be a whole number from 1 to 1e8, got '8 to 12'"),
        ({"layers": True}, "layers must be a whole number from 1 to 1e8, got True"),
        ({"layers": [8, 12]}, "layers must be a whole number"),
        ({"vocab": -5}, "vocab must be a whole number from 1 to 1e8, got -5"),
        ({"gated": "maybe"}, "gated must be yes or no, got 'maybe'"),
        ({"gated": 1}, "gated must be yes or no, got 1"),
        ({"qk_norm": "rms"}, "qk_norm must be one of none, plain, head, width, got 'rms'"),
        ({"local_kind": 3}, "local_kind must be one of window, chunk, got 3"),
    ],
)
@pytest.mark.parametrize("params", [8e9, np.array([8e9, 9e9])], ids=["one", "family"])
def test_a_stated_field_has_the_type_of_the_shape(params, fields, message):
    build = decoder_family if isinstance(params, np.ndarray) else hypothetical_decoder
    with pytest.raises(ConfigError, match=message):
        build(params, **fields)
