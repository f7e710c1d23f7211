"""Ranges on the command line and in scenarios."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest

from costline.cli import main

GPT4 = [
    "train", "--active", "400B to 600B", "--params", "1.8T", "--tokens", "13T to 20T", "--on", "25000xa100-sxm-80gb",
    "--mfu", "35% to 45%",
]  # fmt: skip
SERVE = ["serve", "llama-3.1-8b", "--on", "h100-sxm", "--price", "$1/h to $3/h", "--samples", "256"]


def run(capsys, *arguments):
    code = main([str(each) for each in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_question_of_the_design(capsys):
    code, out, err = run(capsys, *GPT4)
    assert (code, err) == (0, "")
    assert "Train hypothetical on 16.1T tokens with 25,000 x a100-sxm-80gb" in out
    for words in ("80%:", "whose doubt", "inputs alone", "model alone", "together", "what drives it",
                  "the time model", "one at a time", "4,096 scrambled Sobol samples, seed 0"):  # fmt: skip
        assert words in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_same_seed_prints_the_same(capsys):
    first, again, other = (run(capsys, *SERVE, "--seed", seed)[1] for seed in (1, 1, 2))
    assert first == again != other


def test_a_seed_alone_samples_nothing_and_says_so(capsys):
    asked = ("serve", "llama-3.1-8b", "--on", "h100-sxm")
    plain, seeded = run(capsys, *asked), run(capsys, *asked, "--seed", 3)
    assert plain[1] == seeded[1]
    assert "no seed was used" in seeded[2]
    assert "whose doubt" in run(capsys, *asked, "--samples", 64)[1]


def test_findings_chances_percentiles_and_conventions(capsys):
    code, out, _ = run(
        capsys, *GPT4, "--given", "days between 150 and 200", "--chance", "cost < $300M", "--percentiles", "5,50,95",
        "--interval", "90%", "--of", "time", "--conventions", "--samples", "1024",
    )  # fmt: skip
    assert code == 0
    for words in (
        "given days between 150 and 200: ", "of 1,024 samples agree", "chance that cost < $300M: ",
        "what that implies", "90%:", "percentile", "counted otherwise", "6 x parameters x tokens",
    ):  # fmt: skip
        assert words in out


def test_what_leaves_the_finding_out_says_so(capsys):
    words = "before what was found, of all 512 samples:"
    assert words in run(capsys, *GPT4, "--given", "days < 190", "--samples", "512")[1]
    assert words not in run(capsys, *GPT4, "--samples", "512")[1]


def test_one_sample_of_many_that_does_not_fit_is_counted_as_one(capsys):
    # 0.4 % of the weight: 4 or 5 of 1,024 samples have a model that does not fit on eight chips
    given = ["serve", "--params", "{7B: 0.996, 900B: 0.004}", "--on", "8xh100-sxm", "--samples", "1024", "--batch", "1"]
    code, out, _ = run(capsys, *given)
    assert code == 0
    assert re.search(r"does not fit in [45] of the 1,024 samples \(0\.(39|49)%\)", out)


def test_what_fits_no_sample_says_so(capsys):
    code, out, _ = run(capsys, "serve", "--params", "300B to 900B", "--on", "h100-sxm", "--samples", "256")
    assert code == 1
    assert "does not fit in any of the 256 samples\n" in out
    assert "leaves them out" not in out


def test_too_few_samples_are_named(capsys):
    _, out, _ = run(capsys, *GPT4, "--given", "days between 150 and 160", "--samples", "512")
    assert "is too small for percentiles; --samples" in out


def test_json_holds_every_sample(capsys):
    code, out, _ = run(capsys, *SERVE, "--json", "--chance", "cost_output < $1/Mtoken", "--conventions")
    body = json.loads(out)
    assert code == 0
    assert len(body["uncertainty"]["figures"]["tpot"]["samples"]) == 256
    assert set(body["uncertainty"]["chances"]) == {"cost_output < $1/Mtoken"}
    assert body["figures"]["tpot"]["value"] > 0
    assert "conventions" in body


def test_csv_has_a_row_a_sample_and_says_how_they_were_drawn(capsys):
    _, out, _ = run(capsys, *SERVE, "--csv", "--seed", "3", "--given", "tpot < 1s")
    rows = [line for line in out.splitlines() if not line.startswith("#")]
    assert len(rows) == 257
    assert rows[0].startswith("price,")
    for line in ("# range of price = $1.00/h to $3.00/h", "# samples = 256", "# seed = 3", "# given (1) = tpot < 1s"):
        assert line in out.splitlines()


def test_json_tells_what_the_terminal_does(capsys):
    given = [*SERVE, "--of", "cost_output", "--given", "cost_output < $0.1/Mtoken"]
    body = json.loads(run(capsys, *given, "--json")[1])["uncertainty"]
    out = run(capsys, *given)[1]
    swings = body["tornado"]["cost_output"]
    assert f"around ${1e6 * swings['middle']:.3g}" in out
    price = next(swing for swing in swings["inputs"] if swing["name"] == "price")
    # the cost is proportional to the price, whose logarithm is normal: 90th over 10th percentile
    assert price["high"] / price["low"] == pytest.approx(3 ** (2 * 1.28155 / (2 * 1.64485)), rel=1e-4)
    shares = {row["name"]: row for row in body["drivers"]["cost_output"]["inputs"]}
    assert re.search(rf"price +{100 * shares['price']['first']:.0f}% +{100 * shares['price']['total']:.0f}%", out)
    assert body["implied"]["price"]["moved"]
    assert {row["origin"] for row in body["implied"].values()} == {"input", "model"}


def test_a_derivation_is_of_one_question_and_not_of_the_ends_of_all(capsys):
    out = run(capsys, *GPT4, "--price", "$1/h to $3/h", "--samples", "256", "--explain")[1]
    _, _, derived = out.partition("at the medians of all inputs:")
    assert re.search(r"price  \$1\.73/h  your price", derived)  # the square root of 1 x 3


def test_what_is_not_in_doubt_has_no_interval(capsys):
    lines = run(capsys, "train", "llama-3.1-8b", "--tokens", "1T", "--on", "64xh100-sxm", "--samples", "256")[1]
    (inputs,) = (line for line in lines.splitlines() if line.startswith("inputs alone"))  # of the price, no time
    assert re.match(r"inputs alone +[\d.]+ days +\$", inputs)


def test_what_every_sample_agrees_with_is_counted(capsys):
    given = ["--chance", "tpot < 1 h", "--chance", "tpot > 1 h"]
    out = run(capsys, *SERVE, *given)[1]
    assert "chance that tpot < 1 h: 100%: all of 256 samples" in out
    assert "chance that tpot > 1 h: 0%: none of 256 samples" in out


def test_a_finding_shows_what_becomes_of_choices_and_of_the_model(capsys):
    # twice the price is more than any doubt of the model, so that only the cheap half stays
    given = ["serve", "llama-3.1-8b", "--on", "h100-sxm", "--samples", "1024", "--price", "{$0.01/h: 0.25, $9/h: 0.75}"]
    out = run(capsys, *given, "--given", "cost_output < $0.1/Mtoken")[1]
    assert re.search(r"price = \$0\.0100/h +25% +100%", out)
    assert re.search(r"price = \$9\.00/h +75% +0%", out)
    slow = run(capsys, *SERVE[:-2], "--samples", "4096", "--given", "tpot > 25ms")[1]
    assert re.search(r"software +100 % +1\d\d %", slow)  # nothing that was stated makes a token slow


def test_conventions_of_a_sampled_answer_say_where_they_stand(capsys):
    assert "at the medians of all inputs:\ncounted otherwise" in run(capsys, *GPT4, "--conventions")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "llama-3.1-70b", "--input", "1k to 4k", "--on", "8xh100-sxm", "--price", "$2/h to $3/h",
         "--given", "cost_output < $3/Mtoken", "--percentiles", "5,50,95"],
        ["generate", "wan2.1-t2v-14b", "--on", "8xh100-sxm", "--steps", "{20, 30, 50}"],
        ["caption", "qwen2.5-vl-7b", "--minutes", "100M to 200M", "--on", "8xh100-sxm", "--conventions"],
    ],
)  # fmt: skip
def test_tables_fit_80_columns_and_name_everything(capsys, arguments):
    out = run(capsys, *arguments, "--samples", "256")[1]
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "…" not in out
    (heading,) = (line for line in out.splitlines() if line.startswith("what drives it"))
    assert heading.count("alone") == heading.count("in all") == len(re.findall(r"± [\d.]+%", heading)) == 2


SVG = "{http://www.w3.org/2000/svg}"


def test_what_drives_it_is_a_picture_without_a_plotting_library(capsys, tmp_path):
    path = tmp_path / "drivers.svg"
    code, _, err = run(capsys, *SERVE, "--of", "cost_output", "--tornado", path)
    picture = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314
    texts = ["".join(node.itertext()) for node in picture.iter(f"{SVG}text")]
    assert (code, err) == (0, f"drawn: {path}\n")
    assert any(text.startswith("price: $1.") for text in texts)
    assert "share of the variance of log cost of output (Sobol indices)" in texts
    assert any(re.fullmatch(r"\d+ % alone, \d+ % in all \(± [\d.]+ %\)", text) for text in texts)
    bars = {kind: [float(bar.get("width")) for bar in picture.iter(f"{SVG}rect") if bar.get("class") == kind]
            for kind in ("alone", "all", "low", "high")}  # fmt: skip
    assert len(bars["alone"]) == len(bars["all"]) >= 3  # two inputs and the legend
    assert all(one <= total + 0.1 for one, total in zip(bars["alone"][1:], bars["all"][1:], strict=True))
    assert len(bars["low"]) == len(bars["high"]) >= 3


def test_the_dark_scheme_changes_last_so_that_it_counts(capsys, tmp_path):
    path = tmp_path / "drivers.svg"
    run(capsys, *SERVE, "--tornado", path)
    style = next(ET.fromstring(path.read_text(encoding="utf-8")).iter(f"{SVG}style")).text  # noqa: S314
    light, _, dark = style.partition("@media(prefers-color-scheme:dark)")
    assert ".back{fill:#fff}" in light
    assert dark.endswith("}}")  # nothing behind it
    assert ".back{fill:#14171b}" in dark


def test_words_of_the_picture_do_not_lie_on_another(capsys, tmp_path):
    path = tmp_path / "drivers.svg"
    run(capsys, *SERVE, "--of", "cost_output", "--tornado", path)
    lines = {}
    for node in ET.fromstring(path.read_text(encoding="utf-8")).iter(f"{SVG}text"):  # noqa: S314
        words, x, anchor = "".join(node.itertext()), float(node.get("x")), node.get("text-anchor")
        wide = 7 * len(words)
        start = x - wide if anchor == "end" else x - wide / 2 if anchor == "middle" else x
        lines.setdefault(node.get("y"), []).append((start, start + wide))
    for spans in lines.values():
        for (_, end), (start, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
            assert start >= end


def test_a_scenario_with_a_sampling_table(capsys, tmp_path):
    path = tmp_path / "gpt4.toml"
    path.write_text(
        'params = "1.8T"\nactive = {"280B" = 0.4, "500B" = 0.6}\ntokens = ["13T", "20T"]\non = "25000xa100-sxm-80gb"\n'
        'mfu = "35% to 45%"\n[sampling]\nsamples = 512\nseed = 4\ngiven = "days < 200"\nchance = ["cost < $300M"]\n'
        "percentiles = [10, 90]\n",
        encoding="utf-8",
    )
    code, out, _ = run(capsys, "train", "--file", path)
    assert code == 0
    assert "512 scrambled Sobol samples, seed 4" in out
    assert "given days < 200" in out
    assert "active: 280B params (40 %) or 500B params (60 %)" in out
    assert "64 scrambled" in run(capsys, "train", "--file", path, "--samples", "64")[1]  # a flag goes first


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[sampling]\nsample = 5\n", "has no 'sample'; did you mean samples?"),
        ("[sampling]\nsamples = 'many'\n", "samples is a whole number"),
        ("[sampling]\nchance = 5\n", "chance is a text or a list of texts"),
        ("sampling = 5\n", "sampling is a table"),
    ],
)
def test_a_bad_sampling_table(capsys, tmp_path, table, words):
    path = tmp_path / "bad.toml"
    path.write_text(table, encoding="utf-8")
    code, out, err = run(capsys, "serve", "llama-3.1-8b", "--on", "h100-sxm", "--file", path)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--given", "days > 5000"], "no sample of 256 agrees"),
        (["--given", "nothing < 5"], "unknown result or uncertain input 'nothing'; there are time, cost, energy"),
        (["--given", "100 < days < 200"], "more than one condition; write each on its own, or NAME between LOW and"),
        (["--chance", "days < 200 and mfu > 40%"], "is more than one condition"),
        (["--of", "zzz"], "unknown result 'zzz'; there are time, cost"),
        (["--chance", "cost"], "is no condition"),
        (["--percentiles", "5,often"], "'often' is not a number"),
        (["--percentiles", "5,101"], "101 is not from 0 to 100"),
        (["--percentiles", ""], "none is given; write 5,25,50,75,95"),
        (["--tornado", "t.png"], "name a file that ends in .svg"),
        (["--chance", "time < 30"], "'30' has no unit; write 30s or 30 days"),
        (["--set", "shape=5"], "shape: '5' names no field; write layers=60"),
        (["--set", "pue=0.5 to 1.4"], "pue: starts at 0.500, below the least possible value, 1.00"),
        (["--tokens", "1..1e300"], "ends at 1e+300, above the largest value, 1e+30"),
        (["--price", "$1e-300/h to $1/h"], "spans a factor of 1e+300, more than 1e+30; write a narrower range"),
        (["--interval", "100%"], "not between 0 % and 100 %"),
        (["--interval", "wide"], "--interval"),
        (["--of", "tim"], "did you mean"),
        (["--samples", "1"], "samples: 1 is not from 2"),
        (["--mfu", "45% to 35%"], "runs downwards"),
        (["--tokens", "{13T: 0.6, 20T: 0.6}"], "sum to 1.2"),
    ],
)
def test_faults_say_what_is_wrong(capsys, arguments, words):
    given = [*GPT4, "--samples", "256"]
    for name, value in zip(arguments[::2], arguments[1::2], strict=True):
        if name in given:
            del given[given.index(name) : given.index(name) + 2]
        given += [name, value]
    code, out, err = run(capsys, *given)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize("sought", ["mfu", "price", "chips"])
def test_a_backwards_question_takes_no_range(capsys, sought):
    given = ["train", "--params", "7B", "--on", "64xh100-sxm", "--solve", sought, "--target", "days<30, cost<$1M"]
    code, out, err = run(capsys, *given, "--tokens", "1T to 2T")
    assert (code, out) == (2, "")
    assert "tokens is a range, which is not solved for; ask for each of its ends, or its median" in err
    coefficient = ["--tokens", "1T", "--set", "coefficients.gemm=60% to 80%"]
    assert "coefficients.gemm is a range" in run(capsys, *given, *coefficient)[2]


@pytest.mark.parametrize(
    "flag",
    [["--chance", "days<5"], ["--given", "days<5"], ["--percentiles", "5"], ["--seed", "0"], ["--conventions"],
     ["--interval", "90%"], ["--of", "cost"], ["--tornado", "t.svg"], ["--samples", "64"]],
)  # fmt: skip
def test_a_backwards_question_takes_no_flag_about_ranges(capsys, flag):
    given = [
        "train",
        "--params",
        "7B",
        "--tokens",
        "1T",
        "--on",
        "64xh100-sxm",
        "--solve",
        "chips",
        "--target",
        "days<30",
    ]
    code, out, err = run(capsys, *given, *flag)
    assert (code, out) == (2, "")
    assert err.startswith(f"costline: {flag[0]} is about ranges")


def test_conventions_are_refused_before_anything_is_printed(capsys):
    code, out, err = run(capsys, *SERVE, "--conventions")
    assert (code, out) == (2, "")
    assert "no figure of this answer (serve) depends on a convention" in err


def test_few_samples_are_told(capsys):
    assert (
        "! 64 samples are too few for percentiles; draw 200 or more" in run(capsys, *SERVE[:-2], "--samples", "64")[1]
    )
    assert "are too few" not in run(capsys, *SERVE)[1]


def test_samples_named_in_a_scenario_lie_beside_it(capsys, tmp_path):
    (tmp_path / "rents.csv").write_text("rent\n$1/h\n$3/h\n", encoding="utf-8")
    path = tmp_path / "one.toml"
    path.write_text('model = "llama-3.1-8b"\non = "h100-sxm"\nprice = "rents.csv:rent"\n', encoding="utf-8")
    code, out, err = run(capsys, "serve", "--file", path, "--samples", "256")
    assert (code, err) == (0, "")
    assert "price: 2 samples of" in out.replace("\n", " ")


def test_a_question_without_a_needed_input_says_so(capsys):
    code, _, err = run(capsys, "caption", "llama-3.1-8b", "--on", "h100-sxm")
    assert (code, err) == (2, "costline: say --minutes: see costline caption --help\n")


def test_without_scipy_the_message_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    code, _, err = run(capsys, *SERVE)
    assert code == 2
    assert "pip install '.[uncertainty]' in a clone" in err
