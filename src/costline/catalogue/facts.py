"""Smaller tables: what chips cost to make, results a chip model must reproduce, PIM, published video trainings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from costline.catalogue.table import DATA, Column, columns, read_table

_VALUE = columns("text unit", signed="value")
_ORIGIN = columns("source!", date="date!", kind="kind!")

COST_COLUMNS = (*_VALUE, *_ORIGIN, *columns("category! item! technology figure_date note", number="low high"))
ANCHOR_COLUMNS = (*_VALUE, *_ORIGIN, *columns("anchor! quantity! setup reproduces_with kind_printed"))
PIM_COLUMNS = (
    *_VALUE,
    *_ORIGIN,
    *columns(
        "device! vendor device_class config baseline metric! capacity_or_cost internal_bandwidth compute evidence"
    ),
    *columns("note"),
)
TRAINING_COLUMNS = (
    *_VALUE,
    *_ORIGIN,
    *columns("model! stage chip chip_printed metric! resolution parallelism format note source_location"),
    *columns(
        identifier="id!",
        number="params wall_time_s chip_time_s cost_usd tokens_per_sample samples flop_per_s_per_chip mfu",
        integer="n_chips global_batch frames",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A published figure. `value` is None where the source prints more than one number; then `text` has it."""

    value: float | None
    text: str
    unit: str
    kind: str
    date: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFact(Fact):
    """Wafer prices, defect densities, energies per operation and the like, for `technology` (a node, a memory)."""

    category: str
    item: str
    technology: str
    figure_date: str
    note: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor(Fact):
    """A result that a model of chips must reproduce, from `setup`."""

    anchor: str
    quantity: str
    setup: str
    reproduces_with: str
    kind_printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PimFact(Fact):
    """A figure of a processing-in-memory device; `evidence` is what the source says of how it was obtained."""

    device: str
    vendor: str
    device_class: str
    config: str
    baseline: str
    metric: str
    capacity_or_cost: str
    internal_bandwidth: str
    compute: str
    evidence: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFact(Fact):
    """Chips, hours, cost and MFU of a published training of a video model; times in seconds."""

    id: str
    model: str
    stage: str
    chip: str
    chip_printed: str
    metric: str
    resolution: str
    parallelism: str
    format: str
    note: str
    source_location: str
    params: float | None
    wall_time_s: float | None
    chip_time_s: float | None
    cost_usd: float | None
    tokens_per_sample: float | None
    samples: float | None
    flop_per_s_per_chip: float | None
    mfu: float | None
    n_chips: int | None
    global_batch: int | None
    frames: int | None


_Row = TypeVar("_Row", bound=Fact)


def _read(file: str, declared: tuple[Column, ...], make: Callable[..., _Row], key: str = "") -> tuple[_Row, ...]:
    return tuple(make(**row) for row in read_table(DATA / file, declared, key))


@functools.cache
def chip_costs() -> tuple[CostFact, ...]:
    """What chips cost to make, and what they draw."""
    return _read("chip_cost.csv", COST_COLUMNS, CostFact)


@functools.cache
def chip_anchors() -> tuple[Anchor, ...]:
    """Results a model of chips must reproduce."""
    return _read("chip_anchors.csv", ANCHOR_COLUMNS, Anchor)


@functools.cache
def pim_facts() -> tuple[PimFact, ...]:
    """Processing-in-memory devices."""
    return _read("pim.csv", PIM_COLUMNS, PimFact)


@functools.cache
def video_trainings() -> tuple[TrainingFact, ...]:
    """Published trainings of video models."""
    return _read("video_training_facts.csv", TRAINING_COLUMNS, TrainingFact, "id")
