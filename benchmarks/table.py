"""Plain tables on stdout, and clocks."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np


def show(title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    right = [all(isinstance(row[place], int | float) for row in rows) for place in range(len(headings))]
    sys.stdout.write(f"\n{title}\n")
    for row in (headings, ["-" * width for width in widths], *cells):
        line = "  ".join(
            text.rjust(width) if flush else text.ljust(width)
            for text, width, flush in zip(row, widths, right, strict=True)
        )
        sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> str:
    """The machine that the figures are for."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    python = platform.python_version()
    return f"{os.cpu_count()} processors, load {load:.1f}; Python {python}, NumPy {np.__version__}"


def seconds(
    function: Callable[[], object],
    least: float = 0.3,
    tries: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Best of several times of one call, each averaged over at least `least` seconds of a clock."""
    function()
    best = float("inf")
    for _ in range(tries):
        calls, started = 0, clock()
        while (passed := clock() - started) < least:
            function()
            calls += 1
        best = min(best, passed / calls)
    return best


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Exponent of the cost: 1 is linear, less is better."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
