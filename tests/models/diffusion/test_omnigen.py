"""OmniGen."""

from __future__ import annotations

from costline.models.importer import read_network


def test_input_images_are_embedded_and_count_as_text():
    network = read_network({}, "OmniGen", "OmniGenTransformer2DModel")
    plain = network.streams(height=1024, width=1024, text=100)
    edit = network.streams(height=1024, width=1024, text=100 + 4096, reference=4096)
    assert (plain["joint"], edit["joint"]) == (4096 + 101, 2 * 4096 + 101)
    assert network.flops(edit, "convolution") == 2 * network.flops(plain, "convolution")
