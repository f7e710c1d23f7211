"""``costline plan`` and ``--solve`` as processes: what they print, and their exit codes."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.cli.test_main import run

SERVE = ("plan", "serve", "llama-3.1-8b", "--on", "8xh100-sxm")


def test_the_best_plan_fits_eighty_columns_and_can_be_stated_again():
    done = run(*SERVE, "--within", "tpot<20ms")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "best of the others" in done.stdout
    assert "Pareto front" in done.stdout
    found = json.loads(run(*SERVE, "--within", "tpot<20ms", "--modes", "together", "--json").stdout)
    plan, _, batch = found["best"]["plan"].rpartition(", batch=")
    again = run("serve", "llama-3.1-8b", "--on", "8xh100-sxm", "--batch", batch, "--plan", plan, "--json")
    figures = json.loads(again.stdout)["figures"]
    assert figures["output_rate"]["value"] == pytest.approx(found["best"]["figures"]["output_rate"]["value"])
    assert figures["tpot"]["value"] <= 0.020


def test_json_has_a_schema_and_rivals_that_add_up():
    found = json.loads(run("plan", "train", "llama-3.1-8b", "--on", "16xh100-sxm", "--tokens", "1T", "--json").stdout)
    assert found["schema"] == "costline.plan/1"
    best = found["best"]["figures"]["time"]["value"]
    for row in found["rivals"]:
        more = row["figures"]["time"]["value"] - best
        assert sum(row["differences"].values()) == pytest.approx(more, abs=1e-6 * best)


def test_csv_has_a_row_a_plan():
    done = run("plan", "generate", "wan2.1-t2v-1.3b", "--on", "2xh100-sxm", "--frames", "17", "--csv")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert rows[0]["kind"] == "best"
    assert float(rows[0]["time"]) == min(float(row["time"]) for row in rows)


def test_a_scenario_file_and_set_are_taken(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text('model = "llama-3.1-8b"\non = "8xh100-sxm"\nwithin = "tpot<20ms"\nmodes = ["together"]\n')
    one = json.loads(run("plan", "serve", "--file", str(file), "--set", "input=500", "--json").stdout)
    other = json.loads(run(*SERVE, "--within", "tpot<20ms", "--modes", "together", "--input", "500", "--json").stdout)
    assert one["best"] == other["best"]


def test_nothing_fits_is_an_answer_with_code_1():
    done = run("plan", "serve", "llama-3.1-405b", "--on", "2xh100-sxm")
    assert done.returncode == 1
    assert "B a chip missing" in done.stdout.replace("\n", " ")
    assert "possible on" in done.stdout


def test_a_budget_is_kept():
    done = run("plan", "serve", "llama-3.1-8b", "--on", "h100-sxm,l40s", "--budget", "$10/h", "--json")
    found = json.loads(done.stdout)
    price = {"h100-sxm": 3.29, "l40s": 1.0}
    count, _, chip = found["best"]["where"].partition(",")[0].partition(" x ")
    assert int(count) * price[chip] <= 11


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*SERVE, "--within", "tpo<20ms"), "did you mean tpot"),
        ((*SERVE, "--objective", "speed"), "objective"),
        ((*SERVE, "--modes", "chunkd"), "chunked"),
        ((*SERVE, "--budget", "$5M"), "give a rate"),
        ((*SERVE, "--budget", "$0.01/h"), "the budget pays none of"),
        ((*SERVE, "--set", "tokens=5"), "unknown input"),
        (("plan", "serve", "llama-3.1-8b"), "--on"),
        (("plan", "drive", "llama-3.1-8b", "--on", "8xh100-sxm"), "drive"),
        ((*SERVE, "--fix", "tensor=16"), "8"),
        (("serve", "llama-3.1-8b", "--on", "h100-sxm", "--solve", "batch", "--target", "tpot"), "not of the form"),
        (("caption", "llama-3.1-8b", "--on", "h100-sxm", "--minutes", "5", "--solve", "batch"), "cannot be solved"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_code_2(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("costline: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_solving_prints_the_value_what_stops_it_and_the_answer_there():
    done = run("serve", "llama-3.1-8b", "--on", "h100-sxm", "--solve", "largest batch", "--target", "tpot<=20ms")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("largest batch for tpot<=20ms")
    assert "which breaks tpot<=20ms" in second


def test_solving_without_a_solution_has_code_1():
    done = run("serve", "llama-3.1-8b", "--on", "h100-sxm", "--solve", "batch", "--target", "tpot<=1us", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["value"] is None


def test_what_the_best_plan_must_say_is_printed():
    """61 sequences, a prime number: no plan of several replicas divides them."""
    fixed = "tensor=1, pipeline=1, ring=1, ulysses=1"
    asked = ["--tokens", "1B", "--sequence", "2048", "--batch", str(61 * 2048), "--fix", fixed]
    done = run("plan", "train", "llama-3.1-8b", "--on", "8xh100-sxm", *asked)
    out = " ".join(done.stdout.split())
    assert "! 61 sequences a step do not divide over 8 replicas" in out
