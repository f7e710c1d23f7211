"""Count parameters and FLOPs of language models on the real transformers modules, on the meta device.

Run by hand, in an environment with the ``reference`` extra; the tests read only its result:

    python tests/reference/count_llm.py > tests/reference/llm_extra_truth.csv

One forward pass of 2048 tokens, one sample, logits at all positions. Matrix products (mm, addmm, grouped_mm) are
linear, SDPA and batched products are attention, a masked or causal SDPA being counted in full. Models with a recurrent
mixer leave the attention column empty: their torch fallback is not the algorithm a fused kernel runs. The Llama 4
module sends every token through every expert (a batched product, masked by zeros); of that product the share of the
active experts is counted as linear. Shapes are the defaults of the configuration class unless the row says otherwise;
`shape` says which model they are close to.
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
    ("MistralModel", "class defaults", {}),
    ("Qwen3Model", "class defaults", {}),
    ("GemmaModel", "class defaults", {}),
    ("Gemma3TextModel", "class defaults", {}),
    ("Phi3Model", "class defaults", {}),
    ("T5EncoderModel", "class defaults (T5-small)", {}),
    ("UMT5EncoderModel", "class defaults (UMT5-small)", {}),
    ("CLIPTextModelWithProjection", "class defaults", {"max_position_embeddings": 2048}),
)  # fmt: skip
RECURRENT = ("NemotronHForCausalLM", "Qwen3NextForCausalLM", "Qwen3_5MoeForCausalLM")


def grouped_flops(a_shape, b_shape, *args, out_shape=None, **kwargs):
    """FLOPs of one grouped product: every row meets one expert's matrix."""
    return 2 * a_shape[0] * a_shape[1] * b_shape[-1]


def count(name: str, overrides: dict[str, object]) -> tuple[int, int, int]:
    """Parameters, linear FLOPs and attention FLOPs of one forward pass."""
    model_class = getattr(transformers, name)
    config = model_class.config_class(**overrides)
    dense_experts = name == "Llama4ForCausalLM"
    if hasattr(config, "num_experts_per_tok") and not dense_experts:
        config._experts_implementation = "grouped_mm"
    with torch.device("meta"):
        model = model_class._from_config(config, dtype=torch.bfloat16).eval()
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
    return sum(parameters.values()), linear, attention


def main() -> int:
    """Print the table; 1 if a case could not be counted, so that a shorter table is not taken for a whole one."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["class", "shape", "config_json", "tokens", "params", "flops_linear", "flops_attention", "package"])
    package = f"transformers {transformers.__version__} / torch {torch.__version__}"
    failed = 0
    for name, shape, overrides in CASES:
        try:
            params, linear, attention = count(name, overrides)
        except (RuntimeError, NotImplementedError, ValueError) as error:
            print(f"{name} ({shape}): {error}", file=sys.stderr)
            failed += 1
            continue
        shown = "" if name in RECURRENT else attention
        writer.writerow([name, shape, json.dumps(overrides), TOKENS, params, linear, shown, package])
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
