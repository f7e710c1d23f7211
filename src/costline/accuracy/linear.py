"""Linearised problems, in blocks: rows of a chip share coefficients with others only through its family and all chips.

Most adjustments are a chip's own, so they are eliminated chip by chip (Schur complement), and only those that several
chips share are solved for together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from costline.hardware.efficiency import Level
from costline.numeric import Array


@dataclass(frozen=True)
class Block:
    """Rows of one chip.

    Attributes
    ----------
    rows, columns : array of int
        Places of the rows, and of the adjustments that they depend on.
    own : array of bool
        Which of these adjustments no other block depends on.
    matrix : array
        Slopes, rows by columns.
    """

    rows: Array
    columns: Array
    own: Array
    matrix: Array


@dataclass(frozen=True)
class Linear:
    """A linearised problem: errors are ``constant + slopes @ logarithms``.

    Attributes
    ----------
    levels : sequence of Level
        Adjustments.
    blocks : sequence of Block
        Slopes.
    constant, prior : array
        Errors without any adjustment; prior precision of each adjustment.
    """

    levels: Sequence[Level]
    blocks: Sequence[Block]
    constant: Array
    prior: Array

    def errors(self, logarithms: Array) -> Array:
        """Errors of all rows under some adjustments."""
        found: Array = self.constant.copy()
        for block in self.blocks:
            found[block.rows] += block.matrix @ logarithms[block.columns]
        return found

    def pulled(self, weighted: Array) -> Array:
        """Slopes of each adjustment times something of each row, added up."""
        found = np.zeros(len(self.levels))
        for block in self.blocks:
            found[block.columns] += block.matrix.T @ weighted[block.rows]
        return found

    def told(self, weight: Array) -> Array:
        """What rows of some weights say of each adjustment alone: its precision by measurements."""
        found = np.zeros(len(self.levels))
        for block in self.blocks:
            found[block.columns] += (block.matrix**2).T @ weight[block.rows]
        return found

    def precision(self, weight: Array) -> Array:
        """The matrix whose inverse is the covariance of the adjustments."""
        found = np.diag(self.prior)
        for block in self.blocks:
            found[np.ix_(block.columns, block.columns)] += block.matrix.T @ (
                block.matrix * weight[block.rows, None]
            )  # fmt: skip
        return found

    def only(self, kept: Array) -> Linear:
        """Some of the rows."""
        place = np.full(len(self.constant), -1)
        place[kept] = np.arange(len(kept))
        chosen = [(block, place[block.rows] >= 0) for block in self.blocks]
        blocks = [replace(one, rows=place[one.rows[some]], matrix=one.matrix[some]) for one, some in chosen]
        return replace(self, blocks=blocks, constant=self.constant[kept])

    def minimum(self, weight: Array, ridge: Array, pull: Array) -> Array:
        """Solve ``(slopes' weight slopes + ridge) x = pull``."""
        shared = np.ones(len(self.levels), dtype=bool)
        for block in self.blocks:
            shared[block.columns[block.own]] = False
        place, found = np.cumsum(shared) - 1, np.zeros(len(self.levels))
        left, right = np.diag(ridge[shared]), pull[shared]
        eliminated = []
        for block in self.blocks:
            rooted = block.matrix * np.sqrt(weight[block.rows])[:, None]
            mine, others = rooted[:, block.own], rooted[:, ~block.own]
            columns, at = block.columns[block.own], place[block.columns[~block.own]]
            across = mine.T @ others
            solved = np.linalg.solve(mine.T @ mine + np.diag(ridge[columns]), np.c_[across, pull[columns]])
            left[np.ix_(at, at)] += others.T @ others - across.T @ solved[:, :-1]
            right[at] -= across.T @ solved[:, -1]
            eliminated.append((columns, at, solved))
        core = np.linalg.solve(left, right)
        found[shared] = core
        for columns, at, solved in eliminated:
            found[columns] = solved[:, -1] - solved[:, :-1] @ core[at]
        return found


def blocks_of(effects: Sequence[Mapping[Level, float]], chips: Sequence[str]) -> tuple[list[Level], list[Block]]:
    """Adjustments that some rows depend on, and their slopes in blocks.

    Parameters
    ----------
    effects : sequence of mapping
        For each row the slopes of its logarithm by adjustment.
    chips : sequence of str
        What the rows of a block have in common.
    """
    levels = sorted({level for found in effects for level in found})
    place = {level: column for column, level in enumerate(levels)}
    rows: dict[str, list[int]] = {}
    for row, chip in enumerate(chips):
        rows.setdefault(chip, []).append(row)
    columns = {chip: sorted({place[level] for row in some for level in effects[row]}) for chip, some in rows.items()}
    uses = Counter(column for some in columns.values() for column in some)
    blocks = []
    for chip in sorted(rows):
        at = {column: number for number, column in enumerate(columns[chip])}
        matrix = np.zeros((len(rows[chip]), len(at)))
        for number, row in enumerate(rows[chip]):
            for level, slope in effects[row].items():
                matrix[number, at[place[level]]] = slope
        own = np.asarray([uses[column] == 1 for column in columns[chip]], dtype=bool)
        blocks.append(Block(np.asarray(rows[chip]), np.asarray(columns[chip], dtype=int), own, matrix))
    return levels, blocks
