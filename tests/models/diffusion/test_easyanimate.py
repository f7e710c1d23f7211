"""What the truth table does not say about EasyAnimate: real fields, T5, the norm after the layers."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

PATCH = {"in_channels": 16, "out_channels": 16, "patch_size": 2}
CONTROL = {
    "_class_name": "EasyAnimateTransformer3DModel", "_diffusers_version": "0.31.0",
    "activation_fn": "gelu-approximate", "add_noise_in_inpaint_model": True, "add_norm_text_encoder": True,
    "add_ref_latent_in_control_model": True, "after_norm": False, "attention_head_dim": 64, "clip_channels": None,
    "dropout": 0.0, "enable_clip_in_inpaint": False, "enable_text_attention_mask": True, "flip_sin_to_cos": True,
    "freq_shift": 0, "in_channels": 48, "mmdit_layers": 48, "norm_elementwise_affine": True, "norm_eps": 1e-05,
    "num_attention_heads": 48, "num_layers": 48, "out_channels": 16, "patch_size": 2, "ref_channels": None,
    "resize_inpaint_mask_directly": True, "sample_height": 60, "sample_width": 90, "swa_layers": None,
    "text_embed_dim": 3584, "text_embed_dim_t5": None, "time_embed_dim": 512,
    "time_position_encoding_type": "3d_rope", "timestep_activation_fn": "silu",
}  # fmt: skip
"""transformer/config.json of EasyAnimateV5.1-12b-zh-Control."""


def test_a_real_configuration_is_read():
    assert read_network(CONTROL, "control").params == 11_799_450_176  # count of the real module


@pytest.mark.parametrize(
    ("config", "params"),  # counts of the real modules, diffusers 0.42.1
    [
        (
            {"num_layers": 3, "mmdit_layers": 1, "after_norm": True, "text_embed_dim_t5": 4096,
             "add_norm_text_encoder": True},
            538_888_256,
        ),
        (
            {"num_layers": 3, "mmdit_layers": 5, "after_norm": True, "text_embed_dim_t5": 4096,
             "norm_elementwise_affine": False},
            765_361_728,
        ),
    ],
)  # fmt: skip
def test_parameters_of_variants(config, params):
    assert read_network({**PATCH, **config}, "easy", "EasyAnimateTransformer3DModel").params == params


def test_t5_tokens_stand_beside_the_text():
    network = read_network({**PATCH, "text_embed_dim_t5": 4096}, "easy", "EasyAnimateTransformer3DModel")
    streams = network.streams(frames=49, height=512, width=512)
    assert streams["joint"] == streams["image"] + 256 + 256


@pytest.mark.parametrize("field", ["ref_channels", "clip_channels", "swa_layers"])
def test_fields_of_other_versions_are_refused(field):
    with pytest.raises(ConfigError, match=f"'{field}' is not known"):
        read_network({**CONTROL, field: 16}, "control")
