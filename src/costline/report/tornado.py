"""A tornado as SVG: drawn here, without a plotting library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from costline.quantity import Kind, show
from costline.report.values import label, text
from costline.uncertainty.drivers import Swing, Tornado

MOST_BARS = 15
WIDTH, LEFT, RIGHT = 980, 420, 110
"""Width of the picture and of the margins beside the bars. [pixel]"""
TOP, ROW, BOTTOM = 64, 30, 46
"""Height above the bars, of a bar with its gap, and below. [pixel]"""
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b1f24}.dim{fill:#667}.head{font-size:16px;font-weight:600}"
    ".low{fill:#7aa6d8}.high{fill:#d98a5b}.axis{stroke:#667}.end{font-size:11px}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e9ee}.dim{fill:#9aa}.back{fill:#14171b}}.back{fill:#fff}"
)


def tornado_svg(found: Tornado, title: str, kinds: Mapping[str, Kind | None]) -> str:
    """Draw a tornado.

    Parameters
    ----------
    found : Tornado
        What to draw.
    title : str
        The question in words.
    kinds : mapping of str to Kind or None
        What each input measures.

    Returns
    -------
    str
        An SVG document, text included as text.
    """
    shown = found.swings[:MOST_BARS]
    ends = [found.middle, *(end for swing in shown for end in (swing.low, swing.high))]
    least, most = min(ends), max(ends)
    height = TOP + ROW * max(len(shown), 1) + BOTTOM

    def across(value: float) -> float:
        return LEFT + (value - least) / (most - least or 1) * (WIDTH - LEFT - RIGHT)

    middle, at_middle = across(found.middle), text(found.middle, found.unit)
    heading = f"{label(found.result)}: what moves it, one input at a time from its 10th to its 90th percentile"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(heading)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="16" y="24">{escape(title[:110])}</text>',
        f'<text class="dim" x="16" y="46">{escape(heading)}</text>',
        *(
            _row(swing, TOP + ROW * place, across, middle, found.unit, kinds.get(swing.name))
            for place, swing in enumerate(shown)
        ),
        f'<line class="axis" x1="{middle:.1f}" x2="{middle:.1f}" y1="{TOP - 4}" y2="{height - BOTTOM + 4}"/>',
        f'<text x="{middle:.1f}" y="{height - 22}" text-anchor="middle">{escape(at_middle)}</text>',
        f'<text class="dim end" x="{middle:.1f}" y="{height - 6}" text-anchor="middle">all inputs at medians</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _row(swing: Swing, top: int, across: Callable[[float], float], middle: float, unit: str, kind: Kind | None) -> str:
    """One bar: blue to where the low end of the input takes the result, orange to where the high end does."""
    low, high, base = across(swing.low), across(swing.high), top + 15

    def written(value: float) -> str:
        return f"{value:.3g}" if kind is None else show(value, kind)

    moved = f"{swing.name}: {written(swing.at_low)} to {written(swing.at_high)}"
    left, right = sorted(((low, swing.low), (high, swing.high)))
    bars = "".join(
        f'<rect class="{name}" x="{min(end, middle):.1f}" y="{top + 2}" width="{abs(end - middle):.1f}" height="18"/>'
        for name, end in (("low", low), ("high", high))
    )
    return (
        f'<text x="{LEFT - 76}" y="{base}" text-anchor="end">{escape(moved)}</text>{bars}'
        f'<text class="dim end" x="{left[0] - 4:.1f}" y="{base}" text-anchor="end">{escape(text(left[1], unit))}</text>'
        f'<text class="dim end" x="{right[0] + 4:.1f}" y="{base}">{escape(text(right[1], unit))}</text>'
    )
