"""Video networks of the published table, from example configurations or from the dimensions their sources state.

``params_B`` is the name's or the README's; ``fwd_TFLOP_default`` was computed by another formula and rounded to 0.1.
It leaves out what works once a sample, hence 0.03 % on top of the rounding.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from costline.models.importer import read_network

ROOT = Path(__file__).parents[3]
ROWS = {row["model"]: row for row in csv.DictReader((ROOT / "tests/reference/models_dit.csv").read_text().splitlines())}
EXAMPLES = {
    "LTX-Video-2B": "ltx-video-2b",
    "LTX-Video-13B (0.9.7)": "ltx-video-13b",
    "LTX-2 (video stream)": "ltx-2",
    "Mochi-1": "mochi-1",
    "Kandinsky-5 Lite 5s": "kandinsky5-lite-5s",
    "Cosmos-Predict2-2B-V2W": "cosmos-predict2-2b",
    "Cosmos-Predict2-14B-V2W": "cosmos-predict2-14b",
}
OPEN_SORA_2 = {  # hpcaitech/Open-Sora, configs/diffusion/inference/256px.py
    "type": "flux", "from_pretrained": "./ckpts/Open_Sora_v2.safetensors", "guidance_embed": False, "fused_qkv": False,
    "use_liger_rope": True, "in_channels": 64, "vec_in_dim": 768, "context_in_dim": 4096, "hidden_size": 3072,
    "mlp_ratio": 4.0, "num_heads": 24, "depth": 19, "depth_single_blocks": 38, "axes_dim": [16, 56, 56],
    "theta": 10_000, "qkv_bias": True, "cond_embed": True,
}  # fmt: skip
PLAN = {  # PKU-YuanGroup/Open-Sora-Plan, OpenSoraT2V_v1_3_2B_122, with the 8 channels of its autoencoder
    "num_layers": 32, "attention_head_dim": 96, "num_attention_heads": 24, "patch_size_t": 1, "patch_size": 2,
    "caption_channels": 4096, "cross_attention_dim": 2304, "activation_fn": "gelu-approximate", "in_channels": 8,
    "out_channels": 8, "attention_bias": True, "sample_size": [22, 22], "sample_size_t": 9,
}  # fmt: skip
CLASSES = {
    "Open-Sora 2.0": ("MMDiTModel", OPEN_SORA_2),
    "Open-Sora-Plan v1.3 2.7B": ("OpenSoraT2V_v1_3", PLAN),  # dense, as the table counts it
    "Allegro": ("AllegroTransformer3DModel", {}),
    "Open-Sora 1.2/1.3 STDiT": ("STDiT3", {}),
    "Sana-1.6B": ("SanaTransformer2DModel", {}),
}
PARAMS_DEVIATION = {
    "Open-Sora 2.0": 0.082,  # 11.89 billion, as FLUX.1, which it starts from, and the input of frames
    "Open-Sora 1.2/1.3 STDiT": 0.098,  # 1.208 billion; the report says 1.1
    "LTX-Video-2B": 0.039,  # 1.923 billion (counted on the real module)
    "Open-Sora-Plan v1.3 2.7B": 0.027,  # 2.772 billion
    "Cosmos-Predict2-2B-V2W": 0.022,  # 1.956 billion (counted on the real module)
    "Cosmos-Predict2-14B-V2W": 0.019,  # 14.27 billion (counted on the real module)
}
TABLE_ROUNDING = 0.05
"""The table's work is rounded to 0.1. [1e12 FLOP]"""


def network_of(model):
    if model in EXAMPLES:
        return read_network(json.loads((ROOT / "examples" / EXAMPLES[model] / "config.json").read_text()), model)
    architecture, config = CLASSES[model]
    return read_network(config, model, architecture)


def clip_of(row):
    return {key: int(row[f"def_{key}"]) for key in ("frames", "height", "width")}


@pytest.mark.parametrize("model", [*EXAMPLES, *CLASSES])
def test_parameters_agree_with_the_published_size(model):
    published = float(ROWS[model]["params_B"])
    assert network_of(model).params / 1e9 == pytest.approx(published, rel=PARAMS_DEVIATION.get(model, 0.011))


@pytest.mark.parametrize("model", [model for model in [*EXAMPLES, *CLASSES] if ROWS[model]["fwd_TFLOP_default"]])
def test_work_agrees_with_the_table(model):
    row, network = ROWS[model], network_of(model)
    streams = network.streams(**clip_of(row), text=int(row["text_tokens"]))
    assert streams["image"] == int(row["tokens_default"])
    counted = (part for part in network.parts if "audio" not in part.name)  # the table leaves LTX-2's audio out
    work = sum(part.flops(streams) for part in counted) / 1e12
    assert work == pytest.approx(float(row["fwd_TFLOP_default"]), rel=3e-4, abs=TABLE_ROUNDING)
    assert network.branches == int(row["def_cfg_evals"])


def test_ltx_2_is_14_billion_of_video_and_5_of_audio():
    parts = network_of("LTX-2 (video stream)").parts
    audio = sum(part.params for part in parts if part.name.split("/")[1] == "audio")
    assert audio / 1e9 == pytest.approx(5, abs=0.5)
    assert sum(part.params for part in parts) / 1e9 - audio / 1e9 == pytest.approx(14, abs=0.5)


def test_pyramid_flow_fits_its_checkpoint():
    """The published 8-bit checkpoint (pyramid_flow_miniflux_fp8_e4m3fn_v2) has 1,932,687,346 bytes, one a parameter.

    Our count is 2 % above it; which part the checkpoint lacks is not known. Dimensions: those Tenstorrent's tests give
    for the 768p network.
    """
    config = {"num_layers": 8, "num_single_layers": 16, "num_attention_heads": 30, "attention_head_dim": 64}
    network = read_network(config, "miniFLUX", "PyramidFluxTransformer")
    assert network.params == pytest.approx(1_932_687_346, rel=0.021)
    row = ROWS["Pyramid-Flow miniFLUX"]
    assert network.streams(**clip_of(row))["time"] == 16  # "5 s = temp 16"


def test_latte_attends_in_turn():
    row = ROWS["Latte-1"]
    extra = csv.DictReader((ROOT / "tests/reference/dit_extra_truth.csv").read_text().splitlines())
    config = next(json.loads(known["config_json"]) for known in extra if known["family"] == "Latte-1")
    network = read_network(config, "Latte-1", "LatteTransformer3DModel")
    streams = network.streams(**clip_of(row))
    assert (streams["time"], streams["space"]) == (16, 32 * 32)
    pairs = {part.name: part.flops(streams) for part in network.parts if part.name.endswith("self/core")}
    assert pairs["block/spatial/self/core"] == 64 * pairs["block/temporal/self/core"]  # 1024 keys against 16
    assert network.branches == int(row["def_cfg_evals"])
