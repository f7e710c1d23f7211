"""Language models that the main table lacks, against counts made on the real modules by ``reference/count_llm.py``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from costline.models.decoder import Decoder
from costline.models.importer import read_network

TABLE = Path(__file__).parent.parent / "reference" / "llm_extra_truth.csv"
ROWS = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['class']}-{row['shape']}".replace(" ", "_"))
def test_counts_equal_the_real_module(row):
    network = read_network(json.loads(row["config_json"]), row["shape"], row["class"])
    tokens = int(row["tokens"])
    lengths = {"logits": tokens} if isinstance(network, Decoder) else {}
    streams = network.streams(tokens=tokens, **lengths)
    assert network.params == int(row["params"])
    assert network.flops(streams, "linear", "full") == int(row["flops_linear"])
    if row["flops_attention"]:
        assert network.flops(streams, "attention", "full") == int(row["flops_attention"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['class']}-{row['shape']}".replace(" ", "_"))
def test_the_file_of_a_checkpoint_says_the_same(row):
    """transformers writes every field of the class, those that change nothing too."""
    stated, saved = (
        read_network(json.loads(row[column]), row["shape"], row["class"]) for column in ("config_json", "saved_json")
    )
    assert saved.parts == stated.parts
