"""Families of hypothetical decoders against the rounded networks of the rule, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from costline.errors import ConfigError
from costline.models.decoders.family import decoder_family
from costline.models.decoders.hypothetical import TOLERANCE, hypothetical_decoder

SIZES = np.geomspace(1e9, 2e12, 25)
SPARSE = [(1.8e12, 280e9), (1.8e12, 500e9), (671e9, 37e9), (47e9, 13e9), (30e9, 3e9), (1e12, 999e9)]


def flops(network, kind=None):
    return network.flops({"sample": 1, "tokens": 4096, "context": 4096, "logits": 4096, "batch": 1}, kind)


def test_parameters_are_met_exactly():
    assert decoder_family(np.geomspace(1e7, 1e13, 50)).params == pytest.approx(np.geomspace(1e7, 1e13, 50), rel=1e-9)


def test_flops_are_those_of_the_rounded_network():
    family = flops(decoder_family(SIZES))
    rounded = np.array([flops(hypothetical_decoder(float(size))) for size in SIZES])
    assert family == pytest.approx(rounded, rel=0.01)


def test_attention_is_that_of_the_rounded_network():
    family = flops(decoder_family(SIZES), "attention")
    rounded = np.array([flops(hypothetical_decoder(float(size)), "attention") for size in SIZES])
    assert np.median(np.abs(family / rounded - 1)) < 0.04
    assert family == pytest.approx(rounded, rel=0.2)  # at 1e9 the rule rounds the width by a fifth


def test_mixtures_of_experts():
    sizes, used = (np.array(column) for column in zip(*SPARSE, strict=True))
    family = decoder_family(sizes, used)
    assert family.params == pytest.approx(sizes, rel=TOLERANCE)
    assert family.active_params == pytest.approx(used, rel=TOLERANCE)
    rounded = np.array([flops(hypothetical_decoder(*map(float, pair))) for pair in SPARSE[:-1]])
    assert flops(family)[:-1] == pytest.approx(rounded, rel=0.02)


def test_a_few_active_parameters_beyond_all_of_them_are_all_of_them():
    active = np.full(200, 9e10)
    active[7] = 2e11
    family = decoder_family(np.full(200, 1e11), active)
    assert family.active_params[7] == pytest.approx(family.params[7], rel=1e-3)


@pytest.mark.parametrize(
    "stated",
    [
        {"layers": 80}, {"hidden": 8192}, {"hidden": 8192, "layers": 80}, {"heads": 64}, {"head_dim": 64},
        {"kv_heads": 16}, {"ffn": 20000}, {"vocab": 32000, "tied": True}, {"max_context": 8192},
    ],
)  # fmt: skip
def test_what_is_stated_is_kept(stated):
    sizes = np.array([5e10, 7e10, 1e11])
    family = decoder_family(sizes, **stated)
    assert family.params == pytest.approx(sizes, rel=1e-9)
    assert {name: getattr(family.shape, name) for name in stated} == stated


@pytest.mark.parametrize(
    "stated", [{"experts": 64}, {"experts": 64, "active_experts": 4}, {"active_experts": 2}, {"hidden": 6144},
               {"layers": 60}, {"shared_ffn": 0}],
)  # fmt: skip
def test_what_is_stated_of_a_mixture_is_kept(stated):
    sizes, used = np.array([3e11, 6e11]), np.array([3e10, 4e10])
    family = decoder_family(sizes, used, **stated)
    assert family.params == pytest.approx(sizes, rel=TOLERANCE)
    assert {name: getattr(family.shape, name) for name in stated} == stated


@pytest.mark.parametrize(
    ("params", "active", "stated", "words"),
    [
        ([1e5, 1e9], None, {}, "from 1e\\+06 to 1e\\+14, samples are 1e\\+05 to 1e\\+09"),
        ([1e9, 1e10], None, {"depth": 5}, "no field 'depth' of a decoder"),
        ([1e9, 1e10], None, {"mamba_layers": 5}, "'mamba_layers' cannot be stated"),
        ([1e9, 1e10], None, {"experts": 8}, "need --active"),
        ([1e11, 1e11], np.array([9e10, 2e11]), {}, "active exceeds params in 50% of the samples"),
        ([1e9, 1e10], None, {"hidden": 4096, "layers": 30, "ffn": 8192}, "parameters are missed by up to"),
    ],
)
def test_what_cannot_be(params, active, stated, words):
    with pytest.raises(ConfigError, match=words):
        decoder_family(np.array(params), active, **stated)
