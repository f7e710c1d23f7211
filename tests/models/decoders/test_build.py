"""What the builder promises beyond the counts: absorbed decode, caches, local masks, mixers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.errors import ConfigError
from costline.formulas.attention import chunk_pairs
from costline.models.decoders.build import build_decoder
from costline.models.decoders.shape import DecoderShape, describe_shape
from costline.models.encoders.trunks import as_encoder
from costline.models.importer import read_network
from costline.models.network import total_flops, total_params

DEEPSEEK = read_network({}, "deepseek-v3", "DeepseekV3ForCausalLM")
EXAMPLES = Path(__file__).parents[3] / "examples"
PUBLISHED = {
    # billions of parameters and of active ones in the models' own names; DeepSeek-V3: README_WEIGHTS beside its weights
    "llama-3.1-8b": (8, 8),
    "llama-3.3-70b": (70, 70),
    "llama-3.1-405b": (405, 405),
    "deepseek-v3": (671, 36.6),
    "gpt-oss-20b": (20, 4),
    "qwen3-30b-a3b": (30, 3),
    "qwen3-235b-a22b": (235, 22),
    "llama-4-maverick": (400, 17),
    "qwen3.5-397b-a17b": (397, 17),
    "nemotron-3-nano-30b-a3b": (30, 3),
}


def brute_force_chunk_pairs(queries, keys, chunk):
    return sum(position % chunk + 1 for position in range(keys - queries, keys))


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 20))
def test_chunk_pairs_equal_counting_them(queries, cached, chunk):
    assert chunk_pairs(queries, queries + cached, chunk) == brute_force_chunk_pairs(queries, queries + cached, chunk)


def test_absorbed_decode_has_the_same_weights_and_linear_flops():
    streams = DEEPSEEK.streams(tokens=1, cached=4096, batch=32)
    assert total_params(DEEPSEEK.decode_parts) == DEEPSEEK.params
    absorbed = total_flops(DEEPSEEK.decode_parts, streams, "linear")
    assert absorbed == total_flops(DEEPSEEK.parts, streams, "linear")


def test_absorbed_attention_follows_the_latent():
    # DeepSeek-V3: 61 layers, 128 heads, keys of 512 + 64, values of 512 features (arXiv:2412.19437, section 4.2)
    streams = DEEPSEEK.streams(tokens=1, cached=4095, batch=1)
    assert total_flops(DEEPSEEK.decode_parts, streams, "attention") == 2 * 4096 * 61 * 128 * (576 + 512)


def test_caches_and_flops_of_a_token_are_those_of_the_paper():
    # arXiv:2505.09343: 70 KB of cache a token against 516 KB, 250 GFLOP of training against 2,448 (sequences of 4,096)
    config = json.loads((EXAMPLES / "llama-3.1-405b" / "config.json").read_text(encoding="utf-8"))
    llama = read_network(config, "llama-3.1-405b")
    for network, cache, training in ((DEEPSEEK, 70e3, 250e9), (llama, 516e3, 2448e9)):
        assert network.cache_elements(1) * 2 == pytest.approx(cache, rel=0.005)
        forward = network.flops(network.streams(tokens=4096, logits=4096), convention="exact")
        assert 3 * forward / 4096 == pytest.approx(training, rel=0.02)


def test_sliding_windows_keep_only_the_window():
    network = read_network({}, "gpt-oss-120b", "GptOssForCausalLM")
    growth = network.cache_elements(10_001) - network.cache_elements(10_000)
    assert growth == 18 * 2 * 8 * 64  # half of 36 layers
    assert network.cache_elements(100) == 100 * 36 * 2 * 8 * 64


def test_a_recurrent_state_does_not_grow():
    config = json.loads((EXAMPLES / "nemotron-3-nano-30b-a3b" / "config.json").read_text(encoding="utf-8"))
    network = read_network(config, "nano")
    assert network.cache_elements(1001) - network.cache_elements(1000) == 6 * 2 * 2 * 128  # six attention layers
    assert network.cache_elements(0) > 23 * 64 * 64 * 128  # 23 Mamba layers, 64 heads of 64 features, state 128


def test_an_indexer_keeps_everything_but_attends_to_few():
    network = read_network({}, "deepseek-v3.2", "DeepseekV32ForCausalLM")
    (core,) = (part for part in network.decode_parts if part.name == "block/attention/core")
    streams = network.streams(tokens=1, cached=99_999)
    assert core.pairs(streams) == 2048
    assert network.cache_elements(100_000) == 100_000 * 61 * (576 + 128)


@pytest.mark.parametrize("name", PUBLISHED)
def test_examples_have_the_published_parameters(name):
    network = read_network(json.loads((EXAMPLES / name / "config.json").read_text(encoding="utf-8")), name)
    total, active = PUBLISHED[name]
    embedding = next(part.params for part in network.parts if part.name == "embed/tokens")
    assert network.params / 1e9 == pytest.approx(total, rel=0.06)
    # some count the embedding table among the active parameters, some do not
    assert (network.active_params - embedding) / 1e9 < active * 1.08
    assert network.active_params / 1e9 > active * 0.98


def test_a_trunk_leaves_head_and_cache_behind():
    llama = read_network({}, "llama", "LlamaForCausalLM")
    trunk = as_encoder(llama)
    assert trunk.params == llama.params - 32000 * 4096
    streams, same = trunk.streams(tokens=300), llama.streams(tokens=300, logits=0)
    assert trunk.flops(streams) == llama.flops(same)


def test_a_decoder_without_shape_is_no_encoder():
    llama = read_network({}, "llama", "LlamaForCausalLM")
    bare = type(llama)(name="x", architecture="x", parts=llama.parts, layers=1, hidden_size=1, vocab_size=1)
    with pytest.raises(ConfigError, match="x: only a decoder built from a shape"):
        as_encoder(bare)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"heads": 3, "kv_heads": 2}, "not a multiple of kv_heads"),
        ({"hidden": 0}, "hidden must be at least 1, got 0"),
        ({"ffn": 0}, "2 dense layers need ffn"),
        ({"experts": 4, "active_experts": 8, "expert_ffn": 4}, r"active_experts \(8\) exceeds experts \(4\)"),
        ({"experts": 4}, "needs experts, active_experts and expert_ffn"),
        ({"local_layers": 3, "local_tokens": 8}, r"local_layers \(3\) exceeds 2"),
        ({"local_layers": 1}, "needs local_tokens"),
        ({"norms": 3}, "norms must be 1, 2 or 4"),
        ({"head_dim": 0}, "attention needs heads, kv_heads and head_dim"),
        ({"dense_layers": 5}, "exceed the 2 layers"),
        ({"vocab": -4}, "vocab must not be negative, got -4"),
    ],
)
def test_impossible_shapes_say_what_is_wrong(fields, message):
    good = {"layers": 2, "hidden": 8, "heads": 2, "kv_heads": 1, "head_dim": 4, "vocab": 32, "ffn": 16}
    with pytest.raises(ConfigError, match=message):
        DecoderShape(**{**good, **fields})


@given(
    layers=st.integers(1, 6), heads=st.integers(1, 4), group=st.integers(1, 3), head_dim=st.integers(1, 16),
    hidden=st.integers(1, 64), ffn=st.integers(1, 64), vocab=st.integers(1, 64),
    gated=st.booleans(), tied=st.booleans(),
)  # fmt: skip
def test_dense_parameters_equal_the_closed_form(layers, heads, group, head_dim, hidden, ffn, vocab, gated, tied):
    shape = DecoderShape(
        layers=layers, hidden=hidden, heads=heads * group, kv_heads=heads, head_dim=head_dim, vocab=vocab, ffn=ffn,
        gated=gated, tied=tied,
    )  # fmt: skip
    mixer = 2 * hidden * head_dim * heads * (group + 1)
    layer = mixer + (2 + gated) * hidden * ffn + 2 * hidden
    built = build_decoder(shape, "closed form", "LlamaForCausalLM")
    assert built.params == layers * layer + (2 - tied) * vocab * hidden + hidden
    tokens = 7
    streams = built.streams(tokens=tokens, logits=tokens)
    assert built.flops(streams, "linear") == 2 * tokens * (layers * (layer - 2 * hidden) + vocab * hidden)


def test_a_description_shows_what_differs_from_the_usual():
    described = describe_shape(DEEPSEEK.shape)
    assert (described["kv_lora"], described["experts"], described["dense_layers"]) == (512, 256, 3)
    assert "mamba_layers" not in described
