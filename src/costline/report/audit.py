"""A judged audit on a terminal: verdicts first, then every claim with its reason, then the derivation if asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from costline.report.explain import substituted
from costline.report.values import text
from costline.studies.audit.compare import CheckResult, StepResult
from costline.studies.audit.judge import PLACEHOLDER, VERDICTS, Judged, Result, Verdict
from costline.studies.audit.operations import Operation
from costline.studies.audit.shelf import Value

LANGUAGES = ("en", "zh")
WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "holds": "成立",
        "arithmetic slip": "计算有误",
        "wrong premise": "前提不成立",
        "not checkable": "无法核实",
        "claims": "条论断",
        "one claim": "1 条论断",
        "stated": "原文",
        "right": "正确值",
        "found": "算得",
        "arithmetic": "计算",
        "premise": "前提",
        "passes": "通过",
        "fails": "不通过",
        "within": "容差",
        "factor": "倍数以内",
        "at least": "至少",
        "at most": "至多",
        "input": "输入",
        "What does not hold": "不成立的论断",
        "All claims": "全部论断",
        "steps:": "各步:",
        "claim": "论断",
        "verdict": "结论",
        "recomputed": "重算",
        "reason": "理由",
        "source": "来源",
        "steps, at the medians of what is uncertain:": "各步(不确定的输入取中位数):",
        "Other claims": "其他论断",
        "to": "到",
    }
}
"""Words of the report; English is the word itself."""

UNITS = {
    "days": "天", "years": "年", "h": "小时", "min": "分钟", "s": "秒", "chips": "张", "chip": "张",
    "evaluations": "次", "evaluation": "次", "segments": "段", "segment": "段", "tokens": "token",
}  # fmt: skip
"""Unit words in Chinese."""

STYLES: dict[Verdict, str] = {
    "holds": "green",
    "arithmetic slip": "bold red",
    "wrong premise": "yellow",
    "not checkable": "dim",
}
COUNTED = {"": "", "token": "tokens", "chip": "chips", "evaluation": "evaluations"}
"""Units of counts, and their plural."""
SHOWING: tuple[Verdict, ...] = ("holds", "not checkable")
"""Verdicts whose value is what the claim asks to be shown."""
ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\.[A-Za-z][A-Za-z0-9_]*$")
"""A step of another claim."""
PLURAL = re.compile(r"^(?!1 )(.* )(segment)$")


def word(name: str, language: str) -> str:
    """A word of the report in a language."""
    return WORDS.get(language, {}).get(name, name)


def counted(result: Result, language: str) -> str:
    """How many claims there are."""
    number = len(result.claims)
    return word("one claim", language) if number == 1 else f"{number} {word('claims', language)}"


def said(value: Value, language: str) -> str:
    """A value with its unit in a language.

    Examples
    --------
    >>> said(Value(9615.4, "s"), "en"), said(Value(9615.4, "s"), "zh"), said(Value(14.0, "segment"), "en")
    ('2.67 h', '2.67 小时', '14 segments')
    """
    printed = PLURAL.sub(r"\1\2s", _printed(value)).replace(" %", "%")
    if language == "zh":
        number, space, unit = printed.rpartition(" ")
        return f"{number}{space}{UNITS.get(unit, unit)}" if space else printed
    return printed


def _printed(value: Value) -> str:
    """Counts up to a million in full, large amounts of work as powers of ten, as articles write them."""
    if np.ndim(value.number):
        return text(value.number, value.unit)
    number = float(value.number)
    if value.unit == "FLOP" and number >= 1e14:
        mantissa, _, exponent = f"{number:.2e}".partition("e")
        return f"{mantissa}e{int(exponent)} FLOP"
    if value.unit in COUNTED and 1e3 <= number < 1e6:
        shown = round(number) if number == int(number) else float(f"{number:.3g}")
        return f"{shown:,.0f} {COUNTED[value.unit]}".strip()
    return text(value.number, value.unit)


def found(judged: Judged, language: str) -> str:
    """What is right or was found: one value, several, or the two ends of a span; empty for none."""
    between = f" {word('to', language)} " if judged.claim.span and judged.verdict in SHOWING else "; "
    return between.join(said(value, language) + doubt(judged, value, language) for value in judged.right)


def doubt(judged: Judged, value: Value, language: str) -> str:
    """The 80 % interval of a value in brackets; empty where it is not in doubt."""
    span = judged.span(value)
    if span is None:
        return ""
    ends = f" {word('to', language)} ".join(said(replace(value, number=end), language) for end in (span.low, span.high))
    return f" (80%: {ends})"


def reason(judged: Judged, language: str) -> str:
    """Why, with numbers for placeholders; for a file without words, the check that failed."""
    if not judged.reasons:
        return "; ".join(check_line(made, language).plain for made in judged.checks if not made.passed)
    return " ".join(fill(sentence.say(language), judged, language) for sentence in judged.reasons)


def fill(sentence: str, judged: Judged, language: str) -> str:
    """A sentence with the values its placeholders stand for."""
    return PLACEHOLDER.sub(lambda match: said(judged.values[match.group(1)], language), sentence)


def answer(
    result: Result, language: str = "en", chosen: Sequence[str] = (), *, explain: bool = False
) -> RenderableType:
    """The whole audit, or the chosen claims.

    Parameters
    ----------
    result : Result
        Judged.
    language : {"en", "zh"}
        Of texts, verdicts and headings.
    chosen : sequence of str
        Ids of the claims to show; empty for all.
    explain : bool
        Whether to show every step with its numbers and source.
    """
    blocks: list[RenderableType] = [*_head(result, language)]
    shown = [judged for judged in result.claims if not chosen or judged.claim.id in chosen]
    if not chosen:
        blocks += _failing(result, language)
    for section in dict.fromkeys(judged.claim.section for judged in shown):
        named = result.audit.sections.get(section)
        rest = "Other claims" if any(judged.claim.section for judged in shown) else "All claims"
        heading = named.say(language) if named else section
        blocks.append(Text(f"\n{heading or word(rest, language)}", style="bold underline"))
        for judged in shown:
            if judged.claim.section == section:
                blocks += _claim(judged, language)
                blocks += _derivation(judged, result, language) if explain else ()
    return Group(*blocks)


def _head(result: Result, language: str) -> Iterator[Text]:
    audit = result.audit
    yield Text(audit.title.say(language), style="bold")
    yield Text(f"{audit.source}" + (f", {audit.date}" if audit.date else ""), style="dim")
    if audit.note:
        yield Text(audit.note.say(language))
    line = Text(f"{counted(result, language)}: ")
    parts = [Text(f"{word(verdict, language)} {result.count(verdict)}", STYLES[verdict]) for verdict in VERDICTS]
    yield line.append_text(Text(", ").join(parts))


def _failing(result: Result, language: str) -> Iterator[RenderableType]:
    """What does not hold, one line each."""
    failing = [judged for judged in result.claims if judged.verdict in {"arithmetic slip", "wrong premise"}]
    if not failing:
        return
    yield Text(f"\n{word('What does not hold', language)}", style="bold underline")
    table = Table.grid(padding=(0, 2))
    for _ in range(4):
        table.add_column(overflow="fold")
    table.add_row(*(Text(word(name, language), "dim") for name in ("", "", "stated", "right")))
    for judged in failing:
        verdict = Text(word(judged.verdict, language), STYLES[judged.verdict])
        stated = Text(judged.claim.stated.say(language) if judged.claim.stated else "")
        table.add_row(Text(judged.claim.id), verdict, stated, Text(found(judged, language), "bold"))
    yield table


def _claim(judged: Judged, language: str) -> Iterator[RenderableType]:
    """Verdict and values on one line, then the claim, then the reason."""
    claim = judged.claim
    table = Table.grid(padding=(0, 2))
    table.add_column(width=max(4, len(claim.id)))
    table.add_column(width=15)
    table.add_column(overflow="fold")
    line = Text()
    if claim.stated:
        line.append(f"{word('stated', language)} ", "dim").append(claim.stated.say(language))
    if judged.right:
        failed = judged.verdict in {"arithmetic slip", "wrong premise"}
        label = word("right" if failed else "found", language)
        line.append("  " if line else "").append(f"{label} ", "dim").append(found(judged, language), "bold")
    table.add_row(Text(claim.id, "bold"), Text(word(judged.verdict, language), STYLES[judged.verdict]), line)
    yield table
    yield Padding(Text(fill(claim.claim.say(language), judged, language), "italic"), (0, 0, 0, 6))
    why = Text(reason(judged, language))
    if claim.source:
        why.append(f" [{claim.source}]", "dim")
    yield Padding(why, (0, 0, 0, 6))


def _derivation(judged: Judged, result: Result, language: str) -> Iterator[RenderableType]:
    """Inputs, steps and checks of a claim."""
    for line in input_lines(judged, result, language):
        yield Padding(line, (0, 0, 0, 8))
    if in_doubt(judged):
        yield Padding(Text(word("steps, at the medians of what is uncertain:", language), "dim"), (0, 0, 0, 8))
    for done in judged.steps:
        yield Padding(step_line(done, judged.claim.steps[done.name].arguments, language), (0, 0, 0, 8))
    for made in judged.checks:
        yield Padding(check_line(made, language), (0, 0, 0, 8))


def in_doubt(judged: Judged) -> bool:
    """Whether any of the steps depends on what is uncertain."""
    return any(done.name in judged.spans for done in judged.steps)


def input_lines(judged: Judged, result: Result, language: str) -> Iterator[Text]:
    """Inputs of a claim with their sources."""
    for name in _inputs_used(judged, result):
        given = result.audit.inputs[name]
        line = Text(f"{word('input', language)} {name} = {given.value}")
        yield line.append(f"  [{given.source}]", "dim italic")


def _inputs_used(judged: Judged, result: Result) -> list[str]:
    """Inputs that the steps and checks of a claim name."""
    named: list[Any] = [given for step in judged.claim.steps.values() for given in step.arguments.values()]
    for check in judged.claim.check:
        named += [check.computed, check.stated, check.least, check.most]
    return [name for name in dict.fromkeys(map(str, named)) if name in result.audit.inputs]


def step_line(done: StepResult, written: Mapping[str, Any], language: str) -> Text:
    """``time = flops / peak = 1.2e19 / 312e12 = 2.67 h  (flops: S21.rule)  [source]``."""
    line = Text(done.name, "green")
    if done.node is not None:
        line.append(f" = {done.call}: {done.node.expression} = ").append(substituted(done.node), "dim")
    else:
        line.append(
            f" = {done.call}({', '.join(f'{name}={_argument(each)}' for name, each in done.arguments.items())})"
        )
    line.append(f" = {said(done.value, language)}", "bold")
    named = [f"{name}: {given}" for name, given in written.items() if isinstance(given, str) and ELSEWHERE.match(given)]
    line.append(f"  ({', '.join(named)})" if named else "", "cyan")
    return line.append(f"  [{done.value.source}]", "dim italic") if done.value.source != "definition" else line


def _argument(value: Any) -> str:
    if isinstance(value, str):
        return value
    number = float(np.median(np.asarray(value, dtype=float)))
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e9 else f"{number:.4g}"


def check_line(made: CheckResult, language: str) -> Text:
    """``premise: at least 153 FLOP/byte, found 23.9k FLOP/byte: passes``."""
    check = made.check
    parts = []
    if made.stated is not None:
        parts.append(f"{word('stated', language)} {said(made.stated, language)}")
    if check.tolerance is not None:
        parts.append(f"{word('within', language)} {100 * check.tolerance:.3g}%")
    if check.factor is not None:
        parts.append(f"{word('factor', language)} {check.factor:g}")
    for bound, label in ((made.least, "at least"), (made.most, "at most")):
        if bound is not None:
            parts.append(f"{word(label, language)} {said(bound, language)}")
    parts.append(f"{check.computed} = {said(made.computed, language)}")
    line = Text(f"{word(check.kind, language)}: {', '.join(parts)}: ", "cyan")
    return line.append(word("passes" if made.passed else "fails", language), "green" if made.passed else "bold red")


def listing(titles: Iterable[tuple[str, str, str, int]]) -> RenderableType:
    """Audits by name, with title, source and number of claims."""
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify, overflow="fold")
    for name, title, source, claims in titles:
        table.add_row(Text(name, "bold"), Text(str(claims)), Text(title).append(f"  {source}", "dim"))
    return table


def computations(known: Iterable[Operation]) -> RenderableType:
    """What a file may call, by topic, with arguments; those in brackets may be left out."""
    lines: list[RenderableType] = []
    topic = ""
    for each in known:
        if each.topic != topic:
            lines.append(Text(f"{chr(10) if topic else ''}{each.topic}", "bold underline"))
            topic = each.topic
        names = [name if parameter.required else f"[{name}]" for name, parameter in each.parameters.items()]
        lines.append(Text(each.name, "bold").append(f"({', '.join(names)})", "green"))
        lines.append(Padding(Text(each.summary, "dim"), (0, 0, 0, 4)))
    return Group(*lines)
