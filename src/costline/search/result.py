"""The answer of a search: the best plan, the front, the runners-up and why they lose, or what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costline.estimate import Assumption, Estimate, Figure, plain

SCHEMA = "costline.plan/1"
"""Name and version of the JSON form."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One plan of the answer.

    Attributes
    ----------
    where : str
        Chips, formats and mode.
    plan : str
        The plan in words.
    fields : mapping
        Values of the axes of its space.
    figures : mapping of str to Figure
        Objective, limits and front.
    differences : tuple of (str, float)
        For a runner-up: what it spends more than the best, by term; see `costline.search.terms`.
    excess : float
        For a runner-up: its objective over the best one's, less 1.
    """

    where: str
    plan: str
    fields: Mapping[str, Any]
    figures: Mapping[str, Figure]
    differences: tuple[tuple[str, float], ...] = ()
    excess: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values."""
        return {
            "where": self.where,
            "plan": self.plan,
            "fields": {name: plain(value) for name, value in self.fields.items()},
            "figures": {name: {"value": plain(one.value), "unit": one.unit} for name, one in self.figures.items()},
            "excess": self.excess,
            "differences": dict(self.differences),
        }


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Why nothing could be found, and what would help.

    Attributes
    ----------
    reasons : tuple of str
        What is missing: memory of the leanest plan, the nearest value of each limit.
    changes : tuple of str
        What would fit, nearest first.
    looked : int
        Plans that were looked at for `changes`.
    ended : str
        The last that was looked at, where there was more.
    seconds : float
        How long that took. [s]
    """

    reasons: tuple[str, ...]
    changes: tuple[str, ...]
    looked: int = 0
    ended: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PlanSearch:
    """The answer of `costline.find_plan`.

    Attributes
    ----------
    study, title, objective : str
        Which study, the question in words, the figure that was sought.
    best : Row or None
        The best plan that fits and keeps all limits.
    estimate : Estimate or None
        Its full answer.
    front : tuple of Row
        Plans that no other beats in every figure of the front.
    rivals : tuple of Row
        The best plan for each other choice, and why it loses.
    considered, fitting, meeting : int
        Legal plans; those that fit; those that keep all limits besides.
    seconds : float
        How long the search took, that for `missing` left out. [s]
    missing : Missing or None
        Where nothing was found.
    assumptions : tuple of Assumption
        What was assumed.
    unit : str
        Unit of the differences.
    """

    study: str
    title: str
    objective: str
    best: Row | None
    estimate: Estimate | None
    front: tuple[Row, ...] = ()
    rivals: tuple[Row, ...] = ()
    considered: int = 0
    fitting: int = 0
    meeting: int = 0
    seconds: float = 0.0
    missing: Missing | None = None
    assumptions: tuple[Assumption, ...] = ()
    unit: str = "s"

    @property
    def feasible(self) -> bool:
        """Whether a plan was found."""
        return self.best is not None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain Python values, ready for JSON; the layout is versioned by ``schema``."""
        return {
            "schema": SCHEMA,
            "study": self.study,
            "title": self.title,
            "objective": self.objective,
            "feasible": self.feasible,
            "considered": self.considered,
            "fitting": self.fitting,
            "meeting": self.meeting,
            "seconds": self.seconds,
            "best": None if self.best is None else self.best.to_dict(),
            "estimate": None if self.estimate is None else self.estimate.to_dict(),
            "front": [row.to_dict() for row in self.front],
            "rivals": [row.to_dict() for row in self.rivals],
            "difference_unit": self.unit,
            "missing": None if self.missing is None else vars(self.missing),
        }

    def to_frame(self) -> dict[str, list[Any]]:
        """The front as columns: what ``pandas.DataFrame`` or ``polars.DataFrame`` take."""
        names = list(dict.fromkeys(name for row in self.front for name in row.figures))
        columns: dict[str, list[Any]] = {"where": [row.where for row in self.front],
                                         "plan": [row.plan for row in self.front]}  # fmt: skip
        for name in names:
            columns[name] = [plain(row.figures[name].value) if name in row.figures else None for row in self.front]
        return columns
