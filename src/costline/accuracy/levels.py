"""Coefficients while they are being fitted: lookups that are noted, adjustments that are moved.

An adjustment is a logarithm (see `costline.hardware.efficiency`). It multiplies a share, a time or a bandwidth; of an
overlap it multiplies what stays exposed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency, Level, adjusted, conditions, levels_of
from costline.numeric import Numeric

Asked: TypeAlias = tuple[str, str, str]
"""Name, qualifier and chip id of a lookup."""
Kind: TypeAlias = tuple[str, str]
"""Name and qualifier of a lookup, whose levels all have the same effect."""

FITTED = frozenset({
    "apart", "attention", "attention_backward", "attention_block", "chunk", "convolution", "dequantise",
    "dispatch", "eager", "expert_spread", "exposed", "gemm", "gemm_half", "host_bridge", "host_work",
    "latency_out", "latency_up", "launch", "link_out", "link_up", "memory", "misaligned", "overlap", "progress",
    "queue", "request_overhead", "scan", "software", "step_overhead", "strong_scaling",
})  # fmt: skip
"""Coefficients that measurements of speed say something about; the others stay as sourced."""


class Adjusted(Efficiency):
    """Coefficients with adjustments that note what is asked for, and with each of some kinds moved a little.

    Parameters
    ----------
    base : Efficiency
        Sourced coefficients.
    adjustments : mapping
        Logarithms by level.
    kinds : sequence of Kind
        What is moved, one kind at a time; values become arrays with one entry more than there are kinds, of which the
        first is unmoved. Without kinds values stay plain numbers.
    move : float
        Change of the logarithm.
    """

    def __init__(
        self,
        base: Efficiency,
        adjustments: Mapping[Level, float],
        kinds: Sequence[Kind] = (),
        move: float = 0.0,
        fixed: Mapping[str, Numeric] | None = None,
        known: dict[Asked, Numeric] | None = None,
        job: str = "",
    ) -> None:
        super().__init__((), fixed, job=job)
        self._rows = base._rows
        self._base, self._fixed, self._kinds, self._move = base, dict(fixed or {}), kinds, move
        self._logarithms = adjustments
        self._known: dict[Asked, Numeric] = {} if known is None else known

    @property
    def asked(self) -> frozenset[Asked]:
        """Fitted coefficients that were asked for."""
        return frozenset(self._known)

    def value(self, name: str, chip: Chip, qualifier: str = "") -> Numeric:
        """Value of the row that applies, adjusted and moved."""
        average = name == "software" and not qualifier  # by definition 1
        if name not in FITTED or name in self._fixed or average:
            return super().value(name, chip, qualifier)
        key = (name, self.refined(name, qualifier), chip.id)
        if key not in self._known:
            self._known[key] = self._moved(key, chip)
        return self._known[key]

    def _moved(self, key: Asked, chip: Chip) -> Numeric:
        name, qualifier, _ = key
        value = self._base.sourced(name, chip, qualifier).value
        logarithm = sum(self._logarithms.get(level, 0.0) for level in levels_of(name, qualifier, chip))
        plain = adjusted(name, value, math.exp(logarithm))
        moved = [kind for kind in self._kinds if kind == (name, qualifier)]
        if not moved:
            return plain
        values = np.full(len(self._kinds) + 1, plain)
        values[1 + self._kinds.index(moved[0])] = adjusted(name, value, math.exp(logarithm + self._move))
        return values

    def replace(self, **overrides: Numeric) -> Adjusted:
        """The same with values fixed, which are neither adjusted nor moved nor noted."""
        return self._with({**self._fixed, **overrides}, self._job)

    def within(self, job: str) -> Adjusted:
        """The same for one kind of job."""
        return self._with(self._fixed, job)

    def _with(self, fixed: Mapping[str, Numeric], job: str) -> Adjusted:
        return Adjusted(self._base, self._logarithms, self._kinds, self._move, fixed, self._known, job)


def depth(level: Level) -> int:
    """How refined the qualifier of a level is.

    Examples
    --------
    >>> depth(("launch", "graph/vllm", "all")), depth(("gemm", "", "all"))
    (1, 0)
    """
    return len(list(conditions(level[1]))) - 1
