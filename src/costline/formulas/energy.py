"""Energy: from what a chip draws to what the meter counts."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric


@formula(
    "tdp * (idle_power + (1 - idle_power) * (math_share * math_power + memory_share * memory_power))",
    unit="W",
    source="linear model: idle, arithmetic and memory parts",
)
def chip_power(
    tdp: Numeric,
    math_share: Numeric,
    memory_share: Numeric,
    math_power: Numeric,
    memory_power: Numeric,
    idle_power: Numeric,
) -> Numeric:
    """Mean power of a chip that is busy with arithmetic and with memory for given shares of the time.

    Parameters
    ----------
    tdp : float or array
        Board power limit. [W]
    math_share : float or array
        Share of the time that arithmetic binds. [1]
    memory_share : float or array
        Share of the time that memory binds. [1]
    math_power : float or array
        Share of the limit above idle drawn while arithmetic binds. [1]
    memory_power : float or array
        The same while memory binds. [1]
    idle_power : float or array
        Share of the limit drawn while waiting. [1]

    Returns
    -------
    float or array
        Power. [W]

    References
    ----------
    Hong and Kim 2010, ISCA, eq. 1 (an integrated GPU power model: idle plus dynamic parts).

    Examples
    --------
    >>> chip_power(700.0, 1.0, 0.0, 1.0, 0.6, 0.2)
    700.0
    """
    return tdp * (idle_power + (1 - idle_power) * (math_share * math_power + memory_share * memory_power))


@formula("(chip + host) * chips", unit="W", source="definition")
def system_power(chip: Numeric, host: Numeric, chips: Numeric) -> Numeric:
    """Power of a system.

    Parameters
    ----------
    chip : float or array
        Mean power of a chip. [W]
    host : float or array
        Processors, fans, network, per chip. [W]
    chips : float or array
        Chips. [chip]

    Returns
    -------
    float or array
        Power. [W]

    References
    ----------
    Definition.

    Examples
    --------
    >>> system_power(700.0, 300.0, 8)
    8000.0
    """
    return (chip + host) * chips


@formula("power * seconds * pue", unit="J", source="ISO/IEC 30134-2 (PUE)")
def facility_energy(power: Numeric, seconds: Numeric, pue: Numeric) -> Numeric:
    """Energy at the meter of the building.

    Parameters
    ----------
    power : float or array
        Power of the systems. [W]
    seconds : float or array
        Time. [s]
    pue : float or array
        Energy of the building over energy of the systems. [1]

    Returns
    -------
    float or array
        Energy. [J]

    References
    ----------
    ISO/IEC 30134-2.

    Examples
    --------
    >>> facility_energy(1000.0, 3600.0, 1.2)
    4320000.0
    """
    return power * seconds * pue


@formula("energy * intensity", unit="kg", source="definition")
def carbon(energy: Numeric, intensity: Numeric) -> Numeric:
    """Operational emissions.

    Parameters
    ----------
    energy : float or array
        Energy at the meter. [J]
    intensity : float or array
        Emissions of the grid. [kg/J]

    Returns
    -------
    float or array
        Mass of CO2 equivalent. [kg]

    References
    ----------
    Definition.

    Examples
    --------
    >>> carbon(3.6e6, 0.4 / 3.6e6)
    0.4
    """
    return energy * intensity
