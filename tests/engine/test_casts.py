"""Casts of narrow training, launches of single experts, partial recomputation, the stage of the head."""

from __future__ import annotations

import pytest

from costline.catalogue import shipped
from costline.engine.casts import cast_loads, launched_apart, sorted_before
from costline.engine.loads import each_load
from costline.engine.memory import activations
from costline.engine.passes import forward_pass, training_step
from costline.plan import Plan

ROWS = 2048


def streams(network):
    return network.streams(tokens=ROWS, logits=ROWS, batch=1)


def test_sixteen_bits_need_no_cast(llama):
    assert not list(cast_loads(llama.parts, streams(llama), Plan(), reverse=False))


def test_inputs_of_a_layer_are_narrowed_once_whoever_shares_them(llama):
    # Llama-2-70B: 8192 wide, feed-forward 28672; queries, keys and values share an input, so do gate and up
    blocks = [part for part in llama.parts if part.name.startswith("block/")]
    forward = list(cast_loads(blocks, streams(llama), Plan(compute="fp8"), reverse=False))
    assert sum(load.traffic for load in forward) == ROWS * 80 * (3 * 8192 + 28672) * (2 + 2 * 1)
    # gradients of queries, keys and values, output, gate, up and down are narrowed one by one
    backward = list(cast_loads(blocks, streams(llama), Plan(compute="fp8"), reverse=True))
    assert sum(load.traffic for load in backward) == ROWS * 80 * (8192 + 2 * 1024 + 2 * 8192 + 2 * 28672) * 4


def test_tensor_parallelism_divides_casts_of_sharded_sides_only(llama):
    blocks = [part for part in llama.parts if part.name == "block/mlp/down"]
    (whole,) = cast_loads(blocks, streams(llama), Plan(compute="fp8"), reverse=False)
    (sharded,) = cast_loads(blocks, streams(llama), Plan(compute="fp8", tensor=4), reverse=False)
    (back,) = cast_loads(blocks, streams(llama), Plan(compute="fp8", tensor=4), reverse=True)
    assert whole.traffic == 4 * sharded.traffic
    assert back.traffic == ROWS * 80 * 8192 * 4


def test_a_token_is_narrowed_for_every_expert_it_visits(mixtral):
    up = [part for part in mixtral.parts if part.name == "block/moe/up"]
    (load,) = cast_loads(up, streams(mixtral), Plan(compute="fp8"), reverse=False)
    assert load.traffic == ROWS * 2 * 4096 * 32 * 4
    assert load.experts == 8


def test_head_stays_in_sixteen_bits(llama, machine):
    narrow, wide = (training_step(llama, streams(llama), 1, machine(compute=name)) for name in ("fp8", "bf16"))
    assert narrow.forward.groups["head/logits"] == wide.forward.groups["head/logits"]
    assert narrow.forward.groups["block/mlp"] < wide.forward.groups["block/mlp"]


def test_experts_are_launched_one_by_one(mixtral, machine):
    seconds = 1e-3
    one = machine(coefficients={"launch": seconds})
    many = machine(coefficients={"launch": seconds, "apart": 1.0})
    grouped, apart = (training_step(mixtral, streams(mixtral), 1, each).total.overhead for each in (one, many))
    # seven of eight experts in 32 layers of gate, up and down: once forward, twice backward
    assert apart - grouped == pytest.approx(7 * 32 * 3 * (1 + 2) * seconds)


def test_serving_launches_experts_one_by_one_where_nothing_groups_them(mixtral, machine):
    seconds = 1e-3
    grouped, apart = (
        forward_pass(
            mixtral.parts, streams(mixtral), machine(coefficients={"launch": seconds, "apart": share})
        ).overhead
        for share in (0.0, 2.5)
    )
    # seven more experts in 32 layers of gate, up and down
    assert apart - grouped == pytest.approx(2.5 * 7 * 32 * 3 * seconds)
    looping, graph, engine = (
        shipped.efficiency().value("apart", shipped.chip("h100-sxm"), way)
        for way in ("eager/transformers", "graph", "eager/vllm")
    )
    assert looping > 1 > graph == engine == 0


def test_expert_parallelism_divides_launches_of_experts(mixtral):
    loads = launched_apart(each_load(mixtral.parts, streams(mixtral), Plan(expert=4, data=4)), 1.0, 0.5, 4)
    # in 32 layers one of two experts of a chip, and half a launch for each chunk that four chips send it
    assert {load.name: load.alone for load in loads if load.experts} == {
        f"block/moe/{name}": 32 * (1 + 0.5 * 4) for name in ("gate", "up", "down")
    }


def test_a_chip_with_one_expert_has_nothing_to_sort(mixtral):
    """Megatron-LM's ``MoEAlltoAllTokenDispatcher`` sorts chunks only ``if self.num_local_experts > 1``."""
    loads = launched_apart(each_load(mixtral.parts, streams(mixtral), Plan(expert=8, data=8)), 1.0, 0.5, 8)
    assert not any(load.alone for load in loads)


def test_an_engine_sorts_tokens_before_each_product_of_a_layer(mixtral, llama):
    loads = list(sorted_before(each_load(mixtral.parts, streams(mixtral), Plan()), 2.5))
    # Mixtral 8x7B: 32 layers
    assert {load.name: load.calls for load in loads if load.name.endswith("sort")} == {
        f"block/moe/{name}/sort": 32 * 2.5 for name in ("gate", "up", "down")
    }
    dense = list(each_load(llama.parts, streams(llama), Plan()))
    assert list(sorted_before(dense, 2.5)) == dense


def test_dense_layers_are_launched_at_once(llama):
    assert not any(load.alone for load in launched_apart(each_load(llama.parts, streams(llama), Plan()), 1.0, 10.0, 1))


def test_recomputing_half_of_the_layers_is_half_way(llama, machine):
    none, half, full = (
        training_step(llama, streams(llama), 4, machine(recompute="full", recomputed=share)).recompute.point
        for share in (0.0, 0.5, 1.0)
    )
    assert (none, half) == (0.0, pytest.approx(full / 2))
    held = [
        activations(llama, streams(llama), Plan(recompute="full", recomputed=share), 4) for share in (0.0, 0.5, 1.0)
    ]
    assert held[1] == pytest.approx((held[0] + held[2]) / 2)


def test_the_stage_of_the_head_has_fewer_layers_where_they_do_not_divide(llama, machine):
    # 80 layers on 4 stages divide evenly: the last stage has the head on top; on 3 stages of 27 one place is empty
    even, odd = (training_step(llama, streams(llama), 1, machine(chips=n, pipeline=n)).forward for n in (4, 3))
    head = sum(value for name, value in even.groups.items() if name.startswith("head/"))
    layer = (even.point - head - even.groups.get("pipeline", 0.0)) / 20
    spared = sum(value for name, value in odd.groups.items() if name.startswith("head/"))
    assert spared == pytest.approx(max(head - layer / 2, 0.0), rel=1e-6)
