"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import csv
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "costline"
MODULES = sorted(SOURCE.rglob("*.py"))
OURS = sorted(path for folder in ("src", "tests", "tools", "docs") for path in (ROOT / folder).rglob("*.py"))
TABLES = sorted((SOURCE / "data").glob("*.csv"))
NOT_OURS = {".git", ".venv", "_build", "__pycache__", "build", "dist", "out"}

MODULE_LINES, BODY_LINES = 400, 40

# In these a 0 is a figure or a flag ("nothing overlaps", "no bias"); elsewhere a quantity of 0 would mean "not known".
ZERO_IS_A_FIGURE = {"coefficients.csv", "models_llm.csv", "models_dit.csv"}
# Columns that say which row it is and where it is from, not how much.
NOT_FIGURES = {"name", "id", "kind", "date", "source", "note"}


def short(path):
    return str(path.relative_to(ROOT))


def files():
    """Every text file of the project, wherever it was unpacked."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in {".ci", ".gitignore"} for part in parts)
        if path.is_file() and not hidden and not NOT_OURS & set(parts):
            yield path


def functions(path):
    """Line, name and length of each function; the trees of all modules together would be a gigabyte."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name, body_lines(node)


def body_lines(function):
    """Lines of a function below its signature, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def read(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def names_called(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_modules_are_short():
    long = {short(path): n for path in OURS if (n := len(path.read_text(encoding="utf-8").splitlines())) > MODULE_LINES}
    assert not long


def test_functions_are_short():
    found = [(short(path), *function) for path in OURS for function in functions(path)]
    assert not [f"{where}:{line} {name} {lines}" for where, line, name, lines in found if lines > BODY_LINES]


def test_only_the_faces_print():
    faces = {SOURCE / "cli", SOURCE / "report"}
    quiet = [path for path in MODULES if not faces & set(path.parents)]
    assert not [f"{short(path)}:{line}" for path in quiet for name, line in names_called(path) if name == "print"]


def test_assert_never_guards_input():
    asserts = [
        f"{short(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert not asserts


def test_nothing_foreign_is_run():
    forbidden = {"eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "os.system"}
    assert not [f"{short(path)}:{line}" for path in MODULES for name, line in names_called(path) if name in forbidden]


def test_no_test_is_skipped():
    tests = [path for path in OURS if "tests" in path.parts]
    skipping = re.compile(r"(?:^|\.)(?:skip|skipif|xfail|importorskip|skipTest)$")
    assert not [
        f"{short(path)}:{node.lineno}"
        for path in tests
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and skipping.search(ast.unparse(node))
    ]


def test_nothing_is_put_off():
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|type: " + r"ignore(?!\[)")
    assert not [
        f"{short(path)}:{number}"
        for path in OURS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]


def test_no_machine_and_no_registry_is_named():
    machine = re.compile(
        r"(?<![\w.*}])/(?:" + "|".join(("work", "tmp", "root", "home", "opt", "mnt", "Users")) + r")/\w"
    )
    registry = re.compile(
        "|".join(("pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs", "file" + ":///"))
    )
    found = []
    for path in files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # a picture
            continue
        found += [
            f"{short(path)}:{n}" for n, line in enumerate(lines, 1) if machine.search(line) or registry.search(line)
        ]
    assert not found


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.name)
def test_every_figure_has_a_source_and_a_kind(table):
    rows = read(table)
    assert {"source", "kind"} <= set(rows[0])
    stated = [
        (n, row) for n, row in enumerate(rows, 2) if any(row[column] for column in row if column not in NOT_FIGURES)
    ]
    assert not [n for n, row in stated if not row["source"] or not row["kind"]]


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.name)
def test_unknown_is_empty_and_never_zero(table):
    rows = read(table)
    cells = [(n, column, cell) for n, row in enumerate(rows, 2) for column, cell in row.items() if cell]
    if table.name not in ZERO_IS_A_FIGURE:
        assert not [(n, column) for n, column, cell in cells if re.fullmatch(r"[+-]?0*\.?0+(?:[eE]\S+)?", cell)]
    assert not [
        (n, column) for n, column, cell in cells if cell.strip().lower() in {"nan", "n/a", "na", "none", "null", "?"}
    ]


def pins(name):
    """Requirements of a constraints file: name -> version; each line must be a name with a version, or a hash."""
    found, hashes = {}, {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        pin = re.fullmatch(r"([a-z0-9-]+)==([\w.]+)(?: ; [a-z_]+ (?:[=!]=|<) '[\w.]+')? \\", line)
        if pin:
            found[pin[1]], hashes[pin[1]] = pin[2], 0
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line):
            hashes[next(reversed(found))] += 1
        else:
            assert line.startswith("# "), line
    assert all(hashes.values())
    return found


def test_constraints_hold_every_dependency_by_name_version_and_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, dev = pins("constraints.txt"), pins("constraints-dev.txt")
    assert not set(core) & set(dev)
    extras = project["project"]["optional-dependencies"]
    for wanted, pinned in (
        (project["project"]["dependencies"] + project["build-system"]["requires"] + extras["uncertainty"], core),
        (extras["dev"] + extras["docs"], core | dev),
    ):
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)
