"""Dollars: renting, owning, selling by the token or by the second."""

from __future__ import annotations

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
