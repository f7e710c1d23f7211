"""What drives a result as SVG, Sobol indices above a tornado: drawn here, without a plotting library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from costline.quantity import Kind
from costline.report.uncertainty import SCALES, moves, without_unit
from costline.report.values import label, text
from costline.uncertainty.drivers import Driver, Drivers, Swing, Tornado

MOST_BARS = 15
WIDTH, EDGE, GAP = 980, 16, 6
"""Width of the picture, its margin, and the space between a bar and its words. [pixel]"""
HEAD, ROW, FOOT = 34, 26, 44
"""Height of the title of a part, of a bar with its gap, and of the axis below. [pixel]"""
LETTER = 8.4
"""Width of a letter, generously. [pixel]"""
STYLE = (
    ".costline text{font:13px system-ui,sans-serif;fill:#1b1f24}.costline .dim{fill:#596069}"
    ".costline .head{font-size:16px;font-weight:600}.costline .back{fill:#fff}.costline .axis{stroke:#596069}"
    ".costline .low,.costline .alone{fill:#56b4e9}.costline .high{fill:#d55e00}.costline .all{fill:#56b4e955}"
    "@media(prefers-color-scheme:dark){.costline text{fill:#e6e9ee}.costline .dim{fill:#a5adb8}"
    ".costline .back{fill:#14171b}.costline .axis{stroke:#a5adb8}}"
)
"""Scoped to the picture; what the dark scheme changes stands last, or it would not count."""


def drivers_svg(
    swings: Tornado, shares: Drivers | None, title: str, kinds: Mapping[str, Kind | None], note: str = ""
) -> str:
    """Draw what drives a result.

    Parameters
    ----------
    swings : Tornado
        The result with one input moved at a time.
    shares : Drivers or None
        Its Sobol indices, if it has any.
    title : str
        The question in words.
    kinds : mapping of str to Kind or None
        What each input measures.
    note : str
        What else the reader must know.

    Returns
    -------
    str
        An SVG document, text included as text.
    """
    seen = [row for row in shares.ranked if row.seen][:MOST_BARS] if shares else []
    shown = swings.swings[:MOST_BARS]
    top = HEAD + 20 * bool(note)
    parts: list[str] = []
    if shares and seen:
        parts += _indices(seen, f"{SCALES[shares.scale]}{label(shares.result)}", top)
        top += HEAD + 20 + ROW * len(seen) + GAP
    parts += _tornado(swings, shown, kinds, top)
    height = top + HEAD + 20 + ROW * len(shown) + FOOT
    heading = f"{label(swings.result)}: what drives it"
    return "\n".join([
        f'<svg class="costline" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(heading)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        _words("head", EDGE, 24, title[:110]),
        *([_words("dim", EDGE, 46, note)] if note else []),
        *parts,
        "</svg>",
    ]) + "\n"  # fmt: skip


def _words(kind: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _bar(kind: str, start: float, end: float, y: float) -> str:
    left, right = sorted((start, end))
    return f'<rect class="{kind}" x="{left:.1f}" y="{y - 14:.1f}" width="{right - left:.1f}" height="18"/>'


def _legend(entries: Sequence[tuple[str, str]], y: float) -> Iterator[str]:
    """Colours and what they mean, from left to right."""
    x = float(EDGE)
    for kind, words in entries:
        yield f'<rect class="{kind}" x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12"/>'
        yield _words("dim", x + 18, y, words)
        x += 40 + LETTER * len(words)


def _indices(seen: Sequence[Driver], result: str, top: float) -> Iterator[str]:
    """Share of the variance that goes with an input alone, and that stays with it alone."""
    yield _words("", EDGE, top + 20, f"share of the variance of {result} (Sobol indices)")
    yield from _legend([("alone", "alone (first order)"), ("all", "with what it does together with others (total)")],
                       top + 42)  # fmt: skip
    left = EDGE + LETTER * max(len(row.name) for row in seen) + 2 * GAP
    right = WIDTH - EDGE - LETTER * len("100 % alone, 100 % in all (± 10 %)")
    for place, row in enumerate(seen):
        y = top + HEAD + 20 + ROW * (place + 0.6)
        error = max(row.error, 0.001)
        digits = 0 if error >= 0.0095 else 1
        values = f"{row.first:.0%} alone, {row.total:.0%} in all (± {error:.{digits}%})".replace("%", " %")
        yield _words("", left - GAP, y, row.name, "end")
        yield _bar("all", left, left + (right - left) * row.total, y)
        yield _bar("alone", left, left + (right - left) * row.first, y)
        yield _words("dim", left + (right - left) * row.total + GAP, y, values)


def _tornado(found: Tornado, shown: Sequence[Swing], kinds: Mapping[str, Kind | None], top: float) -> Iterator[str]:
    """One bar an input: to where the result goes with it at its low and at its high end."""
    ends = [found.middle, *(end for swing in shown for end in (swing.low, swing.high))]
    unit = text(found.middle, found.unit)
    _, *written = without_unit([text(end, found.unit) for end in ends])
    names = [f"{swing.name}: {moves(swing, kinds.get(swing.name))}" for swing in shown]
    room = GAP + LETTER * max(map(len, written), default=0)
    left, right = EDGE + LETTER * max(map(len, names), default=0) + room + GAP, WIDTH - EDGE - room
    least, most = min(ends), max(ends)

    def across(value: float) -> float:
        return left + (value - least) / (most - least or 1) * (right - left)

    middle = across(found.middle)
    yield _words("", EDGE, top + 20, f"{label(found.result)} with one input moved, all others at their medians")
    yield from _legend([("low", "input at its 10th percentile"), ("high", "at its 90th")], top + 42)
    for place, swing in enumerate(shown):
        y = top + HEAD + 20 + ROW * (place + 0.6)
        yield _words("", left - room - GAP, y, names[place], "end")
        for kind, value in (("low", swing.low), ("high", swing.high)):
            yield _bar(kind, middle, across(value), y)
        (low, under), (high, over) = sorted(zip((swing.low, swing.high), written[2 * place :], strict=False))
        yield _words("dim", min(across(low), middle) - GAP, y, under, "end")
        yield _words("dim", max(across(high), middle) + GAP, y, over)
    bottom = top + HEAD + 20 + ROW * len(shown)
    yield f'<line class="axis" x1="{middle:.1f}" x2="{middle:.1f}" y1="{top + 50:.1f}" y2="{bottom + 4:.1f}"/>'
    yield _words("", middle, bottom + 20, unit, "middle")
    yield _words("dim", middle, bottom + 36, "all inputs at their medians", "middle")
