"""What failures and checkpoints take from a long run."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric


@formula("per_chip * chips", unit="1/s", source="definition: independent failures")
def failure_rate(per_chip: Numeric, chips: Numeric) -> Numeric:
    """Interruptions of a job per second.

    Parameters
    ----------
    per_chip : float or array
        Interruptions a chip and second. [1/s]
    chips : float or array
        Chips in the job. [chip]

    Returns
    -------
    float or array
        Rate. [1/s]

    References
    ----------
    Llama team 2024, arXiv:2407.21783, section 3.3.4 (419 unexpected interruptions in 54 days on 16,384 chips).

    Examples
    --------
    >>> failure_rate(0.5, 4)
    2.0
    """
    return per_chip * chips


@formula("sqrt(2 * cost / rate)", unit="s", source="young1974 CACM 17(9) eq. 7; daly2006")
def checkpoint_interval(cost: Numeric, rate: Numeric) -> Numeric:
    """Interval between checkpoints that loses least time.

    Parameters
    ----------
    cost : float or array
        Time the job stands still for one checkpoint. [s]
    rate : float or array
        Interruptions a second. [1/s]

    Returns
    -------
    float or array
        Interval. [s]

    References
    ----------
    Young 1974, Communications of the ACM 17(9), first-order optimum.

    Examples
    --------
    >>> checkpoint_interval(2.0, 1e-4)
    200.0
    """
    return (2 * cost / rate) ** 0.5


@formula(
    "1 / (1 + cost / interval + rate * (restart + interval / 2))",
    unit="1",
    source="young1974 CACM 17(9); daly2006 FGCS 22(3) eq. 13 to first order",
)
def goodput(interval: Numeric, cost: Numeric, rate: Numeric, restart: Numeric) -> Numeric:
    """Share of the wall time that makes progress.

    Parameters
    ----------
    interval : float or array
        Time between checkpoints. [s]
    cost : float or array
        Time the job stands still for one checkpoint. [s]
    rate : float or array
        Interruptions a second. [1/s]
    restart : float or array
        Time from an interruption to training again. [s]

    Returns
    -------
    float or array
        Share. [1]

    References
    ----------
    Young 1974, Communications of the ACM 17(9): overhead of writing, restarting and repeating half an interval.

    Examples
    --------
    >>> goodput(100.0, 0.0, 0.0, 0.0)
    1.0
    """
    return 1 / (1 + cost / interval + rate * (restart + interval / 2))
