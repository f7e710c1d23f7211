"""Sweeps that are killed, moved and shared out give the same bytes as one that nobody disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context

import psutil
import pytest

from costline.errors import InputError
from costline.sweep import make_scenario, read_scenario, run
from costline.sweep.pool import processes
from costline.sweep.run import Job, environment, prepare, work
from costline.sweep.store import Folder

from .conftest import contents, grid

SEVERAL = """
study = "serve"
figures = ["tpot", "cost_output"]

[inputs]
model = "llama-3.1-8b"
plan = "tensor=1, pipeline=1, expert=1"

[axes]
precision = ["bf16", "fp8"]
on = [{chips}]
price = ["$1/h", "$2/h"]
""".format(chips=", ".join(f'"{number}xh100-sxm"' for number in range(1, 321)))
"""1280 points, 640 calls of a study, 5 blocks."""


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "scenario.toml"
    path.write_text(SEVERAL)
    return path


@pytest.fixture(scope="module")
def undisturbed(scenario_file, tmp_path_factory):
    """Blocks of a run in one process that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    run(read_scenario(scenario_file), folder)
    return contents(folder)


def command(scenario, folder, *options):
    return [sys.executable, "-m", "costline", "sweep", str(scenario), "-o", str(folder), *options]


def wait_for(happened, seconds=60):
    """Wait until something happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def blocks(folder):
    return len(list(folder.glob("block-*.parquet")))


def test_the_scenario_has_several_blocks(undisturbed):
    assert len(undisturbed) == 5


@pytest.mark.parametrize("executor", [partial(ThreadPoolExecutor, 3), partial(processes, 2)])
def test_any_executor_gives_the_same_bytes(executor, scenario_file, undisturbed, tmp_path):
    seen = []
    with executor() as workers:
        run(read_scenario(scenario_file), tmp_path / "out", workers=workers, progress=lambda kept, _: seen.append(kept))
    assert contents(tmp_path / "out") == undisturbed
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1280)


class Late(Executor):
    """Finishes its tasks in the wrong order."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, /, *arguments):
        future = Future()
        self.waiting.append((future, function, arguments))
        if len(self.waiting) == 2:
            for one, task, given in reversed(self.waiting):
                one.set_result(task(*given))
            self.waiting.clear()
        return future


def test_the_order_of_results_does_not_matter(tmp_path, monkeypatch, kept):
    monkeypatch.setattr("costline.sweep.scenario.BLOCK", 21)
    run(grid(), tmp_path / "one")
    run(grid(), tmp_path / "two", workers=Late(), waiting=2)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert blocks(tmp_path / "two") == 6
    assert blocks(kept) == 1


class Breaking(Executor):
    """Works out so many blocks and breaks."""

    def __init__(self, good):
        self.good = good

    def submit(self, function, /, *arguments):
        future = Future()
        self.good -= 1
        if self.good < 0:
            future.set_exception(BrokenExecutor("killed"))
        else:
            future.set_result(function(*arguments))
        return future


def test_a_pool_that_breaks_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("costline.sweep.scenario.BLOCK", 21)
    made = []

    def pool():
        made.append(Breaking(2))
        return made[-1]

    run(grid(), tmp_path / "out", workers=pool, waiting=1)
    assert len(made) == 3
    run(grid(), tmp_path / "one")
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


def test_a_pool_that_only_breaks_is_given_up_and_what_is_kept_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("costline.sweep.scenario.BLOCK", 21)
    pools = iter([Breaking(2), Breaking(0), Breaking(0), Breaking(0)])
    with pytest.raises(InputError, match="the workers are gone"):
        run(grid(), tmp_path / "out", workers=lambda: next(pools), waiting=1)
    assert blocks(tmp_path / "out") == 2
    with pytest.raises(InputError, match="goes on from here"):
        run(grid(), tmp_path / "out", workers=Breaking(1))
    assert run(grid(), tmp_path / "out").found == 3 * 21


class Silent(Executor):
    """Takes work and gives nothing back, as a cluster whose workers are gone."""

    def submit(self, function, /, *arguments):
        return Future()


class Closing(Executor):
    """Drops the work it was given, as a cluster that is shut down."""

    def submit(self, function, /, *arguments):
        future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()  # who waits hears of it
        return future


def test_a_cluster_that_is_shut_down_is_said(tmp_path):
    with pytest.raises(InputError, match="the workers are gone"):
        run(grid(), tmp_path / "out", workers=Closing())


def test_a_cluster_without_workers_is_waited_for_no_longer_than_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["costline.sweep.run"], "PATIENCE", 0.01)
    answers = iter([True, True, False])
    with pytest.raises(InputError, match=r"the workers are gone .* the same command goes on from here"):
        run(grid(), tmp_path / "out", workers=Silent(), alive=lambda: next(answers))
    assert next(answers, None) is None


def test_a_worker_of_another_costline_is_refused(tmp_path):
    manifest = prepare(grid(), Folder(tmp_path))
    with pytest.raises(InputError, match="another costline"):
        work(Job(grid(), manifest.columns, "older", manifest.mark), 0)
    assert work(Job(grid(), manifest.columns, environment(), manifest.mark), 0)


@pytest.mark.slow
def test_killed_again_and_again_it_loses_and_repeats_nothing(scenario_file, undisturbed, tmp_path):
    folder = tmp_path / "out"
    stamps = {}
    for least in (1, 3):
        running = subprocess.Popen(command(scenario_file, folder, "--workers", "2"), stderr=subprocess.DEVNULL)
        wait_for(lambda least=least, running=running: blocks(folder) >= least or running.poll() is not None)
        workers = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
        running.kill()
        running.wait()
        wait_for(lambda workers=workers: not any(one.is_running() and one.status() != "zombie" for one in workers), 20)
        for path in folder.glob("block-*.parquet"):
            stamps.setdefault(path.name, path.stat().st_mtime_ns)
    assert len(stamps) >= 3
    done = subprocess.run(command(scenario_file, folder, "--workers", "2"), capture_output=True, text=True, check=True)
    assert contents(folder) == undisturbed
    assert {name: (folder / name).stat().st_mtime_ns for name in stamps} == stamps
    assert "were there" in done.stderr


@pytest.mark.slow
def test_a_killed_worker_process_changes_nothing(scenario_file, undisturbed, tmp_path):
    folder = tmp_path / "out"
    running = subprocess.Popen(command(scenario_file, folder, "--workers", "2"), stderr=subprocess.PIPE, text=True)
    wait_for(lambda: blocks(folder) >= 1)
    victim = next(
        one for one in psutil.Process(running.pid).children(recursive=True) if "spawn_main" in " ".join(one.cmdline())
    )
    victim.kill()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert contents(folder) == undisturbed


def _hearing():
    """A shell starts what runs in the background deaf to SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_interrupted_it_says_so_and_goes_on_later(scenario_file, undisturbed, tmp_path):
    for attempt in range(10):  # a busy machine may let the sweep end between the first block and the signal
        folder = tmp_path / f"out{attempt}"
        running = subprocess.Popen(
            command(scenario_file, folder, "--workers", "2"), stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=_hearing,  # noqa: PLW1509 - no thread of ours runs meanwhile
        )  # fmt: skip
        wait_for(lambda: blocks(folder) >= 1)  # noqa: B023
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the workers too
        _, said = running.communicate(timeout=60)
        if running.returncode:
            break
    assert running.returncode == 130
    assert "Traceback" not in said
    run(read_scenario(scenario_file), folder)
    assert contents(folder) == undisturbed


def peak_memory(points, folder):
    """Largest resident size of a process that runs a sweep. [byte]

    Read from /proc: what `resource` reports of a new process begins with the size of the one that started it.
    """
    code = f"""
from costline.sweep import make_scenario, run
inputs = {{"model": "llama-3.1-8b", "on": "8xh100-sxm", "plan": "tensor=8, pipeline=1, expert=1"}}
axes = {{"input": {{"from": 1000, "to": {1000 + points // 1000 - 1}, "step": 1}},
        "batch": {{"from": 1, "to": 1000, "step": 1}}}}
scenario = make_scenario({{"study": "serve", "inputs": inputs, "axes": axes}})
assert run(scenario, {str(folder)!r}).points == {points}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_the_sweep(tmp_path):
    """A block is 2**18 points of some thirty figures, 63 MB, and is asked about in slices that fit in the cache."""
    small, large = (peak_memory(points, tmp_path / str(points)) for points in (600_000, 1_500_000))
    assert large - small < 900_000 * 12 * 8 / 3  # a third of what the further points take
    assert large < 300 * 2**20  # so two gigabytes hold six such workers and the process that writes


def test_processes_end_with_an_executor_of_the_callers_own(tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
        run(grid(), tmp_path / "out", workers=own)
        assert own.submit(os.getpid).result() > 0  # still open


def test_what_a_study_cannot_read_is_said_before_any_work(tmp_path):
    fields = {"study": "serve", "inputs": {"model": "llama-3.1-8b"}}
    for axes, says in (
        ({"on": ["8xh100-sxm", "8xh100-smx"]}, r"axis on: .*h100-sxm"),
        ({"on": ["h100-sxm"], "input": {"from": 0, "to": 10, "step": 1}}, "axis input|input: 0"),
        ({"on": ["h100-sxm"], "model": ["llama-3.1-8b"]}, "both"),
        ({"on": ["h100-sxm"], "precision": ["bf16", "fp17"]}, "did you mean fp16"),
        ({"on": ["h100-sxm"], "batching": ["static", "dynamic"]}, "axis batching"),
    ):
        with pytest.raises(InputError, match=says):
            run(make_scenario(fields | {"axes": axes}), tmp_path / "out")
    with pytest.raises(InputError, match="did you mean tpot"):
        run(make_scenario(fields | {"axes": {"on": ["h100-sxm"]}, "figures": ["tpt"]}), tmp_path / "out")
    assert not (tmp_path / "out").exists()
