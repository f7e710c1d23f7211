"""Types of the arguments of computations: how the text of an argument is read."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from costline import quantity
from costline.errors import QuantityError
from costline.numeric import Numeric
from costline.quantity import Kind
from costline.quantity.reading import shown
from costline.uncertainty.draws import sample, uncertain
from costline.uncertainty.reading import ANY, read_spread

Plain: TypeAlias = Annotated[float, None]
"""A number without a fixed unit: whatever quantity it is written as."""
Tokens: TypeAlias = Annotated[float, quantity.TOKENS]
Seconds: TypeAlias = Annotated[float, quantity.SECONDS]
Count: TypeAlias = Annotated[int, quantity.COUNT]
"""A whole number."""

UNITS: dict[str, Kind] = {
    "FLOP": quantity.FLOP,
    "FLOP/s": quantity.FLOP_RATE,
    "byte": quantity.BYTES,
    "byte/s": quantity.BANDWIDTH,
    "s": quantity.SECONDS,
    "s/token": quantity.SECONDS,
    "W": quantity.WATTS,
    "J": quantity.JOULES,
    "USD": quantity.DOLLARS,
    "USD/s": quantity.DOLLARS_PER_SECOND,
    "USD/token": quantity.DOLLARS_PER_TOKEN,
    "token": quantity.TOKENS,
    "token/s": quantity.TOKEN_RATE,
    "parameter": quantity.PARAMS,
}
"""Kind of quantity by the unit a formula documents; other units are plain numbers."""

PARTS = re.compile(r" to |\.\.|[,:]", re.IGNORECASE)
"""What stands between the values of a range or a choice."""
SYMBOLS = {"$": "USD", "$/s": "USD/s", "$/token": "USD/token"}
"""Unit of a kind -> unit of a figure."""


def read_quantity(text: str | float, kind: Kind | None, name: str = "") -> tuple[Numeric, str]:
    """Read a quantity of a kind, or of whatever kind it is.

    Parameters
    ----------
    text : str or float
        As written; a range is its samples, or its median.
    kind : Kind or None
        What it measures; None is whatever can be read.
    name : str
        Name of the input in a study of ranges.

    Returns
    -------
    tuple of float (or array) and str
        Value in the SI unit; the unit, empty for a plain number.

    Raises
    ------
    QuantityError
        It cannot be read.

    Examples
    --------
    >>> read_quantity("400B", None), read_quantity("2.67 h", None)
    ((400000000000.0, ''), (9612.0, 's'))
    """
    if kind is not None:
        return _read(text, kind, name), unit_of(kind)
    for candidate in ANY:
        try:
            return _read(text, candidate, name), unit_of(candidate)
        except QuantityError:
            continue
    _complain(text)
    raise QuantityError(f"{shown(text)} is no quantity; write a number with its unit, such as 312 TFLOP/s, 400B or 40%")


def _complain(text: str | float) -> None:
    """Read a quantity as the kind that it begins or ends as, so that the complaint is about what it is meant to be."""
    if ".csv" in str(text).lower():
        read_spread(text, quantity.COUNT)
    choice = str(text).strip().startswith("{")
    pieces = [piece.strip(" {}") for piece in PARTS.split(str(text))]
    for piece in pieces[:1] if choice else (pieces[-1], pieces[0]):
        for kind in ANY:
            if _reads(piece, kind) and uncertain(text):
                read_spread(text, kind)
    if str(text).strip().endswith("%"):
        quantity.read(text, quantity.FRACTION)


def _reads(piece: str, kind: Kind) -> bool:
    try:
        quantity.read(piece, kind)
    except QuantityError:
        return False
    return True


def _read(text: str | float, kind: Kind, name: str) -> Numeric:
    if not uncertain(text):
        return quantity.read(text, kind)
    read_spread(text, kind)  # of this kind, whatever it was read as before
    return sample(text, kind, name)


def unit_of(kind: Kind) -> str:
    """Unit of figures of a kind; empty for counts and ratios."""
    if kind in {quantity.COUNT, quantity.RATIO}:
        return ""
    return SYMBOLS.get(kind.unit, kind.unit)
