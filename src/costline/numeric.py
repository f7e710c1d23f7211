"""The one numeric type of the house: a number or a NumPy array, the same formula for both."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Numeric: TypeAlias = float | NDArray[Any]
"""A float (or int, exact for counts) or an array; results broadcast."""


def largest(*values: Numeric) -> Numeric:
    """Elementwise maximum that leaves plain numbers plain.

    Examples
    --------
    >>> largest(1.0, 3.0, 2.0)
    3.0
    """
    if all(not isinstance(value, np.ndarray) for value in values):
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
    if all(not isinstance(value, np.ndarray) for value in values):
        return min(values)
    result: Array = np.minimum(values[0], values[1]) if len(values) > 1 else np.asarray(values[0])
    for value in values[2:]:
        result = np.minimum(result, value)
    return result


def add_up(values: Iterable[Numeric]) -> Numeric:
    """Sum of numbers and arrays, each large array touched once.

    Numbers are added first, then arrays shape by shape from the smallest up, so that on an open grid the sum of what
    varies along one axis is made before it is spread over the others.

    Examples
    --------
    >>> add_up([1.0, 2.0, 3.0])
    6.0
    """
    plain: Numeric = 0.0
    shapes: dict[tuple[int, ...], list[Array]] = {}
    for value in values:
        if isinstance(value, np.ndarray):
            shapes.setdefault(value.shape, []).append(value)
        else:
            plain = plain + value
    total = plain
    for shape in sorted(shapes, key=math.prod):
        part = _same_shape(shapes[shape])
        total = part if isinstance(total, float) and total == 0.0 else total + part
    return total


def _same_shape(arrays: list[Array]) -> Array:
    if len(arrays) == 1:
        return arrays[0]
    total: Array = arrays[0] + arrays[1]
    for array in arrays[2:]:
        if total.dtype == array.dtype:
            total += array
        else:
            total = total + array
    return total


def ceil_divide(numerator: Numeric, denominator: Numeric) -> Numeric:
    """Smallest whole number of `denominator`-sized pieces that hold `numerator`.

    Examples
    --------
    >>> ceil_divide(7, 2)
    4
    """
    return -(-numerator // denominator)


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
