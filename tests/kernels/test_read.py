"""Which rows of the package of measured kernels count."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from costline.catalogue import Catalogue
from costline.cli import BAD_INPUT, main
from costline.errors import CatalogueError, InputError
from costline.kernels import tables
from costline.kernels.read import read_files
from costline.kernels.tables import SYSTEMS, files_hash, files_of, installed
from tests.kernels.files import all_reduce, attention, experts, gemm, latent, write


def read(root):
    return read_files(files_of(root))


def test_the_missing_package_names_the_extra(monkeypatch, capsys):
    monkeypatch.setattr(tables, "PACKAGE", "no_such_package_of_kernels")
    assert main(["accuracy", "fit", "--kernels"]) == BAD_INPUT
    assert "pip install '.[kernels]'" in capsys.readouterr().err


def test_missing_pyarrow_names_the_extra(tmp_path, monkeypatch):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"'\.\[kernels\]'"):
        read(tmp_path)


def test_the_package_is_found_but_not_run(tmp_path, monkeypatch):
    package = tmp_path / tables.PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed() == package


def test_chips_are_those_of_the_catalogue():
    catalogue = Catalogue()
    assert all(catalogue.chip(chip).id == chip for chip, _ in SYSTEMS.values())


def test_milliseconds_and_elements_become_si(tmp_path):
    write(tmp_path, "h100_sxm", "comm", "vllm", "1.0", "custom_allreduce", all_reduce())
    (samples,) = read(tmp_path).samples
    assert samples.name == "h100-sxm all_reduce bf16"
    assert samples.shape["bytes"].max() == 2**30
    # 1 GiB over 2 chips at 0.75 of 450 GB/s: 2 x 1/2 x 2^30 bytes, and one hop of 2 us
    biggest = samples.seconds[(samples.shape["chips"] == 2) & (samples.shape["bytes"] == 2**30)]
    assert biggest == pytest.approx(2**30 / 337.5e9 + 2e-6)


def test_the_newest_version_of_a_software_counts(tmp_path):
    for version, scale in (("0.9.2", 3.0), ("0.10.0rc2", 2.0), ("0.10.0", 1.0)):
        write(tmp_path, "h100_sxm", "gemm", "vllm", version, "gemm", gemm(scale=scale))
    assert [file.version for file in files_of(tmp_path)] == ["0.10.0"]


def test_a_version_with_a_few_shapes_more_does_not_replace_the_older_one(tmp_path):
    many = {name: list(each) * 40 for name, each in gemm().items()}
    many["latency"] = np.linspace(1.0, 2.0, len(many["latency"]))
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", many)
    write(tmp_path, "h100_sxm", "gemm", "vllm", "2.0", "gemm", gemm())
    assert [file.version for file in files_of(tmp_path)] == ["1.0"]


def test_experts_are_those_of_one_chip(tmp_path):
    """Of 8 tokens that visit 8 of 64 experts each, a quarter of the visits and of the experts are one chip's."""
    write(tmp_path, "h100_sxm", "moe", "vllm", "1.0", "moe", experts())
    (samples,) = read(tmp_path).samples
    columns = experts()
    (row,) = np.flatnonzero(
        (columns["num_tokens"] == 8) & (columns["num_experts"] == 64) & (columns["topk"] == 8)
        & (columns["moe_ep_size"] == 4) & (columns["hidden_size"] == 2048) & (columns["inter_size"] == 768)
    )  # fmt: skip
    assert {name: values[row] for name, values in samples.shape.items()} == {
        "rows": 16.0, "inner": 2048.0, "outer": 768.0, "experts": 16.0,
    }  # fmt: skip


def test_skewed_experts_and_those_of_two_matrices_do_not_count(tmp_path):
    columns = experts()
    rows = len(columns["latency"])
    uneven = {"distribution": ["power_law_1.2"] * 3 + ["balanced"] * (rows - 3)}
    plain = {"kernel_source": ["triton"] * 3 + ["moe_torch_flow_nongated"] * 4 + ["triton"] * (rows - 7)}
    columns["hidden_size"][-2:], columns["inter_size"][-2:] = 2688, 1856
    write(tmp_path, "h100_sxm", "moe", "vllm", "1.0", "moe", columns, **uneven, **plain)
    found = read(tmp_path)
    assert len(found.samples[0].seconds) == rows - 9
    assert found.left_out["of a kind that is not fitted"] == 9


def test_latent_attention_that_stays_in_the_latent_is_a_kernel_of_its_own(tmp_path):
    columns = latent(True)
    columns["kernel_source"][:5] = ["flash_attention"] * 5
    write(tmp_path, "h100_sxm", "mla", "sglang", "1.0", "context_mla", columns)
    assert {each.kernel: len(each.seconds) for each in read(tmp_path).samples} == {
        "context_mla": 55, "context_mla_absorbed": 5,
    }  # fmt: skip


def test_tables_taken_over_from_another_version_do_not_count(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    newer = write(tmp_path, "h100_sxm", "gemm", "vllm", "2.0", "gemm", gemm(scale=2.0))
    (newer.parent / "reuse.yaml").write_text("reuse:\n- table: gemm_perf\n  from_version: '1.0'\n")
    assert [file.version for file in files_of(tmp_path)] == ["1.0"]


def test_rows_of_another_chip_or_software_do_not_count(tmp_path):
    columns = gemm()
    rows = len(columns["latency"])
    device = ["NVIDIA H200"] * 5 + ["NVIDIA H100 80GB HBM3"] * (rows - 5)
    framework = ["VLLM"] * (rows - 7) + ["TRTLLM"] * 7
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", columns, device=device, framework=framework)
    found = read(tmp_path)
    assert len(found.samples[0].seconds) == rows - 12
    assert found.left_out["not measured on this chip by this software"] == 12


def test_rows_that_do_not_say_where_they_are_from_do_not_count(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm(), device=None)
    assert read(tmp_path).samples == ()


def test_windows_eager_launches_and_missing_times_do_not_count(tmp_path):
    columns = gemm()
    columns["latency"][:3] = [0.0, np.nan, -1.0]
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", columns)
    write(tmp_path, "h100_sxm", "attention", "vllm", "1.0", "context_attention", attention(True, window=128))
    write(tmp_path, "h100_sxm", "comm", "vllm", "1.0", "custom_allreduce", all_reduce(source="vLLM_custom_eager"))
    found = read(tmp_path)
    assert [samples.kernel for samples in found.samples] == ["gemm"]
    assert len(found.samples[0].seconds) == 172
    assert found.left_out["no time"] == 3
    assert found.left_out["of a kind that is not fitted"] == 192 + 69


def test_every_bad_file_is_named_at_once(tmp_path):
    write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm(), n=None)
    write(tmp_path, "h100_sxm", "gemm", "sglang", "1.0", "gemm", gemm(), m=["many"] * 175)
    broken = write(tmp_path, "h100_sxm", "gemm", "trtllm", "1.0", "gemm", gemm())
    broken.write_bytes(b"no parquet")
    with pytest.raises(CatalogueError) as caught:
        read(tmp_path)
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 3
    assert "gemm/vllm/1.0/gemm_perf.parquet: column n is missing" in faults
    assert "gemm/sglang/1.0/gemm_perf.parquet: column m holds no numbers" in faults
    assert "gemm/trtllm/1.0/gemm_perf.parquet: cannot be read" in faults


def test_an_empty_package_is_said(tmp_path):
    with pytest.raises(InputError, match="no table of measured kernels"):
        files_of(tmp_path)


def test_the_hash_is_that_of_the_bytes(tmp_path):
    path = write(tmp_path, "h100_sxm", "gemm", "vllm", "1.0", "gemm", gemm())
    before = files_hash(files_of(tmp_path))
    assert before == files_hash(files_of(tmp_path))
    path.write_bytes(path.read_bytes() + b"0")
    assert files_hash(files_of(tmp_path)) != before
