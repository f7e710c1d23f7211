"""``--set`` and scenario files: one reading of every input, whatever it is given by."""

import json

import pytest

from costline.cli import main

TRAIN = ("train", "--params", "8B", "--on", "8xh100-sxm", "--tokens", "1T")
SERVE = ("serve", "--params", "8B", "--on", "8xh100-sxm")
WHOLE = "layers must be a whole number from 1 to"


@pytest.fixture
def refused(capsys):
    """Run a command that must be refused, and return what it says."""

    def call(*arguments):
        code = main(list(map(str, arguments)))
        captured = capsys.readouterr()
        assert (code, captured.out) == (2, ""), captured
        return captured.err

    return call


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        *((f"shape.layers={each}", WHOLE) for each in ("abc", "10.5", "1e3", "8 to 12", "true")),
        ("shape=5", "shape: '5' names no field; write layers=60, hidden=6144"),
        ("shape=0", "shape: '0' names no field"),
        ("shape.params=9B", "shape.params is no dimension; say --params"),
    ],
)
def test_a_shape_is_read_alike_for_text_and_video(refused, setting, says):
    for question in (TRAIN, (*TRAIN, "--video"), SERVE):
        assert says in refused(*question, "--set", setting)


@pytest.mark.parametrize("setting", ["vocab=-5", "gated=maybe"])
def test_fields_of_a_decoder(refused, setting):
    assert f"{setting.partition('=')[0]} must be" in refused(*SERVE, "--set", f"shape.{setting}")


def test_a_video_shape_is_read_before_it_is_computed_with(refused):
    assert "field 'head_dim'" in refused(*TRAIN, "--video", "--set", "shape.head_dim=abc")
    assert "kind 'odd': choose from cross" in refused(*TRAIN, "--video", "--set", "shape.kind=odd")


@pytest.mark.parametrize("written", ["[shape]\nlayers = 10.5", "[shape]\nlayers = 'abc'", "[shape]\nlayers = true"])
def test_a_shape_in_a_scenario(refused, tmp_path, written):
    (tmp_path / "scenario.toml").write_text(written)
    for question in (TRAIN, SERVE):
        assert WHOLE in refused(*question, "--file", tmp_path / "scenario.toml")


@pytest.mark.parametrize("name", ["failures", "video"])
def test_yes_or_no(refused, name):
    assert f"{name} 'maybe': say yes or no" in refused(*TRAIN, "--set", f"{name}=maybe")


def test_the_experts_of_a_hypothetical_mixture_are_said(capsys):
    """A power of two for 1.8T parameters of which 400B are active, where 56 divided nothing."""
    assert main(["serve", "--params", "1.8T", "--active", "400B", "--on", "64xh200-sxm", "--json"]) == 0
    assert "8 of 64 experts" in capsys.readouterr().out


LLAMA = ("train", "llama-3.1-8b", "--on", "64xh100-sxm", "--tokens", "1T")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--set", "tokens=2T"), "tokens is stated twice, by a flag and by --set"),
        (("--mfu", "50%", "--set", "mfu=40%"), "mfu is stated twice, by a flag and by --set"),
        (("--plan", "tp=8, zero=1", "--set", "plan.tensor=4"), "plan.tensor is stated twice"),
        (("--set", "pue=1.1", "--set", "pue=1.2"), "--set 'pue=1.2': pue is stated twice"),
        (("--set", "plan.zero=3", "--set", "plan=tensor=8"), "plan is stated twice"),
        (("--set", "plan=tensor=8", "--set", "plan.zero=3"), "plan is stated twice"),
    ],
)
def test_what_is_stated_twice_is_refused(refused, more, says):
    assert says in refused(*LLAMA, *more)


def test_dimensions_are_stated_once(refused):
    assert "shape.layers is stated twice" in refused(*SERVE, "--shape", "layers=30", "--set", "shape.layers=32")
    assert "--shape ' layers=32': layers is stated twice" in refused(*SERVE, "--shape", "layers=30, layers=32")


def test_single_fields_go_into_a_stated_plan(capsys, tmp_path):
    (tmp_path / "scenario.toml").write_text('plan = "tp=8, zero=1"')
    for more in (
        ("--plan", "tensor=8", "--set", "plan.zero=3"),
        ("--set", "plan.tp=8", "--set", "plan.zero=3"),
        ("--file", str(tmp_path / "scenario.toml"), "--set", "plan.zero=3"),
    ):
        assert main([*LLAMA, *more, "--json"]) == 0
        inputs = json.loads(capsys.readouterr().out)["inputs"]
        assert (inputs["tensor"], inputs["zero"]) == (8, 3)


@pytest.mark.parametrize(
    "command",
    [
        LLAMA,
        ("plan", "serve", "llama-3.1-8b", "--on", "h100-sxm"),
        ("audit", "sora-2024"),
        ("chip", "cost", "h100-sxm"),
        ("sweep", "show", "none"),
        ("serve", "llama-3.1-8b", "--on", "h100-sxm", "--solve", "batch"),
    ],
)
def test_two_layouts_at_once_are_refused(refused, command):
    assert "--json and --csv at once; choose one" in refused(*command, "--json", "--csv")


def test_a_picture_that_cannot_be_written_is_no_fault_of_costline(refused, tmp_path):
    ranged = ("serve", "--params", "8B to 9B", "--on", "8xh100-sxm", "--samples", "64")
    path = tmp_path / "none" / "x.svg"
    assert f"{path}: No such file or directory" in refused(*ranged, "--tornado", path)
