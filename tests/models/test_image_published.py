"""Image networks against published sizes and an independent hand count.

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

from costline.models.importer import read_network
from costline.models.network import total_flops

EXAMPLES = Path(__file__).parents[2] / "examples"


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
"""HunyuanDiT is absent: the tables state neither its size nor its FLOPs. The sizes of FLUX.2, Qwen-Image and Z-Image
are what their names are known for, without a source; those of the others stand in the models' names or README files."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_size_and_hand_count(name):
    known = PUBLISHED[name]
    network = read_network(known.config, name, known.architecture)
    streams = network.streams(height=1024, width=1024, text=known.text)
    assert network.params / 1e9 == pytest.approx(known.params, abs=known.rounding)
    assert streams["image"] == 4096
    counted = tuple(part for part in network.parts if "/refiner/" not in part.name)
    assert total_flops(counted, streams) / 1e12 == pytest.approx(known.teraflops, rel=5e-4, abs=0.05)


@pytest.mark.parametrize("name", ["FLUX.1-dev", "SD3-medium", "PixArt-Sigma", "Qwen-Image"])
def test_examples_are_read(name):
    network = read_network(json.loads((EXAMPLES / name.lower() / "config.json").read_text()), name)
    known = PUBLISHED[name]
    assert network.architecture == known.architecture
    assert network.params / 1e9 == pytest.approx(known.params, abs=known.rounding)


def test_evaluations_of_a_step():
    """FLUX.1 and FLUX.2-dev have guidance distilled into one evaluation; the others evaluate with and without text."""
    ones = {"FLUX.1-dev", "FLUX.1-schnell", "FLUX.2-dev"}
    for name, known in PUBLISHED.items():
        network = read_network(known.config, name, known.architecture)
        assert network.branches == (1 if name in ones else 2)
