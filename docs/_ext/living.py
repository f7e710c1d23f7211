"""Pages that cannot go stale: answers and tables are made while the documentation is built.

``{answer}``
    Runs a costline command and shows what it printed. A command that fails fails the build; ``:exit:`` states another
    exit code that is meant.
``{script}``
    A Python program of the project and what it printed. One that fails fails the build.
``{truth}``
    Counts made on real modules, from a table of the tests.
``{unmatched}``
    Rows of those tables that costline does not match, with the reason.
``{rows}``
    Chosen columns of a CSV file of the project.
``{tally}``
    How many rows of a CSV file have each value of a column.
``{accuracy}``
    How far predictions are from published measurements, from the errors of the last fit.
``{unseen}``
    How far they are from measurements that no fit has read.
``{audit}``
    An audit that comes with costline, as a page.
``{formulas}``
    Every module of formulas, each under its own heading.
"""

from __future__ import annotations

import csv
import importlib
import os
import pkgutil
import shlex
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import costline.formulas
from costline.accuracy.evidence import shipped_evidence
from costline.accuracy.page import page
from costline.accuracy.unseen import unseen_section
from costline.report.audit_page import audit_page
from costline.report.page import markdown
from costline.studies.audit import judge

ROOT = Path(__file__).resolve().parent.parent.parent
TERA = 1e12


def table_node(header: Sequence[str], rows: Iterable[Sequence[str]]) -> nodes.table:
    """A table of plain text."""
    table, group, head, body = nodes.table(), nodes.tgroup(cols=len(header)), nodes.thead(), nodes.tbody()
    group += [nodes.colspec(colwidth=1) for _ in header]
    for section, lines in ((head, [header]), (body, rows)):
        for line in lines:
            row = nodes.row()
            row += [nodes.entry("", nodes.paragraph(text=cell)) for cell in line]
            section.append(row)
    group += [head, body]
    table += group
    return table


def read(path: str) -> list[dict[str, str]]:
    """Rows of a CSV file of the project."""
    return list(csv.DictReader((ROOT / path).read_text(encoding="utf-8").splitlines()))


class Living(SphinxDirective, ABC):
    """A directive whose page is read again at every build."""

    def run(self) -> list[nodes.Node]:
        """Make the nodes."""
        self.env.note_reread()
        return self.make()

    @abstractmethod
    def make(self) -> list[nodes.Node]:
        """What the subclass shows."""


class Answer(Living):
    """A command and what it printed."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"exit": directives.nonnegative_int}

    def make(self) -> list[nodes.Node]:
        command = " ".join(self.content)
        environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            [sys.executable, "-m", "costline", *shlex.split(command)[1:]],
            cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        if done.returncode != self.options.get("exit", 0):
            raise self.error(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        text = "\n".join(line.rstrip() for line in (done.stdout + done.stderr).strip("\n").splitlines())
        return [nodes.literal_block(text=f"$ {command}\n{text}", language="text")]


class Script(Living):
    """A program and what it printed."""

    required_arguments = 1

    def make(self) -> list[nodes.Node]:
        path = ROOT / self.arguments[0]
        done = subprocess.run([sys.executable, str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise self.error(f"{self.arguments[0]}: {done.stderr}")
        source = path.read_text(encoding="utf-8").strip()
        program = nodes.literal_block(source, source, language="python")
        return [
            program,
            nodes.literal_block(text=f"$ python {self.arguments[0]}\n{done.stdout.rstrip()}", language="text"),
        ]


class Truth(Living):
    """Counts made on real modules."""

    required_arguments = 1

    def make(self) -> list[nodes.Node]:
        header = ("model", "class", "tokens", "parameters", "linear", "attention", "convolution", "attention share")
        return [table_node(header, [self.line(row) for row in read(f"tests/reference/{self.arguments[0]}")])]

    def line(self, row: dict[str, str]) -> tuple[str, ...]:
        counts = [float(row.get(name) or 0) for name in ("flops_linear", "flops_attention", "flops_conv")]
        tera = [f"{count / TERA:.4g}" if count else "" for count in counts]
        share = f"{counts[1] / sum(counts):.2f}" if sum(counts) else ""
        name = row.get("family") or row.get("shape") or ""
        return (name, row["class"], row.get("tokens") or "", f"{int(row['params']):,}", *tera, share)


class Unmatched(Living):
    """Rows that are not matched."""

    def make(self) -> list[nodes.Node]:
        sys.path.insert(0, str(ROOT))
        try:
            reasons: dict[str, str] = importlib.import_module("tests.models.test_truth").UNMATCHED
        finally:
            sys.path.remove(str(ROOT))
        if not reasons:
            return [nodes.paragraph(text="None: every row is matched.")]
        return [table_node(("model", "reason"), sorted(reasons.items()))]


class Rows(Living):
    """Chosen columns of a CSV file."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"columns": directives.unchanged_required}

    def make(self) -> list[nodes.Node]:
        columns = self.options["columns"].split()
        return [table_node(columns, [[row[column] for column in columns] for row in read(self.arguments[0])])]


class Tally(Living):
    """Rows by the value of a column."""

    required_arguments = 2

    def make(self) -> list[nodes.Node]:
        path, column = self.arguments
        counts = Counter(row[column] for row in read(path))
        return [table_node((column, "rows"), [(value, str(count)) for value, count in counts.most_common()])]


class Accuracy(Living):
    """The accuracy page."""

    def make(self) -> list[nodes.Node]:
        text = markdown(page(shipped_evidence(), level=2), inline=True)
        return list(self.parse_text_to_nodes(text, allow_section_headings=True))


class Unseen(Living):
    """The section on measurements that no fit has read."""

    def make(self) -> list[nodes.Node]:
        text = markdown(unseen_section(level=2), inline=True)
        return list(self.parse_text_to_nodes(text, allow_section_headings=True))


class AuditPage(Living):
    """A judged audit as a page."""

    required_arguments = 1

    def make(self) -> list[nodes.Node]:
        text = markdown(audit_page(judge.audit(self.arguments[0]), level=2), inline=True)
        return list(self.parse_text_to_nodes(text, allow_section_headings=True))


class Formulas(Living):
    """Every module of formulas."""

    def make(self) -> list[nodes.Node]:
        made: list[nodes.Node] = []
        for module in pkgutil.iter_modules(costline.formulas.__path__):
            name = f"costline.formulas.{module.name}"
            text = f"## {module.name.capitalize()}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n"
            made += self.parse_text_to_nodes(text, allow_section_headings=True)
        return made


def print_expression(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Show below a formula what ``--explain`` prints of it."""
    expression = getattr(obj, "expression", None)
    if what == "function" and expression:
        lines += ["", f"Printed as ``{expression}`` [{obj.unit}], source: {obj.source}.", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything."""
    for name, directive in (
        ("answer", Answer), ("script", Script), ("truth", Truth), ("unmatched", Unmatched), ("rows", Rows),
        ("tally", Tally), ("accuracy", Accuracy), ("unseen", Unseen), ("audit", AuditPage), ("formulas", Formulas),
    ):  # fmt: skip
        app.add_directive(name, directive)
    # after numpydoc, which rewrites the lines at 500
    app.connect("autodoc-process-docstring", print_expression, priority=900)
    return {"parallel_read_safe": True}
