"""Coefficients of each kernel of each chip from its measured calls, and how well they predict shapes not fitted to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from costline.accuracy.folds import folds_of
from costline.accuracy.kernels.solve import Limits, solve
from costline.accuracy.shipping import EIGHTY
from costline.catalogue.coefficient_table import shipped_coefficients
from costline.catalogue.kernel_table import Pair
from costline.hardware.chip import Chip
from costline.hardware.efficiency import Efficiency
from costline.kernels.model import Split, Timed, groups_of, split, timed_by
from costline.kernels.read import Samples
from costline.numeric import Array

FOLDS = 5
"""Parts of the shapes; each is held out once."""


@dataclass(frozen=True, slots=True)
class Value:
    """A fitted coefficient.

    Attributes
    ----------
    name, qualifier : str
        As in the table of coefficients; a launch has the software as its qualifier, a link the chips of the group.
    value, low, high : float
        Point and 80 % bounds by the jackknife over the parts of the shapes. [unit]
    unit : str
        Unit of the three.
    """

    name: str
    qualifier: str
    value: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """One kernel in one format on one chip.

    Attributes
    ----------
    chip, kernel, format : str
        Which; see `Samples`.
    rows : int
        Measured calls.
    values : tuple of Value
        What describes it.
    in_sample, held_out, sourced : pair of float
        Median and 90th percentile of the absolute percentage error: of the calls fitted to, of calls of shapes left
        out, and with the coefficients as sourced. [1]
    software : pair of float or None
        The same of single engines around the mean of all that ran a shape: what a model that knows no engines could
        reach at best; None where one engine was measured. [1]
    """

    chip: str
    kernel: str
    format: str
    rows: int
    values: tuple[Value, ...]
    in_sample: Pair
    held_out: Pair
    sourced: Pair
    software: Pair | None


def fit_all(samples: Iterable[Samples], chips: Mapping[str, Chip]) -> Iterator[Fitted]:
    """Fit each kernel of each chip, one at a time, in the order given."""
    for each in samples:
        yield fit_kernel(each, chips[each.chip])


def fit_kernel(samples: Samples, chip: Chip) -> Fitted:
    """Fit one kernel.

    Parameters
    ----------
    samples : Samples
        Its calls.
    chip : Chip
        The chip they ran on.
    """
    whole, timed = split(samples, chip), timed_by(samples, chip)
    best = _solved(samples, whole, timed, np.asarray([unknown.start for unknown in whole.unknowns]))
    fold = folds_of(groups_of(samples).tolist(), FOLDS)
    unseen, found = np.empty(len(fold)), []
    for number in range(FOLDS):
        kept = _part(whole, fold != number)
        training = samples.only(fold != number)
        found.append(_solved(training, kept, timed_by(training, chip), best))
        left = fold == number
        unseen[left] = timed(whole.efficiency(found[-1]))[left]
    return Fitted(
        chip=samples.chip,
        kernel=samples.kernel,
        format=samples.format,
        rows=len(samples.seconds),
        values=tuple(_values(whole, best, np.log(np.stack(found)))),
        in_sample=error(timed(whole.efficiency(best)), samples.seconds),
        held_out=error(unseen, samples.seconds),
        sourced=error(timed(Efficiency(shipped_coefficients())), samples.seconds),
        software=between_software(samples),
    )


def _solved(samples: Samples, whole: Split, timed: Timed, start: Array) -> Array:
    limits = Limits(*(np.asarray([getattr(each, end) for each in whole.unknowns]) for end in ("least", "most")))
    return solve(lambda values: timed(whole.efficiency(values)), samples.seconds, start, limits)


def _part(whole: Split, kept: Array) -> Split:
    """The same unknowns for some of the calls."""
    picks = {key: place if isinstance(place, int) else place[kept] for key, place in whole.picks.items()}
    return Split(whole.unknowns, whole.labels, picks, whole.exposed)


def _values(whole: Split, best: Array, found: Array) -> Iterator[Value]:
    """Values with the bounds of the jackknife by groups (Quenouille 1956; Tukey 1958), on logarithms.

    One that the search took to its limit is not known and left out: the calls hardly depend on it.
    """
    centred = found - found.mean(axis=0)
    spread = np.sqrt((FOLDS - 1) / FOLDS * np.sum(centred**2, axis=0))
    for unknown, label, value, width in zip(
        whole.unknowns, whole.labels, best.tolist(), np.exp(EIGHTY * spread).tolist(), strict=True
    ):
        if not 1.01 * unknown.least < value < 0.99 * unknown.most:
            continue
        yield Value(unknown.name, label or unknown.qualifier, value, value / width, value * width, unknown.unit)


def error(predicted: Array, measured: Array) -> Pair:
    """Median and 90th percentile of the absolute percentage error. [1]

    Examples
    --------
    >>> error(np.array([1.0, 1.5, 3.0]), np.array([1.0, 1.0, 2.0]))
    (0.5, 0.5)
    """
    absolute = np.abs(predicted / measured - 1)
    median, most = (float(each) for each in np.quantile(absolute, (0.5, 0.9)))
    return median, most


def between_software(samples: Samples) -> Pair | None:
    """How far single engines are from the geometric mean of all that ran the same shape. [1]"""
    shapes = np.stack(list(samples.shape.values()), axis=1)
    which = np.unique(shapes, axis=0, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(which)
    shared = counts[which] > 1
    if not shared.any():
        return None
    mean = np.exp(np.bincount(which, np.log(samples.seconds)) / counts)[which]
    return error(mean[shared], samples.seconds[shared])
