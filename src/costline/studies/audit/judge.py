"""Running an audit: every step computed, every check made, every verdict derived."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.derivation import Node
from costline.errors import CatalogueError, CostlineError, QuantityError, nearest_names, visible
from costline.models.network import Network
from costline.numeric import Numeric
from costline.plan import Plan
from costline.studies.audit.compare import CheckResult, Found, StepResult, passes, reversed_bounds, unit_fault, unlike
from costline.studies.audit.document import (
    MOST_FAULTS,
    Audit,
    CheckTable,
    ClaimTable,
    Given,
    StepTable,
    Text,
    find,
    opened,
)
from costline.studies.audit.kinds import read_quantity, unit_of
from costline.studies.audit.operations import Operation, Parameter, operations
from costline.studies.audit.ranges import WITHIN, at_medians, behind, spans
from costline.studies.audit.salvage import whole
from costline.studies.audit.shelf import Shelf, Value, hypothetical
from costline.uncertainty.draws import Draws, drawing, settings, uncertain
from costline.uncertainty.sobol import points
from costline.uncertainty.study import Span

Verdict: TypeAlias = Literal["holds", "arithmetic slip", "wrong premise", "not checkable"]
VERDICTS: tuple[Verdict, ...] = ("holds", "arithmetic slip", "wrong premise", "not checkable")
FAILING: Mapping[str, Verdict] = {"arithmetic": "arithmetic slip", "premise": "wrong premise"}
"""Verdict that a failed check of a kind leads to; a slip is named before a premise."""

REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_]*)?")
FEW = 64
"""Samples that show whether a value depends on what the file states as ranges."""
ENOUGH = 256
"""Samples that show whether the model's doubt reaches a claim, where nothing else is in doubt."""
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


@dataclass(frozen=True)
class Judged:
    """A claim and what came of it.

    Attributes
    ----------
    claim : ClaimTable
        As the file has it.
    verdict : str
        Derived from the checks.
    right : tuple of Value
        What would be right, or was found: one value, two ends of a span, or none.
    reasons : tuple of Text
        Why, with placeholders.
    values : mapping of str to Value
        Everything a placeholder can stand for.
    steps, checks : tuple
        How.
    spans : mapping of str to Span
        Median and 80 % interval of the values that are in doubt, by name.
    """

    claim: ClaimTable
    verdict: Verdict
    right: tuple[Value, ...]
    reasons: tuple[Text, ...]
    values: Mapping[str, Value]
    steps: tuple[StepResult, ...]
    checks: tuple[CheckResult, ...]
    spans: Mapping[str, Span] = field(default_factory=dict)

    def span(self, value: Value) -> Span | None:
        """Interval of one of the values; None where it is not in doubt."""
        return next(
            (self.spans[name] for name, known in self.values.items() if known is value and name in self.spans), None
        )


@dataclass(frozen=True)
class Result:
    """A whole audit, judged; `samples` of its ranges, 0 where nothing in it is one."""

    name: str
    audit: Audit
    claims: tuple[Judged, ...]
    samples: int = 0

    def count(self, verdict: Verdict) -> int:
        """Claims with a verdict."""
        return sum(judged.verdict == verdict for judged in self.claims)


def audit(name: str | Path) -> Result:
    """Judge an audit that comes with costline, or a file.

    Raises
    ------
    UnknownNameError
        No such audit and no such file.
    CatalogueError
        With every fault of the file.
    """
    path = find(name) if isinstance(name, str) else name
    document, faults = opened(path)
    return judge(document, path, faults)


def judge(document: Audit, path: Path, faults: Sequence[str] = ()) -> Result:
    """Compute and compare everything in a file.

    Parameters
    ----------
    document : Audit
        The file.
    path : Path
        Where it is from.
    faults : sequence of str
        What is wrong with its layout; the rest is looked through for more.

    Raises
    ------
    CatalogueError
        Unknown names, arguments that cannot be read, computations that are impossible: all of them.
    """
    draws = Draws()
    with drawing(draws):
        plans, found = _found(document, path, faults=faults)
        draws.adopt()
    doubted = draws.wanted or document.model_doubt or settings().always
    refuted = {name for name, each in found.items() if any(check.refuted for check in each.checks)}
    if not (draws.columns and (doubted or refuted)):
        return Result(visible(path.stem), document, tuple(_judged(each, {}) for each in found.values()))
    asked = found.keys() if doubted else behind(document.claim, refuted)
    shares = points(settings().samples if doubted else ENOUGH, draws.columns, settings().seed)
    with drawing(draws, shares):
        _, samples = _found(document, path, plans, asked)
    settled = shares[:FEW].copy()
    settled[:, [each.place for each in draws.variables.values() if each.origin == "model"]] = 0.5
    with drawing(draws, settled):
        _, stated = _found(document, path, plans, asked)
    claims = []
    for name, each in found.items():
        ranged = at_medians(each, samples[name], stated[name]) if name in asked else each
        doubtful = name in asked and (doubted or any(check.reached for check in ranged.checks))
        claims.append(_judged(ranged, spans(samples[name])) if doubtful else _judged(each, {}))
    drawn = len(shares) if any(each.spans for each in claims) else 0
    return Result(visible(path.stem), document, tuple(claims), samples=len(shares) if doubted else drawn)


def _found(
    document: Audit,
    path: Path,
    plans: Mapping[str, Sequence[Plan]] = MappingProxyType({}),
    asked: Collection[str] | None = None,
    faults: Sequence[str] = (),
) -> tuple[dict[str, list[Plan]], dict[str, Found]]:
    """Claims computed once, and the plans chosen for each; at samples, `plans` are those of the medians."""
    claims = [each for each in document.claim if asked is None or each.id in asked]
    run = _Run(document, path, [plan for each in claims for plan in plans.get(each.id, ())], list(faults))
    chosen: dict[str, list[Plan]] = {}
    found: dict[str, Found] = {}
    for each in claims:
        before = len(run.shelf.plans)
        made = run.claim(each)
        chosen[each.id] = run.shelf.plans[before:]
        if made is not None:
            found[each.id] = made
    if run.faults:
        raise CatalogueError(str(path), list(dict.fromkeys(run.faults))[:MOST_FAULTS])
    return chosen, found


@dataclass
class _Run:
    """Values found so far, and faults."""

    document: Audit
    path: Path
    plans: Sequence[Plan] = ()
    faults: list[str] = field(default_factory=list)
    values: dict[str, Value | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chips = {each.id: each.chip() for each in self.document.chip if whole(each)}
        models = dict(self._models())
        self.shelf = Shelf.holding(chips, models, self.path, self.plans)
        named = [each.id for each in self.document.chip] + [each.id for each in self.document.model]
        self.lost = {name for name in named if name not in chips and name not in models}
        for name, given in self.document.inputs.items():
            lost = given.value is None  # and is told as a fault of the layout
            self.values[name] = None if lost else self._quantity(given.value, f"inputs {name}", given.source)

    def _models(self) -> Iterator[tuple[str, Network]]:
        for table in filter(whole, self.document.model):
            try:
                yield table.id, hypothetical(table)
            except CostlineError as error:
                self.faults.append(f"model {table.id}: {error}")

    def _quantity(self, given: Given, where: str, source: str = "") -> Value | None:
        try:
            number, unit = read_quantity(given, None, where)
        except QuantityError as error:
            self.faults.append(f"{where}: {error}")
            return None
        return Value(number, unit, source)

    def claim(self, claim: ClaimTable) -> Found | None:
        """Compute one claim; None where a fault is in the way."""
        before = len(self.faults)
        names = {name: value for name, value in self.values.items() if "." not in name}
        steps = [self._step(claim, name, step, names) for name, step in claim.steps.items()]
        own = {**self.values, **names}
        checks = [self._check(claim, number, check, own) for number, check in enumerate(claim.check, 1)]
        shown = [self._find(name, own, f"claim {claim.id}, shown") for name in claim.span or claim.shown]
        right = [None if check.right is None else self._find(check.right, own, f"claim {claim.id}, right")
                 for check in claim.check]  # fmt: skip
        self._placeholders(claim, own)
        if len(self.faults) > before or None in steps or None in checks:
            return None
        known = {name: value for name, value in own.items() if value is not None}
        made = tuple(check for check in checks if check is not None)
        done = tuple(step for step in steps if step is not None)
        found = tuple(value for value in shown if value is not None)
        return Found(claim, made, tuple(right), found, known, done)

    def _step(self, claim: ClaimTable, name: str, step: StepTable, names: dict[str, Value | None]) -> StepResult | None:
        """Compute a step; a name without a value is known to have failed, and is not complained about again."""
        where = f"claim {claim.id}, step {name}"
        done = self._computed(where, name, step, {**self.values, **names})
        names[name] = self.values[f"{claim.id}.{name}"] = None if done is None else done.value
        return done

    def _computed(self, where: str, name: str, step: StepTable, known: Mapping[str, Value | None]) -> StepResult | None:
        if not whole(step):
            return None
        if name in self.document.inputs:
            self.faults.append(f"{where}: is the name of an input already")
            return None
        operation = operations().get(step.call)
        if operation is None:
            near = nearest_names(step.call, operations())
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            self.faults.append(f"{where}: no computation is called {step.call!a}{hint}")
            return None
        arguments = self._arguments(operation, step, known, where)
        if any(str(name) in str(given) for name in self.lost for given in step.arguments.values()):
            return None
        result = None if arguments is None else self._call(operation, arguments, where)
        if arguments is None or result is None:
            return None
        value, node = result
        if step.unit is not None:
            value = Value(value.number, step.unit, value.source)
        return StepResult(name, step.call, arguments, value, node)

    def _arguments(
        self, operation: Operation, step: StepTable, known: Mapping[str, Value | None], where: str
    ) -> dict[str, Any] | None:
        before, unknown = len(self.faults), False
        arguments: dict[str, Any] = {}
        for name, given in step.arguments.items():
            parameter = operation.parameters.get(name)
            if parameter is None:
                listed = ", ".join(operation.parameters)
                self.faults.append(f"{where}: {operation.name} takes no {name!r}; it takes {listed}")
                continue
            arguments[name] = self._argument(parameter, given, known, f"{where}, {name}")
            unknown = unknown or arguments[name] is None
        missing = [name for name, each in operation.parameters.items() if each.required and name not in step.arguments]
        if missing:
            self.faults.append(f"{where}: {operation.name} needs {', '.join(missing)}")
        return None if unknown or len(self.faults) > before else arguments

    def _argument(self, parameter: Parameter, given: Given, known: Mapping[str, Value | None], where: str) -> Any:
        if parameter.text:
            return str(given)
        if isinstance(given, str) and REFERENCE.fullmatch(given):
            found = self._find(given, known, where)
            if found is not None and parameter.kind is not None and unlike(found.unit, unit_of(parameter.kind)):
                wanted = f"what is wanted is {parameter.kind.one}, e.g. {parameter.kind.example}"
                self.faults.append(f"{where}: {given} is in {found.unit or 'no unit'}, and {wanted}")
                return None
            number: Numeric | None = None if found is None else found.number
        else:
            try:
                number = read_quantity(given, parameter.kind, where)[0]
            except QuantityError as error:
                self.faults.append(f"{where}: {error}")
                return None
        if number is None or not parameter.whole:
            return number
        if isinstance(number, np.ndarray) or uncertain(given):
            return np.rint(number)
        if not np.all(np.asarray(number) == np.floor(number)):
            self.faults.append(f"{where}: {given} is not a whole number")
            return None
        return int(number)

    def _call(self, operation: Operation, arguments: dict[str, Any], where: str) -> tuple[Value, Node | None] | None:
        try:
            with np.errstate(all="ignore"):
                value, node = operation.call(self.shelf, arguments)
        except CostlineError as error:
            self.faults.append(f"{where}: {error}")
            return None
        except (ArithmeticError, ValueError, MemoryError) as error:
            self.faults.append(f"{where}: {operation.name} is impossible with these arguments ({error})")
            return None
        if not np.all(np.isfinite(np.asarray(value.number, dtype=float))):
            self.faults.append(f"{where}: {operation.name} gives no finite number with these arguments")
            return None
        return value, node

    def _find(self, name: str, known: Mapping[str, Value | None], where: str) -> Value | None:
        if name not in known:
            near = nearest_names(name, known)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            self.faults.append(f"{where}: no input or earlier step is called {ascii(name)[:60]}{hint}")
        return known.get(name)

    def _check(
        self, claim: ClaimTable, number: int, check: CheckTable, known: Mapping[str, Value | None]
    ) -> CheckResult | None:
        where = f"claim {claim.id}, check {number}"
        before = len(self.faults)
        computed = None if check.computed is None else self._find(check.computed, known, f"{where}, computed")
        sides: dict[str, Value | None] = {}
        for side in ("stated", "least", "most"):
            given = getattr(check, side)
            if given is None:
                sides[side] = None
            elif isinstance(given, str) and REFERENCE.fullmatch(given):
                sides[side] = self._find(given, known, f"{where}, {side}")
            else:
                sides[side] = self._quantity(given, f"{where}, {side}")
        asked = {side: value for side, value in sides.items() if getattr(check, side) is not None}
        for side, value in asked.items():
            if computed is not None and value is not None and (fault := unit_fault(computed, value)):
                self.faults.append(f"{where}, {side}: {getattr(check, side)!a:.60} {fault}")
        if reversed_bounds(sides["least"], sides["most"]):
            self.faults.append(f"{where}: least {check.least!a:.60} is above most {check.most!a:.60}; exchange them")
        if len(self.faults) > before or computed is None or None in asked.values() or not whole(check):
            return None
        ends = sides["stated"], sides["least"], sides["most"]
        return CheckResult(check, computed, *ends, passed=passes(check, computed, **sides))

    def _placeholders(self, claim: ClaimTable, known: Mapping[str, Value | None]) -> None:
        texts = [claim.claim, claim.holds, claim.not_checkable, *(check.fails for check in claim.check)]
        for text in (each for each in texts if each is not None and each.en):
            for name in PLACEHOLDER.findall(text.en + (text.zh or "")):
                if name not in known:
                    self._find(name, known, f"claim {claim.id}, text {{{name}}}")


def _judged(found: Found, spans: Mapping[str, Span]) -> Judged:
    claim, checks = found.claim, found.checks
    judged = partial(Judged, claim, values=found.known, steps=found.steps, checks=checks, spans=spans)
    failed = [(check, right) for check, right in zip(checks, found.right, strict=True) if not check.passed]
    failed.sort(key=lambda pair: list(FAILING).index(pair[0].check.kind))
    if claim.not_checkable is not None:
        return judged("not checkable", found.shown, (claim.not_checkable,))
    if not failed:
        return judged("holds", found.shown or (checks[0].computed,), (claim.holds,) if claim.holds else ())
    first, right = failed[0]
    if all(check.reached for check, _ in failed):
        return judged("not checkable", found.shown or (first.computed,), (WITHIN,))
    failed = [pair for pair in failed if not pair[0].reached]
    first, right = failed[0]
    reasons = tuple(check.check.fails for check, _ in failed if check.check.fails is not None)
    return judged(FAILING[first.check.kind], (right or first.computed,), reasons)
