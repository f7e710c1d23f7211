"""``costline chip`` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.silicon.test_check import BAD, H100

from costline.cli import ANSWER, BAD_INPUT, INFEASIBLE, main


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments):
        code = main(["chip", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def written(tmp_path, text):
    path = tmp_path / "chip.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "words", [("compare",), ("cost", "h100-sxm"), ("power",), ("anchors",), ("pim",), ("design", "--mix", "50%")]
)
def test_answers_fit_80_columns(run, words):
    code, out, _ = run(*words)
    assert code == ANSWER
    assert out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "words", [("compare", "h100-sxm"), ("cost", "h100-sxm"), ("power",), ("anchors",), ("pim",), ("design",)]
)
def test_answers_for_programs(run, words):
    code, out, _ = run(*words, "--json")
    assert code == ANSWER
    assert json.loads(out)


def test_ranges_of_a_comparison_stand_in_one_line(run):
    out = run("compare", "--workload", "llama-2-70b", "--input", "100", "--output", "1000")[1]
    lines = out.splitlines()
    last = [line for line in lines if line.strip() and "–" in line.split()[-1] and "$" not in line]
    assert len(last) >= 7
    assert all(line.split()[-1].count(".") == 2 for line in last)


def test_check_lists_all_faults_and_exits_with_1(run, tmp_path):
    code, out, _ = run("check", written(tmp_path, BAD))
    assert code == INFEASIBLE
    assert out.count("impossible") == 7


def test_check_of_a_real_chip(run, tmp_path):
    code, out, _ = run("check", written(tmp_path, H100))
    assert code == ANSWER
    assert "nothing implausible" in out


def test_check_of_a_faulty_file_exits_with_2(run, tmp_path):
    code, out, err = run("check", written(tmp_path, BAD + '\n[[chip]]\nid = "x"\n'))
    assert code == BAD_INPUT
    assert "'memory' is missing" in err
    assert "impossible" in out


def test_check_never_calls_a_faulty_file_plausible(run, tmp_path):
    code, out, err = run("check", written(tmp_path, H100.replace("3.35 TB/s", "quick")))
    assert code == BAD_INPUT
    assert "nothing implausible" not in out
    assert "what can be read breaks no limit" in out
    assert "memory_bandwidth" in err


def test_check_for_programs_has_faults_and_findings(run, tmp_path):
    code, out, _ = run("check", written(tmp_path, BAD.replace("9 TB/s", "quick")), "--json")
    assert code == BAD_INPUT
    body = json.loads(out)
    assert len(body["findings"]) > 5
    assert any("memory_bandwidth" in fault for fault in body["faults"])


def test_cost_of_a_chip_of_ones_own(run, tmp_path):
    path = written(tmp_path, H100)
    code, out, _ = run("cost", "like-h100", "--catalogue", path, "--json")
    assert code == ANSWER
    assert json.loads(out)["figures"]["yield"]["value"] < 1
    assert run("compare", "like-h100", "--catalogue", path)[0] == ANSWER


def test_a_derivation_names_its_formulas(run):
    out = run("cost", "h100-sxm", "--explain")[1]
    assert "dies_per_wafer" in out
    assert "die_cost" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cost", "tpu-v6e"), "die area and process node unknown"),
        (("cost", "h1000"), "unknown chip"),
        (("compare", "h100-sxm+pim"), "hbm-pim"),
        (("compare", "--tpot", "0s"), "tpot"),
        (("compare", "--workload", "llama-2-71b"), "llama-2-70b"),
        (("compare", "--input", "0"), "below the least possible value, 1"),
        (("design", "--mix", "150%"), "mix"),
        (("design", "--mix", "foo"), "or decode, or video"),
        (("design", "--workload", "llama-2-70b", "--mix", "video"), "needs a video pipeline"),
        (("design", "--workload", "wan2.1-t2v-14b", "--mix", "50%"), "needs a language model"),
        (("design", "--workload", "wan2.1-t2v-14b", "--objective", "latency"), "name a language model"),
        (("design", "--workload", "llama-2-7b,llama-2-70b"), "at most one language model"),
        (("design", "--mix", "decode,video", "--save", "x.toml"), "one mix"),
        (("check", "no-such-file.toml"), "cannot be read"),
    ],
)
def test_mistakes_are_answered_with_the_nearest_fix(run, words, message):
    code, _, err = run(*words)
    assert code == BAD_INPUT
    assert message in err


def test_nothing_that_serves_exits_with_1(run):
    assert run("compare", "l20", "--workload", "deepseek-v3")[0] == INFEASIBLE
    code, out, _ = run("design", "--tpot", "1us")
    assert code == INFEASIBLE
    assert "allow a longer --tpot" in out


def test_a_comparison_has_equal_chips_dollars_and_watts(run):
    """Ratios of output over the first chip's are quotients of what a chip does, costs and draws."""
    words = ("compare", "a100-sxm-80gb", "h100-sxm", "--workload", "llama-2-70b")
    first, second = (row["talks"][0] for row in json.loads(run(*words, "--json")[1]))
    out = run(*words)[1].partition("for the same number of")[2]
    (line,) = (line.split() for line in out.splitlines() if line.strip().startswith("h100-sxm"))
    quotients = (
        second["rate"] / first["rate"], *(first[name] / second[name] for name in ("rent", "made", "joules"))
    )  # fmt: skip
    assert [float(each) for each in line[1:]] == pytest.approx(quotients, rel=0.01)


def test_memory_that_computes_has_its_cost(run):
    plain, computing = (
        json.loads(run("cost", name, "--json")[1])["figures"]["price"]["value"]
        for name in ("a100-sxm-80gb", "a100-sxm-80gb+hbm-pim")
    )
    assert computing > plain
    assert run("cost", "l20+hbm-pim")[2].count("l20 has GDDR6") == 1


def test_a_chip_that_makes_no_video_gives_no_verdict_on_it(run):
    assert "cannot be judged for video" in run("claims", "groq-lpu-v1")[1].replace("\n    ", " ")


def test_anchors_are_named_in_full_with_the_reason_for_each_that_is_missed(run):
    code, out, _ = run("anchors")
    assert code == ANSWER
    words = " ".join(out.split())
    assert words.index("Outside, and why") < words.index("Not modelled, and why")
    for row in json.loads(run("anchors", "--json")[1]):
        assert (row["status"] == "matched") == (not row["why"])
        assert row["why"] in words


def test_one_command_answers_for_decoding_video_and_a_mix(run):
    """Every kind that the article argues about is either placed or said to be unable, in each of the three answers."""
    code, out, _ = run("design", "--mix", "decode,video,50%")
    assert code == ANSWER
    words = " ".join(out.split())
    answers = [words.index(each) for each in ("Decoding: ", "Video: ", "50% of the money on decoding")]
    assert answers == sorted(answers)
    for start, end in zip(answers, [*answers[1:], words.index(" # kind")], strict=True):
        for kind in ("mid node, large memory", "big GPU", "SRAM only", "memory that computes"):
            assert kind in words[start:end]
    assert "no design of the kind does it: SRAM only" in words
    assert max(map(len, out.splitlines())) <= 80
    bodies = json.loads(run("design", "--mix", "decode,video,50%", "--json")[1])
    assert [body["share"] for body in bodies] == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(("workload", "column"), [("llama-2-70b", "$/Mtok"), ("wan2.1-t2v-14b", "$/s video")])
def test_one_workload_is_enough_for_a_design(run, workload, column):
    code, out, _ = run("design", "--workload", workload)
    assert code == ANSWER
    assert column in out
    (other,) = {"$/Mtok", "$/s video"} - {column}
    assert other not in out


def test_designs_are_saved_and_read_again(run, tmp_path):
    path = tmp_path / "designs.toml"
    assert run("design", "--save", path)[0] == ANSWER
    assert run("cost", "design-1", "--catalogue", path)[0] == ANSWER
    code, out, _ = run("compare", "design-1", "design-2", "h100-sxm", "--catalogue", path, "--workload", "llama-2-70b")
    assert code == ANSWER
    assert "design-1" in out


@pytest.mark.parametrize("words", [("claims",), ("levers",), ("levers", "h100-sxm", "--workload", "llama-2-70b")])
def test_judgements_fit_80_columns(run, words):
    code, out, _ = run(*words)
    assert code == ANSWER
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("words", [("claims",), ("levers",)])
def test_judgements_for_programs(run, words):
    code, out, _ = run(*words, "--json")
    assert code == ANSWER
    assert json.loads(out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("anchors", "--match", "no such chip"), "no row contains"),
        (("design", "--trials", "5"), "below the least possible value, 10"),
        (("design", "--save", "/no/such/folder/x.toml"), "cannot write"),
        (("claims", "--workload", "llama-2-70b"), "one video pipeline"),
        (("levers", "h1000"), "unknown chip"),
    ],
)
def test_mistakes_of_searches_and_judgements(run, words, message):
    code, _, err = run(*words)
    assert code == BAD_INPUT
    assert message in err


def test_a_file_of_own_chips_is_compared_where_it_is_named(capsys):
    file = str(Path(__file__).parents[2] / "examples" / "seed-14nm-144gb.toml")
    assert main(["chip", "compare", file, "h100-sxm", "--workload", "llama-2-70b"]) == 0
    out = capsys.readouterr().out
    assert out.index("seed-hbm") < out.index("seed-gddr6") < out.index("h100-sxm")
    assert main(["chip", "compare", file, file]) == 2
    assert "chips of one file are compared" in capsys.readouterr().err
