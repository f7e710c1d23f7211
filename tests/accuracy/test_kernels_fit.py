"""Kernels fitted to times made by curves written out by hand: the curve must come back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from costline.accuracy.kernels.fit import fit_kernel
from costline.catalogue import Catalogue
from costline.catalogue.kernel_table import read_kernel_table
from costline.cli import BAD_INPUT, main
from costline.kernels.model import groups_of
from costline.kernels.read import read_files
from costline.kernels.tables import PACKAGE, files_of
from tests.kernels.files import all_reduce, attention, experts, gemm, latent, write


def fitted(root, chip="h100-sxm"):
    """The one kernel of a package."""
    (samples,) = read_files(files_of(root)).samples
    done = fit_kernel(samples, Catalogue().chip(chip))
    return done, {(value.name, value.qualifier): value for value in done.values}


def check(done, values, expected):
    assert {key: value.value for key, value in values.items()} == {
        key: pytest.approx(value, rel=0.02) for key, value in expected.items()
    }
    assert done.held_out[1] < 0.005
    assert all(value.low <= value.value <= value.high for value in values.values())


def test_a_product(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    done, values = fitted(tmp_path)
    expected = {
        ("gemm", ""): 0.8, ("gemm_half", "width"): 120.0, ("gemm_half", "rows"): 50.0, ("memory", ""): 0.7,
        ("launch", "vllm"): 3e-6,
    }  # fmt: skip
    check(done, values, expected)
    assert done.rows == 175
    assert done.software is None


def test_a_product_in_fp8_narrows_its_input(tmp_path):
    """1979 TFLOP/s is the datasheet's rate; operands take a byte, and 16-bit inputs are read and narrowed first."""
    write(tmp_path, "h100_sxm", "gemm", "sglang", "1.0", "gemm", gemm(dtype="fp8", width=1.0, peak=1979e12))
    done, values = fitted(tmp_path)
    assert values["gemm", ""].value == pytest.approx(0.8, rel=0.02)
    assert values["memory", ""].value == pytest.approx(0.7, rel=0.02)
    assert done.held_out[1] < 0.005


def test_engines_have_launches_of_their_own(tmp_path):
    for software, launch in (("vllm", 3e-6), ("sglang", 9e-6)):
        write(tmp_path, "h100_sxm", "gemm", software, "1.0", "gemm", gemm(launch=launch))
    done, values = fitted(tmp_path)
    assert values["launch", "vllm"].value == pytest.approx(3e-6, rel=0.01)
    assert values["launch", "sglang"].value == pytest.approx(9e-6, rel=0.01)
    assert done.held_out[1] < 0.005
    # a product that takes no time but its launch: 3 and 9 us are both a factor of sqrt(3) from their geometric mean
    assert 0 < done.software[1] <= np.sqrt(3) - 1


def test_a_few_wild_times_do_not_move_the_rest(tmp_path):
    columns = gemm()
    columns["latency"][::20] *= 10
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", columns)
    done, values = fitted(tmp_path)
    assert values["gemm", ""].value == pytest.approx(0.8, rel=0.03)
    assert done.held_out[0] < 0.02


@pytest.mark.parametrize(("kernel", "cache"), [("context", "bfloat16"), ("generation", "bfloat16"),
                                               ("generation", "fp8")])  # fmt: skip
def test_attention(tmp_path, kernel, cache):
    columns = attention(kernel == "context", cache=cache)
    write(tmp_path, "h100_sxm", "attention", "vllm", "1.0", f"{kernel}_attention", columns)
    done, values = fitted(tmp_path)
    expected = {("attention", ""): 0.5, ("attention_block", ""): 2e-8, ("memory", ""): 0.6, ("launch", "vllm"): 8e-6}
    check(done, values, expected)


@pytest.mark.parametrize("kernel", ["context", "generation"])
def test_latent_attention(tmp_path, kernel):
    write(tmp_path, "h100_sxm", "mla", "vllm", "1.0", f"{kernel}_mla", latent(kernel == "context"))
    done, values = fitted(tmp_path)
    expected = {("attention", ""): 0.6, ("attention_block", ""): 2e-8, ("memory", ""): 0.8, ("launch", "vllm"): 1e-5}
    check(done, values, expected)


def test_a_layer_of_experts(tmp_path):
    write(tmp_path, "h100_sxm", "moe", "vllm", "1.0", "moe", experts())
    done, values = fitted(tmp_path)
    expected = {
        ("gemm", ""): 0.5, ("gemm_half", "width"): 90.0, ("gemm_half", "rows"): 40.0, ("memory", ""): 0.8,
        ("dispatch", "vllm"): 3.0,
    }  # fmt: skip
    check(done, values, expected)


def test_an_all_reduce(tmp_path):
    write(tmp_path, "h100_sxm", "comm", "vllm", "1.0", "custom_allreduce", all_reduce())
    done, values = fitted(tmp_path)
    links = {("link_up", str(chips)): 0.75 for chips in (2, 4, 8)}
    check(done, values, {**links, **{("latency_up", str(chips)): 2e-6 for chips in (2, 4, 8)}})


def test_a_value_at_the_end_of_the_search_is_not_told(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm(launch=0.0))
    done, values = fitted(tmp_path)
    assert ("launch", "vllm") not in values
    assert values["memory", ""].value == pytest.approx(0.7, rel=0.1)
    assert done.held_out[0] < 0.1


def test_shapes_are_held_out_whole(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    (samples,) = read_files(files_of(tmp_path)).samples
    groups = groups_of(samples)
    assert len(set(groups.tolist())) == 25
    for group in range(25):
        weights = {
            (samples.shape["inner"][row], samples.shape["outer"][row]) for row in np.flatnonzero(groups == group)
        }
        assert len(weights) == 1


def test_the_fit_is_the_same_every_time(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    assert fitted(tmp_path)[0] == fitted(tmp_path)[0]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with two kernels of one chip."""
    root = tmp_path / PACKAGE
    write(root, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    write(root, "h100_sxm", "comm", "vllm", "1.0", "custom_allreduce", all_reduce())
    monkeypatch.syspath_prepend(str(tmp_path))
    return root


def test_the_command(package, tmp_path, capsys):
    assert main(["accuracy", "fit", "--kernels", "--write", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "peak 0.80, width 120, rows 50, mem 0.70, us vllm 3.0" in out
    assert "link 0.75 0.75 0.75, hop 2.0 2.0 2.0" in out
    assert "wrote kernels.csv" in err
    rows = read_kernel_table(tmp_path / "kernels.csv")
    assert {row.name for row in rows} == {"gemm", "gemm_half", "memory", "launch", "link_up", "latency_up"}
    assert all(row.kind == "fitted" and "sha256" in row.source for row in rows)


def test_the_command_in_json(package, capsys):
    assert main(["accuracy", "fit", "--kernels", "--chip", "h100-sxm", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["schema"] == "costline.kernels/1"
    assert [each["kernel"] for each in body["kernels"]] == ["all_reduce", "gemm"]
    assert body["kernels"][1]["held_out"]["p90"] < 0.005


def test_chips_and_json_belong_to_kernels(package, capsys):
    assert main(["accuracy", "fit", "--chip", "h100-sxm"]) == BAD_INPUT
    assert main(["accuracy", "fit", "--kernels", "--chip", "h10-sxm"]) == BAD_INPUT
    assert "did you mean h100-sxm" in capsys.readouterr().err
