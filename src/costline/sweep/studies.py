"""What a sweep may vary: the inputs of each study, what they measure, which of them may be arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from costline import quantity
from costline.api.generating import generate
from costline.api.serving import serve
from costline.api.training import train
from costline.errors import UnknownNameError
from costline.estimate import Estimate
from costline.quantity import Kind
from costline.studies.choose import GENERATION_FIELDS, SERVING_FIELDS, TRAINING_FIELDS

TABLES = ("plan", "coefficients", "shape")
"""Inputs that are tables; an axis names one of their fields: ``plan.tensor``."""

MONEY = {"price": quantity.DOLLARS_PER_SECOND, "pue": quantity.RATIO}
SIZE = {"params": quantity.PARAMS, "active": quantity.PARAMS}
SHARE = {"mfu": quantity.FRACTION}


@dataclass(frozen=True, kw_only=True)
class Study:
    """One question and its inputs.

    Attributes
    ----------
    name : str
        Name of the question.
    question : callable
        The function of `costline.api`.
    kinds : mapping of str to Kind
        Numeric inputs.
    whole : frozenset of str
        Those that are whole numbers.
    single : frozenset of str
        Numeric inputs that shape the model, so that each value is a call of its own.
    chosen : tuple of str
        Plan fields that are chosen for each point unless they are stated, by comparing all plans.
    figures : tuple of str
        What is written unless the scenario says otherwise.
    """

    name: str
    question: Callable[..., Estimate]
    kinds: Mapping[str, Kind]
    whole: frozenset[str]
    single: frozenset[str] = frozenset({"params", "active"})
    chosen: tuple[str, ...]
    figures: tuple[str, ...]

    @property
    def inputs(self) -> frozenset[str]:
        """Names of all inputs."""
        return frozenset(inspect.signature(self.question).parameters) - {"explain"}

    @property
    def arrays(self) -> frozenset[str]:
        """Inputs that may be arrays."""
        return frozenset(self.kinds) - self.single

    def kind(self, name: str) -> Kind | None:
        """What an input measures; None for words."""
        return self.kinds.get(name)


STUDIES: Mapping[str, Study] = MappingProxyType({
    "serve": Study(
        name="serve",
        question=serve,
        kinds={"input": quantity.TOKENS, "output": quantity.TOKENS, "batch": quantity.COUNT, **MONEY, **SIZE},
        whole=frozenset({"input", "output", "batch"}),
        chosen=SERVING_FIELDS,
        figures=("ttft", "tpot", "latency", "output_rate", "cost_input", "cost_output", "energy_output", "memory"),
    ),
    "train": Study(
        name="train",
        question=train,
        kinds={
            "tokens": quantity.TOKENS, "clips": quantity.COUNT, "sequence": quantity.TOKENS,
            "frames": quantity.COUNT, "batch_tokens": quantity.TOKENS, **SHARE, **MONEY, **SIZE,
        },
        whole=frozenset({"sequence", "frames"}),
        chosen=TRAINING_FIELDS,
        figures=("time", "cost", "energy", "mfu", "tokens_per_second_per_chip", "step", "memory"),
    ),
    "generate": Study(
        name="generate",
        question=generate,
        kinds={
            "frames": quantity.COUNT, "seconds": quantity.SECONDS, "fps": quantity.COUNT, "tokens": quantity.TOKENS,
            "steps": quantity.COUNT, "branches": quantity.COUNT, "batch": quantity.COUNT,
            "segment": quantity.SECONDS, "overlap": quantity.SECONDS, "chunk": quantity.COUNT,
            **SHARE, **MONEY, **SIZE,
        },
        whole=frozenset({"frames", "steps", "branches", "batch", "chunk"}),
        single=frozenset({"params", "segment", "overlap", "chunk"}),
        chosen=GENERATION_FIELDS,
        figures=("time", "cost", "cost_per_second", "energy", "mfu", "flops", "memory"),
    ),
})  # fmt: skip
"""The studies a sweep can ask, by name."""


def study_named(name: Any) -> Study:
    """The study of a name.

    Raises
    ------
    UnknownNameError
        There is none.
    """
    if name not in STUDIES:
        raise UnknownNameError("study", str(name), STUDIES)
    return STUDIES[name]
