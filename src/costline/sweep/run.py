"""Sweeps run: blocks handed to any executor, kept as they come back, whatever happens in between."""

from __future__ import annotations

import concurrent.futures
import errno
import functools
import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from costline.errors import CostlineError, InputError, PlanError, UnknownNameError
from costline.estimate import Estimate
from costline.sweep.arrow import Column, columns_of, encode, pyarrow
from costline.sweep.evaluate import axis_columns, evaluate, figure_value, find, nested
from costline.sweep.scenario import Scenario
from costline.sweep.store import Folder, Manifest

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the points that are kept and the points in all."""
Workers: TypeAlias = Executor | Callable[[], Executor] | None
"""Who works: an executor; a function that makes one, and a new one if it breaks; None for this very process."""

BREAKS = 3
"""Times in a row that an executor may break without one block coming back."""
PATIENCE = 30.0
"""Time without a block after which it is asked whether anyone is left to work. [s]"""
TRIED = 200
"""Values of called axes that are tried before any work."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know."""

    scenario: Scenario
    columns: tuple[Column, ...]
    environment: str
    mark: str


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes
    ----------
    points, found : int
        Points in all, and those that an earlier run had kept.
    seconds : float
        Time of this run. [s]
    """

    points: int
    found: int
    seconds: float


@functools.cache
def environment() -> str:
    """Hash of costline, its tables and the libraries that decide the last bit of a result."""
    total = hashlib.sha256(f"numpy {np.__version__} pyarrow {pyarrow().__version__}".encode())
    root = Path(__file__).resolve().parent.parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".csv", ".json", ".toml"}):
        total.update(path.relative_to(root).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def work(job: Job, number: int) -> bytes:
    """One block, as the bytes of its file; a function of its arguments and nothing else.

    Raises
    ------
    InputError
        This process runs another costline, or finds other files, than the one that began the sweep.
    """
    if environment() != job.environment:
        raise InputError("a worker has another costline, NumPy or pyarrow than the process that runs the sweep")
    try:
        figures = tuple(column.name for column in job.columns if column.role == "figure")
        block = evaluate(job.scenario, figures, *job.scenario.span(number))
    except CostlineError as error:  # its own kind may not survive the way back between processes
        raise InputError(str(error)) from None
    return encode(block, job.scenario, job.columns, job.mark)


def prepare(scenario: Scenario, folder: Folder) -> Manifest:
    """Check everything that can be checked before any work.

    Raises
    ------
    InputError
        A value that the study cannot read, an unknown figure, a result larger than the disk.
    """
    wanted = scenario.figures or scenario.asked.figures
    size = scenario.points * 8 * (len(wanted) + len(scenario.axes) + 1)
    if size > (free := folder.free()) and not (folder.path / "_manifest.json").exists():
        raise InputError(
            f"{scenario.points:,} points of {len(wanted)} figures take up to {_gigabytes(size)}, "
            f"and {_gigabytes(free)} are free: fewer points, fewer figures or samples"
        )
    answers = [_first_answer(scenario), *_try_values(scenario)]
    units = {name: unit for name in wanted if (unit := _unit(answers, name, bool(scenario.figures))) is not None}
    return Manifest(
        scenario=scenario.plain(),
        digest=scenario.digest,
        environment=environment(),
        points=scenario.points,
        block=scenario.block,
        blocks=scenario.blocks,
        columns=columns_of(scenario, units),
    )


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.3g} GB"


def _unit(answers: Sequence[Estimate], name: str, asked: bool) -> str | None:
    """Unit of a figure; None for one of the usual figures that none of the answers has, as an image has no seconds."""
    problem: UnknownNameError | None = None
    for answer in answers:
        try:
            figure_value(answer, name)
        except UnknownNameError as error:
            problem = problem or error
        else:
            return "" if name.startswith("plan.") else find(answer, name.partition(".")[0]).unit
    if asked and problem is not None:
        raise problem
    return None


def _first_answer(scenario: Scenario) -> Estimate:
    """Answer of the first point that has one; a plan that contradicts a machine is passed over."""
    problem: CostlineError | None = None
    step = max(1, scenario.points // TRIED)
    for point in itertools.islice(range(0, scenario.points, step), TRIED):
        try:
            return _ask(scenario, _values(scenario, point))
        except PlanError as error:
            problem = problem or error
    raise problem or InputError("no point of the sweep can be answered")


def _try_values(scenario: Scenario) -> Iterator[Estimate]:
    """Ask about every word and both ends of the numbers of each axis, so that what cannot be read is said at once."""
    base = _values(scenario, 0)
    for axis in scenario.axes:
        if axis.random:
            continue
        count = len(axis.words)
        for place in range(min(count, TRIED)) if count else {0, axis.size - 1}:
            try:
                yield _ask(scenario, base | {axis.name: axis.value(place)})
            except PlanError:  # impossible here, perhaps possible elsewhere on the grid
                continue
            except InputError as error:
                raise InputError(f"axis {axis.name}: {error}") from None


def _values(scenario: Scenario, point: int) -> dict[str, str | bool | int | float]:
    """Values of the axes at one point, as the study takes them."""
    columns = axis_columns(scenario, np.array([point]))
    values: dict[str, str | bool | int | float] = {}
    for axis in scenario.axes:
        number = float(columns[axis.name][0])
        values[axis.name] = axis.words[int(number)] if axis.words else int(number) if axis.whole else number
    return values


def _ask(scenario: Scenario, values: dict[str, str | bool | int | float]) -> Estimate:
    return scenario.asked.question(**nested(scenario.inputs, values))


def run(
    scenario: Scenario,
    folder: Path | str,
    *,
    workers: Workers = None,
    waiting: int = 4,
    alive: Callable[[], bool] = lambda: True,
    progress: Progress = lambda kept, points: None,
) -> Outcome:
    """Run a sweep, or what is missing of it.

    Parameters
    ----------
    scenario : Scenario
        What is asked.
    folder : Path or str
        Where the blocks go; a sweep begun there is continued.
    workers : Executor, callable or None
        Any ``concurrent.futures.Executor``, a function that makes one, or None to work in this process.
    waiting : int
        Blocks handed out at a time: about twice the number of workers.
    alive : callable
        Whether any worker is left; asked when no block has come back for a while.
    progress : callable
        Called with points kept and points in all.

    Returns
    -------
    Outcome
        How much there was to do.

    Raises
    ------
    InputError
        What `prepare` refuses, the folder is another sweep's, or no worker is left.
    OSError
        The disk is full; what is kept stays.
    """
    started = time.perf_counter()
    place = Folder(Path(folder))
    manifest = prepare(scenario, place)
    job = Job(replace(scenario), manifest.columns, manifest.environment, manifest.mark)
    with place.locked():
        place.begin(manifest)
        done = place.finished(manifest)
        found = kept = sum(manifest.rows(number) for number in done)
        progress(kept, manifest.points)
        missing = [number for number in range(manifest.blocks) if number not in done]
        for number, body in _worked(job, missing, workers, waiting, alive):
            _keep(place, number, body, kept)
            kept += manifest.rows(number)
            progress(kept, manifest.points)
    return Outcome(manifest.points, found, time.perf_counter() - started)


def _keep(place: Folder, number: int, body: bytes, kept: int) -> None:
    try:
        place.keep(number, body)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            hint = f"no space is left; {kept:,} points are kept, and the same command goes on from there"
            raise OSError(error.errno, hint, str(place.path)) from None
        raise


def _worked(
    job: Job, numbers: list[int], workers: Workers, waiting: int, alive: Callable[[], bool]
) -> Iterator[tuple[int, bytes]]:
    """Blocks as they are finished, at most `waiting` of them on their way at a time."""
    if workers is None:
        yield from ((number, work(job, number)) for number in numbers)
        return
    missing = dict.fromkeys(numbers)
    breaks = 0
    while missing:
        with _opened(workers) as executor:
            try:
                for number, body in _handed_out(executor, job, list(missing), waiting, alive):
                    del missing[number]
                    breaks = 0
                    yield number, body
            except (BrokenExecutor, CancelledError) as error:
                breaks += 1
                if isinstance(workers, Executor) or breaks >= BREAKS:
                    why = str(error) or "the work was cancelled"
                    raise InputError(f"the workers are gone ({why}); the same command goes on from here") from None


@contextmanager
def _opened(workers: Executor | Callable[[], Executor]) -> Iterator[Executor]:
    """The caller's executor, left open; or one of our own, closed without waiting for what it still does."""
    if isinstance(workers, Executor):
        yield workers
        return
    executor = workers()
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _handed_out(
    executor: Executor, job: Job, numbers: Iterable[int], waiting: int, alive: Callable[[], bool]
) -> Iterator[tuple[int, bytes]]:
    left = iter(numbers)
    busy: dict[Future[bytes], int] = {}
    try:
        while True:
            for number in itertools.islice(left, waiting - len(busy)):
                busy[executor.submit(work, job, number)] = number
            if not busy:
                return
            finished, _ = concurrent.futures.wait(busy, PATIENCE, concurrent.futures.FIRST_COMPLETED)
            if not finished and not alive():
                raise BrokenExecutor(f"none answers, and no block came back for {PATIENCE:.0f} s")
            for future in sorted(finished, key=busy.__getitem__):
                yield busy.pop(future), future.result()
    finally:
        for future in busy:
            future.cancel()
