"""A machine with round figures and no losses, so that hand calculations are short."""

from __future__ import annotations

import os

import pytest

from costline.engine.passes import Machine
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.models.importer import read_network
from costline.plan import Plan

SHARES = (
    "gemm", "attention", "attention_backward", "convolution", "memory", "link_up", "link_out", "eager",
    "misaligned", "power_active", "scan", "software", "dequantise",
)  # fmt: skip
COSTS = (
    "launch", "latency_up", "latency_out", "step_overhead", "overlap", "strong_scaling", "failures", "memory_reserved",
    "queue", "request_overhead", "exposed", "attention_block", "expert_spread", "gemm_half", "progress", "apart",
    "chunk", "dispatch", "product_energy",
)  # fmt: skip
OTHERS = {"restart_time": 600.0, "checkpoint_bandwidth": 1e9, "host_power": 100.0, "offload_bandwidth": 25e9,
          "host_memory_bandwidth": 1e15,
          "host_bridge": 1e15, "host_work": 1.0}  # fmt: skip


def lossless(**values):
    """Coefficients of a machine that reaches its peaks and never waits, but for `values`."""
    table = dict.fromkeys(SHARES, 1.0) | dict.fromkeys(COSTS, 0.0) | OTHERS | {"link_unknown": 1e9} | values
    return Efficiency(
        Coefficient(name=name, scope="all", qualifier="", value=value, unit="", source="test", kind="assumed")
        for name, value in table.items()
    )


def make_machine(chips=1, *, bandwidth=1e12, peak=100e12, coefficients=None, domain=8, **plan):
    chip = Chip(
        id="ideal", name="ideal", peak={"bf16": peak, "fp8": 2 * peak}, memory=100e9, memory_bandwidth=bandwidth,
        tdp=500.0, link_bandwidth=100e9,
    )  # fmt: skip
    cluster = Cluster(chip=chip, chips=chips, domain=domain, scale_up=100e9, scale_out=10e9)
    return Machine(cluster, lossless(**(coefficients or {})), Plan(**plan))


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory):
    """New processes find their modules compiled, as those of an installed package are, even where none may be kept."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        if "PYTHONDONTWRITEBYTECODE" in os.environ:
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "bytecode"))
        yield


@pytest.fixture
def machine():
    return make_machine


LLAMA_70B = {
    "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64,
    "num_key_value_heads": 8, "vocab_size": 32000,
}  # fmt: skip
GPT3 = {"n_embd": 12288, "n_layer": 96, "n_head": 96, "vocab_size": 50257, "n_positions": 2048}
MIXTRAL = {
    "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2,
}  # fmt: skip


@pytest.fixture(scope="session")
def llama():
    """Llama-2-70B."""
    return read_network(LLAMA_70B, "llama-2-70b", "LlamaForCausalLM")


@pytest.fixture(scope="session")
def gpt3():
    """GPT-3 175B."""
    return read_network(GPT3, "gpt-3", "GPT2LMHeadModel")


@pytest.fixture(scope="session")
def mixtral():
    """Mixtral-8x7B."""
    return read_network(MIXTRAL, "mixtral-8x7b", "MixtralForCausalLM")
