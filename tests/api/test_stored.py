"""Stored formats: what publishers ship, and that a name and its configuration mean the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import costline
from costline.catalogue import shipped
from costline.catalogue.decoder_table import decoder_names, decoder_rows, stored_format
from costline.errors import ConfigError
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
        assert found is None or found[0].weights in BYTES, spelling


def test_a_whole_plan_states_its_own_formats():
    plan = costline.serve("deepseek-v3", on="16xh200-sxm", plan="weights=bf16, compute=bf16").inputs
    assert (plan["weights"], plan["compute"]) == ("bf16", "bf16")


LLAMA = {
    "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "torch_dtype": "bfloat16",
}  # fmt: skip
W8A16 = {"quantization_config": {"quant_method": "gptq", "bits": 8}}


@pytest.fixture
def served(tmp_path):
    """Serve Llama 3.1 8B from a configuration with more fields; formats, and what is said of them."""

    def call(more, **inputs):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(LLAMA | more))
        found = costline.serve(path, on="8xh100-sxm", batch=64, **inputs)
        words = [str(row.value) for row in found.assumptions if row.name == "stored format"]
        return (found.inputs["weights"], found.inputs["compute"]), words, found

    return call


def test_weights_of_eight_bits_alone_save_bytes_and_no_flops(served):
    formats, (said,), _ = served(W8A16)
    assert formats == ("int8", "bf16")
    assert "weights only, activations are not quantised" in said
    engine = {"coefficients": {"request_overhead": 0.0}}
    narrow, plain = (served(more, **engine)[2]["ttft"] for more in (W8A16, {}))
    assert narrow == pytest.approx(plain, rel=0.1)
    assert narrow > served({}, precision="int8", **engine)[2]["ttft"] * 1.2


def test_a_plan_or_a_precision_goes_before_what_is_stored(served):
    unknown = {"quantization_config": {"quant_method": "aqlm"}}
    with pytest.raises(ConfigError, match="weights are quantised by aqlm, a format costline does not know"):
        served(unknown)
    assert served(unknown, precision="int4")[0] == ("int4", "bf16")
    assert served(unknown, plan="weights=int4")[0] == ("int4", "bf16")
    assert served(W8A16, plan="tensor=8")[0] == ("int8", "bf16")


def test_weights_in_fp32_are_loaded_in_16_bits_and_that_is_said(served):
    formats, said, _ = served({"torch_dtype": "float32"})
    assert formats == ("bf16", "bf16")
    assert said == ["fp32, as the configuration says: loaded in bf16, as engines do"]
    assert served({"torch_dtype": "float32"}, precision="fp32")[:2] == (("fp32", "fp32"), [])


def test_searches_keep_the_stored_format(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA | W8A16))
    found = costline.find_plan("serve", path, on="8xh100-sxm")
    assert "weights int8, products bf16" in [str(row.value) for row in found.assumptions]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("deepseek-v3", "modules for multi-token prediction are not counted (num_nextn_predict_layers 1)"),
        ("llama-4-maverick", "the language model alone: vision and audio towers are not counted"),
    ],
)
def test_what_a_configuration_holds_and_is_not_counted_is_said(name, says):
    found = costline.serve(EXAMPLES / name / "config.json", on="16xh200-sxm")
    assert says in [str(row.value) for row in found.assumptions if row.name == "model"]
