"""PixArt-alpha and -sigma."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def read(**config):
    return read_network(config, "x", "PixArtTransformer2DModel")


def test_alpha_reads_size_and_aspect_ratio_where_the_configuration_is_silent():
    """diffusers decides by `sample_size`: 128 (1024 pixels) takes them, 64 does not."""
    third = 384
    conditions = 2 * (256 * third + third + third**2 + third)
    silent, without, small = read(), read(use_additional_conditions=False), read(sample_size=64)
    assert silent.params - without.params == conditions
    assert small.params == without.params


@pytest.mark.parametrize(
    ("field", "value"),
    [("activation_fn", "geglu"), ("norm_type", "ada_norm"), ("cross_attention_dim", 768), ("attention_bias", False)],
)
def test_what_would_change_the_count_is_refused(field, value):
    with pytest.raises(ConfigError, match=field):
        read(**{field: value})
