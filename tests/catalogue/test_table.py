"""Tables that are wrong on purpose."""

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costline.catalogue.table import LARGEST_FILE, columns, read_table
from costline.errors import CatalogueError

SMALL = columns("note", identifier="id!", number="size! speed", integer="n", date="date", kind="kind", names="parts",
                figure_kinds="figure_kinds", signed="change")  # fmt: skip
HEADER = "id,size,speed,n,date,kind,parts,figure_kinds,change,note\n"


def _faults(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        read_table(path, SMALL, "id")
    return "\n".join(caught.value.faults)


def test_all_faults_of_a_table_are_reported_at_once(tmp_path):
    rows = (
        "A chip,1,,,,,,,,\n"
        "b,,,,,,,,,\n"
        "c,80GB,nan,1.5,yesterday,guess,X,tdp,up,\n"
        "d,-1,1_0,,2025-13,,,,,\n"
        "e,1\n"
        "f,1,,,,,,,,\n"
        "f,1,,,,,,,,\n"
    )
    text = _faults(tmp_path / "t.csv", HEADER + rows)
    for says in (
        "row 2 (A chip), column id", "row 3 (b), column size: is empty", "'80GB' is not a number",
        "column speed: 'nan' is not finite", "'1.5' is not a whole number", "'yesterday' is not a date",
        "'guess' is not a kind of evidence", "column parts: 'X'", "column figure_kinds: 'tdp'", "column change: 'up'",
        "'-1' is negative", "'1_0' is not a plain number", "'2025-13' is not a date", "row 6 (e): has 2 cells",
        "id 'f' is there 2 times",
    ):  # fmt: skip
        assert says in text


def test_columns_that_are_missing_unknown_or_twice(tmp_path):
    text = _faults(tmp_path / "t.csv", HEADER.replace("size", "sizes").replace("note", "id") + "\n")
    for says in (
        "column size is missing",
        "column 'sizes' is not known",
        "column note is missing",
        "column id is there twice",
    ):
        assert says in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEADER.encode() + b'"unclosed,1\n', "row"),
        (b"id\x00,size", "NUL"),
        (b"a" * (LARGEST_FILE + 1), "larger than 5 MB"),
        (b"", "column id is missing"),
        (HEADER.encode() + b"x" * 200_000 + b",1,,,,,,,,\n", "field larger"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=says):
        read_table(path, SMALL, "id")


def test_a_file_of_nothing_but_faults_is_given_up(tmp_path):
    text = _faults(tmp_path / "t.csv", HEADER + "A,x,,,,,,,,\n" * 5000)
    assert text.count("\n") < 300


@given(st.text(alphabet=string.printable, max_size=300))
def test_any_text_is_a_table_or_a_clean_refusal(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_text(HEADER + text, encoding="utf-8", newline="")
    with contextlib.suppress(CatalogueError):
        read_table(path, SMALL, "id")
