"""Scrambled Sobol points and the normal distribution: the only module that needs SciPy, the extra ``uncertainty``."""

from __future__ import annotations

import importlib
from types import ModuleType

import numpy as np

from costline.errors import InputError
from costline.numeric import Array


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
    engine = _scipy("stats.qmc").Sobol(columns, scramble=True, rng=np.random.default_rng(seed))
    drawn: Array = engine.random_base2(max(samples - 1, 1).bit_length())[:samples]
    tiny = 2.0**-33  # a corner of the cube would be an infinite quantile
    return np.clip(drawn, tiny, 1 - tiny)


def normal_quantile(share: Array) -> Array:
    """Value of a standard normal below which a share lies."""
    quantiles: Array = _scipy("special").ndtri(share)
    return quantiles


def sobol_indices(first: Array, second: Array, mixed: Array) -> tuple[Array, Array]:
    """First-order and total Sobol indices from three evaluations.

    Parameters
    ----------
    first, second : array
        Results at two independent matrices: (results, rows).
    mixed : array
        Results at the first matrix with the columns of one factor from the second: (factors, results, rows).

    Returns
    -------
    first_order, total : array
        (results, factors). [1]
    """
    shape = (first.shape[0], mixed.shape[0])
    if shape == (1, 1):  # a single result of a single factor becomes a plain number in SciPy, which then fails
        first, second, mixed = (np.concatenate([part, part], axis=-2) for part in (first, second, mixed))
    calls = {"f_A": first, "f_B": second, "f_AB": mixed}
    found = _scipy("stats").sobol_indices(func=calls, n=first.shape[1])
    orders = (np.asarray(order) for order in (found.first_order, found.total_order))
    one, whole = (order.reshape(-1, shape[1])[: shape[0]] for order in orders)
    return one, whole
