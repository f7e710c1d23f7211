"""The page on sweeps: its scenario runs, and its commands answer."""

import re
import shlex
from pathlib import Path

import pytest

from costline import cli
from costline.sweep import read_scenario, run

PAGE = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text("utf-8")
(SCENARIO,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("docs")
    (place / "scenario.toml").write_text(SCENARIO)
    run(read_scenario(place / "scenario.toml"), place / "out")
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_answers(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    program, *arguments = shlex.split(command)
    assert program == "costline"
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out or arguments[1] == "scenario.toml" or "--svg" in arguments


def test_it_has_commands():
    assert len(COMMANDS) == 8
