"""Why a plan loses: the parts of its objective, by name, beside those of the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from costline.estimate import Estimate, Figure

MESSAGES = frozenset({"tensor", "ulysses", "ring", "expert", "pipeline", "data", "transfer"})
"""Groups of a `Timing` that are messages; the others are kernels, and waits that go by their own name."""
WAITS = frozenset({"bubble", "optimizer", "step overhead", "stragglers", "offload"})
ROUNDING = 1e-9
"""Share of the whole below which a difference is one of rounding."""

Terms = dict[str, float]


def terms(estimate: Estimate, objective: str) -> tuple[str, Terms]:
    """Named parts of what an answer spends, and their unit; they add up to it.

    Where time is sought they are seconds. Where cost is, dollars: rent is paid by the second. Where tokens or clips a
    second are, chip-seconds of a thousand tokens or of a clip, their inverse. Energy is explained by its seconds.

    Parameters
    ----------
    estimate : Estimate
        Of training, serving or generating.
    objective : str
        Figure that was sought.
    """
    unit, parts = _SPENT[estimate.study](estimate, objective)
    if objective in {"cost", "cost_per_request"}:
        return "USD", _scaled(parts, _number(estimate.figure(objective)) / sum(parts.values()))
    return unit, parts


def differences(estimate: Estimate, best: Estimate, objective: str) -> tuple[tuple[str, float], ...]:
    """What an answer spends more than the best one, by term, the largest difference first; they add up to it all."""
    _, mine = terms(estimate, objective)
    _, its = terms(best, objective)
    found = {name: mine.get(name, 0.0) - its.get(name, 0.0) for name in {**its, **mine}}
    noise = ROUNDING * sum(its.values())
    changed = {name: value for name, value in found.items() if abs(value) > noise}
    return tuple(sorted(changed.items(), key=lambda item: -abs(item[1])))


def _training(estimate: Estimate, objective: str) -> tuple[str, Terms]:
    """The phases of a step, as often as there are steps, and the interruptions. [s]"""
    whole, step = estimate.figure("time"), estimate.figure("step")
    lost = sum(_number(child) for child in whole.children if child.name == "interruptions")
    found = _summed(_leaves(step, ""), (_number(whole) - lost) / _number(step))
    return "s", found | ({"interruptions": lost} if lost else {})


def _generation(estimate: Estimate, objective: str) -> tuple[str, Terms]:
    """The phases of a clip. [s or chip-s]"""
    found = _summed(_leaves(estimate.figure("time"), ""))
    if objective == "time":
        return "s", found
    inputs = estimate.inputs
    replica = inputs["tensor"] * inputs["pipeline"] * inputs["ulysses"] * inputs["ring"] * inputs["guidance"]
    return "chip-s/clip", _scaled(found, float(np.max(replica)) / float(np.max(inputs["batch"])))


def _serving(estimate: Estimate, objective: str) -> tuple[str, Terms]:
    output = float(np.max(estimate.inputs["output"]))
    if "pools" in estimate.inputs and objective != "latency":
        rate = _number(estimate.figure("output_rate"))
        return "chip-s/1k tokens", {
            f"{name} chips": 1000 * size / rate for name, size in estimate.inputs["pools"].items()
        }
    first = _summed(_leaves(estimate.figure("ttft"), "first token, "))
    later = _summed(_leaves(estimate.figure("tpot"), ""), output - 1)
    spent = {name: first.get(name, 0.0) + later.get(name, 0.0) for name in {**first, **later}}
    if "kv_transfer" in estimate.figures:
        spent["KV transfer"] = _number(estimate.figure("kv_transfer"))
    if objective == "latency":
        return "s", spent
    # a slot of the batch is held for the latency of one request; all slots and chips together make the rate
    rate = _number(estimate.figure("output_rate_per_chip"))
    return "chip-s/1k tokens", _scaled(spent, 1000 / rate / sum(spent.values()))


_SPENT = {"train": _training, "serve": _serving, "generate": _generation}


def _leaves(figure: Figure, place: str) -> Iterator[tuple[str, float]]:
    """Parts of a time that are no further divided, named for what they are and the phase they are in."""
    for child in figure.children or (figure,):
        if child.combine == "sum" and child.children:
            yield from _leaves(child, f"{child.name}, ")
        else:
            yield _name(child.name, place), _number(child)


def _name(name: str, place: str) -> str:
    if name in MESSAGES:
        return f"{name} messages"
    if name in WAITS or not place or f"{name}, " == place:
        return name
    return place.removesuffix(", ") if "/" in name else f"{place}{name}"


def _summed(parts: Iterator[tuple[str, float]], share: float = 1.0) -> Terms:
    found: Terms = {}
    for name, value in parts:
        found[name] = found.get(name, 0.0) + value * share
    return found


def _scaled(parts: Mapping[str, float], share: float) -> Terms:
    return {name: value * share for name, value in parts.items()}


def _number(figure: Figure) -> float:
    return float(np.max(figure.amount))
