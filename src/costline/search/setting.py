"""One space to search: a machine, a way to run, axes, and the study that measures it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.estimate import Estimate, Figure
from costline.numeric import Numeric
from costline.plan import Plan
from costline.studies.blocks import Axes, Block, Replicas, blocks
from costline.studies.space import as_many_as_fit

SHOWN = (
    "tensor", "pipeline", "virtual", "data", "ulysses", "ring", "guidance", "expert", "expert_tensor", "zero",
    "shard_scope", "recompute", "recomputed", "micro_batch", "vae_parallel", "vae_tile", "offload", "gradient_bytes",
    "optimizer_bytes", "sequence_parallel", "density", "reused", "narrow",
)  # fmt: skip
"""Fields of a plan that are named where they are not at their default: all but formats and software, which answers
state on lines of their own."""


@dataclass(frozen=True)
class Measured:
    """What a study says of some plans: its figures, and whether they can be run."""

    figures: Mapping[str, Figure]
    fits: Any


@dataclass(frozen=True)
class Setting:
    """A space to search.

    Attributes
    ----------
    words : str
        Where and in which mode.
    machine : Machine
        Its plan holds what is no axis.
    axes : mapping
        Values by field of the plan, and of what is asked (``batch``, ``chunk``).
    legal : callable
        Which combinations of a block may be run, from the fields and the plans.
    measure : callable
        From a machine with plans, and the fields: arrays in, arrays out.
    estimate : callable
        From a machine with one plan, and its fields: the full answer.
    compared : collection of str or None
        Axes whose other values are worth a word; None is all.
    replicas : callable
        Replicas of plans on some chips.
    shown : callable
        The plan in words.
    walked : callable
        Blocks of the axes that hold every legal combination; by default all blocks.
    memory : callable, optional
        Memory of a chip from a machine with plans, where it is far less work than `measure`: blocks of which nothing
        fits are not measured then.
    """

    words: str
    machine: Machine
    axes: Axes
    legal: Callable[[Mapping[str, Any], Plan], Any]
    measure: Callable[[Machine, Mapping[str, Any]], Measured]
    estimate: Callable[[Machine, Mapping[str, Any]], Estimate]
    compared: Collection[str] | None = None
    replicas: Replicas = as_many_as_fit
    shown: Callable[[Machine, Mapping[str, Any]], str] = field(default=lambda machine, fields: plan_words(machine.plan))
    walked: Callable[[Axes], Iterator[Block]] = blocks
    memory: Callable[[Machine], Memory] | None = None

    def block(self, block: Block) -> tuple[Machine, Any]:
        """The machine with all plans of a block, and which of them may be run."""
        chips = self.machine.cluster.chips
        plan = block.plan(self.machine.plan, chips, self.replicas)
        return replace(self.machine, plan=plan), np.asarray(self.legal(block.fields, plan)) & (plan.chips <= chips)

    def one(self, fields: Mapping[str, Any]) -> Machine:
        """The machine with one plan, in whole numbers."""
        known = {name: value for name, value in fields.items() if name in Plan.__dataclass_fields__}
        plan = replace(self.machine.plan, **known)
        number = self.replicas(plan, self.machine.cluster.chips)
        return replace(self.machine, plan=replace(plan, data=plain(number)))


def plain(value: Any) -> Any:
    """A value of an axis as Python's own: whole numbers as such."""
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plan_words(plan: Plan) -> str:
    """A plan in the form in which it can be stated: ``tensor=8, pipeline=16``.

    Examples
    --------
    >>> plan_words(Plan(tensor=8, data=2))
    'tensor=8, data=2'
    """
    usual = Plan()
    changed = [name for name in SHOWN if np.any(np.not_equal(getattr(plan, name), getattr(usual, name)))]
    return ", ".join(f"{name}={_written(getattr(plan, name))}" for name in changed) or "one replica on one chip"


def _written(value: Any) -> str:
    """A value as a plan states it; a sweep as its ends, one of words as all of them."""
    if isinstance(value, np.ndarray) and value.size > 1:
        known = sorted(set(value.ravel().tolist()))
        if isinstance(known[0], str):
            return " or ".join(known)
        return " to ".join(dict.fromkeys(str(plain(end)) for end in (known[0], known[-1])))
    value = plain(value)
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def whole(chips: Numeric) -> str:
    """A number of chips for words."""
    return f"{float(np.max(chips)):,.0f}"


def site_words(machine: Machine, mode: str = "") -> str:
    """Where: chips, their format where it is not the usual one, and the mode."""
    plan, formats = machine.plan, ""
    if plan.weights != plan.compute:
        formats = f"{plan.weights} weights, {plan.compute} products"
    elif plan.compute != "bf16":
        formats = plan.compute
    where = f"{whole(machine.cluster.chips)} x {machine.cluster.chip.id}"
    return ", ".join(filter(None, [where, formats, mode]))
