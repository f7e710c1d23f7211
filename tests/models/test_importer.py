"""Which class a configuration names: against the kinds that transformers 5.23 registers for its classes."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import architecture_of

REGISTERED = {
    "LlamaForCausalLM": ("llama", "internlm3", "iquestcoder"), "GPT2LMHeadModel": ("gpt2", "gpt-sw3"),
    "Gemma3ForCausalLM": ("gemma3_text",), "Gemma3ForConditionalGeneration": ("gemma3", "shieldgemma2"),
    "Qwen2_5_VLForConditionalGeneration": ("qwen2_5_vl",), "HunYuanMoEV1ForCausalLM": ("hunyuan_v1_moe",),
    "Qwen3MoeForCausalLM": ("qwen3_moe",), "NemotronHForCausalLM": ("nemotron_h",), "T5EncoderModel": ("t5",),
    "DeepseekV3ForCausalLM": ("deepseek_v3", "kimi_k2"),
}  # fmt: skip
"""Class -> model types it is built for, in transformers' own tables; Kimi K2's published file is of the last kind."""


@pytest.mark.parametrize(("architecture", "kind"), [(c, kind) for c, kinds in REGISTERED.items() for kind in kinds])
def test_kinds_that_belong_to_a_class_are_read(architecture: str, kind: str) -> None:
    assert architecture_of({"architectures": [architecture], "model_type": kind}, "it") == architecture


@pytest.mark.parametrize(("architecture", "kind"), [
    ("LlamaForCausalLM", "mistral"), ("LlamaForCausalLM", "deepseek_v3"), ("Qwen3ForCausalLM", "gpt_oss"),
])  # fmt: skip
def test_a_kind_of_another_class_is_refused_with_both(architecture: str, kind: str) -> None:
    with pytest.raises(ConfigError, match=f"{architecture}.*{kind}"):
        architecture_of({"architectures": [architecture], "model_type": kind}, "it")


def test_two_classes_are_refused_and_one_named_twice_is_not() -> None:
    assert architecture_of({"architectures": ["LlamaForCausalLM", "LlamaForCausalLM"]}, "it") == "LlamaForCausalLM"
    with pytest.raises(ConfigError, match=r"more than one class.*Llama.*Qwen3"):
        architecture_of({"architectures": ["LlamaForCausalLM", "Qwen3ForCausalLM"]}, "it")
