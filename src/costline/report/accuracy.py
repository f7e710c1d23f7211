"""Scores on a terminal: one line a group, at most 80 columns, per cent without signs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

HEADINGS = ("rows", "med", "mean", "p90", "bias", "≤10", "≤20", "in", "80 %")
"""Columns of costline's own scores; the last two are the shares within the bracket and within the 80 % interval."""
FITTED = (*HEADINGS[:-2], "out", "80 %")
"""The same where fitted rows were held out too: in the last two columns stand median and 90th percentile of the error,
and the share within the 80 % interval, of predictions by coefficients fitted without a row's group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One group; shares of 1, None where there is none.

    Attributes
    ----------
    label : str
        Name of the group.
    rows : int
        How many rows.
    scores : sequence of float or None
        Median, mean and 90th percentile of the error, bias, shares within 10 and 20 %, the bracket, the interval.
    rivals : mapping of str to float or None
        Median error of each baseline.
    target : tuple of float, optional
        Median and 90th percentile aimed at.
    held_out : tuple of float or None, optional
        Median and 90th percentile of the error, and share within the 80 % interval, where fitted rows were held out.
    """

    label: str
    rows: int
    scores: Sequence[float | None]
    rivals: Mapping[str, float | None] = field(default_factory=dict)
    target: tuple[float, float] | None = None
    held_out: tuple[float, float, float | None] | None = None


def score_table(heading: str, lines: Sequence[Line], width: int = 80) -> Table:
    """Scores of the groups of one grouping; the labels take what the figures leave of `width`."""
    rivals = list(dict.fromkeys(name for line in lines for name in line.rivals))
    own = FITTED if any(line.held_out for line in lines) else HEADINGS
    rows = [[f"{line.rows:,}", *_scores(line, own), *(percent(line.rivals.get(name)) for name in rivals)]
            for line in lines]  # fmt: skip
    names = (*own, *rivals)
    sizes = [max([len(name), *(len(row[place]) for row in rows)]) for place, name in enumerate(names)]
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=max(width - sum(sizes) - len(sizes) - 1, 12))
    for name, size in zip(names, sizes, strict=True):
        made.add_column(name, justify="right", style="dim" if name in rivals else "", no_wrap=True, min_width=size)
    for line, cells in zip(lines, rows, strict=True):
        made.add_row(Text(line.label), *_aimed(cells, line, own))
    return made


def _scores(line: Line, headings: Sequence[str]) -> list[str]:
    """Scores of a line as text, in the order of the columns."""
    names = HEADINGS[1:]
    scores = [percent(value, signed=name == "bias") for name, value in zip(names, line.scores, strict=True)]
    if headings is HEADINGS:
        return scores
    if line.held_out is None:
        return [*scores[:-2], "-", "-"]
    median, most, share = line.held_out
    return [*scores[:-2], f"{percent(median)}/{percent(most)}", percent(share)]


def _aimed(cells: Sequence[str], line: Line, headings: Sequence[str]) -> list[Text]:
    """Cells, those of median and 90th percentile green where they reach the target; held out where rows were fitted."""
    texts = [Text(cell) for cell in cells]
    if line.target is None:
        return texts
    if headings is HEADINGS:
        for place, aim in (("med", line.target[0]), ("p90", line.target[1])):
            value = line.scores[HEADINGS.index(place) - 1]
            if value is not None:
                texts[HEADINGS.index(place)].stylize("green" if value <= aim else "red")
    elif line.held_out is not None:
        reached = line.held_out[0] <= line.target[0] and line.held_out[1] <= line.target[1]
        texts[FITTED.index("out")].stylize("green" if reached else "red")
    return texts


def percent(share: float | None, *, signed: bool = False) -> str:
    """A share as whole per cent, one digit more below ten.

    Examples
    --------
    >>> percent(0.1931), percent(0.061), percent(-0.183, signed=True), percent(12.3), percent(None)
    ('19', '6.1', '-18', '>999', '-')
    """
    if share is None:
        return "-"
    value = 100 * share
    if abs(value) >= 999.5:
        return ">999"
    digits = 1 if abs(value) < 9.95 else 0
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def refusal_table(reasons: Iterable[tuple[str, int]]) -> Table:
    """Rows that were not predicted, by reason."""
    made = Table.grid(padding=(0, 1))
    made.add_column(justify="right")
    made.add_column(overflow="fold")
    for reason, count in reasons:
        made.add_row(f"{count:,}", Text(reason))
    return made
