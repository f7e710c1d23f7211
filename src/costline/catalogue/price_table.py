"""The price table: rent, purchase, APIs, electricity, and what a building and a grid add. All dated."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from costline.catalogue.table import DATA, Row, columns, read_table

COLUMNS = columns(
    "category! item! subject provider date_printed unit! commitment config note source!",
    names="chips",
    number="value! low high",
    date="date",
    kind="kind!",
)

_HOUR, _KWH, _YEAR = 3600.0, 3.6e6, 31_557_600.0

UNITS: dict[str, tuple[float, str]] = {
    "USD/chip-hour": (1 / _HOUR, "USD/s"),
    "USD/core-hour": (1 / _HOUR, "USD/(core s)"),
    "USD/video-second": (1.0, "USD/s of video"),
    "USD/Mtoken input": (1e-6, "USD/token in"),
    "USD/Mtoken output": (1e-6, "USD/token out"),
    "USD/chip": (1.0, "USD"),
    "USD/unit": (1.0, "USD"),
    "USD/kWh": (1 / _KWH, "USD/J"),
    "gCO2e/kWh": (1e-3 / _KWH, "kg/J"),
    "kgCO2e": (1.0, "kg"),
    "kW": (1e3, "W"),
    "years": (_YEAR, "s"),
    "ratio": (1.0, "1"),
    "fraction": (1.0, "1"),
    "x chip price": (1.0, "1"),
    "of cluster cost": (1.0, "1"),
}
"""Units prices are printed in, their worth in SI, and the unit that is left."""

RENTAL_RULE = "on-demand prices of the latest 12 months with any, one a provider: median, 10th to 90th percentile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One row of the price table, in SI units.

    Attributes
    ----------
    category : str
        rental, purchase, api_llm, api_video, electricity, carbon or tco_factor.
    item, subject, provider, commitment, config : str
        What is sold, for which chip or model as its source prints it, by whom, on which terms.
    chips : tuple of str
        Chips of the catalogue that `subject` can mean.
    value, low, high : float
        Price; bounds where the source prints a range. [`unit`]
    unit, printed_unit : str
        SI unit, and the unit of the source.
    date : str
        Year, month or day; empty where the source states none.
    kind, note, source : str
        Provenance.
    """

    category: str
    item: str
    subject: str
    provider: str
    chips: tuple[str, ...]
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    printed_unit: str = ""
    date: str = ""
    commitment: str = ""
    config: str = ""
    kind: str = "listed"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChoice:
    """The rent of a chip as a distribution, and where it comes from.

    Attributes
    ----------
    value, low, high : float
        Median, 10th and 90th percentile. [USD/s]
    n : int
        Prices it is made of, all providers together.
    first, last : str
        Dates of the oldest and the newest of them; empty where none is dated.
    sources : tuple of str
        Where they were read.
    rule : str
        How they were chosen.
    """

    value: float
    low: float
    high: float
    n: int
    first: str
    last: str
    sources: tuple[str, ...]
    rule: str = RENTAL_RULE

    def __str__(self) -> str:
        hourly = [f"{price * _HOUR:.3g}" for price in (self.value, self.low, self.high)]
        when = "undated" if not self.last else self.last if self.first == self.last else f"{self.first} to {self.last}"
        if self.n == 1:
            return f"${hourly[0]}/chip-hour (one price, {when})"
        return f"${hourly[0]}/chip-hour (80 % ${hourly[1]} to ${hourly[2]}; {self.n} prices, {when})"


def price_from_row(row: Row) -> Price:
    """Build a row of the table, converted to SI."""
    worth, unit = UNITS.get(row["unit"], (math.nan, ""))
    return Price(
        category=row["category"],
        item=row["item"],
        subject=row["subject"],
        provider=row["provider"],
        chips=row["chips"] or (),
        value=row["value"] * worth,
        low=None if row["low"] is None else row["low"] * worth,
        high=None if row["high"] is None else row["high"] * worth,
        unit=unit,
        printed_unit=row["unit"],
        date=row["date"] or "",
        commitment=row["commitment"],
        config=row["config"],
        kind=row["kind"],
        note=row["note"],
        source=row["source"],
    )


@functools.cache
def shipped_prices() -> tuple[Price, ...]:
    """All prices that come with costline, in the order of the file."""
    return tuple(price_from_row(row) for row in read_table(DATA / "prices.csv", COLUMNS))


@functools.cache
def shipped_by_category() -> dict[str, tuple[Price, ...]]:
    """Prices that come with costline by category, in the order of the file."""
    sorted_out: dict[str, list[Price]] = {}
    for price in shipped_prices():
        sorted_out.setdefault(price.category, []).append(price)
    return {category: tuple(listed) for category, listed in sorted_out.items()}


def select(
    prices: Iterable[Price],
    *,
    category: str = "",
    chip: str = "",
    provider: str = "",
    commitment: str = "",
    since: str = "",
    until: str = "",
) -> list[Price]:
    """Prices that match everything that is given; undated ones match no date."""
    return [
        price
        for price in prices
        if (not category or price.category == category)
        and (not chip or chip in price.chips)
        and (not provider or provider.lower() in price.provider.lower())
        and (not commitment or price.commitment == commitment)
        and (not since or price.date >= since[: len(price.date) or None])
        and (not until or (price.date and price.date <= until))
    ]


@functools.cache
def shipped_rental(chip: str) -> PriceChoice | None:
    """Rent of a chip by the prices that come with costline."""
    return rental_choice(shipped_by_category()["rental"], chip)


def rental_choice(prices: Iterable[Price], chip: str) -> PriceChoice | None:
    """Rent of a chip by `RENTAL_RULE`, or None where no price is known.

    Prices that can only mean this chip are preferred to those that can mean several, and listed ones to those reported
    by third parties. Those without a date come from catalogues that were current when they were read, and count as
    new. Spot and reserved prices are left out: what they buy differs. A provider with many sizes of instance counts
    once, with its median.
    """
    hourly = [
        price
        for price in select(prices, category="rental", chip=chip, commitment="on-demand")
        if price.printed_unit == "USD/chip-hour"
    ]
    usable = [price for price in hourly if len(price.chips) == 1] or hourly
    usable = [price for price in usable if price.kind == "listed"] or usable
    newest = max((price.date for price in usable), default="")
    usable = [price for price in usable if not (price.date and price.date <= year_before(newest))]
    if not usable:
        return None
    by_provider: dict[str, list[float]] = {}
    for price in usable:
        by_provider.setdefault(seller(price), []).append(price.value)
    values = sorted(percentile(sorted(asked), 0.5) for asked in by_provider.values())
    dates = sorted(price.date for price in usable if price.date)
    spread = values if len(values) > 1 else sorted(price.value for price in usable)  # of one seller all it asks
    low, high = (percentile(spread, 0.1), percentile(spread, 0.9))
    if len(usable) == 1:  # a single price is as wide as its own bounds
        low, high = usable[0].low or low, usable[0].high or high
    return PriceChoice(
        value=percentile(values, 0.5),
        low=low,
        high=high,
        n=len(usable),
        first=dates[0] if dates else "",
        last=dates[-1] if dates else "",
        sources=tuple(dict.fromkeys(price.source for price in usable)),
    )


def seller(price: Price) -> str:
    """Who asks a price, by the first word of the name: ``Lambda`` and ``Lambda Labs`` are one."""
    return price.provider.split()[0].lower() if price.provider else price.source


def year_before(date: str) -> str:
    """The same day, month or year twelve months earlier.

    Examples
    --------
    >>> year_before("2025-03-17"), year_before("2026")
    ('2024-03-17', '2025')
    """
    return f"{int(date[:4]) - 1:04d}{date[4:]}"


def percentile(ordered: Sequence[float], share: float) -> float:
    """Value below which a share of `ordered` lies, interpolated between neighbours.

    Examples
    --------
    >>> percentile([1.0, 2.0, 4.0], 0.5), percentile([1.0, 2.0, 4.0], 0.75)
    (2.0, 3.0)
    """
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
