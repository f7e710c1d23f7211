"""Printing quantities: three significant figures for people, every bit for files and links."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from numbers import Real

from costline.errors import QuantityError
from costline.quantity.kinds import SECONDS, Kind, Scale
from costline.quantity.reading import read, shown

UNKNOWN = "unknown"
"""How a value that nobody knows is printed; never as 0."""

WIDE = Context(prec=60)
"""Decimal arithmetic with figures to spare and no limit on exponents that a float could reach."""

MOST_DIGITS = 17


def show(value: float | None, kind: Kind, digits: int = 3) -> str:
    """Print a value for people: SI prefix, `digits` significant figures.

    Parameters
    ----------
    value : float, int or None
        Value in the SI unit of the kind; a difference may be negative; None is unknown. A scalar.
    kind : Kind
        What it measures.
    digits : int
        Significant figures, 1 to 17. Whole numbers of things that fit are printed without decimals.

    Examples
    --------
    >>> from costline.quantity import BYTES, DOLLARS, FLOP_RATE, FRACTION, PARAMS, SECONDS
    >>> show(1.2394e15, FLOP_RATE), show(80e9, BYTES), show(41.2, DOLLARS), show(9600, SECONDS)
    ('1.24 PFLOP/s', '80.0 GB', '$41.2', '2.67 h')
    >>> show(0.123, FRACTION), show(999.7e9, PARAMS), show(None, SECONDS)
    ('12.3 %', '1.00T params', 'unknown')
    """
    if value is None:
        return UNKNOWN
    if not 1 <= digits <= MOST_DIGITS:
        raise QuantityError(f"{digits} significant figures: the limits are 1 and {MOST_DIGITS}")
    number = _finite(value, kind)
    size = Fraction(abs(number))
    scale, rounded = _fit(size, kind, digits)
    text = _fixed(size / scale.factor, rounded, kind.counts and scale.factor == 1, digits)
    return f"{'-' if number < 0 else ''}{scale.before}{text}{scale.after}"


def exact(value: float, kind: Kind) -> str:
    """Print a value so that `read` gives back the same float, bit for bit.

    Counts are printed in full, so that ``32k`` shows as 32,000; the rest in the unit of `show` where that is no longer.

    Parameters
    ----------
    value : float or int
        Value in the SI unit of the kind, 0 or more and within the limit of the kind.
    kind : Kind
        What it measures.

    Examples
    --------
    >>> from costline.quantity import BYTES, DOLLARS_PER_SECOND, SECONDS, TOKENS
    >>> exact(80e9, BYTES), exact(2.49 / 3600, DOLLARS_PER_SECOND), exact(9000, SECONDS), exact(32768, TOKENS)
    ('80 GB', '$2.49/h', '2.5 h', '32,768 tokens')
    """
    number = read(value, kind)
    plain = _shortest(Decimal(repr(number)), group=kind.counts)
    scale, _ = _fit(Fraction(number), kind, MOST_DIGITS)
    bare = kind.base.before == kind.base.after == ""  # a fraction: two ends of a range stay alike
    if scale.factor != 1 and not kind.counts and not bare:
        size = _divide(Decimal(repr(number)), scale.factor)
        for digits in (15, 16, 17):
            printed = _shortest(Context(prec=digits).plus(size))
            text = f"{scale.before}{printed}{scale.after}"
            if len(printed) <= len(plain) and read(text, kind) == number:
                return text
    return f"{kind.base.before}{plain}{kind.base.after}"


def column_scale(values: Iterable[float | None], kind: Kind) -> tuple[float, str]:
    """Choose one unit for a whole column: divide every value by the factor, put the label in the heading.

    The largest value decides, so that it has one to three figures before the point.

    Parameters
    ----------
    values : iterable of float or None
        Values of the column in the SI unit; None is unknown and does not count.
    kind : Kind
        What they measure.

    Returns
    -------
    factor : float
        Worth of the unit. [SI unit of the kind]
    label : str
        The unit, with its prefix.

    Examples
    --------
    >>> from costline.quantity import BYTES, PARAMS
    >>> column_scale([80e9, 1.4e9, None], BYTES)
    (1000000000.0, 'GB')
    >>> column_scale([70e9], PARAMS)
    (1000000000.0, 'billion params')
    """
    largest = max((abs(_finite(value, kind)) for value in values if value is not None), default=0.0)
    scale, _ = _fit(Fraction(largest), kind, 3)
    return float(scale.factor), scale.label


def _finite(value: float, kind: Kind) -> float:
    """Return `value` as a float; refuse arrays, NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise QuantityError(f"{type(value).__name__} is not {kind.one}; print one number at a time")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise QuantityError(f"{shown(value)} is not finite; print None for a value that is unknown")
    return number


def _divide(number: Decimal, factor: Fraction) -> Decimal:
    return WIDE.divide(WIDE.multiply(number, Decimal(factor.denominator)), Decimal(factor.numerator))


def _rounded(size: Fraction, digits: int) -> Decimal:
    """`size` to so many significant figures, halves upwards, as people round: 11.25 is 11.3."""
    return Context(prec=digits, rounding=ROUND_HALF_UP).plus(
        _divide(Decimal(size.numerator), Fraction(size.denominator))
    )


def _fit(size: Fraction, kind: Kind, digits: int) -> tuple[Scale, Decimal]:
    """The largest unit of which there is at least one after rounding, and how many; the SI unit at the extremes."""
    home = min(kind.scales, key=_plainness)
    if not size:
        return home, Decimal(0)
    for scale in reversed(kind.scales):
        rounded = _rounded(size / scale.factor, digits)
        if rounded >= 1:
            break
    if kind is SECONDS and size >= kind.scales[-1].factor:
        return kind.scales[-1], _rounded(size / kind.scales[-1].factor, digits)  # however many years
    if size >= kind.top or not -4 <= rounded.adjusted() < 6:
        return kind.base, _rounded(size, digits)
    return scale, rounded


def _plainness(scale: Scale) -> tuple[int, bool]:
    """Least for the unit without a prefix, the SI unit before others; that of a price of a million tokens is not SI."""
    return len(scale.before) + len(scale.after), scale.factor != 1


def _fixed(printed: Fraction, rounded: Decimal, counts: bool, digits: int) -> str:
    """The number itself: ``1.24``, ``81``, ``1,230`` or ``3.80e25``."""
    power = rounded.adjusted()
    if not rounded or (counts and printed.denominator == 1 and power < digits):
        return f"{int(printed)}"
    if -4 <= power < 6:
        return f"{rounded:,.{max(digits - 1 - power, 0)}f}"
    mantissa, _, exponent = f"{rounded:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _shortest(number: Decimal, *, group: bool = False) -> str:
    """The decimal written out or as a power of ten, whichever is shorter; small counts always in full."""
    number = number.normalize(WIDE)
    mantissa, _, exponent = f"{number:e}".partition("e")
    if group and 0 <= number < Decimal("1e18") and number == int(number):
        return f"{int(number):,}"
    plain = f"{number:f}" if abs(number.adjusted()) < 40 else ""
    scientific = f"{mantissa}e{int(exponent)}"
    return plain if plain and len(plain) <= len(scientific) + 3 else scientific
