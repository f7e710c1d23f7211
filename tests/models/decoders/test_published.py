"""Published configurations: fields that no class reads, and a head that two places speak of."""

from __future__ import annotations

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

PHI_4_MINI = {
    "architectures": ["Phi3ForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "embd_pdrop": 0.0,
    "full_attn_mod": 1, "hidden_act": "silu", "hidden_size": 3072, "intermediate_size": 8192, "interpolate_factor": 1,
    "lm_head_bias": False, "max_position_embeddings": 131072, "mlp_bias": False, "num_attention_heads": 24,
    "num_hidden_layers": 32, "num_key_value_heads": 8, "original_max_position_embeddings": 4096,
    "partial_rotary_factor": 0.75, "sliding_window": 262144, "tie_word_embeddings": True, "vocab_size": 200064,
}  # fmt: skip
GEMMA_2_9B = {
    "architectures": ["Gemma2ForCausalLM"], "attn_logit_softcapping": 50.0, "cache_implementation": "hybrid",
    "final_logit_softcapping": 30.0, "head_dim": 256, "hidden_act": "gelu_pytorch_tanh", "hidden_size": 3584,
    "intermediate_size": 14336, "max_position_embeddings": 8192, "num_attention_heads": 16, "num_hidden_layers": 42,
    "num_key_value_heads": 8, "query_pre_attn_scalar": 256, "sliding_window": 4096, "sliding_window_size": 4096,
    "vocab_size": 256000,
}  # fmt: skip


@pytest.mark.parametrize(("config", "params"), [(PHI_4_MINI, 3_836_021_760), (GEMMA_2_9B, 9_241_705_984)])
def test_published_fields_that_no_class_reads_are_passed_over(config, params):
    """Sizes of the published checkpoints' tensors: 3.84B and 9.24B."""
    assert read_network(config, "own").params == params


def test_a_pattern_of_attention_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="full_attn_mod"):
        read_network({**PHI_4_MINI, "full_attn_mod": 2}, "own")


@pytest.mark.parametrize(
    ("kind", "tied"),
    [  # of (wrapper, text): (True, False), (False, True), as the real modules of transformers 5.23.0 tie them
        ("Gemma3ForConditionalGeneration", (True, False)),
        ("Mistral3ForConditionalGeneration", (True, False)),
        ("Qwen3VLForConditionalGeneration", (True, False)),
        ("Qwen3_5ForConditionalGeneration", (True, False)),
        ("Qwen2_5_VLForConditionalGeneration", (True, True)),
        ("Llama4ForConditionalGeneration", (False, True)),
    ],
)
def test_where_a_model_and_the_language_model_inside_it_disagree_on_the_head(kind, tied):
    def params(outer, inner):
        text = {"hidden_size": 256, "num_hidden_layers": 4, "vocab_size": 1000, "tie_word_embeddings": inner}
        config = {"architectures": [kind], "tie_word_embeddings": outer, "text_config": text}
        return read_network(config, "own").params

    heads = {params(True, True): True, params(False, False): False}
    assert params(False, False) - params(True, True) == 256 * 1000
    assert (heads[params(True, False)], heads[params(False, True)]) == tied
