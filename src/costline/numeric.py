"""The one numeric type of the house: a number or a NumPy array, the same formula for both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Numeric: TypeAlias = float | NDArray[Any]
"""A float (or int, exact for counts) or an array; results broadcast."""
Operation: TypeAlias = Callable[[Numeric, Numeric], Numeric]

LARGEST_KEPT = 24 * 2**20
"""Size from which freed memory goes back to the system; glibc sets no limit above 32 MiB. [byte]"""


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are freed for those made next.

    glibc maps blocks of memory anew, page by page, above a size that it raises to the largest mapped block that was
    freed (mallopt(3), M_MMAP_THRESHOLD). At its usual size, a fifth to a third of the time of an array of estimates is
    spent on such pages. The block freed here is never touched, so it takes no memory; other C libraries ignore it.
    """
    np.empty(LARGEST_KEPT, dtype=np.uint8)


keep_freed_memory()


def largest(*values: Numeric) -> Numeric:
    """Elementwise maximum that leaves plain numbers plain.

    Examples
    --------
    >>> largest(1.0, 3.0, 2.0)
    3.0
    """
    for value in values:
        if isinstance(value, np.ndarray):
            break
    else:
        return max(values)
    result: Array = np.maximum(values[0], values[1]) if len(values) > 1 else np.asarray(values[0])
    for value in values[2:]:
        result = np.maximum(result, value)
    return result


def smallest(*values: Numeric) -> Numeric:
    """Elementwise minimum that leaves plain numbers plain.

    Examples
    --------
    >>> smallest(1.0, 3.0, 2.0)
    1.0
    """
    for value in values:
        if isinstance(value, np.ndarray):
            break
    else:
        return min(values)
    result: Array = np.minimum(values[0], values[1]) if len(values) > 1 else np.asarray(values[0])
    for value in values[2:]:
        result = np.minimum(result, value)
    return result


def some(value: Numeric) -> bool:
    """Whether a number, or any number of an array, is not 0.

    Examples
    --------
    >>> some(0), some(np.array([0, 2]))
    (False, True)
    """
    return bool(value.any() if isinstance(value, np.ndarray) else value)


def plus(one: Numeric, other: Numeric) -> Numeric:
    """Sum of two, in which a plain 0 costs no pass over an array.

    Examples
    --------
    >>> plus(0.0, 2.0), plus(1, np.array([1, 2])).tolist()
    (2.0, [2, 3])
    """
    if not isinstance(one, np.ndarray) and one == 0:
        return other
    return one if not isinstance(other, np.ndarray) and other == 0 else one + other


def times(value: Numeric, factor: Numeric) -> Numeric:
    """Product of two, in which a plain 0 stays one and a plain 1 costs no pass over an array.

    Examples
    --------
    >>> times(0.0, np.array([1, 2])), times(np.array([1, 2]), 2).tolist()
    (0.0, [2, 4])
    """
    if not isinstance(value, np.ndarray) and value == 0:
        return value
    return value if not isinstance(factor, np.ndarray) and factor == 1 else value * factor


def once(operation: Operation) -> Operation:
    """The same operation of two values, done once for each pair of values that have an array among them."""
    known: dict[tuple[int, int], tuple[Numeric, Numeric, Numeric]] = {}

    def done(one: Numeric, other: Numeric) -> Numeric:
        if not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray):
            return operation(one, other)
        pair = (id(one), id(other))
        if pair not in known:
            known[pair] = (operation(one, other), one, other)  # kept with their identities, which nobody else gets
        return known[pair][0]

    return done


class Sum:
    """A sum of numbers and arrays that touches large arrays once each and keeps only the running totals.

    Arrays are added in place, shape by shape; the shapes are joined from the smallest up, so that on an open grid the
    sum of what varies along one axis is made before it is spread over the others.

    Examples
    --------
    >>> amount = Sum()
    >>> for value in (1.0, 2.0, 3.0):
    ...     amount.add(value)
    >>> amount.total
    6.0
    """

    __slots__ = ("_arrays", "_own", "_plain")

    def __init__(self) -> None:
        self._plain: Numeric = 0.0
        self._arrays: dict[tuple[int, ...], Array] = {}
        self._own: set[tuple[int, ...]] = set()

    def add(self, value: Numeric) -> None:
        """Add one term; it is never changed itself."""
        if not isinstance(value, np.ndarray):
            self._plain += value
            return
        shape = value.shape
        so_far = self._arrays.get(shape)
        if so_far is None:
            self._arrays[shape] = value
        elif shape in self._own and so_far.dtype == value.dtype:
            so_far += value
        else:
            self._arrays[shape] = so_far + value
            self._own.add(shape)

    @property
    def total(self) -> Numeric:
        """The sum of what was added."""
        if not self._arrays:
            return self._plain
        first, *others = sorted(self._arrays, key=math.prod)
        total: Numeric = self._arrays[first]
        if not (isinstance(self._plain, float) and self._plain == 0.0):
            total = total + self._plain
        for shape in others:
            total = total + self._arrays[shape]
        return total


def add_up(values: Iterable[Numeric]) -> Numeric:
    """Sum of numbers and arrays, see `Sum`.

    Examples
    --------
    >>> add_up([1.0, 2.0, 3.0])
    6.0
    """
    amount = Sum()
    for value in values:
        amount.add(value)
    return amount.total


def floor_divide(numerator: Numeric, denominator: Numeric) -> Numeric:
    """Whole pieces of size `denominator` in `numerator`.

    Numbers and arrays of floating-point values are rounded down after the division, which is many times faster than
    NumPy's own and the same for all whole numbers below 2**53.

    Examples
    --------
    >>> floor_divide(7, 2), floor_divide(7.0, 2)
    (3, 3.0)
    """
    if isinstance(numerator, np.ndarray) or isinstance(denominator, np.ndarray):
        whole = _is_whole(numerator) and _is_whole(denominator)
        return numerator // denominator if whole else np.floor(numerator / denominator)
    if isinstance(numerator, float) or isinstance(denominator, float):
        return (numerator / denominator) // 1.0
    return numerator // denominator


def _is_whole(value: Numeric) -> bool:
    return value.dtype.kind in "iub" if isinstance(value, np.ndarray) else isinstance(value, int | np.integer)


def ceil_divide(numerator: Numeric, denominator: Numeric) -> Numeric:
    """Smallest whole number of `denominator`-sized pieces that hold `numerator`.

    Examples
    --------
    >>> ceil_divide(7, 2)
    4
    """
    return -floor_divide(-numerator, denominator)


def choose(condition: bool | Array, yes: Numeric, no: Numeric) -> Numeric:
    """Elementwise ``yes if condition else no`` that leaves plain numbers plain.

    Examples
    --------
    >>> choose(True, 1.0, 2.0)
    1.0
    """
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no
