"""The same answer counted otherwise: 6ND or exact, causal or full attention, this year's price or that one's.

None of these is doubt: each is a choice of what to count. But two estimates that chose differently differ by as much,
so the spread is worth knowing before they are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costline.catalogue import Price, shipped
from costline.catalogue.price_table import percentile
from costline.estimate import Estimate
from costline.numeric import Numeric


@dataclass(frozen=True)
class Reading:
    """A figure by one convention.

    Attributes
    ----------
    figure, unit : str
        Which figure; its SI unit.
    convention : str
        How it is counted.
    value : float
        What comes out. [`unit`]
    used : bool
        Whether the answer counts so.
    """

    figure: str
    convention: str
    value: float
    unit: str
    used: bool

    def against(self, others: Iterable[Reading]) -> float:
        """Ratio to the value that the answer uses. [1]"""
        used = next(other.value for other in others if other.used)
        return self.value / used


COUNTS = {
    "flops_exact": "exact count, pairs the mask lets through",
    "flops_full": "full attention, every pair",
    "flops_6nd": "6 x parameters x tokens",
}
"""Ways to count the FLOPs of a training run."""


def conventions(estimate: Estimate, prices: Iterable[Price] | None = None) -> dict[str, tuple[Reading, ...]]:
    """Figures of an answer by every convention that bears on them.

    Parameters
    ----------
    estimate : Estimate
        An answer for one set of inputs.
    prices : iterable of Price, optional
        On-demand prices of chips; those that come with costline if left out.

    Returns
    -------
    dict
        Readings by figure; one of each is the answer's own.
    """
    found: dict[str, tuple[Reading, ...]] = {}
    if estimate.study == "train":
        found |= _training(estimate)
        found |= _following(estimate, found)
    if estimate.study == "generate":
        found |= _generation(estimate)
    money = next((name for name in ("cost", "cost_output") if name in estimate.figures), "")
    if money and estimate[money] is not None and any(row.name == "rent" for row in estimate.assumptions):
        listed = shipped.prices(category="rental") if prices is None else prices
        dated = tuple(_priced(estimate, money, listed))
        counted = tuple(reading for reading in found.get(money, ()) if not reading.used)
        found |= {money: dated + counted} if len(dated) > 1 else {}
    return found


def _following(estimate: Estimate, found: dict[str, tuple[Reading, ...]]) -> dict[str, tuple[Reading, ...]]:
    """Cost of a training, which follows its time: the chips are rented by the hour."""
    if "time" not in found or estimate.figures.get("cost") is None or estimate["cost"] is None:
        return {}
    cost, time, unit = _number(estimate["cost"]), _number(estimate["time"]), estimate.figure("cost").unit
    return {
        "cost": tuple(
            Reading("cost", each.convention, cost * each.value / time, unit, each.used) for each in found["time"]
        )
    }


def _number(value: Numeric | None) -> float:
    return float("nan") if value is None else float(value)


def _training(estimate: Estimate) -> dict[str, tuple[Reading, ...]]:
    """FLOPs by convention; and what follows from them, which is the time where the user states the utilisation."""
    work = {name: _number(estimate[name]) for name in COUNTS}
    stated = estimate.inputs.get("mfu") is not None
    name = "time" if stated else "mfu"
    own, unit = _number(estimate[name]), estimate.figure(name).unit
    readings: dict[str, tuple[Reading, ...]] = {
        "flops": tuple(
            Reading("flops", words, work[key], "FLOP", used=key == "flops_exact") for key, words in COUNTS.items()
        )
    }
    readings[name] = tuple(
        Reading(name, words, own * work[key] / work["flops_exact"], unit, used=key == "flops_exact")
        for key, words in COUNTS.items()
    )
    return readings


def _generation(estimate: Estimate) -> dict[str, tuple[Reading, ...]]:
    """FLOPs of all evaluations: as they are, with attention halved as for a causal mask, and by 2 x parameters."""
    flops, share = _number(estimate["flops"]), _number(estimate["attention_share"])
    counts = {
        "exact count, every pair (no mask)": flops,
        "attention halved, as for a causal mask": flops * (1 - share / 2),
        "2 x parameters x latent tokens": _number(estimate["flops_2nd"]),
    }
    readings = {"flops": tuple(Reading("flops", key, value, "FLOP", value is flops) for key, value in counts.items())}
    if estimate.inputs.get("mfu") is None:
        own = _number(estimate["mfu"])
        readings["mfu"] = tuple(
            Reading("mfu", key, own * value / flops, "1", value is flops) for key, value in counts.items()
        )
    return readings


def _priced(estimate: Estimate, money: str, prices: Iterable[Price]) -> Iterator[Reading]:
    """Cost at the median on-demand price of each year that has one, a provider counting once."""
    chip = str(estimate.inputs["chip"])
    own = _number(estimate[money])
    unit = estimate.figure(money).unit
    rent = next((_number(child.value) for child in estimate.figure(money).children if child.name == "price"), None)
    if rent is None:
        chosen = shipped.rental_price(chip)
        rent = chosen.value if chosen is not None else float("nan")
    yield Reading(money, "rent the answer uses, by the rule of the catalogue", own, unit, used=True)
    years: dict[str, dict[str, list[float]]] = {}
    for price in prices:
        plain = price.category == "rental" and price.commitment == "on-demand" and price.printed_unit == "USD/chip-hour"
        if plain and chip in price.chips and price.date:
            years.setdefault(price.date[:4], {}).setdefault(price.provider or price.source, []).append(price.value)
    for year, providers in sorted(years.items()):
        values = sorted(percentile(sorted(asked), 0.5) for asked in providers.values())
        words = f"rent of {year}, median of {len(values)} provider{'s' * (len(values) != 1)}"
        yield Reading(money, words, own * percentile(values, 0.5) / rent, unit, used=False)
