"""``--set`` and scenario files: one reading of every input, whatever it is given by."""

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
        ("shape=5", "shape 5 is no table of dimensions; write e.g. layers=80, hidden=8192"),
        ("shape=0", "shape 0 is no table of dimensions"),
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
