"""Video networks that the main table lacks, against counts made on the real diffusers modules; see count_dit.py."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from costline.models.importer import read_network

REFERENCE = Path(__file__).parent.parent / "reference"
ROWS = list(csv.DictReader((REFERENCE / "dit_extra_truth.csv").read_text().splitlines()))


def shape_of(row):
    return {key.removesuffix("_tokens"): value for key, value in json.loads(row["input_shape_json"]).items()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["family"].replace(" ", "_"))
def test_counts_equal_the_real_module(row):
    network = read_network(json.loads(row["config_json"]), row["family"], row["class"])
    streams = network.streams(**shape_of(row))
    assert network.params == int(row["params"])
    assert streams["image"] == int(row["tokens"])
    # Mochi's rotary frequencies are a batched product in the module and a linear layer here: one ten-thousandth
    tolerance = 2e-4 if row["class"].startswith("Mochi") else 0
    for kind, column in (("linear", "flops_linear"), ("attention", "flops_attention"), ("convolution", "flops_conv")):
        assert network.flops(streams, kind, "full") == pytest.approx(int(row[column]), rel=tolerance, abs=0), column


@pytest.mark.parametrize("row", [row for row in ROWS if "audio_tokens" in row["input_shape_json"]])
def test_the_audio_is_as_long_as_the_clip(row):
    shape = shape_of(row)
    audio = shape.pop("audio")
    network = read_network(json.loads(row["config_json"]), row["family"], row["class"])
    assert network.streams(**shape)["audio"] == audio


def test_the_method_repeats_the_main_table():
    main = csv.DictReader((REFERENCE / "flops_truth.csv").read_text().splitlines())
    known = next(row for row in main if row["family"] == "LTX-Video-2B" and row["tokens"] == "6144")
    again = next(row for row in ROWS if row["family"] == "LTX-Video-2B")
    for column in ("params", "flops_linear", "flops_attention", "flops_conv"):
        assert again[column] == known[column]
