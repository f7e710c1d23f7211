"""costline: what it costs to train and to serve large generative transformers.

>>> import costline
>>> estimate = costline.serve("llama-3.1-8b", on="h100-sxm", input=1000, output=100)
>>> estimate.feasible
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from costline.api.generating import generate
    from costline.api.planning import find_plan
    from costline.api.serving import caption, serve
    from costline.api.solving import solve
    from costline.api.training import train
    from costline.errors import CostlineError
    from costline.estimate import Estimate
    from costline.hardware.chip import Chip
    from costline.hardware.cluster import Cluster
    from costline.plan import Plan
    from costline.uncertainty.draws import sampling
    from costline.uncertainty.sampled import together

__version__ = "0.1.0"

__all__ = [
    "Chip",
    "Cluster",
    "CostlineError",
    "Estimate",
    "Plan",
    "caption",
    "find_plan",
    "generate",
    "sampling",
    "serve",
    "solve",
    "together",
    "train",
]

_HOME = {
    "Chip": "hardware.chip",
    "Cluster": "hardware.cluster",
    "CostlineError": "errors",
    "Estimate": "estimate",
    "Plan": "plan",
    "caption": "api.serving",
    "find_plan": "api.planning",
    "generate": "api.generating",
    "sampling": "uncertainty.draws",
    "serve": "api.serving",
    "solve": "api.solving",
    "together": "uncertainty.sampled",
    "train": "api.training",
}
"""Public name -> module; imported when first used, so that importing costline stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'costline' has no attribute {name!r}")
    return getattr(importlib.import_module(f"costline.{_HOME[name]}"), name)
