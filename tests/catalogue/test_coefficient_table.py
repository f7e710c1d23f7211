"""Coefficients against the measurements they were taken from."""

import pytest

from costline import catalogue
from costline.catalogue import coefficient_table
from costline.catalogue.check import check_file
from costline.catalogue.table import DATA, read_table
from costline.errors import CatalogueError


def test_every_chip_has_every_coefficient_the_engine_asks_for():
    wanted = {
        "gemm": ("", "bf16", "fp8", "int8"), "attention": ("", "naive", "fa2"), "attention_backward": ("",),
        "convolution": ("",), "memory": ("", "bf16", "int4"), "eager": ("",), "launch": ("eager", "graph"),
        "step_overhead": ("train", "prefill", "decode", "generate"), "link_up": ("",), "link_out": ("",),
        "link_unknown": ("up", "out"), "latency_up": ("",), "latency_out": ("",),
        "overlap": ("data", "tensor", "pipeline", "ulysses", "ring", "expert", "anything"), "expert_spread": ("",),
        "strong_scaling": ("",), "failures": ("",), "restart_time": ("",), "checkpoint_bandwidth": ("",),
        "power_active": ("math", "memory", "idle"), "host_power": ("",), "pue": ("",), "memory_reserved": ("",),
        "offload_bandwidth": ("",), "host_memory_bandwidth": ("",),
        "software": ("", "vllm"), "progress": ("",), "exposed": ("",),
        "gemm_half": ("width", "rows"), "dequantise": ("", "int4"), "apart": ("loop", "loop/maxtext"),
        "scan": ("",), "request_overhead": ("", "vllm"), "misaligned": ("",), "product_energy": ("",),
        "chunk": ("loop", "loop/maxtext"),
    }  # fmt: skip
    efficiency = catalogue.efficiency()
    for chip in catalogue.chips().values():
        for name, qualifiers in wanted.items():
            for qualifier in qualifiers:
                assert efficiency.value(name, chip, qualifier) >= 0


def test_shares_are_shares_and_assumptions_give_reasons():
    for row in catalogue.coefficients():
        if row.unit == "1" and row.name in {"gemm", "memory", "link_up", "link_out", "overlap", "convolution", "scan"}:
            assert 0 <= row.value <= 1, row
        assert row.kind != "assumed" or row.note
        assert row.low is None or row.low <= row.value <= row.high


def test_scopes_of_coefficients_exist():
    chips = catalogue.chip_facts().values()
    known = {"all"} | {f"chip:{each.id}" for each in chips} | {f"family:{each.family}" for each in chips}
    known |= {f"vendor:{each.vendor.lower()}" for each in chips}
    assert {row.scope for row in catalogue.coefficients()} <= known


@pytest.mark.parametrize(
    ("chip", "qualifier", "tflops"),
    [
        ("a100-sxm-80gb", "bf16", 271.2),
        ("h100-sxm", "bf16", 794.5),
        ("h100-sxm", "fp8", 1402.6),
        ("mi300x", "bf16", 668.4),
    ],
)
def test_matmul_ceilings_are_those_measured(chip, qualifier, tflops):
    """Best matmul measured on each chip (stas00/ml-engineering, maximum achievable matmul)."""
    found = catalogue.chip(chip)
    share = catalogue.shipped.sourced_efficiency().value("gemm", found, qualifier)
    reached = share * found.rate(qualifier)
    assert reached / 1e12 == pytest.approx(tflops, rel=2e-3)


def test_failures_are_those_of_llama_3():
    """419 unexpected interruptions in 54 days on 16,384 chips: one in some three hours (arXiv:2407.21783)."""
    rate = catalogue.efficiency().value("failures", catalogue.chip("h100-sxm")) * 16384
    assert 1 / rate / 3600 == pytest.approx(3.09, abs=0.01)


def test_user_values_go_before_the_table():
    chip = catalogue.chip("h100-sxm")
    assert catalogue.efficiency(gemm=0.5).value("gemm", chip, "bf16") == 0.5


def test_faults_of_coefficients_are_found(tmp_path):
    path = tmp_path / "coefficients.csv"
    header = "name,scope,qualifier,value,low,high,unit,kind,date,source,note\n"
    path.write_text(
        header
        + "gemm,everyone,,0.5,,,1,derived,,s,\n"
        + "gemm,all,,0.5,0.6,0.7,1,assumed,,s,\n"
        + "gemm,all,,0.5,,,1,derived,,s,\n"
    )
    with pytest.raises(CatalogueError) as caught:
        check_file(path)
    text = "\n".join(caught.value.faults)
    for says in ("scope is all", "not between 0.6 and 0.7", "note must say why", "is there twice"):
        assert says in text


def test_shipped_coefficients_have_no_faults():
    assert not coefficient_table.coefficient_faults(read_table(DATA / "coefficients.csv", coefficient_table.COLUMNS))
