"""Stable Diffusion 3."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def read(**config):
    return read_network(config, "x", "SD3Transformer2DModel")


def test_text_of_the_last_layer_only_feeds_the_attention():
    """A single layer has no feed-forward network for text; a second adds one, and a full modulation."""
    hidden = 1152
    one, two = read(num_layers=1), read(num_layers=2)
    places = {part.name for part in one.parts}
    assert not any("text/mlp" in place or "text/self/out" in place for place in places)
    difference = two.params - one.params
    layer = 4 * (hidden**2 + hidden) + (4 * hidden + 1) * hidden * 2 + 3 * hidden + 6 * (hidden**2 + hidden)
    assert difference == 2 * layer


def test_a_second_attention_adds_a_half_modulation_and_its_projections():
    hidden = 1152
    plain, dual = read(), read(dual_attention_layers=[0, 3, 3])
    assert dual.params - plain.params == 2 * (3 + 4) * (hidden**2 + hidden)


@pytest.mark.parametrize(
    ("config", "message"),
    [({"qk_norm": "layer_norm"}, "'qk_norm'"), ({"caption_projection_dim": 1536}, "caption_projection_dim.*1152")],
)
def test_what_would_change_the_count_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        read(**config)
