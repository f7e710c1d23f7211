"""Formats that real configurations state: fields as transformers' and the quantisers' own classes write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.decoders.precision import Stored, stated_precision
from costline.precision import BYTES

EXAMPLES = Path(__file__).parents[3] / "examples"


def groups(*each):
    return {"config_groups": {f"group_{number}": group for number, group in enumerate(each)}}


def eight(activations, kind="int"):
    narrow = {"num_bits": 8, "type": kind, "dynamic": True} if activations else None
    return {"weights": {"num_bits": 8, "type": kind}, "input_activations": narrow}


def four(scaled):
    return {"num_bits": 4, "type": "float", "group_size": scaled}


def quark(weight, inputs=None):
    return {"quant_method": "quark", "global_quant_config": {"weight": weight, "input_tensors": inputs}}


HQQ = {"weight_quant_params": {"nbits": 4, "group_size": 64}}
W8A16 = Stored("int8", products="bf16")
MXFP4 = Stored("mxfp4", products="mxfp4")


@pytest.mark.parametrize(
    ("quantization", "expected"),
    [
        ({"quant_method": "mxfp4"}, Stored("mxfp4")),
        ({"quant_method": "fp8", "activation_scheme": "dynamic"}, Stored("fp8")),
        ({"quant_method": "gptq", "bits": 4}, Stored("int4")),
        # GPTQ quantises no activations (arXiv:2210.17323), whatever the bits
        ({"quant_method": "gptq", "bits": 8}, W8A16),
        ({"quant_method": "awq", "bits": 4}, Stored("int4")),
        ({"quant_method": "awq", "w_bit": 4}, Stored("int4")),
        ({"quant_method": "awq"}, Stored("int4")),
        ({"quant_method": "auto-round", "bits": 8}, W8A16),
        ({"quant_method": "hqq", "quant_config": HQQ}, Stored("int4")),
        ({"quant_method": "eetq", "weights": "int8"}, W8A16),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, Stored("int4")),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, Stored("int8")),
        # ModelOpt names itself and its algorithm
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, Stored("fp8")),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, Stored("fp4")),
        ({"quant_method": "modelopt", "quant_algo": "W4A16_AWQ"}, Stored("int4")),
        ({"quant_algo": "NVFP4"}, Stored("fp4")),
        ({"quantization": {"quant_algo": "W8A16"}}, W8A16),
        # compressed-tensors: null input_activations leave activations as they are
        (groups(eight(True)), Stored("int8")),
        (groups(eight(False)), W8A16),
        (groups(eight(True, "float")), Stored("fp8")),
        (groups(eight(False, "float")), Stored("fp8", products="bf16")),
        (groups({"weights": {"num_bits": 8, "type": "float"}}), Stored("fp8", products="bf16")),
        (groups({"weights": {"num_bits": 4, "type": "int"}}), Stored("int4")),
        # without input_activations, NVFP4 of llm-compressor is NVFP4A16, and with them W4A4; MXFP4 the other way round
        (groups({"weights": four(16)}), Stored("fp4", products="bf16")),
        (groups({"weights": four(16), "input_activations": four(16)}), Stored("fp4")),
        (groups({"weights": four(32)}), Stored("mxfp4")),
        (groups({"weights": four(32), "input_activations": four(32)}), Stored("mxfp4", products="mxfp4")),
        (groups({"weights": {"num_bits": 4}, "input_activations": {"num_bits": 8}}), Stored("int4", products="int8")),
        (groups({"weights": {"num_bits": 8}, "input_activations": {"num_bits": 16}}), W8A16),
        ({"quant_algo": "W4A8_AWQ"}, Stored("int4", products="fp8")),
        ({"quant_algo": "W4A8_NVFP4_FP8"}, Stored("fp4", products="fp8")),
        (groups(eight(True), {"weights": None}), Stored("int8")),
        ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig"}}}, Stored("int4")),
        ({"quant_method": "torchao", "quant_type": "int8_weight_only"}, W8A16),
        ({"quant_method": "torchao", "quant_type": "int4wo"}, Stored("int4")),
        ({"quant_method": "torchao", "quant_type": "float8_dynamic_activation_float8_weight"}, Stored("fp8")),
        ({"quant_method": "torchao", "quant_type": "Int8DynamicActivationInt8WeightConfig"}, Stored("int8")),
        ({"quant_method": "quanto", "weights": "float8"}, Stored("fp8", products="bf16")),
        ({"quant_method": "quanto", "weights": "int8", "activations": "int8"}, Stored("int8")),
        (quark({"dtype": "fp8_e4m3"}, {"dtype": "fp8_e4m3"}), Stored("fp8")),
        (quark({"dtype": "fp8_e4m3"}), Stored("fp8", products="bf16")),
        (quark({"dtype": "fp4", "group_size": 32}), Stored("mxfp4")),
        (quark({"dtype": "fp4", "group_size": 32}, {"dtype": "fp4", "group_size": 32}), MXFP4),
        (quark([{"dtype": "fp8_e4m3"}, {"dtype": "int4"}], {"dtype": "fp8_e4m3"}), Stored("int4", products="fp8")),
        (
            {"quant_method": "torchao", "quant_type": "Int8DynamicActivationInt4WeightConfig"},
            Stored("int4", products="int8"),
        ),
        ({"quant_method": "fp_quant", "forward_dtype": "mxfp4"}, Stored("mxfp4")),
    ],
)
def test_stated_precision(quantization, expected):
    stated = stated_precision({"torch_dtype": "bfloat16", "quantization_config": quantization})
    assert stated == expected
    assert stated.weights in BYTES
    assert stated_precision({"text_config": {"quantization_config": quantization}}) == expected


@pytest.mark.parametrize(
    ("quantization", "says"),
    [
        *(({"quant_method": name}, name) for name in ("aqlm", "quip", "vptq", "bitnet", "gguf", "spqr", "higgs")),
        ({"quant_method": "gptq", "bits": 3}, "gptq to 3 bits"),
        ({"quant_method": "gptq"}, "gptq to unknown bits"),
        ({"quant_method": "gptq", "bits": True}, "gptq to True bits"),
        ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 2}}}, "hqq to 2 bits"),
        ({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}, "quant_algo 'MIXED_PRECISION'"),
        ({"quant_method": "bitsandbytes"}, "neither load_in_4bit nor load_in_8bit"),
        ({"quant_method": "torchao", "quant_type": "autoquant"}, "torchao with quant_type 'autoquant'"),
        ({"quant_method": "quanto", "weights": "int2"}, "quanto with weights 'int2'"),
        ({"quant_method": "quanto", "activations": "int2"}, "quanto with activations 'int2'"),
        (quark(None), "quark with weights None"),
        (quark({"dtype": "fp8"}, {"dtype": "fp9"}), "quark with inputs 'fp9'"),
        ({"quant_method": "quark", "global_quant_config": None}, "quark without global_quant_config"),
        ({"quant_method": "compressed-tensors", "config_groups": []}, "without config_groups"),
        (groups({"weights": {"num_bits": 2}}), "compressed-tensors to 2 bits"),
        (groups({"weights": 5}), "compressed-tensors with weights 5"),
        ({"kind": "new"}, "no method"),
    ],
)
def test_what_is_not_known_is_refused_with_the_way_out(quantization, says):
    with pytest.raises(ConfigError, match=r"weights are quantised by .*; say --precision") as refused:
        stated_precision({"torch_dtype": "bfloat16", "quantization_config": quantization})
    assert says in str(refused.value)


def test_groups_of_several_formats_are_refused_with_all_of_them():
    mixed = groups({"weights": {"num_bits": 4, "type": "float"}}, eight(True, "float"))
    with pytest.raises(ConfigError, match=r"in several formats, fp4 \(products bf16\) and fp8; say --precision"):
        stated_precision({"quantization_config": mixed})
    with pytest.raises(ConfigError, match="quantization_config 5 is no object"):
        stated_precision({"quantization_config": 5})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"dtype": "float16"}, Stored("fp16")),
        ({"torch_dtype": "torch.float32"}, Stored("fp32")),
        ({"text_config": {"torch_dtype": "bfloat16"}}, Stored("bf16")),
        ({"torch_dtype": "bfloat16", "quantization_config": {}}, Stored("bf16")),
        ({"torch_dtype": "bfloat16", "quantization_config": groups({"weights": None})}, Stored("bf16")),
        ({"torch_dtype": "auto"}, None),
        ({}, None),
    ],
)
def test_types_of_weights_that_are_not_quantised(config, expected):
    assert stated_precision(config) == expected


@pytest.mark.parametrize("name", ["complex64", "bfloat61", "float64"])
def test_types_that_no_format_here_stands_for_are_refused(name):
    with pytest.raises(ConfigError, match=f"torch_dtype '{name}' is no format known here"):
        stated_precision({"torch_dtype": name})


def test_real_configurations():
    def stated(name):
        return stated_precision(json.loads((EXAMPLES / name / "config.json").read_text(encoding="utf-8")))

    assert (stated("deepseek-v3"), stated("llama-3.3-70b")) == (Stored("fp8"), Stored("bf16"))
