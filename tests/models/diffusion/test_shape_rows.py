"""Every video network of the published table, built and compared with the figures the table states.

``params_B`` is the name's or the README's, rounded; ``fwd_TFLOP_default`` was computed by another formula.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.diffusion.hypothetical import hypothetical_dit
from costline.models.diffusion.shape import build_shape
from costline.models.diffusion.shape_rows import shape_of_row
from costline.models.importer import read_network

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "tests" / "reference" / "models_dit.csv"
ROWS = {row["model"]: row for row in csv.DictReader(io.StringIO(TABLE.read_text()))}
WAN_14B = {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40}
COG_5B = {"num_layers": 42, "num_attention_heads": 48, "use_rotary_positional_embeddings": True}

CLASSES = {
    "Wan2.1-T2V-1.3B": ("WanTransformer3DModel", {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}),
    "Wan2.1-T2V-14B": ("WanTransformer3DModel", WAN_14B),
    "Wan2.1-I2V-14B-720P": (
        "WanTransformer3DModel",
        {**WAN_14B, "in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120},
    ),
    "Wan2.2-T2V-A14B": ("WanTransformer3DModel", WAN_14B),
    "Wan2.2-I2V-A14B": ("WanTransformer3DModel", {**WAN_14B, "in_channels": 36}),
    "Wan2.2-TI2V-5B": (
        "WanTransformer3DModel",
        {"num_attention_heads": 24, "ffn_dim": 14336, "num_layers": 30, "in_channels": 48, "out_channels": 48},
    ),
    "HunyuanVideo": ("HunyuanVideoTransformer3DModel", {}),
    "HunyuanVideo-1.5": ("HunyuanVideo15Transformer3DModel", {}),
    "CogVideoX-2B": ("CogVideoXTransformer3DModel", {}),
    "CogVideoX-5B": ("CogVideoXTransformer3DModel", COG_5B),
    "CogVideoX1.5-5B": ("CogVideoXTransformer3DModel", {**COG_5B, "patch_size_t": 2}),
    "EasyAnimate V5.1 12B": (
        "EasyAnimateTransformer3DModel",
        {"in_channels": 16, "out_channels": 16, "patch_size": 2, "add_norm_text_encoder": True},
    ),
    "SkyReels-V2-14B": ("SkyReelsV2Transformer3DModel", WAN_14B),
}
"""Models with a reference class: class and fields that differ from its defaults."""

GATED = {
    "kind": "cross", "modulation": "block", "modulation_chunks": 2, "key_heads": 8, "first_frame_alone": False,
    "chunk_frames": 6, "chunk_window": 4, "text_projection": "linear", "bias": False,
}  # fmt: skip
SHAPES = {
    "Step-Video-T2V": {
        "kind": "cross", "modulation": "single", "vae_time": 17, "vae_latents": 3, "first_frame_alone": False,
    },
    "MAGI-1-24B": {**GATED, "condition_dim": 6144 // 4},
    "MAGI-1-4.5B": {**GATED, "condition_dim": 3072 // 4},
}  # fmt: skip
"""Models without one: what the table says in prose. Where MAGI-1-4.5B's cell is blank its own configuration says it."""

EXPERTS = {"Wan2.2-T2V-A14B": 2, "Wan2.2-I2V-A14B": 2}
"""Networks in a model, of which a step runs one; the published size counts both."""

PARAMS_DEVIATION = {
    # Names round down: 1.419, 5.57 and 2 x 14.29 billion; or up: 1.694 (counts made on the real modules).
    "Wan2.1-T2V-1.3B": 0.092,
    "Wan2.2-T2V-A14B": 0.059,
    "Wan2.2-I2V-A14B": 0.059,
    "CogVideoX-2B": 0.154,
    "CogVideoX-5B": 0.115,
    "CogVideoX1.5-5B": 0.115,
    # The name is the text-to-video model's; image-to-video adds 2.1 billion of keys and values for the picture.
    "Wan2.1-I2V-14B-720P": 0.172,
}
UNCOUNTED = {"HunyuanVideo-1.5": {"glyph": 0, "picture": 0}}
"""Streams the table's formula leaves out; with them the work is 1.7 % more."""


def network_of(model):
    if model in CLASSES:
        architecture, config = CLASSES[model]
        return read_network(config, model, architecture)
    return build_shape(shape_of_row(ROWS[model], **SHAPES[model]), model)


@pytest.mark.parametrize("model", [*CLASSES, *SHAPES])
def test_parameters_agree_with_the_published_size(model):
    params = EXPERTS.get(model, 1) * network_of(model).params / 1e9
    assert params == pytest.approx(float(ROWS[model]["params_B"]), rel=PARAMS_DEVIATION.get(model, 0.023))


@pytest.mark.parametrize("model", [model for model in [*CLASSES, *SHAPES] if ROWS[model]["fwd_TFLOP_default"]])
def test_work_agrees_with_the_table(model):
    row, network = ROWS[model], network_of(model)
    clip = {key: int(row[f"def_{key}"]) for key in ("frames", "height", "width")}
    streams = network.streams(**clip, text=int(row["text_tokens"]), **UNCOUNTED.get(model, {}))
    assert streams["image"] == int(row["tokens_default"])
    assert network.flops(streams) / 1e12 == pytest.approx(float(row["fwd_TFLOP_default"]), rel=3e-4)
    assert network.branches == int(row["def_cfg_evals"])


@pytest.mark.parametrize("model", SHAPES)
def test_the_example_is_the_row(model):
    example = json.loads((ROOT / "examples" / model.lower() / "config.json").read_text())
    stated = shape_of_row(ROWS[model], **SHAPES[model]).as_config()
    assert {**example, "source": ""} == {**stated, "source": ""}
    assert example["source"].startswith(ROWS[model]["source"])


@pytest.mark.parametrize("model", ["LongCat-Video", "Movie Gen Video"])
def test_unknown_dimensions_are_refused_by_name(model):
    with pytest.raises(ConfigError, match=r"unknown dimensions: hidden; heads; .*layers_total.*hypothetical_dit"):
        shape_of_row(ROWS[model], kind="cross", modulation="single")


@pytest.mark.parametrize("model", ["LongCat-Video", "Movie Gen Video"])
def test_a_model_known_by_size_alone_can_be_shaped(model):
    size = float(ROWS[model]["params_B"]) * 1e9
    assert hypothetical_dit(size, name=model).params == pytest.approx(size, rel=5e-3)


def test_movie_gen_reaches_its_tokens():
    row = ROWS["Movie Gen Video"]
    clip = (int(row["def_frames"]), 768, 768)  # the side that makes the abstract's 73 K tokens of 256 frames
    network = hypothetical_dit(30e9, tokens=float(row["tokens_default"]), clip=clip, first_frame_alone=False)
    tokens = network.streams(frames=clip[0], height=clip[1], width=clip[2])["image"]
    assert tokens == pytest.approx(float(row["tokens_default"]), rel=0.02)


def test_double_streams_have_columns_of_their_own():
    found = shape_of_row(
        ROWS["HunyuanVideo"], kind="double", modulation="block", head_norm="head", text_projection="linear"
    )
    assert (found.double_layers, found.single_layers, found.branches) == (20, 40, 1)


def test_cells_that_are_no_whole_numbers_are_refused():
    row = {**ROWS["Step-Video-T2V"], "heads": "-48", "hidden": "6144.5"}
    with pytest.raises(ConfigError, match=r"hidden is '6144.5'; heads is '-48'"):
        shape_of_row(row, **SHAPES["Step-Video-T2V"])
