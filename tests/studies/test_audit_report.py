"""Audits as a user sees them: 80 columns, both languages, JSON, CSV, derivations, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from rich.cells import cell_len

from costline.cli import main
from costline.report.audit import WORDS, said
from costline.studies.audit.judge import VERDICTS
from costline.studies.audit.shelf import Value

IDS = [f"S{n:02d}" for n in range(1, 40)]
USERS = """
title = "Mine"
source = "a post"
[[claim]]
id = "X1"
claim = "two and two is five"
steps.sum = { call = "addition", with = { a = 2, b = 2 } }
[[claim.check]]
kind = "arithmetic"
computed = "sum"
stated = 5
tolerance = "1%"
"""


@pytest.fixture
def ask(capsys):
    def run(*arguments, code=0):
        assert main(["audit", *arguments]) == code
        printed = capsys.readouterr()
        return printed.out if code == 0 else printed.err

    return run


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("more", [(), ("--explain",), ("--plain",)], ids=["answer", "explain", "plain"])
def test_it_fits_80_columns_and_leaves_nothing_out(ask, language, more):
    shown = ask("sora-2024", "--lang", language, *more)
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert not re.search(r"\{[A-Za-z]", shown)
    assert "\x1b" not in shown
    assert [name for name in IDS if not re.search(rf"^{name} ", shown, re.MULTILINE)] == []


def test_verdicts_come_first_and_what_fails_before_the_rest(ask):
    shown = ask("sora-2024").splitlines()
    assert all(verdict in shown[2] for verdict in VERDICTS)
    top = "\n".join(shown[:16])
    assert re.search(r"S26 +arithmetic slip +9615 s = 3.2 h +2.67 h", top)
    assert re.search(r"S12 +wrong premise +32 x 32 = 1024 +256 tokens", top)


def test_in_chinese_no_english_word_of_the_report_is_left(ask):
    shown = ask("sora-2024", "--lang", "zh", "--explain")
    assert all(WORDS["zh"][verdict] in shown for verdict in VERDICTS)
    for english in ("wrong premise", "arithmetic slip", "not checkable", "What does not hold", "passes", "stated "):
        assert english not in shown
    assert re.search(r"S26 +计算有误 +9615 s = 3.2 h +2.67 小时", shown)


def test_a_derivation_shows_formula_numbers_result_and_source(ask):
    shown = re.sub(r"\s+", " ", ask("sora-2024", "--claim", "S26", "--explain"))
    assert "S25" not in shown
    assert "flops / (chips * peak * utilisation) = 1.2e+19 / (8 * 3.12e+14 * 0.5) = 2.67 h" in shown
    assert "(flops: S21.rule, peak: S05.peak)" in shown
    assert "chowdhery2022" in shown
    assert "arithmetic: stated 3.20 h, within 5%, time = 2.67 h: fails" in shown


def test_json_holds_every_claim_with_numbers_in_si(ask):
    body = json.loads(ask("sora-2024", "--json"))
    assert body["schema"] == "costline.audit/1"
    assert [claim["id"] for claim in body["claims"]] == IDS
    assert sum(body["verdicts"].values()) == 39
    slip = next(claim for claim in body["claims"] if claim["id"] == "S26")
    assert slip["verdict"] == "arithmetic slip"
    assert slip["right"][0]["value"] == pytest.approx(9615.38, abs=0.01)
    assert slip["right"][0]["unit"] == "s"
    assert [check["passed"] for check in slip["checks"]] == [True, False]
    assert all(claim["reason"] for claim in body["claims"])


def test_csv_has_a_row_a_claim(ask):
    text = ask("sora-2024", "--csv", "--lang", "zh")
    rows = list(csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if line[0] != "#"))))
    assert [row["id"] for row in rows] == IDS
    assert {row["verdict"] for row in rows} == {WORDS["zh"][verdict] for verdict in VERDICTS}
    assert float(rows[25]["right"]) == pytest.approx(9615.38, abs=0.01)


def test_the_list_names_the_audit_and_its_claims(ask):
    assert re.search(r"sora-2024 +39 ", ask("--list"))
    assert "time_at_utilisation(flops, chips, peak, utilisation)" in ask("--computations")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "sora-2024"),
        (("sora-2025",), "did you mean sora-2024"),
        (("no.toml",), "cannot be read"),
        (("sora-2024", "--claim", "S99"), "no claim 'S99'; it has S01 to S39"),
        (("sora-2024", "--lang", "fr"), "fr"),
    ],
)
def test_bad_input_is_code_2(ask, arguments, says):
    error = ask(*arguments, code=2)
    assert error.startswith("costline: ")
    assert says in error


def test_a_file_of_ones_own_without_words_says_which_check_failed(ask, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(USERS, "utf-8")
    shown = ask(str(path))
    assert re.search(r"X1 +arithmetic slip +right 4", shown)
    assert "stated 5, within 1%, sum = 4: fails" in shown


def test_samples_and_seeds_of_an_audit(ask, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(USERS.replace("a = 2, b = 2", 'a = "1 to 9", b = 2').replace("stated = 5", "stated = 500"), "utf-8")
    first, again, other = (ask(str(path), "--samples", "256", "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again != other
    assert "All claims" in first
    assert "Other claims" not in first
    assert "samples: 1 is not from 2" in ask(str(path), "--samples", "1", code=2)


def test_a_seed_alone_asks_for_no_doubt(capsys, tmp_path):
    """An audit without ranges is of no samples, whatever the seed; --samples asks for the model's own doubt."""
    path = tmp_path / "mine.toml"
    step = '{ call = "train", with = { model = "llama-3.1-8b", tokens = "1T", on = "64xh100-sxm", figure = "time" } }'
    text = USERS.replace('{ call = "addition", with = { a = 2, b = 2 } }', step).replace("arithmetic", "premise")
    path.write_text(text.replace("stated = 5", 'stated = "900 days"'), "utf-8")
    said = []
    for more in ((), ("--seed", "3"), ("--samples", "64")):
        assert main(["audit", str(path), *more]) == 0
        said.append(capsys.readouterr())
    plain, seeded, sampled = said
    assert plain.out == seeded.out != sampled.out
    assert "no seed was used" in seeded.err


def test_every_fault_of_a_bad_file_is_printed(ask, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(USERS.replace("addition", "adition").replace('computed = "sum"', 'computed = "som"'), "utf-8")
    error = ask(str(path), code=2)
    assert "2 faults" in error
    assert "did you mean addition" in error
    assert "did you mean sum" in error


def test_what_a_file_says_cannot_steer_the_terminal(ask, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(USERS.replace("two and two", "\\u001b[31mtwo and two"), "utf-8")
    error = ask(str(path), code=2)
    assert "claim X1, claim" in error
    assert "cannot be printed" in error
    assert "\x1b" not in error
    path.write_text(USERS.replace("two and two", "[bold]two[/bold] and two"), "utf-8")
    assert "[bold]two[/bold]" in ask(str(path))


def test_values_print_as_articles_write_them():
    assert said(Value(1.2e19, "FLOP"), "en") == "1.20e19 FLOP"
    assert said(Value(2048.0, "token"), "en") == "2,048 tokens"
    assert said(Value(0.0459, "1"), "en") == "4.59%"
    assert said(Value(15384615.0, "s"), "zh") == "178 天"
