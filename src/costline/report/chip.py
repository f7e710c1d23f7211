"""A picture of designs: points on a plane of letters."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 60, 12
MARKS = "123456789abcdefghijklmnopqrstuvwxyz"
"""Points in their order; the 36th is 1 again."""


def scatter(points: Sequence[tuple[float, float]], across: str, up: str) -> str:
    """Points on logarithmic axes, numbered in order.

    Parameters
    ----------
    points : sequence of (float, float)
        All above 0.
    across, up : str
        Names of the axes.

    Examples
    --------
    >>> print(scatter([(1.0, 10.0), (10.0, 1.0)], "x", "y").splitlines()[0])
    y 10
    """
    if not points:
        return ""
    spans = [_span([point[axis] for point in points]) for axis in (0, 1)]
    cells = [[" "] * WIDTH for _ in range(HEIGHT)]
    for number, point in enumerate(points):
        column, row = (_place(point[axis], spans[axis], size) for axis, size in ((0, WIDTH), (1, HEIGHT)))
        cells[HEIGHT - 1 - row][column] = MARKS[number % len(MARKS)]
    lines = [f"{up} {_short(spans[1][1])}", *("| " + "".join(line).rstrip() for line in cells)]
    left, right = _short(spans[0][0]), _short(spans[0][1])
    lines.append("+" + "-" * WIDTH)
    lines.append(f"  {left} {across} {right:>{WIDTH - len(left) - len(across) - 2}}")
    lines.append(f"  (lowest {up}: {_short(spans[1][0])}; both axes logarithmic)")
    return "\n".join(lines)


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low / 1.1, high * 1.1)


def _place(value: float, span: tuple[float, float], size: int) -> int:
    share = math.log(value / span[0]) / math.log(span[1] / span[0])
    return min(int(share * size), size - 1)


def _short(number: float) -> str:
    return f"{number:.3g}"
