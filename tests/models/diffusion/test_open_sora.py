"""Open-Sora and Open-Sora-Plan: what the published table does not say."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

PLAN = {
    "num_layers": 32, "attention_head_dim": 96, "num_attention_heads": 24, "patch_size_t": 1, "patch_size": 2,
    "caption_channels": 4096, "cross_attention_dim": 2304, "activation_fn": "gelu-approximate", "in_channels": 8,
}  # fmt: skip
MMDIT = {
    "in_channels": 128, "vec_in_dim": 768, "context_in_dim": 4096, "hidden_size": 3072, "mlp_ratio": 4.0,
    "num_heads": 24, "depth": 19, "depth_single_blocks": 38, "qkv_bias": True, "guidance_embed": False,
}  # fmt: skip
CLIP = {"frames": 93, "height": 720, "width": 1280}


def self_attention(config):
    network = read_network(config, "plan", "OpenSoraT2V_v1_3")
    streams = network.streams(**CLIP)
    return sum(part.flops(streams) for part in network.parts if part.name.endswith("self/core"))


def test_sparse_layers_are_those_between_the_dense_ends_and_only_if_stated():
    sparse = self_attention({**PLAN, "sparse1d": True, "sparse_n": 4})
    assert sparse == pytest.approx(self_attention(PLAN) * (4 + 28 / 4) / 32)
    assert self_attention({**PLAN, "sparse1d": False, "sparse_n": 4}) == self_attention(PLAN)


def test_a_sparse_network_has_the_parameters_of_the_dense_one():
    dense, sparse = (
        read_network({**PLAN, "sparse1d": flag, "sparse_n": 4}, "plan", "OpenSoraT2V_v1_3") for flag in (False, True)
    )
    assert dense.params == sparse.params


@pytest.mark.parametrize(("patch", "side"), [(2, 16), (1, 32)])
def test_the_high_compression_model_has_tokens_of_32_pixels(patch, side):
    network = read_network({**MMDIT, "patch_size": patch}, "mmdit", "MMDiTModel")
    assert network.streams(frames=1, height=768, width=1024)["image"] == (768 // side) * (1024 // side)


def test_stdit_autoencoder_takes_17_frames_at_a_time():
    network = read_network({}, "stdit", "STDiT3")
    assert network.streams(frames=102, height=720, width=1280)["time"] == 30


@pytest.mark.parametrize(
    ("architecture", "config", "named"),
    [
        ("OpenSoraT2V_v1_3", {**PLAN, "only_cross_attention": True}, "only_cross_attention"),
        ("OpenSoraT2V_v1_3", {**PLAN, "cross_attention_dim": 1152}, "hidden size 2304"),
        ("STDiT3", {"skip_y_embedder": True}, "skip_y_embedder"),
        ("STDiT3", {"shift_window": True}, "shift_window"),
        ("STDiT3", {"num_heads": 7}, "multiple of num_heads"),
        ("MMDiTModel", {**MMDIT, "qkv_bias": False}, "qkv_bias"),
    ],
)
def test_what_would_change_the_count_unnoticed_is_refused(architecture, config, named):
    with pytest.raises(ConfigError, match=named):
        read_network(config, "refused", architecture)
