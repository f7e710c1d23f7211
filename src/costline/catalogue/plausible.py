"""Numbers without a unit in a user's file: SI values are taken, what can only be a slip of the unit is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from costline.quantity import (
    AREA,
    BANDWIDTH,
    BYTES,
    DOLLARS_PER_SECOND,
    FLOP_RATE,
    FREQUENCY,
    LINK_BANDWIDTH,
    SECONDS,
    WATTS,
    Kind,
    show,
)


@dataclass(frozen=True)
class Span:
    """What a bare number may be, and how the nearest sensible one is written.

    Attributes
    ----------
    low, high : float
        Least and largest SI value taken without a unit.
    fixes : tuple of (float, str)
        Numbers below a limit -> the unit they were meant in.
    """

    low: float
    high: float
    fixes: tuple[tuple[float, str], ...]

    def meant(self, value: float) -> str:
        """The number with the unit that was meant."""
        unit = next((unit for limit, unit in self.fixes if value < limit), self.fixes[-1][1])
        return unit.format(f"{value:g}")


ENDLESS = float("inf")
SPANS: Mapping[str, Span] = {
    FLOP_RATE.name: Span(1e9, 1e20, ((ENDLESS, "{} TFLOP/s"),)),
    BYTES.name: Span(1e5, 1e15, ((4096, "{} GB"), (ENDLESS, "{} MB"))),
    BANDWIDTH.name: Span(1e8, 1e18, ((100, "{} TB/s"), (ENDLESS, "{} GB/s"))),
    LINK_BANDWIDTH.name: Span(1e8, 1e15, ((10, "{} TB/s"), (ENDLESS, "{} GB/s"))),
    SECONDS.name: Span(0, 1, ((ENDLESS, "{} us"),)),
    WATTS.name: Span(1, 1e6, ((ENDLESS, "{} kW"),)),
    DOLLARS_PER_SECOND.name: Span(0, 0.1, ((ENDLESS, "${}/h"),)),
    AREA.name: Span(1e-9, 1, ((ENDLESS, "{} mm2"),)),
    FREQUENCY.name: Span(1e6, 1e12, ((100, "{} GHz"), (ENDLESS, "{} MHz"))),
}
"""By kind: far beyond any chip at both ends, so that only a number in another unit falls outside."""


def implausible(value: object, kind: Kind) -> str:
    """Say what is wrong with a number without a unit; empty where nothing is.

    Examples
    --------
    >>> implausible(180, FLOP_RATE)
    '180 without a unit is 180 FLOP/s; did you mean 180 TFLOP/s?'
    >>> implausible("180 FLOP/s", FLOP_RATE), implausible(180e12, FLOP_RATE)
    ('', '')
    """
    span = SPANS.get(kind.name)
    if span is None or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not value or span.low <= value <= span.high:
        return ""
    return f"{value:g} without a unit is {show(float(value), kind)}; did you mean {span.meant(value)}?"
