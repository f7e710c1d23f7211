"""The U-Net of Stable Diffusion."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network


def read(**config):
    return read_network(config, "x", "UNet2DConditionModel")


def test_odd_sizes_are_rounded_up_at_each_stage():
    """A 3 x 3 convolution with stride 2 and padding 1 makes ceil(n / 2) of n."""
    streams = read().streams(height=776, width=520)
    assert [streams[f"stage{stage}"] for stage in range(4)] == [97 * 65, 49 * 33, 25 * 17, 13 * 9]


def test_sdxl_has_2_6_billion_parameters():
    """Podell et al. 2023, arXiv:2307.01952, section 2.1."""
    network = read(
        addition_embed_type="text_time", attention_head_dim=[5, 10, 20], block_out_channels=[320, 640, 1280],
        cross_attention_dim=2048, down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        projection_class_embeddings_input_dim=2816, transformer_layers_per_block=[1, 2, 10],
        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], use_linear_projection=True,
    )  # fmt: skip
    assert network.params / 1e9 == pytest.approx(2.6, abs=0.05)


def test_projections_count_alike_as_dense_layers_and_as_convolutions():
    dense, convolved = read(use_linear_projection=True), read()
    streams = dense.streams(height=512, width=512)
    assert dense.params == convolved.params
    assert dense.flops(streams) == convolved.flops(streams)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"class_embed_type": "timestep"}, "'class_embed_type'"),
        ({"attention_head_dim": [5, 10]}, "2 entries for 4 stages"),
        ({"addition_embed_type": "text_time"}, "projection_class_embeddings_input_dim"),
    ],
)
def test_what_would_change_the_count_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        read(**config)
