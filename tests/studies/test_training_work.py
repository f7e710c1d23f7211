"""FLOPs of training and the use of the hardware, against counts by hand."""

from __future__ import annotations

import pytest

import costline
from costline.errors import InputError

LLAMA = {"model": "llama-3.1-8b", "tokens": "1T", "on": "64xh100-sxm", "failures": False}
PAIRS, HEADS, WIDTH, LAYERS = 4096 * 4097 / 2, 32, 128, 32


def attention_flops(density):
    """Two products for each pair that the causal mask lets through and the sparse attention keeps, of one sequence."""
    return 4 * PAIRS * density * HEADS * WIDTH * LAYERS


@pytest.mark.parametrize("density", [1.0, 0.5, 0.1])
def test_sparse_attention_counts_the_pairs_it_computes(density):
    """Backward passes compute five products of attention for two, and no recomputation is asked for."""
    found = costline.train(**LLAMA, plan=f"density={density}, recompute=none")
    sequences = 1e12 / 4096
    products = 2 * (8_030_261_248 - 128_256 * 4096 - 65 * 4096) * 4096  # all weights but the table and the norms
    exact = 3 * (products + attention_flops(density)) * sequences
    executed = (3 * products + 3.5 * attention_flops(density)) * sequences
    assert found["flops_exact"] == pytest.approx(exact, rel=1e-4)
    assert found["flops_hardware"] == pytest.approx(executed, rel=1e-4)
    assert found["mfu"] < found["hfu"] < 1


@pytest.mark.parametrize("mfu", [0.05, 0.4, 0.8])
def test_a_stated_utilisation_sets_the_step_and_the_power(mfu):
    found = costline.train(**LLAMA, mfu=mfu)
    steps = 1e12 / (1024 * 4096)
    assert found["step"] * steps == pytest.approx(found["time"], rel=1e-9)
    assert found["step"] == pytest.approx(found["flops_exact"] / steps / (64 * 989.4e12 * mfu), rel=1e-3)


def test_idle_units_draw_less():
    """At an eighth of the utilisation the same work takes eight times as long at less power."""
    slow, fast = (costline.train(**LLAMA, mfu=mfu) for mfu in (0.05, 0.4))
    power = [each["energy"] / each["time"] for each in (slow, fast)]
    assert power[0] < 0.8 * power[1]


def test_a_utilisation_that_needs_more_than_the_peak_is_told():
    warned = costline.train(**LLAMA, mfu=1.0, plan="recompute=full").warnings
    assert any("% of the peak for the FLOPs that are executed" in words for words in warned)
    assert not any("that are executed" in words for words in costline.train(**LLAMA, mfu=0.4).warnings)
    # 276 of 1,300 chips idle: 90 % of all of them are 114 % of those at work
    idle = costline.train(**{**LLAMA, "on": "1300xh100-sxm"}, mfu=0.9, plan="tensor=1, data=1024").warnings
    assert any("needs 11" in words and "of the peak" in words for words in idle)


def test_llama_3_runs_as_published():
    """126 layers in 16 stages of 8 places, embedding and head in the other two (arXiv:2407.21783, section 3.3.2)."""
    plan = "tensor=8, pipeline=16, virtual=8"
    found = costline.train("llama-3.1-405b", tokens="15.6T", on="16384xh100-sxm", sequence=8192, plan=plan)
    assert found.inputs["virtual"] == 8
    with pytest.raises(InputError, match="126 layers"):
        costline.train("llama-3.1-405b", tokens="15.6T", on="16384xh100-sxm", plan="pipeline=16, virtual=9")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sequence": "8k", "curriculum": "90%@32k,10%@1M"}, "sequence 8k and curriculum"),
        ({"attention": "sage"}, "no backward pass"),
        ({"attention": "fa4"}, "a kernel for blackwell chips"),
        ({"coefficients": {"gemm": 2}}, "gemm: 2 is more than all"),
        ({"coefficients": {"memory_reserved": 1.5}}, "more than all"),
        ({"video": True}, "says itself what it makes"),
    ],
)
def test_what_contradicts_itself_is_refused(asked, says):
    with pytest.raises(InputError, match=says):
        costline.train(**LLAMA, **asked)


def test_a_video_model_is_trained_on_the_clips_it_makes():
    """Wan 2.1 makes 81 frames; one frame is 3,600 tokens, 81 are 75,600."""
    asked = {"clips": 1e6, "on": "512xh100-sxm"}
    usual = costline.train("wan2.1-t2v-14b", resolution="1280x720", **asked)
    assert usual.inputs["tokens"] == 1e6 * 75600
    assert any(row.name == "frames" and row.value == "81" for row in usual.assumptions)
    with pytest.raises(InputError, match="either says how long"):
        costline.train("wan2.1-t2v-14b", resolution="720p", sequence=4096, **asked)
    by_tokens = costline.train("wan2.1-t2v-14b", tokens=1e6 * 75600, on="512xh100-sxm")
    assert by_tokens["time"] == pytest.approx(usual["time"])


@pytest.mark.parametrize("model", ["latte-1", "open-sora-1.2", "magi-1-24b", "hidream-i1", "stable-diffusion-xl"])
def test_tokens_alone_say_too_little_for_networks_that_work_on_frames(model):
    with pytest.raises(InputError, match="give the resolution and the frames instead"):
        costline.train(model, tokens="1T", sequence=4096, on="64xh100-sxm")


def test_an_optimizer_on_the_host_reads_its_memory_there():
    """8.03e9 parameters on 8 chips: gradient and weight over the link, these and the states twice in the memory."""
    found = costline.train(
        "llama-3.1-8b", tokens="1T", on="8xh100-sxm", plan="offload=optimizer, zero=1, tensor=1, pipeline=1",
        coefficients={"offload_bandwidth": 50e9, "host_memory_bandwidth": 50e9},
    )  # fmt: skip
    step = found.figure("step")
    update = next(part.value for part in step.children if part.name == "optimizer")
    plan = found.inputs
    states = 2 * plan["optimizer_bytes"] + plan["gradient_bytes"] + 2
    assert update == pytest.approx(8_030_261_248 / 8 * (plan["gradient_bytes"] + 2 + states) / 50e9, rel=1e-3)
