"""What the truth table does not say about CogVideoX: real configurations, padding, offsets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

EXAMPLES = Path(__file__).parents[3] / "examples"


def cog(**config):
    return read_network(config, "cog", "CogVideoXTransformer3DModel")


@pytest.mark.parametrize(
    ("example", "params"),  # counts of the real modules
    [("cogvideox-2b", 1_693_783_872), ("cogvideox-5b", 5_570_283_072)],
)
def test_real_configurations_are_read(example, params):
    config = json.loads((EXAMPLES / example / "config.json").read_text())
    assert read_network(config, example).params == params


@pytest.mark.parametrize(("frames", "latents"), [(81, 11), (85, 11), (161, 21)])
def test_odd_latent_frames_are_padded(frames, latents):
    # CogVideoXPipeline adds frames until the patch of 2 divides 21 (81 frames), 22 (85) and 41 (161) latent frames.
    assert cog(patch_size_t=2).streams(frames=frames, height=768, width=1360)["time"] == latents


@pytest.mark.parametrize(
    ("config", "params"),  # counts of the real modules, diffusers 0.42.1
    [
        (
            {"num_layers": 2, "attention_bias": False, "ofs_embed_dim": 512, "norm_elementwise_affine": False,
             "patch_size_t": 2, "patch_bias": False, "in_channels": 32, "use_rotary_positional_embeddings": True},
            124_483_200,
        ),
        ({"num_layers": 2, "patch_bias": False}, 123_498_944),
    ],
)  # fmt: skip
def test_parameters_of_variants(config, params):
    assert cog(**config).params == params


def test_work_with_an_offset():
    # Counted by torch.utils.flop_counter on the real module, diffusers 0.42.1.
    network = cog(num_attention_heads=2, num_layers=2, ofs_embed_dim=512, patch_size_t=2, attention_bias=False)
    streams = network.streams(frames=21, height=64, width=96)
    assert network.flops(streams, "linear") == 422_576_128 + 58_589_184
    assert network.flops(streams, "attention") == 90_935_296


@pytest.mark.parametrize(
    ("config", "message"),
    [({"ofs_embed_dim": 256}, "ofs_embed_dim"), ({"activation_fn": "geglu"}, "'activation_fn'")],
)
def test_what_would_change_the_count_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        cog(**config)
