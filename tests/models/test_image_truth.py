"""Image networks that the main table lacks, against counts made on the real diffusers modules; see count_image.py."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from costline.models.importer import read_network

REFERENCE = Path(__file__).parent.parent / "reference"
ROWS = list(csv.DictReader((REFERENCE / "image_extra_truth.csv").read_text().splitlines()))


def case_id(row):
    shape = json.loads(row["input_shape_json"])
    return f"{row['class']}-{row['family']}-{shape['height']}x{shape['width']}".replace(" ", "_")


@pytest.mark.parametrize("row", ROWS, ids=case_id)
def test_counts_equal_the_real_module(row):
    network = read_network(json.loads(row["config_json"]), row["family"], row["class"])
    streams = network.streams(**json.loads(row["input_shape_json"]))
    assert network.params == int(row["params"])
    for kind, column in (("linear", "flops_linear"), ("attention", "flops_attention"), ("convolution", "flops_conv")):
        assert network.flops(streams, kind, "full") == int(row[column]), column


def test_the_method_repeats_the_main_table():
    main = csv.DictReader((REFERENCE / "flops_truth.csv").read_text().splitlines())
    known = next(row for row in main if row["family"] == "FLUX.1-dev" and row["tokens"] == "4096")
    again = next(row for row in ROWS if row["family"] == "FLUX.1-dev")
    for column in ("params", "flops_linear", "flops_attention"):
        assert again[column] == known[column]
