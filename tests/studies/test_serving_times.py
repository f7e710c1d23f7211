"""Times of requests: only what is asked for is worked out, and it is what all figures together say."""

from __future__ import annotations

import pytest

from costline.derivation import explain
from costline.studies.serving_times import Requests, Served, serving_times
from tests.conftest import make_machine

FIRST, TOGETHER, STEP = "prefill of one request", "prefill of the batch", "decode step"


@pytest.mark.parametrize(
    ("batching", "figure", "passes"),
    [
        ("static", "ttft", {TOGETHER}), ("static", "tpot", {STEP}), ("static", "latency", {TOGETHER, STEP}),
        ("continuous", "tpot", {TOGETHER, STEP}), ("continuous", "ttft", {FIRST, TOGETHER, STEP}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pipeline", [1, 4])
def test_a_time_takes_only_the_passes_it_is_made_of(llama, batching, figure, passes, pipeline):
    machine = make_machine(8, tensor=8 // pipeline, pipeline=pipeline)
    requests = Requests(input=1000, output=200, batch=12, batching=batching)
    with explain() as record:
        alone = getattr(Served(llama, requests, machine), figure)
    assert {node.name for node in record.children if not node.expression} & {FIRST, TOGETHER, STEP} == passes
    assert alone == serving_times(llama, requests, machine)[figure]


@pytest.mark.parametrize("batching", ["static", "continuous"])
def test_a_pass_is_made_once_however_many_figures_it_is_part_of(llama, batching):
    with explain() as record:
        serving_times(llama, Requests(input=1000, output=200, batch=4, batching=batching), make_machine())
    names = [node.name for node in record.children if node.name in {FIRST, TOGETHER, STEP}]
    assert names == ([TOGETHER, STEP] if batching == "static" else [FIRST, TOGETHER, STEP])
    steps = [node for node in record.children if node.name == STEP]
    kernels = [node.name for node in steps[0].children]
    assert len(kernels) == len(set(kernels))
