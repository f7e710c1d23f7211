"""Files of measurements: the shipped ones, a user's own, bad ones."""

from __future__ import annotations

import pytest

from costline.accuracy.rows import (
    COMMON,
    TABLES,
    GenerateRow,
    ServeRow,
    TrainRow,
    read_measurements,
    shipped_measurements,
)
from costline.errors import CatalogueError
from tests.accuracy.conftest import ROWS, SERVE, TRAIN


@pytest.mark.parametrize(
    ("table", "rows", "scored"), [("train", 1187, 865), ("serve", 3984, 3235), ("generate", 868, 580)]
)
def test_the_shipped_tables_hold_the_rows_that_were_gathered(table, rows, scored):
    """Those that their README states (912, 3,191 and 523), and 351, 560 and 502 that were kept apart at first."""
    read = shipped_measurements(table)
    assert (len(read.rows), sum(row.scored for row in read.rows)) == (rows, scored)
    assert not read.faults
    assert not read.warnings


@pytest.mark.parametrize("table", TABLES)
def test_every_shipped_row_has_a_source(table):
    assert all(row.source for row in shipped_measurements(table).rows)


@pytest.mark.parametrize("table", TABLES)
def test_the_table_is_told_by_its_columns_in_any_order(table, write):
    read = read_measurements(write(ROWS[table], columns=sorted(ROWS[table], reverse=True)))
    assert read.table == table
    assert isinstance(read.rows[0].conditions, {"train": TrainRow, "serve": ServeRow, "generate": GenerateRow}[table])
    assert read.rows[0].scored


def test_blanks_are_unknown_and_not_zero(row):
    conditions = row("train", tp="", micro_batch="", recompute="").conditions
    assert (conditions.tp, conditions.micro_batch, conditions.recompute) == (None, None, "")


def test_unknown_columns_are_ignored_with_a_warning_and_missing_ones_are_blank(write):
    read = read_measurements(write({**TRAIN, "colour": "red"}))
    assert any("'colour'" in warning for warning in read.warnings)
    assert any("vpp" in warning for warning in read.warnings)
    assert read.rows[0].conditions.vpp is None


def test_every_fault_is_named_with_its_row_and_the_row_keeps_its_place(write):
    rows = [
        {**TRAIN, "id": "r1", "tp": "two", "layers": "1.5"},
        {**TRAIN, "id": "r2", "value": "-3"},
        {**TRAIN, "id": "r3", "chip": "", "seq_len": "1e99"},
        {**TRAIN, "id": "r4"},
    ]
    read = read_measurements(write(*rows))
    text = "\n".join(read.faults)
    for words in ("r1: column tp: 'two'", "r1: column layers: '1.5'", "r2: column value", "r3: column chip is empty",
                  "r3: column seq_len"):  # fmt: skip
        assert words in text
    assert [bool(row.faults) for row in read.rows] == [True, True, True, False]


@pytest.mark.parametrize("value", ["", "0", "nan", "inf", "-1", "fast", "1_000"])
def test_a_measured_value_must_be_a_number_above_zero(row, value):
    read = row("serve", value=value)
    assert read.value is None
    assert any("value" in fault for fault in read.faults)


def test_a_file_of_no_table_says_what_each_needs(write):
    with pytest.raises(CatalogueError, match="train needs global_batch_seqs and seq_len"):
        read_measurements(write(dict.fromkeys(COMMON, "1")))


def test_missing_common_columns_are_all_named(write):
    with pytest.raises(CatalogueError, match="2 faults"):
        read_measurements(write({key: cell for key, cell in SERVE.items() if key not in {"value", "chip"}}))


def test_an_id_that_is_there_again_is_a_fault_of_the_later_row(write):
    read = read_measurements(write(SERVE, {**SERVE, "id": "z"}, SERVE))
    assert [(row.id, bool(row.faults)) for row in read.rows] == [("b", False), ("z", False), ("row 4", True)]
    assert read.faults == ("row 4: id 'b' is that of row 2",)


def test_rows_whose_cells_cannot_be_told_apart_are_named_and_the_rest_is_read(write):
    path = write(SERVE, {**SERVE, "id": "c"})
    header, good, other = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([header, "1", good, f"{good},more", f'"{other}"x', other, '"open']), "utf-8")
    read = read_measurements(path)
    assert [row.id for row in read.rows] == ["row 2", "b", "row 4", "row 5", "c", "row 7"]
    assert [bool(row.faults) for row in read.rows] == [True, False, True, True, False, True]
    assert f"row 2: has 1 cells, the header has {len(SERVE)}" in read.faults


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no header"), ("\n\n", "no header"), ("id;chip;value\n", "separated by ';'"), ('"id\n', "header"),
     ("id,chip,id\n", "'id' is there twice")],
)  # fmt: skip
def test_a_header_that_is_none_says_what_is_wrong_with_it(text, words, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=words):
        read_measurements(path)


def test_a_missing_file_is_a_fault(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_measurements(tmp_path / "none.csv")


def test_conditions_hold_nothing_measured():
    """Names of columns that repeat the result or were derived from it are in no type of conditions."""
    measured = {"value", "tokens_per_s_per_chip", "reported_tflops_per_chip", "reported_mfu_pct", "calc_tflops_6n",
                "calc_mfu_causal_pct", "best_match_ratio", "achieved_bw_fraction", "achieved_flops_fraction",
                "mfu_derived", "mfu_naive", "apparent_mfu", "notes"}  # fmt: skip
    for kind in (TrainRow, ServeRow, GenerateRow):
        assert not measured & set(kind.__dataclass_fields__)


def test_of_the_notes_only_phrases_reach_a_prediction(row):
    said = row("serve", notes="decode only; enforce-eager; 53.2 tok/s").conditions.said
    assert said == {"decode only", "eager"}
