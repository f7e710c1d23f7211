"""Formats that real configurations state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.models.decoders.precision import stated_precision
from costline.precision import BYTES

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"quantization_config": {"quant_method": "mxfp4"}, "torch_dtype": "bfloat16"}, "mxfp4"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "int4"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 8}}, "int8"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 3}}, None),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, "int4"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "int4"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}, "int8"),
        ({"quantization_config": {"quant_algo": "NVFP4"}}, "fp4"),
        (
            {"quantization_config": {"config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}}},
            "fp8",
        ),
        ({"quantization_config": {"config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}}}}, "int4"),
        ({"dtype": "float16"}, "fp16"),
        ({"torch_dtype": "torch.float32"}, "fp32"),
        ({"text_config": {"torch_dtype": "bfloat16"}}, "bf16"),
        ({"torch_dtype": "complex64"}, None),
        ({}, None),
    ],
)
def test_stated_precision(config, expected):
    stated = stated_precision(config)
    assert stated == expected
    assert stated is None or stated in BYTES


def test_real_configurations():
    def stated(name):
        return stated_precision(json.loads((EXAMPLES / name / "config.json").read_text(encoding="utf-8")))

    assert (stated("deepseek-v3"), stated("llama-3.3-70b")) == ("fp8", "bf16")
