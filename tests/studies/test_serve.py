"""Serving against hand calculations and laws that any server obeys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.studies.economics import Economics
from costline.studies.serve import largest_batch, largest_context, request_memory, serve
from costline.studies.serving_memory import serving_memory
from costline.studies.serving_modes import chunked_figures, decode_pool, prefill_pool
from costline.studies.serving_times import Requests
from tests.conftest import make_machine


def asking(prompt, output, batch, batching="continuous"):
    return Requests(input=prompt, output=output, batch=batch, batching=batching)


def test_decode_of_llama_70b_on_a_lossless_machine(llama):
    """Closed form at batch 1: weights without the embedding, plus the cache of the mean context, over 8 TB/s."""
    place = make_machine(8, tensor=8)
    estimate = serve(llama, Requests(input=1000, output=201, batching="static"), place)
    weights = (llama.params - 32000 * 8192) * 2
    cache = 327_680 * (1000 + 201 / 2)
    reduce = 160 * 2 * 7 / 8 * 8192 * 2 / 100e9
    assert estimate["tpot"] == pytest.approx((weights + cache) / 8e12 + reduce, rel=5e-3)
    assert estimate.figure("tpot").note == "bound by memory"
    assert estimate["decode_mbu"] == pytest.approx(1.0, abs=0.05)


def test_what_a_server_adds_delays_the_first_token_and_takes_no_chip(llama):
    """A first token and a request come 0.2 s later; the engine, and a batch that starts together, go on as before."""
    asked = Requests(input=1000, output=200, batch=16)
    plain, slow = (
        serve(llama, asked, make_machine(8, tensor=8, coefficients={"request_overhead": x})) for x in (0, 0.2)
    )
    for name in ("ttft", "latency"):
        assert slow[name] - plain[name] == pytest.approx(0.2)
    for name in ("tpot", "output_rate", "cost_output", "longest_gap"):
        assert slow[name] == plain[name]
    together = replace(asked, batching="static")
    plain, slow = (
        serve(llama, together, make_machine(8, tensor=8, coefficients={"request_overhead": x})) for x in (0, 0.2)
    )
    assert slow["ttft"] == plain["ttft"]


@pytest.mark.parametrize("stages", [2, 4, 8])
def test_stages_of_a_pipeline_prefill_at_the_same_time(llama, stages):
    """Bound by arithmetic and filled, a pipeline does as much a second as its chips one by one."""
    asked = Requests(input=4096, output=2, batch=64 * stages)
    alone = serve(llama, replace(asked, batch=64), make_machine(1, bandwidth=1e15))["total_rate"]
    together = serve(llama, asked, make_machine(stages, bandwidth=1e15, pipeline=stages))["total_rate"]
    assert together == pytest.approx(stages * alone, rel=0.02)


def test_the_first_token_of_a_static_batch_waits_until_the_pipeline_has_drained(llama):
    """Huang et al. 2019, section 2.3: m micro-batches pass K stages in m + K - 1 turns of one stage."""
    place = make_machine(4, bandwidth=1e15, pipeline=4)
    four, one = (
        serve(llama, Requests(input=4096, output=2, batch=batch, batching="static"), place)["ttft"] for batch in (4, 1)
    )
    assert four / one == pytest.approx((4 + 4 - 1) / 4, rel=0.01)


@pytest.mark.parametrize(("stages", "fullest"), [(3, 27), (6, 14), (48, 2), (79, 2)])
def test_shares_queue_for_the_stage_with_most_layers(llama, stages, fullest):
    """80 layers: a chip a stage does as much a second as one chip with the layers of the fullest stage, and no more."""
    asked = Requests(input=4096, output=2, batch=64 * stages)
    alone = serve(llama, replace(asked, batch=64), make_machine(1, bandwidth=1e15))["total_rate"]
    place = make_machine(stages, bandwidth=1e15, pipeline=stages)
    together = serve(llama, asked, place)["total_rate"]
    assert together == pytest.approx(alone * 80 / fullest, rel=0.03)
    cache = serving_memory(llama, 4098, 64 * stages, place).items["KV cache"]
    assert cache == pytest.approx(64 * stages * 4098 * 4096 * fullest)  # 2 x 8 heads x 128 elements of 2 bytes a layer


def test_the_last_share_of_a_static_batch_leaves_uneven_stages_after_the_fullest_of_each_turn(llama):
    """Three shares, 80 layers in stages of 27, 27 and 26: the first needs 80 layers, each other one 27 more."""
    place = make_machine(3, bandwidth=1e15, pipeline=3)
    batches = [serve(llama, Requests(input=4096, output=2, batch=batch, batching="static"), place) for batch in (3, 1)]
    assert batches[0]["ttft"] / batches[1]["ttft"] == pytest.approx((80 + 2 * 27) / 80, rel=0.01)


def test_rate_obeys_littles_law(llama):
    estimate = serve(llama, Requests(input=500, output=100, batch=16), make_machine(8, tensor=8))
    assert estimate["output_rate"] * estimate["latency"] == pytest.approx(16 * 100)


def test_costs_of_input_and_output_sum_to_the_rent(llama):
    """Per sequence: 500 input and 100 output tokens pay exactly for the chips while it is served."""
    place, price = make_machine(8, tensor=8), 2.0 / 3600
    estimate = serve(llama, Requests(input=500, output=100, batch=16), place, Economics(price=price))
    sequences = estimate["output_rate"] / 100
    assert sequences * (500 * estimate["cost_input"] + 100 * estimate["cost_output"]) == pytest.approx(8 * price)


@given(st.integers(1, 64), st.integers(1, 4096))
@settings(max_examples=20)
def test_the_largest_batch_fits_and_one_more_does_not(llama, tokens, output):
    place = make_machine(8, tensor=8)
    batch = largest_batch(llama, tokens + output, place)
    assert serving_memory(llama, tokens + output, batch, place).fits
    assert not serving_memory(llama, tokens + output, batch + 1, place).fits


@pytest.mark.parametrize("batching", ["continuous", "static"])
@pytest.mark.parametrize("plan", [{"tensor": 2, "data": 4}, {"tensor": 2, "pipeline": 2, "data": 2}])
def test_the_largest_batch_of_several_replicas_fills_each_of_them(llama, plan, batching):
    place = make_machine(8, **plan)
    largest = serve(llama, asking(3000, 500, 8, batching), place)["largest_batch"]
    for batch, fits in ((largest, True), (largest + 1, False)):
        assert bool(serve(llama, asking(3000, 500, batch, batching), place).feasible) == fits


@pytest.mark.parametrize("together", [False, True])
def test_the_longest_context_fits_as_a_prompt_and_one_token_more_does_not(llama, together):
    place, output = make_machine(8, tensor=8), 100
    longest = largest_context(llama, 16, place, output, together=together)
    for context, fits in ((longest, True), (longest + 1, False)):
        asked = asking(context - output, output, 16, "static" if together else "continuous")
        assert request_memory(llama, asked, 16, place).fits == fits
        assert bool(serve(llama, asked, place).feasible) == fits


def test_prompts_taken_in_together_leave_less_room_than_one_at_a_time(llama):
    """All prompts of a static batch are in one pass: its activations are those of one prompt times the batch."""
    place = make_machine(8, tensor=8)
    one, all_of_them = (
        request_memory(llama, asking(4096, 100, 16, way), 16, place).passes["prefill"]
        for way in ("continuous", "static")
    )
    assert all_of_them == pytest.approx(16 * one)


def test_a_chunk_takes_the_room_of_a_prompt_of_its_length(llama):
    place = make_machine(8, tensor=8)
    asked = asking(16_384, 100, 4)
    _, chunked, _ = chunked_figures(llama, asked, 512, place, Economics())
    assert chunked.passes["prefill"] == request_memory(llama, replace(asked, input=512), 4, place).passes["prefill"]
    assert chunked.total < request_memory(llama, asked, 4, place).total


def test_chips_that_only_decode_hold_no_prompt(llama):
    place, asked = make_machine(8, tensor=8), asking(60_000, 100, 4)
    decode = decode_pool(llama, asked, 4, place).memory
    assert decode.items["activations"] == decode.passes["decode step"]
    both = prefill_pool(llama, asked, 2, place).memory.passes["prefill"]
    assert both == pytest.approx(2 * request_memory(llama, asked, 4, place).passes["prefill"])


def test_room_for_prompts_is_the_same_one_by_one_and_in_an_array(mixtral):
    place = make_machine(8, tensor=4, data=2)
    prompts, batches = np.array([10, 5_000, 60_000]), np.array([256, 16, 2])
    for way in ("continuous", "static"):
        swept = serve(mixtral, asking(prompts, 50, batches, way), place)
        for index in range(3):
            one = serve(mixtral, asking(int(prompts[index]), 50, int(batches[index]), way), place)
            for name in ("memory", "largest_batch", "largest_context"):
                assert np.broadcast_to(swept[name], 3)[index] == pytest.approx(one[name]), name


def test_a_request_beyond_the_stated_context_is_answered_and_said(llama):
    """Llama 3.1 states 131,072 positions (its config.json); extended positions are possible, so this is no error."""
    network, place = replace(llama, max_context=131_072), make_machine(8, tensor=8)
    within, beyond = (serve(network, asking(prompt, 1000, 1), place) for prompt in (130_072, 1_000_000))
    assert not within.warnings
    assert beyond.feasible is True
    assert "1,001,000 tokens are 7.6 times the 131,072" in beyond.warnings[0]
    assert beyond["largest_context"] == 131_072
    assert "at most the 131,072 the model states" in beyond.figure("largest_context").note
    assert "under this plan" in beyond.figure("largest_batch").note


def test_what_does_not_fit_says_why_and_what_would(llama):
    estimate = serve(llama, Requests(input=1000, output=100), make_machine(1))
    assert estimate.feasible is False
    assert "weights" in estimate.reason
    assert "tensor=2 on 2 chips" in estimate.change


def test_the_chips_there_are_come_first_among_what_would_fit(llama):
    """137 GB of weights fit on four of eight chips of 100 GB; a replica a chip does not."""
    estimate = serve(llama, Requests(input=1000, output=100, batch=8), make_machine(8, data=8))
    assert "tensor=2 on 8 chips" in estimate.change


def test_a_model_too_large_for_a_domain_is_spread_over_several(llama):
    """At 1.1 GB a chip 137 GB need 128 chips, more than the 64 heads: tensor parallelism alone does not reach."""
    place = make_machine(160, data=160)
    place = replace(place, cluster=replace(place.cluster, chip=replace(place.cluster.chip, memory=1.25e9)))
    estimate = serve(llama, Requests(input=100, output=10), place)
    assert "tensor=64, pipeline=2 on 160 chips" in estimate.change


def test_a_batch_nobody_stated_is_what_the_chosen_plan_holds():
    """32 sequences of 60k tokens of a cache of 128 KiB a token (Llama 3.1 8B) are 252 GB: they do not fit in 80 GB."""
    estimate = costline.serve("llama-3.1-8b", on="h100-sxm", input=60_000, output=100)
    assert estimate.feasible is True
    assert "none of" not in estimate.assumptions[0].value
    assert estimate.inputs["batch"] == estimate["largest_batch"] < 32


def test_every_parent_equals_its_children(mixtral):
    estimate = serve(mixtral, Requests(input=64, output=64, batch=8), make_machine(4, tensor=4, expert=4))
    for figure in estimate.figures.values():
        for one in figure.walk():
            assert one.recombined() == pytest.approx(one.value) if one.value is not None else True


@given(st.integers(1, 512))
@settings(max_examples=20)
def test_a_larger_batch_is_slower_a_token_and_faster_in_all(llama, batch):
    place = make_machine(8, tensor=8)
    small, large = (serve(llama, Requests(input=100, output=100, batch=size), place) for size in (batch, 2 * batch))
    assert large["tpot"] >= small["tpot"]
    assert large["output_rate"] >= small["output_rate"] * (1 - 1e-9)


def test_sweeps_equal_single_estimates(llama):
    place = make_machine(8, tensor=8, coefficients={"launch": 3e-6})
    sizes, lengths = np.array([1, 8, 64]), np.array([100, 5000, 20])
    swept = serve(llama, Requests(input=lengths, output=50, batch=sizes), place)
    for index in range(3):
        one = serve(llama, Requests(input=int(lengths[index]), output=50, batch=int(sizes[index])), place)
        for name in ("ttft", "tpot", "output_rate", "memory", "largest_batch"):
            assert np.broadcast_to(swept[name], 3)[index] == pytest.approx(one[name]), name


def test_replicas_multiply_the_rate(llama):
    one = serve(llama, Requests(input=100, output=100, batch=8), make_machine(8, tensor=8))
    two = serve(llama, Requests(input=100, output=100, batch=16), make_machine(16, tensor=8, data=2))
    assert two["output_rate"] == pytest.approx(2 * one["output_rate"])
    assert replace(two).feasible is True


@pytest.mark.parametrize("output", [2, 10, 500])
def test_a_sequence_alone_has_no_newcomers(llama, output):
    """One sequence in flight is prefilled once, whether others might join or not."""
    together, alone = (
        serve(llama, asking(8000, output, 1, batching), make_machine(8, tensor=8))
        for batching in ("continuous", "static")
    )
    assert together["tpot"] == pytest.approx(alone["tpot"])
    assert together["latency"] == pytest.approx(alone["latency"])


@pytest.mark.parametrize("batch", [1, 2, 16, 256])
def test_an_engine_works_for_every_request_once(llama, batch):
    """Little's law: while one request is answered, each of the others is prefilled once, and all are decoded."""
    output, place = 200, make_machine(8, tensor=8)
    running = serve(llama, asking(4000, output, batch), place)
    still = serve(llama, asking(4000, output, batch, "static"), place)
    work = still["ttft"] * (batch - 1) / batch + still["tpot"] * (output - 1)
    assert running["tpot"] * (output - 1) == pytest.approx(work, rel=0.01)


def test_what_binds_the_time_between_tokens_is_the_longer_part_of_it():
    """16 prompts of 30,000 for answers of 100: seven eighths of the time between tokens is prefill of others."""
    asked = {"on": "h100-sxm", "batch": 16}
    long, short = (costline.serve("llama-3.1-8b", input=size, output=100, **asked) for size in (30_000, 100))
    assert long.figure("tpot").note == "bound by math, in the prefill of newcomers"
    assert short.figure("tpot").note == "bound by memory"
    assert costline.serve("llama-3.1-8b", output=1, **asked).figure("tpot").note == "no token follows the first"


@pytest.mark.parametrize(("batch", "replica"), [(1, 1), (64, 1), (65, 2), (128, 2), (129, 3)])
def test_the_fullest_replica_has_whole_sequences(batch, replica):
    """1,200 tokens of 32 layers, 8 key heads of 128, keys and values in 16 bits are 157 MB a sequence."""
    plan = "tensor=1, pipeline=1, expert=1"
    found = costline.serve("llama-3.1-8b", on="64xh100-sxm", input=1000, output=200, batch=batch, plan=plan)
    cache = next(part.value for part in found.figure("memory").children if part.name == "KV cache")
    assert cache == pytest.approx(replica * 1200 * 32 * 8 * 128 * 2 * 2)


def test_advice_is_the_fewest_chips_that_hold_it():
    """405B in 16 bits are 812 GB: 11 chips of 77 GB at least; 12 are the fewest that heads and layers divide over."""
    found = costline.serve("llama-3.1-405b", on="2xh100-sxm")
    assert found.change == "fits with tensor=4, pipeline=3 on 12 chips"
    assert costline.solve("serve", "chips", model="llama-3.1-405b", on="h100-sxm").value == 12
