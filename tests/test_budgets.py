"""Budgets: what importing, asking and estimating may take.

A process is measured by its processor time: on an idle machine that is how long it takes, and it does not depend on
what else the machine does meanwhile. The best of several tries counts, and the first that keeps the budget ends them.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from costline.engine.passes import Machine
from costline.models.files import read_config_file
from costline.models.importer import read_network
from costline.plan import Plan
from costline.resolve import catalogue, site
from costline.studies.clip import Clip
from costline.studies.generate import generate
from costline.studies.serve import Requests, serve
from costline.studies.train import Run, Stretch, train

ROOT = Path(__file__).resolve().parent.parent
TRIES = 10
LOADED = 1.5
"""A machine that runs other tests meanwhile shares its caches: processor time grows by up to half."""
IMPORT, HELP, COLD, ESTIMATE = (LOADED * budget for budget in (0.150, 0.500, 0.500, 0.005))
"""Seconds: the core imported, the help printed, a question answered by a new process, one estimate."""

# Threads that numerical libraries start and never use here would be counted as work.
SINGLE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def process_seconds(*arguments):
    """Processor time of a new Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **SINGLE}, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def call_seconds(question):
    """Processor time of a call, other threads of this process left out."""
    before = time.thread_time()
    question()
    return time.thread_time() - before


def best(measure, budget):
    """Best of several tries."""
    seconds = float("inf")
    for _ in range(TRIES):
        seconds = min(seconds, measure())
        if seconds <= budget:
            break
    return seconds


def test_importing_the_package():
    assert best(lambda: process_seconds("-c", "import costline"), IMPORT) <= IMPORT


@pytest.mark.parametrize("module", ["formulas.attention", "models.decoder", "hardware.cluster", "plan", "estimate"])
def test_importing_a_layer_of_the_core(module):
    assert best(lambda: process_seconds("-c", f"import costline.{module}"), IMPORT) <= IMPORT


def test_help():
    assert best(lambda: process_seconds("-m", "costline", "--help"), HELP) <= HELP


@pytest.mark.parametrize(
    "question",
    [
        "serve examples/llama-3.1-8b/config.json --input 2000 --output 500 --on 1xh100-sxm",
        "generate examples/wan2.1-t2v-14b --resolution 1280x720 --frames 81 --on 8xh100-sxm",
    ],
)
def test_a_cold_answer(question):
    assert best(lambda: process_seconds("-m", "costline", *question.split()), COLD) <= COLD


def example(name):
    return read_network(read_config_file(ROOT / "examples" / name / "config.json"), name)


def machine(chips, **plan):
    place = site(chips, book=catalogue(None))
    return Machine(place.machine.cluster, place.machine.efficiency, Plan(**plan))


def estimates():
    """A question of each kind, its network read and its plan stated."""
    llama, wan = example("llama-3.1-8b"), example("wan2.1-t2v-14b")
    one, eight = machine("1xh100-sxm"), machine("8xh100-sxm", ulysses=8)
    many = machine("64xh100-sxm", data=64, zero=1, recompute="full")
    pipeline = SimpleNamespace(name="wan", transformers=[(wan, 1.0)], autoencoder=None, encoders=[])
    clip = Clip(frames=81, height=720, width=1280, steps=50, branches=2)
    run = Run(tokens=1e12, stretches=[Stretch(sequence=8192)], batch_tokens=4e6)
    return {
        "serve": lambda: serve(llama, Requests(input=2000, output=500, batch=64), one),
        "generate": lambda: generate(pipeline, clip, eight),
        "train": lambda: train(llama, run, many),
    }


@pytest.mark.parametrize("name", ["serve", "generate", "train"])
def test_one_estimate(name):
    question = estimates()[name]
    assert best(lambda: call_seconds(question), ESTIMATE) <= ESTIMATE
