"""Classes and tilings that the large table does not have, against counts made on the real modules (count_vae.py)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from costline.errors import ConfigError
from costline.models.importer import READERS, read_network
from costline.models.network import total_flops, total_params

TABLE = Path(__file__).parents[2] / "reference" / "vae_extra_truth.csv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines()))
CLASSES = sorted(name for name in READERS if name.startswith("Autoencoder"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["family"].replace(" ", "_"))
def test_counts_equal_the_real_module(row):
    network = read_network(json.loads(row["config_json"]), row["family"], row["class"])
    assert network.params == int(row["params"])
    streams = network.streams(
        **json.loads(row["input_shape_json"]), tiling=network.tiling if row["tiled"] == "1" else None
    )
    parts = network.decoder if row["family"].endswith("decode") else network.encoder
    half = int(row["notes"].removeprefix("half params ").rstrip(";"))
    assert total_params(part for part in parts if not part.name.endswith("/quant")) == half
    for kind, column in (("linear", "flops_linear"), ("attention", "flops_attention"), ("convolution", "flops_conv")):
        # the wavelet transform of Cosmos is counted as memory traffic
        tolerance = 1e-3 if row["class"] == "AutoencoderKLCosmos" else 1e-6
        assert total_flops(parts, streams, kind, "full") == pytest.approx(float(row[column]), rel=tolerance), column


@pytest.mark.parametrize("name", CLASSES)
def test_arrays_give_the_same_as_numbers(name):
    network = read_network({}, name, name)
    frames, heights = np.array([17, 33, 49]), np.array([256, 480, 1088])
    for tiling in (None, network.tiling):
        together = total_flops(
            network.decoder, network.streams(frames=frames, height=heights, width=832, tiling=tiling)
        )
        for index in range(3):
            one = network.streams(frames=int(frames[index]), height=int(heights[index]), width=832, tiling=tiling)
            assert together[index] == pytest.approx(total_flops(network.decoder, one))


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_refuses_fields_it_does_not_know(name):
    with pytest.raises(ConfigError, match="secret_layers"):
        read_network({"secret_layers": 3}, name, name)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("AutoencoderKLWan", {"attn_scales": [0.5]}, "attn_scales"),
        ("AutoencoderKLHunyuanVideo", {"temporal_compression_ratio": 8}, "temporal_compression_ratio"),
        ("AutoencoderKLHunyuanVideo", {"block_out_channels": [128, 256, 512, 512, 512]}, "differ in length"),
        ("AutoencoderKL", {"down_block_types": ["AttnDownEncoderBlock2D"]}, "down_block_types"),
        ("AutoencoderKLMochi", {"layers_per_block": [3, 3]}, "layers_per_block"),
        ("AutoencoderKLLTXVideo", {"decoder_layers_per_block": [4]}, "decoder_layers_per_block"),
        ("AutoencoderKLLTXVideo", {"down_block_types": ["LTX2VideoDownBlock3D"] * 4}, "mixes generations"),
        ("AutoencoderKLCosmos", {"patch_size": 8, "temporal_compression_ratio": 4}, "patch_size"),
        ("AutoencoderDC", {"encoder_layers_per_block": [2, 0, 2, 3, 3, 3]}, "inner level"),
        ("AutoencoderTiny", {"num_decoder_blocks": [3]}, "differ in length"),
        ("AutoencoderKLAllegro", {"sample_size": 100}, "sample_size"),
    ],
)
def test_what_is_not_counted_is_refused(name, config, message):
    with pytest.raises(ConfigError, match=message):
        read_network(config, name, name)


def test_tiles_cost_what_they_overlap():
    network = read_network({}, "wan", "AutoencoderKLWan")
    # 480 rows: 256 + 256 + 96; 832 columns: 256 * 4 + 64
    assert network.tiling.factor(480, 832) == pytest.approx((608 / 480) * (1088 / 832))
    assert network.tiling_factor(480, 832, 256) == network.tiling.factor(480, 832)
    assert network.tiling.factor(256, 256) == 1
    assert network.tiling.count(480, 832) == 3 * 5
    assert network.tiling_factor(np.array([128, 480]), 256, 256).tolist() == [1.0, network.tiling.factor(480, 256)]
