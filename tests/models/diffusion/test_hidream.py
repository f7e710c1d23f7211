"""HiDream-I1."""

from __future__ import annotations

import numpy as np
import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

CONFIG = {
    "patch_size": 2, "in_channels": 16, "out_channels": 16, "caption_channels": [4096, 4096],
    "llama_layers": [*range(32), *[31] * 16],
}  # fmt: skip


def read(**config):
    return read_network({**CONFIG, **config}, "HiDream-I1", "HiDreamImageTransformer2DModel")


def test_half_of_the_experts_are_idle():
    """HiDream-I1 has 17 billion parameters; a token visits two of the four experts of a layer."""
    network = read()
    experts = sum(part.params for part in network.parts if "/experts/" in part.name)
    assert network.params / 1e9 == pytest.approx(17, abs=0.5)
    assert network.params - network.active_params == experts // 2


def test_an_image_that_is_not_square_is_padded_to_the_largest():
    """`patchify` of the reference: as many tokens as `max_resolution` allows, whatever the size."""
    network = read()
    assert network.streams(height=512, width=512)["image"] == 1024
    assert network.streams(height=512, width=528)["image"] == 4096
    both = network.streams(height=np.array([512, 512]), width=np.array([512, 528]))
    assert both["joint"].tolist() == [1024 + 384, 4096 + 384]


def test_each_layer_needs_a_layer_of_llama():
    with pytest.raises(ConfigError, match="one Llama layer for each of 48"):
        read(llama_layers=[0, 1])
