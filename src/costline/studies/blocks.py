"""Blocks of a space: an open grid of some values of each field, long along its own axis only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from costline.numeric import Array, Numeric
from costline.plan import Plan

Axes: TypeAlias = Mapping[str, Sequence[Any]]
"""Values of each field of a plan, in the order ties are broken."""

BLOCK = 2**17
"""Combinations worked on together: an array of them takes a megabyte, what lies on few axes far less."""

Replicas: TypeAlias = Callable[[Plan, Numeric], Numeric]
"""Replicas of plans on some chips. [1]"""


@dataclass(frozen=True)
class Block:
    """Some combinations of a space.

    Attributes
    ----------
    fields : mapping of str to array
        Values of each axis, long along that axis only.
    shape : tuple of int
        Lengths of the axes.
    """

    fields: dict[str, Array]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Combinations."""
        return math.prod(self.shape)

    def plan(self, base: Plan, chips: Numeric, replicas: Replicas) -> Plan:
        """Plans of the block, each with its replicas on the chips."""
        known: dict[str, Any] = {
            name: one.item()
            if isinstance(one, np.ndarray) and one.size == 1
            else one  # what is the same everywhere costs no arrays
            for name, one in self.fields.items()
            if name in Plan.__dataclass_fields__
        }
        plan = replace(base, **known)
        return replace(plan, data=replicas(plan, chips))

    def at(self, index: Array) -> dict[str, Array]:
        """Values of each axis at flat positions of the block."""
        places = np.unravel_index(index, self.shape)
        return {
            name: values.reshape(-1)[place] for (name, values), place in zip(self.fields.items(), places, strict=True)
        }

    def within(self, wanted: Array) -> Block:
        """The smallest block that holds all combinations that are wanted: values of which none is are left out.

        Examples
        --------
        >>> (block,) = blocks({"tensor": [1, 2, 4], "pipeline": [1, 2]})
        >>> block.within(np.array([[True, True], [False, False], [True, False]])).fields["tensor"].ravel().tolist()
        [1.0, 4.0]
        """
        mask, axes = np.broadcast_to(wanted, self.shape), range(len(self.shape))
        kept = [mask.any(axis=tuple(other for other in axes if other != axis)) for axis in axes]
        fields = {
            name: np.compress(some, values, axis)
            for axis, (some, (name, values)) in enumerate(zip(kept, self.fields.items(), strict=True))
        }
        return Block(fields, tuple(int(some.sum()) for some in kept))

    def flat(self, values: Any, points: tuple[int, ...] = ()) -> Array:
        """Anything that broadcasts to the block as one row a combination and one column a point asked about."""
        return np.broadcast_to(np.asarray(values), (*self.shape, *points)).reshape(self.size, -1)


def blocks(axes: Axes, points: int = 0, limit: int = BLOCK) -> Iterator[Block]:
    """Walk a space in blocks of at most `limit` combinations, in the order of its axes.

    Parameters
    ----------
    axes : mapping
        Values by field; at least one each.
    points : int
        Trailing axes to leave to the points asked about.
    limit : int
        Combinations of a block.
    """
    values = [_as_numbers(chosen) for chosen in axes.values()]
    inner = len(values)
    while inner and math.prod(one.size for one in values[inner - 1 :]) <= limit:
        inner -= 1
    room = max(limit // math.prod(one.size for one in values[inner:]), 1)
    cuts = [_cut(one, room if place == inner - 1 else 1) for place, one in enumerate(values[:inner])]
    for outer in product(*cuts):
        chosen = [*outer, *values[inner:]]
        shape = tuple(one.size for one in chosen)
        fields = {}
        for place, (name, one) in enumerate(zip(axes, chosen, strict=True)):
            own = [1] * (len(chosen) + points)
            own[place] = one.size
            fields[name] = one.reshape(own)
        yield Block(fields, shape)


def listed(rows: Sequence[Mapping[str, Any]]) -> Block:
    """A block of some combinations one after the other, on no grid.

    Examples
    --------
    >>> listed([{"tensor": 1, "pipeline": 8}, {"tensor": 8, "pipeline": 1}]).fields["tensor"].tolist()
    [1.0, 8.0]
    """
    return Block({name: _as_numbers([row[name] for row in rows]) for name in rows[0]}, (len(rows),))


def _as_numbers(values: Sequence[Any]) -> Array:
    """Values of a field; numbers as floating-point: integer arrays overflow, and are converted in every product."""
    found = np.asarray(values)
    return found.astype(float) if found.dtype.kind in "iub" else found


def _cut(values: Array, size: int) -> list[Array]:
    return [values[start : start + size] for start in range(0, values.size, size)]
