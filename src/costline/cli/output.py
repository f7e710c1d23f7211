"""What the questions share on the command line: output options, scenario files, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Group, Parameter

from costline.api.common import as_typed
from costline.cli.backwards import Backwards
from costline.cli.doubt import is_ranged
from costline.cli.terminal import either
from costline.errors import InputError, nearest_names
from costline.estimate import Estimate
from costline.planning import read_plan_fields

if TYPE_CHECKING:
    from rich.console import RenderableType

OUTPUT = Group("Output", sort_key=90)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Output(Backwards):
    """How an answer is printed, and what is asked of ranges.

    Attributes
    ----------
    json : bool
        JSON with a versioned layout, numbers in SI units.
    csv : bool
        CSV, one row a figure, settings in front.
    plain : bool
        No colour, no boxes.
    explain : bool
        The derivation: every figure with its parts, formulas, inputs and sources; of calls of one formula the largest.
    explain_all : bool
        The derivation with every call of every formula.
    file : Path
        Scenario: a TOML file with any inputs of this command.
    set : tuple of str
        One input as key=value, for those without a flag of their own; repeatable.
    """

    json: Annotated[bool, Parameter(negative="", show_default=False)] = False
    csv: Annotated[bool, Parameter(negative="", show_default=False)] = False
    plain: Annotated[bool, Parameter(negative="", show_default=False)] = False
    explain: Annotated[bool, Parameter(negative="", show_default=False)] = False
    explain_all: Annotated[bool, Parameter(negative="", show_default=False)] = False
    file: Annotated[Path | None, Parameter(name=["--file", "-f"])] = None
    set: Annotated[tuple[str, ...], Parameter(name="--set", negative="", show_default=False)] = ()


def ask(
    question: Callable[..., Estimate], given: Mapping[str, Any], output: Output | None, known: frozenset[str]
) -> int:
    """Ask a question with flags, scenario and ``--set`` together, print the answer, return the exit code.

    Parameters
    ----------
    question : callable
        A function of `costline.api`.
    given : mapping
        Inputs from flags; None is not given.
    output : Output or None
        How to print.
    known : frozenset of str
        Inputs that the question takes.
    """
    output = output or Output()
    scenario = scenario_inputs(output.file, known)
    output = replace(output, **output.completed(scenario.pop("sampling", {}), str(output.file)))
    either(json=output.json, csv=output.csv)
    stated = {name: value for name, value in given.items() if value is not None}
    inputs = laid_over(scenario, settings(output.set, known), stated)
    if output.solve is not None or output.target is not None:
        from costline.cli.backwards import answer_backwards

        return answer_backwards(question.__name__, inputs, output)
    if "on" not in inputs:
        raise InputError("say what it runs on: --on 8xh100-sxm (costline data list chips)")
    for name in required_by(question) - inputs.keys():
        raise InputError(f"say --{name}: see costline {question.__name__} --help")
    output.check()
    with output.sampling():
        estimate = output.applied(question(**inputs, explain=output.explain or output.explain_all))
    _print(estimate, output)
    return 0 if estimate.feasible is not False else 1


def _print(estimate: Estimate, output: Output) -> None:
    from costline.report import machine

    if output.conventions and not (output.csv or output.json):
        from costline.report.uncertainty import counted_otherwise

        counted_otherwise(estimate)  # complains before anything is printed
    if output.tornado is not None:
        _draw(estimate, output.tornado)
    if output.json:
        sys.stdout.write(machine.to_json(estimate, conventions=output.conventions) + "\n")
        return
    if output.csv:
        sys.stdout.write(machine.to_csv(estimate))
        return
    from costline.cli.terminal import console
    from costline.report.explain import derivation

    screen = console(plain=output.plain)
    screen.print(_answer(estimate, plain=output.plain))
    if output.conventions:
        from costline.report.uncertainty import convention_table

        screen.print(convention_table(estimate))
    if output.explain or output.explain_all:
        if is_ranged(estimate):
            screen.print("\nat the medians of all inputs:")
        screen.print(derivation(getattr(estimate, "middle", estimate), everything=output.explain_all))


def _answer(estimate: Estimate, *, plain: bool) -> RenderableType:
    """The answer, sampled or not; what only samples need is imported for them."""
    if not is_ranged(estimate):
        from costline.report.answer import answer

        return answer(estimate, plain=plain)
    from costline.report.uncertainty import ranged_answer
    from costline.uncertainty.sampled import RangedEstimate

    return ranged_answer(cast(RangedEstimate, estimate), plain=plain)


def _draw(estimate: Estimate, path: Path) -> None:
    """Draw what drives the last explained result."""
    from costline.cli.terminal import note
    from costline.report.tornado import drivers_svg
    from costline.uncertainty.drivers import drivers, tornado
    from costline.uncertainty.sampled import RangedEstimate

    sampled, result = cast(RangedEstimate, estimate).sampled, cast(RangedEstimate, estimate).explained[-1]
    kinds = {variable.name: variable.kind for variable in sampled.variables}
    shares = drivers(sampled, [result]).get(result)
    before = f"before what was found, of all {sampled.samples:,} samples" if sampled.findings else ""
    picture = drivers_svg(tornado(sampled, result), shares, estimate.title, kinds, before)
    path.write_text(picture, encoding="utf-8")
    note(f"drawn: {path}")


def scenario_inputs(path: Path | None, known: frozenset[str]) -> dict[str, Any]:
    """Inputs from a scenario file."""
    if path is None:
        return {}
    from costline.catalogue.table import parse_toml

    parsed = parse_toml(path)
    _check({name: value for name, value in parsed.items() if name != "sampling"}, known, str(path))
    if not isinstance(parsed.get("sampling", {}), Mapping):
        raise InputError(f"{path}: sampling is a table, [sampling] with samples, seed, given, chance, ...")
    from costline.uncertainty.reading import beside

    return as_typed(cast("dict[str, Any]", beside(parsed, path.parent)))


TABLES = ("plan", "shape", "coefficients")
"""Inputs with fields of their own, of which ``--set plan.zero=3`` states one."""


def laid_over(scenario: Mapping[str, Any], pairs: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of a scenario, with those of ``--set`` and of flags laid over them.

    Single fields go into a stated plan, shape or table of coefficients; a whole one from a flag takes the place of the
    scenario's.

    Raises
    ------
    InputError
        A flag and ``--set`` state the same.

    Examples
    --------
    >>> laid_over({"plan": "tp=8, zero=1"}, {"plan": {"zero": 3}}, {"batch": "8"})
    {'plan': {'tensor': 8, 'zero': 3}, 'batch': '8'}
    """
    inputs = dict(scenario)
    for name, value in pairs.items():
        tables = name in TABLES and name not in flags and isinstance(value, Mapping)
        inputs[name] = {**_fields(name, inputs.get(name)), **_fields(name, value)} if tables else value
    for name, value in flags.items():
        if name not in pairs:
            inputs[name] = value
            continue
        one, other = (_fields(name, each) if name in TABLES else {name: each} for each in (value, pairs[name]))
        for twice in one.keys() & other.keys():
            where = name if twice == name else f"{name}.{twice}"
            raise InputError(f"{where} is stated twice, by a flag and by --set; leave one of them out")
        inputs[name] = {**one, **other}
    return inputs


def _fields(name: str, value: Any) -> dict[str, Any]:
    """Fields of a plan, under one name each, or of another table."""
    if name == "plan":
        return read_plan_fields(value)
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{name} {str(value)[:40]!r} is no table of fields; write e.g. {name}.NAME=1")
    return dict(value or {})


def settings(pairs: tuple[str, ...], known: frozenset[str], where: str = "--set") -> dict[str, Any]:
    """Inputs from ``--set key=value``; ``shape.layers=60`` goes into a table."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"{where} {pair[:40]!r} is not of the form key=value")
        place, dot, key = name.strip().replace("-", "_").partition(".")
        table = found.setdefault(place, {}) if dot else found
        if not isinstance(table, dict) or (key if dot else place) in table:
            raise InputError(f"{where} {pair[:40]!r}: {place[:40]} is stated twice; leave one of them out")
        table[key if dot else place] = _plain(value)
    _check(found, known, where)
    return as_typed(found)


def _plain(value: str) -> Any:
    """Whole numbers and yes or no as such; everything else is text for the quantity reader."""
    stripped = value.strip()
    if stripped.lower() in {"true", "yes", "false", "no"}:
        return stripped.lower() in {"true", "yes"}
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 18 else stripped


def _check(inputs: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    faults = []
    for name in inputs:
        if name not in known:
            near = nearest_names(name, known)
            faults.append(f"{name[:40]!r}" + (f" (did you mean {', '.join(near)}?)" if near else ""))
    if faults:
        raise InputError(f"{where}: unknown input {'; '.join(faults)}; known: {', '.join(sorted(known))}")


def inputs_of(question: Callable[..., Estimate]) -> frozenset[str]:
    """Names of the inputs a question takes."""
    import inspect

    return frozenset(inspect.signature(question).parameters) - {"explain"}


def required_by(question: Callable[..., Estimate]) -> frozenset[str]:
    """Names of the inputs a question cannot do without."""
    import inspect

    listed = inspect.signature(question).parameters.values()
    return frozenset(each.name for each in listed if each.default is inspect.Parameter.empty)


def shape_fields(words: str | None) -> dict[str, Any] | None:
    """Read ``layers=60, hidden=6144``."""
    if words is None:
        return None
    return settings(tuple(piece for piece in words.split(",") if piece.strip()), frozenset(_names(words)), "--shape")


def _names(words: str) -> list[str]:
    return [piece.partition("=")[0].strip().replace("-", "_") for piece in words.split(",")]
