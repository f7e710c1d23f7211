"""The same question to costline and to its peers, and the ratio of their speeds.

::

    python -m benchmarks.peers                             # peers installed beside costline
    python -m benchmarks.peers --python VENV/bin/python    # peers installed elsewhere; may be given several times

Peers pin libraries that exclude each other, so each is best installed in an environment of its own. Every peer is run
in a process of its own, told the question as JSON, and answers with its TTFT, its TPOT and its estimates a second of
processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.table import machine, seconds, show
from costline.api.serving import serve

ASKS = Path(__file__).parent / "asks"
PEERS = {"llm_analysis": "llm-analysis", "genz": "genz-llm", "aiconfigurator": "aiconfigurator"}
"""Script that asks, and name on the package index."""
QUESTION = {"input": 2000, "output": 500, "batch": 16}
"""Llama-3.1-8B in bf16 on one H100-SXM, static batch."""
MODEL = ("llama-3.1-8b", "h100-sxm", "tensor=1, pipeline=1, expert=1")
ARRAY = 16_384


def asked(python: str, script: str) -> dict[str, float | str] | None:
    """What a peer answers under an interpreter; None where it is not installed."""
    command = [python, str(ASKS / f"ask_{script}.py"), json.dumps(QUESTION)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode == 0:
        return dict(json.loads(done.stdout.splitlines()[-1]))
    reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if "ModuleNotFoundError" not in reason:
        sys.stderr.write(f"{script}: {reason}\n")
    return None


def ours() -> tuple[dict[str, float], float]:
    """costline's answer with its estimates a second one by one, and as arrays."""
    name, chip, plan = MODEL
    fixed = {"on": chip, "batching": "static", "plan": plan}
    estimate = serve(name, **QUESTION, **fixed)
    lengths = iter(range(1, 10**9))
    alone = seconds(lambda: serve(name, **QUESTION | {"input": 2000 + next(lengths)}, **fixed), clock=process_time)
    rng = np.random.default_rng(1)
    many = {"input": np.floor(rng.uniform(100, 8000, ARRAY)), "batch": np.floor(rng.uniform(1, 256, ARRAY))}
    together = seconds(lambda: serve(name, output=500, **many, **fixed), clock=process_time)
    answer = {"ttft": float(estimate["ttft"] or 0), "tpot": float(estimate["tpot"] or 0), "rate": 1 / alone}
    return answer, ARRAY / together


def main() -> int:
    """Print a row an estimator."""
    options = argparse.ArgumentParser()
    options.add_argument("--python", action="append", default=[])
    interpreters = [sys.executable, *options.parse_args().python]
    answer, together = ours()
    times = (answer["ttft"] * 1e3, answer["tpot"] * 1e3)
    rows: list[tuple[object, ...]] = [
        ("costline, arrays", *times, together, 1.0, f"{ARRAY:,} questions at a time"),
        ("costline, one by one", *times, answer["rate"], together / answer["rate"], ""),
    ]
    for script, name in PEERS.items():
        found = next((reply for python in interpreters if (reply := asked(python, script))), None)
        if found is None:
            rows.append((name, "-", "-", "-", "-", "not installed"))
            continue
        ttft, tpot, rate = (float(found[key]) for key in ("ttft", "tpot", "rate"))
        rows.append(
            (f"{name} {found['version']}", ttft * 1e3, tpot * 1e3, rate, together / rate, found.get("note", ""))
        )
    title = f"Llama-3.1-8B, bf16, one H100, batch 16, 2000 tokens in, 500 out ({machine()}, one process)"
    show(title, ("estimator", "TTFT, ms", "TPOT, ms", "estimates/s", "costline is faster by", ""), rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
