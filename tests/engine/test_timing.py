"""Time on a lossless machine against hand calculations, and properties that hold on any."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costline.engine.loads import Load, backward_loads, forward_loads
from costline.engine.messages import Message, forward_messages, network_time
from costline.engine.passes import forward_pass, training_step
from costline.engine.timing import time_loads
from costline.formulas.pipeline import bubble_fraction
from costline.hardware.efficiency import BEST_SHARE, Coefficient, Efficiency
from costline.plan import Plan
from tests.conftest import make_machine


def test_decode_at_batch_one_is_bound_by_reading_the_weights(llama):
    """All weights but the embedding table once, and the cache, at 1 TB/s."""
    machine = make_machine()
    timing = forward_pass(llama.parts, llama.streams(tokens=1, cached=0, batch=1), machine)
    weights = (llama.params - 32000 * 8192) * 2
    assert timing.binds == "memory"
    assert timing.memory == pytest.approx(weights / 1e12, rel=2e-3)


def test_prefill_is_bound_by_arithmetic(llama):
    machine = make_machine()
    streams = llama.streams(tokens=4096, batch=4)
    timing = forward_pass(llama.parts, streams, machine)
    assert timing.binds == "math"
    assert timing.flops == pytest.approx(float(llama.flops(streams)))
    assert timing.math == pytest.approx(float(llama.flops(streams)) / 100e12)


@pytest.mark.parametrize("tensor", [2, 4, 8])
def test_tensor_parallel_divides_work_and_adds_two_all_reduces_a_layer(llama, tensor):
    """Shoeybi et al. 2019, section 3: two all-reduces of b s h in the forward pass of a layer."""
    streams = llama.streams(tokens=1024, batch=2)
    whole, part = make_machine(), make_machine(8, tensor=tensor)
    assert forward_pass(llama.parts, streams, part).flops * tensor == pytest.approx(
        forward_pass(llama.parts, streams, whole).flops, rel=1e-9
    )
    message = forward_messages(llama.parts, streams, part.plan)[0]
    assert message.calls == 2 * 80
    assert message.sent == pytest.approx(160 * 2 * (tensor - 1) / tensor * 2 * 1024 * 8192 * 2)


def test_ulysses_sends_queries_keys_values_and_output_once(llama):
    """Jacobs et al. 2023, section 3.2, with grouped keys: (2 x 8192 + 2 x 1024) elements a token."""
    streams = llama.streams(tokens=1024, batch=1)
    messages = {message.name: message for message in forward_messages(llama.parts, streams, Plan(ulysses=4))}
    assert messages["ulysses"].sent == pytest.approx(80 * (1024 / 4) * (2 * 8192 + 2 * 1024) * 2 * 3 / 4)


def test_a_message_inside_the_domain_uses_the_fast_link():
    machine = make_machine(64)
    inside = network_time(Message("tensor", 1e9, 1, 8, 1), machine.cluster, machine.efficiency)
    across = network_time(Message("data", 1e9, 1, 8, 8), machine.cluster, machine.efficiency)
    both = network_time(Message("data", 1e9, 1, 64, 1), machine.cluster, machine.efficiency)
    assert inside == pytest.approx(0.01)
    assert across == pytest.approx(0.1)
    assert both == pytest.approx(1e9 / 80e9)  # eight members of a domain have eight scale-out links


def test_backward_is_twice_the_products_and_two_and_a_half_times_attention(llama):
    loads = forward_loads(llama.parts, llama.streams(tokens=512, batch=1), Plan())
    back = backward_loads(loads)
    for one, two in zip(loads, back, strict=True):
        factor = {"linear": 2.0, "attention": 2.5}.get(one.kind)
        if factor:
            assert two.flops == pytest.approx(factor * one.flops)


def test_full_recomputation_costs_a_third_of_model_flops(gpt3):
    streams = gpt3.streams(tokens=2048, batch=1, logits=2048)
    steps = [training_step(gpt3, streams, 8, make_machine(recompute=mode)) for mode in ("none", "full")]
    ratio = steps[1].total.flops / steps[0].total.flops
    assert ratio == pytest.approx(4 / 3, rel=0.02)


def simulate_1f1b(stages, micro_batches, forward=1.0, backward=2.0):
    """Makespan of a 1F1B pipeline, by playing it: an independent second implementation."""
    orders = []
    for stage in range(stages):
        warm = min(stages - stage - 1, micro_batches)
        order = [("f", index) for index in range(warm)]
        for index in range(micro_batches - warm):
            order += [("f", warm + index), ("b", index)]
        order += [("b", index) for index in range(micro_batches - warm, micro_batches)]
        orders.append(order)
    done, clock, position = {}, [0.0] * stages, [0] * stages
    while any(position[stage] < len(orders[stage]) for stage in range(stages)):
        for stage in range(stages):
            while position[stage] < len(orders[stage]):
                kind, index = orders[stage][position[stage]]
                before = ("f", index, stage - 1) if kind == "f" else ("b", index, stage + 1)
                outside = (kind == "f" and stage == 0) or (kind == "b" and stage == stages - 1)
                if not outside and before not in done:
                    break
                start = max(clock[stage], 0.0 if outside else done[before])
                clock[stage] = start + (forward if kind == "f" else backward)
                done[kind, index, stage] = clock[stage]
                position[stage] += 1
    return max(clock)


@pytest.mark.parametrize(("stages", "micro_batches"), [(2, 4), (4, 4), (4, 16), (8, 32)])
def test_bubble_equals_a_played_schedule(stages, micro_batches):
    busy = 3.0 * micro_batches
    assert busy * (1 + bubble_fraction(stages, 1, micro_batches)) == pytest.approx(simulate_1f1b(stages, micro_batches))


def play_interleaved(stages, virtual, micro_batches):
    """Time of the forward passes of all micro-batches, a chunk of a stage taking 1; backward passes are their mirror.

    Groups of micro-batches go through all chunks of a stage before the next group enters; what is left over joins the
    last group (Narayanan et al. 2021, arXiv:2104.04473, figure 4; Megatron-Core's microbatch_group_size_per_vp_stage).
    """
    whole = max(micro_batches // stages, 1)
    starts = [group * stages for group in range(whole)] + [micro_batches]
    order = [
        (chunk, index) for first, last in pairwise(starts) for chunk in range(virtual) for index in range(first, last)
    ]
    done: dict[tuple[int, int, int], float] = {}
    clock, position = [0.0] * stages, [0] * stages
    while any(at < len(order) for at in position):
        for stage in range(stages):
            while position[stage] < len(order):
                chunk, index = order[position[stage]]
                before = (stage - 1, chunk, index) if stage else (stages - 1, chunk - 1, index)
                if (stage or chunk) and before not in done:
                    break
                clock[stage] = done[stage, chunk, index] = max(clock[stage], done.get(before, 0.0)) + 1.0
                position[stage] += 1
    return max(clock)


@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 30))
def test_interleaved_bubble_equals_a_played_schedule(stages, virtual, micro_batches):
    busy = virtual * micro_batches
    played = play_interleaved(stages, virtual, micro_batches)
    assert busy * (1 + bubble_fraction(stages, virtual, micro_batches)) == pytest.approx(played)


@given(st.floats(1e11, 1e13), st.floats(1.01, 10.0), st.sampled_from([1, 64, 4096]))
def test_more_bandwidth_never_slows(llama, bandwidth, factor, tokens):
    streams = llama.streams(tokens=tokens, batch=2)
    slow = forward_pass(llama.parts, streams, make_machine(bandwidth=bandwidth))
    fast = forward_pass(llama.parts, streams, make_machine(bandwidth=bandwidth * factor))
    assert fast.point <= slow.point * (1 + 1e-12)


@given(st.floats(1e12, 1e15), st.floats(1.01, 10.0), st.sampled_from([1, 64, 4096]))
def test_more_arithmetic_never_slows(llama, peak, factor, tokens):
    streams = llama.streams(tokens=tokens, batch=2)
    slow = forward_pass(llama.parts, streams, make_machine(peak=peak))
    fast = forward_pass(llama.parts, streams, make_machine(peak=peak * factor))
    assert fast.point <= slow.point * (1 + 1e-12)


@given(st.floats(1.5, 100.0))
def test_a_machine_that_is_faster_throughout_is_faster_by_that_factor(llama, factor):
    streams = llama.streams(tokens=100, batch=3)
    slow = forward_pass(llama.parts, streams, make_machine())
    fast = forward_pass(llama.parts, streams, make_machine(bandwidth=1e12 * factor, peak=100e12 * factor))
    assert fast.point * factor == pytest.approx(slow.point, rel=1e-9)


@given(st.integers(1, 4096), st.integers(1, 64), st.sampled_from([1, 2, 4, 8]))
def test_point_lies_in_the_bracket_and_groups_add_up(llama, tokens, batch, tensor):
    machine = make_machine(8, tensor=tensor, coefficients={"launch": 5e-6, "latency_up": 3e-6, "gemm": 0.7})
    timing = forward_pass(llama.parts, llama.streams(tokens=tokens, batch=batch), machine)
    assert timing.lower <= timing.point * (1 + 1e-9)
    assert timing.point <= timing.upper * (1 + 1e-9)
    assert sum(timing.groups.values()) == pytest.approx(timing.point)
    assert sum(timing.bound.values()) == pytest.approx(timing.point)


@given(st.floats(1e6, 1e12), st.floats(0.0, 1.0), st.sampled_from([1, 3]), st.sampled_from([1, 8]))
@settings(max_examples=40, deadline=None)
def test_messages_hide_no_longer_than_there_is_work_to_hide_behind(llama, link, overlap, zero, tensor):
    """However slow the links, and however much of a message may overlap, a step takes as long as the links are busy."""
    machine = make_machine(64, tensor=tensor, data=64 // tensor, zero=zero, coefficients={"overlap": overlap})
    machine = replace(machine, cluster=replace(machine.cluster, scale_up=link, scale_out=link / 10))
    one = training_step(llama, llama.streams(tokens=1024, logits=1024, batch=1), 4, machine).total
    assert one.lower <= one.point * (1 + 1e-9)
    assert one.point <= one.upper * (1 + 1e-9)
    assert sum(one.groups.values()) == pytest.approx(one.point)
    assert sum(one.bound.values()) == pytest.approx(one.point)


def test_arrays_equal_the_loop_of_scalars(llama, mixtral):
    batch, tensor, expert = np.array([1, 3, 64, 200]), np.array([1, 2, 4, 8]), np.array([1, 2, 1, 8])
    for network in (llama, mixtral):
        machine = make_machine(8, tensor=tensor, expert=expert, coefficients={"launch": 5e-6, "latency_up": 3e-6})
        swept = forward_pass(network.parts, network.streams(tokens=7, cached=100, batch=batch), machine)
        for index in range(4):
            single = make_machine(
                8, tensor=int(tensor[index]), expert=int(expert[index]),
                coefficients={"launch": 5e-6, "latency_up": 3e-6},
            )  # fmt: skip
            one = forward_pass(network.parts, network.streams(tokens=7, cached=100, batch=int(batch[index])), single)
            assert swept.point[index] == pytest.approx(one.point, rel=1e-12)
            assert swept.binds[index] == one.binds


def test_weight_only_quantisation_saves_bytes_not_flops(llama):
    streams = llama.streams(tokens=1, cached=0, batch=1)
    layers = [part for part in llama.parts if part.name.startswith("block/")]
    wide = forward_pass(layers, streams, make_machine())
    narrow = forward_pass(layers, streams, make_machine(weights="int4"))
    assert narrow.math == pytest.approx(wide.math)
    assert wide.memory / narrow.memory == pytest.approx(2 / (0.5 + 2 / 128), rel=0.01)


def test_fp8_products_run_at_the_fp8_rate(llama):
    streams = llama.streams(tokens=4096, batch=4)
    wide = forward_pass(llama.parts, streams, make_machine())
    narrow = forward_pass(llama.parts, streams, make_machine(weights="fp8", compute="fp8"))
    linear = sum(part.flops(streams) for part in llama.parts if part.kind == "linear")
    assert wide.math - narrow.math >= linear / 200e12 * 0.99


@pytest.mark.parametrize("software", [0.5, 0.8, 1.0, 1.3])
def test_no_software_is_faster_than_the_peak(llama, software):
    """Kernels of a fast engine reach at most 97 % of the peaks of arithmetic and memory."""
    for tokens, cached in ((1, 4096), (4096, 0)):
        machine = make_machine(coefficients={"software": software, "gemm": 0.9, "attention": 0.9, "memory": 0.9})
        timing = forward_pass(llama.parts, llama.streams(tokens=tokens, cached=cached), machine)
        chip = machine.cluster.chip
        assert timing.flops / timing.point <= 0.97 * chip.rate("bf16") * (1 + 1e-12)
        assert timing.traffic / timing.point <= 0.97 * chip.memory_bandwidth * (1 + 1e-12)


def test_few_rows_cost_at_most_arithmetic_and_traffic_one_after_the_other(llama):
    """Engines change to kernels that read weights as they go; nothing is counted twice."""
    plain = make_machine(coefficients={"exposed": 1.0})
    rows = Coefficient(
        name="gemm_half", scope="all", qualifier="rows", value=1e6, unit="", source="test", kind="assumed"
    )
    tiled = replace(plain, efficiency=Efficiency((*plain.efficiency.rows, rows)))
    streams = llama.streams(tokens=1, cached=100, batch=16)
    times = [forward_pass(llama.parts, streams, machine).point for machine in (plain, tiled)]
    assert times[1] == pytest.approx(times[0], rel=1e-9)


def test_the_busiest_chip_of_a_group_sets_the_pace(mixtral):
    """Eight experts on eight chips, loads of a spread of 0.25: 1 + 0.25 sqrt(2 ln 8) = 1.51 times the mean."""
    streams = mixtral.streams(tokens=8192, batch=8)
    experts = [part for part in mixtral.parts if part.name == "block/moe/up"]
    even, skewed = (
        forward_pass(experts, streams, make_machine(8, expert=8, tensor=8, coefficients={"expert_spread": spread})).math
        for spread in (0.0, 0.25)
    )
    assert skewed / even == pytest.approx(1 + 0.25 * np.sqrt(2 * np.log(8)))


@pytest.mark.parametrize(("tokens", "batch", "blocks"), [
    (1, 16, 16 * 8),  # a new token: one for each sequence and key head
    (2048, 2, 2 * 64 * 2048 / 128),  # a prompt: 128 rows of queries
])  # fmt: skip
def test_each_block_of_attention_begins_once(llama, tokens, batch, blocks):
    """Llama-2-70B: 80 layers, 64 heads, 8 key heads."""
    attention = [part for part in llama.parts if part.kind == "attention"]
    streams = llama.streams(tokens=tokens, cached=512, batch=batch)
    none, some = (
        forward_pass(attention, streams, make_machine(coefficients={"attention_block": each})).point
        for each in (0.0, 1e-6)
    )
    assert some - none == pytest.approx(80 * blocks * 1e-6)


def test_a_board_with_half_the_power_sustains_half_of_the_products(llama):
    """At 1 pJ an operation a board of 500 W does 500 TFLOP/s, whatever its peak; below its peak power takes nothing."""
    streams, times = llama.streams(tokens=4096), []
    for peak, energy in ((500e12, 0.0), (1000e12, 1e-12), (500e12, 1e-12), (250e12, 1e-12), (250e12, 0.0)):
        one = make_machine(1, bandwidth=1e18, peak=peak, coefficients={"product_energy": energy, "attention": 1e6})
        times.append(forward_pass(llama.parts, streams, one).point)
    assert times[1] == pytest.approx(times[0], rel=1e-6)
    assert times[2] == pytest.approx(times[0], rel=1e-6)
    assert times[3] == pytest.approx(times[4], rel=1e-6) == pytest.approx(2 * times[0], rel=1e-3)


def test_a_card_with_half_rate_sums_loses_nothing_in_convolutions_that_others_bound():
    """The same silicon, whose sums in fp32 run at half of the rate, feeds its units as fast."""
    load = Load("c", "convolution", "fp16", 1e15, 0.0, 1.0, rank="plane")

    def seconds(peak, **coefficients):
        chip = replace(make_machine(1).cluster.chip, peak=peak)
        machine = make_machine(1, coefficients=coefficients)
        return time_loads([load], replace(machine.cluster, chip=chip), machine.efficiency, Plan()).point

    whole, half = {"fp16": 100e12}, {"fp16": 50e12, "fp16acc": 100e12}
    assert seconds(half, convolution=0.4) == pytest.approx(seconds(whole, convolution=0.4))
    assert seconds(half, convolution=0.9) == pytest.approx(1e15 / (50e12 * BEST_SHARE))


def test_a_cache_that_is_copied_and_repeated_moves_nineteen_times_as_much(llama):
    """Eight query heads to a key head: read and written to grow, read and written for each, read by the product."""
    streams = llama.streams(tokens=1, cached=4095)
    plain, copied = (
        {load.name: load.traffic for load in forward_loads(llama.decode_parts, streams, Plan(attention=kernel))}
        for kernel in ("fa2", "copied")
    )
    cache = 2 * 80 * 8 * 128 * 2 * 4096  # bytes: keys and values of 80 layers, 8 heads of 128 in 16 bits
    assert sum(copied.values()) - sum(plain.values()) == pytest.approx((2 + 1 + 2 * 8 - 1) * cache, rel=1e-3)
