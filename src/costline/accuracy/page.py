"""The accuracy page: how far predictions are from published measurements, where, and what is behind the worst."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from costline.accuracy.held_out import REGIMES, predictions, ratios, scores, times, worst
from costline.accuracy.missed import beyond, corrected_scores, of_unseen_chips, reasons
from costline.accuracy.page_text import BASELINES, CANNOT, KEYS, LEFT_OUT, METHODS, MISSED, NAMES, REGIME_WORDS
from costline.accuracy.score import Summary
from costline.accuracy.summary import TARGETS, UNSEEN_CHIP_AIM
from costline.catalogue.coefficient_table import shipped_adjustments
from costline.catalogue.diagnosis_table import Diagnosis
from costline.catalogue.explained_table import Explanation
from costline.catalogue.standing_table import Pair, Standing
from costline.catalogue.validated_table import WORDS, Validated, factor_of
from costline.hardware.efficiency import Adjustment
from costline.numeric import Array
from costline.report.accuracy import percent
from costline.report.chart import Box, Cloud, Panel, boxes_svg, scatter_svg
from costline.report.page import Block, Bullets, Heading, Picture, Table, Text

NEVER_FITTED = "never fitted"
UNEXPLAINED = "not explained"
STUDIES = {"train": "Training", "serve": "Serving", "generate": "Generation"}
MOST_REASONS = 6
"""Rows named for one reason."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the page is made of.

    Attributes
    ----------
    cases : Validated
        Predictions against measurements.
    weight, configurations : array, sequence of str
        What each row counts, and the configuration it repeats.
    covered : array of bool
        Whether each measurement is within the 80 % interval of its prediction.
    held_out : bool
        Whether the coefficients behind `cases` were fitted without each row's group; otherwise they are the shipped
        ones, on rows of the reader's own.
    standing : mapping of str to Standing
        Errors of other ways to predict, by target.
    refused : sequence of tuple of str
        Table, id and reason of rows that are not predicted.
    explanations : sequence of Explanation
        What is known about rows that are predicted badly.
    diagnoses : mapping of str to sequence of Diagnosis
        Why targets are missed.
    """

    cases: Validated
    weight: Array
    configurations: Sequence[str]
    covered: Array
    held_out: bool = True
    standing: Mapping[str, Standing]
    refused: Sequence[tuple[str, str, str]] = ()
    explanations: Sequence[Explanation] = ()
    diagnoses: Mapping[str, Sequence[Diagnosis]] = field(default_factory=dict)

    @property
    def way(self) -> str:
        """What the errors are errors of."""
        return "held out by group" if self.held_out else "shipped coefficients"

    @property
    def summaries(self) -> dict[str, Summary]:
        """Scores by target."""
        return scores(self.cases, self.weight, self.configurations, self.covered)


def page(evidence: Evidence, title: str = "How accurate the times are", level: int = 1) -> list[Block]:
    """The whole page.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    title : str
        Of the page.
    level : int
        Of its heading; sections are one below.
    """
    sections: list[tuple[str, list[Block]]] = [
        ("By target", by_target(evidence)),
        *([("Targets that are missed", missed)] if (missed := missed_targets(evidence)) else []),
        *([("Chips that were left out", unseen_chips(evidence))] if evidence.held_out else []),
        ("Predicted against measured", against(evidence)),
        ("Residuals by regime", by_regime(evidence)),
        ("The worst twenty rows", worst_rows(evidence)),
        ("Rows that are not predicted", not_predicted(evidence)),
        ("What the model cannot do", [Bullets(CANNOT)]),
        ("Methods", [Bullets([*METHODS, keys(shipped_adjustments().values()), origin(evidence)])]),
    ]
    blocks: list[Block] = [Heading(title, level), Text(opening(evidence))]
    for heading, section in sections:
        blocks += [Heading(heading, level + 1), *section]
    return blocks


def opening(evidence: Evidence) -> str:
    """What the page is about, in a paragraph."""
    rows, groups = len(evidence.cases), len(set(evidence.cases.codes["group"].tolist()))
    if not evidence.held_out:
        return f"{rows:,} rows of {groups} groups (model, chip, software), predicted with the shipped coefficients."
    return (
        f"{rows:,} published measurements of {groups} groups, each a model on a chip under a software. Unless a column "
        "says in-sample, an error is that of a prediction whose coefficients were fitted **without any row of the same "
        "group**. In-sample errors are smaller and say how well the model can be bent to what it has seen; expect the "
        "held-out ones. No row was dropped for being predicted badly."
    )


def by_target(evidence: Evidence) -> list[Block]:
    """The table of errors, with targets and baselines."""
    header = [
        "target", "rows", *(["in-sample"] if evidence.held_out else []), evidence.way, "bias", "within 10 %",
        "within 20 %", "80 % interval holds", *(["unseen chip"] if evidence.held_out else []), "aim", "met",
        *NAMES.values(),
    ]  # fmt: skip
    rows = []
    for target, own in evidence.summaries.items():
        errors = evidence.standing[target].errors if target in evidence.standing else {}
        aim = TARGETS.get(target)
        rows.append([
            target, f"{own.rows:,}", *([pair(errors.get("in_sample"))] if evidence.held_out else []),
            pair((own.median, own.p90)), percent(own.bias, signed=True), percent(own.within_10),
            percent(own.within_20), percent(own.inside),
            *([pair(errors.get("unseen_chip"))] if evidence.held_out else []),
            pair(aim), met(own, aim), *(pair(errors.get(name)) for name in NAMES),
        ])  # fmt: skip
    legend = (
        "Absolute percentage error of the metric as published, median / 90th percentile, in per cent; bias is the "
        "geometric mean of predicted over measured time, less 1, so that + is too slow. Repeats of one training "
        "configuration share the weight of one row. " + BASELINES
    )
    return [Table(header, rows), Text(legend)]


def missed_targets(evidence: Evidence) -> list[Block]:
    """Which targets are missed, where, and why; nothing for rows of the reader's own."""
    own = evidence.summaries if evidence.held_out else {}
    aimed = {target: TARGETS[target] for target in own if target in TARGETS}
    aims = {target: aim for target, aim in aimed.items() if met(own[target], aim) != "yes"}
    if not aims:
        return []
    left = corrected_scores(evidence.cases, evidence.weight, evidence.configurations)
    header = ["target", "aim", evidence.way, "typical error of like rows taken off", "rows beyond", "half of them on"]
    rows = []
    for target, aim in aims.items():
        count, places = beyond(evidence.cases, target, aim[1])
        named = "; ".join(f"{place} ({number})" for place, number in places)
        errors = (pair((each.median, each.p90)) for each in (own[target], left[target]))
        rows.append([target, pair(aim), *errors, f"{count:,} of {own[target].rows:,}", named])
    told = [reason for target in aims for reason in reasons(target, evidence.diagnoses)]
    return [Text(MISSED), Table(header, rows, frozenset({0, 5})), Bullets(told)]


def unseen_chips(evidence: Evidence) -> list[Block]:
    """How far off each table is where no row of a chip was fitted, and why."""
    cases, aim = of_unseen_chips(evidence.cases), UNSEEN_CHIP_AIM
    header = ["table", "rows", "chips", "chip left out", "aim", "met", "rows beyond", "half of them on"]
    rows, told = [], list[str]()
    for target, own in scores(cases, evidence.weight, evidence.configurations, evidence.covered).items():
        count, places = beyond(cases, target, aim[1])
        chips = len(set(cases.words["chip"][cases.words["target"] == target].tolist()))
        named = "; ".join(f"{place} ({number})" for place, number in places)
        errors = pair((own.median, own.p90))
        rows.append([target.partition(",")[0], f"{own.rows:,}", f"{chips}", errors, pair(aim), met(own, aim),
                     f"{count:,} of {own.rows:,}", named])  # fmt: skip
        told += reasons(target, evidence.diagnoses) if met(own, aim) != "yes" else []
    return [Text(LEFT_OUT), Table(header, rows, frozenset({0, 7})), *([Bullets(told)] if told else [])]


def figures(evidence: Evidence, unseen: Mapping[str, Pair] = MappingProxyType({})) -> list[Block]:
    """The short table: held-out errors first, and what there is beside them; those of rows no fit has read last."""
    header = ["", "rows", "median / p90 error, held out", "within 20 %", "80 % interval holds"]
    beside = {"in_sample": "in-sample", "roofline": "fixed roofline"} if evidence.standing else {}
    rows = []
    for target, own in evidence.summaries.items():
        errors = evidence.standing[target].errors if target in evidence.standing else {}
        rows.append([
            target, f"{own.rows:,}", pair((own.median, own.p90)), percent(own.within_20), percent(own.inside),
            *(pair(errors.get(name)) for name in beside), *([pair(unseen.get(target))] if unseen else []),
        ])  # fmt: skip
    return [Table([*header, *beside.values(), *([f"{NEVER_FITTED}, at first sight"] if unseen else [])], rows)]


def pair(errors: Pair | None) -> str:
    """Median and 90th percentile."""
    return "-" if errors is None else f"{percent(errors[0])} / {percent(errors[1])}"


def met(own: Summary, aim: Pair | None) -> str:
    """Whether the aim is reached."""
    if aim is None:
        return "-"
    reached = [name for name, value, most in
               (("median", own.median, aim[0]), ("p90", own.p90, aim[1])) if value <= most]  # fmt: skip
    return "yes" if len(reached) == 2 else f"{reached[0]} only" if reached else "no"


def against(evidence: Evidence) -> list[Block]:
    """One picture a study, with a panel for rates and one for times."""
    made: list[Block] = []
    cases = evidence.cases
    study = np.asarray([target.partition(",")[0] for target in cases.words["target"].tolist()], dtype=np.str_)
    for name, words in STUDIES.items():
        panels = [_panel(cases, (study == name) & (times(cases) == timed), timed=timed) for timed in (False, True)]
        shown = [panel for panel in panels if panel.clouds]
        if shown:
            title = f"{words}: predicted against measured ({evidence.way}); bands: factors of 1.2 and 2"
            made.append(Picture(f"against-{name}", scatter_svg(title, shown), title))
    return made


def _panel(cases: Validated, chosen: Array, *, timed: bool) -> Panel:
    some = cases.some(chosen)
    factor = np.asarray([factor_of(metric) for metric in some.words["metric"].tolist()])
    measured, guessed = some.numbers["measured"] / factor, predictions(some) / factor
    unit = "time [s]" if timed else "rate [token/s]"
    clouds = []
    for target in sorted(set(some.words["target"].tolist())):
        rows = some.words["target"] == target
        clouds.append(Cloud(label=target, x=measured[rows].tolist(), y=guessed[rows].tolist()))
    return Panel(title="times" if timed else "rates", x=f"measured {unit}", y=f"predicted {unit}", clouds=clouds)


def by_regime(evidence: Evidence) -> list[Block]:
    """One picture a regime."""
    made: list[Block] = [
        Text(
            "Predicted over measured time: left of 1 is too fast. A box is the middle half of the rows, its line the "
            "middle four fifths, points are the rest; in brackets the number of rows."
        )
    ]
    for regime in REGIMES:
        boxes = [Box(label=label, values=values) for label, values in ratios(evidence.cases, regime).items()]
        title = f"Residuals by {REGIME_WORDS[regime]} ({evidence.way})"
        svg = boxes_svg(title, "predicted time / measured time [1], logarithmic", boxes)
        made.append(Picture(f"residuals-{regime}", svg, title))
    return made


def worst_rows(evidence: Evidence, count: int = 20) -> list[Block]:
    """The worst rows with what was found out about each."""
    cases, guessed = evidence.cases, predictions(evidence.cases)
    header = ["row", "target", "what", "metric", "measured", "predicted", "time ratio", "explanation", "checked"]
    rows = []
    for place in worst(cases, count):
        words = {name: str(cases.words[name][place]) for name in WORDS}
        known = explanation_of(words, evidence.explanations)
        rows.append([
            words["id"], words["target"], f"{words['model']} on {words['chip']}, {words['software'] or 'not named'}",
            words["metric"], f"{cases.numbers['measured'][place]:.4g}", f"{guessed[place]:.4g}",
            f"{np.exp(cases.numbers['error'][place]):.3g}",
            UNEXPLAINED if known is None else known.explanation,
            "" if known is None else f"{known.checked} ({known.date})",
        ])  # fmt: skip
    legend = (
        "Ranked by the factor between predicted and measured time. Explanations were checked against the figures of "
        "the rows and their neighbours, are never used in a prediction, and do not excuse a row: it stays and counts."
    )
    return [Text(legend), Table(header, rows, frozenset({0, 1, 2, 3, 7, 8}))]


def explanation_of(words: Mapping[str, str], explanations: Sequence[Explanation]) -> Explanation | None:
    """The first explanation that fits a row."""
    return next((one for one in explanations if one.fits(words["id"], words)), None)


def not_predicted(evidence: Evidence) -> list[Block]:
    """Reasons, and which rows they are about."""
    if not evidence.refused:
        return [Text("None.")]
    counts = Counter((table, reason) for table, _, reason in evidence.refused)
    rows = []
    for (table, reason), count in counts.most_common():
        ids = [name for where, name, why in evidence.refused if (where, why) == (table, reason)]
        named = ", ".join(ids[:MOST_REASONS]) + (", …" if len(ids) > MOST_REASONS else "")
        rows.append([table, f"{count:,}", reason, named])
    return [Table(["table", "rows", "reason", "which"], rows, frozenset({0, 2, 3}))]


def keys(adjustments: Collection[Adjustment]) -> str:
    """What adjustments are keyed to, and how many of them a single row tells of."""
    moved = sorted(abs(math.log(row.factor)) for row in adjustments if row.rows == 1)
    words = KEYS
    if moved:
        middle, most = (percent(math.expm1(size)) for size in (moved[len(moved) // 2], moved[-1]))
        words += (
            f" {len(moved):,} of {len(adjustments):,} adjustments rest on the only row of a software, a format or a "
            f"chip's family: the middle one moves its coefficient by {middle} %, the farthest by {most} %."
        )
    return words


def origin(evidence: Evidence) -> str:
    """Day and data of the fit."""
    known = [row for row in evidence.standing.values() if row.source]
    return f"This state: {known[0].source}, {known[0].date}." if known else "No fit is in force."
