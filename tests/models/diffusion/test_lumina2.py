"""Lumina-Image 2.0."""

from __future__ import annotations

import pytest

from costline.models.importer import read_network


@pytest.mark.parametrize(
    ("config", "ffn"), [({}, 9216), ({"ffn_dim_multiplier": 1.3}, 12032), ({"multiple_of": 10_000}, 10_000)]
)
def test_feed_forward_width_is_rounded_up(config, ffn):
    """`LuminaFeedForward`: four times the width, times the multiplier, up to a multiple."""
    network = read_network(config, "Lumina 2", "Lumina2Transformer2DModel")
    widths = {part.outputs for part in network.parts if part.name == "block/joint/mlp/up"}
    assert widths == {ffn}


def test_keys_are_shared_by_three_heads():
    network = read_network({}, "Lumina 2", "Lumina2Transformer2DModel")
    core = next(part for part in network.parts if part.name == "block/joint/self/core")
    assert (core.heads, core.key_heads, core.key_dim) == (24, 8, 96)
