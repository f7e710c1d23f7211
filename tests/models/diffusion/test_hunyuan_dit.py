"""HunyuanDiT."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

CONFIG = {"in_channels": 4, "patch_size": 2, "hidden_size": 1408, "mlp_ratio": 4.3637, "num_layers": 40}


def test_text_is_as_long_as_the_learned_table():
    streams = read_network(CONFIG, "HunyuanDiT", "HunyuanDiT2DModel").streams(height=1024, width=1024)
    assert (streams["image"], streams["text"]) == (4096, 77 + 256)


def test_nineteen_of_forty_layers_read_a_skip():
    """`layer > num_layers // 2` of the reference."""
    network = read_network(CONFIG, "HunyuanDiT", "HunyuanDiT2DModel")
    skips = {part.repeat for part in network.parts if part.name.startswith("block/skip")}
    assert skips == {19}
    assert not any(
        part.name.startswith("block/skip")
        for part in read_network({**CONFIG, "num_layers": 2}, "x", "HunyuanDiT2DModel").parts
    )


def test_the_width_must_be_that_of_the_heads():
    with pytest.raises(ConfigError, match="num_attention_heads x attention_head_dim"):
        read_network({**CONFIG, "hidden_size": 1152}, "x", "HunyuanDiT2DModel")
