"""Conditions on results and inputs: ``cost < $50``, ``days between 150 and 200``, ``mfu >= 35%``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from costline import quantity
from costline.errors import InputError, QuantityError, UnknownNameError
from costline.numeric import Array
from costline.quantity import Kind, show
from costline.quantity.ranges import shared_unit
from costline.quantity.reading import shown
from costline.quantity.spoken import SPOKEN, spoken_value, stated_value

LONGEST = 200
COMPARED = re.compile(r"(?P<name>.+?) *(?P<sign><=|>=|<|>) *(?P<value>.+)")
SIGN = re.compile(r"[<>]=?|(?<= )between(?= )", re.IGNORECASE)
BETWEEN = re.compile(r"(?P<name>.+?) +between +(?P<low>.+?) +and +(?P<high>.+)", re.IGNORECASE)

KINDS: dict[str, Kind] = {
    "FLOP": quantity.FLOP,
    "byte": quantity.BYTES,
    "s": quantity.SECONDS,
    "J": quantity.JOULES,
    "J/token": quantity.JOULES_PER_TOKEN,
    "USD": quantity.DOLLARS,
    "USD/token": quantity.DOLLARS_PER_TOKEN,
    "USD/s of video": quantity.DOLLARS_PER_VIDEO_SECOND,
    "token": quantity.TOKENS,
    "token/s": quantity.TOKEN_RATE,
    "1": quantity.FRACTION,
    "ratio": quantity.RATIO,
    "kg": quantity.CARBON,
    "parameter": quantity.PARAMS,
}
"""Kind of quantity by the SI unit of a result; other units are counts."""


@dataclass(frozen=True)
class Quantity:
    """Something a condition can name.

    Attributes
    ----------
    name : str
        Its name.
    unit : str
        SI unit of a result.
    kind : Kind or None
        What an input measures.
    given : bool
        Whether it is an input.
    """

    name: str
    unit: str = ""
    kind: Kind | None = None
    given: bool = False

    @property
    def reads(self) -> Kind:
        """How its values are written."""
        return self.kind or (quantity.RATIO if self.given else KINDS.get(self.unit, quantity.COUNT))


@dataclass(frozen=True)
class Condition:
    """A quantity between two bounds.

    Attributes
    ----------
    name, label : str
        The quantity, and what the user called it.
    low, high : float
        Bounds; infinite where there is none. [SI unit]
    open_low, open_high : bool
        Whether the bound itself is outside.
    kind : Kind
        How values are written.
    written : str
        As typed.
    """

    name: str
    label: str
    low: float
    high: float
    open_low: bool
    open_high: bool
    kind: Kind
    written: str

    def holds(self, values: Array) -> Array:
        """Samples of which it holds; it does not hold of unknown ones."""
        above = values > self.low if self.open_low else values >= self.low
        below = values < self.high if self.open_high else values <= self.high
        return np.asarray(above & below)

    def show(self, value: float) -> str:
        """A value of the quantity for people."""
        return show(float(value), self.kind)


def read_condition(written: str, known: Mapping[str, Quantity]) -> Condition:
    """Read a condition.

    Parameters
    ----------
    written : str
        ``NAME < VALUE`` (or ``>``, ``<=``, ``>=``), or ``NAME between LOW and HIGH``.
    known : mapping of str to Quantity
        What it may name.

    Raises
    ------
    InputError
        Not of that form, an unknown name, a value that cannot be read, bounds the wrong way round.

    Examples
    --------
    >>> found = read_condition("days between 150 and 200", {"time": Quantity("time", "s")})
    >>> found.name, found.low / 86400, found.high / 86400
    ('time', 150.0, 200.0)
    """
    if not isinstance(written, str):
        raise InputError(f"{str(written)[:40]} is no condition; write 'cost < $50' or 'days between 150 and 200'")
    text = " ".join(written.split())
    if len(text) > LONGEST or not (found := BETWEEN.fullmatch(text) or COMPARED.fullmatch(text)):
        raise InputError(f"{shown(written)} is no condition; write 'cost < $50' or 'days between 150 and 200'")
    if len(SIGN.findall(text)) > 1:
        raise InputError(
            f"{shown(written)} is more than one condition; write each on its own, or NAME between LOW and HIGH"
        )
    label = found["name"]
    quantity_of, unit = _named(label, known)

    def bound(value: str) -> float:
        return _value(value, quantity_of.reads, unit, quantity_of.name, label)

    parts = found.groupdict()
    if "sign" not in parts:
        shared = shared_unit(parts["low"], parts["high"])
        low, high = bound(shared), bound(parts["high"])
        if unit is not None and low != bound(parts["low"]):  # "days between 10 and 20s": days or seconds?
            raise InputError(f"{shown(written)}: {parts['low']} is in {label} or is {shared}; give it a unit")
        if low > high:
            raise InputError(f"{shown(written)} runs downwards; write between {parts['high']} and {parts['low']}")
        return Condition(quantity_of.name, label, low, high, False, False, quantity_of.reads, text)
    value, sign = bound(parts["value"]), parts["sign"]
    low, high = (-np.inf, value) if "<" in sign else (value, np.inf)
    return Condition(quantity_of.name, label, low, high, sign == ">", sign == "<", quantity_of.reads, text)


def _named(label: str, known: Mapping[str, Quantity]) -> tuple[Quantity, float | None]:
    """The quantity, and the worth of a number without a unit if the name says it."""
    for name in (label, label.lower(), label.lower().replace(" ", "_").replace("-", "_")):
        if name in known:
            return known[name], None
        if name in SPOKEN and SPOKEN[name][0] in known:
            return known[SPOKEN[name][0]], SPOKEN[name][1]
    aliases = [alias for alias, (name, _) in SPOKEN.items() if name in known]
    results = [name for name, each in known.items() if not each.given]
    raise UnknownNameError("result or uncertain input", label, [*known, *aliases], listed=results)


def _value(value: str, kind: Kind, unit: float | None, name: str, label: str) -> float:
    try:
        return stated_value(value, kind, name) if unit is None else spoken_value(value, kind, unit)
    except QuantityError as error:
        raise InputError(f"{label}: {error}") from None
