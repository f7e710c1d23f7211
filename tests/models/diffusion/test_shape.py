"""Shapes against counts of real modules, closed forms and enumeration."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import ConfigError
from costline.models.diffusion.shape import DiTShape, build_shape, mean_visible_tokens, read_shape
from costline.models.importer import read_network

TRUTH = Path(__file__).parents[2] / "reference" / "flops_truth.csv"
ROWS = {(row["family"], row["tokens"]): row for row in reversed(list(csv.DictReader(io.StringIO(TRUTH.read_text()))))}
PLAIN = {
    "hidden": 64, "heads": 4, "ffn_hidden": 256, "text_tokens": 7, "text_dim": 32, "latent_channels": 8,
    "vae_time": 4, "vae_space": 8, "patch_space": 2,
}  # fmt: skip
CLIP = {"frames": 17, "height": 64, "width": 96}


def shape(**fields):
    return DiTShape.read({**PLAIN, **fields}, "shape")


@pytest.mark.parametrize(
    ("family", "tokens", "fields", "tolerance"),
    [
        # Wan as a shape: the missing parameters are the scale and bias of each layer's cross-attention norm.
        (
            "Wan2.1-T2V-1.3B",
            "32760",
            {"hidden": 1536, "heads": 12, "ffn_hidden": 8960, "cross_layers": 30, "head_norm": "width",
             "text_tokens": 512, "text_dim": 4096, "latent_channels": 16},
            1e-4,
        ),
        # CogVideoX as a shape: no second last norm, no scale and bias in the modulated norms.
        (
            "CogVideoX-2B",
            "17550",
            {"hidden": 1920, "heads": 30, "ffn_hidden": 7680, "joint_layers": 30, "text_tokens": 226,
             "text_dim": 4096, "latent_channels": 16, "modulation": "block", "modulation_chunks": 12,
             "condition_dim": 512, "text_projection": "linear"},
            2e-3,
        ),
        # HunyuanVideo as a shape: without its token refiner, 2.3 % of the parameters and little of the work.
        (
            "HunyuanVideo-13B T2V",
            "118800",
            {"hidden": 3072, "heads": 24, "ffn_hidden": 12288, "double_layers": 20, "single_layers": 40,
             "text_tokens": 256, "text_dim": 4096, "latent_channels": 16, "modulation": "block",
             "head_norm": "head", "guidance_embed": True, "pooled_dim": 768, "text_projection": "linear"},
            2.5e-2,
        ),
    ],
)  # fmt: skip
def test_a_shape_comes_near_the_real_module(family, tokens, fields, tolerance):
    row = ROWS[family, tokens]
    network = build_shape(shape(**fields), family)
    clip = json.loads(row["input_shape_json"])
    streams = network.streams(frames=clip["frames"], height=clip["height"], width=clip["width"])
    assert streams["image"] == int(tokens)
    assert network.params == pytest.approx(int(row["params"]), rel=tolerance)
    assert network.flops(streams) == pytest.approx(float(row["flops_total"]), rel=1e-3)


def test_parameters_of_a_small_shape_by_hand():
    network = build_shape(shape(cross_layers=2, bias=False, text_projection="none"), "small")
    h, f, t = 64, 256, 32
    layer = 4 * h * h + (2 * h * h + 2 * t * h) + 2 * h * f + 6 * h  # self, cross, feed-forward, table
    patch, head = 4 * 8 * h + h, (h + 1) * 4 * 8 + 2 * h
    timestep = (256 + 1) * h + (h + 1) * h + (h + 1) * 6 * h
    assert network.params == 2 * layer + patch + head + timestep


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 12))
def test_visible_tokens_by_enumeration(chunk, chunks, window):
    seen = sum(min(index + 1, window) for index in range(chunks)) * chunk / chunks
    assert mean_visible_tokens(chunk, chunks, min(chunks, window)) == pytest.approx(seen)


def test_a_window_of_all_chunks_is_block_causal_and_one_chunk_is_full():
    full = build_shape(shape(cross_layers=1, text_tokens=0), "full")
    clip = {"frames": 32, "height": 64, "width": 64}
    streams = full.streams(**clip)
    alone = build_shape(shape(cross_layers=1, text_tokens=0, chunk_frames=8, chunk_window=1), "alone")
    assert streams["time"] == 8
    assert alone.flops(alone.streams(**clip), "attention") == full.flops(streams, "attention")
    halves = build_shape(shape(cross_layers=1, text_tokens=0, chunk_frames=4, chunk_window=2), "halves")
    assert halves.flops(halves.streams(**clip), "attention") == pytest.approx(0.75 * full.flops(streams, "attention"))


def test_alternating_attention_stays_within_and_across_frames():
    network = build_shape(shape(cross_layers=2, pattern="alternating", text_tokens=0), "alternating")
    time, space = 5, 4 * 6
    pairs = time * space**2 + space * time**2
    assert network.flops(network.streams(**CLIP), "attention") == 4 * 64 * pairs
    assert network.flops(network.streams(**CLIP), "linear") == pytest.approx(
        build_shape(shape(cross_layers=2, text_tokens=0), "full").flops(network.streams(**CLIP), "linear")
    )


def test_text_may_be_read_within_frames_alone():
    streams = {"pattern": "alternating", "cross_layers": 4}
    everywhere = build_shape(shape(**streams), "everywhere")
    within = build_shape(shape(**streams, text_in="spatial"), "within")
    crossed = [part.repeat for part in within.parts if part.name.endswith("cross/core")]
    assert crossed == [2]
    assert within.params < everywhere.params


def test_a_shape_survives_its_configuration():
    stated = shape(double_layers=2, single_layers=3, modulation="block", key_heads=2, ffn_gated=True)
    network = read_network(stated.as_config(), "again")
    assert network.shape == stated
    assert network.params == build_shape(stated, "first").params
    assert json.loads(json.dumps(stated.as_config())) == stated.as_config()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "no layers"),
        ({"cross_layers": 1, "heads": 5}, "no multiple of heads"),
        ({"cross_layers": 1, "key_heads": 3}, "no multiple of key_heads"),
        ({"joint_layers": 1, "text_tokens": 0}, "need text_tokens"),
        ({"joint_layers": 1, "text_projection": "none"}, "width hidden"),
        ({"joint_layers": 1, "pattern": "alternating"}, "cross_layers alone"),
        ({"cross_layers": 1, "chunk_frames": 4}, "go together"),
        ({"cross_layers": 1, "experts": 8}, "'experts' is not known"),
        ({"cross_layers": 1, "hidden": 0}, "'hidden'"),
    ],
)
def test_contradictions_are_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        read_shape({**PLAIN, **fields}, "shape")


def test_groups_of_frames_are_whole():
    step = build_shape(shape(cross_layers=1, vae_time=17, vae_latents=3, first_frame_alone=False), "step")
    latents = [step.grid.latent_frames(frames) for frames in (1, 17, 33, 204)]
    assert latents == [1, 3, 3, 36]
