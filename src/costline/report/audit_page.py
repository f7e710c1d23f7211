"""A judged audit as a page: what is claimed, what comes out instead, how wide that is, the verdict, the reason."""

from __future__ import annotations

from collections.abc import Iterator

from costline.report.audit import check_line, counted, fill, found, in_doubt, input_lines, reason, step_line, word
from costline.report.page import Block, Bullets, Heading, Lines, Table, Text, unmarked
from costline.studies.audit.judge import VERDICTS, Judged, Result


def audit_page(result: Result, language: str = "en", *, level: int = 1) -> list[Block]:
    """The page of an audit.

    Parameters
    ----------
    result : Result
        Judged.
    language : {"en", "zh"}
        Of texts, verdicts and headings.
    level : int
        Of its title: 1 for a page of its own.

    Returns
    -------
    list of Block
        For `costline.report.page.markdown` and `html`.
    """
    audit = result.audit
    where = audit.source + (f", {audit.date}" if audit.date else "")
    counts = ", ".join(f"{word(each, language)} {result.count(each)}" for each in VERDICTS)
    blocks: list[Block] = [
        Heading(unmarked(audit.title.say(language)), level),
        Text(unmarked(where)),
        *([Text(unmarked(audit.note.say(language)))] if audit.note else []),
        Text(f"{counted(result, language)}: {counts}"),
        _summary(result, language),
    ]
    for section in dict.fromkeys(judged.claim.section for judged in result.claims):
        named = audit.sections.get(section)
        heading = named.say(language) if named else section
        blocks += [Heading(unmarked(heading), level + 1)] if heading else []
        for judged in result.claims:
            if judged.claim.section == section:
                blocks += _claim(judged, result, language, level + 1 + bool(heading))
    return blocks


def _summary(result: Result, language: str) -> Table:
    header = ["", *(word(name, language) for name in ("verdict", "stated", "recomputed"))]
    rows = [
        [
            judged.claim.id,
            word(judged.verdict, language),
            judged.claim.stated.say(language) if judged.claim.stated else "",
            found(judged, language),
        ]
        for judged in result.claims
    ]
    return Table(header, rows, words=frozenset(range(4)))


def _claim(judged: Judged, result: Result, language: str, level: int) -> Iterator[Block]:
    claim = judged.claim
    yield Heading(f"{claim.id}: {word(judged.verdict, language)}", level)
    lines = {
        "claim": fill(claim.claim.say(language), judged, language),
        "stated": claim.stated.say(language) if claim.stated else "",
        "recomputed": found(judged, language),
        "reason": reason(judged, language),
        "source": claim.source or "",
    }
    yield Bullets([f"**{word(name, language)}**: {unmarked(words)}" for name, words in lines.items() if words])
    steps = [
        *(line.plain for line in input_lines(judged, result, language)),
        *(step_line(done, claim.steps[done.name].arguments, language).plain for done in judged.steps),
        *(check_line(made, language).plain for made in judged.checks),
    ]
    if steps:
        at = "steps, at the medians of what is uncertain:" if in_doubt(judged) else "steps:"
        yield Text(word(at, language))
        yield Lines(steps)
