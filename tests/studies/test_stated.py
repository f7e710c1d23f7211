"""Plans no engine runs are refused, with what would be right."""

from __future__ import annotations

import itertools
from math import prod

import pytest

import costline
from costline.errors import PlanError


@pytest.mark.parametrize(
    ("question", "model", "plan", "says"),
    [
        ("generate", "wan2.1-t2v-14b", "ulysses=64", "40 heads, which divide by 1, 2, 4, 5, 8, 10, 20, 40"),
        ("generate", "wan2.1-t2v-14b", "tensor=2, ulysses=16", "tensor=2 x ulysses=16: .* 40 heads"),
        ("generate", "hunyuanvideo", "guidance=2", "1 guidance branches"),  # guidance is distilled into the model
        ("generate", "flux.1-dev", "guidance=2", "1 guidance branches"),
        ("generate", "wan2.1-t2v-14b", "vae_parallel=1000", "there are 64 chips"),
        ("generate", "wan2.1-t2v-14b", "zero=3", "zero has no effect on generation"),
        ("serve", "llama-3.1-8b", "tensor=3", "32 heads"),
        ("serve", "llama-3.1-8b", "tensor=64", "32 heads"),
        ("serve", "llama-3.1-8b", "pipeline=40", "32 layers"),
        ("serve", "llama-3.1-8b", "expert=8", "no experts to divide"),
        ("serve", "mixtral-8x22b", "expert=3", "8 experts a layer, which divide by 1, 2, 4, 8"),
        ("serve", "llama-3.1-8b", "guidance=2", "guidance has no effect on serving"),
        ("serve", "llama-3.1-8b", "offload=weights", "serving knows none"),
        ("train", "llama-3.1-8b", "virtual=2, pipeline=1", "nothing to interleave"),
        ("train", "llama-3.1-8b", "virtual=8, pipeline=8", "32 layers"),
        ("train", "llama-3.1-8b", "cache=fp8", "cache has no effect on training"),
        ("train", "llama-3.1-8b", "offload=weights", "training knows none, optimizer"),
        ("train", "llama-3.1-8b", "recomputed=0.5", "state recompute=full too"),
        ("train", "llama-3.1-8b", "expert_tensor=2", "no experts to divide"),
        ("serve", "llama-3.1-8b", "density=0.1", "no sparse attention is known for serving"),
    ],
)
def test_what_cannot_be_run_is_refused(question, model, plan, says):
    more = {"tokens": 1e12} if question == "train" else {}
    with pytest.raises(PlanError, match=says):
        getattr(costline, question)(model, on="64xh100-sxm", plan=plan, **more)


@pytest.mark.parametrize(
    ("question", "model", "plan"),
    [
        ("generate", "wan2.1-t2v-14b", "ulysses=8, guidance=2, ring=4, vae_parallel=8, offload=encoders"),
        ("serve", "llama-3.1-8b", "tensor=16, cache=fp8"),  # more chips than the 8 key-value heads: these are copied
        ("serve", "mixtral-8x22b", "expert=8, tensor=2"),
        ("train", "llama-3.1-8b", "pipeline=5, virtual=3, zero=1, offload=optimizer"),  # uneven stages are allowed
    ],
)
def test_what_engines_run_is_answered(question, model, plan):
    more = {"tokens": 1e12} if question == "train" else {}
    assert getattr(costline, question)(model, on="64xh100-sxm", plan=plan, **more).figures


@pytest.mark.parametrize(
    ("question", "model", "on", "plan", "says"),
    [
        ("serve", "llama-3.1-8b", "2xh100-sxm", "data=4", "needs 4 chips; there are 2"),
        ("serve", "llama-3.1-8b", "4xh100-sxm", "tensor=2, data=4", "tensor=2 x data=4 = 8 chips; there are 4"),
        ("generate", "wan2.1-t2v-14b", "8xh100-sxm", "ulysses=4, guidance=2, data=5", "= 40 chips; there are 8"),
    ],
)  # fmt: skip
def test_replicas_that_contradict_the_chips_are_refused(question, model, on, plan, says):
    """Chips are the product of all degrees of parallelism (Narayanan et al. 2021, section 3.1)."""
    with pytest.raises(PlanError, match=says):
        getattr(costline, question)(model, on=on, plan=plan)


@pytest.mark.parametrize(
    ("question", "model", "plan", "says"),
    [
        ("generate", "wan2.1-t2v-14b", "data=3", "2 of 8 chips stand idle beside 6 at work (replicas of 2)"),
        (
            "serve", "llama-3.1-8b", "tensor=2, pipeline=1, expert=1, data=2",
            "4 of 8 chips stand idle beside 4 at work (replicas of 2)",
        ),
    ],
)  # fmt: skip
def test_fewer_replicas_than_the_chips_hold_leave_chips_idle(question, model, plan, says):
    found = getattr(costline, question)(model, on="8xh100-sxm", plan=plan)
    assert any(words.startswith(says) for words in found.warnings)


@pytest.mark.parametrize(
    ("question", "plan", "chips"),
    [("serve", "expert=4", 3), ("train", "expert=64, expert_tensor=4, tensor=4, pipeline=1", 64)],
)
def test_groups_of_experts_divide_the_chips(question, plan, chips):
    """Every chip of a stage is in one group, as in Megatron-LM's `initialize_model_parallel`: 64 x 4 need 256 chips."""
    more = {"tokens": 1e12} if question == "train" else {}
    with pytest.raises(PlanError, match="cannot be divided into such groups; expert may be 1"):
        getattr(costline, question)("qwen3-30b-a3b", on=f"{chips}xh100-sxm", plan=plan, **more)


@pytest.mark.parametrize("chips", [3, 6, 12, 24, 96, 100])
def test_chosen_groups_of_experts_divide_the_chips(chips):
    plan = costline.train("qwen3-30b-a3b", tokens=1e12, on=f"{chips}xh100-sxm").inputs
    stage = plan["tensor"] * plan["ulysses"] * plan["ring"] * plan["data"]
    assert stage % plan["expert"] == 0


@pytest.mark.parametrize(("question", "numbers"), [("train", (8, 9, 12)), ("serve", (8, 9, 11, 16, 17))])
def test_a_chip_more_never_slows_a_mixture(question, numbers):
    """Groups of experts take what divides, the rest stands idle."""
    more = {"tokens": 1e12, "failures": False} if question == "train" else {}
    found = [getattr(costline, question)("qwen3-30b-a3b", on=f"{chips}xh100-sxm", **more) for chips in numbers]
    rates = [1 / each["time"] if question == "train" else each["output_rate"] for each in found]
    assert all(after >= before * (1 - 1e-9) for before, after in itertools.pairwise(rates))


def test_a_stated_group_of_experts_leaves_no_replica_idle_that_could_work():
    """12 chips: 8 in a group and 4 idle, not one replica of 8."""
    asked = {"tokens": 1e12, "on": "12xh100-sxm"}
    eight, stated = (costline.train("qwen3-30b-a3b", plan=plan, **asked) for plan in ("expert=8", "expert=8, data=8"))
    assert eight["time"] <= stated["time"] * (1 + 1e-9)


@pytest.mark.parametrize("chips", [3, 7, 12])
def test_the_search_of_plans_is_never_beaten_by_the_usual_ones(chips):
    best = costline.find_plan("generate", "wan2.1-t2v-14b", on=f"{chips}xh100-sxm").estimate
    assert best["time"] <= costline.generate("wan2.1-t2v-14b", on=f"{chips}xh100-sxm")["time"] * (1 + 1e-9)


def test_a_chip_more_is_never_slower():
    """1,024 sequences feed 1,024 chips; one more stands idle."""
    times = [costline.train("llama-3.1-8b", tokens="1T", on=f"{chips}xh100-sxm", failures=False)["time"]
             for chips in (1024, 1025, 1300, 2047, 2048)]  # fmt: skip
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("question", ["train", "serve", "generate"])
def test_stated_replicas_are_kept_where_other_degrees_are_open(question):
    model, more = ("wan2.1-t2v-14b", {}) if question == "generate" else ("llama-3.1-8b", {})
    more = {"tokens": 1e12} if question == "train" else more
    found = getattr(costline, question)(model, on="64xh100-sxm", plan="data=8", **more).inputs
    degrees = [found[name] for name in ("tensor", "pipeline", "ulysses", "ring", "guidance")]
    assert found["data"] == 8
    assert prod(degrees) == 8
    best = costline.find_plan(question, model, on="64xh100-sxm", plan="data=8", **more)
    assert best.estimate.inputs["data"] == 8


@pytest.mark.parametrize(
    ("question", "plan", "precision", "words"),
    [
        ("serve", "narrow=experts", "fp8", "llama-3.1-8b has no experts"),
        ("train", "narrow=experts", "fp8", "llama-3.1-8b has no experts"),
        ("serve", "narrow=feed-forward", "bf16", "no format has fewer than 16 bits"),
        ("serve", "narrow=all", None, "no format has fewer than 16 bits"),
    ],
)
def test_parts_that_are_in_no_narrow_format_are_refused(question, plan, precision, words):
    more = {"tokens": 1e12} if question == "train" else {}
    with pytest.raises(PlanError, match=words):
        getattr(costline, question)("llama-3.1-8b", on="8xh100-sxm", plan=plan, precision=precision, **more)


def test_two_pools_that_share_all_chips_leave_none_idle():
    found = costline.find_plan("serve", "llama-3.1-8b", on="8xh100-sxm", within="tpot<20ms")
    pools = found.estimate.inputs.get("pools")
    assert pools is None or sum(pools.values()) == 8
    assert not any("idle" in words for words in found.estimate.warnings)
