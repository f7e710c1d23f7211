"""What the truth table does not say about Wan: real configurations, frames, switches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

EXAMPLES = Path(__file__).parents[3] / "examples"
TI2V = {
    "num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48,
}  # fmt: skip


def wan(architecture="WanTransformer3DModel", **config):
    return read_network(config, "wan", architecture)


@pytest.mark.parametrize(
    ("example", "params"),  # counts of the real modules
    [("wan2.1-t2v-1.3b", 1_418_996_800), ("wan2.1-t2v-14b", 14_288_491_584), ("wan2.2-t2v-a14b", 14_288_491_584)],
)
def test_real_configurations_are_read(example, params):
    config = json.loads((EXAMPLES / example / "config.json").read_text())
    assert read_network(config, example).params == params


def test_frames_are_rounded_as_the_pipeline_does():
    # WanPipeline: frames not 4k + 1 become frames // 4 * 4 + 1, and (frames - 1) // 4 + 1 latent frames.
    grid = wan().grid
    for frames in range(1, 130):
        rounded = frames if frames % 4 == 1 else frames // 4 * 4 + 1
        assert grid.latent_frames(frames) == (rounded - 1) // 4 + 1


def test_the_second_autoencoder_halves_each_side_again():
    # 27280 tokens for 121 frames of 1280 x 704, as vllm-omni logs it for Wan2.2-TI2V-5B.
    network = wan(**TI2V)
    assert network.streams(frames=121, height=704, width=1280)["image"] == 27280


def test_expanded_timesteps_are_one_a_token():
    streams = wan(**TI2V, expand_timesteps=True).streams(frames=121, height=704, width=1280)
    assert streams["timestep"] == 27280
    assert wan(**TI2V).streams(frames=121, height=704, width=1280)["timestep"] == 1


def test_first_and_last_frame_bring_two_pictures():
    network = wan(in_channels=36, image_dim=1280, added_kv_proj_dim=5120, pos_embed_seq_len=514)
    assert network.streams(height=480, width=832)["picture"] == 2 * 257


@pytest.mark.parametrize(
    ("architecture", "config", "params"),  # counts of the real modules, diffusers 0.42.1
    [
        (
            "WanTransformer3DModel",
            {"num_layers": 2, "image_dim": 1280, "added_kv_proj_dim": 5120, "pos_embed_seq_len": 514,
             "cross_attn_norm": False, "out_channels": None},
            1_049_244_992,
        ),
        (
            "WanVACETransformer3DModel",
            {"num_layers": 6, "vace_layers": [0, 3], "image_dim": 1280, "added_kv_proj_dim": 5120,
             "pos_embed_seq_len": 514},
            3_552_926_016,
        ),
        (
            "SkyReelsV2Transformer3DModel",
            {"num_layers": 2, "inject_sample_info": True, "image_dim": 1280, "added_kv_proj_dim": 2048},
            227_514_176,
        ),
    ],
)  # fmt: skip
def test_parameters_of_variants(architecture, config, params):
    assert wan(architecture, **config).params == params


def test_work_of_control_layers():
    # Counted by torch.utils.flop_counter on the real module, diffusers 0.42.1.
    network = wan("WanVACETransformer3DModel", num_attention_heads=2, ffn_dim=512, num_layers=4, vace_layers=[0, 2])
    streams = network.streams(frames=9, height=64, width=96)
    kinds = {kind: network.flops(streams, kind) for kind in ("linear", "attention", "convolution")}
    assert kinds == {"linear": 2_544_107_520, "attention": 258_342_912, "convolution": 16_515_072}


@pytest.mark.parametrize(
    ("architecture", "config", "message"),
    [
        ("WanTransformer3DModel", {"image_dim": 1280}, "go together"),
        ("WanTransformer3DModel", {"image_dim": 1280, "added_kv_proj_dim": 64}, "hidden size 5120"),
        ("WanTransformer3DModel", {"patch_size": [1, 2, 4]}, "not square"),
        ("WanTransformer3DModel", {"action_dim": 30}, "'action_dim' is not known"),
        ("SkyReelsV2Transformer3DModel", {"num_frame_per_block": 5}, "'num_frame_per_block'"),
        ("WanVACETransformer3DModel", {"vace_layers": [1, 5]}, "vace_layers"),
        ("WanVACETransformer3DModel", {"vace_layers": [0, 40]}, "vace_layers"),
    ],
)
def test_what_would_change_the_count_is_refused(architecture, config, message):
    with pytest.raises(ConfigError, match=message):
        wan(architecture, **config)
