"""Plans no engine runs are refused, with what would be right."""

from __future__ import annotations

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
        ("generate", "wan2.1-t2v-14b", "8xh100-sxm", "data=3", "data=3: no plan divides 8 chips"),
        ("generate", "wan2.1-t2v-14b", "8xh100-sxm", "ulysses=4, guidance=2, data=5", "= 40 chips; there are 8"),
        (
            "serve", "llama-3.1-8b", "8xh100-sxm", "tensor=2, pipeline=1, expert=1, data=2",
            "tensor=2 x data=2 = 4 chips, but 8 chips hold 4 such replicas: write data=4",
        ),
    ],
)  # fmt: skip
def test_replicas_that_contradict_the_chips_are_refused(question, model, on, plan, says):
    """Chips are the product of all degrees of parallelism (Narayanan et al. 2021, section 3.1)."""
    with pytest.raises(PlanError, match=says):
        getattr(costline, question)(model, on=on, plan=plan)


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
