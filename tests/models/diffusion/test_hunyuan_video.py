"""What the truth table does not say about HunyuanVideo: guidance, pictures, FramePack's past."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

EXAMPLE = Path(__file__).parents[3] / "examples" / "hunyuanvideo" / "config.json"
FRAMEPACK = {"has_image_proj": True, "has_clean_x_embedder": True}


def hunyuan(kind="", **config):
    return read_network(config, "hunyuan", f"HunyuanVideo{kind}Transformer3DModel")


def test_the_real_configuration_is_read():
    network = read_network(json.loads(EXAMPLE.read_text()), "hunyuanvideo")
    assert network.params == 12_821_012_544  # count of the real module
    assert network.branches == 1  # the guidance scale is an input
    assert network.layers == 60


def test_without_embedded_guidance_a_step_takes_two_evaluations():
    assert hunyuan(guidance_embeds=False).branches == 2


@pytest.mark.parametrize(
    ("kind", "config", "params"),  # counts of the real modules, diffusers 0.42.1
    [
        ("", {"num_layers": 1, "num_single_layers": 0, "out_channels": None, "num_refiner_layers": 1}, 568_378_944),
        (
            "",
            {"num_layers": 2, "num_single_layers": 1, "mlp_ratio": 3.0, "image_condition_type": "token_replace",
             "guidance_embeds": False},
            1_077_351_744,
        ),
        ("Framepack", {**FRAMEPACK, "num_layers": 2, "num_single_layers": 3}, 1_518_454_592),
        ("15", {"num_layers": 2, "use_meanflow": True}, 476_372_256),
    ],
)  # fmt: skip
def test_parameters_of_variants(kind, config, params):
    assert hunyuan(kind, **config).params == params


def test_framepack_sees_its_past_at_three_resolutions():
    # 9 latent frames of 60 x 104; the past: 2 frames in patches of 2, 2 halved to 1 of 4, 16 quartered to 4 of 8.
    streams = hunyuan("Framepack", **FRAMEPACK).streams(frames=33, height=480, width=832)
    assert streams["clip"] == 9 * 30 * 52
    assert [streams[f"past{level}"] for level in range(3)] == [2 * 30 * 52, 15 * 26, 4 * 8 * 13]
    assert streams["joint"] == streams["clip"] + 3120 + 390 + 416 + 256 + 729


def test_work_of_framepack_and_of_a_replaced_first_frame():
    # Linear layers and convolutions counted by torch.utils.flop_counter on the real modules, diffusers 0.42.1.
    small = {"num_attention_heads": 2, "num_layers": 1, "num_single_layers": 1}
    packed = hunyuan("Framepack", **FRAMEPACK, **small)
    streams = packed.streams(frames=33, height=128, width=192)
    assert packed.flops(streams, "linear") == 9_524_805_632
    assert packed.flops(streams, "convolution") == 91_226_112
    replaced = hunyuan(image_condition_type="token_replace", **small)
    streams = replaced.streams(frames=9, height=64, width=96)
    assert replaced.flops(streams, "linear") == 2_384_068_608
    assert replaced.flops(streams, "convolution") == 2_359_296


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("", {"qk_norm": "layer_norm"}, "'qk_norm'"),
        ("", {"image_condition_type": "cross"}, "'image_condition_type'"),
        ("Framepack", {"has_image_proj": True}, "'has_clean_x_embedder'"),
        ("15", {"num_single_layers": 40}, "'num_single_layers' is not known"),
    ],
)
def test_what_would_change_the_count_is_refused(kind, config, message):
    with pytest.raises(ConfigError, match=message):
        hunyuan(kind, **config)
