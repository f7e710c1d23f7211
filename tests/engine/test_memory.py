"""Memory against published formulas and figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline import resolve
from costline.engine.memory import (
    gathered_bytes,
    inference_bytes,
    kv_cache_bytes,
    layer_width,
    model_states,
    params_on_chip,
    place,
    saved_bytes,
)
from costline.models.network import Network
from costline.models.parts import Linear
from costline.plan import Plan


def one_layer(params):
    return Network(
        name="x", architecture="x", layers=1, hidden_size=1,
        parts=(Linear(name="block/x", inputs=params, outputs=1, rows="tokens", bias=False),),
    )  # fmt: skip


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.88)])
def test_model_states_equal_the_zero_paper(stage, gigabytes):
    """Rajbhandari et al. 2019, fig. 1: 7.5B parameters, 64 replicas, K = 12."""
    states = model_states(one_layer(7_500_000_000), Plan(data=64, zero=stage), 8)
    assert sum(states.values()) / 1e9 == pytest.approx(gigabytes, rel=5e-3)


def test_hybrid_sharding_divides_inside_the_domain_only():
    states = model_states(one_layer(8_000_000_000), Plan(data=64, zero=3, shard_scope="domain"), 8)
    assert sum(states.values()) == pytest.approx(16 * 8e9 / 8)


@pytest.mark.parametrize("scope", ["all", "domain"])
@pytest.mark.parametrize("pipeline", [1, 4])
def test_zero_3_gathers_two_whole_layers_whatever_it_shards_over(scope, pipeline):
    """Rajbhandari et al. 2020, section 5.3: parameters are gathered layer by layer, so shards do not matter."""
    made = replace(one_layer(8_000_000_000), layers=8)
    plan = Plan(data=64, zero=3, shard_scope=scope, pipeline=pipeline)
    assert gathered_bytes(made, plan) == pytest.approx(2 * 1e9 * 2)


@pytest.mark.parametrize(("tensor", "sequence_parallel", "expected"), [
    (1, True, 32), (8, True, 32 / 8), (8, False, 8 + 24 / 8),
])  # fmt: skip
def test_activations_equal_korthikanti(gpt3, tensor, sequence_parallel, expected):
    """Korthikanti et al. 2022, table 2: s b h (34), (10 + 24/t), 34/t; 2 are dropout masks, which nobody keeps now."""
    s, b, h = 2048, 1, 12288
    blocks = [part for part in gpt3.parts if place(part) == "block"]
    streams = gpt3.streams(tokens=s, batch=b, logits=s)
    saved = saved_bytes(blocks, streams, Plan(tensor=tensor, sequence_parallel=sequence_parallel))
    assert saved / gpt3.layers / (s * b * h) == pytest.approx(expected, rel=1e-3)


def test_unfused_attention_keeps_scores_unless_recomputed(gpt3):
    """Korthikanti et al. 2022, eq. 1: 5 a s^2 b, of which softmax output and input 2 + 2, the mask being gone."""
    s, a = 2048, 96
    blocks = [part for part in gpt3.parts if place(part) == "block"]
    streams = gpt3.streams(tokens=s, batch=1, logits=s)
    fused = saved_bytes(blocks, streams, Plan())
    naive = saved_bytes(blocks, streams, Plan(attention="naive"))
    again = saved_bytes(blocks, streams, Plan(attention="naive", recompute="selective"))
    assert (naive - fused) / gpt3.layers == pytest.approx(4 * a * s * s)
    assert again == pytest.approx(fused)


def test_cache_of_llama_2_70b_equals_the_published_figure(llama):
    """327,680 bytes a token in 16 bits: 2 x 80 layers x 8 KV heads x 128 x 2 bytes (Llama 2 paper, table 1: GQA)."""
    assert kv_cache_bytes(llama, 1, 1, Plan()) == 327_680
    assert kv_cache_bytes(llama, 1000, 4, Plan(tensor=8, cache="fp8")) == 327_680 * 4000 / 2 / 8


def test_more_tensor_ranks_than_kv_heads_do_not_divide_the_cache(llama):
    assert kv_cache_bytes(llama, 1, 1, Plan(tensor=64)) == kv_cache_bytes(llama, 1, 1, Plan(tensor=8))


@given(st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2, 4, 5]))
def test_shards_hold_the_whole_model_together(llama, tensor, pipeline):
    """Nothing is lost when a model is divided: tensor ranks x stages hold at least every block weight once."""
    dense, experts = params_on_chip(llama, Plan(tensor=tensor, pipeline=pipeline))
    assert experts == 0
    assert dense * tensor * pipeline >= llama.params
    assert dense * tensor * pipeline <= llama.params * 1.05 + pipeline * 2 * 8192 * 32000


def test_experts_are_divided_by_expert_parallelism(mixtral):
    _, whole = params_on_chip(mixtral, Plan())
    _, parts = params_on_chip(mixtral, Plan(expert=8, data=8))
    assert parts * 8 == whole == 32 * 8 * 3 * 4096 * 14336


def test_uneven_stages_count_the_fullest(llama):
    dense, _ = params_on_chip(llama, Plan(pipeline=3))
    per_layer = sum(part.params for part in llama.parts if place(part) == "block") / 80
    assert dense >= 27 * per_layer
    assert dense <= 27 * per_layer + 32000 * 8192 + 8192


def test_recomputation_keeps_less(gpt3):
    from costline.engine.memory import activations

    streams = gpt3.streams(tokens=2048, batch=1, logits=2048)
    kept = {mode: activations(gpt3, streams, replace(Plan(), recompute=mode), 8) for mode in ("none", "full")}
    assert kept["full"] < kept["none"] / 5


def pass_bytes(network, streams, plan):
    return inference_bytes(network, layer_width(network.parts, streams["context"], plan), streams, plan)


@pytest.mark.parametrize(("tensor", "held"), [
    (1, 3 * 28672),  # gate, up and their product, each as wide as the feed-forward network
    (8, 8192 + 2 * 28672 / 8),  # their input is whole on every chip, and is the larger part now
])  # fmt: skip
def test_the_fullest_layer_of_llama_70b_is_the_feed_forward_network(llama, tensor, held):
    assert layer_width(llama.parts, 4096, Plan(tensor=tensor)) == pytest.approx(held)


def test_experts_hold_a_row_for_each_visit(mixtral):
    """Two of eight experts: gate, up and product of both, 14,336 wide; and eight scores of the router."""
    assert layer_width(mixtral.parts, 4096, Plan()) == pytest.approx(2 * 3 * 14336 + 8)


def test_fused_attention_needs_room_in_proportion_to_the_prompt_and_unfused_to_its_square(gpt3):
    """Dao et al. 2022, arXiv:2205.14135, theorem 1: linear. GPT-3 has 96 heads; a score takes 2 bytes."""
    short, long = (gpt3.streams(tokens=tokens) for tokens in (10_000, 20_000))
    logits = 50257 * 4
    fused, naive = (
        [pass_bytes(gpt3, streams, Plan(attention=kernel)) - logits for streams in (short, long)]
        for kernel in ("fa2", "naive")
    )
    assert fused[1] == pytest.approx(2 * fused[0])
    attention = 4 * 12288 + 96 * 20_000  # queries, keys, values, output and scores, beside the residual stream
    assert naive[1] == pytest.approx(20_000 * (12288 + attention) * 2)


def test_a_prompt_takes_less_than_an_engine_reports_with_its_sampler():
    """Llama 3 8B, 8,192 prompt tokens: vLLM measured 1.26 GiB at start, on one chip and on two (vllm pull 10511).

    The peak there is the sampler of 256 sequences, as it does not halve on two chips; the layers must stay below it.
    """
    network = resolve.decoder("llama-3-8b", None, None, {}, resolve.catalogue(None))
    held = pass_bytes(network, network.streams(tokens=8192), Plan())
    assert 0.5 * 1.26 * 2**30 < held < 1.26 * 2**30
