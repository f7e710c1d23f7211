"""Why targets of accuracy are missed. Read by the report alone, never by a prediction."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from costline.catalogue.table import DATA, columns, read_table

DIAGNOSES = DATA / "measurements" / "diagnoses.csv"
COLUMNS = columns("target! cause! checked! tried!", date="date!")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What stands between a target and its predictions.

    Attributes
    ----------
    target : str
        Which.
    cause : str
        Which effect is missing, or which measurements contradict each other.
    checked : str
        How that was found: the rows it was read off.
    tried : str
        What was changed, and what came of it.
    date : str
        When.
    """

    target: str
    cause: str
    checked: str
    tried: str
    date: str


@functools.cache
def shipped_diagnoses(path: Path = DIAGNOSES) -> Mapping[str, tuple[Diagnosis, ...]]:
    """The table that comes with costline, by target."""
    found: dict[str, tuple[Diagnosis, ...]] = {}
    for row in read_table(path, COLUMNS):
        one = Diagnosis(**{name: row[name] for name in ("target", "cause", "checked", "tried", "date")})
        found[one.target] = (*found.get(one.target, ()), one)
    return found
