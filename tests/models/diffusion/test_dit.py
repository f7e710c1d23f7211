"""The class-conditional DiT."""

from __future__ import annotations

import pytest

from costline.models.importer import read_network


def test_dit_xl_is_675_million_once_the_labels_are_embedded_once():
    """Peebles and Xie 2022, arXiv:2212.09748: 675 M parameters; diffusers embeds the label in each layer."""
    network = read_network({"out_channels": 8}, "DiT-XL/2", "DiTTransformer2DModel")
    embedded = sum(part.params for part in network.parts if part.name.startswith(("block/timestep", "block/classes")))
    assert (network.params - embedded * 27 // 28) / 1e6 == pytest.approx(675, abs=0.5)
