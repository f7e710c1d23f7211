"""Measurements that no fit reads: whole, of sources of their own, and kept out of whatever a fit leaves behind."""

from __future__ import annotations

import csv
import math
import re
import statistics

import pytest

from costline.accuracy.predict import predicted
from costline.accuracy.rows import TABLES, all_shipped, all_unseen
from costline.accuracy.summary import TARGETS
from costline.accuracy.unseen import DIAGNOSES, FIRST_LOOK, unseen_errors, unseen_report, unseen_section
from costline.catalogue.diagnosis_table import shipped_diagnoses
from costline.catalogue.standing_table import shipped_standing
from costline.catalogue.validated_table import validated_cases
from costline.cli import main
from costline.report.page import Table

COMMIT = re.compile(r"@[0-9a-f]{7,40}$")
WIDTH = 80


def files(folder):
    for table in TABLES:
        with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


@pytest.fixture(scope="module")
def cells():
    """Cells of the rows as they stand in the files."""
    return list(files(DIAGNOSES.parent))


@pytest.fixture(scope="module")
def fitted():
    """Cells of the rows that the fit reads."""
    return list(files(DIAGNOSES.parent.parent))


def place(source):
    """A repository and file without its commit, or an address."""
    return COMMIT.sub("", source)


def test_they_load_without_a_fault(cells):
    for table in all_unseen():
        assert not table.faults
        assert not table.warnings
        assert len(table.rows) >= 75
    # as in the fitted tables: adapters, rates of FLOPs and drafts of tokens are kept, and not scored
    for row in cells:
        kept = row.get("task") == "lora" or row["metric"] == "tflops_per_gpu" or "MTP" in row.get("spec_decode", "")
        assert row["score"] == str(int(not kept)), row["id"]


def test_every_row_says_where_it_was_read(cells):
    for row in cells:
        assert row["source_location"], row["id"]
        assert row["date"] or "date not stated" in row["notes"], row["id"]
        assert COMMIT.search(row["source"]) or row["source"].startswith("https://"), row["id"]


def test_they_share_no_name_and_no_source_with_what_is_fitted(cells, fitted):
    names = [row["id"] for row in cells]
    assert len(set(names)) == len(names)
    assert not set(names) & {row["id"] for row in fitted}
    theirs = " ".join(row["source"] for row in fitted)
    assert {place(row["source"]) for row in cells if place(row["source"]) in theirs} == set()


def test_no_fitted_row_is_the_same_measurement(cells, fitted):
    """Another page may print what a fitted row prints: same chip, model, metric and value to the last digit."""

    def key(row):
        return (row["chip"], row["model"].lower(), row["metric"], float(row["value"] or "nan"))

    assert not {key(row) for row in cells} & {key(row) for row in fitted}


def test_neither_the_fit_nor_its_intervals_read_them():
    names = {row.id for table in all_unseen() for row in table.rows}
    assert not names & {row.id for table in all_shipped() for row in table.rows}
    assert not names & set(validated_cases().words["id"].tolist())


def test_a_user_can_score_them_by_name(tmp_path, capsys):
    path = tmp_path / "out.csv"
    assert main(["accuracy", "--measurements", "unseen", "--csv", str(path)]) == 0
    out, _ = capsys.readouterr()
    rows = sum(row.scored for table in all_unseen() for row in table.rows)
    known = int(re.search(rf"(\d+) of {rows} rows predicted", out)[1])
    assert known >= 0.97 * rows  # the aim for scored rows of the shipped set
    assert all(len(line) <= WIDTH for line in out.splitlines())
    # the page's medians are those of what the command wrote; repeats of a training run share a weight, others have none
    targets = {row.measurement.id: row.case.setting.regime for row in unseen_report().rows if row.case is not None}
    found = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["predicted"]:
                continue
            error = abs(float(row["predicted"]) / float(row["measured"]) - 1)
            if not targets[row["id"]].startswith("train"):
                found.setdefault(targets[row["id"]], []).append(error)
    medians = {name: median for name, (median, _) in unseen_errors().items() if not name.startswith("train")}
    assert {name: pytest.approx(statistics.median(errors), rel=1e-6) for name, errors in found.items()} == medians


def test_the_section_shows_every_target_and_its_rows():
    rows = next(block.rows for block in unseen_section() if isinstance(block, Table))
    known = sum(predicted(row) is not None for row in unseen_report().rows)
    assert sum(int(row[1].replace(",", "")) for row in rows) == known
    assert {row[0] for row in rows} == set(unseen_errors())


def test_the_first_look_is_of_the_same_targets():
    first = {row.target: row for row in shipped_standing(FIRST_LOOK)}
    assert set(first) == set(unseen_errors()) <= set(TARGETS)
    assert all(math.isfinite(figure) for row in first.values() for figure in row.errors["unseen_group"])


def test_every_target_that_is_missed_has_a_diagnosis_that_names_rows(cells):
    names, known = {row["id"] for row in cells}, shipped_diagnoses(DIAGNOSES)
    assert set(known) <= set(TARGETS)
    for target, errors in unseen_errors().items():
        if errors[0] <= TARGETS[target][0] and errors[1] <= TARGETS[target][1]:
            continue
        named = set(re.findall(r"\b[a-z]{2}\d{4}\b", " ".join(one.checked for one in known[target])))
        assert len(named) >= 2, target
        assert named <= names
