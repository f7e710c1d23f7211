"""The search of training plans against a plain loop over single estimates."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.plan import Plan
from costline.search.find import found_plan
from costline.search.limits import Limit
from costline.search.training import training_axes, training_setting
from costline.studies.economics import Economics
from costline.studies.space import stage_counts
from costline.studies.train import Run, Stretch, train
from tests.conftest import make_machine

LOSSES = {"launch": 3e-6, "overlap": 0.3, "step_overhead": 1e-3, "strong_scaling": 0.01}
PRICE = Economics(price=1e-3)
RUN = Run(tokens=1e9, stretches=[Stretch(sequence=2048)], batch_tokens=2048 * 128)


def singles(network, machine, axes, chips, samples, heads):
    """Every legal plan, by the rules of the project's documentation, one estimate at a time."""
    for values in product(*axes.values()):
        fields = dict(zip(axes, values, strict=True))
        replica = fields["tensor"] * fields["pipeline"] * fields["ulysses"] * fields["ring"]
        if replica > chips or heads % (fields["tensor"] * fields["ulysses"]):
            continue
        plan = Plan(**fields)
        plan = replace(plan, data=max(min(chips // replica, int(samples // plan.micro_batch)), 1))  # the others idle
        if plan.data * plan.micro_batch > samples or (plan.zero < 3 and plan.shard_scope == "domain"):
            continue
        if plan.virtual > 1 and (plan.pipeline == 1 or plan.pipeline * plan.virtual > network.layers):
            continue
        if plan.expert > 1 and plan.tensor * plan.context * plan.data % (plan.expert * plan.expert_split):
            continue
        if plan.expert_split > plan.tensor:
            continue
        yield plan


def brute(network, machine, axes, heads, run=RUN):
    chips = machine.cluster.chips
    found = {}
    for plan in singles(network, machine, axes, chips, run.batch_tokens // 2048, heads):
        place = make_machine(chips, coefficients=LOSSES, **vars(plan))
        estimate = train(network, run, place, PRICE)
        found[tuple(vars(plan).items())] = estimate
    return found


@pytest.mark.parametrize("goal", ["time", "energy"])
@pytest.mark.parametrize("limit", [None, Limit("memory", True, 60e9, "memory<60GB")])
def test_the_best_plan_is_the_best_of_all_single_estimates(gpt3, goal, limit):
    machine = make_machine(64, coefficients=LOSSES)
    fixed = {"virtual": 1, "ring": 1, "ulysses": 1, "shard_scope": "all", "micro_batch": 1}
    setting = training_setting(gpt3, RUN, machine, PRICE, fixed)
    answer = found_plan("train", [setting], goal, [limit] if limit else [], "")
    every = brute(gpt3, machine, setting.axes, 96)
    fitting = [one for one in every.values() if one.feasible is True]
    if limit:
        fitting = [one for one in fitting if one["memory"] <= limit.value]
    assert answer.considered == len(every)
    assert answer.meeting == len(fitting)
    assert answer.estimate[goal] == pytest.approx(min(one[goal] for one in fitting), rel=1e-12)


@pytest.mark.parametrize("sequences", [61, 129, 150])
def test_the_best_plan_for_a_batch_that_divides_over_few_replicas(gpt3, sequences):
    machine = make_machine(64, coefficients=LOSSES)
    run = Run(tokens=1e9, stretches=[Stretch(sequence=2048)], batch_tokens=2048 * sequences)
    fixed = {"virtual": 1, "ring": 1, "ulysses": 1, "shard_scope": "all", "recompute": "full"}
    setting = training_setting(gpt3, run, machine, PRICE, fixed)
    answer = found_plan("train", [setting], "time", [], "")
    every = brute(gpt3, machine, setting.axes, 96, run)
    assert answer.considered == len(every)
    assert answer.estimate["time"] == pytest.approx(
        min(one["time"] for one in every.values() if one.feasible is True), rel=1e-12
    )


def test_the_best_plan_of_a_mixture_of_experts(mixtral):
    machine = make_machine(8, coefficients=LOSSES)
    fixed = {"ring": 1, "shard_scope": "all", "recompute": "full", "virtual": 1, "ulysses": 1, "zero": 3}
    setting = training_setting(mixtral, RUN, machine, PRICE, fixed)
    answer = found_plan("train", [setting], "time", [], "")
    every = brute(mixtral, machine, setting.axes, 32)
    assert answer.considered == len(every)
    assert answer.estimate["time"] == pytest.approx(
        min(one["time"] for one in every.values() if one.feasible is True), rel=1e-12
    )


def test_what_runners_up_spend_more_adds_up_to_their_difference(gpt3):
    machine = make_machine(64, coefficients=LOSSES)
    answer = found_plan("train", [training_setting(gpt3, RUN, machine, PRICE, {})], "time", [], "")
    assert answer.rivals
    for row in answer.rivals:
        more = row.figures["time"].value - answer.estimate["time"]
        assert sum(value for _, value in row.differences) == pytest.approx(more, abs=1e-6 * answer.estimate["time"])
        assert row.excess == pytest.approx(more / answer.estimate["time"])


def test_nothing_on_the_front_is_beaten_and_the_best_is_on_it(gpt3):
    machine = make_machine(64, coefficients=LOSSES)
    answer = found_plan("train", [training_setting(gpt3, RUN, machine, PRICE, {})], "time", [], "")
    values = [[row.figures[name].value for name in ("time", "cost", "memory")] for row in answer.front]
    assert values[0][0] == pytest.approx(answer.estimate["time"])
    for one in values:
        assert not any(all(a <= b for a, b in zip(other, one, strict=True)) and other != one for other in values)


def test_where_nothing_fits_it_says_what_is_missing_and_what_would_fit(gpt3):
    machine, more = make_machine(2), make_machine(128)
    wider = [[("on 128", lambda: [training_setting(gpt3, RUN, more, PRICE, {})])]]
    answer = found_plan("train", [training_setting(gpt3, RUN, machine, PRICE, {})], "time", [], "", wider=wider)
    assert answer.best is None
    assert "B a chip missing" in answer.missing.reasons[0]
    assert answer.missing.changes[0].startswith("on 128: ")


def test_blocks_of_which_nothing_fits_change_nothing(gpt3):
    """Whether memory is worked out before the time, or with it."""
    for chips in (2, 32):
        setting = training_setting(gpt3, RUN, make_machine(chips, coefficients=LOSSES), PRICE, {})
        first, last = (found_plan("train", [one], "time", [], "") for one in (setting, replace(setting, memory=None)))
        assert replace(first, seconds=0.0, missing=None) == replace(last, seconds=0.0, missing=None)
        assert first.feasible or first.missing.reasons == last.missing.reasons


def test_the_search_for_what_would_help_ends_and_says_where(gpt3, monkeypatch):
    monkeypatch.setattr("costline.search.find.MOST_LOOKED", 10)
    settings = {chips: training_setting(gpt3, RUN, make_machine(chips), PRICE, {}) for chips in (2, 4, 8)}
    wider = [[(f"on {chips}", lambda chips=chips: [settings[chips]]) for chips in (4, 8)]]
    answer = found_plan("train", [settings[2]], "time", [], "", wider=wider)
    assert answer.missing.ended == "on 4"
    assert answer.missing.looked == found_plan("train", [settings[4]], "time", [], "").considered
    assert answer.considered < answer.missing.looked


def test_a_limit_out_of_reach_is_told_with_the_nearest_plan(gpt3):
    machine = make_machine(64, coefficients=LOSSES)
    limit = Limit("mfu", False, 0.99, "mfu>99%")
    answer = found_plan("train", [training_setting(gpt3, RUN, machine, PRICE, {})], "time", [limit], "")
    assert answer.best is None
    assert answer.missing.reasons[0].startswith("mfu>99%: the nearest any plan comes is ")


def test_a_deeper_pipeline_with_as_full_a_stage_is_never_better(gpt3):
    """What `stage_counts` leaves out: each depth it skips is beaten by one it keeps."""
    machine = make_machine(4096, coefficients=LOSSES)
    kept = stage_counts(gpt3.layers, 96)
    run = Run(tokens=1e9, stretches=[Stretch(sequence=2048)], batch_tokens=2048 * 4096)
    times = {}
    for depth in range(1, 97):
        place = make_machine(4096, coefficients=LOSSES, pipeline=depth, tensor=8, data=4096 // 8 // depth, zero=1)
        times[depth] = train(gpt3, run, place, PRICE)["time"]
    for depth in set(range(1, 97)) - set(kept):
        assert min(times[one] for one in kept if one < depth) <= times[depth], depth
    assert machine.cluster.chips == 4096


def test_axes_hold_what_the_user_fixed(gpt3):
    axes = training_axes(gpt3, RUN, make_machine(64), {"tensor": 4, "recompute": "full"})
    assert axes["tensor"] == [4]
    assert axes["recompute"] == ["full"]
    assert np.all(np.asarray(axes["pipeline"]) <= 64)


@given(st.integers(1, 300), st.integers(1, 80))
def test_depths_are_the_fewest_stages_for_each_number_of_layers_held(layers, limit):
    """The definition, number by number; what is not a power of two is no deeper than its fullest stage asks for."""
    fewest = {-(-layers // held) for held in range(1, layers + 1)}
    twos = {2**power for power in range(9)}
    assert set(stage_counts(layers, limit)) == {depth for depth in fewest | twos if depth <= min(layers, limit)}


def test_a_hundred_million_layers_take_no_longer():
    assert stage_counts(10**8, 8) == [1, 2, 3, 4, 5, 6, 7, 8]
