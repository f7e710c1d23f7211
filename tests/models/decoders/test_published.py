"""Configurations as publishers wrote them, beside what transformers writes; and what recurrent models keep."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.importer import read_network

TRUTH = Path(__file__).parents[2] / "reference" / "named_truth.csv"
NAMED = {row["name"]: row for row in csv.DictReader(TRUTH.read_text(encoding="utf-8").splitlines())}


def test_kimi_linear_as_published_and_as_saved_agree():
    """The published file counts layers from 1 and has names of its own, which transformers reads too."""
    published = {
        "num_experts": 256, "num_experts_per_token": 8, "num_shared_experts": 1, "num_hidden_layers": 27,
        "first_k_dense_replace": 1, "moe_layer_freq": 1, "mla_use_nope": True, "moe_renormalize": True,
        "linear_attn_config": {
            "head_dim": 128, "num_heads": 32, "short_conv_kernel_size": 4,
            "full_attn_layers": [4, 8, 12, 16, 20, 24, 27],
            "kda_layers": [layer for layer in range(1, 27) if layer % 4],
        },
    }  # fmt: skip
    saved = {"layer_types": [*(["linear_attention"] * 3 + ["full_attention"]) * 6, "linear_attention",
                             "linear_attention", "full_attention"]}  # fmt: skip
    shapes = [read_network(config, "kimi", "KimiLinearForCausalLM").shape for config in (published, saved)]
    assert shapes[0] == shapes[1]
    assert shapes[0].delta_layers == 20


def test_layers_of_granite_4_in_two_spellings_agree():
    older, newer = (
        read_network({"num_hidden_layers": 2, field: kinds}, "granite", "GraniteMoeHybridForCausalLM").shape
        for field, kinds in (
            ("layers_block_type", ["mamba", "attention"]),
            ("layer_types", ["linear_attention", "full_attention"]),
        )
    )
    assert older == newer
    assert (older.mamba_layers, older.attention_count) == (1, 1)


def test_recurrent_models_keep_a_state_and_no_context():
    """Mamba keeps 16 numbers and 3 taps a channel of 1,536 in each of 32 layers, whatever the context."""
    network = read_network({}, "mamba", "MambaForCausalLM")
    assert network.cache_elements(10) == network.cache_elements(100_000) == 32 * 1536 * (16 + 3)
    lightning = read_network({"layer_types": ["linear_attention"] * 32}, "minimax", "MiniMaxForCausalLM")
    assert lightning.cache_elements(100_000) == 32 * 32 * 128 * 128
    hybrid = read_network({}, "falcon-h1", "FalconH1ForCausalLM")
    mixed = 1024 + 2 * 256
    assert hybrid.cache_elements(1000) == 32 * (2 * 8 * 128 * 1000 + 1024 * 256 + 3 * mixed)


PUBLISHED = {
    # name of the catalogue: what its published file has beside the fields that transformers knows
    "jamba-v0.1": {"mamba_inner_layernorms": True, "n_ctx": 262144, "calc_logits_for_entire_prompt": False,
                   "num_logits_to_keep": 1, "use_mamba_kernels": True},
    "bamba-9b": {"attn_rotary_emb": 64, "mamba_dt_rank": 256, "mamba_chunk_size": 256, "use_mamba_kernels": True},
    "falcon-mamba-7b": {"expand": 16, "rescale_prenorm_residual": False, "time_step_floor": 0.0001,
                        "time_step_init_scheme": "random", "residual_in_fp32": True},
    "command-r7b": {"head_dim": 128, "layer_switch": 4, "order_of_interleaved_layers": "local_attn_first",
                    "position_embedding_type": "rope_gptj", "rotary_pct": 1.0, "sliding_window_pattern": 4,
                    "use_embedding_sharing": True, "use_gated_activation": True, "use_parallel_block": True,
                    "use_parallel_embedding": True, "logit_scale": 0.25},
    "command-r-plus": {"logit_scale": 0.8333, "model_max_length": 131072, "max_position_embeddings": 8192},
    "phi-3.5-moe": {"sliding_window": 131072, "input_jitter_noise": 0.01, "hidden_dropout": 0.0,
                    "original_max_position_embeddings": 4096},
    "ernie-4.5-21b-a3b": {"use_rmsnorm": True, "moe_capacity": [64, 64, 64], "moe_gate": "topk",
                          "moe_use_aux_free": True, "num_nextn_predict_layers": 1, "is_quantized": False},
}  # fmt: skip
"""As the sources of their rows have them."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_files_as_they_were_published_are_read(name):
    config = {**json.loads(NAMED[name]["config_json"]), **PUBLISHED[name]}
    network = read_network(config, name, NAMED[name]["class"])
    assert network.params == int(NAMED[name]["params"])
    if name == "command-r-plus":
        assert network.max_context == 131072


def test_minimax_01_lists_its_layers_as_ones_and_zeros():
    """The published MiniMax-Text-01: softmax attention in every eighth of 80 layers."""
    config = {key: value for key, value in json.loads(NAMED["minimax-text-01"]["config_json"]).items()
              if key != "layer_types"}  # fmt: skip
    more = {"attn_type_list": ([0] * 7 + [1]) * 10, "postnorm": True, "rotary_dim": 64, "shared_intermediate_size": 0,
            "shared_moe_mode": "sigmoid", "layernorm_mlp_alpha": 3.5565588200778455}  # fmt: skip
    network = read_network({**config, **more}, "minimax", "MiniMaxText01ForCausalLM")
    assert network.params == int(NAMED["minimax-text-01"]["params"])
    assert network.shape.attention_count == 10


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


PASSED_OVER = {
    "gpt2-xl": ("GPT2LMHeadModel", 1557611200, {
        "model_type": "gpt2", "n_ctx": 1024, "n_embd": 1600, "n_head": 25, "n_layer": 48, "n_positions": 1024,
        "output_past": True, "summary_type": "cls_index", "vocab_size": 50257,
    }),
    "smollm2-135m": ("LlamaForCausalLM", 134515008, {
        "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "is_llama_config": True,
        "num_attention_heads": 9, "num_hidden_layers": 30, "num_key_value_heads": 3, "rope_interleaved": False,
        "tie_word_embeddings": True, "max_position_embeddings": 8192, "vocab_size": 49152,
    }),
    "falcon-11b": ("FalconForCausalLM", 10836484096, {
        "model_type": "falcon", "alibi": False, "bias": False, "ff_factor": 4, "ffn_hidden_size": 16384,
        "hidden_size": 4096, "multi_query": True, "new_decoder_architecture": True, "num_attention_heads": 32,
        "num_hidden_layers": 60, "num_kv_heads": 8, "num_ln_in_parallel_attn": 1, "parallel_attn": True,
        "max_position_embeddings": 8192, "vocab_size": 65024,
    }),
}  # fmt: skip
"""Configurations with fields that their classes in transformers 5.23 pass over; parameters counted on the classes."""


@pytest.mark.parametrize("name", PASSED_OVER)
def test_fields_that_the_classes_pass_over_are_no_obstacle(name):
    architecture, params, config = PASSED_OVER[name]
    assert read_network({"architectures": [architecture], **config}, name).params == params
