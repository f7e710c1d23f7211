"""Kernels of a recurrence (Mamba-2, delta nets) against hand calculations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costline import catalogue
from costline.engine.loads import forward_loads
from costline.engine.passes import forward_pass
from costline.models.parts import LinearAttention
from costline.plan import Plan
from tests.conftest import make_machine

STATE = 64 * 64 * 128
"""Heads x head width x state of one sequence in one layer, as in Nemotron 3 Nano's config.json."""


@pytest.fixture
def scan():
    return LinearAttention(
        name="block/mamba/core", rows="tokens", state_flops_per_token=4 * STATE, width=4096, repeat=23, state=STATE
    )


def test_a_step_of_decoding_reads_and_writes_the_state_of_every_sequence(scan):
    """48 MB a sequence in 16 bits, 23 layers; the token itself and a 256th of a chunk are next to nothing."""
    (load,) = forward_loads([scan], {"batch": 64, "tokens": 1}, Plan())
    kept = 64 * 23 * 2 * STATE * 2
    assert kept == pytest.approx(64 * 48.2e6, rel=1e-3)
    assert kept < load.traffic < 1.04 * kept


def test_the_state_is_moved_once_however_long_the_prompt(scan):
    """Of 8,192 tokens all but their own bytes are the states of 32 chunks, moved four times in 32 bits."""
    (load,) = forward_loads([scan], {"batch": 1, "tokens": 8192}, Plan())
    tokens, chunks, kept = 8192 * 4 * 4096 * 2, 32 * 4 * STATE * 4, 2 * STATE * 2
    assert load.traffic == pytest.approx(23 * (tokens + chunks + kept), rel=1e-12)


@pytest.mark.parametrize("tensor", [2, 4])
def test_tensor_parallel_divides_the_state(scan, tensor):
    streams = {"batch": 8, "tokens": 1}
    (whole,), (part,) = (forward_loads([scan], streams, Plan(tensor=size)) for size in (1, tensor))
    assert (part.traffic * tensor, part.flops * tensor) == pytest.approx((whole.traffic, whole.flops), rel=1e-12)


def test_a_scan_stays_in_16_bits_where_products_are_narrow(scan):
    streams = {"batch": 1, "tokens": 4096}
    machines = (make_machine(), make_machine(weights="fp8", compute="fp8"))
    wide, narrow = (forward_pass([scan], streams, machine).math for machine in machines)
    assert wide == narrow == pytest.approx(23 * 4096 * 4 * STATE / 100e12)


def test_a_scan_has_a_share_of_its_own(scan):
    streams, plain = {"batch": 1, "tokens": 4096}, make_machine()
    slow = replace(plain, efficiency=plain.efficiency.replace(scan=0.02, gemm=0.5))
    times = [forward_pass([scan], streams, machine).math for machine in (plain, slow)]
    assert times[1] == pytest.approx(50 * times[0])


def test_more_sequences_of_a_hybrid_read_more():
    """A hybrid keeps little for each token, but its state it reads with every step: 48 MB more a sequence."""
    network = catalogue.model("nemotron-3-nano-30b-a3b")
    steps = [
        forward_pass(network.parts, network.streams(tokens=1, cached=0, batch=b), make_machine()) for b in (512, 1024)
    ]
    cores = [sum(value for name, value in step.groups.items() if name == "block/mamba") for step in steps]
    assert cores[1] - cores[0] >= 512 * 48.2e6 / 1e12
