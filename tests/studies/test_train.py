"""Training against published FLOP counts, Megatron's formula and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import costline
from costline.formulas.training import long_context_factor
from costline.models.importer import read_network
from costline.studies.choose import training_plan
from costline.studies.economics import Economics
from costline.studies.train import Run, Stretch, train
from tests.conftest import make_machine

LLAMA_405B = {
    "hidden_size": 16384, "intermediate_size": 53248, "num_hidden_layers": 126, "num_attention_heads": 128,
    "num_key_value_heads": 8, "vocab_size": 128256,
}  # fmt: skip


def run(tokens=1e9, sequence=2048, batch_tokens=2048 * 64, **more):
    return Run(tokens=tokens, stretches=[Stretch(sequence=sequence)], batch_tokens=batch_tokens, **more)


def test_llama_3_405b_takes_the_flops_its_report_states():
    """Llama team 2024, arXiv:2407.21783, section 3: 3.8e25 FLOPs on 15.6T tokens."""
    network = read_network(LLAMA_405B, "llama-3.1-405b", "LlamaForCausalLM")
    place = make_machine(1024, tensor=8, pipeline=16, data=8, zero=1, recompute="full")
    estimate = train(network, run(15.6e12, 8192, 8192 * 1024), place)
    assert estimate["flops_6nd"] == pytest.approx(3.8e25, rel=0.01)


def test_full_attention_count_equals_megatrons_formula(gpt3):
    """Narayanan et al. 2021, arXiv:2104.04473, eq. 3 without recomputation: 72 B s l h^2 (1 + s/6h + V/12lh)."""
    s, layers, h, vocab = 2048, 96, 12288, 50257
    per_token = 72 * layers * h**2 * (1 + s / (6 * h) + vocab / (12 * layers * h))
    estimate = train(gpt3, run(), make_machine(64, tensor=8, pipeline=8, zero=1))
    assert estimate["flops_full"] == pytest.approx(per_token * 1e9, rel=1e-3)
    assert estimate["flops_exact"] < estimate["flops_full"]


@pytest.mark.parametrize("sequence", [8192, 65536, 1048576])
def test_long_contexts_cost_what_the_closed_form_says(gpt3, sequence):
    """A transformer of 12 L d^2 parameters: attention grows the count by 1 + T / 12 d under a causal mask."""
    place = make_machine(64, tensor=8, pipeline=8, zero=1)
    embedding = 6 * 12288 * 50257
    blocks = [
        train(gpt3, run(sequence=length, batch_tokens=2**22), place)["flops_exact"] / 1e9 for length in (2, sequence)
    ]
    ratio = (blocks[1] - embedding) / (blocks[0] - embedding)
    assert ratio == pytest.approx(long_context_factor(sequence, 12288, 1), rel=2e-3)


def test_stated_utilisation_overrides_the_model_and_says_so(gpt3):
    place = make_machine(64, tensor=8, pipeline=8, zero=1)
    estimate = train(gpt3, run(mfu=0.4, failures=False), place)
    assert estimate["time"] == pytest.approx(estimate["flops_exact"] / (64 * 100e12 * 0.4))
    assert estimate["mfu"] == pytest.approx(0.4)
    assert "MFU you stated" in estimate.warnings[0]


def test_utilisation_is_one_on_a_machine_without_losses(gpt3):
    """One chip of unlimited memory bandwidth that never waits: executed FLOPs at the peak rate."""
    place = make_machine(1, bandwidth=1e20)
    estimate = train(gpt3, run(failures=False), place)
    assert estimate["hfu"] == pytest.approx(1.0, rel=1e-6)
    assert estimate["mfu"] < estimate["hfu"]


def test_a_curriculum_is_the_sum_of_its_stretches(gpt3):
    place = make_machine(64, tensor=8, pipeline=8, zero=1)
    both = Run(
        tokens=1e9, stretches=[Stretch(share=0.9, sequence=2048), Stretch(share=0.1, sequence=8192)],
        batch_tokens=2**20, failures=False,
    )  # fmt: skip
    parts = [
        train(gpt3, run(1e9 * share, sequence, 2**20, failures=False), place)
        for share, sequence in ((0.9, 2048), (0.1, 8192))
    ]
    whole = train(gpt3, both, place)
    for name in ("time", "flops_exact", "flops_hardware"):
        assert whole[name] == pytest.approx(sum(part[name] for part in parts)), name
    assert whole["memory"] == pytest.approx(max(part["memory"] for part in parts))


def test_interruptions_lengthen_the_bracket_too(gpt3):
    place = make_machine(64, tensor=8, data=8, coefficients={"failures": 1e-6, "step_overhead": 0.1})
    figure = train(gpt3, run(), place).figure("time")
    assert figure.low <= figure.value <= figure.high * (1 + 1e-9)


def test_costs_and_energy_follow_from_time(gpt3):
    place = make_machine(64, tensor=8, pipeline=8, zero=1)
    estimate = train(gpt3, run(), place, Economics(price=2.0 / 3600, pue=1.5))
    assert estimate["cost"] == pytest.approx(64 * estimate["time"] * 2.0 / 3600)
    watts = estimate["energy"] / estimate["time"] / 1.5 / 64
    assert 100 < watts <= 500 + 100  # host, and at most the board limit


def test_every_parent_equals_its_children(gpt3):
    estimate = train(gpt3, run(), make_machine(64, tensor=8, pipeline=8, zero=1), Economics(price=1e-3))
    for figure in estimate.figures.values():
        for one in figure.walk():
            if one.value is not None:
                assert one.recombined() == pytest.approx(one.value), one.name


def test_what_does_not_fit_says_why_and_what_would(gpt3):
    estimate = train(gpt3, run(), make_machine(64))
    assert estimate.feasible is False
    assert "a chip of 100 GB usable" in estimate.reason
    assert "ZeRO" in estimate.change


def test_a_batch_too_small_for_the_replicas_is_infeasible(gpt3):
    estimate = train(gpt3, run(batch_tokens=2048 * 8), make_machine(1024, tensor=8, data=128, zero=3))
    assert estimate.feasible is False
    assert "cannot feed 128 replicas" in estimate.reason


@given(st.integers(1, 20))
@settings(max_examples=10)
def test_more_tokens_take_proportionally_longer(gpt3, factor):
    place = make_machine(64, tensor=8, pipeline=8, zero=1)
    one, many = train(gpt3, run(1e9), place), train(gpt3, run(1e9 * factor), place)
    assert many["time"] == pytest.approx(one["time"] * factor)


def test_sweeps_equal_single_estimates(gpt3):
    tensor, zero = np.array([1, 8, 4]), np.array([3, 1, 0])
    swept = train(gpt3, run(), make_machine(64, tensor=tensor, data=64 // tensor, zero=zero))
    for index in range(3):
        place = make_machine(64, tensor=int(tensor[index]), data=int(64 // tensor[index]), zero=int(zero[index]))
        one = train(gpt3, run(), place)
        for name in ("time", "mfu", "memory"):
            assert np.broadcast_to(swept[name], 3)[index] == pytest.approx(one[name]), name


def test_the_chosen_plan_is_the_fastest_of_those_that_fit(gpt3):
    """Against a plain loop over single plans."""
    place = make_machine(64, coefficients={"launch": 3e-6, "overlap": 0.5})
    job = run(batch_tokens=2048 * 256)
    fixed = {"recompute": "full", "virtual": 1, "micro_batch": 1, "ulysses": 1}
    chosen = training_plan(gpt3, job, place, fixed).plan
    best = (float("inf"), ())
    for tensor in (1, 2, 4, 8):
        for pipeline in (1, 2, 4, 8, 16, 32, 64):
            for zero in (1, 3):
                if tensor * pipeline <= 64:
                    plan = {"tensor": tensor, "pipeline": pipeline, "zero": zero, "data": 64 // tensor // pipeline}
                    one = make_machine(64, coefficients={"launch": 3e-6, "overlap": 0.5}, recompute="full", **plan)
                    estimate = train(gpt3, job, one)
                    if estimate.feasible:
                        best = min(best, (estimate["time"], (tensor, pipeline, zero)))
    assert (chosen.tensor, chosen.pipeline, chosen.zero) == best[1]


def test_chips_that_idle_interrupt_nothing():
    """1,024 replicas of 1,300 chips work as 1,024 chips do, failures and checkpoints included, and cost 1,300."""
    plan = "tensor=1, pipeline=1, virtual=1, ulysses=1, expert=1, zero=1, micro_batch=1, recompute=none, data=1024"
    few, many = (
        costline.train("llama-3.1-8b", on=f"{chips}xh100-sxm", tokens=1e12, batch_tokens=2**22, plan=plan)
        for chips in (1024, 1300)
    )
    assert many["time"] == few["time"]
    assert many["goodput"] == few["goodput"]
    assert many["cost"] == pytest.approx(few["cost"] * 1300 / 1024)
    assert many["mfu"] == pytest.approx(few["mfu"] * 1024 / 1300)
