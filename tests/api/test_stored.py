"""Stored formats: what publishers ship, and that a name and its configuration mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import costline
from costline.catalogue import shipped
from costline.catalogue.decoder_table import decoder_names, decoder_rows, stored_format
from costline.models.decoder import Decoder
from costline.precision import BYTES

EXAMPLES = Path(__file__).parents[2] / "examples"
BOTH = sorted(
    folder.name
    for folder in EXAMPLES.iterdir()
    if folder.name in decoder_names() and isinstance(shipped.model(folder.name), Decoder)
)


@pytest.mark.parametrize(
    ("name", "stored"),
    [  # DeepSeek-V3 config.json; Kimi-K2 README section 4, Kimi-K2.5 README section 4; gpt-oss config.json
        ("deepseek-v3", "fp8"), ("deepseek-r1", "fp8"), ("kimi-k2", "fp8"), ("Kimi-K2.5", "int4"),
        ("gpt-oss-120b", "mxfp4"), ("gpt-oss-20b", "mxfp4"),
    ],
)  # fmt: skip
def test_a_named_model_is_served_as_its_publisher_ships_it_and_that_is_said(name, stored):
    found = costline.serve(name, on="16xh200-sxm")
    assert found.inputs["weights"] == stored
    (said,) = [str(row.value) for row in found.assumptions if row.name == "stored format"]
    assert said.startswith(f"{stored}, as its publisher ships it: ")
    assert "@" in said  # a source with its commit


def test_a_format_that_is_named_goes_before_the_stored_one():
    named = costline.serve("deepseek-v3", on="16xh200-sxm", precision="bf16")
    assert named.inputs["weights"] == "bf16"
    assert not any(row.name == "stored format" for row in named.assumptions)


def test_there_are_as_many_examples_as_are_compared():
    assert {"deepseek-v3", "kimi-k2", "gpt-oss-20b", "llama-3.1-8b"} <= set(BOTH)
    assert len(BOTH) >= 10


@pytest.mark.parametrize("name", BOTH)
def test_a_name_and_its_configuration_are_the_same_question(name):
    asked = {"on": "64xh200-sxm", "batch": 64, "input": 1000, "output": 200}
    by_name, by_file = costline.serve(name, **asked), costline.serve(EXAMPLES / name / "config.json", **asked)
    for field in ("weights", "compute", "tensor", "pipeline", "expert"):
        assert by_name.inputs[field] == by_file.inputs[field], field
    for figure in ("ttft", "tpot", "memory", "output_rate"):
        assert by_name[figure] == pytest.approx(by_file[figure], rel=1e-12), figure


def test_every_stored_format_is_known_and_has_a_source():
    for name, row in decoder_rows().items():
        assert bool(row["stored"]) is bool(row["stored_source"]), name
    for spelling in decoder_names():
        found = stored_format(spelling)
        assert found is None or found[0] in BYTES, spelling


def test_a_whole_plan_states_its_own_formats():
    plan = costline.serve("deepseek-v3", on="16xh200-sxm", plan="weights=bf16, compute=bf16").inputs
    assert (plan["weights"], plan["compute"]) == ("bf16", "bf16")
