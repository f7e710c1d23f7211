"""Why a plan loses: the seconds behind its objective, by name, beside those of the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from costline.estimate import Estimate, Figure

MESSAGES = frozenset({"tensor", "ulysses", "ring", "expert", "pipeline", "data", "transfer"})
"""Groups of a `Timing` that are messages; the others are kernels, and waits that go by their own name."""
WAITS = frozenset({"bubble", "optimizer", "step overhead", "stragglers", "offload"})


def terms(estimate: Estimate) -> tuple[str, dict[str, float]]:
    """Named parts of what an answer spends, and their unit; they add up to it.

    Training: seconds of the run. Generation: seconds of a clip. Serving: chip-seconds of an output token, the inverse
    of the output rate of a chip.
    """
    if estimate.study == "train":
        return "s", _training(estimate)
    if estimate.study == "generate":
        return "s", _summed(_leaves(estimate.figure("time"), ""))
    return "chip-s/token", _serving(estimate)


def differences(estimate: Estimate, best: Estimate) -> tuple[tuple[str, float], ...]:
    """What an answer spends more than the best one, by term, the largest difference first; they add up to it all."""
    _, mine = terms(estimate)
    _, its = terms(best)
    found = {name: mine.get(name, 0.0) - its.get(name, 0.0) for name in {**its, **mine}}
    changed = {name: value for name, value in found.items() if value}
    return tuple(sorted(changed.items(), key=lambda item: -abs(item[1])))


def _training(estimate: Estimate) -> dict[str, float]:
    """The phases of a step, as often as there are steps, and the interruptions."""
    whole, step = estimate.figure("time"), estimate.figure("step")
    lost = sum(_number(child) for child in whole.children if child.name == "interruptions")
    share = (_number(whole) - lost) / _number(step)
    found = _summed(_leaves(step, ""), share)
    return found | ({"interruptions": lost} if lost else {})


def _serving(estimate: Estimate) -> dict[str, float]:
    rate, output = _number(estimate.figure("output_rate_per_chip")), float(np.max(estimate.inputs["output"]))
    if "prefill" in estimate.inputs:
        return _apart(estimate)
    first = _summed(_leaves(estimate.figure("ttft"), "first token, "))
    later = _summed(_leaves(estimate.figure("tpot"), ""), output - 1)
    spent = {name: first.get(name, 0.0) + later.get(name, 0.0) for name in {**first, **later}}
    # a slot of the batch is held for the latency of one request; all slots and chips together make the rate
    share = 1 / rate / sum(spent.values())
    return {name: value * share for name, value in spent.items()}


def _apart(estimate: Estimate) -> dict[str, float]:
    """Chips of each pool over the rate of both."""
    rate, chips = _number(estimate.figure("output_rate")), estimate.inputs["pools"]
    return {f"{name} chips": number / rate for name, number in chips.items()}


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


def _summed(parts: Iterator[tuple[str, float]], share: float = 1.0) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in parts:
        found[name] = found.get(name, 0.0) + value * share
    return found


def _number(figure: Figure) -> float:
    return float(np.max(figure.amount))


def compared(rival: Mapping[str, float], best: Mapping[str, float]) -> float:
    """Difference of all terms together."""
    return sum(rival.values()) - sum(best.values())
