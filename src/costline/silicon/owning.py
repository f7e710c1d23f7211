"""What a second of a chip costs its owner: rent on the market, or making, hosting and feeding it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from costline.catalogue import Catalogue
from costline.errors import InputError
from costline.hardware.chip import Chip
from costline.numeric import Numeric
from costline.silicon.chipfile import silicon_in
from costline.silicon.cost import Silicon, made_price
from costline.silicon.draws import USUAL, Draws, interval
from costline.silicon.inputs import quantity


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Prices of a chip.

    Attributes
    ----------
    rent : float or None
        Median rent on the market, everything included; None is unknown. [USD/s]
    made : float, array or None
        Price and host over their life, if the chip sold at the usual margin; electricity is extra. [USD/s]
    made_low, made_high : float or None
        The middle 80 % of it. [USD/s]
    energy : float
        Price of electricity. [USD/J]
    why : str
        Why `made` is unknown.
    """

    rent: float | None
    made: Numeric | None
    energy: float
    made_low: float | None = None
    made_high: float | None = None
    why: str = ""


def made_rate(silicon: Silicon, draws: Draws | None = None, volume: Numeric | None = None) -> Numeric:
    """Price of a chip and of its share of a host, over its life. [USD/s]"""
    draws = draws or Draws()
    price = made_price(silicon, draws, volume) + draws.of("host", quantity("host"))
    return price / draws.of("life", quantity("life"))


def owner(chip: Chip, book: Catalogue, volume: Numeric | None = None, *, in_memory: bool = False) -> Owner:
    """Prices of a chip of the catalogue or of the user's file; `in_memory` with memory that computes in its place."""
    choice = None if in_memory else book.rental_price(chip.id)
    rent = None if choice is None else choice.value
    energy = book.electricity().value
    try:
        silicon = replace(silicon_in(book, chip.id), in_memory=in_memory)
        made = made_rate(silicon, None, volume)
    except InputError as error:
        return Owner(rent=rent, made=None, energy=energy, why=str(error))
    low, high = interval(made_rate(silicon, Draws(USUAL), volume))
    return Owner(rent=rent, made=made, energy=energy, made_low=low, made_high=high)
