"""The roofline: how long a kernel takes when arithmetic and memory traffic overlap perfectly, or not at all."""

from __future__ import annotations

import numpy as np

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest


@formula("flops / (peak * efficiency)", unit="s", source="Williams et al. 2009, CACM 52(4), fig. 1")
def math_time(flops: Numeric, peak: Numeric, efficiency: Numeric) -> Numeric:
    """Time the arithmetic takes.

    Parameters
    ----------
    flops : float or array
        Work. [FLOP]
    peak : float or array
        Dense peak rate of the number format. [FLOP/s]
    efficiency : float or array
        Share of the peak that this kind of kernel reaches. [1]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4), fig. 1.

    Examples
    --------
    >>> math_time(1e12, 1e12, 0.5)
    2.0
    """
    return flops * (1 / (peak * efficiency))  # one division of numbers, none of arrays


@formula("traffic / (bandwidth * efficiency)", unit="s", source="Williams et al. 2009, CACM 52(4), fig. 1")
def memory_time(traffic: Numeric, bandwidth: Numeric, efficiency: Numeric) -> Numeric:
    """Time the memory traffic takes.

    Parameters
    ----------
    traffic : float or array
        Bytes read and written. [byte]
    bandwidth : float or array
        Peak memory bandwidth. [byte/s]
    efficiency : float or array
        Share of it that streaming kernels reach. [1]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4), fig. 1.

    Examples
    --------
    >>> memory_time(1e12, 2e12, 1.0)
    0.5
    """
    return traffic * (1 / (bandwidth * efficiency))


@formula(
    "max(math, memory) + exposed * min(math, memory) + overhead",
    unit="s",
    source="Williams et al. 2009; imperfect overlap and launch cost added",
)
def kernel_time(math: Numeric, memory: Numeric, overhead: Numeric, exposed: Numeric = 0.0) -> Numeric:
    """Time of one kernel: arithmetic hides most memory traffic or the other way round, launching hides neither.

    Parameters
    ----------
    math, memory, overhead : float or array
        Time of the arithmetic, of the memory traffic, and fixed cost. [s]
    exposed : float or array
        Part of the shorter of the first two that does not hide behind the longer: prologues, epilogues, tails. [1]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4).

    Examples
    --------
    >>> kernel_time(3.0, 2.0, 0.5), kernel_time(3.0, 2.0, 0.5, 0.25)
    (3.5, 4.0)
    """
    return largest(math, memory) + exposed * smallest(math, memory) + overhead


@formula("size / (size + half)", unit="1", source="Hockney & Jesshope 1981, Parallel Computers (n_1/2)")
def size_share(size: Numeric, half: Numeric) -> Numeric:
    """Share of its best rate that work of a finite size reaches: half of it at the half-performance length.

    Parameters
    ----------
    size : float or array
        Length of one dimension of the work. [1]
    half : float or array
        Half-performance length. [1]

    Returns
    -------
    float or array
        Share. [1]

    References
    ----------
    Hockney, Jesshope 1981, Parallel Computers, section 1.3 (the parameter n_1/2).

    Examples
    --------
    >>> size_share(300.0, 100.0)
    0.75
    """
    return size / (size + half)


@formula(
    "min(1, watts / (energy * peak))", unit="1", source="definition: a board draws what its limit allows, and no more"
)
def power_share(watts: Numeric, energy: Numeric, peak: Numeric) -> Numeric:
    """Share of the peak rate that the power limit of a board sustains in products that keep its tensor units busy.

    Parameters
    ----------
    watts : float or array
        Board power limit. [W]
    energy : float or array
        Energy of one operation of such products, the rest of the board included. [J/FLOP]
    peak : float or array
        Dense peak rate of the format the energy is of. [FLOP/s]

    Returns
    -------
    float or array
        Share. [1]

    References
    ----------
    Definition of power as energy over time.

    Examples
    --------
    >>> power_share(350.0, 1e-12, 700e12), power_share(700.0, 1e-12, 700e12)
    (0.5, 1)
    """
    return smallest(1, watts / (energy * peak))


@formula("exp(-progress * years)", unit="1", source="definition: the same relative gain every year")
def aged(progress: Numeric, years: Numeric) -> Numeric:
    """Time of kernels of software released some years after the reference, over that of the reference.

    Parameters
    ----------
    progress : float or array
        Relative gain of speed in a year. [1/year]
    years : float or array
        Years after the reference, negative before it. [year]

    Returns
    -------
    float or array
        Factor. [1]

    References
    ----------
    Definition of a constant rate of progress.

    Examples
    --------
    >>> aged(0.5, 0.0), aged(0.0, -3.0)
    (1.0, 1.0)
    """
    factor = np.exp(-progress * years)
    return factor if isinstance(factor, np.ndarray) else float(factor)


@formula("flops / traffic", unit="FLOP/byte", source="Williams et al. 2009, CACM 52(4)")
def arithmetic_intensity(flops: Numeric, traffic: Numeric) -> Numeric:
    """Work done for each byte moved.

    Parameters
    ----------
    flops : float or array
        Work. [FLOP]
    traffic : float or array
        Bytes read and written. [byte]

    Returns
    -------
    float or array
        Arithmetic intensity. [FLOP/byte]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4) ("operational intensity").

    Examples
    --------
    >>> arithmetic_intensity(200.0, 100.0)
    2.0
    """
    return flops / traffic


@formula("peak / bandwidth", unit="FLOP/byte", source="Williams et al. 2009, CACM 52(4)")
def ridge_point(peak: Numeric, bandwidth: Numeric) -> Numeric:
    """Arithmetic intensity above which a chip is bound by arithmetic.

    Parameters
    ----------
    peak : float or array
        Peak rate. [FLOP/s]
    bandwidth : float or array
        Peak memory bandwidth. [byte/s]

    Returns
    -------
    float or array
        Ridge point. [FLOP/byte]

    References
    ----------
    Williams, Waterman, Patterson 2009, Communications of the ACM 52(4).

    Examples
    --------
    >>> ridge_point(1e15, 2e12)
    500.0
    """
    return peak / bandwidth


@formula("max(math, memory, network)", unit="s", source="Austin et al. 2025, How To Scale Your Model, ch. 1")
def lower_bound(math: Numeric, memory: Numeric, network: Numeric) -> Numeric:
    """Least possible time: everything overlaps.

    Parameters
    ----------
    math, memory, network : float or array
        Time each resource is busy. [s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Austin et al. 2025, How To Scale Your Model, chapter "All About Rooflines" (T_lower).

    Examples
    --------
    >>> lower_bound(3.0, 2.0, 1.0)
    3.0
    """
    return largest(math, memory, network)


@formula("math + memory + network + overhead", unit="s", source="Austin et al. 2025, How To Scale Your Model, ch. 1")
def upper_bound(math: Numeric, memory: Numeric, network: Numeric, overhead: Numeric) -> Numeric:
    """Time if nothing overlaps.

    Parameters
    ----------
    math, memory, network, overhead : float or array
        Time each resource is busy, and fixed costs. [s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Austin et al. 2025, How To Scale Your Model, chapter "All About Rooflines" (T_upper).

    Examples
    --------
    >>> upper_bound(3.0, 2.0, 1.0, 0.5)
    6.5
    """
    return math + memory + (network + overhead)
