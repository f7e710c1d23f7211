"""Scrambled Sobol points and the normal distribution: the only module that needs SciPy, the extra ``uncertainty``."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np

from costline.errors import InputError
from costline.numeric import Array
from costline.uncertainty.sequence import scrambled_points


def _scipy(module: str) -> ModuleType:
    try:
        import scipy  # noqa: F401
    except ImportError:
        raise InputError(
            "ranges are sampled with SciPy, which is not installed: pip install '.[uncertainty]' in a clone"
        ) from None
    return importlib.import_module(f"scipy.{module}")


def points(samples: int, columns: int, seed: int) -> Array:
    """Scrambled Sobol points inside the unit cube, the same for the same seed.

    Parameters
    ----------
    samples : int
        Rows; a power of two keeps the points balanced, so the next one is drawn and cut off.
    columns : int
        Dimensions.
    seed : int
        Which scrambling.

    Examples
    --------
    >>> points(4, 1, seed=0).shape
    (4, 1)
    """
    if columns == 0:
        return np.empty((samples, 0))
    folder, power = Path(str(_scipy("special").__file__)).parents[1], max(samples - 1, 1).bit_length()
    try:
        drawn = scrambled_points(folder, power, columns, seed)
    except (OSError, LookupError, ValueError, zipfile.BadZipFile):  # a SciPy that keeps direction numbers elsewhere
        drawn = _scipy("stats.qmc").Sobol(columns, rng=seed).random(2**power)
    tiny = 2.0**-33  # a corner of the cube would be an infinite quantile
    return np.clip(drawn[:samples], tiny, 1 - tiny)


def normal_quantile(share: Array) -> Array:
    """Value of a standard normal below which a share lies."""
    quantiles: Array = _scipy("special").ndtri(share)
    return quantiles


def sobol_indices(first: Array, second: Array, mixed: Array, weights: Array) -> tuple[Array, Array]:
    """First-order and total Sobol index of one factor, for several weightings of the rows.

    Of two estimators of the first order the one with the smaller error is taken: one suits small indices, one large.

    Parameters
    ----------
    first, second : array
        A result at two independent matrices. (rows)
    mixed : array
        The result at the first matrix with the columns of the factor from the second. (rows)
    weights : array
        Weights of the rows, each line summing to 1; the first line is what counts, the others tell its error.

    Returns
    -------
    first_order, total : array
        A value a weighting. [1]

    References
    ----------
    First order: Saltelli et al. 2010, Computer Physics Communications 181(2), table 2 (b); Janon et al. 2014, ESAIM:
    Probability and Statistics 18, eq. 6. Total: table 2 (f) of the former.
    """
    middle = np.mean(np.concatenate([first, second]))
    a, b, c = first - middle, second - middle, mixed - middle
    variance = weights @ ((a * a + b * b) / 2) - (weights @ ((a + b) / 2)) ** 2
    mean = (weights @ ((b + c) / 2)) ** 2
    small = (weights @ (b * (c - a)) - (weights @ b) * (weights @ (c - a))) / variance
    large = (weights @ (b * c) - mean) / (weights @ ((b * b + c * c) / 2) - mean)
    total: Array = weights @ ((a - c) ** 2) / 2 / variance
    return (small if np.std(small[1:]) < np.std(large[1:]) else large), total


def resampled(rows: int, draws: int, seed: int) -> Array:
    """Weights of rows: all alike in the first line, then as often as each was drawn with replacement.

    Examples
    --------
    >>> resampled(4, 2, seed=0).shape
    (3, 4)
    """
    counts = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=draws)
    return np.concatenate([np.ones((1, rows)), counts]) / rows
