"""Published cases and how they were predicted by coefficients fitted without them."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass

import numpy as np

from costline.catalogue.table import DATA
from costline.numeric import Array

VALIDATED = DATA / "measurements" / "held_out.csv"
"""Written by ``costline accuracy fit``, never by hand."""
WORDS = ("id", "metric", "target", "model", "chip", "family", "vendor", "software", "format")
NUMBERS = ("params", "chips", "batch", "sequence", "measured", "error")
VALIDATED_COLUMNS = (*WORDS, *NUMBERS)
GROUP = ("model", "chip", "software")
"""What cases of one group share; a group is held out as a whole."""


@dataclass(frozen=True)
class Validated:
    """Columns of the table.

    Attributes
    ----------
    words : mapping of str to array of str
        Row id, metric, target of accuracy, model, chip with its family and vendor, software, format of the products.
    numbers : mapping of str to array
        Active parameters, chips, sequences in flight (NaN: what fits), longest sequence; what was measured, in the unit
        of the metric; logarithm of predicted over measured time (of a rate, the inverse) with the row's group held out.
    """

    words: dict[str, np.ndarray[tuple[int], np.dtype[np.str_]]]
    numbers: dict[str, Array]

    def __len__(self) -> int:
        return len(self.numbers["error"])

    @functools.cached_property
    def codes(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.intp]]]:
        """Every column of words as whole numbers, and ``group``: cases of one model, chip and software."""
        found = {name: np.unique(column, return_inverse=True)[1] for name, column in self.words.items()}
        columns = np.stack([found[name] for name in GROUP], axis=1)
        found["group"] = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
        return found

    def some(self, rows: Array) -> Validated:
        """Some of the cases, by place or by a mask."""
        words = {name: column[rows] for name, column in self.words.items()}
        return Validated(words, {name: column[rows] for name, column in self.numbers.items()})


@functools.cache
def validated_cases() -> Validated:
    """The table that comes with costline; empty where no fit is in force."""
    rows: list[list[str]] = []
    if VALIDATED.exists():
        with VALIDATED.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(VALIDATED_COLUMNS)
    cells = dict(zip(VALIDATED_COLUMNS, columns, strict=True))
    return Validated(
        {name: np.asarray(cells[name], dtype=np.str_) for name in WORDS},
        {name: np.asarray([cell or "nan" for cell in cells[name]], dtype=float) for name in NUMBERS},
    )
