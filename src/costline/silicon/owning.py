"""What a second of a chip costs its owner: rent on the market, or making, hosting and feeding it."""

from __future__ import annotations

from dataclasses import dataclass

from costline.catalogue import Catalogue
from costline.errors import InputError
from costline.hardware.chip import Chip
from costline.numeric import Numeric
from costline.silicon.cost import Silicon, made_price, silicon_of
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


def owner(chip: Chip, book: Catalogue, silicon: Silicon | None = None, volume: Numeric | None = None) -> Owner:
    """Prices of a chip of the catalogue, or of one made of `silicon`."""
    choice = book.rental_price(chip.id)
    rent = None if choice is None else choice.value
    energy = book.electricity().value
    if silicon is None:
        facts = book.chip_facts().get(chip.id)
        if facts is None:
            return Owner(rent=rent, made=None, energy=energy, why="process and die area are not stated")
        try:
            silicon = silicon_of(facts)
            made_rate(silicon)
        except InputError as error:
            return Owner(rent=rent, made=None, energy=energy, why=str(error))
    low, high = interval(made_rate(silicon, Draws(USUAL), volume))
    return Owner(rent=rent, made=made_rate(silicon, None, volume), energy=energy, made_low=low, made_high=high)
