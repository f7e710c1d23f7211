"""Sweeps: grids and samples over any inputs of a study, streamed to Parquet, restartable, on any executor.

>>> from costline.sweep import make_scenario
>>> scenario = make_scenario({
...     "study": "serve",
...     "inputs": {"model": "llama-3.1-8b", "on": "h100-sxm"},
...     "axes": {"batch": [1, 8, 64], "precision": ["bf16", "fp8"]},
... })
>>> scenario.points
6

``run(scenario, "out")`` keeps the points in the folder ``out``; ``Kept("out")`` asks questions about them.
"""

from costline.sweep.run import Outcome, run
from costline.sweep.scenario import Scenario, make_scenario, read_scenario

__all__ = ["Outcome", "Scenario", "make_scenario", "read_scenario", "run"]
