"""What ``costline chip`` prints."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from rich.padding import Padding

from costline import quantity
from costline.cli.terminal import Field, console, figures, note, table, write_json
from costline.errors import InputError, visible
from costline.estimate import plain as plain_value

if TYPE_CHECKING:
    from costline.catalogue import Catalogue
    from costline.derivation import Node
    from costline.estimate import Estimate
    from costline.silicon.anchors import Reproduction
    from costline.silicon.compare import Answer
    from costline.silicon.decoding import Talk
    from costline.silicon.filming import Film
    from costline.silicon.findings import Finding
    from costline.silicon.power import Checked

DASH = "–"


def print_cost(estimate: Estimate, record: Node | None, *, json: bool, csv: bool, plain: bool) -> None:
    """A bill, as text or for programs."""
    from costline.report import machine
    from costline.report.answer import answer
    from costline.report.explain import derivation

    estimate = replace(estimate, record=record)
    if json:
        sys.stdout.write(machine.to_json(estimate) + "\n")
    elif csv:
        sys.stdout.write(machine.to_csv(estimate))
    else:
        screen = console()
        screen.no_color = screen.no_color or plain
        screen.print(answer(estimate, plain=plain))
        if record is not None:
            screen.print(derivation(estimate))


def print_comparison(
    chips: Sequence[str], talks: Sequence[Talk], films: Sequence[Film], book: Catalogue, *, as_json: bool
) -> bool:
    """Chips on workloads: rooflines, then a table a workload; whether any chip serves any of them."""
    from costline.silicon.lineup import line_up

    rows = line_up(chips, talks, films, book)
    served = any(answer.rate for row in rows for answer in (*row.talks, *row.films))
    if as_json:
        write_json(plain_value([asdict(row) for row in rows]))
        return served
    screen = console()
    screen.print("Rooflines in the format of products", style="bold")
    screen.print(table([row.roof for row in rows], _roof_fields()))
    for row in rows:
        if row.roof.products:
            screen.print(f"{row.roof.chip}: {row.roof.products}", style="yellow")
    for place, talk in enumerate(talks):
        limit = f"at most {talk.tpot * 1e3:g} ms a token"
        words = f"{talk.network.name}, {talk.input:,} tokens in, {talk.output:,} out, {limit}"
        screen.print(words, style="bold")
        _answers([row.talks[place] for row in rows], _talk_fields())
    for place, film in enumerate(films):
        clip = film.clip
        words = f"{film.pipeline.name}, {clip.seconds:.2g} s of {clip.width}x{clip.height}, {clip.steps} steps"
        screen.print(words, style="bold")
        _answers([row.films[place] for row in rows], _film_fields())
    for row in rows:
        if row.unpriced:
            screen.print(f"no cost of making: {row.unpriced}", style="yellow")
    screen.print(LEGEND, style="dim")
    return served


LEGEND = """hold: chips whose memory holds the weights; unit: chips that work together;
floor: shortest time per token of any unit; rent: the market's; made: 80 % of
draws, every chip sold at one margin, with its host and electricity."""


def _answers(answers: Sequence[Answer], fields: tuple[Field, ...]) -> None:
    """One workload: the answer of every chip, and what it brings for the same chips, dollars and watts."""
    screen = console()
    screen.print(table(answers, fields))
    for each in answers:
        if each.rate is None:
            screen.print(f"{each.chip}: {each.why}", style="yellow")
    served = [each for each in answers if each.rate]
    if len(served) > 1:
        screen.print(f"Output over that of {served[0].chip}, for the same number of", style="dim")
        screen.print(table(served, _equal_fields(served[0])))


def _equal_fields(first: Answer) -> tuple[Field, ...]:
    """Output at equal chips, dollars and watts over that of the first chip; None where either is unknown."""

    def over(name: str) -> Any:
        own = getattr(first, name)
        return lambda row: own / getattr(row, name) if own and getattr(row, name) else None

    return (
        Field("chip", lambda row: row.chip),
        Field("chips", lambda row: None if not row.rate or not first.rate else row.rate / first.rate),
        Field("dollars\nof rent", over("rent")),
        Field("dollars\nof making", over("made")),
        Field("joules", over("joules")),
    )


def _of(name: str, factor: float = 1.0) -> Any:
    def value(row: Any) -> Any:
        found = getattr(row, name)
        return None if found is None else found * factor

    return value


def _made(factor: float) -> Any:
    def span(row: Answer) -> str | None:
        if row.made_low is None or row.made_high is None:
            return None
        return f"{figures(row.made_low * factor, 2)}{DASH}{figures(row.made_high * factor, 2)}"

    return span


def _whole(name: str) -> Any:
    def value(row: Any) -> str | None:
        found = getattr(row, name)
        return None if found is None else f"{found:,.0f}"

    return value


def _hold(row: Answer) -> str:
    return f"{row.hold:,.0f}/{DASH if row.chips is None else format(row.chips, ',.0f')}"


def _roof_fields() -> tuple[Field, ...]:
    return (
        Field("chip", lambda row: row.chip),
        Field("peak", lambda row: row.peak, quantity.FLOP_RATE),
        Field("memory", lambda row: row.memory, quantity.BYTES),
        Field("memory", lambda row: row.bandwidth, quantity.BANDWIDTH),
        Field("ridge\nFLOP/B", lambda row: row.ridge),
        Field("power", lambda row: row.tdp, quantity.WATTS),
        Field("kind", lambda row: row.kind),
    )


def _talk_fields() -> tuple[Field, ...]:
    return (
        Field("chip", lambda row: row.chip),
        Field("hold\n/unit", _hold),
        Field("tok/s\na chip", _of("rate")),
        Field("floor\nms", _of("floor", 1e3)),
        Field("J/tok", _of("joules")),
        Field("rent\n$/Mtok", _of("rent", 1e6)),
        Field("made\n$/Mtok", _made(1e6)),
    )


def _film_fields() -> tuple[Field, ...]:
    return (
        Field("chip", lambda row: row.chip),
        Field("unit", _whole("chips")),
        Field("clip\nmin", _of("wait", 1 / 60)),
        Field("chip-s\na second", lambda row: None if not row.rate else 1 / row.rate),
        Field("kJ\na second", _of("joules", 1e-3)),
        Field("rent\n$/s", _of("rent")),
        Field("made\n$/s", _made(1.0)),
    )


def print_findings(
    path: str,
    chips: int,
    findings: Sequence[Finding],
    faults: Sequence[str],
    open_ends: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """What is implausible, gravest first; what could not be checked."""
    if as_json:
        body = {"findings": [asdict(finding) for finding in findings], "faults": faults, "unchecked": open_ends}
        write_json(body)
        return
    screen = console()
    words = f"{chips} chip{'s' * (chips != 1)}"
    if not findings and not faults and not open_ends:
        screen.print(f"{visible(path)}: {words}, nothing implausible")
    elif not findings and chips:
        read = "can be read" if faults else "is stated"
        screen.print(f"{visible(path)}: {words}; what {read} breaks no limit", style="yellow" if faults else None)
    for finding in findings:
        style = "bold red" if finding.severity == "impossible" else "yellow"
        screen.print(f"{finding.chip}: {finding.severity}: {finding.what}", style=style)
        screen.print(f"  limit  {finding.limit}")
        screen.print(f"  source {finding.source}", style="dim")
        screen.print(f"  fix    {finding.fix}")
    for each in open_ends:
        screen.print(each, style="dim")


PEAK, PRINCIPLES, FITTED, AREA = (
    "peak: arrays of the architecture x clock",
    "power: energies of operations and bits",
    "power: energy fitted, each chip left out",
    "area: a design with the chip's figures",
)
"""Names of the checks."""


def print_power(*, as_json: bool) -> None:
    """Modelled peak and power of every chip, and how far they are from what is stated."""
    from costline.silicon.power import fitted_errors, peak_errors, power_errors, spread_of_errors
    from costline.silicon.sizes import area_errors

    checks = {PEAK: peak_errors(), PRINCIPLES: power_errors(), FITTED: fitted_errors(), AREA: area_errors()}
    if as_json:
        write_json({name: [{**asdict(each), "error": each.error} for each in rows] for name, rows in checks.items()})
        return
    screen = console()
    spreads = [{"model": name, **spread_of_errors(rows)} for name, rows in checks.items()]
    fields = (
        Field("model", lambda row: row["model"]),
        Field("chips", lambda row: int(row["chips"])),
        Field("median", lambda row: f"{row['median']:+.1%}"),
        Field("absolute", lambda row: f"{row['median absolute']:.1%}"),
        Field("low", lambda row: f"{row['low']:+.0%}"),
        Field("high", lambda row: f"{row['high']:+.0%}"),
    )
    screen.print(table(spreads, fields))
    screen.print("modelled over stated, less one: median, median of the absolute, 10th, 90th percentile", style="dim")
    _print_left_out(checks)
    _print_powers(checks)


def _print_left_out(checks: Mapping[str, Sequence[Checked]]) -> None:
    """Peaks that are far off, and chips whose power is not modelled."""
    from costline.silicon.power import STATED_OTHERWISE, unmodelled

    screen, left = console(), unmodelled()
    screen.print("peaks off by more than 5 %:", style="dim")
    for each in checks[PEAK]:
        if abs(each.error) > 0.05:
            screen.print(f"  {each.chip} {each.error:+.0%}: {STATED_OTHERWISE.get(each.chip, '')}", style="dim")
    known = len(checks[PRINCIPLES]) + len(left)
    screen.print(f"{known} chips with known area, node and power; {len(left)} are not modelled:", style="dim")
    for chip, why in left.items():
        screen.print(f"  {chip}: {why}", style="dim")


def _print_powers(checks: Mapping[str, Sequence[Checked]]) -> None:
    """Power of every chip, stated and modelled, and the error of its area."""
    fitted, sized = ({each.chip: each for each in checks[name]} for name in (FITTED, AREA))
    fields = (
        Field("chip", lambda row: row.chip),
        Field("stated", lambda row: row.real, quantity.WATTS),
        Field("principles", lambda row: row.modelled, quantity.WATTS),
        Field("error", lambda row: f"{row.error:+.0%}"),
        Field("fitted", lambda row: fitted[row.chip].modelled if row.chip in fitted else None, quantity.WATTS),
        Field("error", lambda row: f"{fitted[row.chip].error:+.0%}" if row.chip in fitted else None),
        Field("area", lambda row: f"{sized[row.chip].error:+.0%}" if row.chip in sized else None),
    )
    console().print(table(checks[PRINCIPLES], fields))
    console().print(
        "fitted: accelerators; what a graphics card states is what shading draws. area: a design holds what multiplies "
        "matrices and feeds it, no graphics and no wide formats, so chips of many uses are larger",
        style="dim",
    )


def _several(values: Sequence[float]) -> str:
    """Few figures, or the ends of many."""
    if len(values) <= 3:
        return " ".join(figures(each) for each in values)
    return f"{figures(values[0])} … {figures(values[-1])}"


def print_anchors(match: str, *, as_json: bool) -> None:
    """Published results and the models' answers."""
    from costline.silicon.anchors import reproductions

    rows = [row for row in reproductions() if match.lower() in f"{row.anchor} {row.quantity} {row.status}".lower()]
    if as_json:
        write_json([{**asdict(row), "status": row.status, "errors": row.errors, "why": row.why} for row in rows])
        return
    if not rows:
        raise InputError(f"match: no row contains {match[:40]!r}; try a chip, such as Groq, or outside")
    fields = (
        Field("status", lambda row: row.status),
        Field("published", lambda row: f"{row.anchor}: {row.quantity}"),
        Field("stated", lambda row: _several(row.stated)),
        Field("modelled", lambda row: _several(row.modelled)),
        Field("worst", lambda row: f"{max(row.errors, key=abs):+.0%}"),
        Field("within", lambda row: f"{row.tolerance:.0%}"),
    )
    screen = console()
    modelled = [row for row in rows if row.modelled]
    if modelled:
        screen.print(table(modelled, fields))
    for status in ("outside", "not modelled"):
        _print_reasons([row for row in rows if row.status == status], status)
    counts = {status: sum(row.status == status for row in rows) for status in ("matched", "outside", "not modelled")}
    note(", ".join(f"{count} {status}" for status, count in counts.items()))


def _print_reasons(rows: Sequence[Reproduction], status: str) -> None:
    """Why rows are not matched, those of one reason together."""
    screen = console()
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(row.why, []).append(f"{row.anchor}: {row.quantity}")
    if rows:
        screen.print(f"{status.capitalize()}, and why", style="bold")
    for why, names in by_reason.items():
        screen.print("; ".join(names))
        screen.print(Padding(why, (0, 0, 0, 4), expand=False), style="dim")


def print_pim(*, as_json: bool) -> None:
    """Published figures of processing in memory and predictions, silicon apart from simulations."""
    from costline.silicon.pim_rows import predictions

    rows = predictions()
    if as_json:
        write_json([{**asdict(row), "error": row.error} for row in rows])
        return
    screen = console()
    fields = (
        Field("device", lambda row: row.device.split(" (")[0]),
        Field("configuration", lambda row: row.config),
        Field("what", lambda row: f"{row.metric}, {row.unit}"),
        Field("stated", lambda row: row.stated if not row.bound else f"≤ {figures(row.stated)}"),
        Field("model", lambda row: row.predicted),
        Field("error", lambda row: None if row.error is None else f"{row.error:+.0%}"),
    )
    for evidence, words in (
        ("silicon", "Measured on silicon"),
        ("vendor", "Stated by vendors"),
        ("simulation", "Simulated"),
    ):
        chosen = [row for row in rows if row.evidence == evidence and row.predicted is not None]
        screen.print(words, style="bold")
        screen.print(table(chosen, fields) if chosen else "no row states its configuration")
        missed = [abs(row.error) for row in chosen if row.error is not None]
        if missed:
            screen.print(f"median absolute error {statistics.median(missed):.0%} of {len(missed)} figures")
        for row in rows:
            if row.evidence == evidence and row.predicted is None:
                name = row.device.split(" (")[0]
                screen.print(f"not predicted: {name}, {row.config or row.metric}: {row.how}", style="dim")
