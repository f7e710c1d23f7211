"""The public surface: what it is, what it costs to import, what its errors are."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from numpydoc.docscrape import FunctionDoc

import costline
from costline import errors
from costline.cli import ANSWER, main

HEAVY = {
    "torch", "transformers", "diffusers", "pandas", "xarray", "scipy", "matplotlib", "pint", "cyclopts", "rich",
    "pydantic",
}  # fmt: skip


def test_public_names_are_pinned():
    assert costline.__all__ == [
        "Chip",
        "Cluster",
        "CostlineError",
        "Estimate",
        "Plan",
        "caption",
        "find_plan",
        "generate",
        "sampling",
        "serve",
        "solve",
        "together",
        "train",
    ]


@pytest.mark.parametrize("name", costline.__all__)
def test_public_names_exist_and_are_documented(name):
    assert inspect.getdoc(getattr(costline, name))


@pytest.mark.parametrize("name", [name for name in costline.__all__ if name.islower()])
def test_public_functions_document_every_parameter_and_annotate_it(name):
    function = getattr(costline, name)
    documented = [entry.name.lstrip("*").strip() for group in FunctionDoc(function)["Parameters"]
                  for entry in [group._replace(name=part) for part in group.name.split(",")]]  # fmt: skip
    signature = inspect.signature(function)
    assert documented == list(signature.parameters)
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = costline.no_such_thing


def test_importing_costline_imports_nothing_heavy():
    code = "import sys, costline; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not HEAVY & set(loaded)


def exception_tree(node, depth=0):
    """Lines of the tree of exceptions as `errors` prints it at its top: indent and name."""
    yield f"{'  ' * depth}{node.__name__}"
    for child in node.__subclasses__():
        yield from exception_tree(child, depth + 1)


def every_module():
    for module in pkgutil.walk_packages(costline.__path__, "costline."):
        if not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def test_the_exception_tree_is_printed_at_the_top_of_errors():
    assert list(every_module())  # an exception defined elsewhere belongs to the tree too
    block = inspect.getdoc(errors).split("::\n\n")[1].split("\n\n")[0]
    printed = [line[: len(line) - len(line.lstrip())] + line.split()[0] for line in block.splitlines()]
    margin = len(printed[0]) - len(printed[0].lstrip())
    assert [line[margin:] for line in printed] == list(exception_tree(errors.CostlineError))


README = Path(__file__).resolve().parent.parent / "README.md"


@pytest.mark.parametrize("command", re.findall(r"`costline ([^`]+)`", README.read_text(encoding="utf-8")))
def test_every_command_of_the_readme_answers(command, capsys, monkeypatch):
    monkeypatch.chdir(README.parent)
    assert main(shlex.split(command)) == ANSWER
    assert capsys.readouterr().out.strip()
