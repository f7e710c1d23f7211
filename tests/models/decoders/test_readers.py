"""Configurations read, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.shape import DecoderShape
from costline.models.encoder import Encoder
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
        ("GlmMoeDsaForCausalLM", {"index_topk_pattern": "FSX"}, "must name F or S for each of 78 layers"),
        ("MiniMaxM2ForCausalLM", {"use_qk_norm": False}, "use_qk_norm=false is not known"),
        ("NemotronHForCausalLM", {"hybrid_override_pattern": "M*X"}, "block 'X' is not known"),
        ("NemotronHForCausalLM", {}, "no blocks"),
        ("FalconForCausalLM", {"num_ln_in_parallel_attn": 3}, "field 'num_ln_in_parallel_attn'"),
        ("LlamaForCausalLM", {"hidden_size": "4096"}, "field 'hidden_size': Input should be a valid integer"),
        ("LlamaForCausalLM", {"hidden_size": True}, "field 'hidden_size'"),
        ("LlamaForCausalLM", {"num_hidden_layers": 10**12}, "field 'num_hidden_layers'"),
        ("LlamaForCausalLM", {"num_attention_heads": 6, "num_key_value_heads": 4}, "impossible decoder: heads"),
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
