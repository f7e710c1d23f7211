"""``costline accuracy`` as typed."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from costline.accuracy import rows
from costline.cli import BAD_INPUT, main
from tests.accuracy.conftest import GENERATE, SERVE, TRAIN


@pytest.fixture
def files(write):
    """One file of each table, as arguments."""
    made = [write(row, name=f"{row['id']}.csv") for row in (TRAIN, SERVE, GENERATE)]
    return ["--measurements", *(str(path) for path in made)]


def test_a_users_own_files_in_80_columns(files, capsys):
    assert main(["accuracy", *files]) == 0
    out, err = capsys.readouterr()
    assert "3 of 3 rows predicted" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    for words in ("train, dense", "serve, fixed batch", "generate, dense 16-bit", "roof"):
        assert words in out
    assert "taken as blank" in err


def test_groupings(files, capsys):
    assert main(["accuracy", *files, "--by", "chip,software"]) == 0
    out = capsys.readouterr().out
    assert "h100-sxm" in out
    assert "Megatron-LM" in out
    assert main(["accuracy", *files, "--by", "chop"]) == BAD_INPUT
    assert "did you mean chip" in capsys.readouterr().err
    assert main(["accuracy", *files, "--by", "colour"]) == BAD_INPUT
    assert "there are table, target, family" in capsys.readouterr().err


def test_json(files, capsys):
    assert main(["accuracy", *files, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["rows"], body["predicted"]) == (3, 3)
    assert {group["label"] for group in body["groups"]["table"]} == {"train", "serve", "generate"}


def test_csv(files, tmp_path, capsys):
    path = tmp_path / "out.csv"
    assert main(["accuracy", *files, "--csv", str(path)]) == 0
    capsys.readouterr()
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert list(rows[0]) == ["id", "metric", "measured", "predicted", "low", "high", "ape", "reason"]


def test_explain_shows_the_tree_beside_the_measurement(files, capsys):
    assert main(["accuracy", *files, "--explain", "b", "--plain"]) == 0
    out = capsys.readouterr().out
    for words in ("measured", "decode step", "block/attention", "kernel_time", "plan: "):
        assert words in out


@pytest.fixture
def fitted(monkeypatch):
    """As if a few of the rows that were fitted were all."""
    table = rows.shipped_measurements("train")
    some = replace(table, rows=tuple(row for row in table.rows if row.scored)[:5])
    monkeypatch.setattr(rows, "all_shipped", lambda: iter([some]))
    return [row.id for row in some.rows]


def test_rows_that_were_fitted_are_called_in_sample_and_shown_held_out(fitted, tmp_path, capsys):
    path = tmp_path / "out.csv"
    assert main(["accuracy", "--csv", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "in-sample but for column out" in out
    assert "expect these" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "in-sample" in err
    assert main(["accuracy", "--explain", fitted[0], "--plain"]) == 0
    out = capsys.readouterr().out
    assert "in-sample" in out
    assert "error, held out" in out


def test_rows_of_ones_own_are_not(files, capsys):
    assert main(["accuracy", *files]) == 0
    assert main(["accuracy", *files, "--explain", "b", "--plain"]) == 0
    out, _ = capsys.readouterr()
    assert "in-sample" not in out


@pytest.mark.parametrize("more", [["--json"], ["--csv", "out.csv"]])
def test_explain_goes_with_no_other_form(more, files, capsys):
    assert main(["accuracy", *files, "--explain", "b", *more]) == BAD_INPUT
    assert "leave out --csv and --json" in capsys.readouterr().err


def test_explain_of_a_row_that_is_not_there(files, capsys):
    assert main(["accuracy", *files, "--explain", "zzz"]) == BAD_INPUT
    assert "unknown row" in capsys.readouterr().err


def test_a_row_that_cannot_be_predicted_says_why(write, capsys):
    path = write({**SERVE, "chip": "abacus"})
    assert main(["accuracy", "--measurements", str(path), "--explain", "b"]) == 1
    assert "no datasheet row for chip abacus" in capsys.readouterr().out
    assert main(["accuracy", "--measurements", str(path)]) == 1
    assert "0 of 1 rows predicted" in capsys.readouterr().out


def test_faults_are_all_said_and_the_rest_is_scored(write, capsys):
    path = write({**SERVE, "id": "1", "tp": "1", "input_len": "x"}, {**SERVE, "id": "2", "value": "-1"}, SERVE)
    assert main(["accuracy", "--measurements", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "1 of 3 rows predicted" in out
    assert "1: column input_len: 'x'" in err
    assert "2: column value" in err


def test_a_file_of_another_kind_is_bad_input(tmp_path, capsys):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["accuracy", "--measurements", str(path)]) == BAD_INPUT
    assert "column chip is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--folds", "1"], "2 folds or more"),
        (["--folds", "-3"], "2 folds or more"),
        (["--processes", "0"], "1 process or more"),
        (["--write", "{file}"], "--write"),
        (["--kernels", "--write", "{file}"], "--write"),
    ],
)
def test_what_a_fit_cannot_end_with_is_said_before_it_begins(words, told, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rows, "all_shipped", lambda: pytest.fail("it began"))
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert main(["accuracy", "fit", *(word.format(file=file / "under") for word in words)]) == BAD_INPUT
    assert told in capsys.readouterr().err
