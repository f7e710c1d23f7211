"""How cost grows with points, plans and layers: linear or better.

In processor time: a short measurement finds quiet moments of a busy machine that a long one does not, and cost would
seem to grow faster than it does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np

from benchmarks.table import machine, seconds, show, slope
from costline.api.training import train
from costline.models.decoder import Decoder
from costline.models.decoders.hypothetical import hypothetical_decoder
from costline.plan import Plan
from costline.resolve import catalogue, model, site
from costline.studies.serve import serve
from costline.studies.serving_times import Requests
from costline.studies.train import Run, Stretch
from costline.studies.train import train as study
from costline.sweep import make_scenario
from costline.sweep.evaluate import evaluate

LINEAR = 1.1
"""Largest exponent that counts as linear: a tenth is the noise of a busy machine."""
BLOCK = 4096
"""Plans evaluated together."""
DEGREES = {
    "tensor": [1, 2, 4, 8], "pipeline": [1, 2, 4, 8, 16], "virtual": [1, 2], "ulysses": [1, 2], "zero": [0, 1, 3],
    "micro_batch": [1, 2, 4],
}  # fmt: skip
STATED = "tensor=8, pipeline=1, expert=1"


def worked(function: Callable[[], object]) -> float:
    """Processor time of one call. [s]"""
    return seconds(function, clock=process_time)


def points() -> tuple[str, list[tuple[float, float]]]:
    """Points of a sweep of `serve`."""
    found: list[tuple[float, float]] = []
    for batches in (4, 16, 64, 256):
        axes = {
            "input": {"from": 1000, "to": 5095, "step": 1},
            "batch": {"from": 1, "to": batches, "step": 1},
        }
        inputs = {"model": "llama-3.1-8b", "on": "8xh100-sxm", "plan": STATED}
        scenario = make_scenario({"study": "serve", "inputs": inputs, "axes": axes})
        took = worked(lambda: evaluate(scenario, scenario.asked.figures, 0, scenario.points))  # noqa: B023
        found.append((scenario.points, took))
    return "points", found


def plans() -> tuple[str, list[tuple[float, float]]]:
    """Training plans evaluated in full, in blocks as the search does."""
    network = model("llama-3.1-405b")
    if not isinstance(network, Decoder):
        raise TypeError(network.name)
    run = Run(tokens=15.6e12, stretches=[Stretch(sequence=8192)], batch_tokens=64e6)
    place = site("16384xh100-sxm", book=catalogue(None), study="train")
    rng = np.random.default_rng(1)

    def evaluated(count: int) -> None:
        for start in range(0, count, BLOCK):
            size = min(BLOCK, count - start)
            fields: dict[str, Any] = {name: rng.choice(values, size) for name, values in DEGREES.items()}
            plan = Plan(**fields, recompute="full").spread(place.machine.cluster.chips)
            study(network, run, replace(place.machine, plan=plan), place.economics)

    return "plans", [(count, worked(lambda: evaluated(count))) for count in (4096, 16384, 65536)]  # noqa: B023


def layers() -> tuple[str, list[tuple[float, float]]]:
    """Layers of a decoder that is served."""
    place = site("8xh100-sxm", plan="tensor=8", book=catalogue(None))
    requests = Requests(input=2000, output=500, batch=64)
    found: list[tuple[float, float]] = []
    for count in (8, 32, 128, 512):
        network = hypothetical_decoder(count * 0.9e9, layers=count, hidden=8192)
        found.append((network.layers, worked(lambda: serve(network, requests, place.machine, place.economics))))  # noqa: B023
    return "layers", found


def stretches() -> tuple[str, list[tuple[float, float]]]:
    """Stretches of a training curriculum."""
    plan = "tensor=8, pipeline=1, virtual=1, ulysses=1, expert=1, zero=1, micro_batch=1, recompute=full"
    found: list[tuple[float, float]] = []
    for count in (2, 8, 32):
        curriculum = ", ".join(f"{1 / count}@{4096 + 64 * place}" for place in range(count))
        took = worked(
            lambda: train("llama-3.1-8b", on="64xh100-sxm", tokens="1T", curriculum=curriculum, plan=plan)  # noqa: B023
        )
        found.append((count, took))
    return "stretches", found


def main() -> int:
    """Print a row a measurement and a verdict a kind; 1 if one grows faster than linearly."""
    rows, verdicts = [], []
    for measure in (points, plans, layers, stretches):
        what, found = measure()
        rows += [(what, int(size), took * 1e3, took / size * 1e6) for size, took in found]
        exponent = slope(*zip(*found, strict=True))
        verdicts.append((what, exponent, "linear or better" if exponent <= LINEAR else "WORSE THAN LINEAR"))
    show(f"Cost by size ({machine()}, one process)", ("what", "number", "ms", "µs each"), rows)
    show("Exponent of the cost", ("what", "exponent", ""), verdicts)
    return int(any(exponent > LINEAR for _, exponent, _ in verdicts))


if __name__ == "__main__":
    sys.exit(main())
