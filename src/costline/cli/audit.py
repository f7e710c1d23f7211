"""``costline audit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from costline.errors import InputError
from costline.uncertainty.draws import sampling

if TYPE_CHECKING:
    from costline.studies.audit.judge import Result

OUTPUT = Group("Output", sort_key=90)
PAGES = (".html", ".md")
Switch = Annotated[bool, Parameter(negative="", group=OUTPUT, show_default=False)]
Choice = Annotated[bool, Parameter(negative="", show_default=False)]


def audit(
    name: str | None = None,
    /,
    *,
    claim: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    lang: Literal["en", "zh"] = "en",
    list: Choice = False,
    computations: Choice = False,
    template: Choice = False,
    explain: Switch = False,
    json: Switch = False,
    csv: Switch = False,
    plain: Switch = False,
    page: Annotated[Path | None, Parameter(group=OUTPUT, show_default=False)] = None,
    samples: Annotated[int | None, Parameter(show_default=False)] = None,
    seed: Annotated[int | None, Parameter(show_default=False)] = None,
) -> int:
    """Compute the claims of a published estimate again, and say which hold.

    Parameters
    ----------
    name
        An audit that comes with costline (sora-2024), or a TOML file of your own.
    claim
        Only these claims: --claim S26; repeatable.
    lang
        Language of texts and verdicts.
    list
        List the audits that come with costline.
    computations
        List what a file of your own may compute; with a word behind audit, what has to do with it.
    template
        Print a file to start from: costline audit --template > mine.toml.
    explain
        Every step: formula, numbers, result, source.
    json
        JSON with a versioned layout, numbers in SI units.
    csv
        CSV, a row a claim.
    plain
        No colour.
    page
        Write it as a page, with every step: a file that ends in .html or .md.
    samples
        Samples drawn of ranges [4096]; also shows the model's own doubt where nothing is a range.
    seed
        Which samples; the same seed gives the same answer [0].
    """
    from costline.cli.doubt import UNUSED_SEED
    from costline.cli.terminal import either, note

    either(json=json, csv=csv)
    if page is not None and page.suffix.lower() not in PAGES:
        raise InputError(f"--page: name a file that ends in {' or '.join(PAGES)}, not {str(page)[-60:]}")
    if template:
        from costline.studies.audit.document import TEMPLATE

        sys.stdout.write(TEMPLATE.read_text(encoding="utf-8"))
        return 0
    if list or computations:
        _catalogue(lang, listed=list, about=name or "", plain=plain)
        return 0
    from costline.studies.audit import document, judge

    if name is None:
        known = ", ".join(document.shipped_audits())
        raise InputError(f"name an audit ({known}) or a TOML file of your own (--template prints one to start from)")
    with sampling(4096 if samples is None else samples, seed=seed or 0, always=samples is not None):
        result = judge.audit(name)
    if seed is not None and not result.samples:
        note(UNUSED_SEED)
    chosen = _chosen(result, claim)
    if page is not None:
        _write(page, result, lang)
    if json or csv:
        from costline.report import audit_data

        sys.stdout.write(audit_data.to_json(result, lang, chosen) + "\n" if json else "")
        sys.stdout.write(audit_data.to_csv(result, lang, chosen) if csv and not json else "")
        return 0
    from costline.report.audit import answer

    _print(answer(result, lang, chosen, explain=explain), plain=plain)
    return 0


def _write(path: Path, result: Result, language: str) -> None:
    """The audit as a page."""
    from costline.cli.terminal import note
    from costline.report.audit_page import audit_page
    from costline.report.page import html, markdown

    blocks = audit_page(result, language)
    title = result.audit.title.say(language)
    words = markdown(blocks) if path.suffix.lower() == ".md" else html(blocks, title, language)
    try:
        path.write_text(words, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    note(f"written: {path}")


def _chosen(result: Result, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Ids as the file spells them; several may be joined by commas."""
    known = {judged.claim.id.lower(): judged.claim.id for judged in result.claims}
    ids = [each.strip() for given in wanted for each in given.split(",") if each.strip()]
    for each in ids:
        if each.lower() not in known:
            raise InputError(f"{result.name} has no claim {each[:40]!r}; it has {_listed(tuple(known.values()))}")
    return tuple(known[each.lower()] for each in ids)


def _listed(ids: tuple[str, ...]) -> str:
    """Ids of claims, a row of them as its ends."""
    row = len(ids) > 2 and ids == tuple(f"{ids[0][0]}{number:02d}" for number in range(1, len(ids) + 1))
    return f"{ids[0]} to {ids[-1]}" if row else ", ".join(ids)


def _catalogue(language: str, *, listed: bool, about: str, plain: bool) -> None:
    """Print the audits, or the computations that have to do with a word."""
    from costline.report import audit as report
    from costline.studies.audit import document
    from costline.studies.audit.operations import operations

    if not listed:
        found = [each for each in operations().values() if about.lower() in f"{each.name} {each.summary}".lower()]
        if not found:
            raise InputError(f"no computation has to do with {about[:40]!r}; leave the word out to see all")
        _print(report.computations(found), plain=plain)
        return
    read = {name: document.load(path) for name, path in document.shipped_audits().items()}
    rows = [(name, each.title.say(language), each.source, len(each.claim)) for name, each in read.items()]
    _print(report.listing(rows), plain=plain)


def _print(block: object, *, plain: bool) -> None:
    from costline.cli.terminal import console

    screen = console(plain=plain)
    screen.print(block)
