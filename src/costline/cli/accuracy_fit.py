"""``costline accuracy fit``."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from costline.cli.terminal import console, note
from costline.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from costline.catalogue.standing_table import Standing


def fit(
    *,
    folds: int = 5,
    processes: int = 2,
    write: Annotated[Path | None, Parameter(negative="")] = None,
    kernels: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    chip: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    json: Annotated[bool, Parameter(negative="", show_default=False)] = False,
) -> int:
    """Refit the coefficients from the shipped measurements; minutes, and always the same result.

    With --kernels, from the measured kernels of the optional package aiconfigurator-core instead: shares of peak and
    of bandwidth, half-performance lengths, launches and links, with their errors on shapes not fitted to.

    Parameters
    ----------
    folds
        Folds of cross-validation by model, chip and software.
    processes
        Processes to use.
    write
        Folder to write adjustments.csv, measurements/held_out.csv and measurements/accuracy.csv to; in the folder of
        the shipped data they count. With --kernels, to write kernels.csv to.
    kernels
        Fit kernels one by one; needs the extra "kernels".
    chip
        With --kernels: only these chips.
    json
        With --kernels: JSON with a versioned layout.
    """
    if kernels:
        from costline.cli.accuracy_kernels import fit_kernels

        return fit_kernels(chip, write, json)
    if chip or json:
        raise InputError("--chip and --json go with --kernels; the fit of whole jobs takes all chips together")
    if folds < 2 or processes < 1:
        raise InputError(f"--folds {folds} --processes {processes}: write 2 folds or more, and 1 process or more")
    beside = None if write is None else writable(write / "measurements")
    from costline.accuracy.refit import refit
    from costline.accuracy.rows import TABLES, all_shipped
    from costline.accuracy.shipping import data_hash, to_csv
    from costline.catalogue.coefficient_table import ADJUSTMENTS
    from costline.catalogue.standing_table import STANDING, standing_csv
    from costline.catalogue.table import DATA
    from costline.catalogue.validated_table import VALIDATED

    rows = [row for table in all_shipped() for row in table.rows if row.scored]
    digest = data_hash(DATA / "measurements" / f"{table}.csv" for table in TABLES)
    note(f"fitting {len(rows):,} scored rows, sha256 {digest}; this takes minutes")
    done = refit(rows, dt.datetime.now(dt.UTC).date().isoformat(), digest, folds=folds, processes=processes)
    screen = console()
    screen.print(_table(done.standing))
    screen.print(f"{len(done.adjustments):,} adjustments from {done.rows:,} rows that can be predicted")
    if write is not None and beside is not None:
        (write / ADJUSTMENTS.name).write_text(to_csv(done.adjustments), "utf-8")
        (beside / VALIDATED.name).write_text(done.validated, "utf-8")
        (beside / STANDING.name).write_text(standing_csv(done.standing), "utf-8")
        note(f"wrote {ADJUSTMENTS.name}, measurements/{VALIDATED.name} and measurements/{STANDING.name} to {write}")
    return 0


def writable(path: Path) -> Path:
    """A folder, made and known to be writable before minutes of work depend on it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--write: {path}: {error.strerror or error}") from None
    if not os.access(path, os.W_OK):
        raise InputError(f"--write: {path}: cannot be written to")
    return path


def _table(standing: Sequence[Standing]) -> Table:
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="absolute error in %: median / 90th percentile")
    made.add_column("target")
    for heading in ("rows", "sourced", "in-sample", "unseen\ngroup", "unseen\nchip"):
        made.add_column(heading, justify="right")
    for row in standing:
        columns = (row.errors.get(way) for way in ("sourced", "in_sample", "unseen_group", "unseen_chip"))
        cells = ["-" if pair is None else f"{100 * pair[0]:.0f} / {100 * pair[1]:.0f}" for pair in columns]
        made.add_row(row.target, f"{row.rows:,}", *cells)
    return made
