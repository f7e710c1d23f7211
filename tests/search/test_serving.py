"""The search of serving plans against plain loops over single estimates."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest

from costline.plan import Plan
from costline.search.apart import _kinds, apart_setting
from costline.search.find import found_plan
from costline.search.limits import Limit
from costline.search.serving import CHUNKS, LARGEST_BATCH, batches, chunked_setting, together_setting
from costline.studies.economics import Economics
from costline.studies.serve import serve
from costline.studies.serving_modes import chunked_figures, decode_pool, prefill_pool
from costline.studies.serving_times import Requests
from tests.conftest import make_machine

LOSSES = {"launch": 3e-6, "step_overhead": 1e-3, "latency_up": 2e-6, "latency_out": 5e-6, "queue": 0.1}
PRICE = Economics(price=1e-3)
ASKED = Requests(input=1000, output=200)
TPOT = Limit("tpot", True, 0.05, "tpot<50ms")


def machine(chips, **plan):
    return make_machine(chips, coefficients=LOSSES, **plan)


def replicas(chips, layers, heads):
    for tensor in range(1, chips + 1):
        for pipeline in range(1, min(16, chips) + 1):
            held = -(-layers // pipeline)
            fewest = -(-layers // held)
            if heads % tensor or tensor * pipeline > chips or (fewest != pipeline and pipeline & (pipeline - 1)):
                continue
            yield tensor, pipeline


def test_the_best_plan_is_the_best_of_all_single_estimates(llama):
    answer = found_plan("serve", [together_setting(llama, ASKED, machine(8), PRICE, {})], "throughput", [TPOT], "")
    best, number = 0.0, 0
    for tensor, pipeline in replicas(8, llama.layers, 64):
        data = 8 // (tensor * pipeline)
        place = machine(8, tensor=tensor, pipeline=pipeline, data=data)
        for own in batches(LARGEST_BATCH):
            one = serve(llama, Requests(input=1000, output=200, batch=own * data), place, PRICE)
            number += 1
            if one.feasible is True and one["tpot"] <= TPOT.value:
                best = max(best, one["output_rate"])
    assert answer.considered == number
    assert answer.estimate["output_rate"] == pytest.approx(best, rel=1e-12)


def test_the_best_chunk_is_the_best_of_all_single_chunks(llama):
    answer = found_plan(
        "serve", [chunked_setting(llama, ASKED, machine(4), PRICE, {"pipeline": 1})], "throughput", [], ""
    )
    best = 0.0
    for tensor in (1, 2, 4):
        place = machine(4, tensor=tensor, data=4 // tensor)
        for own in batches(LARGEST_BATCH):
            for chunk in (size for size in CHUNKS if size < 1000):
                asked = Requests(input=1000, output=200, batch=own * 4 // tensor)
                figures, memory, share = chunked_figures(llama, asked, chunk, place, PRICE)
                if memory.fits and share <= 1:
                    best = max(best, figures["output_rate"].value)
    assert answer.estimate["output_rate"] == pytest.approx(best, rel=1e-12)


def best_of_all(network, places, chips):
    """Output tokens a second of the best division of chips between units of two pools, of all there are."""
    entering, leaving = set(), set()
    for place in places:
        plan = place.plan
        for sizes, made, rates in (
            ((1, 2, 4, 8), prefill_pool, entering),
            (batches(LARGEST_BATCH), decode_pool, leaving),
        ):
            pools = (made(network, ASKED, size, place) for size in sizes)
            rates.update(
                (plan.tensor * plan.pipeline * plan.data, pool.rate * plan.data) for pool in pools if pool.memory.fits
            )
    best = max(
        min(number * rate, (chips - number * unit) // last * other)
        for unit, rate in entering
        for last, other in leaving
        for number in range(1, chips // unit + 1)
    )
    return best * ASKED.output


@pytest.mark.parametrize("chips", [8, 13])
def test_the_best_division_is_the_best_of_all_divisions(llama, chips):
    """Every plan of either pool and every number of units, without leaving out what is beaten."""
    place = machine(chips)
    answer = found_plan("serve", [apart_setting(llama, ASKED, place, PRICE, {})], "throughput", [], "")
    places = [
        machine(chips, tensor=tensor, pipeline=pipeline) for tensor, pipeline in replicas(chips, llama.layers, 64)
    ]
    assert answer.estimate["output_rate"] == pytest.approx(best_of_all(llama, places, chips), rel=1e-12)


def test_groups_of_experts_larger_than_need_be_gain_nothing(mixtral):
    """Every number of replicas that share experts, and every number of such groups."""
    chips = 8
    setting = apart_setting(mixtral, ASKED, machine(chips), PRICE, {"pipeline": 1})
    answer = found_plan("serve", [setting], "throughput", [], "")
    places = [
        machine(chips, tensor=tensor, expert=expert, data=data)
        for tensor, expert, data in product((1, 2, 4, 8), repeat=3)
        if tensor * data <= chips and tensor * data % expert == 0
    ]
    assert answer.estimate["output_rate"] == pytest.approx(best_of_all(mixtral, places, chips), rel=1e-12)


def test_every_division_is_looked_at_once(llama):
    """With one way to run either pool on one chip each of 8, there are 7 divisions and no more."""
    place, fixed = machine(8), {"tensor": 4, "pipeline": 1}
    kinds = _kinds(llama, ASKED, place, fixed, [])
    ways = kinds[0].number * kinds[1].number
    answer = found_plan("serve", [apart_setting(llama, ASKED, place, PRICE, fixed)], "throughput", [], "")
    assert answer.considered == ways  # two units of 4 chips: one division
    alone = found_plan("serve", [apart_setting(llama, ASKED, machine(24), PRICE, fixed)], "throughput", [], "")
    assert alone.considered == 5 * ways


def test_rows_of_the_front_say_what_single_estimates_say(mixtral):
    place = machine(8)
    settings = [made(mixtral, ASKED, place, PRICE, {}) for made in (together_setting, chunked_setting, apart_setting)]
    answer = found_plan("serve", settings, "throughput", [], "")
    assert len({row.where for row in answer.front}) > 1
    for row in answer.front[::7]:
        setting = next(one for one in settings if one.words == row.where)
        alone = setting.estimate(setting.one(row.fields), row.fields)
        for name, figure in row.figures.items():
            assert figure.value == pytest.approx(alone[name], rel=1e-12)


def test_the_best_of_equals_is_on_the_front(mixtral):
    """The pool for prefill may set the rate; then the quickest way to decode at that rate is the best."""
    answer = found_plan("serve", [apart_setting(mixtral, ASKED, machine(8), PRICE, {})], "throughput", [], "")
    best = {name: figure.value for name, figure in answer.best.figures.items()}
    assert any(row.fields == answer.best.fields for row in answer.front) or best in [
        {name: pytest.approx(figure.value) for name, figure in row.figures.items()} for row in answer.front
    ]


def test_the_nearest_to_a_limit_is_sought_among_plans_that_break_the_others(llama):
    place = machine(8)
    limits = [Limit("tpot", True, 1e-9, "tpot"), Limit("output_rate", False, 1e12, "rate")]
    made = partial(apart_setting, llama, ASKED, place, PRICE, {}, "", limits)
    assert made() is None  # no way to decode is as quick as that
    answer = found_plan("serve", [], "throughput", limits, "", every=lambda: [made(every=True)])
    most = found_plan("serve", [apart_setting(llama, ASKED, place, PRICE, {})], "throughput", [], "").estimate
    assert f"the nearest any plan comes is {most['output_rate']:.4g} token/s" in answer.missing.reasons[1]


def test_a_limit_on_the_first_token_shifts_chips_to_prefill(llama):
    place = machine(16)
    free = found_plan("serve", [apart_setting(llama, ASKED, place, PRICE, {})], "throughput", [], "")
    limit = Limit("ttft", True, 0.6 * free.estimate["ttft"], "ttft")
    held = found_plan("serve", [apart_setting(llama, ASKED, place, PRICE, {}, "", [limit])], "throughput", [limit], "")
    assert held.estimate["ttft"] <= limit.value
    assert held.estimate["output_rate"] <= free.estimate["output_rate"]


def test_ways_that_are_left_out_are_beaten_in_every_respect(llama):
    kinds = _kinds(llama, ASKED, machine(4), {}, [])
    for kind, made in zip(kinds, (prefill_pool, decode_pool), strict=True):
        for tensor, size in ((1, 1), (2, 4), (4, 8)):
            pool = made(llama, ASKED, size, machine(4, tensor=tensor))
            if not pool.memory.fits:
                continue
            same = kind.units == tensor
            assert ((kind.pool.timing.point <= pool.timing.point * (1 + 1e-9))
                    & (kind.pool.rate * kind.fields["data"] >= pool.rate * (1 - 1e-9)) & same).any()  # fmt: skip


def test_a_pool_on_chips_of_its_own_is_what_the_engine_says_of_it(llama):
    """Decode alone is the decode step of serving together; prefill alone its prefill."""
    place = machine(2, tensor=2)
    alone = serve(llama, Requests(input=1000, output=200, batch=8), place, PRICE)
    step = next(child for child in alone.figure("tpot").children if child.name == "decode step")
    assert decode_pool(llama, ASKED, 8, place).timing.point == pytest.approx(step.value)
    first = serve(llama, Requests(input=1000, output=200, batch=1), place, PRICE)["ttft"]
    assert prefill_pool(llama, ASKED, 1, place).timing.point == pytest.approx(first)


def test_a_step_with_a_chunk_reads_the_weights_once(llama):
    """On a machine bound by memory a chunk rides for its own small traffic; on its own it would read all weights."""
    place = make_machine(8, peak=1e20, tensor=8)
    asked = Requests(input=1024, output=200, batch=8)
    figures, _, _ = chunked_figures(llama, asked, 16, place, PRICE)
    decode = decode_pool(llama, asked, 8, place).timing.point
    weights = (llama.params - 32000 * 8192) * 2 / 8 / 1e12
    assert decode > weights
    assert figures["longest_gap"].value < decode + 0.2 * weights


def test_parts_of_the_chips_add_up_and_plans_are_whole(llama):
    answer = found_plan("serve", [apart_setting(llama, ASKED, machine(16), PRICE, {})], "throughput", [], "")
    assert sum(answer.estimate.inputs["pools"].values()) == 16
    assert "prefill on" in answer.best.plan
    assert ".0" not in answer.best.plan


def test_the_words_of_a_plan_can_be_stated():
    from costline.planning import read_plan_fields
    from costline.search.setting import plan_words

    plan = Plan(tensor=8, pipeline=4, data=2, zero=1, recompute="full")
    assert read_plan_fields(plan_words(plan)) == {"tensor": 8, "pipeline": 4, "data": 2, "zero": 1, "recompute": "full"}
