"""Estimates and plans a second, searches, single answers; and the bytes an estimate touches against the memory's speed.

An estimate is a full one: every part of the network, memory, money, energy, limits. Each rate is measured on one core
and on two (two processes, as sweeps run them), in processor time: what else the machine does meanwhile does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.table import machine, seconds, show
from costline.api.generating import generate
from costline.api.planning import find_plan
from costline.api.serving import serve
from costline.api.training import train
from costline.engine.passes import Machine
from costline.models.decoder import Decoder
from costline.models.pipeline import Pipeline
from costline.plan import Plan
from costline.resolve import catalogue, model, site
from costline.search.result import PlanSearch
from costline.studies.clip import Clip
from costline.studies.generate import generate as generate_study
from costline.studies.serve import serve as serve_study
from costline.studies.serving_times import Requests
from costline.studies.train import Run, Stretch
from costline.studies.train import train as train_study

BLOCK = 2**14
"""Estimates of one array."""
BLOCKS = 24
"""Arrays of one measurement."""
TARGETS = {"serve": 1_000_000, "train plans": 500_000, "generate": 500_000}
"""Estimates a second that are promised on two cores."""


class Counted(np.ndarray[Any, Any]):
    """An array that counts the bytes its operations read and write."""

    touched = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(value) if isinstance(value, Counted) else value for value in inputs]
        outputs = options.pop("out", ())
        if outputs:
            options["out"] = tuple(np.asarray(value) for value in outputs)
        result = getattr(ufunc, method)(*plain, **options)
        moved = sum(value.nbytes for value in plain if isinstance(value, np.ndarray))
        Counted.touched += moved + getattr(result, "nbytes", 0)
        return outputs[0] if outputs else np.asarray(result).view(Counted) if np.ndim(result) else result


def place(on: str, **plan: Any) -> Machine:
    """A machine with a plan, or with plans."""
    found = site(on, book=catalogue(None)).machine
    return Machine(found.cluster, found.efficiency, Plan(**plan))


def serving(count: int, wrap: Callable[[Any], Any] = np.asarray) -> Callable[[], object]:
    """Prompt, answer and batch vary."""
    network, where, rng = model("llama-3.1-8b"), place("8xh100-sxm", tensor=8), np.random.default_rng(0)
    if not isinstance(network, Decoder):
        raise TypeError(network.name)
    drawn = [wrap(rng.integers(1, most, count).astype(float)) for most in (8000, 1000, 512)]
    asked = Requests(input=drawn[0], output=drawn[1], batch=drawn[2])
    return lambda: serve_study(network, asked, where)


def training(count: int, wrap: Callable[[Any], Any] = np.asarray) -> Callable[[], object]:
    """Five degrees of the plan vary, in no order."""
    network, rng = model("llama-3.1-405b"), np.random.default_rng(0)
    if not isinstance(network, Decoder):
        raise TypeError(network.name)
    degrees = {"tensor": 4, "pipeline": 5, "virtual": 3, "micro_batch": 3}
    fields = {name: wrap(2.0 ** rng.integers(0, most, count)) for name, most in degrees.items()}
    fields["zero"] = wrap(rng.integers(0, 4, count).astype(float))
    fields["data"] = 16384 // (fields["tensor"] * fields["pipeline"])
    where = place("16384xh100-sxm", **fields)
    run = Run(tokens=15.6e12, stretches=[Stretch(sequence=8192)], batch_tokens=16e6)
    return lambda: train_study(network, run, where)


def generating(count: int, wrap: Callable[[Any], Any] = np.asarray) -> Callable[[], object]:
    """Frames, height, width and steps vary; text encoder and autoencoder included."""
    pipeline, where, rng = model("wan2.1-t2v-14b"), place("8xh100-sxm", ulysses=8), np.random.default_rng(0)
    if not isinstance(pipeline, Pipeline):
        raise TypeError(pipeline.name)
    frames, height, width, steps = (
        wrap((rng.integers(least, most, count) * factor + offset).astype(float))
        for least, most, factor, offset in ((1, 40, 4, 1), (20, 90, 16, 0), (20, 90, 16, 0), (4, 50, 1, 0))
    )
    clip = Clip(frames=frames, height=height, width=width, steps=steps, branches=2)
    return lambda: generate_study(pipeline, clip, where)


KINDS: dict[str, Callable[..., Callable[[], object]]] = {
    "serve": serving,
    "train plans": training,
    "generate": generating,
}


def work(kind: str) -> float:
    """Processor time of `BLOCKS` blocks, the first call left out."""
    question = KINDS[kind](BLOCK)
    question()
    started = time.process_time()
    for _ in range(BLOCKS):
        question()
    return time.process_time() - started


def bandwidth(size: int) -> float:
    """Bytes read and written a second by adding arrays of `size` bytes."""
    one, two, out = (np.ones(size // 8) for _ in range(3))
    return 3 * size / seconds(lambda: np.add(one, two, out=out), least=0.05, clock=time.process_time)


def rates() -> None:
    """Estimates a second on one and on two cores, and what they touch."""
    cache = bandwidth(2**17)
    rows = []
    with ProcessPoolExecutor(2) as pool:
        for kind, target in TARGETS.items():
            alone = BLOCK * BLOCKS / min(work(kind) for _ in range(3))
            both = max(2 * BLOCK * BLOCKS / max(pool.map(work, [kind, kind])) for _ in range(3))
            question = KINDS[kind](BLOCK, lambda values: np.asarray(values).view(Counted))
            Counted.touched = 0
            question()
            touched = Counted.touched / BLOCK
            rows.append((kind, alone, both, target, touched / 1e3, alone * touched / cache))
    title = f"estimates a second, blocks of {BLOCK:,} ({machine()}; cache {cache / 1e9:.3g} GB/s)"
    show(
        title, ("study", "1 core", "2 cores", "target, 2 cores", "kB touched each", "share of the cache's speed"), rows
    )


def searches() -> None:
    """Full searches as `costline plan` runs them."""
    asked: Sequence[tuple[str, Callable[[], PlanSearch], float]] = (
        ("train llama-3.1-405b on 16,384 H100", lambda: find_plan(
            "train", "llama-3.1-405b", on="16384xh100-sxm", tokens="15.6T", sequence=8192, batch_tokens="16M"), 2.0),
        ("train deepseek-v3 on 2,048 H800", lambda: find_plan(
            "train", "deepseek-v3", on="2048xh800-sxm", tokens="14.8T", sequence=4096, batch_tokens="63M"), 0.0),
        ("serve llama-3.1-70b on 32 H100, together and apart", lambda: find_plan(
            "serve", "llama-3.1-70b", on="32xh100-sxm", input=2000, output=500, within="ttft<1s, tpot<50ms"), 1.0),
        ("serve deepseek-v3 on 32 H200, together and apart", lambda: find_plan(
            "serve", "deepseek-v3", on="32xh200-sxm", input=2000, output=500, precision="fp8",
            within="ttft<2s, tpot<50ms"), 1.0),
        ("generate with wan2.1-t2v-14b on 8 H100", lambda: find_plan(
            "generate", "wan2.1-t2v-14b", on="8xh100-sxm"), 0.0),
    )  # fmt: skip
    rows = []
    for name, ask, most in asked:
        found = min((ask() for _ in range(3)), key=lambda one: one.seconds)
        rows.append((name, found.considered, found.seconds, found.considered / found.seconds, most or "-"))
    show("searches, one core", ("question", "legal plans", "seconds", "plans/s", "target, seconds"), rows)


def answers() -> None:
    """One question at a time, in processor time."""
    asked: dict[str, Callable[[], object]] = {
        "serve": lambda: serve("llama-3.1-70b", on="8xh100-sxm", batch=64, plan="tensor=8, pipeline=1, expert=1"),
        "serve, plan chosen": lambda: serve("llama-3.1-70b", on="8xh100-sxm", batch=64),
        "train, plan chosen": lambda: train("llama-3.1-405b", on="16384xh100-sxm", tokens="15.6T", sequence=8192),
        "generate, plan chosen": lambda: generate("wan2.1-t2v-14b", on="8xh100-sxm"),
    }
    for kind, posed in KINDS.items():
        asked[f"{kind}, study alone"] = posed(1, np.ndarray.item)
        asked[f"{kind}, study alone, arrays of one"] = posed(1)
    rows = [(name, 1e3 * seconds(question, clock=time.process_time)) for name, question in asked.items()]
    show("one answer", ("question", "ms"), rows)


def cold() -> None:
    """A new process that answers once; its modules are compiled, as those of an installed package are."""
    command = [sys.executable, "-m", "costline", "serve", "llama-3.1-8b", "--on", "h100-sxm"]
    with TemporaryDirectory() as compiled:
        place = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        place["PYTHONPYCACHEPREFIX"] = compiled

        def once() -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=place)

        rows = [(" ".join(command[2:]), seconds(once, least=1e-3))]
    show("from the command line", ("question", "seconds"), rows)


def main() -> int:
    """Print the tables; 1 if a promised rate is missed."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    rates()
    searches()
    answers()
    cold()
    return 0


if __name__ == "__main__":
    sys.exit(main())
