"""``costline accuracy fit --kernels``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from costline.cli.accuracy_fit import writable
from costline.cli.terminal import console, note, write_json

if TYPE_CHECKING:
    from costline.accuracy.kernels.fit import Fitted, Value

LEGEND = (
    "absolute error in %, median / 90th percentile; in: of calls fitted to; out: of\n"
    "shapes left out (weights, heads or message sizes, a fifth at a time); sourced:\n"
    "with the coefficients as sourced; engines: single ones around their mean on a\n"
    "shape. peak: share of the peak rate (fp8 attention: of the 16-bit rate); width,\n"
    "rows: half-performance lengths; ns: time of a block of attention; mem, link:\n"
    "shares of bandwidth; us: launch of each engine; sorting: launches of each engine\n"
    "for each product of a layer of experts; hop: us a hop; link and hop in groups of\n"
    "2, 4, ... chips; what is absent makes no difference that the calls show"
)
SHORT = {
    "gemm": "peak", "attention": "peak", "attention_block": "ns", "memory": "mem", "launch": "us", "link_up": "link",
    "latency_up": "hop", "dispatch": "sorting",
}  # fmt: skip
"""Coefficient -> how the table calls it."""


def fit_kernels(chips: Sequence[str], write: Path | None, json: bool) -> int:
    """Fit, show, write."""
    from costline.accuracy.kernels.fit import fit_all
    from costline.accuracy.kernels.shipping import as_dict, kernel_rows, source_of
    from costline.catalogue import Catalogue
    from costline.catalogue.kernel_table import KERNELS, kernel_csv
    from costline.errors import UnknownNameError
    from costline.kernels.read import read_files
    from costline.kernels.tables import SYSTEMS, files_hash, files_of, installed, package_version

    known = [chip for chip, _ in SYSTEMS.values()]
    for chip in chips:
        if chip not in known:
            raise UnknownNameError("chip with measured kernels", chip, known, listed=known)
    folder = None if write is None else writable(write)
    files = files_of(installed(), chips)
    source = source_of(package_version(), files_hash(files))
    read, catalogue = read_files(files), Catalogue()
    note(f"fitting {sum(len(each.seconds) for each in read.samples):,} calls of {len(read.samples)} kernels; minutes")
    fitted = list(fit_all(read.samples, {name: catalogue.chip(name) for name in known}))
    if json:
        write_json(as_dict(fitted, read.left_out, source))
    else:
        _show(fitted, read.left_out, source)
    if folder is not None:
        text = kernel_csv(kernel_rows(fitted, dt.datetime.now(dt.UTC).date().isoformat(), source))
        (folder / KERNELS.name).write_text(text, "utf-8")
        note(f"wrote {KERNELS.name} to {folder}")
    return 0


def _show(fitted: Sequence[Fitted], left_out: Mapping[str, int], source: str) -> None:
    screen = console()
    for chip in dict.fromkeys(each.chip for each in fitted):
        heading = f"{chip:29}{'rows':>8}{'in':>9}{'out':>9}{'sourced':>11}{'engines':>11}"
        screen.print(heading, style="bold")
        for each in fitted:
            if each.chip == chip:
                screen.print(scores(each))
                screen.print(f"  {described(each.values)}", style="dim")
        screen.print("")
    screen.print(LEGEND, style="dim")
    if reasons := [f"{count:,} {reason}" for reason, count in left_out.items() if count]:
        screen.print(f"rows left out: {'; '.join(reasons)}", style="dim")
    for part in source.split("; ")[1:]:
        screen.print(part, style="dim")


def scores(each: Fitted) -> str:
    """Errors of one kernel in one format, in per cent."""
    errors = (each.in_sample, each.held_out, each.sourced, each.software)
    cells = ["-" if pair is None else f"{100 * pair[0]:.0f} / {100 * pair[1]:.0f}" for pair in errors]
    widths = (9, 9, 11, 11)
    name = f"{each.kernel} {each.format}"
    return f"{name:29}{each.rows:8,}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def described(values: Sequence[Value]) -> str:
    """Values of one kernel; times in microseconds.

    Examples
    --------
    >>> from costline.accuracy.kernels.fit import Value
    >>> described([Value("gemm", "", 0.8321, 0.8, 0.9, "1"), Value("launch", "vllm", 3e-6, 2e-6, 4e-6, "s")])
    'peak 0.83, us vllm 3.0'
    """
    parts: dict[str, list[str]] = {}
    for value in values:
        name = SHORT.get(value.name, value.qualifier if value.name == "gemm_half" else value.name)
        size = value.value * (1e9 if value.name == "attention_block" else 1e6 if value.unit == "s" else 1.0)
        figure = f"{size:.0f}" if size >= 10 or value.name == "gemm_half" else f"{size:.1f}"
        figure = figure if value.unit in {"s", "call"} or value.name == "gemm_half" else f"{size:.2f}"
        parts.setdefault(name, []).append(
            f"{value.qualifier} {figure}" if value.name in {"launch", "dispatch"} else figure
        )
    return ", ".join(f"{name} {' '.join(figures)}" for name, figures in parts.items())
