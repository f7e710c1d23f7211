"""A second reading of printed formulas: exact fractions, walked by hand, sharing no code with costline.

`evaluate` computes a Python expression over named values. It knows arithmetic, comparison, the few functions a printed
formula may use, and other formulas by name, whose own expressions it evaluates in turn.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import operator
import pkgutil
from fractions import Fraction

import costline.formulas

BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
CALLS = {
    "max": max,
    "min": min,
    "where": lambda condition, yes, no: yes if condition else no,
    "sqrt": lambda x: Fraction(math.sqrt(x)),
    "exp": lambda x: Fraction(math.exp(x)),
    "expm1": lambda x: Fraction(math.expm1(x)),
    "log": lambda x: Fraction(math.log(x)),
    "log1p": lambda x: Fraction(math.log1p(x)),
    "log2": lambda x: Fraction(math.log2(x)),
    "ceil": lambda x: Fraction(math.ceil(x)),
    "floor": lambda x: Fraction(math.floor(x)),
}


def collect():
    """Every function marked as a formula, by name; two formulas may not share a name."""
    found = {}
    for module in pkgutil.walk_packages(costline.formulas.__path__, "costline.formulas."):
        for name, function in vars(importlib.import_module(module.name)).items():
            if hasattr(function, "expression") and function.__module__ == module.name:
                assert name not in found, name
                found[name] = function
    return found


FORMULAS = collect()


class Evaluator:
    """Evaluates an expression and remembers the largest number met, which bounds the rounding of a float result."""

    def __init__(self):
        self.largest = Fraction(0)

    def run(self, expression, values):
        exact = {name: Fraction(value) for name, value in values.items()}
        return self.node(ast.parse(expression, mode="eval").body, exact)

    def node(self, node, values):
        result = getattr(self, type(node).__name__.lower())(node, values)
        self.largest = max(self.largest, abs(Fraction(result)))
        return result

    def constant(self, node, values):
        return Fraction(node.value)

    def name(self, node, values):
        return values[node.id]

    def binop(self, node, values):
        return BINARY[type(node.op)](self.node(node.left, values), self.node(node.right, values))

    def unaryop(self, node, values):
        assert isinstance(node.op, ast.USub)
        return -self.node(node.operand, values)

    def compare(self, node, values):
        (compare,), (right,) = node.ops, node.comparators
        return COMPARE[type(compare)](self.node(node.left, values), self.node(right, values))

    def call(self, node, values):
        arguments = [self.node(argument, values) for argument in node.args]
        assert not node.keywords
        if node.func.id in CALLS:
            return CALLS[node.func.id](*arguments)
        inner = FORMULAS[node.func.id]
        names = list(inspect.signature(inner).parameters)
        assert len(arguments) <= len(names)
        return self.run(inner.expression, dict(zip(names, arguments, strict=False)))


def agrees(expression, arguments, result):
    """Whether a float or integer result equals the exact value of the printed expression, to rounding."""
    evaluator = Evaluator()
    expected = evaluator.run(expression, arguments)
    return abs(Fraction(result) - expected) <= Fraction(1, 10**12) * evaluator.largest
