"""Modules that real checkpoints list as not quantised, as their configurations spell them."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.decoders.kept import kept_wide, stated_cache

EVERY = range(61)
KIMI = ["lm_head", "re:.*self_attn.*", "re:.*shared_experts.*", r"re:.*mlp\.(gate|up|gate_up|down)_proj.*"]
GPT_OSS = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
QWEN = ["lm_head", *(f"model.layers.{n}.{each}" for n in EVERY for each in ("input_layernorm", "mlp.gate"))]
DEEPSEEK = ["lm_head", *(f"model.layers.{n}.self_attn.{each}_proj" for n in EVERY for each in ("q_a", "kv_b"))]
GLM = [f"model.layers.{n}.{each}" for n in EVERY for each in ("self_attn.indexers_proj", "self_attn.kv_a_layernorm")]
GEMMA = [f"model.language_model.layers.{n}.{each}*" for n in EVERY for each in ("self_attn", "mlp", "router")]
FIRST = ["model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj"]


@pytest.mark.parametrize(
    ("field", "listed", "expected"),
    [
        ("ignore", KIMI, "experts"),  # moonshotai/Kimi-K2.5
        ("modules_to_not_convert", GPT_OSS, "feed-forward"),  # openai/gpt-oss: all of its feed-forward is experts
        ("modules_to_not_convert", QWEN, "layers"),  # Qwen/Qwen3-30B-A3B-FP8: norms and router
        ("exclude_modules", DEEPSEEK, "feed-forward"),  # nvidia/DeepSeek-V3.1-NVFP4
        ("modules_to_not_convert", GLM, "layers"),  # zai-org/GLM-5-FP8: norms and the indexer
        ("ignore", GEMMA, "experts"),  # nvidia/Gemma-4-26B-A4B-NVFP4
        ("ignore", ["*.attn.*", "*.ffn.shared_experts.*", "head", "mtp.*"], "experts"),  # DeepSeek-V4-Flash-NVFP4
        ("modules_to_not_convert", ["gate", "e_score_correction_bias", "lm_head"], "layers"),  # MiniMax-M2.5
        ("modules_to_not_convert", FIRST, "layers"),  # one layer of sixty-one
        ("modules_to_not_convert", None, "layers"),
        ("modules_to_not_convert", [5, {}, None], "layers"),
    ],
)
def test_modules_that_are_left_alone(field, listed, expected):
    assert kept_wide({field: listed}, 61) == expected


def test_experts_left_alone_are_refused():
    with pytest.raises(ConfigError, match="routed experts"):
        kept_wide({"ignore": ["re:.*mlp.experts.*"]}, 61)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kv_cache_scheme": "FP8"}, "fp8"),
        ({"kv_cache_scheme": {"num_bits": 8, "type": "float", "dynamic": False}}, "fp8"),
        ({"kv_cache_scheme": {"num_bits": 8, "type": "int"}}, "int8"),
        ({"kv_cache_quant_algo": "NVFP4"}, "fp4"),
        ({"kv_cache_quant_algo": None, "kv_cache_scheme": None}, ""),
    ],
)
def test_formats_of_the_cache(fields, expected):
    assert stated_cache(fields) == expected


@pytest.mark.parametrize("stated", ["FP6", {"num_bits": 3}, 7, ["FP8"]])
def test_an_unknown_cache_is_refused(stated):
    with pytest.raises(ConfigError, match="KV cache is quantised"):
        stated_cache({"kv_cache_scheme": stated})
