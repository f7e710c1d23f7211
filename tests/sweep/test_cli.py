"""``costline sweep`` as a process: what it prints where, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys

import pytest

from costline import cli

SCENARIO = """
study = "serve"
figures = ["tpot", "output_rate", "cost_output"]

[inputs]
model = "llama-3.1-8b"
on = "8xh100-sxm"
plan = "pipeline=1, expert=1"

[axes]
precision = ["bf16", "fp8"]
plan.tensor = [1, 8, 16]
batch = { from = 1, to = 4096, count = 7, scale = "log" }
"""

LARGER = SCENARIO.replace('count = 7, scale = "log"', "step = 1").replace("4096", "60000") + 'price = ["$1/h", "$2/h"]'
"""720,000 points, 3 blocks."""


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "costline", "sweep", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Folder of a sweep made by the command, and what the command said."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "scenario.toml").write_text(SCENARIO)
    done = call(folder / "scenario.toml", "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out", done


def show(swept, *arguments):
    """What ``sweep show`` prints, in this process."""
    return cli.main(["sweep", "show", str(swept[0]), *arguments])


def test_it_says_what_it_will_do_and_what_it_did_on_stderr(swept):
    folder, done = swept
    assert done.stdout == ""
    first, last = done.stderr.splitlines()
    assert first.startswith("42 points (precision 2 x plan.tensor 3 x batch 7), 3 figures, at most ")
    assert "a second" in last
    assert last.endswith(f"costline sweep show {folder}")


def test_on_a_terminal_there_is_a_bar_with_a_rate(tmp_path):
    (tmp_path / "scenario.toml").write_text(LARGER)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "costline", "sweep", str(tmp_path / "scenario.toml"), "-o", str(tmp_path / "out")]
    running = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=os.environ | {"TERM": "xterm"})
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # the other side of the terminal was closed
        pass
    os.close(ours)
    assert running.wait() == 0
    assert "━" in seen.decode(errors="replace")
    assert "points, " in seen.decode(errors="replace")
    assert "a second" in seen.decode(errors="replace")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("tensor", "tensr"), "did you mean tensor"),
        (("tpot", "tpt"), "did you mean tpot"),
        (("llama-3.1-8b", "llama-3.1-8c"), "llama-3.1-8b"),
        (('["bf16", "fp8"]', "[]"), "precision is empty"),
        (("count = 7", "count = 7, steps = 2"), "of the form"),
        (("[axes]", '[axes]\nprice = "$1/h to $4/h"'), "samples = 1000"),
        (("[axes]", '[axes]\ninput = { from = 1, to = 1e6, step = 1 }\noutput = { from = 1, to = 1e6, step = 1 }'),
         "points"),
        (("study", "studdy"), "did you mean study"),
    ],
)  # fmt: skip
def test_bad_scenarios_are_refused_before_any_work(tmp_path, capsys, change, says):
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO.replace(*change))
    assert cli.main(["sweep", str(path), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_the_summary_has_every_figure_with_its_span(swept, capsys):
    assert show(swept) == 0
    said = capsys.readouterr()
    assert all(word in said.out for word in ("tpot", "output_rate", "cost_output", "least", "mean", "most", "ms"))
    assert " of 42 points match" in said.err


def test_groups_best_points_and_fronts_are_rows(swept, capsys):
    assert show(swept, "--group", "precision, plan.tensor", "--json") == 0
    groups = json.loads(capsys.readouterr().out)
    assert len(groups["rows"]) == 4
    assert groups["units"]["tpot"] == "s"
    assert show(swept, "--best", "min cost_output", "--group", "plan.tensor", "--csv") == 0
    best = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["plan.tensor"] for row in best] == ["1.0", "8.0"]
    assert show(swept, "--pareto", "cost_output, tpot", "--where", "precision = fp8", "--csv", "--limit", "0") == 0
    front = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    costs = [(float(row["cost_output"]), float(row["tpot"])) for row in front]
    assert costs == sorted(costs)
    assert [row[1] for row in costs] == sorted((row[1] for row in costs), reverse=True)


def test_points_that_cannot_be_are_shown_on_request(swept, capsys):
    assert show(swept, "--where", "plan.tensor = 16") == 1
    assert "--all" in capsys.readouterr().err
    assert show(swept, "--where", "plan.tensor = 16", "--columns", "batch, feasible, reason", "--all") == 0
    assert "16 chips" in " ".join(capsys.readouterr().out.split())


def test_pictures_are_drawn_in_characters_and_as_svg(swept, capsys, tmp_path):
    assert show(swept, "--plot", "batch, tpot, precision") == 0
    assert "o bf16   + fp8" in capsys.readouterr().out
    assert show(swept, "--plot", "batch, tpot", "--svg", str(tmp_path / "plot.svg")) == 0
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--best", "tpot", "--pareto", "tpot"), "choose one"),
        (("--json", "--csv"), "choose one"),
        (("--plot", "batch"), "two columns or three"),
        (("--plot", "precision,tpot"), "not both numbers"),
        (("--svg", "x.svg"), "goes with --plot"),
        (("--columns", "tpt"), "did you mean tpot"),
        (("--group", "tpot"), "no axis"),
        (("--pareto", "tpot", "--group", "batch"), "--where"),
        (("--best", "tpot,cost_output"), "--pareto"),
        (("--limit", "-1"), "--limit"),
    ],
)
def test_questions_that_make_no_sense_are_refused(swept, capsys, arguments, says):
    assert show(swept, *arguments) == 2
    assert says in capsys.readouterr().err


def test_a_folder_without_a_sweep_is_refused(tmp_path, capsys):
    assert cli.main(["sweep", "show", str(tmp_path)]) == 2
    assert "no sweep is kept here" in capsys.readouterr().err


def test_an_unfinished_sweep_says_so(tmp_path, capsys, swept):
    (tmp_path / "_manifest.json").write_bytes((swept[0] / "_manifest.json").read_bytes())
    assert cli.main(["sweep", "show", str(tmp_path)]) == 1
    assert "0 of 42 points are here" in capsys.readouterr().err


def test_everything_fits_80_columns(swept, capsys):
    for arguments in ((), ("--group", "precision"), ("--best", "tpot", "--group", "batch"), ("--plot", "batch, tpot")):
        assert show(swept, *arguments) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
