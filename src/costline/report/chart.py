"""Scatter plots and boxes as SVG: drawn here, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that people with any colour vision can tell apart (Okabe and Ito 2008)."""
STYLE = (
    ".costline text{font:12px system-ui,sans-serif;fill:#1b1f24}.costline .head{font-size:14px;font-weight:600}"
    ".costline .dim{fill:#596069}.costline .back{fill:#fff}.costline .grid{stroke:#8884;fill:none}"
    ".costline .axis{stroke:#596069;fill:none}.costline .wide{fill:#8882}.costline .near{fill:#8883}"
    ".costline .dots{fill:none;stroke-linecap:round;stroke-width:4;stroke-opacity:.55}"
    "@media(prefers-color-scheme:dark){.costline text{fill:#e6e9ee}.costline .dim{fill:#a5adb8}"
    ".costline .back{fill:#14171b}.costline .axis{stroke:#a5adb8}}"
)
"""Scoped to the pictures, so that they can stand inside a page."""
WIDTH, HEIGHT = 840, 400
LEFT, RIGHT, TOP, BOTTOM, LEGEND = 64, 14, 58, 48, 20
"""Margins of a panel, and the height of a line of the legend. [pixel]"""
ROW, LABEL = 24, 300
"""Height of a box's row, and the width of its label. [pixel]"""
MOST_TICKS = 7


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Points of one kind; both coordinates above 0."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of logarithmic axes with the same scale; titles hold the unit."""

    title: str
    x: str
    y: str
    clouds: Sequence[Cloud]


@dataclass(frozen=True, kw_only=True)
class Box:
    """Values of one group: ratios, 1 where nothing is wrong."""

    label: str
    values: Sequence[float]


def scatter_svg(title: str, panels: Sequence[Panel]) -> str:
    """Panels side by side: one quantity against another, with the diagonal and bands of a factor of 1.2 and 2.

    Parameters
    ----------
    title : str
        What the picture shows.
    panels : sequence of Panel
        At most three can be read.

    Returns
    -------
    str
        An SVG document without scripts, fonts or references.
    """
    names = list(dict.fromkeys(cloud.label for panel in panels for cloud in panel.clouds))
    colour = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    size = min(HEIGHT, WIDTH / max(len(panels), 1))
    side = size - LEFT - RIGHT
    height = TOP + side + BOTTOM + LEGEND * len(names)
    parts = _opening(title, WIDTH, height)
    for place, panel in enumerate(panels):
        parts += _panel(panel, place * WIDTH / len(panels) + LEFT, TOP, side, colour)
    for place, name in enumerate(names):
        y = height - LEGEND * (len(names) - place) + 6
        parts.append(f'<circle cx="{LEFT + 6}" cy="{y}" r="5" fill="{colour[name]}"/>')
        parts.append(f'<text x="{LEFT + 18}" y="{y + 4}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _opening(title: str, width: float, height: float) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="costline" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{width:g}" height="{height:g}"/>',
        f'<text class="head" x="12" y="22">{escape(title)}</text>',
    ]


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis from `low` to `high` over `length` pixels."""

    low: float
    high: float
    length: float

    def at(self, value: float) -> float:
        """Pixels from the low end; values beyond an end are drawn at it."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.length * min(max(share, 0.0), 1.0)


def _panel(panel: Panel, left: float, top: float, side: float, colour: dict[str, str]) -> list[str]:
    """A square with grid, bands, diagonal and points."""
    values = [value for cloud in panel.clouds for value in (*cloud.x, *cloud.y)] or [1.0]
    axis = Axis(min(values) / 1.3, max(values) * 1.3, side)
    bottom = top + side
    parts = [f'<text x="{left:.1f}" y="{top - 8}">{escape(panel.title)}</text>']
    parts += [_band(axis, left, bottom, factor, name) for factor, name in ((2.0, "wide"), (1.2, "near"))]
    for tick in decades(axis.low, axis.high):
        x, y = left + axis.at(tick), bottom - axis.at(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {bottom:.1f}V{top}M{left:.1f} {y:.1f}h{side:.1f}"/>')
        parts.append(f'<text class="dim" x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{short(tick)}</text>')
        parts.append(f'<text class="dim" x="{left - 5:.1f}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    parts.append(f'<path class="axis" d="M{left:.1f} {top}V{bottom:.1f}h{side:.1f}"/>')
    parts.append(f'<path class="axis" d="M{left:.1f} {bottom:.1f}L{left + side:.1f} {top}"/>')
    for cloud in panel.clouds:
        places = [(left + axis.at(x), bottom - axis.at(y)) for x, y in zip(cloud.x, cloud.y, strict=True)]
        parts.append(f'<path class="dots" stroke="{colour[cloud.label]}" d="{_dots(places)}"/>')
    middle = left + side / 2
    parts.append(f'<text x="{middle:.1f}" y="{bottom + 36:.1f}" text-anchor="middle">{escape(panel.x)}</text>')
    parts.append(
        f'<text transform="translate({left - LEFT + 14:.1f} {top + side / 2:.1f}) rotate(-90)" '
        f'text-anchor="middle">{escape(panel.y)}</text>'
    )
    return parts


def _band(axis: Axis, left: float, bottom: float, factor: float, name: str) -> str:
    """Everything within a factor of the diagonal, as a polygon cut off at the square."""
    ends = [
        (axis.low, axis.low), (axis.low, axis.low * factor), (axis.high / factor, axis.high), (axis.high, axis.high),
        (axis.high, axis.high / factor), (axis.low * factor, axis.low),
    ]  # fmt: skip
    points = " ".join(f"{left + axis.at(x):.1f},{bottom - axis.at(y):.1f}" for x, y in ends)
    return f'<polygon class="{name}" points="{points}"/>'


def _dots(places: Iterable[tuple[float, float]]) -> str:
    """Points as one path of no length, which round ends draw."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)


def boxes_svg(title: str, axis_title: str, boxes: Sequence[Box], *, reach: float = 4.0) -> str:
    """Ratios of groups on a logarithmic axis: middle half as a box, middle four fifths as a line, the rest as points.

    Parameters
    ----------
    title, axis_title : str
        What the picture shows, and what the ratio is.
    boxes : sequence of Box
        Groups, from the top.
    reach : float
        Largest ratio drawn; points beyond are drawn at the edge. [1]

    Returns
    -------
    str
        An SVG document without scripts, fonts or references.
    """
    height = TOP + ROW * len(boxes) + BOTTOM
    axis = Axis(1 / reach, reach, WIDTH - LABEL - 2 * RIGHT)
    bottom = height - BOTTOM
    parts = _opening(title, WIDTH, height)
    for tick in (1 / 4, 1 / 2, 1 / 1.2, 1, 1.2, 2, 4):
        x = LABEL + axis.at(tick)
        parts.append(f'<path class="{"axis" if tick == 1 else "grid"}" d="M{x:.1f} {TOP - 8}V{bottom}"/>')
        words = f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}"
        parts.append(f'<text class="dim" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{words}</text>')
    for place, box in enumerate(boxes):
        parts += _box(box, axis, TOP + ROW * place)
    middle = LABEL + axis.length / 2
    parts.append(f'<text x="{middle:.1f}" y="{height - 8}" text-anchor="middle">{escape(axis_title)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(box: Box, axis: Axis, top: float) -> list[str]:
    values = sorted(box.values)
    ends = [LABEL + axis.at(_quantile(values, share)) for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
    y = top + ROW / 2
    low, high = _quantile(values, 0.1), _quantile(values, 0.9)
    outer = [(LABEL + axis.at(value), y) for value in values if not low <= value <= high]
    colour = COLOURS[0]
    return [
        f'<text x="{LABEL - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(box.label)} ({len(values):,})</text>',
        f'<path class="dots" stroke="{COLOURS[1]}" stroke-width="3" d="{_dots(outer)}"/>',
        f'<path stroke="{colour}" stroke-width="2" d="M{ends[0]:.1f} {y:.1f}H{ends[4]:.1f}"/>',
        f'<rect x="{ends[1]:.1f}" y="{y - 7:.1f}" width="{max(ends[3] - ends[1], 1):.1f}" height="14" '
        f'fill="{colour}" fill-opacity=".45" stroke="{colour}"/>',
        f'<path stroke="{colour}" stroke-width="4" d="M{ends[2]:.1f} {y - 7:.1f}v14"/>',
    ]


def _quantile(values: Sequence[float], share: float) -> float:
    """Quantile of sorted values, between the two nearest."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def decades(low: float, high: float) -> list[float]:
    """Powers of ten within a range, thinned out where there are many; with 2 and 5 between where there are few.

    Examples
    --------
    >>> decades(0.5, 150), decades(3, 30)
    ([1.0, 10.0, 100.0], [5.0, 10.0, 20.0])
    """
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    marks = [10.0**power for power in range(first, last + 1)]
    if len(marks) < 3:
        marks = [step * 10.0**power for power in range(first - 1, last + 1) for step in (1, 2, 5)]
    every = -(-len(marks) // MOST_TICKS)
    return [mark for mark in marks if low <= mark <= high][::every]


def short(value: float) -> str:
    """A tick in as few characters as possible.

    Examples
    --------
    >>> short(0.01), short(5), short(1e4), short(2e6)
    ('0.01', '5', '10k', '2M')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
