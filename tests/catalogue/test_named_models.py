"""Models by name: rows against counts made on the real modules by ``reference/count_named.py``."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path

import pytest
from tests.pace import best

from costline.catalogue.decoder_table import decoder_names, decoder_rows, read_rows, shipped_decoder
from costline.catalogue.model_table import named_network
from costline.catalogue.table import DATA
from costline.models.importer import READERS, read_network

TABLE = Path(__file__).parent.parent / "reference" / "named_truth.csv"
ROWS = {row["name"]: row for row in csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines())}

ROUNDED = {
    # name: why the size in it is not within 5 % of the count
    "baichuan2-7b": "rounds 7.5 down",
    "bamba-9b": "rounds 9.8 down",
    "ernie-4.5-0.3b": "rounds 0.36 down",
    "internlm2-7b": "rounds 7.7 down",
    "ministral-3-8b": "rounds 8.5 down",
    "nemotron-3.5-lightning-30b-a3b": "rounds 31.6 down",
    "nemotron-h-4b": "rounds 4.5 down",
    "olmo-2-13b": "rounds 13.7 down",
    "qwen-7b": "rounds 7.7 down",
    "qwen1.5-0.5b": "rounds 0.46 up",
    "qwen1.5-7b": "rounds 7.7 down",
    "qwen2-vl-7b": "rounds 7.6 down",
    "qwen2.5-14b": "rounds 14.8 down",
    "qwen2.5-vl-7b": "rounds 7.6 down",
    "qwen3-14b": "rounds 14.8 down",
    "stable-code-3b": "rounds 2.8 up",
    "stablelm-3b-4e1t": "rounds 2.8 up",
    "starcoder2-15b": "rounds 16.0 down",
    "starcoderbase-1b": "rounds 1.14 down",
    "wan2.1-vace-14b-dit": "is the size of the network it adds eight layers to",
}


def sizes(name: str) -> list[float]:
    """Sizes a name states; active ones (``a3b``) are none.

    Examples
    --------
    >>> sizes("qwen3-30b-a3b"), sizes("pythia-70m"), sizes("gpt2")
    ([30000000000.0], [70000000.0], [])
    """
    found = re.findall(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([bm])(?=-|$)", name)
    return [float(number) * (1e9 if unit == "b" else 1e6) for number, unit in found]


def test_there_are_as_many_models_as_are_compared():
    assert len(ROWS) >= 100


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_rows_count_what_the_real_module_counts(row):
    name = row["name"]
    found = shipped_decoder(decoder_names()[name]) if name in decoder_names() else named_network(name)
    assert found.params == int(row["params"])


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row["class"] in READERS], ids=lambda row: str(row["name"])
)
def test_the_importer_reads_the_same_from_the_configuration(row):
    network = read_network(json.loads(row["config_json"]), row["name"], row["class"])
    assert network.params == int(row["params"])


@pytest.mark.parametrize("name", ROWS)
def test_the_size_in_a_name_is_that_of_the_model(name):
    if stated := sizes(name):
        near = any(int(ROWS[name]["params"]) == pytest.approx(size, rel=0.05) for size in stated)
        assert near is (name not in ROUNDED)


@pytest.mark.parametrize(
    ("typed", "row"),
    [
        ("GPT-2-XL", "gpt2-xl"),
        ("DeepSeek-R1-Distill-Qwen-32B", "qwen2.5-32b"),
        ("DeepSeek-R1-Distill-Llama-70B", "llama-3.3-70b"),
        ("Grok-1", "grok1-314b"),
        ("GLM-4.5", "glm-4.6"),
        ("Vicuna-13B", "llama-2-13b"),
        ("Command-R+", "command-r-plus"),
        ("DeepSeek-V3.2-Exp", "deepseek-v3.2"),
        ("Phi-3-mini-4k-instruct", "phi-3-mini"),
        ("Phi-3-mini-128k-instruct", "phi-3-mini-128k"),
        ("ms-qwen1.5-72b", "qwen1.5-72b"),
    ],
)
def test_other_spellings_of_one_shape(typed, row):
    assert decoder_names()[typed.lower()] == row


def test_reading_the_table_stays_cheap():
    """Each cold call that names a decoder reads it."""
    assert len(decoder_rows()) > 300
    assert best(_timed, 0.010) <= 0.010


def _timed() -> float:
    start = time.thread_time()
    read_rows(DATA / "models_llm.csv")
    return time.thread_time() - start
