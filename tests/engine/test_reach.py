"""What kernels reach: measured boards, and that looking it up once for many kernels changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costline.catalogue import shipped
from costline.derivation import explain
from costline.engine.loads import forward_loads
from costline.engine.reach import sustained
from costline.engine.timing import time_loads
from costline.plan import Plan


@pytest.mark.parametrize(
    ("chip", "tflops", "off"),
    [("l40s", 0.617 * 362.05, 0.01), ("h100-sxm", 794.5, 0.002), ("rtx-pro-6000", 0.9035 * 467.8, 0.002)],
)
def test_products_reach_what_was_measured_on_the_board(chip, tflops, off):
    """kernels.csv (products timed one by one) and stas00/ml-engineering: share of peak, power limit included."""
    found, efficiency = shipped.chip(chip), shipped.sourced_efficiency()
    share = efficiency.value("gemm", found) * sustained(found, efficiency)
    assert share * found.rate("bf16") / 1e12 == pytest.approx(tflops, rel=off)


PLANS = (
    Plan(weights="int4", software="vllm", year=2024.5),
    Plan(weights="fp8", compute="fp8", compiled=False, software="llama.cpp"),
    Plan(weights="mxfp4", compute="fp8", narrow="experts", tensor=2, attention="naive"),
)


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("chip", ["h100-sxm", "l40s"])
def test_kernels_of_a_pass_take_as_long_as_each_alone(mixtral, plan, chip):
    machine = (replace(shipped.cluster(f"8x{chip}"), domain=8), shipped.efficiency(), plan)
    loads = forward_loads(mixtral.parts, mixtral.streams(tokens=7, cached=500, batch=3), plan)
    alone = [time_loads((load,), *machine) for load in loads]
    together = time_loads(loads, *machine)
    for name in ("math", "memory", "overhead", "point", "flops", "traffic"):
        assert getattr(together, name) == pytest.approx(sum(getattr(each, name) for each in alone), rel=1e-12)


def test_every_kernel_of_a_pass_is_explained_in_full(mixtral):
    plan = PLANS[0]
    loads = forward_loads(mixtral.parts, mixtral.streams(tokens=7, batch=3), plan)
    machine = (shipped.cluster("1xh100-sxm"), shipped.efficiency(), plan)
    with explain() as together:
        time_loads(loads, *machine)
    for load, node in zip(loads, together.children, strict=True):
        with explain() as alone:
            time_loads((load,), *machine)
        assert [each.name for each in node.walk()] == [each.name for each in alone.children[0].walk()]
