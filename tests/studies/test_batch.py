"""A step trains on the batch asked for and lasts as long as its fullest replica: hand calculations and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.plan import Plan
from costline.studies.batch import batch_notes, fed, micro_batches_of, sequences_of, usual_batch, whole_batch
from costline.studies.train import Run, Stretch, train
from tests.conftest import make_machine

SEQUENCE = 2048
PLACE = {"tensor": 8, "data": 8, "zero": 3, "recompute": "full", "coefficients": {"step_overhead": 0.1}}


def run(sequences, **more):
    return Run(
        tokens=1e9, stretches=[Stretch(sequence=SEQUENCE)], batch_tokens=sequences * SEQUENCE, failures=False, **more
    )


def test_sequences_are_the_nearest_whole_number():
    """270,000 / 4096 = 65.9; 270,000 / 8192 = 32.96; never none."""
    assert [sequences_of(270_000, length) for length in (4096, 8192, 1_000_000)] == [66, 33, 1]


@pytest.mark.parametrize(("sequences", "most"), [(8, 1), (9, 2), (16, 2), (17, 3)])
def test_the_fullest_of_eight_replicas(sequences, most):
    assert micro_batches_of(sequences, Plan(data=8)) == most


def test_thirty_three_sequences_do_not_feed_sixty_four_replicas():
    assert not fed(33, Plan(data=64))
    assert fed(64, Plan(data=64))
    assert not fed(64, Plan(data=64, micro_batch=2))


def test_nine_sequences_on_eight_replicas_take_the_step_of_sixteen(gpt3):
    """Each replica runs at most 2 micro-batches either way, but 9 sequences are learnt from: 16/9 of the time."""
    place = make_machine(64, **PLACE)
    nine, sixteen = train(gpt3, run(9), place), train(gpt3, run(16), place)
    assert nine["step"] == pytest.approx(sixteen["step"], rel=1e-12)
    assert nine["time"] == pytest.approx(sixteen["time"] * 16 / 9, rel=1e-12)
    assert nine["mfu"] == pytest.approx(sixteen["mfu"] * 9 / 16, rel=1e-12)
    assert nine["hfu"] == pytest.approx(sixteen["hfu"] * 9 / 16, rel=1e-12)
    assert nine["flops_hardware"] == pytest.approx(sixteen["flops_hardware"], rel=1e-12)
    assert nine["tokens_per_second"] * nine["step"] == pytest.approx(9 * SEQUENCE)


def test_the_answer_names_who_idles_and_the_nearest_batches(gpt3):
    """9 of 16 places are used: 43.8 % idle; 8 and 16 sequences divide."""
    (note,) = train(gpt3, run(9), make_machine(64, **PLACE)).warnings
    assert "43.8% of all replicas' time is idle" in note
    assert "16,384 tokens (8 sequences) or 32,768 tokens (16 sequences)" in note
    assert train(gpt3, run(16), make_machine(64, **PLACE)).warnings == ()


def test_a_rounded_batch_is_said():
    (note,) = batch_notes(4_000_000, 4096, Plan())
    assert note == "a step of 4,000,000 tokens is counted as 977 whole sequences of 4,096, 4,001,792 tokens"


@pytest.mark.parametrize("sequence", [4096, 8192, 32760, 75600, 10_000_000])
def test_the_usual_batch_is_a_power_of_two_of_sequences_near_what_is_wanted(sequence):
    sequences = whole_batch(4e6, sequence) / sequence
    assert np.log2(sequences) % 1 == 0
    assert sequences == 1 or 2**-0.5 <= sequences * sequence / 4e6 <= 2**0.5


@given(st.integers(1, 200_000), st.sampled_from([2048, 4096, 8192, 75600]))
def test_the_usual_batch_grows_with_the_chips_by_an_eighth_at_most(chips, sequence):
    few, more = usual_batch(chips, sequence), usual_batch(chips + 1, sequence)
    assert few % sequence == 0
    assert few <= more <= max(1.125 * few, few + sequence)
    most = max(whole_batch(4e6, sequence), 1024 * chips)
    assert min(8 / 9 * most, most - sequence) <= few <= most
    assert usual_batch(2.0 ** np.arange(13, 18), 4096) == pytest.approx(1024 * 2.0 ** np.arange(13, 18))


@given(st.integers(8, 600), st.sampled_from([1, 2, 4]))
@settings(max_examples=25)
def test_time_is_steps_of_the_batch_times_the_step_of_the_fullest_replica(gpt3, sequences, micro_batch):
    place = make_machine(64, **PLACE, micro_batch=micro_batch)
    even = -(-sequences // (8 * micro_batch)) * 8 * micro_batch  # the next batch that divides
    asked, padded = train(gpt3, run(sequences), place), train(gpt3, run(even), place)
    assert asked["time"] == pytest.approx(1e9 / (sequences * SEQUENCE) * padded["step"], rel=1e-12)
    assert asked["mfu"] <= padded["mfu"] * (1 + 1e-12)
    assert bool(asked.warnings) is (sequences != even and sequences >= 8 * micro_batch)


def test_arrays_of_batches_equal_single_ones(gpt3):
    sequences, micro_batch = np.array([3, 8, 9, 16, 17, 250]), np.array([[1], [2]])
    swept = train(gpt3, run(sequences), make_machine(64, **PLACE, micro_batch=micro_batch))
    for row, column in np.ndindex(2, 6):
        place = make_machine(64, **PLACE, micro_batch=int(micro_batch[row, 0]))
        one = train(gpt3, run(int(sequences[column])), place)
        for name in ("time", "step", "mfu", "hfu", "memory", "energy"):
            assert np.broadcast_to(swept[name], (2, 6))[row, column] == pytest.approx(one[name], rel=1e-12), name
        assert bool(np.broadcast_to(swept.feasible, (2, 6))[row, column]) is one.feasible
    assert "does not divide" in swept.warnings[0]


def test_a_search_a_list_and_a_stated_plan_count_alike():
    """2,050 sequences on 64 chips: the plan found takes as long when it is stated; so does a place in an array."""
    asked = {"on": "64xh100-sxm", "tokens": "1T", "sequence": 2048}
    found = costline.find_plan("train", "llama-3.1-8b", batch_tokens=2050 * 2048, **asked)
    stated = costline.train("llama-3.1-8b", batch_tokens=2050 * 2048, plan=dict(found.best.fields), **asked)
    swept = costline.train("llama-3.1-8b", batch_tokens=np.array([2048, 2050]) * 2048, **asked)
    single = costline.train("llama-3.1-8b", batch_tokens=2050 * 2048, **asked)
    assert found.estimate["time"] == pytest.approx(stated["time"], rel=1e-9)
    assert swept["time"][1] == pytest.approx(single["time"], rel=1e-9)
    assert found.estimate["time"] <= single["time"] * (1 + 1e-9)
