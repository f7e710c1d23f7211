"""Points of a sweep for people: a table, a drawing in characters, a drawing as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rich import box
from rich.table import Table
from rich.text import Text

from costline.quantity import COUNT, column_scale
from costline.report.values import KINDS, label, text

Cells = Mapping[str, Sequence[object]]
Units = Mapping[str, str]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442", "#000000")
"""Eight colours that people with any colour vision can tell apart (Okabe and Ito 2008)."""
MARKS = "o+x*#@%&"
WIDTH, HEIGHT = 720, 440
MARGIN = {"left": 90, "right": 20, "top": 40, "bottom": 60}
TICKS = 5


def table(cells: Cells, units: Units) -> Table:
    """Rows as a table, the unit of a column in its heading."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    columns = []
    for name, column in cells.items():
        numbers = sorted(value for value in column if isinstance(value, int | float))
        kind = KINDS.get(units.get(name, ""), COUNT)
        counted = all(isinstance(value, int) for value in numbers)
        typical = [] if counted else numbers[len(numbers) // 2 :][:1]  # one giant must not set the unit
        factor, unit = column_scale(typical, kind)
        made.add_column(f"{heading(name)}\n{unit}".strip(), justify="right" if numbers else "left", overflow="fold")
        scaled = [value / float(factor) if isinstance(value, float) else value for value in column]
        columns.append([cell(value, "") for value in scaled])
    for row in zip(*columns, strict=True):
        made.add_row(*map(Text, row))
    return made


def heading(name: str) -> str:
    """A column's heading: axes by name, figures in words where those are short."""
    words = label(name)
    return words if len(words) <= 14 else name.replace("_", " ")


def cell(value: object, unit: str) -> str:
    """A value for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return text(value, unit) if isinstance(value, int | float) else str(value)


@dataclass(frozen=True)
class Picture:
    """What is drawn: points by series, and scales.

    Attributes
    ----------
    x, y : str
        Columns along the axes.
    x_unit, y_unit : str
        Their units.
    series : mapping of str to list of (float, float)
        Points by the value of a third column.
    """

    x: str
    y: str
    x_unit: str
    y_unit: str
    series: Mapping[str, Sequence[tuple[float, float]]]

    def scale(self, which: int) -> Scale:
        """Scale of x (0) or y (1); logarithmic where the values span more than a factor of 30."""
        values = [point[which] for points in self.series.values() for point in points]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        return Scale(low, high, low > 0 and high / low > 30)


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis."""

    low: float
    high: float
    logarithmic: bool

    def place(self, value: float) -> float:
        """Where a value is, from 0 to 1."""
        low, high, here = self.low, self.high, value
        if self.logarithmic:
            low, high, here = math.log(low), math.log(high), math.log(value)
        return 0.5 if high == low else (here - low) / (high - low)

    def ticks(self) -> list[float]:
        """Values to mark."""
        if self.high == self.low:
            return [self.low]
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            steps = [1, 2, 5] if last - first <= 2 else [1]
            marks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        else:
            rough = (self.high - self.low) / TICKS
            size = 10.0 ** math.floor(math.log10(rough))
            step = next(size * one for one in (1, 2, 5, 10) if size * one >= rough)
            marks = [step * place for place in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [mark for mark in marks if self.low <= mark <= self.high] or [self.low, self.high]


def picture(cells: Cells, units: Units, x: str, y: str, by: str = "") -> Picture:
    """Points of two columns, in series by a third; those with an unknown value are left out."""
    series: dict[str, list[tuple[float, float]]] = {}
    names = [cell(value, units.get(by, "")) for value in cells[by]] if by else [""] * len(cells[x])
    for name, across, up in zip(names, cells[x], cells[y], strict=True):
        if isinstance(across, int | float) and isinstance(up, int | float):
            series.setdefault(name, []).append((float(across), float(up)))
    return Picture(x, y, units.get(x, ""), units.get(y, ""), {name: sorted(rows) for name, rows in series.items()})


def in_characters(drawn: Picture, columns: int = 70, lines: int = 18) -> str:
    """A drawing for a terminal."""
    across, up = drawn.scale(0), drawn.scale(1)
    field = [[" "] * columns for _ in range(lines)]
    for number, points in enumerate(drawn.series.values()):
        for x, y in points:
            row, column = round((1 - up.place(y)) * (lines - 1)), round(across.place(x) * (columns - 1))
            field[row][column] = MARKS[number % len(MARKS)]
    top, bottom = cell(up.high, drawn.y_unit), cell(up.low, drawn.y_unit)
    left, right = cell(across.low, drawn.x_unit), cell(across.high, drawn.x_unit)
    body = [f"{label(drawn.y)}, {top} at the top, {bottom} at the bottom{_logarithmic(up)}"]
    body += ["|" + "".join(row).rstrip() for row in field]
    body += [
        "+" + "-" * columns,
        f" {left}{right.rjust(columns - len(left))}",
        f" {label(drawn.x)}{_logarithmic(across)}",
    ]
    keys = [f"{MARKS[number % len(MARKS)]} {name}" for number, name in enumerate(drawn.series) if name]
    return "\n".join([*body, *([" " + "   ".join(keys)] if keys else [])]) + "\n"


def _logarithmic(scale: Scale) -> str:
    return ", logarithmic" if scale.logarithmic else ""


def as_svg(drawn: Picture, title: str) -> str:
    """A drawing as SVG, without scripts, fonts or references to anything outside it."""
    across, up = drawn.scale(0), drawn.scale(1)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN["left"]}" y="20" font-size="14">{escape(title)}</text>',
        *_ticks(drawn, across, up),
    ]
    for number, (name, points) in enumerate(drawn.series.items()):
        body += _series(number, name, [(_x(across.place(x)), _y(up.place(y))) for x, y in points])
    middle = (MARGIN["left"] + WIDTH - MARGIN["right"]) / 2
    body.append(f'<text x="{middle:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(label(drawn.x))}</text>')
    body.append(
        f'<text transform="translate(16 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(label(drawn.y))}</text>"
    )
    return "\n".join([*body, "</svg>"]) + "\n"


def _x(place: float) -> float:
    return MARGIN["left"] + place * (WIDTH - MARGIN["left"] - MARGIN["right"])


def _y(place: float) -> float:
    return HEIGHT - MARGIN["bottom"] - place * (HEIGHT - MARGIN["top"] - MARGIN["bottom"])


def _ticks(drawn: Picture, across: Scale, up: Scale) -> list[str]:
    """Grid lines with their values."""
    lines = []
    left, right, bottom, top = _x(0), _x(1), _y(0), _y(1)
    for value in across.ticks():
        x = _x(across.place(value))
        lines.append(f'<path d="M{x:.1f} {bottom:.1f}V{top:.1f}" stroke="#ddd"/>')
        shown = escape(cell(value, drawn.x_unit))
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{shown}</text>')
    for value in up.ticks():
        y = _y(up.place(value))
        lines.append(f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="#ddd"/>')
        shown = escape(cell(value, drawn.y_unit))
        lines.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    lines.append(f'<path d="M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}" fill="none" stroke="black"/>')
    return lines


def _series(number: int, name: str, points: Sequence[tuple[float, float]]) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    body = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points]
    if 1 < len(points) == len({x for x, _ in points}):  # one value for each x: a line says how it goes on
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        body.insert(0, f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    if name:
        y = MARGIN["top"] + 14 * number
        body.append(f'<circle cx="{WIDTH - 150}" cy="{y}" r="4" fill="{colour}"/>')
        body.append(f'<text x="{WIDTH - 140}" y="{y + 4}">{escape(name)}</text>')
    return body
