"""A sweep read back: column by column, block by block, never all of it at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from costline.errors import InputError, UnknownNameError
from costline.numeric import Array
from costline.sweep.arrow import Column, decode, pyarrow
from costline.sweep.axes import Axis
from costline.sweep.store import Folder, Manifest

Batch = dict[str, Array]
"""Columns of a block; words as their places in the axis."""


class Kept:
    """The points that a folder holds.

    Parameters
    ----------
    folder : Path or str
        Folder of a sweep, finished or not.

    Raises
    ------
    InputError
        No sweep is kept there.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Folder(Path(folder))
        self.manifest: Manifest = self.folder.manifest()
        self.columns: Mapping[str, Column] = {column.name: column for column in self.manifest.columns}
        self.words: Mapping[str, Sequence[str]] = self.manifest.words

    @cached_property
    def blocks(self) -> list[int]:
        """Numbers of the blocks that are here."""
        return [number for number in range(self.manifest.blocks) if self.folder.block(number).exists()]

    @property
    def points(self) -> int:
        """Points that are here."""
        return sum(self.manifest.rows(number) for number in self.blocks)

    def column(self, name: str) -> Column:
        """A column by name.

        Raises
        ------
        UnknownNameError
            There is none.
        """
        if name not in self.columns:
            raise UnknownNameError("column", name, self.columns, listed=self.columns)
        return self.columns[name]

    def named(self, role: str) -> list[str]:
        """Names of the columns of a role: axis or figure."""
        return [column.name for column in self.columns.values() if column.role == role]

    def values(self, name: str) -> list[float] | list[str]:
        """Listed values of an axis, in order.

        Raises
        ------
        InputError
            The column is no axis, or one that is drawn at random.
        """
        if name in self.words:
            return list(self.words[name])
        for given in self.manifest.scenario["axes"]:
            if given["name"] == name and "spread" not in given:
                spacing = given.get("spacing")
                axis = Axis(
                    name=name,
                    whole=given.get("whole", False),
                    numbers=tuple(given.get("numbers", ())),
                    spacing=tuple(spacing) if spacing else None,
                )
                return [float(axis.value(place)) for place in range(axis.size)]
        listed = ", ".join(given["name"] for given in self.manifest.scenario["axes"] if "spread" not in given)
        raise InputError(f"{self.column(name).name} is no axis of listed values; those are: {listed or 'none'}")

    def batches(self, names: Iterable[str], blocks: Iterable[int] | None = None) -> Iterator[Batch]:
        """Columns of one block after the other.

        Raises
        ------
        InputError
            A file that cannot be read.
        """
        wanted = [self.column(name).name for name in dict.fromkeys(names)]
        for number in self.blocks if blocks is None else blocks:
            yield self._read(number, wanted)

    def _read(self, number: int, names: list[str]) -> Batch:
        arrow, parquet = pyarrow(), pyarrow("pyarrow.parquet")
        path = self.folder.block(number)
        try:
            table = parquet.read_table(path, columns=names, use_threads=False, partitioning=None)
        except (OSError, arrow.ArrowInvalid) as error:
            raise InputError(f"{path}: cannot be read ({error}); delete it and run the sweep again") from None
        return {name: decode(table.column(name), self.words.get(name)) for name in names}

    def rows(self, points: Sequence[int] | Array, names: Sequence[str]) -> dict[str, list[object]]:
        """Values of single points, in the order asked; words as words, unknown as None."""
        asked = np.asarray(points, dtype=np.int64)
        found: dict[str, list[object]] = {name: [None] * len(asked) for name in names}
        for number in np.unique(asked // self.manifest.block).tolist():
            here = np.flatnonzero(asked // self.manifest.block == number)
            (batch,) = self.batches(names, [number])
            for name in names:
                column = batch[name][asked[here] - number * self.manifest.block].tolist()
                for place, value in zip(here.tolist(), column, strict=True):
                    found[name][place] = self._plain(name, value)
        return found

    def _plain(self, name: str, value: object) -> object:
        if name in self.words and isinstance(value, int):
            return self.words[name][value]
        return None if isinstance(value, float) and not np.isfinite(value) else value
