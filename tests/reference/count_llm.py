"""Count parameters and FLOPs of language models on the real transformers modules, on the meta device.

Run by hand, in an environment with the ``reference`` extra; the tests read only its result:

    python tests/reference/count_llm.py > tests/reference/llm_extra_truth.csv

One forward pass of 2048 tokens, one sample, logits at all positions. Matrix products (mm, addmm, grouped_mm) are
linear, SDPA and batched products are attention, a masked or causal SDPA being counted in full. Models with a recurrent
mixer leave the attention column empty: their torch fallback is not the algorithm a fused kernel runs. The Llama 4
module sends every token through every expert (a batched product, masked by zeros); of that product the share of the
active experts is counted as linear. Shapes are the defaults of the configuration class unless the row says otherwise;
`shape` says which model they are close to; `saved_json` is the file that transformers writes beside such a model.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys

import torch
import transformers
from torch.utils.flop_counter import FlopCounterMode
from transformers import masking_utils

masking_utils.find_packed_sequence_indices = lambda position_ids: None  # reads values, which meta tensors have not
TOKENS = 2048
NEMOTRON = {
    "hybrid_override_pattern": "MEMEM*EMEMEM*E-", "hidden_size": 2688, "num_attention_heads": 32,
    "num_key_value_heads": 2, "head_dim": 128, "mamba_num_heads": 64, "mamba_head_dim": 64, "n_routed_experts": 128,
    "num_experts_per_tok": 6, "moe_intermediate_size": 1856, "moe_shared_expert_intermediate_size": 3712,
    "intermediate_size": 4096, "num_hidden_layers": 15,
}  # fmt: skip
CASES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("GPT2LMHeadModel", "class defaults", {"n_positions": 2048}),
    ("GPTJForCausalLM", "class defaults (GPT-J-6B)", {}),
    ("PhiForCausalLM", "class defaults", {}),
    ("PhiForCausalLM", "with query-key norms", {"qk_layernorm": True, "num_key_value_heads": 8}),
    ("MptForCausalLM", "class defaults", {}),
    ("OPTForCausalLM", "like OPT-350M", {
        "hidden_size": 1024, "num_hidden_layers": 24, "ffn_dim": 4096, "num_attention_heads": 16,
        "word_embed_proj_dim": 512, "do_layer_norm_before": False,
    }),
    ("BloomForCausalLM", "small", {"hidden_size": 1024, "n_layer": 4, "n_head": 16}),
    ("FalconForCausalLM", "class defaults (Falcon-7B)", {}),
    ("FalconForCausalLM", "like Falcon-40B", {
        "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8,
        "new_decoder_architecture": True,
    }),
    ("FalconForCausalLM", "one norm, biases", {
        "new_decoder_architecture": True, "num_kv_heads": 71, "num_ln_in_parallel_attn": 1, "bias": True,
    }),
    ("FalconForCausalLM", "sequential, ALiBi", {"parallel_attn": False, "alibi": True, "multi_query": False}),
    ("GPTNeoXForCausalLM", "sequential", {"use_parallel_residual": False, "num_hidden_layers": 2}),
    ("LlamaForCausalLM", "with biases", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    ("GemmaForCausalLM", "class defaults (Gemma-7B)", {}),
    ("Gemma3ForCausalLM", "class defaults", {}),
    ("Qwen2MoeForCausalLM", "class defaults (Qwen1.5-MoE-A2.7B)", {}),
    ("Qwen2MoeForCausalLM", "every other layer", {"decoder_sparse_step": 2, "mlp_only_layers": [3]}),
    ("MiniMaxM2ForCausalLM", "class defaults (MiniMax-M2)", {}),
    ("Llama4ForCausalLM", "class defaults (Llama-4-Scout)", {}),
    ("Llama4ForCausalLM", "like Llama-4-Maverick", {"num_local_experts": 128, "interleave_moe_layer_step": 2}),
    ("DeepseekV2ForCausalLM", "like DeepSeek-V2-Lite", {
        "hidden_size": 2048, "intermediate_size": 10944, "moe_intermediate_size": 1408, "num_hidden_layers": 27,
        "num_attention_heads": 16, "q_lora_rank": None, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
    }),
    ("DeepseekV3ForCausalLM", "with biases", {"attention_bias": True, "num_hidden_layers": 5}),
    ("DeepseekV32ForCausalLM", "class defaults (DeepSeek-V3.2)", {}),
    ("GlmMoeDsaForCausalLM", "class defaults (GLM-5)", {}),
    ("GlmMoeDsaForCausalLM", "shared indexers", {"index_topk_freq": 4, "num_hidden_layers": 12}),
    ("GptOssForCausalLM", "like gpt-oss-20b", {"num_hidden_layers": 24, "num_local_experts": 32}),
    ("NemotronHForCausalLM", "like Nemotron-3-Nano, shortened", NEMOTRON),
    ("NemotronHForCausalLM", "with latent experts", {**NEMOTRON, "moe_latent_size": 1024}),
    ("Qwen3NextForCausalLM", "class defaults (Qwen3-Next-80B-A3B)", {}),
    ("Qwen3_5MoeForCausalLM", "class defaults", {}),
    ("Ernie4_5ForCausalLM", "class defaults (ERNIE-4.5-0.3B)", {}),
    ("Ernie4_5ForCausalLM", "untied, biases", {"use_bias": True, "tie_word_embeddings": False, "num_hidden_layers": 2}),
    ("Ernie4_5_MoeForCausalLM", "class defaults (ERNIE-4.5-21B-A3B)", {}),
    ("Ernie4_5_MoeForCausalLM", "every third layer of some, biases", {
        "use_bias": True, "num_hidden_layers": 8, "moe_layer_start_index": 2, "moe_layer_end_index": 6,
        "moe_layer_interval": 3, "moe_num_shared_experts": 1, "tie_word_embeddings": False,
    }),
    ("PhimoeForCausalLM", "class defaults (Phi-3.5-MoE)", {}),
    ("PhimoeForCausalLM", "with biases", {"attention_bias": True, "lm_head_bias": True, "num_hidden_layers": 2}),
    ("SmolLM3ForCausalLM", "class defaults (SmolLM3-3B)", {}),
    ("SmolLM3ForCausalLM", "with biases, untied, sliding", {
        "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False, "num_hidden_layers": 4,
        "use_sliding_window": True, "sliding_window": 512,
    }),
    ("SeedOssForCausalLM", "class defaults", {}),
    ("SeedOssForCausalLM", "biases of the outputs only", {
        "attention_bias": False, "attention_out_bias": True, "mlp_bias": True, "num_hidden_layers": 2,
    }),
    ("Exaone4ForCausalLM", "class defaults", {}),
    ("Exaone4ForCausalLM", "grouped, tied", {
        "num_key_value_heads": 8, "tie_word_embeddings": True, "num_hidden_layers": 6, "sliding_window_pattern": 2,
    }),
    ("CohereForCausalLM", "class defaults (Command R)", {}),
    ("CohereForCausalLM", "norms of queries and keys, biases, untied", {
        "use_qk_norm": True, "attention_bias": True, "num_key_value_heads": 8, "tie_word_embeddings": False,
        "num_hidden_layers": 2,
    }),
    ("Cohere2ForCausalLM", "class defaults", {}),
    ("Cohere2ForCausalLM", "biases", {"attention_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 5}),
    ("OlmoForCausalLM", "class defaults (OLMo-7B)", {}),
    ("OlmoForCausalLM", "biases, grouped", {
        "attention_bias": True, "num_key_value_heads": 8, "tie_word_embeddings": True, "num_hidden_layers": 2,
    }),
    ("Olmo2ForCausalLM", "class defaults", {}),
    ("Olmo2ForCausalLM", "biases, grouped", {"attention_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 2}),
    ("Olmo3ForCausalLM", "class defaults", {}),
    ("Olmo3ForCausalLM", "biases, grouped", {"attention_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 5}),
    ("OlmoeForCausalLM", "class defaults", {}),
    ("OlmoeForCausalLM", "biases, grouped, tied", {
        "attention_bias": True, "num_key_value_heads": 4, "tie_word_embeddings": True, "num_hidden_layers": 2,
    }),
    ("GraniteForCausalLM", "class defaults", {}),
    ("GraniteForCausalLM", "biases, grouped, tied", {
        "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 8, "tie_word_embeddings": True,
        "num_hidden_layers": 2,
    }),
    ("GraniteMoeForCausalLM", "class defaults", {}),
    ("GraniteMoeForCausalLM", "biases", {"attention_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 2}),
    ("GraniteMoeSharedForCausalLM", "a shared expert", {"shared_intermediate_size": 1024, "num_hidden_layers": 2}),
    ("Glm4MoeLiteForCausalLM", "class defaults (GLM-4.7-Flash)", {}),
    ("Glm4MoeLiteForCausalLM", "biases, no rank of queries, dense layers", {
        "attention_bias": True, "q_lora_rank": None, "num_hidden_layers": 4, "n_shared_experts": 2,
        "mlp_layer_types": ["dense", "sparse", "dense", "sparse"],
    }),
    ("DeepseekV32ForCausalLM", "dense layers listed", {
        "num_hidden_layers": 3, "mlp_layer_types": ["sparse", "dense", "sparse"],
    }),
    ("Dots1ForCausalLM", "with experts", {
        "n_routed_experts": 128, "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
        "hidden_size": 4096,
    }),
    ("Dots1ForCausalLM", "biases, grouped, sliding", {
        "n_routed_experts": 16, "n_shared_experts": 1, "num_experts_per_tok": 4, "attention_bias": True,
        "num_key_value_heads": 8, "num_hidden_layers": 4, "max_window_layers": 2,
    }),
    ("SolarOpenForCausalLM", "class defaults (Solar-Open-100B)", {}),
    ("SolarOpenForCausalLM", "biases", {"attention_bias": True, "num_hidden_layers": 2, "n_shared_experts": 2}),
    ("HunYuanDenseV1ForCausalLM", "with a width of heads", {"head_dim": 128}),
    ("HunYuanDenseV1ForCausalLM", "biases, grouped, tied", {
        "head_dim": 64, "attention_bias": True, "num_key_value_heads": 8, "tie_word_embeddings": True,
        "num_hidden_layers": 2,
    }),
    ("HunYuanMoEV1ForCausalLM", "with experts", {
        "head_dim": 128, "num_experts": 16, "moe_topk": 4, "num_hidden_layers": 4, "intermediate_size": 3072,
    }),
    ("HunYuanMoEV1ForCausalLM", "biases, grouped, experts listed", {
        "head_dim": 128, "num_experts": 8, "moe_topk": [2, 2], "num_hidden_layers": 2, "attention_bias": True,
        "num_key_value_heads": 8, "tie_word_embeddings": True,
    }),
    ("Starcoder2ForCausalLM", "class defaults (StarCoder2-3B)", {}),
    ("Starcoder2ForCausalLM", "no biases, untied", {
        "use_bias": False, "tie_word_embeddings": False, "num_hidden_layers": 2, "sliding_window": 1024,
    }),
    ("StableLmForCausalLM", "class defaults (StableLM-3B-4E1T)", {}),
    ("StableLmForCausalLM", "side by side, norms of queries and keys", {
        "use_qkv_bias": True, "qk_layernorm": True, "use_parallel_residual": True, "num_key_value_heads": 8,
        "num_hidden_layers": 2,
    }),
    ("GPTBigCodeForCausalLM", "class defaults", {"n_positions": 2048}),
    ("GPTBigCodeForCausalLM", "all heads, untied", {
        "n_positions": 2048, "multi_query": False, "tie_word_embeddings": False, "n_inner": 2048,
    }),
    ("CodeGenForCausalLM", "class defaults (CodeGen-6B)", {}),
    ("MinistralForCausalLM", "with a width of heads", {"head_dim": 128, "num_hidden_layers": 4}),
    ("Ministral3ForCausalLM", "class defaults", {}),
    ("ApertusForCausalLM", "class defaults", {}),
    ("ApertusForCausalLM", "biases", {"attention_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 2}),
    ("ArceeForCausalLM", "class defaults", {}),
    ("ArceeForCausalLM", "biases, grouped", {
        "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 8, "num_hidden_layers": 2,
    }),
    ("HeliumForCausalLM", "class defaults", {}),
    ("HeliumForCausalLM", "biases", {"attention_bias": True, "mlp_bias": True, "num_hidden_layers": 2}),
    ("GlmForCausalLM", "class defaults (GLM-4-9B)", {}),
    ("Glm4ForCausalLM", "class defaults (GLM-4-9B-0414)", {}),
    ("Glm4ForCausalLM", "no biases, tied", {
        "attention_bias": False, "tie_word_embeddings": True, "num_hidden_layers": 2,
    }),
    ("DbrxForCausalLM", "small", {
        "d_model": 1024, "n_heads": 8, "n_layers": 2,
        "attn_config": {"kv_n_heads": 2, "rope_theta": 500000.0, "clip_qkv": 8.0},
        "ffn_config": {"moe_num_experts": 8, "moe_top_k": 2, "ffn_hidden_size": 1536},
    }),
    ("AfmoeForCausalLM", "class defaults", {}),
    ("AfmoeForCausalLM", "grouped, dense layers, tied", {
        "num_key_value_heads": 4, "num_dense_layers": 2, "num_hidden_layers": 5, "tie_word_embeddings": True,
    }),
    ("HYV3ForCausalLM", "class defaults", {}),
    ("HYV3ForCausalLM", "biases, dense layers", {
        "attention_bias": True, "num_hidden_layers": 3, "mlp_layer_types": ["sparse", "dense", "sparse"],
        "num_shared_experts": 2,
    }),
    ("MambaForCausalLM", "class defaults, shortened", {"num_hidden_layers": 2}),
    ("MambaForCausalLM", "untied, a rank of steps", {
        "num_hidden_layers": 2, "tie_word_embeddings": False, "time_step_rank": 32, "use_conv_bias": False,
    }),
    ("FalconMambaForCausalLM", "class defaults, shortened", {"num_hidden_layers": 2}),
    ("FalconMambaForCausalLM", "like Falcon-Mamba-7B, shortened", {
        "expand": 16, "hidden_size": 4096, "intermediate_size": 8192, "num_hidden_layers": 1, "vocab_size": 65024,
        "time_step_rank": 256, "tie_word_embeddings": False,
    }),
    ("Mamba2ForCausalLM", "class defaults", {}),
    ("Mamba2ForCausalLM", "tied, no bias of the convolution", {
        "tie_word_embeddings": True, "use_conv_bias": False, "num_hidden_layers": 2, "n_groups": 1,
    }),
    ("JambaForCausalLM", "class defaults, shortened (Jamba)", {"num_hidden_layers": 8}),
    ("JambaForCausalLM", "no experts, tied", {
        "num_experts": 1, "num_hidden_layers": 3, "attn_layer_period": 2, "attn_layer_offset": 1,
        "tie_word_embeddings": True,
    }),
    ("BambaForCausalLM", "attending layers listed", {"attn_layer_indices": [1, 4], "num_hidden_layers": 6}),
    ("BambaForCausalLM", "biases", {
        "attn_layer_indices": [1], "num_hidden_layers": 2, "attention_bias": True, "mlp_bias": True,
        "mamba_n_groups": 2,
    }),
    ("FalconH1ForCausalLM", "class defaults, shortened", {"num_hidden_layers": 4}),
    ("FalconH1ForCausalLM", "norm of the mixer, biases", {
        "mamba_rms_norm": True, "attention_bias": True, "mlp_bias": True, "mamba_d_ssm": None, "num_hidden_layers": 2,
    }),
    ("GraniteMoeHybridForCausalLM", "class defaults, shortened", {"num_hidden_layers": 4}),
    ("GraniteMoeHybridForCausalLM", "no experts, attention with rotation and biases", {
        "layer_types": ["linear_attention", "full_attention"], "num_hidden_layers": 2, "num_local_experts": 0,
        "attention_bias": True, "position_embedding_type": "rope", "num_key_value_heads": 8,
    }),
    ("KimiLinearForCausalLM", "class defaults (Kimi-Linear-48B-A3B)", {}),
    ("KimiLinearForCausalLM", "layers listed, other heads", {
        "num_hidden_layers": 3, "layer_types": ["linear_attention", "full_attention", "linear_attention"],
        "mlp_layer_types": ["sparse", "dense", "dense"], "linear_num_heads": 16, "linear_head_dim": 64,
        "q_lora_rank": 768,
    }),
    ("MiniMaxForCausalLM", "class defaults", {}),
    ("MiniMaxForCausalLM", "layers listed", {
        "num_hidden_layers": 3, "layer_types": ["linear_attention", "linear_attention", "full_attention"],
        "num_key_value_heads": 4, "head_dim": 64, "num_local_experts": 32,
    }),
    ("MistralModel", "class defaults", {}),
    ("Qwen3Model", "class defaults", {}),
    ("GemmaModel", "class defaults", {}),
    ("Gemma3TextModel", "class defaults", {}),
    ("Phi3Model", "class defaults", {}),
    ("T5EncoderModel", "class defaults (T5-small)", {}),
    ("UMT5EncoderModel", "class defaults (UMT5-small)", {}),
    ("CLIPTextModelWithProjection", "class defaults", {"max_position_embeddings": 2048}),
)  # fmt: skip
RECURRENT = (
    "NemotronHForCausalLM", "Qwen3NextForCausalLM", "Qwen3_5MoeForCausalLM", "MambaForCausalLM",
    "FalconMambaForCausalLM", "Mamba2ForCausalLM", "JambaForCausalLM", "BambaForCausalLM", "FalconH1ForCausalLM",
    "GraniteMoeHybridForCausalLM", "KimiLinearForCausalLM", "MiniMaxForCausalLM",
)  # fmt: skip
ON_CPU = ("DbrxForCausalLM",)
"""Small models whose experts look for their tokens, which need values; no FLOPs are known of SDPA on a CPU."""


def grouped_flops(a_shape, b_shape, *args, out_shape=None, **kwargs):
    """FLOPs of one grouped product: every row meets one expert's matrix."""
    return 2 * a_shape[0] * a_shape[1] * b_shape[-1]


def count(name: str, overrides: dict[str, object]) -> tuple[int, int, int, str]:
    """Parameters, linear FLOPs, attention FLOPs of one forward pass, and the configuration as a checkpoint has it."""
    model_class = getattr(transformers, name)
    config = model_class.config_class(**overrides)
    saved = json.loads(config.to_json_string())
    dense_experts = name == "Llama4ForCausalLM"
    if hasattr(config, "num_experts_per_tok") and not dense_experts:
        config._experts_implementation = "grouped_mm"
    on_cpu = {"attn_implementation": "eager"} if name in ON_CPU else {}
    with torch.device("cpu" if on_cpu else "meta"):
        model = model_class._from_config(config, dtype=torch.bfloat16, **on_cpu).eval()
        model.requires_grad_(not on_cpu)
        ids = torch.zeros((1, TOKENS), dtype=torch.long)
    parameters = {id(parameter): parameter.numel() for parameter in model.parameters()}
    mapping = {torch.ops.aten._grouped_mm: grouped_flops}
    counter = FlopCounterMode(display=False, depth=None, custom_mapping=mapping)
    with counter, torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
        model(input_ids=ids) if name.endswith(("EncoderModel", "WithProjection")) else model(
            input_ids=ids, use_cache=False
        )
    totals = {str(op): flops for op, flops in counter.get_flop_counts()["Global"].items()}
    linear = sum(flops for op, flops in totals.items() if any(key in op for key in ("aten.mm", "addmm", "_grouped_mm")))
    attention = sum(flops for op, flops in totals.items() if "scaled_dot" in op or "bmm" in op)
    if dense_experts:
        modules = counter.get_flop_counts().items()
        every = sum(sum(flops.values()) for module, flops in modules if module.endswith(".experts"))
        attention -= every
        linear += every * config.num_experts_per_tok // config.num_local_experts
    return sum(parameters.values()), linear, attention, json.dumps(saved)


def main() -> int:
    """Print the table; 1 if a case could not be counted, so that a shorter table is not taken for a whole one."""
    writer = csv.writer(sys.stdout)
    writer.writerow(
        [
            "class",
            "shape",
            "config_json",
            "tokens",
            "params",
            "flops_linear",
            "flops_attention",
            "package",
            "saved_json",
        ]
    )
    package = f"transformers {transformers.__version__} / torch {torch.__version__}"
    failed = 0
    for name, shape, overrides in CASES:
        try:
            params, linear, attention, saved = count(name, overrides)
        except (RuntimeError, ValueError) as error:
            print(f"{name} ({shape}): {error}", file=sys.stderr)
            failed += 1
            continue
        shown = "" if name in RECURRENT else attention
        writer.writerow([name, shape, json.dumps(overrides), TOKENS, params, linear, shown, package, saved])
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
