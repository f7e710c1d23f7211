"""Reading what people type: text and a kind in, an SI float out.

::

    quantity   =  [ "$" ] number [ unit ] [ ( "/" | " per " ) [ number ] unit ]
    duration   =  number unit { number unit }         units growing smaller, 2h30m
    range      =  quantity " to " quantity            5th to 95th percentile
               |  quantity ".." quantity              uniform

Units are looked up in a closed table that the field's kind chooses; nothing is guessed. The arithmetic is exact
(rational) up to one correct rounding at the end, so 80.1 GB is the float nearest to 80,100,000,000. Every step is
linear in a text that is at most 100 characters long.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real

from costline.errors import QuantityError, nearest_names
from costline.quantity.kinds import KINDS, SECONDS, Kind
from costline.quantity.units import Advice, Readings, Table, Worth

LONGEST_TEXT = 100
"""Characters; what people type is shorter, and a file pasted by mistake is longer."""

LARGEST_EXPONENT = 400
"""Beyond 1e308 nothing is a float; the limit keeps exact arithmetic small."""

SPELLINGS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\t": " ", "\n": " ", "\r": " ", "μ": "µ", "₂": "2", "²": "2"})
"""Characters that say the same as another: no-break spaces, Greek mu for micro, CO₂, mm²."""

NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
SEPARATOR = re.compile(r"/| (?:per|an?) ", re.IGNORECASE)
DOLLAR = re.compile(r"(?:US)?\$ ?|USD ?", re.IGNORECASE)
STEP = re.compile(r" ?([0-9]+(?:\.[0-9]+)?) ?([A-Za-zµ]+)")
BETWEEN = re.compile(r" to |\.\.(?!\.)", re.IGNORECASE)
DASHED = re.compile(r".*[^eE ] ?- ?[$.0-9].*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A quantity as read: exact value in the SI unit, and the unit as typed."""

    value: Fraction
    unit: str


def shown(text: object) -> str:
    """The value as given, safe to print and at most 60 characters.

    Examples
    --------
    >>> shown("80 GB")
    "'80 GB'"
    """
    if isinstance(text, str):
        whole = repr(text[: LONGEST_TEXT + 1])  # characters that print stand as they are, others as escapes
    else:
        try:
            whole = str(text)
        except ValueError:  # Python refuses to print whole numbers of more than 4,300 digits
            whole = "a number of thousands of digits"
    return whole if len(whole) <= 60 else f"{whole[:57]}..."


def clean(text: str, example: str) -> str:
    """Return `text` with plain single spaces, or refuse what no quantity contains."""
    if len(text) > LONGEST_TEXT:
        raise QuantityError(
            f"{shown(text)} has {len(text):,} characters, the limit is {LONGEST_TEXT}; write e.g. {example}"
        )
    tidy = re.sub(r" ?/ ?", "/", re.sub(r" +", " ", text.translate(SPELLINGS)).strip())
    if not tidy:
        raise QuantityError(f"{shown(text)} is empty; write e.g. {example}")
    for character in tidy:
        if not (" " <= character <= "~" or character in "µ×"):
            raise QuantityError(f"{shown(text)} contains {_odd(character)}; write e.g. {example}")
    return tidy


def _odd(character: str) -> str:
    """Name a character that does not belong, and the plain one it may stand for."""
    name = unicodedata.name(character, "a control character").lower()
    plain = unicodedata.normalize("NFKC", character)
    if character.isdecimal():
        plain = str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Pd":
        plain = " to "
    if unicodedata.category(character) == "Sc":
        return f"U+{ord(character):04X} ({name}), and prices are in US dollars"
    hint = f" in place of {plain!r}" if plain.isascii() and plain.isprintable() else ""
    return f"U+{ord(character):04X} ({name}){hint}"


def read(text: str | float, kind: Kind) -> float:
    """Read one quantity.

    Parameters
    ----------
    text : str, float or int
        Text as typed; a number is taken to be in the SI unit of the kind already.
    kind : Kind
        What the field measures; decides what a unit means.

    Returns
    -------
    float
        Value, 0 or more. [SI unit of the kind]

    Raises
    ------
    QuantityError
        The text is malformed, ambiguous, negative, too large, or a quantity of another kind.

    Examples
    --------
    >>> from costline.quantity import BYTES, LINK_BANDWIDTH, PARAMS, DOLLARS_PER_TOKEN
    >>> read("400B", PARAMS), read("80 GiB", BYTES), read("400 Gb/s", LINK_BANDWIDTH)
    (400000000000.0, 85899345920.0, 50000000000.0)
    >>> read("$0.06/1k tokens", DOLLARS_PER_TOKEN)
    6e-05
    """
    if isinstance(text, str):
        tidy = clean(text, kind.example)
        if BETWEEN.search(tidy):
            raise QuantityError(
                f"{shown(text)} is a range and this {kind.name} takes one value; write e.g. {kind.example}"
            )
        return _as_float(parse(tidy, kind).value, text, kind)
    if isinstance(text, bool) or not isinstance(text, Real):
        raise QuantityError(f"{type(text).__name__} is not {kind.one}; write e.g. {kind.example}")
    try:
        number = float(text)
    except (OverflowError, ValueError):
        number = math.inf
    if not math.isfinite(number):
        raise QuantityError(f"{shown(text)} is not a finite number; {kind.one} is e.g. {kind.example}")
    if number < 0:
        raise QuantityError(f"{shown(text)} is negative, which no {kind.name} can be")
    return _as_float(Fraction(number), text, kind)


def read_duration(text: str | float) -> float:
    """Read a time: ``178 days``, ``2.5 h``, ``2h30m``, ``5s``. [s]

    Examples
    --------
    >>> read_duration("2h30m")
    9000.0
    """
    return read(text, SECONDS)


def _as_float(value: Fraction, text: object, kind: Kind) -> float:
    """Round once, and refuse what is out of range."""
    if value > kind.limit:
        raise QuantityError(
            f"{shown(text)} is above the limit {kind.limit:g} of {kind.one}; {_smaller(value, text, kind)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise QuantityError(f"{shown(text)} is too large: the limit is 1.8e308") from None
    if value and not number:
        raise QuantityError(f"{shown(text)} is too small to tell from 0: the limit is 4.9e-324")
    return number


def _smaller(value: Fraction, text: object, kind: Kind) -> str:
    """The fix for a fraction above 1: a forgotten percent sign, most likely."""
    if value <= 100 and "%" not in str(text):
        return f"did you mean {float(value):g}% or {float(value / 100):g}?"
    return f"write e.g. {kind.example}"


def parse(tidy: str, kind: Kind, *, advise: bool = True) -> Parsed:
    """Read cleaned text exactly. `advise` off leaves out the guessing of what a wrong unit was meant to be."""
    start = sign.end() if kind.money and (sign := DOLLAR.match(tidy)) else 0
    number, end = _number(tidy, start, kind)
    unit = tidy[end:].strip()
    if start and "$" in unit:
        raise QuantityError(f"{shown(tidy)} says dollars twice; {kind.one} is e.g. {kind.example}")
    if not unit and kind.bare:
        return Parsed(number, unit)
    worth = _whole(unit, kind) or _ratio(tidy, unit, kind)
    if worth is None and kind is SECONDS and (total := _steps(tidy)) is not None:
        return Parsed(total, unit)
    if isinstance(worth, Fraction):
        return Parsed(number * worth, unit)
    if not advise:
        raise QuantityError(shown(tidy))
    if isinstance(worth, Advice):
        raise QuantityError(f"{shown(tidy)}: {worth.text}")
    if isinstance(worth, Readings):
        raise QuantityError(_both(tidy, tidy[:end], worth, kind))
    raise QuantityError(_unknown(tidy, unit, kind))


def _number(tidy: str, start: int, kind: Kind) -> tuple[Fraction, int]:
    """Read the number at `start`; return it and where it ends."""
    found = NUMBER.match(tidy, start)
    end = found.end() if found else start
    digits = tidy[start:end]
    follows = tidy[end : end + 1]
    if not digits[:1].isdigit() and digits[:1] != ".":
        raise QuantityError(_no_number(tidy, tidy[start:], kind))
    if follows and follows in "0123456789.,_":
        fix = "groups of three digits take commas (16,384) and decimals a point (1.5)"
        raise QuantityError(f"{shown(tidy)} is not a number: {fix}")
    if re.match(r" [0-9.]", tidy[end : end + 2]):
        raise QuantityError(f"{shown(tidy)} has a space inside the number or two numbers; write e.g. {kind.example}")
    exponent = digits.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > LARGEST_EXPONENT:
        raise QuantityError(f"{shown(tidy)} is out of range: the limit is 1e308, and 1e-308 above 0")
    return Fraction(digits.replace(",", "").replace("_", "")), end


def _no_number(tidy: str, rest: str, kind: Kind) -> str:
    """Say why text does not start with a number."""
    if rest[:1] == "$":
        return f"{shown(tidy)} is an amount of money; {kind.one} is e.g. {kind.example}"
    if rest[:1] == "-":
        return f"{shown(tidy)} is negative, which no {kind.name} can be"
    if rest.lower().lstrip("+") in {"nan", "inf", "infinity"}:
        return f"{shown(tidy)} is not a finite number; {kind.one} is e.g. {kind.example}"
    return f"{shown(tidy)} does not start with a number; write e.g. {kind.example}"


def _whole(unit: str, kind: Kind) -> Worth | None:
    return kind.whole.find(unit) if kind.whole else None


def _ratio(tidy: str, unit: str, kind: Kind) -> Worth | None:
    """Worth of a unit with a slash: ``GB/s``, ``/gpu-hour``, ``k per 1M tokens``."""
    if kind.over is None or kind.per is None:
        return None
    split = SEPARATOR.search(f" {unit}")
    if split is None:
        return None
    upper, below = split.string[: split.start()].strip(), split.string[split.end() :]
    over, per = kind.over.find(upper), _below(tidy, below, kind.per, kind)
    if isinstance(over, Readings):
        return Readings(tuple(f"{reading}/{below}" for reading in over.units))
    if isinstance(per, Readings):
        return Readings(tuple(f"{upper}/{reading}" for reading in per.units))
    if isinstance(over, Fraction) and isinstance(per, Fraction):
        return over / per
    return over if isinstance(over, Advice) else per if isinstance(per, Advice) else None


def _below(tidy: str, below: str, table: Table, kind: Kind) -> Worth | None:
    """Worth of what stands below the slash: a unit, with or without a number."""
    if not below:
        return None
    if not below[0].isdigit():
        return table.find(below)
    number, end = _number(below, 0, kind)
    worth = table.find(below[end:].strip())
    if not number:
        raise QuantityError(f"{shown(tidy)} divides by 0; write e.g. {kind.example}")
    return number * worth if isinstance(worth, Fraction) else worth


def _steps(tidy: str) -> Fraction | None:
    """A time in several steps, units growing smaller: ``2h30m``."""
    total, last, position = Fraction(0), None, 0
    while position < len(tidy):
        step = STEP.match(tidy, position)
        worth = SECONDS.whole.find(step[2]) if step and SECONDS.whole else None
        if step is None or not isinstance(worth, Fraction) or (last is not None and worth >= last):
            return None
        total, last, position = total + Fraction(step[1]) * worth, worth, step.end()
    return total


def _both(tidy: str, number: str, readings: Readings, kind: Kind) -> str:
    """Spell out every reading of an ambiguous unit, with its value."""
    ways = []
    for unit in readings.units:
        text = f"{number.strip()} {unit.strip()}"
        value = float(parse(text, kind, advise=False).value)
        ways.append(
            f"{text} (= {value:,.0f} {kind.unit})" if value.is_integer() else f"{text} (= {value:g} {kind.unit})"
        )
    return f"{shown(tidy)} can be read as {' or '.join(ways)}; write the one you mean"


def _unknown(tidy: str, unit: str, kind: Kind) -> str:
    """Say what is wrong with a unit that this kind does not have."""
    wanted = f"{kind.one} is e.g. {kind.example}"
    if not unit:
        return f"{shown(tidy)} has no unit; {wanted}"
    if unit.lower() in {"€", "eur", "gbp", "cny", "rmb", "jpy", "yen", "yuan", "euro", "euros"}:
        return f"{shown(tidy)} is not in US dollars, and exchange rates change; {wanted}"
    if kind is SECONDS and re.search(r"[0-9]", unit):
        return f"{shown(tidy)} is not a time; every step has its unit, and they grow smaller, e.g. 2h30m or 2.5 h"
    if DASHED.fullmatch(tidy):
        fix = "A to B (5th to 95th percentile) or A..B (uniform), with the unit at both ends"
        return f"{shown(tidy)} is not one value; a range is written {fix}"
    for other in KINDS.values():
        try:
            parse(tidy, other, advise=False)
        except QuantityError:
            continue
        if other is not kind:
            return f"{shown(tidy)} is {other.one}; {wanted}"
    return (
        f"{shown(tidy)} has the unknown unit {shown(unit)}; {_nearest(unit.rpartition('/')[2].strip(), kind)}{wanted}"
    )


def _nearest(unit: str, kind: Kind) -> str:
    """The unit word most like a misspelt one, if the word is long enough to tell."""
    tables = [table for table in (kind.whole, kind.over, kind.per) if table]
    known = {word.lower(): word for table in tables for word in table.words if len(word) > 2 and " " not in word}
    near = nearest_names(unit, known) if len(unit) > 2 else []
    return f"did you mean {known[near[0]]}? " if near else ""
