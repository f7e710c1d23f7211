"""Processing in memory: what banks read inside, under a power limit, and what moving kernels there gains."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest


@formula("blocks * width / 8 * clock", unit="byte/s", source="definition")
def bank_bandwidth(blocks: Numeric, width: Numeric, clock: Numeric) -> Numeric:
    """Bandwidth of compute blocks that each read a column of a bank every clock.

    Parameters
    ----------
    blocks : float or array
        Blocks. [1]
    width : float or array
        Column width. [bit]
    clock : float or array
        Clock of the blocks. [1/s]

    Returns
    -------
    float or array
        Bandwidth inside the memory. [byte/s]

    References
    ----------
    Definition.

    Examples
    --------
    >>> round(bank_bandwidth(128, 256, 300e6) / 1e12, 2)
    1.23
    """
    return blocks * width / 8 * clock


@formula("min(banks, outside / (inside + arithmetic))", unit="1", source="Park et al. 2024, ASPLOS (AttAcc), sec. 5")
def power_limited_gain(banks: Numeric, outside: Numeric, inside: Numeric, arithmetic: Numeric) -> Numeric:
    """Gain in bandwidth of reading inside a memory, at the power that reading all of it from outside takes.

    Parameters
    ----------
    banks : float or array
        Bandwidth of all banks together over that of the interface. [1]
    outside : float or array
        Energy of a bit read through the interface. [J/bit]
    inside : float or array
        Energy of a bit read inside. [J/bit]
    arithmetic : float or array
        Energy of the arithmetic on a bit. [J/bit]

    Returns
    -------
    float or array
        Gain. [1]

    References
    ----------
    Park et al. 2024, ASPLOS, "AttAcc": a power limit cuts 16 times to 9 times.

    Examples
    --------
    >>> power_limited_gain(16, 4.0, 0.4, 0.1)
    8.0
    """
    return smallest(banks, outside / (inside + arithmetic))


@formula("max(flops / rate, traffic / (bandwidth * efficiency))", unit="s", source="roofline inside the memory")
def in_memory_time(flops: Numeric, rate: Numeric, traffic: Numeric, bandwidth: Numeric, efficiency: Numeric) -> Numeric:
    """Time of a kernel computed in memory.

    Parameters
    ----------
    flops : float or array
        Work. [FLOP]
    rate : float or array
        Peak of the compute blocks. [FLOP/s]
    traffic : float or array
        Bytes read. [byte]
    bandwidth : float or array
        Bandwidth inside the memory. [byte/s]
    efficiency : float or array
        Share of it that is reached. [1]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4), applied to the banks.

    Examples
    --------
    >>> in_memory_time(1e12, 1e12, 1e12, 4e12, 1.0)
    1.0
    """
    return largest(flops / rate, traffic / (bandwidth * efficiency))


@formula("1 / (1 - moved + moved / gain)", unit="1", source="Amdahl 1967, AFIPS")
def amdahl_speedup(moved: Numeric, gain: Numeric) -> Numeric:
    """Speed-up of the whole when a share of its time becomes faster.

    Parameters
    ----------
    moved : float or array
        Share of the time, at most 1. [1]
    gain : float or array
        How much faster that share becomes. [1]

    Returns
    -------
    float or array
        Speed-up. [1]

    References
    ----------
    Amdahl 1967, AFIPS Spring Joint Computer Conference.

    Examples
    --------
    >>> amdahl_speedup(0.5, 4.0)
    1.6
    """
    return 1 / (1 - moved + moved / gain)


@formula(
    "columns * cycle / (columns * cycle + activate + precharge) * (1 - refresh / interval)",
    unit="1",
    source="DRAM timing: a row is opened, read through and closed; refresh stops everything",
)
def row_efficiency(
    columns: Numeric, cycle: Numeric, activate: Numeric, precharge: Numeric, refresh: Numeric, interval: Numeric
) -> Numeric:
    """Share of the bandwidth inside a memory that is left when every bank reads row after row.

    Parameters
    ----------
    columns : float or array
        Columns of a row that compute blocks read. [1]
    cycle : float or array
        Time of a column. [s]
    activate, precharge : float or array
        Time to open and to close a row (tRCD, tRP). [s]
    refresh, interval : float or array
        Time of a refresh, and from one to the next (tRFC, tREFI). [s]

    Returns
    -------
    float or array
        Share. [1]

    References
    ----------
    JEDEC JESD235 (HBM), timing parameters.

    Examples
    --------
    >>> round(row_efficiency(32, 1 / 300e6, 14e-9, 14e-9, 260e-9, 3900e-9), 3)  # HBM-PIM: rows of 1 KB at 300 MHz
    0.739
    """
    open_for = columns * cycle
    return open_for / (open_for + activate + precharge) * (1 - refresh / interval)
