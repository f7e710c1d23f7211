"""Blocks as Parquet: readable by others, and the same bytes for the same points."""

import importlib

import numpy as np
import pytest
from pyarrow import parquet

from costline.errors import InputError
from costline.sweep import run
from costline.sweep.arrow import pyarrow

from .conftest import contents, grid


def test_a_file_says_what_its_columns_are(kept):
    schema = parquet.read_schema(kept / "block-000000.parquet")
    units = {field.name: field.metadata[b"unit"].decode() for field in schema if field.metadata}
    assert (units["tpot"], units["cost_output"], units["input"], units["memory"]) == ("s", "USD/token", "token", "byte")
    assert schema.field("precision").type.value_type == "string"


def test_a_folder_is_one_table_to_others(kept):
    table = parquet.read_table(kept)
    assert table.num_rows == grid().points
    assert table.column("point").to_pylist() == list(range(grid().points))
    assert set(table.column("precision").to_pylist()) == {"bf16", "fp8"}
    assert all(reason is None or "16 chips" in reason for reason in table.column("reason").to_pylist())


def test_the_same_points_give_the_same_bytes(kept, tmp_path):
    run(grid(), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(kept)


def test_numbers_survive_bit_for_bit(kept):
    from costline.sweep.evaluate import evaluate

    block = evaluate(grid(), ("tpot",), 0, grid().points)
    assert np.array_equal(
        parquet.read_table(kept).column("tpot").to_numpy(), block.figures["tpot"], equal_nan=True
    )  # fmt: skip


def test_without_pyarrow_it_says_what_to_install(monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install '\.\[sweep\]'"):
        pyarrow()
