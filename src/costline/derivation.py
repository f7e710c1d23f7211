"""Formulas that record themselves.

`@formula` marks a pure function with the expression it computes. Under ``with explain() as record:`` each call of such
a function appends a node (arguments, result, unit, source); nested calls make a tree. The tree is therefore made of the
calls that really produced the number: it cannot drift from the code. When nobody listens the cost is one
context-variable read.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class Node:
    """One recorded call.

    Attributes
    ----------
    name : str
        Name of the function, or of the step for a node made by `step`.
    expression : str
        Python expression over the argument names, which a test re-evaluates; empty for a step.
    arguments : dict
        Arguments by name, as passed.
    value : object
        What the call returned (None while it runs and for a step).
    unit, source : str
        SI unit of the result; reference with equation or table number.
    children : list of Node
        Recorded calls made inside this one.
    """

    name: str
    expression: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    unit: str = ""
    source: str = ""
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


_open: ContextVar[Node | None] = ContextVar("costline_open_node", default=None)


def formula(expression: str, *, unit: str, source: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a pure function as a formula that can be explained.

    Parameters
    ----------
    expression : str
        What it computes, as a Python expression over its argument names (``max``, ``min``, ``where``, ``sqrt``,
        ``exp``, ``log2``, ``ceil`` and other formulas by name may be used). A test evaluates it on recorded arguments.
    unit : str
        SI unit of the result.
    source : str
        Reference with equation or table number, or "definition".
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def recorded(*args: P.args, **kwargs: P.kwargs) -> R:
            parent = _open.get()
            if parent is None:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            node = Node(function.__name__, expression, dict(bound.arguments), None, unit, source)
            parent.children.append(node)
            token = _open.set(node)
            try:
                result = function(*args, **kwargs)
            finally:
                _open.reset(token)
            node.value = result
            return result

        marked = cast(Any, recorded)
        marked.expression, marked.unit, marked.source = expression, unit, source
        return cast(Callable[P, R], recorded)

    return mark


@contextmanager
def explain(name: str = "estimate") -> Iterator[Node]:
    """Record every formula called inside the block.

    Examples
    --------
    >>> @formula("a + b", unit="FLOP", source="definition")
    ... def total(a: float, b: float) -> float:
    ...     return a + b
    >>> with explain() as record:
    ...     _ = total(1.0, 2.0)
    >>> record.children[0].value
    3.0
    """
    node = Node(name)
    token = _open.set(node)
    try:
        yield node
    finally:
        _open.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Leave the formulas called inside the block out: trials of a search, which no figure is made of."""
    token = _open.set(None)
    try:
        yield
    finally:
        _open.reset(token)


_IDLE = nullcontext()


def heard() -> bool:
    """Whether anyone is recording."""
    return _open.get() is not None


def step(name: str) -> AbstractContextManager[None]:
    """Group the formulas called inside the block under one heading, if anyone is recording.

    A heading that stands under the same parent already is continued.
    """
    parent = _open.get()
    return _IDLE if parent is None else _heading(parent, name)


@contextmanager
def _heading(parent: Node, name: str) -> Iterator[None]:
    node = next((child for child in parent.children if child.name == name and not child.expression), None)
    if node is None:
        node = Node(name)
        parent.children.append(node)
    token = _open.set(node)
    try:
        yield
    finally:
        _open.reset(token)
