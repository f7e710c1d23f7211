"""Families of hypothetical diffusion transformers against the rounded networks of the rule, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from costline.errors import ConfigError
from costline.models.diffusion.family import dit_family
from costline.models.diffusion.hypothetical import hypothetical_dit

SIZES = np.geomspace(3e9, 1e11, 15)


def flops(network):
    return network.flops(network.streams(frames=81, height=720, width=1280))


@pytest.mark.parametrize("kind", ["cross", "double", "joint", "single"])
def test_parameters_are_met_exactly_and_flops_nearly(kind):
    family = dit_family(SIZES, kind=kind)
    assert family.params == pytest.approx(SIZES, rel=1e-9)
    error = flops(family) / np.array([flops(hypothetical_dit(float(size), kind=kind)) for size in SIZES]) - 1
    assert np.median(np.abs(error)) < 0.04
    assert np.max(np.abs(error)) < 0.12


@pytest.mark.parametrize(
    "stated", [{"layers": 40}, {"hidden": 5120}, {"hidden": 5120, "layers": 40}, {"text_tokens": 256}, {"heads": 40}]
)
def test_what_is_stated_is_kept(stated):
    sizes = np.array([1e10, 1.4e10, 2e10])
    family = dit_family(sizes, **stated)
    assert family.params == pytest.approx(sizes, rel=1e-9)
    known = {"layers": family.layers, **{name: getattr(family.shape, name) for name in stated if name != "layers"}}
    assert {name: known[name] for name in stated} == stated


def test_what_cannot_be():
    with pytest.raises(ConfigError, match="from 1e5 to 1e14"):
        dit_family(np.array([1.0, 1e9]))
    with pytest.raises(ConfigError, match="miss the parameters by up to"):
        dit_family(np.array([1e9, 1e10]), hidden=2048, layers=30, ffn_hidden=8192)
    with pytest.raises(ConfigError, match="depth"):
        dit_family(np.array([1e9, 1e10]), depth=4)
