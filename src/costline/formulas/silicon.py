"""Silicon: dies of a wafer, yield with and without harvesting, what a good die and a package cost.

Areas are in m2, defect densities in 1/m2 (0.1 /cm2 is 1,000 /m2).
"""

from __future__ import annotations

import numpy as np

from costline.derivation import formula
from costline.numeric import Array, Numeric, largest


@formula(
    "max(3.141592653589793 * (diameter / 2 - edge)**2 / area"
    " - 3.141592653589793 * (diameter - 2 * edge) / sqrt(2 * area), 0)",
    unit="die",
    source="Feng and Ma 2022, DAC (Chiplet Actuary); without edge, Ning et al. 2023, ISCA (TTM-CAS)",
)
def dies_per_wafer(area: Numeric, diameter: Numeric, edge: Numeric) -> Numeric:
    """Dies cut from a round wafer; the second term is what its rim loses.

    Parameters
    ----------
    area : float or array
        Area of a die, scribe line included. [m2]
    diameter : float or array
        Diameter of the wafer. [m]
    edge : float or array
        Width of the unusable rim. [m]

    Returns
    -------
    float or array
        Dies, a mean: not rounded down. [die]

    References
    ----------
    Feng and Ma 2022, DAC, "Chiplet Actuary"; with ``edge`` 0 it is the form of TTM-CAS (Ning et al. 2023, ISCA).

    Examples
    --------
    >>> round(dies_per_wafer(826e-6, 0.3, 0.0), 1)
    62.4
    """
    width = diameter - 2 * edge
    whole = np.pi * (diameter / 2 - edge) ** 2 / area
    return largest(whole - np.pi * width / (2 * area) ** 0.5, 0)


@formula("exp(-area * density)", unit="1", source="Poisson statistics of defects")
def poisson_yield(area: Numeric, density: Numeric) -> Numeric:
    """Share of dies without a defect if defects fall independently.

    Parameters
    ----------
    area : float or array
        Area that a defect kills. [m2]
    density : float or array
        Defects. [1/m2]

    Returns
    -------
    float or array
        Share of good dies. [1]

    References
    ----------
    Murphy 1964, Proceedings of the IEEE 52(12), eq. 1.

    Examples
    --------
    >>> round(poisson_yield(100e-6, 1000.0), 4)
    0.9048
    """
    result: Array = np.exp(-area * density)
    return result if np.ndim(result) else float(result)


@formula("(-expm1(-area * density) / (area * density))**2", unit="1", source="Murphy 1964, Proc. IEEE 52(12)")
def murphy_yield(area: Numeric, density: Numeric) -> Numeric:
    """Share of dies without a defect if the density of defects varies as a triangle around its mean.

    Parameters
    ----------
    area : float or array
        Area that a defect kills. [m2]
    density : float or array
        Mean density of defects. [1/m2]

    Returns
    -------
    float or array
        Share of good dies. [1]

    References
    ----------
    Murphy 1964, Proceedings of the IEEE 52(12).

    Examples
    --------
    >>> round(murphy_yield(800e-6, 1000.0), 4)
    0.4738
    """
    expected = area * density
    result: Array = (-np.expm1(-expected) / expected) ** 2
    return result if np.ndim(result) else float(result)


@formula("exp(-clusters * log(1 + area * density / clusters))", unit="1", source="Stapper 1989, IBM J. R&D 33(2)")
def negative_binomial_yield(area: Numeric, density: Numeric, clusters: Numeric) -> Numeric:
    """Share of dies without a defect if defects cluster: ``(1 + A D / c) ** -c``.

    Parameters
    ----------
    area : float or array
        Area that a defect kills. [m2]
    density : float or array
        Mean density of defects. [1/m2]
    clusters : float or array
        Cluster parameter: few is strong clustering, many is Poisson. [1]

    Returns
    -------
    float or array
        Share of good dies. [1]

    References
    ----------
    Stapper 1989, IBM Journal of Research and Development 33(2); 3 in TTM-CAS, 10 in Chiplet Actuary.

    Examples
    --------
    >>> round(negative_binomial_yield(826e-6, 1500.0, 3), 3)
    0.354
    """
    result: Array = np.exp(-clusters * np.log1p(area * density / clusters))
    return result if np.ndim(result) else float(result)


def harvested_yield(
    area: Numeric, density: Numeric, clusters: Numeric, share: Numeric, units: int, spare: int
) -> Numeric:
    r"""Share of dies that can be sold if up to `spare` of `units` equal units may be dead (132 of 144 SMs sold).

    .. math:: Y = \sum_n p_n\, s^n\, P(\text{at most } k \text{ of } u \text{ units hit} \mid n)

    where :math:`p_n` is the negative binomial chance of n defects on the die, :math:`s^n` that all fall on units, and
    the last factor the classical occupancy probability. It is exact for defects that kill one unit each.

    Parameters
    ----------
    area : float or array
        Area of the die. [m2]
    density : float or array
        Mean density of defects. [1/m2]
    clusters : float or array
        Cluster parameter. [1]
    share : float or array
        Share of the area that the units cover; a defect elsewhere kills the die. [1]
    units, spare : int
        Equal units of the die, and how many of them may be dead. [1]

    Returns
    -------
    float or array
        Share of sellable dies. [1]

    References
    ----------
    Stapper 1989, IBM Journal of Research and Development 33(2) (partially good products).

    Examples
    --------
    >>> round(harvested_yield(826e-6, 1500.0, 3.0, 1.0, 144, 0), 3)  # none spare: the negative binomial
    0.354
    """
    mean = np.asarray(area * density, dtype=float)
    odds = mean / (clusters + mean)
    chance = np.exp(-clusters * np.log1p(mean / clusters))
    hit = np.zeros(spare + 1)  # chance that exactly d units are hit by the defects so far
    hit[0] = 1.0
    dead = np.arange(spare + 1)
    total = chance * 1.0
    for defects in range(400):
        chance = chance * (clusters + defects) / (defects + 1) * odds * share
        grown = hit * dead / units
        grown[1:] += hit[:-1] * (units - dead[:-1]) / units
        hit = grown
        total = total + chance * hit.sum()
        if defects > spare and np.all(chance * hit.sum() < 1e-15):
            break
    return total if np.ndim(total) else float(total)


@formula("wafer / (dies * good)", unit="USD", source="definition")
def die_cost(wafer: Numeric, dies: Numeric, good: Numeric) -> Numeric:
    """Cost of a die that can be sold.

    Parameters
    ----------
    wafer : float or array
        Price of a processed wafer. [USD]
    dies : float or array
        Dies cut from it. [die]
    good : float or array
        Share that can be sold. [1]

    Returns
    -------
    float or array
        Cost. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> die_cost(10000.0, 50.0, 0.5)
    400.0
    """
    return wafer / (dies * good)


@formula("design / units", unit="USD", source="definition")
def design_cost_per_unit(design: Numeric, units: Numeric) -> Numeric:
    """One-time cost (design, masks) carried by each unit sold.

    Parameters
    ----------
    design : float or array
        One-time cost. [USD]
    units : float or array
        Units sold over the life of the design. [chip]

    Returns
    -------
    float or array
        Cost of a unit. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> design_cost_per_unit(500e6, 1e6)
    500.0
    """
    return design / units


@formula("(parts + assembly) / bonding", unit="USD", source="Feng and Ma 2022, DAC (chip-last bonding)")
def packaged_cost(parts: Numeric, assembly: Numeric, bonding: Numeric) -> Numeric:
    """Cost of a package that works: a failed assembly loses all its parts.

    Parameters
    ----------
    parts : float or array
        Known-good dies and memory. [USD]
    assembly : float or array
        Interposer, substrate, assembly. [USD]
    bonding : float or array
        Share of assemblies that work. [1]

    Returns
    -------
    float or array
        Cost. [USD]

    References
    ----------
    Feng and Ma 2022, DAC, "Chiplet Actuary" (chip-last assembly).

    Examples
    --------
    >>> packaged_cost(900.0, 100.0, 0.8)
    1250.0
    """
    return (parts + assembly) / bonding


@formula("cost / (1 - margin)", unit="USD", source="definition of gross margin")
def selling_price(cost: Numeric, margin: Numeric) -> Numeric:
    """Price that leaves a gross margin.

    Parameters
    ----------
    cost : float or array
        Cost of goods. [USD]
    margin : float or array
        Gross margin, a share of the price. [1]

    Returns
    -------
    float or array
        Price. [USD]

    References
    ----------
    Definition.

    Examples
    --------
    >>> selling_price(300.0, 0.25)
    400.0
    """
    return cost / (1 - margin)


@formula("area * (energy * grid + gas + material) / good", unit="kg", source="Gupta et al. 2022, ISCA (ACT), eq. 4")
def embodied_carbon(
    area: Numeric, energy: Numeric, grid: Numeric, gas: Numeric, material: Numeric, good: Numeric
) -> Numeric:
    """Emissions of making a die.

    Parameters
    ----------
    area : float or array
        Wafer area of a die. [m2]
    energy : float or array
        Electricity of the fab for an area. [J/m2]
    grid : float or array
        Emissions of the fab's electricity. [kg/J]
    gas, material : float or array
        Emissions of process gases and of raw materials. [kg/m2]
    good : float or array
        Share of dies that can be sold. [1]

    Returns
    -------
    float or array
        Mass of CO2 equivalent. [kg]

    References
    ----------
    Gupta et al. 2022, ISCA, "ACT", eq. 4 and 5.

    Examples
    --------
    >>> embodied_carbon(1e-4, 5e10, 1e-7, 2000.0, 5000.0, 0.5)
    2.4
    """
    return area * (energy * grid + gas + material) / good
