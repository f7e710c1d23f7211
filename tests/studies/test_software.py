"""Software as an input: what is read, what follows from it, what is refused, what the answer says."""

from __future__ import annotations

import math
import re

import pytest

import costline
from costline.accuracy.words import release
from costline.catalogue import shipped
from costline.catalogue.check import check_file
from costline.catalogue.software_table import software_named
from costline.catalogue.table import DATA
from costline.cli import main
from costline.errors import CatalogueError, InputError, PlanError, UnknownNameError
from costline.hardware.efficiency import Coefficient, Efficiency
from costline.plan import Plan
from costline.planning import read_year
from costline.studies.software import Stated, released, sequences_taken, settled_software, software_note

H100 = shipped.chip("h100-sxm")
KERNELS = {"naive", "fa2", "fa3"}
MODEL = {"model": "llama-3.1-8b", "on": "1xh100-sxm", "batch": 8}


def said(answer):
    return next(row.value for row in answer.assumptions if row.name == "software")


@pytest.mark.parametrize(
    ("given", "year"), [("2025-06", 2025 + 5 / 12), ("2025-06-30", 2025 + 5 / 12), ("2025", 2025.0), (2024.5, 2024.5)]
)
def test_dates_are_read(given, year):
    assert read_year(given) == pytest.approx(year)


@pytest.mark.parametrize("given", ["2017-12", "2036", 1e9, "nan", "june", "2025-13", ""])
def test_dates_that_are_none_are_refused(given):
    with pytest.raises(PlanError, match="engine_date="):
        read_year(given, "engine_date")


def test_an_engine_settles_what_the_table_says_of_it():
    """llama.cpp did not fuse attention unless asked to, and sums products in fp16; transformers copies its cache."""
    fields, products = settled_software({}, Stated(engine="llama.cpp", date="2024-06"), "serve", H100, KERNELS)
    assert (fields["attention"], fields["compiled"], products) == ("naive", True, "fp16acc")
    fields, products = settled_software({}, Stated(engine="transformers"), "serve", H100, KERNELS)
    assert (fields["attention"], fields["compiled"], products) == ("copied", False, "")


def test_a_date_settles_the_kernel_of_its_day():
    """FlashAttention-2 appeared in July 2023, the third in July 2024 (arXiv:2307.08691, 2407.08608)."""
    for date, kernel in (("2024-01", "fa2"), ("2025-01", "fa3")):
        assert settled_software({}, Stated(date=date), "serve", H100, KERNELS)[0]["attention"] == kernel
    fields, _ = settled_software({}, Stated(date="2024-01", attention="naive"), "serve", H100, KERNELS)
    assert (fields["attention"], fields["compiled"]) == ("naive", True)


@pytest.mark.parametrize(("date", "engine"), [("2024-03", "vllm"), ("2025-02", "llama.cpp"), ("", "transformers")])
def test_users_and_sources_are_read_alike(date, engine):
    fields, _ = settled_software({}, Stated(engine=engine, date=date or None), "serve", H100, KERNELS)
    found = release(engine, "serve", date, frozenset(), H100)
    assert found == type(found)(**fields)


def test_nothing_stated_settles_nothing():
    assert settled_software({"tensor": 2, "software": "", "year": 0.0}, Stated(), "serve", H100, KERNELS) == (
        {"tensor": 2},
        "",
    )


def test_the_plan_may_say_it_instead_but_not_something_else():
    by_plan = costline.serve(**MODEL, plan="software=transformers, year=2024, attention=fa2")
    by_input = costline.serve(**MODEL, engine="transformers", engine_date=2024, attention="fa2")
    assert by_plan["tpot"] == by_input["tpot"]
    assert costline.serve(**MODEL, plan="compiled=no", compile="no")["tpot"] > costline.serve(**MODEL)["tpot"]
    with pytest.raises(PlanError, match="engine=vllm contradicts software=trtllm"):
        costline.serve(**MODEL, plan="software=trtllm", engine="vllm")
    with pytest.raises(PlanError, match="compile=True contradicts compiled=False"):
        costline.serve(**MODEL, plan="compiled=no", compile=True)


def test_a_whole_plan_states_no_software_where_it_names_none():
    assert costline.serve(**MODEL, plan=Plan(), engine="transformers").inputs["compiled"] is False
    assert costline.serve(**MODEL, plan=Plan(software="transformers")).inputs["compiled"] is True


def test_samples_are_drawn_with_the_software_stated():
    ranged = costline.serve(**{**MODEL, "batch": "8..9"}, engine="transformers", compile="yes")
    assert ranged.inputs["software"] == "transformers"
    assert ranged.inputs["compiled"] is True


def test_what_is_unknown_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean vllm"):
        costline.serve(**MODEL, engine="vlm")
    with pytest.raises(InputError, match=r"engines to train: megatron-bridge, automodel, nemo"):
        costline.train("llama-3.1-8b", on="8xh100-sxm", tokens="1B", engine="qqqq")
    with pytest.raises(InputError, match=r"attention 'fa9': choose from .*fa2"):
        costline.serve(**MODEL, attention="fa9")
    with pytest.raises(InputError, match="say yes or no"):
        costline.serve(**MODEL, compile="perhaps")


def test_older_software_is_slower_by_the_yearly_gain():
    """A steady gain of 8 % a year over one year is kernels e^0.08 times as long, as if that were stated."""
    fixed = {"attention": "fa3"}
    aged = costline.serve(**MODEL, engine_date=2024, **fixed, coefficients={"progress": 0.08, "software": 1.0})
    slow = costline.serve(**MODEL, **fixed, coefficients={"software": math.exp(0.08)})
    assert aged["tpot"] == pytest.approx(slow["tpot"], rel=1e-12)
    assert "kernel time × 1.08" in said(aged)
    assert "average of 2024" in said(aged)


def test_the_effect_is_that_of_the_coefficients_in_force():
    row = Coefficient(
        name="software", scope="all", qualifier="vllm", value=1.25, unit="1", source="a test", kind="assumed"
    )
    table = Efficiency([*shipped.efficiency().rows, row])
    note = software_note(Plan(), "serve", shipped.cluster("1xh100-sxm"), table)
    assert "average of 2025" in note.value
    assert "vllm × 1.25" in note.value
    assert not table.used


def test_the_effects_of_a_kernel_and_of_eager_work_are_those_of_the_coefficients():
    """Shares of 0.3 and 0.6: twice the time; 1.5 times the traffic. The newest kernel, fused, has none."""
    rows = [
        Coefficient(name=name, scope=scope, qualifier=kernel, value=value, unit="1", source="a test", kind="assumed")
        for name, scope, kernel, value in (
            ("attention", "family:hopper", "fa2", 0.3), ("attention", "family:hopper", "fa3", 0.6),
            ("attention", "family:hopper", "naive", 0.6), ("eager", "all", "", 1.5),
        )
    ]  # fmt: skip
    table = Efficiency([*shipped.efficiency().rows, *rows])

    def note(plan):
        return software_note(plan, "serve", shipped.cluster("1xh100-sxm"), table).value

    assert "attention fa2 (× 2.00 the time of fa3), fused kernels" in note(Plan(attention="fa2"))
    assert "attention naive (× 1.00 the time of fa3, scores through memory)" in note(Plan(attention="naive"))
    assert "eager (element-wise traffic × 1.50, kernels launched one by one)" in note(Plan(compiled=False))
    assert "attention fa3, fused kernels;" in note(Plan())


@pytest.mark.parametrize(
    ("study", "more"),
    [
        ("serve", ["llama-3.1-8b", "--on", "1xh100-sxm", "--engine", "transformers"]),
        ("train", ["llama-3.1-8b", "--on", "8xh100-sxm", "--tokens", "1B", "--engine", "fsdp"]),
        ("generate", ["wan2.1-t2v-1.3b", "--on", "1xh100-sxm", "--engine", "diffusers"]),
        ("caption", ["llama-3.1-8b", "--on", "1xh100-sxm", "--minutes", "10", "--engine", "transformers"]),
    ],
)
def test_every_command_takes_it_and_says_what_was_taken(study, more, capsys):
    assert main([study, *more, "--engine-date", "2025-06", "--attention", "sdpa"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"software: {more[-1]} of 2025-06, attention sdpa \(.*\), eager \(.*\): kernel time × ", words)
    assert main([study, *more, "--compile", "yes"]) == 0
    assert "fused kernels" in capsys.readouterr().out


def test_llama_cpp_is_said_to_sum_in_fp16_where_the_chip_can(capsys):
    assert main(["serve", "llama-3.1-8b", "--on", "1xrtx-4090", "--engine", "llama.cpp", "--precision", "q4_k_m"]) == 0
    assert "fp16 accumulation" in " ".join(capsys.readouterr().out.split())


def test_searches_and_backwards_questions_take_it(capsys):
    found = costline.find_plan("serve", "llama-3.1-8b", on="1xh100-sxm", engine="transformers", modes=["together"])
    assert found.estimate.inputs["software"] == "transformers"
    given = ["serve", "llama-3.1-8b", "--on", "1xh100-sxm", "--solve", "batch", "--target", "tpot<=30ms"]
    assert main([*given, "--engine", "transformers"]) == 0
    assert "transformers" in capsys.readouterr().out


def test_lists_of_engines_are_an_axis():
    both = costline.serve(**MODEL, engine=["vllm", "transformers"])
    assert both["tpot"][0] < both["tpot"][1]


def test_the_table_is_listed_shown_and_checked(capsys, tmp_path):
    assert main(["data", "list", "software"]) == 0
    assert "vllm" in capsys.readouterr().out
    assert main(["data", "show", "llama.cpp"]) == 0
    assert "ggml-org/llama.cpp documentation" in capsys.readouterr().out
    wrong = tmp_path / "software.csv"
    lines = (DATA / "software.csv").read_text().splitlines()
    twice = next(line for line in lines if line.startswith("trtllm,"))
    mine = 'mine,cook,"(",2,,2025-08,,,,,fp5,fp7,2025,,assumed,me,'
    wrong.write_text("\n".join([lines[0], twice, twice, mine]) + "\n")
    with pytest.raises(CatalogueError) as refused:
        check_file(wrong)
    for fault in (
        "study is none of",
        "fused is '2'",
        "products 'fp5' is not a format",
        "cache 'fp7' is not a format",
        "attention_until goes with an attention kernel",
        "'(' is not a regular",
        "since and earlier go together",
        "trtllm (serve): 2",
    ):
        assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("engine", "date", "was"),
    [  # vLLM 0.8.0 (March 2025) made V1 the default; TensorRT-LLM 1.0 its PyTorch runtime
        ("vllm", "2024-06", "vllm-v0"), ("vllm", "2025-03", "vllm"), ("vllm", None, "vllm"),
        ("trtllm", "2025-02", "trtllm-engines"), ("trtllm", "2025-10", "trtllm"), ("sglang", "2024-06", "sglang"),
    ],
)  # fmt: skip
def test_a_name_means_the_program_that_had_it_then(engine, date, was):
    found = costline.serve(**MODEL, engine=engine, engine_date=date)
    assert found.inputs["software"] == was
    assert any(str(row.value).startswith(was) for row in found.assumptions if row.name == "software")


def test_an_earlier_program_may_be_named_itself():
    dated = costline.serve(**MODEL, engine="vllm", engine_date="2024-06")
    named = costline.serve(**MODEL, engine="vllm-v0", engine_date="2024-06")
    assert named["tpot"] == dated["tpot"]


@pytest.mark.parametrize(("year", "kernel"), [(2024.5, "naive"), (2025.9, "fa2"), (0.0, "")])
def test_llama_cpp_fuses_attention_since_august_2025(year, kernel):
    """ggml-org/llama.cpp, pull request 15434: FlashAttention is on by default where a device supports it."""
    made = released(software_named("llama.cpp", "serve"), year, shipped.chip("rtx-4090"))
    assert made.attention == kernel


@pytest.mark.parametrize(
    ("engine", "chip", "taken"),
    [
        ("vllm", "rtx-4090", 256), ("vllm", "a100-sxm-80gb", 256), ("vllm", "mi300x", 1024),
        ("vllm-v0", "h100-sxm", 256), ("sglang", "h100-sxm", math.inf), ("", "h100-sxm", math.inf),
    ],
)  # fmt: skip
def test_vllm_takes_in_so_many_sequences_unless_told_otherwise(engine, chip, taken):
    """vllm/engine/arg_utils.py, get_batch_defaults: 1,024 from 70 GiB on but for A100, else 256."""
    assert sequences_taken(engine, shipped.chip(chip)) == taken
