"""``costline sweep``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from costline.cli.terminal import console, note
from costline.errors import InputError
from costline.report.values import text
from costline.sweep.pool import available, cluster, processes
from costline.sweep.run import Outcome, Progress, Workers, run
from costline.sweep.scenario import Scenario, read_scenario

app = App(help="Grids and samples over any inputs, streamed to Parquet; and questions about them.")

ALONE = 20_000
"""Points that this process works out itself, as starting others takes longer; fewer where plans are compared."""
CALLS_ALONE = 100
"""Calls of a study that this process makes itself."""


Text = Annotated[str, Parameter(show_default=False)]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]


@app.default
def sweep(
    scenario: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    workers: int | None = None,
    cluster: str | None = None,
    quiet: Flag = False,
) -> int:
    """Run a scenario into a folder; the same command goes on after any interruption.

    Parameters
    ----------
    scenario
        TOML file: study, [inputs], [axes], samples, seed, figures.
    output
        Folder of the result, one Parquet file a block.
    workers
        Processes; default one a processor.
    cluster
        dask scheduler, tcp://host:8786, or local.
    quiet
        No progress on stderr.
    """
    asked = read_scenario(scenario)
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: 1 at least")
    if not quiet:
        note(size(asked))
    outcome = _run(asked, output, workers, cluster, quiet)
    if not quiet:
        note(summary(outcome, output))
    return 0


def size(scenario: Scenario) -> str:
    """What a scenario asks for, before any work."""
    figures = len(scenario.figures or scenario.asked.figures)
    most = scenario.points * 8 * (figures + len(scenario.axes) + 1)
    calls = scenario.points // scenario.inner
    dimensions = [f"{axis.name} {axis.size:,}" for axis in (*scenario.called, *scenario.arrays)]
    dimensions += [f"samples {scenario.samples:,}"] if scenario.random else []
    words = f"{scenario.points:,} points ({' x '.join(dimensions)}), {figures} figures, at most {text(most, 'byte')}"
    if calls > CALLS_ALONE and scenario.inner < 1000:
        words += f"; {calls:,} calls of {scenario.inner:,} points each"
    return words if scenario.plan_stated else f"{words}; plans are compared at each point"


def summary(outcome: Outcome, folder: Path) -> str:
    """What a run did."""
    new = outcome.points - outcome.found
    before = f", {outcome.found:,} were there" if outcome.found else ""
    rate = f" ({new / outcome.seconds:,.0f} a second)" if new else ""
    return f"{new:,} points in {text(outcome.seconds, 's')}{rate}{before}; costline sweep show {folder}"


def _run(asked: Scenario, output: Path, count: int | None, address: str | None, quiet: bool) -> Outcome:
    if address is not None:
        with cluster(address) as (executor, waiting, alive), _progress(quiet) as progress:
            return run(asked, output, workers=executor, waiting=waiting, alive=alive, progress=progress)
    count = count or available()
    small = asked.points <= (ALONE if asked.plan_stated else ALONE // 16) and asked.points // asked.inner <= CALLS_ALONE
    workers: Workers = None if count == 1 or small else partial(processes, count)
    with _progress(quiet) as progress:
        return run(asked, output, workers=workers, waiting=2 * count, progress=progress)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """A bar with rate and time left on a terminal; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda kept, points: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(24), TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("sweep", total=None, rate="")

        def show(kept: int, points: int) -> None:
            speed = bar.tasks[task].speed
            rate = f"{kept:,} points" + (f", {speed:,.0f} a second" if speed else "")
            if bar.tasks[task].total is None:  # what an earlier run kept is no part of this run's rate
                bar.reset(task, total=points, completed=kept, rate=rate)
            else:
                bar.update(task, completed=kept, rate=rate)

        yield show


@app.command
def show(
    folder: Path,
    /,
    *,
    where: Text = "",
    group: Text = "",
    best: Text = "",
    pareto: Text = "",
    columns: Text = "",
    plot: Text = "",
    svg: Path | None = None,
    limit: int = 12,
    all: Flag = False,
    json: Flag = False,
    csv: Flag = False,
) -> int:
    """Ask a sweep: filter, group, best of each group, Pareto front, picture.

    Parameters
    ----------
    folder
        Folder of a sweep, finished or not.
    where
        Conditions: "tpot < 50ms, precision = fp8".
    group
        Axes to group by: "precision, batch".
    best
        Best point, of each group: "min cost_output".
    pareto
        Points not beaten in every goal: "min cost_output, min tpot".
    columns
        Columns to print.
    plot
        x, y and, if wanted, what sets series apart: "batch, tpot, precision".
    svg
        Write the picture to this file.
    limit
        Rows to print; 0 prints all.
    all
        Points that do not fit too.
    json, csv
        For programs: SI units.
    """
    from costline.cli.sweep_show import Wanted, answer
    from costline.cli.terminal import either

    either(json=json, csv=csv)
    return answer(
        folder,
        Wanted(
            where=where, group=_names(group), best=best, pareto=pareto, columns=_names(columns), plot=_names(plot),
            svg=svg, limit=limit, infeasible=all, json=json, csv=csv,
        ),
    )  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
