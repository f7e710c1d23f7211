"""Every formula equals what it prints, says what it needs, and treats arrays as many scalars."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpydoc.docscrape import FunctionDoc

import costline
from tests.expressions import CALLS, FORMULAS, Evaluator, agrees

UNIT = re.compile(r"\[[^\[\]]+\]$")
ROOT = Path(__file__).resolve().parent.parent
EVERY_FORMULA = pytest.mark.parametrize("function", FORMULAS.values(), ids=FORMULAS)

# Steps (`//`, `%`, `ceil`) are exact on whole numbers only: 0.3 // 0.1 is 2, not 3.
WHOLE = st.integers(1, 10_000)
REAL = st.floats(1e-3, 1e6)


def parameters(function):
    return list(inspect.signature(function).parameters)


def calls(expression):
    return {node.func.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Call)}


def has_steps(function):
    expression = function.expression
    inner = [FORMULAS[name] for name in calls(expression) if name in FORMULAS]
    return any(mark in expression for mark in ("//", "%", "ceil", "floor")) or any(map(has_steps, inner))


def draw_arguments(data, function):
    """Positive arguments inside the formula's domain: those its printed expression can be computed for."""
    number = WHOLE if has_steps(function) else st.one_of(WHOLE, REAL)
    arguments = {name: data.draw(number, name) for name in parameters(function)}
    try:
        Evaluator().run(function.expression, arguments)
    except (ZeroDivisionError, ValueError, OverflowError):
        assume(False)
    return arguments


def test_formulas_are_found():
    assert {"gemm_flops", "attention_flops", "math_time", "all_reduce_bytes", "rental_cost"} <= set(FORMULAS)


@EVERY_FORMULA
@given(data=st.data())
def test_result_equals_the_printed_expression(function, data):
    arguments = draw_arguments(data, function)
    assert agrees(function.expression, arguments, function(**arguments))


@EVERY_FORMULA
@given(data=st.data())
def test_an_array_is_the_loop_of_scalars(function, data):
    rows = [draw_arguments(data, function) for _ in range(data.draw(st.integers(1, 4), "rows"))]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    loop = [function(**row) for row in rows]
    assert not any(isinstance(value, np.ndarray) for value in loop)
    np.testing.assert_allclose(function(**columns), loop, rtol=1e-12, atol=0)


@EVERY_FORMULA
def test_expression_names_only_arguments_functions_and_formulas(function):
    names = {node.id for node in ast.walk(ast.parse(function.expression)) if isinstance(node, ast.Name)}
    assert names - calls(function.expression) <= set(parameters(function))
    assert calls(function.expression) <= set(CALLS) | set(FORMULAS)


@EVERY_FORMULA
def test_unit_and_source_are_stated(function):
    assert function.unit.strip()
    assert function.source.strip()


@EVERY_FORMULA
def test_docstring_is_the_specification(function):
    document = FunctionDoc(function)
    assert document["Summary"], "summary"
    documented = [name.strip() for entry in document["Parameters"] for name in entry.name.split(",")]
    assert documented == parameters(function)
    for entry in document["Parameters"]:
        assert UNIT.search(" ".join(entry.desc).strip()), f"{entry.name}: no [unit] at the end of its description"
    (returned,) = document["Returns"]
    assert " ".join(returned.desc).strip().endswith(f"[{function.unit}]"), "Returns states another unit"
    assert any(line.strip() for line in document["References"]), "references"
    assert any(">>>" in line for line in document["Examples"]), "example"


@EVERY_FORMULA
def test_body_is_at_most_15_lines(function):
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    (definition,) = ast.parse(source).body
    body = definition.body[1:]
    assert body[-1].end_lineno - body[0].lineno + 1 <= 15


QUESTIONS = {
    "serve": lambda: costline.serve(ROOT / "examples" / "llama-3.1-8b", on="2xh100-sxm", explain=True),
    "generate": lambda: costline.generate(ROOT / "examples" / "wan2.1-t2v-14b", on="8xh100-sxm", explain=True),
    "train": lambda: costline.train(
        ROOT / "examples" / "mixtral-8x22b", tokens="1T", on="512xh100-sxm", plan="tensor=8, expert=8", explain=True
    ),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_recorded_derivations_evaluate_to_what_they_print(question):
    """`--explain` is the calls that were made: each printed expression gives, from its inputs, its printed result."""
    nodes = [node for node in question().record.walk() if node.expression]
    assert len(nodes) > 50
    for node in nodes:
        columns = np.broadcast_arrays(node.value, *node.arguments.values())
        for value, *inputs in {
            tuple(each) for each in zip(*(column.ravel().tolist() for column in columns), strict=True)
        }:
            assert agrees(node.expression, dict(zip(node.arguments, inputs, strict=True)), value), node
