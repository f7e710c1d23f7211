"""AuraFlow."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def read(**config):
    return read_network(config, "x", "AuraFlowTransformer2DModel")


def test_registers_join_the_text():
    streams = read().streams(height=1024, width=1024, text=100)
    assert (streams["context"], streams["joint"]) == (108, 4096 + 108)


def test_larger_position_table_of_version_0_3():
    """9216 positions instead of 1024 add their vectors and nothing else."""
    assert read(pos_embed_max_size=9216).params - read().params == (9216 - 1024) * 3072


def test_text_must_have_the_width_of_the_image():
    with pytest.raises(ConfigError, match=r"caption_projection_dim.*3072"):
        read(caption_projection_dim=1536)
