"""The derivation on a terminal: figures that add up, then each formula with its numbers and its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from costline.derivation import Node
from costline.estimate import Assumption, Estimate, Figure
from costline.report.answer import assumption
from costline.report.values import bracket, interval, label, text

SIGNS = {"sum": "Σ", "product": "Π", "max": "max", "beside": "see"}


def derivation(estimate: Estimate, *, everything: bool = False) -> RenderableType:
    """Figures as trees, then the recorded formulas.

    Parameters
    ----------
    estimate : Estimate
        Made with recording on.
    everything : bool
        Every call; otherwise calls of one formula in one place are shown once, the largest.
    """
    trees: list[RenderableType] = [Text("Figures (Σ sum, Π product of the lines below)", style="bold")]
    trees += [_figure_tree(figure) for figure in estimate.figures.values()]
    if estimate.assumptions:
        trees.append(Text("\nInputs nobody stated", style="bold"))
        trees += [_assumption_line(row) for row in estimate.assumptions]
    if estimate.record is not None:
        trees.append(Text("\nFormulas, as they were called", style="bold"))
        trees += [_node_tree(node, everything) for node in estimate.record.children]
    return Group(*trees)


def _assumption_line(row: Assumption) -> Text:
    line = Text(f"· {assumption(row)}")
    line.append("".join(f"  {part}" for part in (row.source, row.date) if part), style="dim italic")
    return line


def _figure_line(figure: Figure) -> Text:
    line = Text(f"{label(figure.name)}  ")
    line.append(text(figure.value, figure.unit), style="bold")
    if figure.children:
        line.append(f"  {SIGNS.get(figure.combine, '')}", style="cyan")
    held = "" if figure.interval is None else f"80 %: {interval(*figure.interval, figure.unit)}"
    remarks = (bracket(figure.low, figure.high, figure.unit), held, figure.note, figure.source)
    line.append("".join(f"  {remark}" for remark in dict.fromkeys(remarks) if remark), style="dim")
    return line


def _figure_tree(figure: Figure, parent: Tree | None = None) -> Tree:
    tree = Tree(_figure_line(figure)) if parent is None else parent.add(_figure_line(figure))
    for child in figure.children:
        _figure_tree(child, tree)
    return tree


def _node_tree(node: Node, everything: bool, parent: Tree | None = None) -> Tree:
    line = Text(node.name, style="bold") if not node.expression else _formula_line(node)
    tree = Tree(line) if parent is None else parent.add(line)
    children = node.children if everything else list(_largest(node.children))
    for child in children:
        _node_tree(child, everything, tree)
    hidden = len(node.children) - len(children)
    if hidden:
        tree.add(Text(f"{hidden} more calls of the same formulas (--explain-all)", style="dim"))
    return tree


def _largest(nodes: Iterable[Node]) -> Iterator[Node]:
    """Of repeated calls of one formula side by side, the one with the largest result; of repeated steps, the first."""
    best: dict[str, Node] = {}
    for node in nodes:
        if node.name not in best or _size(node) > _size(best[node.name]):
            best[node.name] = node
    yield from best.values()


def _size(node: Node) -> float:
    if node.value is None:
        return sum(_size(child) for child in node.children if child.unit == "s")
    return float(np.max(np.asarray(node.value, dtype=float)))


def _formula_line(node: Node) -> Text:
    line = Text(node.name, style="green")
    line.append(f" = {node.expression}")
    line.append(f" = {substituted(node)}", style="dim")
    pure = node.unit == "1" and node.value is not None  # a share or a count: the formula does not say which
    line.append(f" = {_number(node.value) if pure else text(node.value, node.unit)}", style="bold")
    line.append(f"  [{node.source}]", style="dim italic")
    return line


def substituted(node: Node) -> str:
    """The expression with numbers for names."""
    numbers = {name: _number(value) for name, value in node.arguments.items()}
    if not numbers:
        return node.expression
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, numbers)) + r")\b(?!\()")
    return pattern.sub(lambda match: numbers[match.group(1)], node.expression)


def _number(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim and array.size > 1:
        return f"[{array.size} values]"
    number = float(array.reshape(-1)[0])
    if number == int(number) and abs(number) < 1e6:
        return f"{int(number):,}"
    return f"{number:.4g}"
