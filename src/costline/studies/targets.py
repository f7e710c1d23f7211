"""Targets of accuracy: the kinds of jobs whose errors are kept apart, in the words of `measurements/accuracy.csv`."""

from __future__ import annotations

import numpy as np

from costline.models.network import Network
from costline.models.parts import ExpertLinear
from costline.plan import Plan
from costline.precision import element_bytes


def sparse(network: Network) -> bool:
    """Whether a token visits only some of the network's experts."""
    return any(isinstance(part, ExpertLinear) for part in network.parts)


def training_target(network: Network) -> str:
    """Target that a training job belongs to."""
    return f"train, {'MoE' if sparse(network) else 'dense'}"


def serving_target(*, first: bool, alone: bool) -> str:
    """Target that a figure of serving belongs to.

    Parameters
    ----------
    first : bool
        Whether it is the time to the first token, or prefill.
    alone : bool
        Whether the batch starts together, or is one request.

    Examples
    --------
    >>> serving_target(first=True, alone=True), serving_target(first=False, alone=False)
    ('serve, prefill', 'serve, full engine')
    """
    if first:
        return "serve, prefill" if alone else "serve, TTFT under load"
    return "serve, fixed batch" if alone else "serve, full engine"


def generation_target(plan: Plan, *, offloaded: bool = False) -> str:
    """Target that a generation belongs to: narrow or offloaded weights, and work left out, are apart."""
    narrow = element_bytes(plan.weights) < 2 or plan.offload != "none" or offloaded
    saved = bool(np.any(np.asarray(plan.reused) > 0) or np.any(np.asarray(plan.density) < 1))
    return "generate, narrow/offloaded" if narrow or saved else "generate, dense 16-bit"
