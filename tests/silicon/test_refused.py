"""What a comparison or a bill cannot be made of is refused, naming it."""

from __future__ import annotations

import pytest

from costline.catalogue import shipped
from costline.catalogue.chip_table import shipped_chip_facts
from costline.cli import main
from costline.errors import InputError
from costline.silicon.compare import talk_answer
from costline.silicon.cost import silicon_of
from costline.silicon.decoding import Talk
from costline.silicon.lineup import line_up
from costline.silicon.owning import owner

HUGE = """
[[chip]]
id = "huge"
name = "huge"
vendor = "me"
peak = { bf16 = "180 TFLOP/s" }
memory = "144 GB"
memory_bandwidth = "3 TB/s"
tdp = "400 W"
[chip.silicon]
process = "14 nm"
area = "70000 mm2"
memory = "HBM3"
devices = 6
"""


@pytest.mark.parametrize(
    ("chip", "stacks"),
    [("a100-sxm-80gb", 5), ("h100-sxm", 5), ("h200-sxm", 6), ("b200", 8), ("mi300x", 8), ("v100-sxm-32gb", 4)],
)
def test_stacks_of_real_chips(chip, stacks):
    """As their makers state them: A100 and H100 5 at work, H200 6, B200 and MI300X 8, V100 4."""
    assert silicon_of(shipped_chip_facts()[chip]).devices == stacks


@pytest.mark.parametrize(("precision", "chips"), [("fp32", 4), ("bf16", 2), ("fp8", 1), ("int4", 1)])
def test_chips_that_hold_a_model_count_the_format(precision, chips):
    """70B parameters of 4, 2, 1 and half a byte on 85.5 GB."""
    cluster = shipped.cluster("h100-sxm")
    talk = Talk(network=shipped.model("llama-2-70b"), precision=precision)
    assert talk_answer(talk, cluster, owner(cluster.chip, shipped), shipped).hold == chips


@pytest.mark.parametrize("name", ["l20+hbm-pim", "groq-lpu-v1+hbm-pim", "h100-sxm+aim"])
def test_memory_that_a_chip_has_no_place_for(name):
    with pytest.raises(InputError, match="is a kind of"):
        line_up([name], [], [], shipped)


def test_dies_that_no_wafer_holds(tmp_path, capsys):
    (tmp_path / "huge.toml").write_text(HUGE)
    assert main(["chip", "cost", "huge", "--catalogue", str(tmp_path / "huge.toml")]) == 2
    assert "no wafer holds a die of 70,000 mm2" in capsys.readouterr().err
    assert main(["chip", "compare", "h100-sxm", "--precision", "foo"]) == 2


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        ("", "lacks a model between its commas"),
        ("llama-2-70b,,wan2.1-t2v-14b", "lacks a model between its commas"),
        ("flux.1-dev", "makes images"),
        ("umt5-xxl", "is a text encoder"),
    ],
)
def test_workloads_that_are_none(workload, words, capsys):
    assert main(["chip", "compare", "h100-sxm", "--workload", workload]) == 2
    assert words in capsys.readouterr().err


def test_chips_are_named_without_a_number():
    with pytest.raises(InputError, match="leave the number out: h100-sxm"):
        line_up(["8xh100-sxm"], [], [], shipped)


def test_a_reason_keeps_its_brackets(tmp_path, capsys):
    (tmp_path / "plain.toml").write_text(HUGE.split("[chip.silicon]", maxsplit=1)[0])
    assert (
        main(["chip", "compare", "huge", "--workload", "llama-2-7b", "--catalogue", str(tmp_path / "plain.toml")]) == 0
    )
    assert "state them in [chip.silicon]" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_states_little_is_not_called_plausible(tmp_path, capsys):
    (tmp_path / "plain.toml").write_text(HUGE.split("[chip.silicon]", maxsplit=1)[0])
    assert main(["chip", "check", str(tmp_path / "plain.toml")]) == 0
    said = capsys.readouterr().out
    assert "what is stated breaks no limit" in said
    assert "nothing implausible" not in said


def test_a_mix_has_no_latency(capsys):
    assert main(["chip", "design", "--objective", "latency", "--mix", "50%"]) == 2
    assert "leave --mix out" in capsys.readouterr().err
