"""Sweeps: points a second from scenario to Parquet, memory, and questions about the result.

``python -m benchmarks.sweep`` sweeps four million points; ``--points 100e6`` as many as wanted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.table import machine, show

SCENARIO = """
study = "{study}"
[inputs]
{inputs}
[axes]
{axes}
"""
STUDIES = {
    "serve": (
        'model = "llama-3.1-8b"\non = "8xh100-sxm"\nplan = "pipeline=1, expert=1"',
        'precision = ["bf16", "fp8"]\nplan.tensor = [1, 2, 4, 8]\noutput = {{ from = 50, to = 1000, count = 50 }}\n'
        'batch = {{ from = 1, to = 256, step = 1 }}\ninput = {{ from = 100, to = {last}, step = 1 }}',
        2 * 4 * 50 * 256,
    ),
    "train": (
        'model = "llama-3.1-8b"\non = "1024xh100-sxm"\n'
        'plan = "pipeline=1, virtual=1, ulysses=1, expert=1, micro_batch=1, recompute=full"',
        'plan.tensor = [1, 2, 4, 8]\nplan.zero = [1, 3]\ntokens = {{ from = "1T", to = "20T", count = 100 }}\n'
        'batch_tokens = {{ from = "10M", to = "60M", count = 128 }}\n'
        'sequence = {{ from = 4000, to = {train_last}, step = 100 }}',
        4 * 2 * 100 * 128,
    ),
    "generate": (
        'model = "wan2.1-t2v-14b"\non = "8xh100-sxm"\nplan = "tensor=1, ulysses=8, ring=1, guidance=1"',
        'resolution = ["832x480", "1280x720"]\nframes = {{ from = 1, to = 256, step = 1 }}\n'
        'steps = {{ from = 1, to = 100, step = 1 }}\nprice = {{ from = "$1/h", to = "$4/h", count = {count} }}',
        2 * 256 * 100,
    ),
}  # fmt: skip
QUESTIONS = {
    "serve": ("--best", "min cost_output", "--group", "precision,plan.tensor"),
    "train": ("--best", "min cost", "--group", "plan.tensor,plan.zero"),
    "generate": ("--pareto", "min cost_per_second, min time"),
}


def scenario(study: str, points: int) -> tuple[str, int]:
    """A scenario of about `points` points, and how many it has."""
    inputs, axes, others = STUDIES[study]
    count = max(2, round(points / others))
    body = axes.format(count=count, last=99 + count, train_last=4000 + 100 * (count - 1))
    return SCENARIO.format(study=study, inputs=inputs, axes=body), others * count


def measured(command: list[str]) -> tuple[float, float]:
    """Seconds of a command, and the largest memory of it and its children together. [s, MiB]"""
    started, peak = time.perf_counter(), 0
    running = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        peak = max(peak, _resident(running))
        time.sleep(0.02)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {running.returncode}")
    return time.perf_counter() - started, peak / 2**20


def _resident(process: psutil.Popen) -> int:
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.Error:  # it ended in between
        pass
    return total


def main() -> int:
    """Print a row a study and number of workers."""
    options = argparse.ArgumentParser()
    options.add_argument("--points", type=float, default=4e6)
    options.add_argument("--studies", default=",".join(STUDIES))
    options.add_argument("--workers", default="1,2")
    given = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for study in given.studies.split(","):
            body, points = scenario(study, int(given.points))
            path = Path(folder, f"{study}.toml")
            path.write_text(body, "utf-8")
            for workers in given.workers.split(","):
                out = Path(folder, f"{study}-{workers}")
                base = [sys.executable, "-m", "costline", "sweep"]
                took, peak = measured([*base, str(path), "-o", str(out), "--workers", workers])
                size = sum(one.stat().st_size for one in out.iterdir())
                asked, _ = measured([*base, "show", str(out), *QUESTIONS[study]])
                rows.append((study, points, int(workers), took, points / took, peak, size / points, asked))
    headings = ("study", "points", "workers", "s", "points/s", "MiB, all", "bytes a point", "show, s")
    show(f"Sweeps to Parquet, process start to last block ({machine()})", headings, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
