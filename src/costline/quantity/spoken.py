"""Names that say a result and its unit in one: ``days < 30``, the same wherever a bound or a condition is written."""

from __future__ import annotations

from costline.errors import QuantityError
from costline.quantity.kinds import COUNT, SECONDS, Kind
from costline.quantity.reading import read, shown

SPOKEN: dict[str, tuple[str, float]] = {
    "seconds": ("time", 1.0),
    "minutes": ("time", 60.0),
    "hours": ("time", 3600.0),
    "days": ("time", 86_400.0),
    "weeks": ("time", 7 * 86_400.0),
    "years": ("time", 365.25 * 86_400.0),
    "dollars": ("cost", 1.0),
}
"""Name -> the result that is meant, and what a number without a unit is worth. [SI unit of the result]"""


SMALL = frozenset({"ttft", "tpot", "latency", "longest_gap", "step"})
"""Times of which people speak in milliseconds as well as in seconds."""


def stated_value(text: str, kind: Kind, name: str) -> float:
    """Read the value of a bound; of a time a number alone could be seconds or what is usual of it, and is refused.

    Examples
    --------
    >>> from costline.quantity.kinds import DOLLARS, SECONDS
    >>> stated_value("20ms", SECONDS, "tpot"), stated_value("50", DOLLARS, "cost")
    (0.02, 50.0)
    """
    value = read(text, kind)
    bare = text.strip()
    if kind is SECONDS and value and bare.replace(",", "").replace(".", "", 1).isdigit():
        ways = (f"{bare}ms", f"{bare}s") if name in SMALL else (f"{bare}s", f"{bare} days")
        raise QuantityError(f"{shown(text)} has no unit; write {ways[0]} or {ways[1]}")
    return value


def spoken_value(text: str, kind: Kind, worth: float) -> float:
    """Read the value of a spoken name: a bare number is in the unit that the name says, any other states its own.

    Examples
    --------
    >>> from costline.quantity import SECONDS
    >>> spoken_value("1,000", SECONDS, 60.0), spoken_value("2 h", SECONDS, 60.0)
    (60000.0, 7200.0)
    """
    try:
        bare = read(text, COUNT)
    except QuantityError:
        return read(text, kind)
    return bare * worth
