"""What the readers of LTX, SANA, Kandinsky 5, Mochi, Allegro, Cosmos, Latte and MiniMax-H3 refuse, and their grids."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError, InputError
from costline.models.importer import read_network

LATTE = {
    "in_channels": 4, "patch_size": 2, "activation_fn": "gelu-approximate", "norm_type": "ada_norm_single",
    "norm_elementwise_affine": False, "caption_channels": 4096,
}  # fmt: skip
REFUSED = [
    ("LTXVideoTransformer3DModel", {"activation_fn": "geglu"}, "activation_fn"),
    ("LTXVideoTransformer3DModel", {"attention_bias": False}, "attention_bias"),
    ("LTXVideoTransformer3DModel", {"cross_attention_dim": 4096}, "hidden size 2048"),
    ("LTX2VideoTransformer3DModel", {"ff_bias": False}, "ff_bias"),
    ("LTX2VideoTransformer3DModel", {"audio_cross_attention_dim": 4096}, "audio stream's cross_attention_dim 4096"),
    ("LTX2VideoTransformer3DModel", {"vae_scale_factors": [8, 32, 16]}, "not square"),
    ("SanaTransformer2DModel", {"qk_norm": "layer_norm"}, "qk_norm"),
    ("SanaTransformer2DModel", {"norm_elementwise_affine": True}, "norm_elementwise_affine"),
    ("SanaTransformer2DModel", {"cross_attention_dim": 1152}, "hidden size 2240"),
    ("SanaVideoTransformer3DModel", {"patch_size": [1, 2, 1]}, "not square"),
    ("Kandinsky5Transformer3DModel", {"attention_type": "nabla"}, "state attention_fraction"),
    ("Kandinsky5Transformer3DModel", {"attention_fraction": 1.5}, "attention_fraction"),
    ("Kandinsky5Transformer3DModel", {"model_dim": 1800}, "model_dim 1800"),
    ("Kandinsky5Transformer3DModel", {"patch_size": [1, 1, 2]}, "not square"),
    ("MochiTransformer3DModel", {"qk_norm": "layer_norm"}, "qk_norm"),
    ("AllegroTransformer3DModel", {"patch_size_t": 2}, "patch_size_t"),
    ("AllegroTransformer3DModel", {"cross_attention_dim": 1152}, "hidden size 2304"),
    ("CosmosTransformer3DModel", {"img_context_dim_in": 1152}, "img_context_dim_in"),
    ("CosmosTransformer3DModel", {"patch_size": [1, 2, 1]}, "not square"),
    ("CosmosTransformer3DModel", {"use_crossattn_projection": True, "text_embed_dim": 512}, "text_embed_dim 512"),
    ("LatteTransformer3DModel", {**LATTE, "norm_type": "layer_norm"}, "norm_type"),
    ("LatteTransformer3DModel", {**LATTE, "cross_attention_dim": 1152}, "hidden size 1408"),
    ("MiniMaxH3Transformer3DModel", {"patch_size": [1, 2, 1]}, "not square"),
]


@pytest.mark.parametrize(("architecture", "config", "named"), REFUSED)
def test_what_would_change_the_count_unnoticed_is_refused(architecture, config, named):
    with pytest.raises(ConfigError, match=named):
        read_network(config, "refused", architecture)


@pytest.mark.parametrize(
    ("architecture", "frames", "latents"),
    [
        ("LTXVideoTransformer3DModel", 161, 21),
        ("MochiTransformer3DModel", 163, 28),
        ("AllegroTransformer3DModel", 88, 22),
        ("CosmosTransformer3DModel", 121, 16),
        ("MiniMaxH3Transformer3DModel", 124, 37),  # 17 x 7 + 5 frames
        ("MiniMaxH3Transformer3DModel", 120, 37),  # rounded up to them
    ],
)
def test_frames_become_latent_frames(architecture, frames, latents):
    assert read_network({}, "grid", architecture).streams(frames=frames, height=768, width=1344)["time"] == latents


def test_nabla_counts_the_stated_share_of_self_attention_alone():
    clip = {"frames": 121, "height": 512, "width": 768}
    dense = read_network({}, "dense", "Kandinsky5Transformer3DModel")
    config = {"attention_type": "nabla", "attention_fraction": 0.25, "attention_P": 0.9, "attention_wT": 11}
    sparse = read_network(config, "sparse", "Kandinsky5Transformer3DModel")
    work = {
        network.name: {part.name: part.flops(network.streams(**clip)) for part in network.parts}
        for network in (dense, sparse)
    }
    assert work["sparse"].pop("block/self/core") == work["dense"].pop("block/self/core") / 4
    assert work["sparse"] == work["dense"]
    assert sparse.params == dense.params


def test_distilled_guidance_needs_one_evaluation():
    assert read_network({"guidance_embeds": True}, "sprint", "SanaTransformer2DModel").branches == 1
    assert read_network({}, "sana", "SanaTransformer2DModel").branches == 2
    assert read_network({}, "h3", "MiniMaxH3Transformer3DModel").branches == 1


def test_the_length_of_the_audio_can_be_stated():
    network = read_network({}, "ltx-2", "LTX2VideoTransformer3DModel")
    assert network.streams(frames=121, height=512, width=768)["audio"] == 126
    assert network.streams(frames=121, height=512, width=768, audio=50)["audio"] == 50


def test_tokens_alone_do_not_say_how_long_the_audio_is():
    network = read_network({}, "ltx-2", "LTX2VideoTransformer3DModel")
    with pytest.raises(InputError, match="state its frames, height and width"):
        network.token_streams(6144)
    assert network.token_streams(6144, audio=126)["audio"] == 126
