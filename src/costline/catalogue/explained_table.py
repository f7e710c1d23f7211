"""What was found out about measurements that are predicted badly. Read by the report alone, never by a prediction."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from costline.catalogue.table import DATA, columns, read_table

EXPLAINED = DATA / "measurements" / "explained.csv"
PATTERNS = ("target", "model", "chip", "software")
COLUMNS = columns("rows target model chip software explanation! checked!", date="date!")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why some rows are predicted badly.

    Attributes
    ----------
    rows : frozenset of str
        Rows it is about; empty where patterns say it.
    patterns : mapping of str to str
        Shell patterns of target, model, chip and software that a row must fit; an empty one fits all.
    explanation : str
        What was found.
    checked : str
        How: the arithmetic, or the rows it was compared with.
    date : str
        When.
    """

    rows: frozenset[str]
    patterns: Mapping[str, str]
    explanation: str
    checked: str
    date: str

    def fits(self, row: str, words: Mapping[str, str]) -> bool:
        """Whether it is about a row of the validated cases."""
        if self.rows and row not in self.rows:
            return False
        return all(fnmatchcase(words[name], pattern) for name, pattern in self.patterns.items() if pattern)


@functools.cache
def shipped_explanations(path: Path = EXPLAINED) -> tuple[Explanation, ...]:
    """The table that comes with costline, in its order: the first that fits a row is its explanation."""
    return tuple(
        Explanation(
            rows=frozenset((row["rows"] or "").split()),
            patterns={name: row[name] or "" for name in PATTERNS},
            explanation=row["explanation"], checked=row["checked"], date=row["date"],
        )
        for row in read_table(path, COLUMNS)
    )  # fmt: skip
