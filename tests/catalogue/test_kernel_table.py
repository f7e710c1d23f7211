"""The table of fitted kernels."""

from __future__ import annotations

import pytest

from costline import catalogue
from costline.catalogue.check import check_file
from costline.catalogue.kernel_table import KERNELS, kernel_csv, read_kernel_table, shipped_kernels
from costline.errors import CatalogueError

CHIPS = {
    "a100-sxm-80gb", "arc-pro-b60", "b200", "b300", "gb200", "gb300", "h100-sxm", "h200-sxm", "l40s", "rtx-pro-6000",
}  # fmt: skip


def test_every_chip_has_products_and_attention():
    rows = shipped_kernels()
    assert {row.chip for row in rows} == CHIPS
    for chip in CHIPS:
        kernels = {(row.kernel, row.format) for row in rows if row.chip == chip}
        assert {("gemm", "bf16"), ("context", "bf16"), ("generation", "bf16")} <= kernels
        assert catalogue.chip(chip).id == chip


def test_values_are_physical():
    for row in shipped_kernels():
        assert row.low <= row.value <= row.high
        if row.unit == "s":
            assert (1e-9 if row.name == "attention_block" else 1e-7) < row.value < 1e-3  # a block is a part of a launch
        if row.name == "gemm" and row.chip != "arc-pro-b60":
            assert row.value <= 1, row


@pytest.mark.parametrize(("chip", "tflops"), [("a100-sxm-80gb", 271.2), ("h100-sxm", 794.5), ("b200", 1745.0)])
def test_ceilings_agree_with_the_best_matmul_others_measured(chip, tflops):
    """Maximum achievable matmul in bf16 by stas00/ml-engineering, compute/accelerator; within 10 %."""
    wanted = (chip, "gemm", "gemm", "bf16")
    (found,) = (row for row in shipped_kernels() if (row.chip, row.name, row.kernel, row.format) == wanted)
    assert found.value * catalogue.chip(chip).rate("bf16") / 1e12 == pytest.approx(tflops, rel=0.1)


def test_it_is_written_as_it_is_read(tmp_path):
    path = tmp_path / "kernels.csv"
    path.write_text(kernel_csv(shipped_kernels()))
    assert path.read_text() == KERNELS.read_text()
    assert read_kernel_table(path) == shipped_kernels()
    assert "no faults" in check_file(path)


def test_all_faults_are_reported_at_once(tmp_path):
    header, first, second, third, fourth, *_ = KERNELS.read_text().splitlines()
    cells = first.split(",")
    place = {name: number for number, name in enumerate(header.split(","))}

    def changed(line, **changes):
        made = line.split(",")
        for name, value in changes.items():
            made[place[name]] = value
        return ",".join(made)

    lines = [
        header, first, first, changed(second, name="luck"), changed(third, low="9"), changed(fourth, rows="0"),
        changed(first, qualifier="x", held_out_median="0.9", held_out_p90="0.1"),
    ]  # fmt: skip
    path = tmp_path / "kernels.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(CatalogueError) as caught:
        check_file(path)
    faults = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    twice = f"{' '.join(cells[:5])}: is there 2 times"
    for words in (twice, "is none of", "is not between", "rows is 0", "held_out_median exceeds held_out_p90"):
        assert words in faults
