"""``costline accuracy``."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from cyclopts import Group as Panel

from costline.cli.accuracy_fit import writable
from costline.cli.terminal import console, note, write_json
from costline.errors import InputError, UnknownNameError
from costline.kernels import Kernels, read_kernels

if TYPE_CHECKING:
    from costline.accuracy.rows import Measurement, Measurements
    from costline.accuracy.summary import Group, Report
    from costline.hardware.efficiency import Efficiency
    from costline.report.accuracy import Line

app = App(help="Predictions against published measurements.")
app.command("costline.cli.accuracy_fit:fit", name="fit")

OUTPUT = Panel("Output", sort_key=90)
Switch = Annotated[bool, Parameter(negative="", group=OUTPUT, show_default=False)]
LEGEND = (
    "med: median; bias: predicted over measured time, + is too slow;",
    "in: share inside the bracket; 80 %: share inside the 80 % interval, drawn from\nheld-out errors of other groups;",
    "out: median/p90 with a row's model, chip and software left out of the fit, and\n"
    "80 %: share inside the interval then: expect these; the columns before them are\n"
    "in-sample;",
    "mfu, seed, roof: median error of one utilisation for each chip (that of the\n"
    "other configurations), of the article's rule, of 0.5 peak or 0.7 bandwidth",
)
"""What the columns are; the second is of rows that were not fitted, the third of those that were."""
IN_SAMPLE = "the coefficients were fitted to the scored rows"
SHORT = {"roofline": "roof"}
MOST_LINES = 12
"""Groups of one grouping that are printed; JSON has them all."""
SCORES = ("median", "mean", "p90", "bias", "within_10", "within_20", "inside", "coverage")


@app.default
def accuracy(
    *,
    measurements: Annotated[tuple[Path, ...], Parameter(negative="", consume_multiple=True)] = (),
    by: str = "table,target",
    kernels: Kernels = "model",
    explain: Annotated[str | None, Parameter(group=OUTPUT)] = None,
    csv: Annotated[Path | None, Parameter(group=OUTPUT)] = None,
    report: Annotated[Path | None, Parameter(negative="", group=OUTPUT)] = None,
    write: Annotated[Path | None, Parameter(negative="", group=OUTPUT)] = None,
    unscored: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    all: Switch = False,
    json: Switch = False,
    plain: Switch = False,
) -> int:
    """Predict published measurements and say how far off.

    Parameters
    ----------
    measurements
        Files of your own with the columns of a shipped table, or "unseen": those that no fit has read; default all
        that were fitted.
    by
        Groupings: table, target, family, chip, software, metric, model, chips, batch, sequence, precision.
    kernels
        measured: kernels interpolated from the tables of the extra "kernels", where serving ran on a chip they cover.
    explain
        A row: its prediction as a tree, beside the measurement.
    csv
        Write one line a row to this file.
    report
        Write a report with pictures to this folder: index.md, index.html and SVG files.
    write
        With --kernels measured: folder to write measurements/measured_kernels.csv to, the errors that answers with
        measured kernels take their intervals from.
    unscored
        Also rows whose source leaves too much open to be scored.
    all
        Every group, however small.
    json
        JSON with a versioned layout.
    plain
        No colour.
    """
    from costline.catalogue import shipped

    if write is not None and (measurements or not read_kernels(kernels)):
        raise InputError(
            "--write goes with --kernels measured, of the shipped rows; costline accuracy fit writes the rest"
        )
    kept = None if write is None else writable(write / "measurements")
    tables = _read(measurements)
    efficiency = shipped.efficiency()
    if read_kernels(kernels):
        from costline.kernels.measured import MeasuredKernels

        tables, efficiency = _on_measured_chips(tables), efficiency.asking(MeasuredKernels())
    if explain is not None:
        if csv is not None or json:
            raise InputError("--explain prints one prediction in words; leave out --csv and --json")
        return _explain(tables, explain, efficiency, plain, in_sample=not measurements)
    from costline.accuracy.groups import DIMENSIONS
    from costline.accuracy.summary import as_dict
    from costline.accuracy.summary import report as scored

    names = [name.strip() for name in by.split(",") if name.strip()]
    for name in names:
        if name not in DIMENSIONS:
            raise UnknownNameError("grouping", name, DIMENSIONS, listed=DIMENSIONS)
    if report is not None:
        names = list(dict.fromkeys((*names, "target")))
    fitted = not measurements and efficiency.kernels is None
    made = scored(tables, efficiency, names, unscored=unscored, in_sample=fitted)
    if csv is not None:
        _write_csv(csv, made)
    if kept is not None:
        _write_cases(kept, made)
    if report is not None and made.predicted:
        _write_report(report, made, own=bool(measurements))
    if json:
        write_json(as_dict(made))
    else:
        _show(made, plain, MOST_LINES if not all else len(made.rows))
    return 0 if made.predicted else 1


def _read(files: Sequence[Path]) -> list[Measurements]:
    """The tables; what is odd about a file of the user's is said on stderr."""
    from costline.accuracy.rows import UNSEEN, all_shipped, all_unseen, read_measurements

    if not files:
        return list(all_shipped())
    tables: list[Measurements] = []
    for file in files:
        if str(file) == UNSEEN:
            tables.extend(all_unseen())
            continue
        table = read_measurements(file)
        for remark in (*table.warnings, *table.faults):
            note(f"{file}: {remark}")
        tables.append(table)
    return tables


def _show(made: Report, plain: bool, most: int) -> None:
    from costline.report.accuracy import refusal_table, score_table

    screen = console()
    screen.no_color = screen.no_color or plain
    screen.print(f"{made.predicted:,} of {len(made.rows):,} rows predicted; errors in per cent")
    if made.in_sample:
        screen.print(f"in-sample but for column out: {IN_SAMPLE}")
    for name, groups in made.groups.items():
        if not groups:
            continue
        lines = [_line(group) for group in groups]
        screen.print(score_table(f"by {name}", lines[:most], screen.width))
        screen.print("")
        if len(lines) > most:
            screen.print(f"  {len(lines) - most} smaller groups: --all", style="dim")
    if made.predicted:
        screen.print("\n".join([LEGEND[0], LEGEND[2 if made.in_sample else 1], LEGEND[3]]), style="dim")
    reasons = made.refused.most_common()
    if reasons:
        screen.print("not predicted:")
        screen.print(refusal_table(reasons[:most]))
        if len(reasons) > most:
            screen.print(f"  {len(reasons) - most} rarer reasons: --all", style="dim")


def _line(group: Group) -> Line:
    from costline.accuracy.summary import TARGETS
    from costline.report.accuracy import Line

    rivals = {SHORT.get(name, name): None if one is None else one.median for name, one in group.rivals.items()}
    scores = [getattr(group.own, name) for name in SCORES]
    out = None if group.held_out is None else (group.held_out.median, group.held_out.p90, group.held_out.coverage)
    return Line(label=group.label, rows=group.own.rows, scores=scores, rivals=rivals,
                target=TARGETS.get(group.label), held_out=out)  # fmt: skip


def _write_csv(path: Path, made: Report) -> None:
    from costline.accuracy.summary import lines

    rows = lines(made)
    names = ("id", "metric", "measured", "predicted", "low", "high", "ape", "reason")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    note(f"{path}: {len(rows):,} rows{f'; in-sample: {IN_SAMPLE}' if made.in_sample else ''}")


def _write_cases(folder: Path, made: Report) -> None:
    from costline.accuracy.intervals import scored_csv
    from costline.catalogue.validated_table import MEASURED

    path = folder / MEASURED.name
    path.write_text(scored_csv(made.rows), "utf-8")
    note(f"wrote {path}")


def _write_report(folder: Path, made: Report, *, own: bool) -> None:
    """The page as Markdown and as HTML, and each picture as a file."""
    from costline.accuracy.evidence import own_evidence, shipped_evidence
    from costline.accuracy.page import page
    from costline.report.page import Picture, html, markdown

    blocks = page(own_evidence(made) if own else shipped_evidence(made))
    pictures = [block for block in blocks if isinstance(block, Picture)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.md").write_text(markdown(blocks), "utf-8")
        (folder / "index.html").write_text(html(blocks, "How accurate costline is"), "utf-8")
        for picture in pictures:
            (folder / f"{picture.name}.svg").write_text(picture.svg, "utf-8")
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    note(f"{folder}: index.md, index.html and {len(pictures)} pictures")


def _on_measured_chips(tables: Sequence[Measurements]) -> list[Measurements]:
    """Rows of serving on chips whose kernels were measured."""
    from costline.kernels.measured import CHIPS

    serving = [table for table in tables if table.table == "serve"]
    kept = [replace(table, rows=tuple(row for row in table.rows if row.conditions.chip in CHIPS)) for table in serving]
    note(f"rows of serving on {', '.join(CHIPS)}")
    return kept


def _explain(
    tables: Sequence[Measurements], wanted: str, efficiency: Efficiency, plain: bool, *, in_sample: bool
) -> int:
    """Print one row: what it states, what was assumed, the prediction as a tree, the measurement."""
    from costline.accuracy.explain import explained
    from costline.accuracy.refusal import Refusal
    from costline.report.explain import derivation

    row = _row(tables, wanted)
    screen = console()
    screen.no_color = screen.no_color or plain
    found = explained(row, efficiency, in_sample=in_sample and efficiency.kernels is None)
    if isinstance(found, Refusal):
        screen.print(f"{row.id} is not predicted: {found.reason}")
        return 1
    screen.print(found.title, style="bold")
    screen.print("; ".join(f"{name} {value}" for name, value in found.inputs.items()), style="dim")
    screen.print(derivation(found))
    return 0


def _row(tables: Sequence[Measurements], wanted: str) -> Measurement:
    known = {row.id: row for table in tables for row in table.rows}
    if wanted not in known:
        raise UnknownNameError("row", wanted, known)
    return known[wanted]
