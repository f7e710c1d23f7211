"""The answer on a terminal: headline, one table, what was assumed, what to ask next. Fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from costline.estimate import Assumption, Estimate, Figure
from costline.numeric import some
from costline.report.values import bracket, interval, label, text

HEADLINES = {
    "train": ("time", "cost", "mfu"),
    "serve": ("output_rate", "tpot", "ttft", "cost_output"),
    "generate": ("time", "cost", "cost_per_second", "api_price"),
    "caption": ("time", "cost", "cost_per_clip"),
    "chip cost": ("materials", "making", "price"),
}
"""Figures of the first line, by study."""

ROWS = {
    "train": (
        "step", "flops_6nd", "flops_exact", "flops_hardware", "mfu_full", "hfu", "tokens_per_second_per_chip", "memory",
        "goodput", "energy", "carbon",
    ),
    "serve": (
        "latency", "total_rate", "prefill_mfu", "decode_mfu", "decode_mbu", "memory", "largest_batch",
        "largest_context", "cost_input", "energy_output",
    ),
    "generate": (
        "tokens", "evaluations", "flops", "attention_share", "mfu", "clips_per_hour", "images_per_hour",
        "memory", "energy", "carbon",
    ),
    "caption": (
        "clips", "input_tokens", "output_tokens", "flops", "prefill_mfu", "decode_mbu", "batch", "memory", "api_cost",
    ),
    "chip cost": ("die", "yield", "dies_per_wafer", "embodied"),
}  # fmt: skip
"""Figures of the table, by study."""


def answer(estimate: Estimate, *, plain: bool = False) -> RenderableType:
    """The whole answer."""
    blocks: list[RenderableType] = [Text(estimate.title, style="bold")]
    if estimate.feasible is False:
        blocks.append(Text(f"does not fit: {estimate.reason}", style="bold red"))
        blocks.append(Text(estimate.change, style="yellow"))
    headline = HEADLINES.get(estimate.study, tuple(estimate.figures)[:3])
    blocks.append(_headline([estimate.figures[name] for name in headline if name in estimate.figures]))
    first = estimate.figures[headline[0]]
    if first.children:
        blocks.append(_parts(first, bars=not plain))
    rows = [estimate.figures[name] for name in ROWS.get(estimate.study, ()) if name in estimate.figures]
    blocks.append(_table(rows))
    blocks.extend(notes(estimate))
    return Group(*blocks)


def _headline(figures: Iterable[Figure]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(style="bold green", justify="right")
    table.add_column(style="dim")
    said = ""
    for figure in figures:
        between = bracket(figure.low, figure.high, figure.unit)
        if figure.interval is not None:
            between = f"{'' if said else '80 %: '}{interval(*figure.interval, figure.unit)}"
            said = between
        remark = "; ".join(part for part in (between, figure.note) if part)
        table.add_row(label(figure.name), text(figure.value, figure.unit), remark)
    return table


def _parts(figure: Figure, *, bars: bool) -> Table:
    """What the first figure is made of, with bars."""
    leaves = [child for child in figure.children if child.value is not None and child.combine != "beside"]
    whole = sum(float(_mean(child.value)) for child in leaves) or 1.0
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "right", "left"):
        table.add_column(justify=justify)
    for child in leaves:
        share = float(_mean(child.value)) / whole
        if share >= 0.0005:
            bar = Text("█" * max(1, round(24 * share)) if bars else "", style="cyan")
            table.add_row(f"  {child.name}", text(child.value, child.unit), f"{share:.0%}", bar)
    return table


def _mean(value: object) -> float:
    import numpy as np

    return float(np.mean(np.asarray(value, dtype=float)))


def _table(figures: Iterable[Figure]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim", overflow="fold")
    for figure in figures:
        remark = figure.note
        if figure.name == "memory":
            held = [child for child in figure.children if child.value is None or some(child.value)]
            inside = ", ".join(f"{child.name} {text(child.value, child.unit)}" for child in held)
            remark = f"of {text(figure.high, figure.unit)}: {inside}"
        table.add_row(label(figure.name), text(figure.value, figure.unit), remark)
    return table


def notes(estimate: Estimate) -> Iterable[Text]:
    """Warnings, assumptions and how many coefficients, a line each."""
    for warning in estimate.warnings:
        yield Text(f"! {warning}", style="yellow")
    coefficients = [row for row in estimate.assumptions if row.kind.startswith("coefficient")]
    for row in sorted(estimate.assumptions, key=lambda row: row.name != "nearest"):
        if row not in coefficients:
            yield Text(f"· {assumption(row)}", style="dim")
    if coefficients:
        assumed = sum(row.kind.endswith("assumed") for row in coefficients)
        fitted = sum(row.kind.endswith("fitted") for row in coefficients)
        words = f"{len(coefficients)} coefficients, {fitted} fitted, {assumed} assumed: --explain lists them"
        yield Text(f"· {words}", style="dim")


def assumption(row: Assumption) -> str:
    """An assumption in a line."""
    unit = "ratio" if row.unit == "1" and isinstance(row.value, int | float) and row.value > 1 else row.unit  # no share
    shown = text(row.value, unit) if isinstance(row.value, int | float) else str(row.value)
    return f"{row.name}: {shown}" + (f" ({row.kind})" if row.kind else "")
