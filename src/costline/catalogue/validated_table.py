"""Published cases and how they were predicted by coefficients fitted without them."""

from __future__ import annotations

import csv
import functools
import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from costline.catalogue.table import DATA
from costline.numeric import Array

VALIDATED = DATA / "measurements" / "held_out.csv"
"""Written by ``costline accuracy fit``, never by hand."""
MEASURED = DATA / "measurements" / "measured_kernels.csv"
"""The same of predictions with measured kernels; written by ``costline accuracy --kernels measured --write``."""
WORDS = ("id", "metric", "target", "model", "chip", "family", "vendor", "software", "format", "run")
NUMBERS = ("params", "chips", "batch", "sequence", "measured", "error", "chip_error", "software_error")
VALIDATED_COLUMNS = (*WORDS, *NUMBERS)
COMPARED = ("target", "model", "chip", "family", "vendor", "software", "format")
"""Columns of words by which cases are like each other."""
GROUP = ("model", "chip", "software")
"""What cases of one group share; a group is held out as a whole."""


@dataclass(frozen=True, eq=False)
class Validated:
    """Columns of the table; a table is equal to itself alone, so that what is worked out for it can be kept.

    Attributes
    ----------
    words : mapping of str to array of str
        Read from the table they are objects, which takes a fifth of the time.
        Row id, metric, target of accuracy, model, chip with its family and vendor, software, format of the products,
        and how it ran: year of the software, attention kernel, eager.
    numbers : mapping of str to array
        Active parameters, chips, sequences in flight (NaN: what fits), longest sequence; what was measured, in the unit
        of the metric; logarithm of predicted over measured time (of a rate, the inverse) with the row's group held out,
        or with measured kernels; the same with every row of its chip held out, and with every row of its software, NaN
        where that was not done.
    """

    words: dict[str, np.ndarray[tuple[int], np.dtype[Any]]]
    numbers: dict[str, Array]

    def __len__(self) -> int:
        return len(self.numbers["error"])

    @functools.cached_property
    def codes(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.intp]]]:
        """Columns of `COMPARED` as whole numbers, and ``group``: cases of one model, chip and software."""
        return {name: numbers for name, (numbers, _) in self._numbered.items()} | {"group": self.group}

    @functools.cached_property
    def coded(self) -> Validated:
        """The same cases with the columns of `COMPARED`, as whole numbers, for words."""
        codes: dict[str, Any] = self.codes
        return Validated({name: codes[name] for name in COMPARED}, self.numbers)

    def code(self, name: str, word: str) -> int:
        """Whole number that stands for a word in a column; -1 where the column does not have it."""
        return self._numbered[name][1].get(word, -1)

    @functools.cached_property
    def _numbered(self) -> dict[str, tuple[np.ndarray[tuple[int], np.dtype[np.intp]], dict[Any, int]]]:
        return {name: _numbered(self.words[name].tolist()) for name in COMPARED}

    @functools.cached_property
    def group(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Equal numbers for cases of one model, chip and software."""
        return _numbered(zip(*(self.words[name].tolist() for name in GROUP), strict=True))[0]

    def some(self, rows: Array) -> Validated:
        """Some of the cases, by place or by a mask."""
        words = {name: column[rows] for name, column in self.words.items()}
        return Validated(words, {name: column[rows] for name, column in self.numbers.items()})


def _numbered(values: Iterable[Hashable]) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], dict[Any, int]]:
    """Whole numbers that are equal where values are, and each value's; several times as fast as sorting text."""
    places: defaultdict[Any, int] = defaultdict(itertools.count().__next__)
    return np.asarray([places[value] for value in values], dtype=np.intp), dict(places)


@functools.cache
def validated_cases(study: str = "", *, measured: bool = False) -> Validated:
    """The table that comes with costline, or one study of it; empty where no fit is in force.

    Parameters
    ----------
    study : str
        Only its cases.
    measured : bool
        Errors of predictions with measured kernels, of serving alone. No kernel is fitted to a case, but what is not
        interpolated is: these errors are not held out.

    Notes
    -----
    Only lines of the study are parsed: an answer has a few milliseconds for them.
    """
    rows: list[list[str]] = []
    table = MEASURED if measured else VALIDATED
    if table.exists():
        lines = table.read_text(encoding="utf-8").splitlines()[1:]
        rows = list(csv.reader([line for line in lines if f',"{study}, ' in line] if study else lines))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(VALIDATED_COLUMNS)
    cells = dict(zip(VALIDATED_COLUMNS, columns, strict=True))
    return Validated(
        {name: np.asarray(cells[name], dtype=object) for name in WORDS},
        {name: np.asarray([cell or "nan" for cell in cells[name]], dtype=float) for name in NUMBERS},
    )


def is_time(metric: str) -> bool:
    """Whether a metric is a time, so that a larger one is worse."""
    return not ("_per_s" in metric and "tokens" in metric)


def factor_of(metric: str) -> float:
    """From SI to the unit in the name of a metric.

    Examples
    --------
    >>> factor_of("ttft_ms"), factor_of("step_time_s"), factor_of("output_tokens_per_s")
    (1000.0, 1.0, 1.0)
    """
    return 1e3 if metric.endswith("_ms") else 1.0
