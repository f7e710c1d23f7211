"""Rents of a user's own file with their spread: ``price = "$1 to $2/h"``, or a price with ``low`` and ``high``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from costline.errors import QuantityError
from costline.quantity import DOLLARS_PER_SECOND, Range, read, read_range
from costline.quantity.reading import BETWEEN

TENTH = 1.2815515655446004 / 1.6448536269514722
"""Distance of the 10th percentile of a normal from its middle, over that of the 5th. [1]"""


def with_spread(table: Any) -> Any:
    """A price table whose range, if it has one, is its median with the 10th and the 90th percentile.

    Raises
    ------
    ValueError
        A range that cannot be read, or low and high that do not enclose the price.

    Examples
    --------
    >>> with_spread({"chip": "a", "price": "$2/h"})
    {'chip': 'a', 'price': '$2/h'}
    >>> {name: round(3600 * value, 2) for name, value in with_spread({"price": "$1 to $4/h"}).items()}
    {'price': 2.0, 'low': 1.17, 'high': 3.43}
    """
    given = table.get("price") if isinstance(table, Mapping) else None
    if not isinstance(given, str) or not BETWEEN.search(given):
        return _ordered(table)
    if {"low", "high"} & table.keys():
        raise ValueError("price is a range already; leave low and high out")
    try:
        made = read_range(given, DOLLARS_PER_SECOND)
    except QuantityError as error:
        raise ValueError(f"price: {error}") from None
    if not isinstance(made, Range):
        return {**table, "price": made}
    if made.shape == "uniform":
        raise ValueError(f"price: {given[:60]!r} is uniform; write A to B, the 5th and the 95th percentile")
    reach = TENTH * math.log(made.high / made.low) / 2
    return {**table, "price": made.median} | {
        name: made.median * math.exp(side * reach) for name, side in (("low", -1), ("high", 1))
    }


def _ordered(table: Any) -> Any:
    """The table, once low and high enclose the price."""
    ends = {}
    for name in ("low", "price", "high"):
        with suppress(QuantityError, KeyError, TypeError, AttributeError):  # others complain
            ends[name] = read(table[name], DOLLARS_PER_SECOND)
    if len(ends) > 1 and list(ends.values()) != sorted(ends.values()):
        raise ValueError(
            f"{', '.join(ends)} do not rise; low and high are the 10th and the 90th percentile of the price"
        )
    return table
