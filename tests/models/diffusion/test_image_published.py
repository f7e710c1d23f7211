"""Image networks against published sizes and an independent hand count, and what their readers refuse.

The hand count (architecture tables compiled for the measurements, `fwd_TFLOP_default` and `tokens_default`) multiplies
the linear parameters of a layer by the tokens and is rounded to 0.1. It leaves out what works once a sample or a text
token (modulation, text projection), hence 0.05 % on top of the rounding, and the four refiner layers of Z-Image: with
them our FLOPs are 6.7 % higher, as the real module's are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network
from costline.models.network import total_flops

EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Published:
    """Published parameters [1e9] with their rounding, and the hand count [1e12 FLOP, token] at 1024 x 1024."""

    architecture: str
    config: dict
    params: float
    rounding: float
    teraflops: float
    text: int


SD3 = {"num_layers": 24, "num_attention_heads": 24, "caption_projection_dim": 1536}
PUBLISHED = {
    "FLUX.1-dev": Published("FluxTransformer2DModel", {"guidance_embeds": True}, 11.9, 0.05, 74.4, 512),
    "FLUX.1-schnell": Published("FluxTransformer2DModel", {}, 11.9, 0.05, 69.5, 256),
    "FLUX.2-dev": Published("Flux2Transformer2DModel", {}, 32, 0.5, 282.5, 512),
    "Qwen-Image": Published("QwenImageTransformer2DModel", {}, 20, 0.5, 69.3, 64),
    "SD3-medium": Published("SD3Transformer2DModel", SD3, 2, 0.05, 8.9, 333),
    "PixArt-Sigma": Published("PixArtTransformer2DModel", {"caption_channels": 4096}, 0.6, 0.05, 6.6, 300),
    "Z-Image-Turbo": Published("ZImageTransformer2DModel", {}, 6, 0.5, 52.1, 64),
}
"""Everything but HunyuanDiT, for which the table states neither size nor FLOPs."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_size_and_hand_count(name):
    known = PUBLISHED[name]
    network = read_network(known.config, name, known.architecture)
    streams = network.streams(height=1024, width=1024, text=known.text)
    assert network.params / 1e9 == pytest.approx(known.params, abs=known.rounding)
    assert streams["image"] == 4096
    counted = tuple(part for part in network.parts if "/refiner/" not in part.name)
    assert total_flops(counted, streams) / 1e12 == pytest.approx(known.teraflops, rel=5e-4, abs=0.05)


def test_hunyuan_dit_is_the_published_1_5_billion():
    config = {
        "in_channels": 4, "patch_size": 2, "hidden_size": 1408, "mlp_ratio": 4.3637, "num_layers": 40,
        "use_style_cond_and_image_meta_size": False,
    }  # fmt: skip
    network = read_network(config, "HunyuanDiT", "HunyuanDiT2DModel")
    assert network.params / 1e9 == pytest.approx(1.5, abs=0.05)
    assert network.streams(height=1024, width=1024)["text"] == 333


def test_dit_xl_is_675_million_once_the_labels_are_embedded_once():
    """Peebles and Xie 2022, table 1: DiT-XL/2 has 675 M parameters; diffusers embeds the label in each of 28 layers."""
    network = read_network({"out_channels": 8}, "DiT-XL/2", "DiTTransformer2DModel")
    embedded = sum(
        part.params for part in network.parts if part.name.startswith(("block/timestep", "block/classes"))
    )  # fmt: skip
    once = network.params - embedded * 27 // 28
    assert once / 1e6 == pytest.approx(675, abs=0.5)


def test_half_of_hidream_experts_are_idle():
    """HiDream-I1: 17 billion parameters, of which a token visits two of four experts a layer."""
    config = {
        "patch_size": 2, "in_channels": 16, "out_channels": 16, "caption_channels": [4096, 4096],
        "llama_layers": [*range(32), *[31] * 16],
    }  # fmt: skip
    network = read_network(config, "HiDream-I1", "HiDreamImageTransformer2DModel")
    experts = [part for part in network.parts if "/experts/" in part.name]
    assert network.params / 1e9 == pytest.approx(17, abs=0.5)
    assert network.params - network.active_params == sum(part.params for part in experts) // 2


@pytest.mark.parametrize("name", ["FLUX.1-dev", "SD3-medium", "PixArt-Sigma", "Qwen-Image"])
def test_examples_are_read(name):
    network = read_network(json.loads((EXAMPLES / name.lower() / "config.json").read_text()), name)
    known = PUBLISHED[name]
    assert network.architecture == known.architecture
    assert network.params / 1e9 == pytest.approx(known.params, abs=known.rounding)


@pytest.mark.parametrize(
    ("architecture", "config", "message"),
    [
        ("FluxTransformer2DModel", {"is_tp": True}, "'is_tp'"),
        ("FluxTransformer2DModel", {"num_layers": "19"}, "'num_layers'"),
        ("SD3Transformer2DModel", {"qk_norm": "layer_norm"}, "'qk_norm'"),
        ("SD3Transformer2DModel", {"caption_projection_dim": 1536}, "caption_projection_dim.*1152"),
        ("AuraFlowTransformer2DModel", {"caption_projection_dim": 1536}, "caption_projection_dim.*3072"),
        ("PixArtTransformer2DModel", {"activation_fn": "geglu"}, "'activation_fn'"),
        ("QwenImageTransformer2DModel", {"zero_cond_t": True}, "'zero_cond_t'"),
        ("ZImageTransformer2DModel", {"all_patch_size": [2, 4]}, "'all_patch_size'"),
        ("ZImageTransformer2DModel", {"siglip_feat_dim": 1152}, "'siglip_feat_dim'"),
        ("UNet2DConditionModel", {"class_embed_type": "timestep"}, "'class_embed_type'"),
        ("UNet2DConditionModel", {"attention_head_dim": [5, 10]}, "2 entries for 4 stages"),
        ("UNet2DConditionModel", {"addition_embed_type": "text_time"}, "projection_class_embeddings_input_dim"),
        (
            "HiDreamImageTransformer2DModel",
            {"patch_size": 2, "caption_channels": [4096, 4096], "llama_layers": [0, 1]},
            "one Llama layer for each of 48",
        ),
        (
            "HunyuanDiT2DModel",
            {"patch_size": 2, "in_channels": 4, "hidden_size": 1152},
            "num_attention_heads x attention_head_dim",
        ),
    ],
)
def test_what_would_change_the_count_is_refused(architecture, config, message):
    with pytest.raises(ConfigError, match=message):
        read_network(config, "x", architecture)


def test_evaluations_of_a_step():
    """FLUX.1 and FLUX.2-dev have guidance distilled into one evaluation; the others evaluate with and without text."""
    ones = {"FLUX.1-dev", "FLUX.1-schnell", "FLUX.2-dev"}
    for name, known in PUBLISHED.items():
        network = read_network(known.config, name, known.architecture)
        assert network.branches == (1 if name in ones else 2)


def test_tensor_parallel_layers_of_flux_follow_the_reference_plan():
    """`_tp_plan` of the reference: projections of queries, keys, values and the way up are column-wise, the way back
    row-wise, modulation and embeddings replicated."""
    network = read_network({"guidance_embeds": True}, "FLUX.1-dev", "FluxTransformer2DModel")
    shards = {part.name: part.shard for part in network.parts if part.kind == "linear"}
    assert {shards[f"block/double/image/self/{side}"] for side in ("query", "key", "value")} == {"column"}
    assert {shards["block/double/text/mlp/down"], shards["block/single/out"]} == {"row"}
    assert {shards["block/double/image/modulation"], shards["embed/patch"], shards["head/projection"]} == {"replicated"}
