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


@given(st.floats(6, 13.9))
def test_dense_parameters_are_met(exponent):
    params = 10**exponent
    decoder = hypothetical_decoder(params)
    assert decoder.params == pytest.approx(params, rel=0.005)
    assert decoder.active_params == decoder.params


@given(st.floats(9, 13), st.floats(0.02, 0.9))
def test_parameters_of_a_mixture_are_met(exponent, share):
    params = 10**exponent
    decoder = hypothetical_decoder(params, share * params)
    assert decoder.params == pytest.approx(params, rel=0.005)
    assert decoder.active_params == pytest.approx(share * params, rel=0.005)


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
        ((1e9, 2e9), {}, r"active \(2e\+09\) exceeds params \(1e\+09\); at most all are active"),
        ((5e5,), {}, r"params must be a number from 1e\+06 to 1e\+14, got 500000.0"),
        ((1e15,), {}, "params must be a number from"),
        ((float("nan"),), {}, "params must be a number from"),
        ((7e10, 100), {}, r"active must be a number from 1e\+06"),
        ((7e10,), {"layer": 80}, "no field 'layer' of a decoder; nearest: layers"),
        ((7e10,), {"layers": 0}, "layers must be at least 1, got 0"),
        ((7e10,), {"layers": 2.5}, "layers must be a whole number from 0 to 1e8, got 2.5"),
        ((7e10,), {"hidden": 10**9}, "hidden must be a whole number from 0 to 1e8"),
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
