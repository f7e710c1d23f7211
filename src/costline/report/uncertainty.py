"""A sampled answer on a terminal: medians, intervals, whose doubt it is, what drives it, what a finding implies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from costline.errors import InputError
from costline.estimate import Estimate
from costline.quantity import Kind, show
from costline.report.answer import HEADLINES, ROWS, notes
from costline.report.values import NUMBER, interval, label, text
from costline.uncertainty.conventions import Reading, conventions
from costline.uncertainty.drivers import WITHIN, Driver, Drivers, Scale, Swing, Tornado, drivers, tornado
from costline.uncertainty.errors import NAME as ERRORS
from costline.uncertainty.sampled import FITS, RangedEstimate
from costline.uncertainty.spreads import describe
from costline.uncertainty.study import ENOUGH, Implied, Span, Study

MOST_ROWS = 7
"""Inputs shown of a ranking; the rest moves the result little."""
MOST_COEFFICIENTS = 3
"""Coefficients of the model shown that a finding moves."""
LONGEST_BAR = 7
"""Length of the bar of an input that is all of the doubt. [character]"""
WIDEST = 24
"""Length above which names of inputs are folded. [character]"""
SCALES: dict[Scale, str] = {"value": "", "logarithm": "log ", "rank": "rank of "}
"""What is explained of a result, in words."""


def ranged_answer(estimate: RangedEstimate, *, plain: bool = False) -> RenderableType:
    """The whole answer."""
    study = estimate.sampled
    blocks: list[RenderableType] = [Text(estimate.title, style="bold"), *_fit(estimate), *_findings(study)]
    headline = [name for name in HEADLINES.get(estimate.study, tuple(study.units)) if name in study.units]
    blocks.append(_headline(estimate, headline))
    blocks += [Text(_chance(study, written), style="bold") for written in estimate.asked.chances]
    if estimate.asked.percents:
        blocks.append(_percentiles(estimate, headline))
    if study.findings:
        blocks.append(_implied(study))
    blocks += [Text(""), *explanation(study, estimate.explained, estimate.asked.interval, plain=plain), Text("")]
    blocks.append(_rows(estimate, [name for name in ROWS.get(estimate.study, ()) if name in study.units]))
    blocks.extend(_inputs(study))
    blocks.extend(notes(estimate))
    return Group(*blocks)


def _fit(estimate: RangedEstimate) -> Iterable[Text]:
    if estimate.fitting == 1:
        return
    study = estimate.sampled
    unfit = study.agreeing - round(estimate.fitting * study.agreeing)
    share = 100 * unfit / study.agreeing
    some = f"in {unfit:,} of the {study.agreeing:,} samples ({format(share, '.0f' if share >= 10 else '.2g')}%)"
    if unfit == study.agreeing:
        yield Text(f"does not fit in any of the {study.agreeing:,} samples", style="bold red")
    else:
        yield Text(f"does not fit {some}, which are counted all the same (--given '{FITS} >= 100%' leaves them out)",
                   style="bold red")  # fmt: skip
    if estimate.middle.feasible is False:
        yield Text(f"at the medians: {estimate.middle.reason}; {estimate.middle.change}", style="yellow")


def _findings(study: Study) -> Iterable[Text]:
    if study.samples < ENOUGH:
        yield Text(f"! {study.samples} samples are too few for percentiles; draw {ENOUGH} or more", style="yellow")
    if not study.findings:
        return
    share = study.agreeing / study.samples
    found = " and ".join(finding.written for finding in study.findings)
    yield Text(f"given {found}: {study.agreeing:,} of {study.samples:,} samples agree ({share:.1%})", style="cyan")
    if study.agreeing < ENOUGH:
        more = 2 ** (int(study.samples * ENOUGH / study.agreeing) - 1).bit_length()
        yield Text(
            f"! an effective sample size of {study.agreeing} is too small for percentiles; --samples {more} "
            f"would leave about {more * share:,.0f}",
            style="yellow",
        )


def _interval(span: Span, unit: str) -> str:
    """The ends of an interval; one value of what is not in doubt."""
    return interval(span.low, span.high, unit) if span.low < span.high else text(span.median, unit)


def _headline(estimate: RangedEstimate, names: Sequence[str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(style="bold green", justify="right")
    table.add_column()
    for name in names:
        span, unit = estimate.sampled.span(name, estimate.asked.interval), estimate.sampled.units[name]
        between = f"{span.share:.0%}: {_interval(span, unit)}" if span.low < span.high else ""
        table.add_row(label(name), text(span.median, unit), between)
    return table


def _chance(study: Study, written: str) -> str:
    """How likely, with the standard error of as many independent samples; Sobol's are better than that."""
    share = study.chance(written)
    if share in {0.0, 1.0}:
        return f"chance that {written}: {share:.0%}: {'all' if share else 'none'} of {study.agreeing:,} samples"
    error = (share * (1 - share) / study.agreeing) ** 0.5
    return f"chance that {written}: {share:.1%} (± {error:.1%})"


def _percentiles(estimate: RangedEstimate, names: Sequence[str]) -> Table:
    study, percents = estimate.sampled, estimate.asked.percents
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("percentile")
    for percent in percents:
        table.add_column(f"{percent:g}", justify="right")
    for name in names:
        values = study.percentiles(name, percents)
        table.add_row(label(name), *(text(value, study.units[name]) for value in values))
    return table


def _implied(study: Study) -> Table:
    """Inputs before and after what was found, and the coefficients of the model that it moved most."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("what that implies", "before", "after", "80 % after"):
        table.add_column(heading, justify="left" if heading.startswith("what") else "right")
    listed = study.implied()
    coefficients = [row for row in listed if row.variable.origin == "model" and row.moved]
    coefficients.sort(key=lambda row: -abs(row.shift))
    for row in (*(row for row in listed if row.variable.origin != "model"), *coefficients[:MOST_COEFFICIENTS]):
        for cells in _weights(row) if 0 < len(row.weights) <= MOST_ROWS else [_moved(row)]:
            table.add_row(*cells)
    return table


def _moved(row: Implied) -> tuple[str, ...]:
    kind = row.variable.kind
    after = f"{_given(row.after.low, kind)} to {_given(row.after.high, kind)}"
    return row.variable.name, _given(row.before.median, kind), _given(row.after.median, kind), after


def _weights(row: Implied) -> Iterable[tuple[str, ...]]:
    """How likely each value of a choice is: its median would jump from one to another."""
    for value, before, after in row.weights:
        yield f"{row.variable.name} = {_given(value, row.variable.kind)}", f"{before:.0%}", f"{after:.0%}"


def _given(value: float, kind: Kind | None) -> str:
    return f"{value:.3g}" if kind is None else show(value, kind)


def explanation(study: Study, results: Sequence[str], share: float, *, plain: bool) -> list[RenderableType]:
    """Whose doubt it is, what drives it, and a tornado of the last result."""
    blocks: list[RenderableType] = []
    if study.findings:
        blocks.append(Text(f"before what was found, of all {study.samples:,} samples:", style="cyan"))
    blocks.append(_doubts(study, results, share))
    found = drivers(study, results)
    if found:
        blocks.append(_ranking(found, plain=plain))
    swings = tornado(study, results[-1])
    if swings.swings:
        blocks.append(tornado_table(swings, {each.name: each.kind for each in study.variables}, plain=plain))
    return blocks


def _doubts(study: Study, results: Sequence[str], share: float) -> Table:
    """Interval of each result for one kind of doubt alone."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("whose doubt", *(label(name) for name in results)):
        table.add_column(heading)
    kinds: dict[str, tuple[str, ...]] = {
        "inputs alone": ("input", "catalogue"),
        "model alone": ("model",),
        "together": ("input", "catalogue", "model"),
    }
    for words, origins in kinds.items():
        if not any(variable.origin in origins for variable in study.variables):
            continue
        spans = (study.alone(name, *origins, share=share) for name in results)  # type: ignore[arg-type]
        table.add_row(words, *(_interval(span, study.units[name]) for name, span in zip(results, spans, strict=True)))
    return table


def _ranking(found: Mapping[str, Drivers], *, plain: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows = {name: {row.name: row for row in each.ranked} for name, each in found.items()}
    names = sorted(
        {row.name for each in found.values() for row in each.ranked if row.seen},
        key=lambda name: -max(ranked[name].total for ranked in rows.values()),
    )[:MOST_ROWS]
    table.add_column("what drives it", no_wrap=_short(names), vertical="bottom")
    for each in found.values():
        error = max((rows[each.result][name].error for name in names), default=0.0)
        heading = f"{SCALES[each.scale]}{label(each.result)}\nalone"
        table.add_column(heading, justify="right", vertical="bottom")
        table.add_column("in all", justify="right", vertical="bottom")
        sign = f"± {max(error, 0.001):.{0 if error >= 0.0095 else 1}%}"
        table.add_column(sign, no_wrap=True, min_width=0 if plain else LONGEST_BAR, vertical="bottom")
    for name in names:
        cells: list[Text] = []
        for ranked in rows.values():
            row = ranked[name]
            bar = "" if plain else "█" * round(LONGEST_BAR * row.total)
            cells += [Text(_share(row.first, row)), Text(_share(row.total, row)), Text(bar, style="cyan")]
        table.add_row(name, *cells)
    return table


def _share(index: float, row: Driver) -> str:
    """An index as a share; nothing where it cannot be told from nothing."""
    return f"{index:.0%}" if index > WITHIN * row.error else "-"


def tornado_table(found: Tornado, kinds: Mapping[str, Kind | None], *, plain: bool) -> Table:
    """A line an input: where the result lies with the input at its 10th and at its 90th percentile."""
    shown = found.swings[:MOST_ROWS]
    ends = [found.middle, *(end for swing in shown for end in (swing.low, swing.high))]
    _, *moved = without_unit([text(end, found.unit) for end in ends])
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("one at a time,\np10 to p90", no_wrap=_short(swing.name for swing in shown))
    table.add_column("", justify="right", style="dim", no_wrap=True)
    table.add_column("\nat p10", justify="right")
    table.add_column(f"{label(found.result)}\naround {text(found.middle, found.unit)}")
    table.add_column("\nat p90", justify="right")
    for place, swing in enumerate(shown):
        bar = Text("") if plain else _bar(swing, min(ends), max(ends), found.middle)
        table.add_row(swing.name, moves(swing, kinds.get(swing.name)), moved[2 * place], bar, moved[2 * place + 1])
    return table


def _short(names: Iterable[str]) -> bool:
    """Whether a column of names needs no folding."""
    return max(map(len, names), default=0) <= WIDEST


def moves(swing: Swing, kind: Kind | None) -> str:
    """From where to where an input is moved, its unit once where it is the same."""
    if math.isnan(swing.at_low):  # several inputs of one file
        return "rows of their file"
    ends = [_given(swing.at_low, kind), _given(swing.at_high, kind)]
    return " to ".join([*without_unit(ends[:1], ends[1]), ends[1]])


def without_unit(written: Sequence[str], *others: str) -> list[str]:
    """Values without their unit, where it is the same for all of them and the others.

    Examples
    --------
    >>> without_unit(["$1.80/1M tokens", "$1.54/1M tokens"]), without_unit(["69.5 days", "3.34 years"])
    (['$1.80', '$1.54'], ['69.5 days', '3.34 years'])
    """
    parts = [NUMBER.fullmatch(each) for each in (*written, *others)]
    units = {part[2] for part in parts if part}
    if not all(parts) or len(units) != 1:
        return list(written)
    return [part[1] for part in parts[: len(written)] if part]


def _bar(swing: Swing, least: float, most: float, middle: float, width: int = 14) -> Text:
    def place(value: float) -> int:
        return round((value - least) / (most - least or 1) * (width - 1))

    low, high, centre = place(min(swing.low, swing.high)), place(max(swing.low, swing.high)), place(middle)
    bar = Text()
    for column in range(width):
        inside = low <= column <= high
        bar.append("┃" if column == centre else "█" if inside else " ", style="cyan" if inside else "dim")
    return bar


def _rows(estimate: RangedEstimate, names: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    for name in names:
        span, unit = estimate.sampled.span(name, estimate.asked.interval), estimate.sampled.units[name]
        between = _interval(span, unit) if span.low < span.high else ""
        table.add_row(label(name), text(span.median, unit), between)
    return table


def _inputs(study: Study) -> Iterable[Text]:
    for variable in study.variables:
        if variable.origin != "model":
            whose = "" if variable.origin == "input" else " (catalogue)"
            yield Text(f"~ {variable.name}: {describe(variable.spread, variable.kind)}{whose}", style="dim")
    model = [variable.name for variable in study.variables if variable.origin == "model"]
    errors = sum(name.startswith(ERRORS) for name in model)
    doubt = f"{len(model) - errors} coefficients of the model{' and the errors of cases like this' if errors else ''}"
    words = f"{study.samples:,} scrambled Sobol samples, seed {study.seed}; {study.plans}"
    yield Text(f"~ {doubt} in doubt; {words}", style="dim")


def counted_otherwise(estimate: Estimate) -> dict[str, tuple[Reading, ...]]:
    """Figures of an answer by every convention that bears on them.

    Raises
    ------
    InputError
        There is none.
    """
    found = conventions(estimate.middle if isinstance(estimate, RangedEstimate) else estimate)
    if not found:
        raise InputError(
            f"no figure of this answer ({estimate.study}) depends on a convention; leave out --conventions, or the "
            "price: the catalogue's has a date"
        )
    return found


def convention_table(estimate: Estimate) -> RenderableType:
    """The spread between conventions."""
    found = counted_otherwise(estimate)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading, justify in (("counted otherwise", "left"), ("", "left"), ("", "right"), ("of used", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, readings in found.items():
        for place, reading in enumerate(readings):
            table.add_row("" if place else label(name), *_cells(reading, readings))
    return Group(Text("\nat the medians of all inputs:"), table) if isinstance(estimate, RangedEstimate) else table


def _cells(reading: Reading, readings: Sequence[Reading]) -> tuple[Text, Text, Text]:
    style = "bold" if reading.used else ""
    words = reading.convention + (" *" if reading.used else "")
    return (
        Text(words, style=style),
        Text(text(reading.value, reading.unit), style=style),
        Text(f"{reading.against(readings):.2f}", style=style),
    )
