"""The closed set of computations an audit file may name, and how their arguments are read."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import costline.formulas
from costline import derivation
from costline.derivation import Node
from costline.quantity import Kind
from costline.studies.audit import arithmetic, estimates, lookups
from costline.studies.audit.kinds import UNITS
from costline.studies.audit.shelf import Shelf, Value

PROBES = (
    lookups.chip_rate, lookups.chip_reach, lookups.chip_memory, lookups.chip_bandwidth, lookups.chip_node,
    lookups.chip_ridge, lookups.rent, lookups.token_price, lookups.pim_speedup, lookups.model_params,
    lookups.model_active, lookups.model_width, lookups.model_flops, lookups.model_bytes, lookups.clip_tokens,
    lookups.clip_flops, lookups.cache_intensity, estimates.serve, estimates.generate, estimates.evaluation_intensity,
    estimates.clip_share, estimates.train, estimates.caption,
)  # fmt: skip
"""Lookups and studies."""

TOPICS = {"arithmetic": "arithmetic", "lookups": "looked up in the catalogue", "estimates": "whole studies"}
"""Topics of what is no formula."""
DOCUMENTED = re.compile(r"^    (\w+(?:, \w+)*) : .*?\n((?:        .*\n)+)", re.MULTILINE)
UNIT = re.compile(r"\[([^\[\]]+)\]\s*$")


@dataclass(frozen=True)
class Parameter:
    """An argument: text, or a quantity of a kind (None: of any); whole numbers only, or not; what it is if left out."""

    text: bool
    kind: Kind | None = None
    whole: bool = False
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Operation:
    """A computation.

    Attributes
    ----------
    name, summary, topic : str
        As files name it; what it gives; what it is about.
    parameters : mapping of str to Parameter
        Its arguments.
    call : callable
        ``call(shelf, arguments)`` gives a value, and the recorded formula if it is one.
    """

    name: str
    summary: str
    parameters: Mapping[str, Parameter]
    call: Callable[[Shelf, Mapping[str, Any]], tuple[Value, Node | None]]
    topic: str


@functools.cache
def operations() -> Mapping[str, Operation]:
    """Every computation by name: plain arithmetic, the formulas of costline, lookups, studies."""
    found = {}
    for module in (arithmetic, *_formula_modules()):
        for name, function in vars(module).items():
            if hasattr(function, "expression") and function.__module__ == module.__name__:
                found[name] = _formula(name, function)
    found |= {probe.__name__: _probe(probe.__name__, probe) for probe in PROBES}
    rank = list(TOPICS.values())
    ordered = sorted(found.values(), key=lambda each: rank.index(each.topic) if each.topic in rank else len(rank))
    return MappingProxyType({each.name: each for each in ordered})


def _formula_modules() -> list[Any]:
    names = [module.name for module in pkgutil.iter_modules(costline.formulas.__path__, "costline.formulas.")]
    return [importlib.import_module(name) for name in names]


def _summary(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _formula(name: str, function: Any) -> Operation:
    units = documented_units(function)
    parameters = {
        each.name: Parameter(text=False, kind=UNITS.get(units.get(each.name, "")), default=each.default)
        for each in inspect.signature(function).parameters.values()
    }

    def call(shelf: Shelf, arguments: Mapping[str, Any]) -> tuple[Value, Node | None]:
        with derivation.explain() as record:
            number = function(**arguments)
        unit = "" if function.unit == "1" else function.unit
        return Value(number, unit, function.source), record.children[0]

    return Operation(name, _summary(function), MappingProxyType(parameters), call, _topic(function))


def _topic(function: Callable[..., Any]) -> str:
    """Topic of a computation: its module, in words."""
    name = function.__module__.rpartition(".")[2]
    return TOPICS.get(name, f"formulas: {name.replace('_', ' ')}")


def documented_units(function: Callable[..., Any]) -> dict[str, str]:
    """Units of the parameters of a formula, as its docstring states them in brackets."""
    document, _, _ = (function.__doc__ or "").partition("Returns\n")
    units: dict[str, str] = {}
    for names, description in DOCUMENTED.findall(document):
        stated = UNIT.search(description)
        if stated:
            units |= dict.fromkeys(names.split(", "), stated.group(1))
    return units


def _probe(name: str, function: Callable[..., Value]) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    parameters = {
        each.name: _parameter(hints[each.name], each.default)
        for each in list(inspect.signature(function).parameters.values())[1:]
    }

    def call(shelf: Shelf, arguments: Mapping[str, Any]) -> tuple[Value, Node | None]:
        return function(shelf, **arguments), None

    return Operation(name, _summary(function), MappingProxyType(parameters), call, _topic(function))


def _parameter(hint: Any, default: Any) -> Parameter:
    if get_origin(hint) is not Annotated:
        return Parameter(text=True, default=default)
    number, kind = get_args(hint)
    return Parameter(text=False, kind=kind, whole=number is int, default=default)
