"""Dollars: renting, owning, selling by the token or by the second."""

from __future__ import annotations

from math import log

from costline.derivation import formula
from costline.numeric import Numeric


@formula("chips * seconds * price", unit="USD", source="definition")
def rental_cost(chips: Numeric, seconds: Numeric, price: Numeric) -> Numeric:
    """Cost of renting chips.

    Parameters
    ----------
    chips : float or array
        Chips. [chip]
    seconds : float or array
        Time. [s]
    price : float or array
        Price of a chip. [USD/s]

    Returns
    -------
    float or array
        Cost. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> rental_cost(8, 3600, 2.5 / 3600)
    20.0
    """
    return chips * seconds * price


@formula("cost_rate / unit_rate", unit="USD", source="definition")
def cost_per_unit(cost_rate: Numeric, unit_rate: Numeric) -> Numeric:
    """Cost of one unit of what a fleet produces.

    Parameters
    ----------
    cost_rate : float or array
        Cost of the fleet. [USD/s]
    unit_rate : float or array
        Units it produces: tokens, seconds of video. [1/s]

    Returns
    -------
    float or array
        Cost of a unit. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> cost_per_unit(10.0, 5.0)
    2.0
    """
    return cost_rate / unit_rate


@formula("energy * price", unit="USD", source="definition")
def energy_cost(energy: Numeric, price: Numeric) -> Numeric:
    """Cost of electricity.

    Parameters
    ----------
    energy : float or array
        Energy at the meter. [J]
    price : float or array
        Price. [USD/J]

    Returns
    -------
    float or array
        Cost. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> energy_cost(3.6e6, 0.1 / 3.6e6)
    0.1
    """
    return energy * price


@formula("price * growth * log(10) / (1 - network)", unit="USD/s", source="Cottier et al. 2024, arXiv:2405.21015")
def amortised_rate(price: Numeric, growth: Numeric, network: Numeric) -> Numeric:
    """Value that a chip in a cluster loses, as newer chips do the same work for less.

    Parameters
    ----------
    price : float or array
        Chip with its share of a server. [USD]
    growth : float or array
        Growth of what a dollar of chips computes, in orders of magnitude. [1/s]
    network : float or array
        Share of the cost of a cluster that is its network. [1]

    Returns
    -------
    float or array
        Loss of value. [USD/s]

    References
    ----------
    Cottier et al. 2024, arXiv:2405.21015, "The rising costs of training frontier AI models".

    Examples
    --------
    >>> round(amortised_rate(25000.0, 0.1 / 31557600.0, 0.2) * 3600, 3)  # dollars an hour
    0.821
    """
    return price * growth * log(10) / (1 - network)
