"""Sweeps on a real dask cluster: a scheduler and workers of their own, one of them killed."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time

import pytest

from costline.errors import InputError
from costline.sweep import read_scenario, run
from costline.sweep.pool import available, cluster

from .conftest import contents

SCENARIO = """
study = "serve"
figures = ["tpot", "cost_output"]
samples = 20

[inputs]
model = "llama-3.1-8b"
plan = "tensor=1, pipeline=1, expert=1"

[axes]
precision = ["bf16", "fp8"]
on = [{chips}]
price = "$1/h to $4/h"
""".format(chips=", ".join(f'"{number}xh100-sxm"' for number in range(1, 321)))
"""12,800 points, 640 calls of a study, 5 blocks."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenario") / "scenario.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def local(scenario, tmp_path_factory):
    """Blocks of a run in this process."""
    folder = tmp_path_factory.mktemp("local") / "out"
    run(read_scenario(scenario), folder)
    return contents(folder)


def wait_for(happened, seconds=40):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def dask(tmp_path):
    """Address of a scheduler, and its two workers."""
    note = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    starts = [[sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *local]]
    starts += [[sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", *local]] * 2
    running = [subprocess.Popen([*start, "--scheduler-file", str(note)], cwd=tmp_path, **quiet) for start in starts]
    try:
        wait_for(note.exists)
        from distributed import Client

        with Client(scheduler_file=str(note)) as client:
            client.wait_for_workers(2, timeout=40)
            address = client.scheduler.address
        yield address, running[1:]
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_killed_worker_of_a_cluster_changes_no_bit(dask, scenario, local, tmp_path):
    address, workers = dask
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "costline", "sweep", str(scenario), "-o", str(folder), "--cluster", address]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(folder.glob("block-*.parquet")) or running.poll() is not None)
    workers[0].kill()
    kept = len(list(folder.glob("block-*.parquet")))
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert kept < 5  # it was killed in the middle
    assert contents(folder) == local
    assert len(local) == 5


@pytest.mark.slow
def test_a_local_cluster_gives_the_same_bytes(scenario, local, tmp_path):
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "costline", "sweep", str(scenario), "-o", str(folder), "--cluster", "local"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(folder) == local


def test_no_scheduler_at_an_address_is_said():
    with pytest.raises(InputError, match="no cluster at nowhere"), cluster("nowhere://127.0.0.1:1"):
        pass


def test_without_dask_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install '\.\[cluster\]'"), cluster("local"):
        pass


def test_processors_are_counted():
    assert available() >= 1
