"""Targets that are missed: where the errors are, what the columns of the rows still tell of them, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from costline.accuracy.held_out import predictions, scores
from costline.accuracy.score import Summary
from costline.catalogue.diagnosis_table import Diagnosis
from costline.catalogue.validated_table import Validated
from costline.numeric import Array
from costline.studies.likeness import typical_errors

HALF = 0.5
UNSEEN_CHIP = "unseen chip"
MOST_PLACES = 4
"""Chips and software named for half of the rows that are too far off, at most."""


def corrected(cases: Validated) -> Validated:
    """The cases with the typical error of cases like each, none of its own group among them, taken off.

    Where that makes predictions no better, the errors of a model on a chip under a software say nothing about those of
    another, however alike: no further effect can be read off the columns the rows have.
    """
    typical = np.nan_to_num(typical_errors(cases))
    return Validated(cases.words, {**cases.numbers, "error": cases.numbers["error"] - typical})


def corrected_scores(cases: Validated, weight: Array, configurations: Sequence[str]) -> dict[str, Summary]:
    """Scores by target of the corrected cases."""
    return scores(corrected(cases), weight, configurations, np.zeros(len(cases), dtype=bool))


def beyond(cases: Validated, target: str, most: float) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Rows of a target whose error exceeds `most`, and the chips and software that half of them are on.

    Returns
    -------
    rows : int
        How many.
    places : tuple of (str, int)
        Chip and software, and how many rows; most first.
    """
    measured = cases.numbers["measured"]
    far = (cases.words["target"] == target) & (np.abs(predictions(cases) / measured - 1) > most)
    names = zip(cases.words["chip"][far].tolist(), cases.words["software"][far].tolist(), strict=True)
    counts = Counter(f"{chip}, {software or 'not named'}" for chip, software in names)
    places: list[tuple[str, int]] = []
    for place, count in counts.most_common(MOST_PLACES):
        if sum(rows for _, rows in places) >= HALF * counts.total():
            break
        places.append((place, count))
    return counts.total(), tuple(places)


def of_unseen_chips(cases: Validated) -> Validated:
    """The cases as predicted without any row of their chip; the target of each is that of its study."""
    names = [f"{target.partition(',')[0]}, {UNSEEN_CHIP}" for target in cases.words["target"].tolist()]
    words = {**cases.words, "target": np.asarray(names, dtype=np.str_)}
    return Validated(words, {**cases.numbers, "error": cases.numbers["chip_error"]})


def reasons(target: str, known: Mapping[str, Sequence[Diagnosis]]) -> list[str]:
    """Paragraphs on a target: cause, how it was found, and what was tried."""
    return [
        f"**{target}.** {one.cause} Found by: {one.checked}. Tried: {one.tried} ({one.date})."
        for one in known.get(target, ())
    ]
