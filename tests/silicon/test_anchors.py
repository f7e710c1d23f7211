"""Each row of the table of anchors: matched within its tolerance, or listed with the reason."""

from __future__ import annotations

import pytest

from costline.catalogue import chip_anchors, shipped
from costline.silicon.anchors import reproductions
from costline.silicon.decoding import Talk
from costline.silicon.sram import pipelines

ROWS = reproductions()
OUTSIDE = {
    ("MI210 matmul fp16", "M=64,K=N=12288"): "a real MI210 reads 0.3 GB in 0.56 ms, 0.54 TB/s of 1.6",
    ("MI300X BOM", "total"): "12 dies of three kinds are not three equal ones",
    ("MI325X BOM", "total"): "the published total is below the published memory of the MI300X",
    ("Groq LPU v1", "chips for 70B int8 (estimate)"): "an estimate in whole racks of 64, caches and spares with them",
    ("SN40L x16", "DeepSeek-R1 671B"): "the format of the weights is not stated; 8 bits read half as much",
    ("A100x4 all-reduce NVLink3", "size 32 KB"): "between latency and bandwidth rings are slower than either",
    ("A100x4 all-reduce NVLink3", "size 1 MB"): "between latency and bandwidth rings are slower than either",
    ("MAMF bf16 MI300X", "max achievable matmul"): "its software reached 51 %, less than that of any other chip",
    ("Groq LPU v1", "Mixtral 8x7B"): "how its schedule treats experts is not published; all of them are read here",
    ("H20 vs A100/H100", "Llama2-13B fp16 batch 16 throughput"):
        "served decoding was fitted on A100 and H100, which launch faster than sourced; of H20 only video is published",
}  # fmt: skip
"""Rows the models miss, and why."""


def test_every_row_is_there():
    assert len(ROWS) == len(chip_anchors()) == 121


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.modelled], ids=lambda row: f"{row.anchor}: {row.quantity}"[:60]
)
def test_row(row):
    expected = "outside" if (row.anchor, row.quantity) in OUTSIDE else "matched"
    assert row.status == expected, (row.stated, row.modelled)


def test_enough_rows_are_matched():
    assert sum(row.status == "matched" for row in ROWS) >= 80
    assert sum(row.status == "outside" for row in ROWS) == len(OUTSIDE)


def test_rows_that_are_not_modelled_say_why():
    assert all(row.how and row.how != "no rule" for row in ROWS)


def test_a_layer_takes_groq_about_the_same_time_in_any_model():
    """Published: 1 / 300 s over 80 layers and 1 / 750 s over 32 are both 42 us; so reading, not size, sets the time."""
    speeds = {row.quantity.split(" ")[0]: row.modelled[0] for row in ROWS
              if row.anchor == "Groq LPU v1" and "ctx" in row.quantity}  # fmt: skip
    big, small = (1 / speeds[name] / layers for name, layers in (("Llama-2-70B", 80), ("Llama-2-7B", 32)))
    assert big == pytest.approx(small, rel=0.1)


def test_no_published_speed_of_groq_exceeds_the_hardware():
    """The rows state no number of chips: the fewest give two of the four speeds within a quarter, twice exceed all."""
    rows = [row for row in ROWS if row.anchor == "Groq LPU v1" and "one user" in row.how]
    assert len(rows) == 4
    assert sum(row.modelled[0] == pytest.approx(row.stated[0], rel=0.25) for row in rows) == 2
    cluster = shipped.cluster("8xgroq-lpu-v1")
    for row in rows:
        model = "mixtral-8x7b" if row.quantity.startswith("Mixtral") else row.quantity.split(" ")[0].lower()
        talk = Talk(network=shipped.model(model), input=1848, output=200, precision="fp16")
        assert 1 / float(pipelines(talk, cluster, shipped.efficiency(), spreads=(2.0,)).floor) > row.stated[0]


def test_reasons_are_few_and_of_their_rows():
    """30 of 121 rows have no model: inputs, headlines without configuration, deployments and training runs."""
    left = [row for row in ROWS if not row.modelled]
    assert len(left) <= 30
    assert not [row for row in left if row.anchor.startswith(("LLMCompass latency", "LLMCompass throughput", "MAMF"))]


def test_designs_of_llmcompass_within_a_fifth():
    """64 figures of its two designs: half the cores lose little, four times the memory gains a half."""
    rows = [row for row in ROWS if row.anchor.startswith(("LLMCompass latency design", "LLMCompass throughput design"))
            and len(row.modelled) == 8]  # fmt: skip
    assert len(rows) == 12
    assert max(abs(error) for row in rows for error in row.errors) < 0.2
