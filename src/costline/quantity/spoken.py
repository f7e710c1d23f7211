"""Names that say a result and its unit in one: ``days < 30``, the same wherever a bound or a condition is written."""

from __future__ import annotations

from costline.errors import QuantityError
from costline.quantity.kinds import COUNT, Kind
from costline.quantity.reading import read

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
