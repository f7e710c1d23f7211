"""Spaces of plans: fields of a plan as axes of an open grid, walked in blocks, the best one kept.

On an open grid each field is an array that is long along its own axis only. The studies broadcast, so what depends on
one field is worked out once for each of its values and not once for each combination: that, and nothing else, makes a
search fast. Blocks bound the memory whatever the size of the space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, cast

import numpy as np

from costline.engine.memory import Memory
from costline.engine.passes import Machine
from costline.models.network import Network
from costline.models.parts import Attention, ExpertLinear
from costline.numeric import Array, Numeric, ceil_divide, choose, floor_divide, largest
from costline.plan import Plan
from costline.studies.blocks import BLOCK, Axes, Block, Replicas, blocks

MOST_UNEVEN = 64
"""Largest degree that is looked at without being a power of two."""


def powers_of_two(limit: Numeric) -> list[int]:
    """1, 2, 4, ... up to `limit`; 1 at least.

    Examples
    --------
    >>> powers_of_two(9)
    [1, 2, 4, 8]
    """
    return [2**power for power in range(int(np.max(np.maximum(limit, 1))).bit_length())]


def dividing(values: Iterable[int], whole: Numeric) -> list[int]:
    """Those of `values` that divide `whole`.

    Examples
    --------
    >>> dividing([1, 2, 4, 8], 12)
    [1, 2, 4]
    """
    return [value for value in values if np.all(np.asarray(whole) % value == 0)]


def divisors(whole: int, limit: Numeric) -> list[int]:
    """All divisors of `whole` up to `limit`.

    Examples
    --------
    >>> divisors(12, 5)
    [1, 2, 3, 4]
    """
    return dividing(range(1, int(min(whole, np.max(limit))) + 1), whole)


def stage_counts(layers: int, limit: Numeric) -> list[int]:
    """Pipeline depths worth a look: powers of two, and for each number of layers a stage may hold the fewest stages.

    A deeper pipeline whose fullest stage holds as many layers does the same work per stage with more chips, a longer
    bubble and fewer replicas: it is beaten whatever else is chosen.

    Examples
    --------
    >>> stage_counts(6, 64), stage_counts(80, 8)
    ([1, 2, 3, 4, 6], [1, 2, 3, 4, 5, 6, 7, 8])
    """
    most = int(min(np.max(layers), np.max(limit)))
    fewest = {depth for depth in range(1, most + 1) if np.any(ceil_divide(layers, ceil_divide(layers, depth)) == depth)}
    return sorted({*fewest, *powers_of_two(most)})


def degrees(chips: Numeric) -> list[int]:
    """Degrees worth a look where they need not divide the chips: all small ones, then powers of two.

    Examples
    --------
    >>> degrees(5), degrees(300)[-4:]
    ([1, 2, 3, 4, 5], [63, 64, 128, 256])
    """
    most = int(np.max(chips))
    return sorted({*range(1, min(most, MOST_UNEVEN) + 1), *powers_of_two(most)})


def heads_of(network: Network) -> int:
    """Largest number of heads that every attention of the blocks can be divided into. [head]"""
    heads = [part.heads for part in network.parts if isinstance(part, Attention) and part.name.startswith("block/")]
    return int(np.gcd.reduce(heads)) if heads else 1


def experts_of(network: Network) -> int:
    """Experts of a layer; 1 for a dense network; one number a sample for a family of sizes."""
    counts = [part.experts for part in network.parts if isinstance(part, ExpertLinear)]
    return cast(int, largest(*counts)) if counts else 1


def as_many_as_fit(plan: Plan, chips: Numeric) -> Numeric:
    """As many replicas as the chips hold, at least one, in whole groups of experts where they hold any."""
    return whole_groups(plan, largest(floor_divide(chips, plan.replica), 1))


def whole_groups(plan: Plan, replicas: Numeric) -> Numeric:
    """The most replicas, of no more than so many, whose stages groups of experts divide; all where none do.

    Examples
    --------
    >>> float(whole_groups(Plan(expert=8), 12)), float(whole_groups(Plan(expert=8, tensor=2), 3))
    (8.0, 3.0)
    """
    if np.ndim(plan.expert) == 0 and plan.expert == 1:
        return replicas
    unit = smallest_group(plan)
    fewer = floor_divide(replicas, unit) * unit
    return choose((plan.expert > 1) & (fewer >= 1), fewer, replicas)


def smallest_group(plan: Plan) -> Numeric:
    """Fewest replicas whose stages groups of experts divide; 1 where a replica holds whole groups.

    Examples
    --------
    >>> smallest_group(Plan(expert=8, tensor=2)), smallest_group(Plan(expert=1, tensor=2))
    (4.0, 1.0)
    """
    group = np.asarray(plan.expert * plan.expert_split).astype(np.int64)
    unit: Numeric = group / np.gcd(group, np.asarray(plan.tensor * plan.context).astype(np.int64))
    return float(unit) if np.ndim(unit) == 0 else unit


def points_of(*asked: object) -> tuple[int, ...]:
    """Shape of the points asked about: what all arrays among the fields of `asked` broadcast to; ``()`` for one.

    Examples
    --------
    >>> points_of({"batch": np.array([1, 2]), "input": 1000})
    (2,)
    """
    shapes = [array.shape for one in asked for array in _arrays(one)]
    return np.broadcast_shapes(*shapes) if shapes else ()


def _arrays(value: object) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping | list | tuple) or is_dataclass(value):
        inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else None
        for one in vars(value).values() if inside is None else inside:
            yield from _arrays(one)


@dataclass
class Least:
    """The combination with the least of something, for each point asked about, over all blocks seen.

    Attributes
    ----------
    points : tuple of int
        Shape of the points.
    value : array
        The least so far, one a point; infinite if there was none.
    fields : dict of str to array
        Its values of the axes, one a point; empty before the first block.
    """

    points: tuple[int, ...] = ()
    value: Array = field(init=False)
    fields: dict[str, Array] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.value = np.full(math.prod(self.points), np.inf)

    def take(self, block: Block, values: Any) -> None:
        """Compare the combinations of a block; of equals the first one stays."""
        flat = block.flat(values, self.points)
        winner = flat.argmin(axis=0)
        found = flat[winner, np.arange(flat.shape[1])]
        better = found < self.value
        chosen = block.at(winner)
        self.fields = {name: np.where(better, one, self.fields.get(name, one)) for name, one in chosen.items()}
        self.value = np.where(better, found, self.value)

    def instead(self, other: Least, where: Array) -> Least:
        """The same, with what `other` has at some points."""
        mixed = Least(self.points)
        mixed.value = np.where(where, other.value, self.value)
        for name, one in (self.fields or other.fields).items():
            mixed.fields[name] = np.where(where, other.fields.get(name, one), self.fields.get(name, one))
        return mixed

    def plan(self, base: Plan, chips: Numeric, replicas: Replicas) -> Plan:
        """The plan, of whole numbers; of arrays where several points were asked about."""
        known = {name: one for name, one in self.fields.items() if name in Plan.__dataclass_fields__}
        plan = replace(base, **{name: _settled(one, self.points) for name, one in known.items()})
        number = replicas(plan, chips)
        return replace(plan, data=number if isinstance(number, np.ndarray) else int(number))


def _settled(values: Array, points: tuple[int, ...]) -> Any:
    if points:
        return values.reshape(points)
    value = values[0].item()
    return int(value) if isinstance(value, float) else value


@dataclass
class Chosen:
    """The best combination that fits, the leanest one, and how many there were."""

    best: Least
    leanest: Least
    considered: int = 0
    fitting: int = 0

    @property
    def fits(self) -> Array:
        """Whether any combination fits, one a point."""
        return np.isfinite(self.best.value)

    def filled(self, other: Chosen) -> Chosen:
        """The same, with what `other`, a space of the same fields, has for points where nothing fits here."""
        best = self.best.instead(other.best, ~self.fits)
        leanest = self.leanest.instead(other.leanest, other.leanest.value < self.leanest.value)
        return Chosen(best, leanest, self.considered + other.considered, self.fitting + other.fitting)

    @property
    def lawful(self) -> Array:
        """Whether any combination may be run, whether it fits or not, one a point."""
        return np.isfinite(self.leanest.value)

    def completed(self, other: Chosen) -> Chosen:
        """The same, with what `other`, the same space under another law, has for points where nothing may be run."""
        best, leanest = (mine.instead(others, ~self.lawful) for mine, others in (
            (self.best, other.best), (self.leanest, other.leanest)))  # fmt: skip
        return Chosen(best, leanest, self.considered + other.considered, self.fitting + other.fitting)

    def plan(self, base: Plan, chips: Numeric, replicas: Replicas) -> Plan:
        """The best plan that fits; for points where none does, the one that needs least memory."""
        if not self.fitting:
            return self.leanest.plan(base, chips, replicas)
        some, mixed = np.isfinite(self.best.value), Least(self.best.points)
        mixed.fields = {name: np.where(some, one, self.leanest.fields[name]) for name, one in self.best.fields.items()}
        return mixed.plan(base, chips, replicas)


def choose_plan(
    axes: Axes,
    machine: Machine,
    legal: Callable[[Plan], Any],
    memory: Callable[[Machine], Memory],
    badness: Callable[[Machine], Numeric],
    points: tuple[int, ...] = (),
    replicas: Replicas = as_many_as_fit,
) -> Chosen:
    """Evaluate a space and keep the plan of least badness that fits.

    Parameters
    ----------
    axes : mapping
        Values by field.
    machine : Machine
        Where; its plan holds what is no axis.
    legal : callable
        Which plans may be run, from the plans of a block.
    memory, badness : callable
        From a machine with the plans of a block: memory of a chip, and what is to be least.
    points : tuple of int
        Shape of the points asked about, see `points_of`.
    replicas : callable
        Replicas of plans on some chips.
    """
    chosen, chips = Chosen(Least(points), Least(points)), machine.cluster.chips
    for block in blocks(axes, len(points), max(BLOCK // max(math.prod(points), 1), 1)):
        one = replace(machine, plan=block.plan(machine.plan, chips, replicas))
        allowed = np.asarray(legal(one.plan)) & np.asarray(one.plan.chips <= chips)
        if not allowed.any():
            continue
        needed = memory(one)
        fits = allowed & np.asarray(needed.fits)
        chosen.considered += int(block.flat(allowed, points).any(axis=1).sum())
        chosen.leanest.take(block, np.where(allowed, needed.total, np.inf))
        if fits.any():
            chosen.fitting += int(block.flat(fits, points).any(axis=1).sum())
            chosen.best.take(block, np.where(fits, badness(one), np.inf))
    return chosen
