"""Configurations read, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.shape import DecoderShape
from costline.models.encoder import Encoder
from costline.models.files import read_config_file
from costline.models.importer import READERS, read_network

EXAMPLES = Path(__file__).parents[3] / "examples"


def local(network):
    return network.shape.local_layers, network.shape.local_tokens


@pytest.mark.parametrize("name", sorted(key for key, place in READERS.items() if place.startswith("decoders.")))
def test_every_decoder_reader_lists_what_it_does_not_know(name):
    config = {"twisted_attention": 3, "text_config": {"twisted_attention": 3}}
    if not name.endswith("ConditionalGeneration"):
        del config["text_config"]
    with pytest.raises(ConfigError, match=r"^strange: .*'twisted_attention' is not known to leave the count unchanged"):
        read_network(config, "strange", name)


@pytest.mark.parametrize(
    ("architecture", "config", "expected"),
    [
        ("MistralForCausalLM", {}, (32, 4096)),
        ("MistralForCausalLM", {"sliding_window": None}, (0, 0)),
        ("MixtralForCausalLM", {"sliding_window": 4096}, (32, 4096)),
        ("Qwen2ForCausalLM", {}, (0, 0)),
        ("Qwen2ForCausalLM", {"use_sliding_window": True, "max_window_layers": 20}, (12, 4096)),
        ("Qwen2ForCausalLM", {"use_sliding_window": True, "max_window_layers": 99}, (0, 0)),
        (
            "Qwen3ForCausalLM",
            {
                "use_sliding_window": True,
                "num_hidden_layers": 3,
                "layer_types": ["full_attention", "sliding_attention", "full_attention"],
            },
            (1, 4096),
        ),
        ("Gemma2ForCausalLM", {}, (13, 4096)),
        ("Gemma2ForCausalLM", {"layer_types": ["full_attention"] * 26}, (0, 0)),
        ("Gemma3ForCausalLM", {"num_hidden_layers": 62, "sliding_window": 1024}, (52, 1024)),
        ("Gemma3ForCausalLM", {"sliding_window_pattern": 2, "num_hidden_layers": 8}, (4, 4096)),
        ("GptOssForCausalLM", {}, (18, 128)),
        ("GptOssForCausalLM", {"num_hidden_layers": 2, "layer_types": ["sliding_attention"] * 2}, (2, 128)),
        ("Phi3ForCausalLM", {"sliding_window": 2047}, (32, 2047)),
        ("Llama4ForCausalLM", {}, (36, 8192)),
        ("Llama4ForCausalLM", {"attention_chunk_size": None}, (0, 0)),
        ("Llama4ForCausalLM", {"no_rope_layers": [1, 1, 0, 1], "num_hidden_layers": 4}, (3, 8192)),
        (
            "Llama4ForCausalLM",
            {"num_hidden_layers": 2, "layer_types": ["chunked_attention", "full_attention"]},
            (1, 8192),
        ),
        ("SmolLM3ForCausalLM", {"sliding_window": 512}, (0, 0)),
        ("SmolLM3ForCausalLM", {"sliding_window": 512, "use_sliding_window": True}, (9, 512)),
        (
            "SmolLM3ForCausalLM",
            {
                "sliding_window": 512,
                "use_sliding_window": True,
                "num_hidden_layers": 3,
                "no_rope_layers": [0, 1, 0],
            },
            (2, 512),
        ),
        ("Exaone4ForCausalLM", {}, (24, 4096)),
        ("Exaone4ForCausalLM", {"sliding_window_pattern": "LLLG"}, (24, 4096)),
        ("Exaone4ForCausalLM", {"sliding_window_pattern": "LLLG", "num_hidden_layers": 30}, (22, 4096)),
        ("Exaone4ForCausalLM", {"sliding_window": None, "sliding_window_pattern": None}, (0, 0)),
        ("Cohere2ForCausalLM", {}, (30, 4096)),
        ("Cohere2ForCausalLM", {"_sliding_window_pattern": 2}, (20, 4096)),
        ("Olmo3ForCausalLM", {}, (24, 4096)),
        ("Olmo3ForCausalLM", {"layer_types": ["full_attention"] * 32}, (0, 0)),
        ("MinistralForCausalLM", {}, (32, 4096)),
        ("Ministral3ForCausalLM", {}, (0, 0)),
        ("PhimoeForCausalLM", {"sliding_window": 2047}, (32, 2047)),
        ("Starcoder2ForCausalLM", {"sliding_window": 4096}, (30, 4096)),
        ("Dots1ForCausalLM", {"n_routed_experts": 8, "num_experts_per_tok": 2, "max_window_layers": 60}, (2, 4096)),
        ("AfmoeForCausalLM", {}, (24, 1024)),
    ],
)
def test_local_layers(architecture, config, expected):
    assert local(read_network(config, "local", architecture)) == expected


@pytest.mark.parametrize(
    ("architecture", "config", "message"),
    [
        ("Gemma2ForCausalLM", {"layer_types": ["full_attention"]}, "lists 1 layers, 'num_hidden_layers' says 26"),
        (
            "GptOssForCausalLM",
            {"layer_types": ["odd"] * 36},
            "has 'odd'; known here: full_attention, sliding_attention",
        ),
        ("Qwen2MoeForCausalLM", {"layer_types": ["sliding_attention"] * 24}, "sliding layers in 'layer_types' are not"),
        ("GemmaForCausalLM", {"use_bidirectional_attention": True}, "'use_bidirectional_attention'"),
        ("GPT2LMHeadModel", {"add_cross_attention": True}, "'add_cross_attention' is not known"),
        ("MptForCausalLM", {"attn_config": {"alibi": False}}, "attn_config: field 'alibi'"),
        ("MptForCausalLM", {"no_bias": False}, "field 'no_bias'"),
        ("DeepseekV3ForCausalLM", {"moe_layer_freq": 2}, "field 'moe_layer_freq'"),
        ("DeepseekV2ForCausalLM", {}, "field 'num_experts_per_tok': Field required"),
        ("GlmMoeDsaForCausalLM", {"index_topk_pattern": "FSX"}, "must name F or S for each of 78 layers, has 3"),
        ("GlmMoeDsaForCausalLM", {"mlp_layer_types": ["dense"] * 5}, "'mlp_layer_types' lists 5 layers, .* says 78"),
        ("Llama4ForCausalLM", {"no_rope_layers": [1, 0]}, "'no_rope_layers' lists 2 layers, .* says 48"),
        ("Llama4ForCausalLM", {"moe_layers": [1, 3, 48]}, "'moe_layers' lists layer 48; the 48 layers are 0 to 47"),
        ("Llama4ForCausalLM", {"moe_layers": [1, 1]}, "'moe_layers' lists layer 1 twice"),
        ("Qwen3MoeForCausalLM", {"mlp_only_layers": [24]}, "'mlp_only_layers' lists layer 24; the 24 layers"),
        ("MiniMaxM2ForCausalLM", {"attn_type_list": [1] * 3}, "'attn_type_list' lists 3 layers, .* says 62"),
        ("MiniMaxM2ForCausalLM", {"attn_type_list": [0] * 62}, "field 'attn_type_list.0'"),
        (
            "NemotronHForCausalLM",
            {"hybrid_override_pattern": "M*M-", "num_hidden_layers": 52},
            "'hybrid_override_pattern' lists 4 layers, 'num_hidden_layers' says 52",
        ),
        *(
            (name, {width: 4096, heads: 31}, "31 attention heads do not divide the width 4096")
            for name, width, heads in (
                ("LlamaForCausalLM", "hidden_size", "num_attention_heads"),
                ("GPT2LMHeadModel", "n_embd", "n_head"),
                ("GPTNeoXForCausalLM", "hidden_size", "num_attention_heads"),
                ("OPTForCausalLM", "hidden_size", "num_attention_heads"),
                ("BloomForCausalLM", "hidden_size", "n_head"),
                ("FalconForCausalLM", "hidden_size", "num_attention_heads"),
                ("PhiForCausalLM", "hidden_size", "num_attention_heads"),
                ("MptForCausalLM", "d_model", "n_heads"),
                ("Phi3Model", "hidden_size", "num_attention_heads"),
            )
        ),
        ("Exaone4ForCausalLM", {"sliding_window_pattern": "LXG"}, "must be L and G, got 'LXG'"),
        ("Cohere2ForCausalLM", {"head_dim": 64}, "'head_dim' is 64, the model over its heads 128"),
        ("Cohere2ForCausalLM", {"layer_switch": 3}, "'layer_switch' 3 differs from 'sliding_window_pattern'"),
        ("Cohere2ForCausalLM", {"use_qk_norm": True}, "field 'use_qk_norm'"),
        ("ApertusForCausalLM", {"hidden_act": "silu"}, "field 'hidden_act'"),
        ("Dots1ForCausalLM", {}, "field 'n_routed_experts': Field required"),
        ("SolarOpenForCausalLM", {"first_k_dense_replace": 1}, "field 'first_k_dense_replace'"),
        ("HunYuanMoEV1ForCausalLM", {"use_cla": True}, "field 'use_cla'"),
        ("HunYuanMoEV1ForCausalLM", {"num_shared_expert": 2}, "'num_shared_expert' other than 1"),
        (
            "HunYuanMoEV1ForCausalLM",
            {"num_hidden_layers": 2, "num_experts": [8, 16]},
            "'num_experts' differs between layers, from 8 to 16",
        ),
        ("HunYuanMoEV1ForCausalLM", {"num_experts": [8, 8]}, "'num_experts' lists 2 layers, .* says 32"),
        ("HunYuanMoEV1ForCausalLM", {"moe_intermediate_size": 3072}, "differs from 'intermediate_size', 11008"),
        ("DbrxForCausalLM", {"ffn_config": {"moe_experts": 4}}, "ffn_config: field 'moe_experts'"),
        ("DeepseekV32ForCausalLM", {"layer_types": ["indexed_attention"]}, "'layer_types' lists 1 layers, .* says 61"),
        ("MambaForCausalLM", {"use_bias": True}, "field 'use_bias'"),
        ("Mamba2ForCausalLM", {"num_heads": 64}, "64 heads of 64 are not 2 times the width"),
        ("BambaForCausalLM", {"mamba_n_heads": 96}, "96 heads of the recurrent mixer do not divide its width 8192"),
        ("BambaForCausalLM", {"mamba_d_head": 32}, "'mamba_d_head' is 32, the width over the heads 64"),
        ("BambaForCausalLM", {"attn_layer_indices": [32]}, "'attn_layer_indices' lists layer 32; the 32 layers"),
        ("FalconH1ForCausalLM", {"projectors_bias": True}, "field 'projectors_bias'"),
        ("GraniteMoeHybridForCausalLM", {"layer_types": ["mamba"]}, "'layer_types' lists 1 layers, .* says 32"),
        ("KimiLinearForCausalLM", {"linear_attn_config": {"use_full_rank_gate": True}}, "'use_full_rank_gate'"),
        (
            "KimiLinearForCausalLM",
            {"linear_attn_config": {"kda_layers": [1, 2], "full_attn_layers": [3]}},
            "'linear_attn_config' lists 3 of 27 layers",
        ),
        ("LongcatFlashForCausalLM", {}, "cannot be counted: some of the experts a token chooses do nothing"),
        ("Gemma3nForCausalLM", {}, "cannot be counted: its layers mix several streams"),
        ("MptForCausalLM", {"attn_config": 5}, "field 'attn_config': Input should be a valid dictionary, got 5"),
        ("MiniMaxM2ForCausalLM", {"use_qk_norm": False}, "use_qk_norm=false is not known"),
        ("NemotronHForCausalLM", {"hybrid_override_pattern": "M*X"}, "block 'X' is not known"),
        ("NemotronHForCausalLM", {}, "no blocks"),
        ("FalconForCausalLM", {"num_ln_in_parallel_attn": 3}, "field 'num_ln_in_parallel_attn'"),
        ("LlamaForCausalLM", {"hidden_size": "4096"}, "field 'hidden_size': Input should be a valid integer"),
        ("LlamaForCausalLM", {"hidden_size": True}, "field 'hidden_size'"),
        ("LlamaForCausalLM", {"num_hidden_layers": 10**12}, "field 'num_hidden_layers'"),
        (
            "LlamaForCausalLM",
            {"num_attention_heads": 6, "num_key_value_heads": 4, "head_dim": 64},
            "impossible decoder: heads",
        ),
        ("Gemma3ForConditionalGeneration", {}, "a multimodal configuration without 'text_config'"),
        ("T5EncoderModel", {"feed_forward_proj": "gated-relu"}, "field 'feed_forward_proj'"),
        ("CLIPTextModel", {"vision_config": {"hidden_size": 4}}, "'vision_config' is not known"),
    ],
)
def test_what_is_refused(architecture, config, message):
    with pytest.raises(ConfigError, match=f"^strange: .*{message}"):
        read_network(config, "strange", architecture)


def test_falcon_files_of_two_generations_agree():
    older = {"n_embed": 8192, "n_layer": 60, "n_head": 128, "n_head_kv": 8, "new_decoder_architecture": True}
    newer = {"hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8,
             "new_decoder_architecture": True}  # fmt: skip
    one, two = (read_network(config, "falcon-40b", "FalconForCausalLM") for config in (older, newer))
    assert one.shape == two.shape


def test_shared_indexers_of_three_notations_agree():
    frequency = {"num_hidden_layers": 6, "index_topk_freq": 2, "index_skip_topk_offset": 2}
    kinds = ["full", "full", "shared", "full", "shared", "full"]
    pattern = {"num_hidden_layers": 6, "index_topk_pattern": "FFSFSF"}
    listed = {"num_hidden_layers": 6, "indexer_types": kinds}
    networks = [read_network(config, "glm", "GlmMoeDsaForCausalLM") for config in (frequency, pattern, listed)]
    assert {network.shape.index_layers for network in networks} == {4}


def test_blocks_of_a_hybrid_in_letters_and_words_agree():
    words = ["linear_attention", "moe", "full_attention", "mlp"]
    configs = ({"hybrid_override_pattern": "ME*-"}, {"layer_types": words}, {"layers_block_type": words})
    shapes = [read_network(config, "hybrid", "NemotronHForCausalLM").shape for config in configs]
    assert shapes[0] == shapes[1] == shapes[2]


def test_a_multimodal_configuration_counts_its_language_model_and_says_so():
    config = json.loads((EXAMPLES / "llama-4-maverick" / "config.json").read_text(encoding="utf-8"))
    whole = read_network(config, "llama-4-maverick")
    alone = read_network(config["text_config"], "text", "Llama4ForCausalLM")
    assert isinstance(whole, Decoder)
    assert whole.params == alone.params
    assert "vision" in whole.note
    assert alone.note == ""


def test_qwen_vl_is_read_flat_and_nested():
    text = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
            "num_key_value_heads": 4, "vocab_size": 152064}  # fmt: skip
    flat = {**text, "vision_config": {"depth": 32}, "vision_start_token_id": 151652, "image_token_id": 151655}
    nested = {"text_config": text, "vision_config": {"depth": 32}}
    networks = [read_network(config, "vl", "Qwen2_5_VLForConditionalGeneration") for config in (flat, nested)]
    assert [network.params for network in networks] == [7_615_616_512] * 2  # Qwen2.5-7B, flops_truth.csv
    assert isinstance(read_network(nested, "vl", "Qwen2_5_VLModel"), Encoder)


@pytest.mark.parametrize(
    "architecture",
    ["Mistral3ForConditionalGeneration", "KimiK25ForConditionalGeneration", "Kimi_K25ForConditionalGeneration"],
)
def test_wrappers_read_their_text_part(architecture):
    network = read_network({"text_config": {}, "vision_config": {}}, "wrapped", architecture)
    inner = {"M": "MistralForCausalLM", "K": "DeepseekV3ForCausalLM"}[architecture[0]]
    assert network.shape == read_network({}, "inner", inner).shape


def test_minimax_and_qwen_next_and_trunk_readers_are_reachable():
    assert read_network({}, "m2", "MiniMaxM2ForCausalLM").shape.qk_norm == "width"
    assert read_network({}, "next", "Qwen3NextForCausalLM").shape.delta_layers == 36
    assert read_network({"text_config": {}}, "gemma", "Gemma3Model").layers == 26
    assert read_network({"text_config": {}}, "mistral", "Mistral3Model").layers == 32


def test_a_recurrent_trunk_holds_its_mixers():
    shape = DecoderShape(
        layers=2, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=32, ffn=16, delta_layers=1, delta_key_heads=1,
        delta_value_heads=2, delta_key_dim=4, delta_value_dim=4, conv_kernel=4,
    )  # fmt: skip
    assert (shape.attention_count, shape.dense_count, shape.moe_count) == (1, 2, 0)


def test_a_null_flag_is_false():
    """As in transformers, where attention_bias goes to nn.Linear(bias=...): null is no bias, whatever the default."""
    for name in ("LlamaForCausalLM", "GptOssForCausalLM"):
        null, off = (read_network({"attention_bias": value}, "own", name) for value in (None, False))
        assert null.params == off.params
    tied = read_network({"tie_word_embeddings": None}, "own", "GPT2LMHeadModel")
    assert tied.params - read_network({}, "own", "GPT2LMHeadModel").params == 50257 * 768


def test_no_output_gate_takes_a_width_of_queries_from_the_projection():
    """12 attention layers of Qwen3-Next, each query projection 2048 x 16 x 256 narrower."""
    gated, plain = (read_network({"attn_output_gate": value}, "own", "Qwen3NextForCausalLM") for value in (True, False))
    assert gated.params - plain.params == 12 * 2048 * 16 * 256
    assert read_network({}, "own", "Qwen3NextForCausalLM").params == gated.params


def test_shared_experts_of_a_hybrid_are_as_many_as_stated():
    """Two matrices (no gate) of 4096 x 7688 for each shared expert of the one layer that has any."""

    def counted(**more):
        return read_network({"hybrid_override_pattern": "M*E-", **more}, "own", "NemotronHForCausalLM").params

    assert counted(n_shared_experts=4) - counted() == 3 * 2 * 4096 * 7688
    assert counted() - counted(n_shared_experts=0) == counted(n_shared_experts=None) - counted() + 2 * 2 * 4096 * 7688


@pytest.mark.parametrize(
    ("name", "says"),
    [("deepseek-v3", "num_nextn_predict_layers 1"), ("qwen3.5-397b-a17b", "mtp_num_hidden_layers 1")],
)
def test_modules_that_predict_further_tokens_are_left_out_and_that_is_said(name, says):
    config = json.loads((EXAMPLES / name / "config.json").read_text(encoding="utf-8"))
    assert f"multi-token prediction are not counted ({says})" in read_network(config, name).note


def test_gemma_writes_its_pattern_under_two_names():
    older, newer = (
        read_network({key: 2, "num_hidden_layers": 8}, "own", "Gemma3ForCausalLM")
        for key in ("sliding_window_pattern", "_sliding_window_pattern")
    )
    assert local(older) == local(newer) == (4, 4096)


LLAMA = json.loads((EXAMPLES / "llama-3.1-8b" / "config.json").read_text())
QWEN35 = {
    "architectures": ["Qwen3_5ForConditionalGeneration"], "tie_word_embeddings": False, "vision_config": {"depth": 27},
    "text_config": {
        "attn_output_gate": True, "full_attention_interval": 4, "head_dim": 256, "hidden_size": 5120,
        "intermediate_size": 17408, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16,
        "linear_num_value_heads": 48, "linear_value_head_dim": 128, "mlp_only_layers": [], "num_attention_heads": 24,
        "num_hidden_layers": 64, "num_key_value_heads": 4, "vocab_size": 248320, "mamba_ssm_dtype": "float32",
    },
}  # fmt: skip
QWEN3_VL = {
    "architectures": ["Qwen3VLForConditionalGeneration"], "tie_word_embeddings": False, "vision_config": {"depth": 27},
    "text_config": {
        "head_dim": 128, "hidden_size": 4096, "intermediate_size": 12288, "num_attention_heads": 32,
        "num_hidden_layers": 36, "num_key_value_heads": 8, "vocab_size": 151936, "attention_bias": False,
    },
}  # fmt: skip
QWEN3_VL_MOE = {
    "architectures": ["Qwen3VLMoeForConditionalGeneration"], "tie_word_embeddings": False,
    "text_config": {
        "head_dim": 128, "hidden_size": 2048, "intermediate_size": 6144, "num_attention_heads": 32, "num_experts": 128,
        "num_experts_per_tok": 8, "moe_intermediate_size": 768, "num_hidden_layers": 48, "num_key_value_heads": 4,
        "vocab_size": 151936, "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": True,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "params"),
    [(QWEN35, 26_895_998_464), (QWEN3_VL, 8_190_735_360), (QWEN3_VL_MOE, 30_532_122_624)],
    ids=["Qwen3.5-27B", "Qwen3-VL-8B", "Qwen3-VL-30B-A3B"],
)
def test_language_models_inside_others_count_as_their_modules_do(config, params):
    """Counted on Qwen3_5ForCausalLM, Qwen3ForCausalLM and Qwen3MoeForCausalLM of transformers 5.23.0, meta device."""
    assert read_network(config, "qwen").params == params


def test_what_old_versions_wrote_into_every_configuration_is_passed_over(tmp_path):
    """Kimi K2.5's config.json holds settings of sampling and no pruned heads, Nemotron's an infinite limit."""
    config = {**LLAMA, "num_beams": 1, "length_penalty": 1.0, "diversity_penalty": 0.0, "pruned_heads": {}}
    assert read_network(config, "llama").params == read_network(LLAMA, "llama").params
    with pytest.raises(ConfigError, match="pruned_heads"):
        read_network({**config, "pruned_heads": {"0": [1]}}, "llama")
    file = tmp_path / "config.json"
    file.write_text('{"time_step_limit": [0.0, Infinity], "hidden_size": Infinity}')
    assert read_config_file(file)["time_step_limit"] == [0.0, "Infinity"]
    with pytest.raises(ConfigError, match="hidden_size"):
        read_network({**LLAMA, "hidden_size": read_config_file(file)["hidden_size"]}, "llama")


@pytest.mark.parametrize(
    ("kind", "nested"), [("Qwen3MoeForCausalLM", ""), ("Qwen3VLMoeForConditionalGeneration", "text_config")]
)
def test_version_5_of_transformers_saves_the_number_of_experts_under_another_name(kind, nested):
    """As `save_pretrained` of 5.23 writes it; the real module of the text has 15,350,731,776 parameters."""
    text = {
        "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 24, "num_attention_heads": 32,
        "num_key_value_heads": 4, "head_dim": 64, "vocab_size": 151936, "moe_intermediate_size": 768,
        "num_experts_per_tok": 8, "num_local_experts": 128, "decoder_sparse_step": 1, "mlp_only_layers": [],
        "norm_topk_prob": False, "tie_word_embeddings": False,
    }  # fmt: skip
    config = {"architectures": [kind], **({nested: text} if nested else text)}
    assert read_network(config, "saved").params == 15_350_731_776
