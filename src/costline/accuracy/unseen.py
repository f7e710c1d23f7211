"""The section on measurements that no fit has read: how far predictions are from them, where, and why."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from costline.accuracy.missed import reasons
from costline.accuracy.page import NEVER_FITTED, met, pair
from costline.accuracy.predict import predicted
from costline.accuracy.rows import UNSEEN, all_unseen
from costline.accuracy.summary import TARGETS, Group, Report, report
from costline.catalogue import shipped
from costline.catalogue.diagnosis_table import shipped_diagnoses
from costline.catalogue.standing_table import STANDING, Pair, shipped_standing
from costline.catalogue.table import DATA
from costline.catalogue.validated_table import validated_cases
from costline.report.accuracy import percent
from costline.report.page import Block, Bullets, Heading, Table, Text

DIAGNOSES: Path = DATA / "measurements" / UNSEEN / "diagnoses.csv"
FIRST_LOOK: Path = DIAGNOSES.with_name("first_look.csv")
"""Errors by target before anything was changed for these rows."""
FEW = 3
"""Rows from which on a chip or a software has a line of its own."""
FIRST, HELD_OUT = "at first sight", "held out by group"


@functools.cache
def unseen_report() -> Report:
    """The rows that no fit has read, predicted with the shipped coefficients."""
    return report(all_unseen(), shipped.efficiency(), ("target", "chip", "software"))


def unseen_errors() -> dict[str, Pair]:
    """Median and 90th percentile of the error by target."""
    return {group.label: (group.own.median, group.own.p90) for group in unseen_report().groups["target"]}


def first_look() -> dict[str, Pair]:
    """The same at first sight, before anything was changed for these rows."""
    return _held_out(FIRST_LOOK)


def _held_out(path: Path) -> dict[str, Pair]:
    return {row.target: row.errors["unseen_group"] for row in shipped_standing(path) if "unseen_group" in row.errors}


def unseen_section(level: int = 2) -> list[Block]:
    """What the section is made of.

    Parameters
    ----------
    level : int
        Of its heading; the headings of its tables are one below.
    """
    made = unseen_report()
    return [
        Heading("Measurements that no fit has read", level),
        Text(_opening(made)),
        _by_target(made),
        Text(
            "Errors are medians / 90th percentiles in per cent as above; bias is predicted over measured time, less 1. "
            f'The column "{FIRST}" is from before anything was changed for these rows; "{HELD_OUT}" is of fitted rows.'
        ),
        Heading("By chip and by software", level + 1),
        _by_place("chip", made.groups["chip"], _chips_of_fit()),
        _by_place("software", made.groups["software"], frozenset()),
        Text(f"Chips and software of at least {FEW} rows. A chip is in the fit if a fitted row is on it."),
        Heading("What is behind the errors", level + 1),
        Bullets([reason for target in _targets(made) for reason in reasons(target, shipped_diagnoses(DIAGNOSES))]),
    ]


def _opening(made: Report) -> str:
    measurements = [row.measurement for row in made.rows]
    sources = {row.source for row in measurements}
    chips = {row.conditions.chip for row in measurements}
    models = {row.conditions.model for row in measurements}
    known = sum(predicted(row) is not None for row in made.rows)
    return (
        f"{len(measurements):,} published measurements of {len(sources)} sources that none of the fitted rows is from: "
        f"{len(models)} models on {len(chips)} chips. {known:,} are predicted, by the shipped coefficients; "
        "`costline accuracy --measurements unseen` does it again. They were gathered for breadth, older and smaller "
        "projects among them, and after the form of the model was settled; so this is what a question about something "
        "new should expect. They have been looked at once, and what was read wrongly in them is read rightly now: "
        "requests of one length that come back together, how many rounds a run has, rates that leave the prompt out, "
        "a chip of unstated form that has more memory than the catalogue's. "
        "Nothing was fitted to them."
    )


def _targets(made: Report) -> list[str]:
    return sorted(group.label for group in made.groups["target"])


def _by_target(made: Report) -> Table:
    fitted, first = _held_out(STANDING), first_look()
    header = ["target", "rows", NEVER_FITTED, FIRST, HELD_OUT, "bias", "within 20 %", "80 % interval holds",
              "aim", "met"]  # fmt: skip
    rows = []
    for group in sorted(made.groups["target"], key=lambda group: group.label):
        own, name = group.own, group.label
        aim = TARGETS.get(name)
        rows.append([
            name, f"{own.rows:,}", pair((own.median, own.p90)), pair(first.get(name)), pair(fitted.get(name)),
            percent(own.bias, signed=True), percent(own.within_20), _coverage(group), pair(aim), met(own, aim),
        ])  # fmt: skip
    return Table(header, rows)


def _coverage(group: Group) -> str:
    return "-" if group.own.coverage is None else percent(group.own.coverage)


def _chips_of_fit() -> frozenset[str]:
    return frozenset(validated_cases().words["chip"].tolist())


def _by_place(name: str, groups: Sequence[Group], fitted: frozenset[str]) -> Table:
    header = [name, "rows", NEVER_FITTED, "bias", *(["in the fit"] if fitted else [])]
    rows = [
        [group.label, f"{group.own.rows:,}", pair((group.own.median, group.own.p90)),
         percent(group.own.bias, signed=True), *(["yes" if group.label in fitted else "no"] if fitted else [])]
        for group in groups
        if group.own.rows >= FEW
    ]  # fmt: skip
    return Table(header, rows)
