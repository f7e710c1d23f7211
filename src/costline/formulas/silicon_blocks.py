"""Blocks of a chip: area of logic, memory and registers; peak rate and power of arrays of multipliers."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric


@formula("transistors / density", unit="m2", source="definition")
def logic_area(transistors: Numeric, density: Numeric) -> Numeric:
    """Area of logic.

    Parameters
    ----------
    transistors : float or array
        Transistors. [1]
    density : float or array
        Transistors of an area. [1/m2]

    Returns
    -------
    float or array
        Area. [m2]

    References
    ----------
    Definition.

    Examples
    --------
    >>> logic_area(1e9, 1e14)
    1e-05
    """
    return transistors / density


@formula("8 * capacity * cell / efficiency", unit="m2", source="definition")
def sram_area(capacity: Numeric, cell: Numeric, efficiency: Numeric) -> Numeric:
    """Area of on-chip memory.

    Parameters
    ----------
    capacity : float or array
        Size. [byte]
    cell : float or array
        Area of a bit cell. [m2]
    efficiency : float or array
        Area of the cells over area of the memory. [1]

    Returns
    -------
    float or array
        Area. [m2]

    References
    ----------
    Definition.

    Examples
    --------
    >>> round(sram_area(1e6, 2.5e-14, 0.5) * 1e6, 3)  # square millimetres
    0.4
    """
    return 8 * capacity * cell / efficiency


@formula("transistors * (bits / 52)**2", unit="1", source="LLMCompass, Zhang et al. 2024, ISCA, sec. III")
def multiplier_transistors(transistors: Numeric, bits: Numeric) -> Numeric:
    """Transistors of a floating-point unit; the multiplier grows as the square of its significand.

    Parameters
    ----------
    transistors : float or array
        Of a 64-bit unit, 52 bits of significand. [1]
    bits : float or array
        Significand: 23 for fp32, 10 for fp16. [bit]

    Returns
    -------
    float or array
        Transistors. [1]

    References
    ----------
    Zhang et al. 2024, ISCA, "LLMCompass", section III (area model).

    Examples
    --------
    >>> round(multiplier_transistors(685300, 10))
    25344
    """
    return transistors * (bits / 52) ** 2


@formula(
    "1e-12 * (3.29e4 - 1090 * registers - 883 * bits - 5550 * ports + 53.5 * registers * bits + 0.015 * registers**2"
    " + 0.0108 * bits**2 + 0.586 * ports**2 + 142 * registers * ports + 368 * bits * ports)",
    unit="m2",
    source="EMPIRE, as used by LLMCompass (Zhang et al. 2024, ISCA)",
)
def register_file_area(registers: Numeric, bits: Numeric, ports: Numeric) -> Numeric:
    """Area of a register file at 90 nm; a regression, for some hundred registers or more.

    Parameters
    ----------
    registers : float or array
        Registers. [1]
    bits : float or array
        Width. [bit]
    ports : float or array
        Ports for reading and writing. [1]

    Returns
    -------
    float or array
        Area at 90 nm. [m2]

    References
    ----------
    EMPIRE's regression in square micrometres, as used by LLMCompass (Zhang et al. 2024, ISCA).

    Examples
    --------
    >>> round(register_file_area(16384, 32, 4) * 1e6, 2)  # square millimetres
    23.55
    """
    cross = 53.5 * registers * bits + 142 * registers * ports + 368 * bits * ports
    squares = 0.015 * registers**2 + 0.0108 * bits**2 + 0.586 * ports**2
    return 1e-12 * (3.29e4 - 1090 * registers - 883 * bits - 5550 * ports + cross + squares)


@formula("2 * between / rate * area", unit="m2", source="definition")
def die_link_area(between: Numeric, rate: Numeric, area: Numeric) -> Numeric:
    """Area of the interfaces between the dies of a package, at both ends of every link.

    Parameters
    ----------
    between : float or array
        Traffic between dies, all links and both directions. [byte/s]
    rate : float or array
        What one interface carries, both directions. [byte/s]
    area : float or array
        Of one interface, sender and receiver. [m2]

    Returns
    -------
    float or array
        Area. [m2]

    References
    ----------
    Definition.

    Examples
    --------
    >>> round(die_link_area(10e12, 512e9, 0.811e-6) * 1e6, 1)  # square millimetres
    31.7
    """
    return 2 * between / rate * area


@formula("2 * multipliers * clock", unit="FLOP/s", source="definition: a multiply-add is 2 FLOP")
def peak_rate(multipliers: Numeric, clock: Numeric) -> Numeric:
    """Dense peak of arrays of multiply-add units.

    Parameters
    ----------
    multipliers : float or array
        Multiply-add units, one result a clock each. [1]
    clock : float or array
        Clock. [1/s]

    Returns
    -------
    float or array
        Rate. [FLOP/s]

    References
    ----------
    Definition.

    Examples
    --------
    >>> peak_rate(108 * 1024, 1410e6)
    311869440000000.0
    """
    return 2 * multipliers * clock


@formula(
    "(rate * operation + 8 * (bandwidth * memory + link * wire + between * bridge)) / (regulation * (1 - idle))",
    unit="W",
    source="energy of operations and bits, everything at its peak; Horowitz 2014, ISSCC",
)
def board_power(
    rate: Numeric, operation: Numeric, bandwidth: Numeric, memory: Numeric, link: Numeric, wire: Numeric,
    between: Numeric, bridge: Numeric, regulation: Numeric, idle: Numeric,
) -> Numeric:  # fmt: skip
    """Power limit that a chip needs to run arithmetic, memory and links at their peaks together.

    Parameters
    ----------
    rate : float or array
        Peak. [FLOP/s]
    operation : float or array
        Energy of a FLOP, operands supplied. [J/FLOP]
    bandwidth : float or array
        Memory bandwidth. [byte/s]
    memory : float or array
        Energy of a bit of memory traffic. [J/bit]
    link : float or array
        Bandwidth of the links, one direction. [byte/s]
    wire : float or array
        Energy of a bit on a link. [J/bit]
    between : float or array
        Traffic between the dies of a package, all links and directions. [byte/s]
    bridge : float or array
        Energy of a bit between dies. [J/bit]
    regulation : float or array
        Share of the board's power that reaches the chip. [1]
    idle : float or array
        Share of the limit drawn at rest. [1]

    Returns
    -------
    float or array
        Power. [W]

    References
    ----------
    Horowitz 2014, ISSCC, "Computing's energy problem" (energies of operations and of data movement).

    Examples
    --------
    >>> round(board_power(3e14, 5e-13, 2e12, 5e-12, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0), 3)
    230.0
    """
    moved = 8 * (bandwidth * memory + link * wire + between * bridge)
    return (rate * operation + moved) / (regulation * (1 - idle))
