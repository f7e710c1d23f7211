"""Collective messages: bytes a chip sends, and the time that takes.

All are bandwidth-optimal (ring or switch); `size` is the group, `message` the full tensor one chip contributes or ends
up with. Latency is counted for the steps of a tree, as libraries switch to trees when messages are small.
"""

from __future__ import annotations

import math

import numpy as np

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest

NEARLY_ONE = 1 - 2**-53
"""Largest number below 1, of whose complement there is a logarithm."""

_SOURCE = "Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), section 4"


@formula("2 * message * (size - 1) / size", unit="byte", source=_SOURCE)
def all_reduce_bytes(message: Numeric, size: Numeric) -> Numeric:
    """Bytes each chip sends to sum a tensor over a group and give everyone the sum.

    Parameters
    ----------
    message : float or array
        Size of the tensor. [byte]
    size : float or array
        Chips in the group. [chip]

    Returns
    -------
    float or array
        Sent by each chip. [byte]

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), section 4.5.

    Examples
    --------
    >>> all_reduce_bytes(8.0, 4)
    12.0
    """
    return message * (2 * (size - 1) / size)


@formula("message * (size - 1) / size", unit="byte", source=_SOURCE)
def all_gather_bytes(message: Numeric, size: Numeric) -> Numeric:
    """Bytes each chip sends so that everyone ends up with the whole tensor (or, reversed, its reduced share).

    Parameters
    ----------
    message : float or array
        Size of the whole tensor. [byte]
    size : float or array
        Chips in the group. [chip]

    Returns
    -------
    float or array
        Sent by each chip; a reduce-scatter costs the same. [byte]

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), sections 4.1 and 4.2.

    Examples
    --------
    >>> all_gather_bytes(8.0, 4)
    6.0
    """
    return message * ((size - 1) / size)


@formula("message * (size - 1) / size", unit="byte", source=_SOURCE)
def all_to_all_bytes(message: Numeric, size: Numeric) -> Numeric:
    """Bytes each chip sends when it gives every other chip its share of a tensor.

    Parameters
    ----------
    message : float or array
        Tensor one chip holds. [byte]
    size : float or array
        Chips in the group. [chip]

    Returns
    -------
    float or array
        Sent by each chip. [byte]

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), section 4.3; Jacobs et al. 2023, arXiv:2309.14509, section 3.2
    (Ulysses).

    Examples
    --------
    >>> all_to_all_bytes(8.0, 4)
    6.0
    """
    return message * ((size - 1) / size)


@formula(
    "-ranks * expm1(active * log1p(-min(1 / ranks, 1 - 2**-53)))", unit="rank",
    source="occupied cells of Feller 1968, section II.5; DeepEP sends a token once to each rank",
)  # fmt: skip
def ranks_visited(active: Numeric, ranks: Numeric) -> Numeric:
    r"""Ranks that a token is sent to, where its experts are spread over them at random.

    .. math:: R (1 - (1 - 1/R)^k)

    A rank that holds several of the token's experts receives it once, and returns one sum.

    Parameters
    ----------
    active : float or array
        Experts a token visits. [1]
    ranks : float or array
        Ranks the experts are divided over. [rank]

    Returns
    -------
    float or array
        Mean number of ranks. [rank]

    References
    ----------
    Feller 1968, An Introduction to Probability Theory, volume 1, section II.5; DeepEP (deepseek-ai/DeepEP README:
    dispatch and combine by rank).

    Examples
    --------
    >>> [round(float(ranks_visited(*sizes)), 2) for sizes in ((8, 1), (1, 64), (8, 8))]
    [1.0, 1.0, 5.25]
    """
    passed_by = np.log1p(-smallest(1 / ranks, NEARLY_ONE))  # logarithms, as 1 - (1 - x)^n loses the digits of a small x
    return -ranks * np.expm1(active * passed_by)


@formula("ranks_visited(active, ranks) * (ranks - 1) / ranks", unit="rank",
         source="Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), section 4.3")  # fmt: skip
def others_visited(active: Numeric, ranks: Numeric) -> Numeric:
    """Ranks but its own that a token is sent to, where its experts are spread over them at random.

    Parameters
    ----------
    active : float or array
        Experts a token visits. [1]
    ranks : float or array
        Ranks, or domains of ranks, that the experts are divided over. [rank]

    Returns
    -------
    float or array
        Mean number of others. [rank]

    References
    ----------
    Thakur, Rabenseifner, Gropp 2005, IJHPCA 19(1), section 4.3; DeepEP (deepseek-ai/DeepEP README: over the network a
    token goes once to each node, from there to the chips).

    Examples
    --------
    >>> [round(float(others_visited(*sizes)), 2) for sizes in ((8, 1), (8, 8), (8, 64))]
    [0.0, 4.59, 7.46]
    """
    return ranks_visited(active, ranks) * (ranks - 1) / ranks


@formula("message * (size - 1)", unit="byte", source="Liu et al. 2023, arXiv:2310.01889, section 3")
def ring_bytes(message: Numeric, size: Numeric) -> Numeric:
    """Bytes each chip sends when its keys and values travel once round the ring.

    Parameters
    ----------
    message : float or array
        Keys and values one chip holds. [byte]
    size : float or array
        Chips in the ring. [chip]

    Returns
    -------
    float or array
        Sent by each chip. [byte]

    References
    ----------
    Liu, Zaharia, Abbeel 2023, arXiv:2310.01889, section 3.

    Examples
    --------
    >>> ring_bytes(8.0, 4)
    24.0
    """
    return message * (size - 1)


@formula("sent / (bandwidth * efficiency) + messages * latency * ceil(log2(size))", unit="s",
         source="Hockney 1994, Parallel Computing 20(3); tree depth for the latency")  # fmt: skip
def message_time(
    sent: Numeric, bandwidth: Numeric, efficiency: Numeric, messages: Numeric, latency: Numeric, size: Numeric
) -> Numeric:
    r"""Time to send `sent` bytes in a number of collective calls.

    .. math:: T = s / (B e) + n \ell \lceil \log_2 g \rceil

    Parameters
    ----------
    sent : float or array
        Bytes each chip sends, all calls together. [byte]
    bandwidth : float or array
        Link bandwidth of a chip in one direction. [byte/s]
    efficiency : float or array
        Share of it that collectives reach. [1]
    messages : float or array
        Calls. [call]
    latency : float or array
        Latency of one hop. [s]
    size : float or array
        Chips in the group; 1 takes no hop. [chip]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Hockney 1994, Parallel Computing 20(3), eq. 1.

    Examples
    --------
    >>> message_time(1e9, 1e9, 0.5, 2, 0.25, 4)
    3.0
    """
    hops: Numeric = np.ceil(np.log2(size)) if isinstance(size, np.ndarray) else math.ceil(math.log2(size))
    return sent / (bandwidth * efficiency) + messages * (latency * hops)


@formula(
    "min(link, bridge / crossing)", unit="byte/s", source="bisection of a host whose pairs of slots share a bridge"
)
def shared_bandwidth(link: Numeric, bridge: Numeric, crossing: Numeric) -> Numeric:
    """Bandwidth of a chip whose messages leave its pair of slots over a bridge that the whole host shares.

    Parameters
    ----------
    link : float or array
        Bandwidth of the chip's own link in one direction. [byte/s]
    bridge : float or array
        Bandwidth of the bridge in one direction. [byte/s]
    crossing : float or array
        Bytes on the bridge for each byte a chip sends; 0 inside a pair. [1]

    Returns
    -------
    float or array
        Bandwidth of one chip. [byte/s]

    References
    ----------
    Dally & Towles 2004, Principles and Practices of Interconnection Networks, section 3.3 (channel load).

    Examples
    --------
    >>> shared_bandwidth(2e10, 1e10, 4.0), shared_bandwidth(2e10, 1e10, 0.0)
    (2500000000.0, 20000000000.0)
    """
    return link / largest(1.0, link * crossing / bridge)


@formula(
    "size * max(size - 2, 0) / max(size - 1, 1)", unit="1", source="Dally & Towles 2004, section 3.3 (channel load)"
)
def all_to_all_crossing(size: Numeric) -> Numeric:
    """Bytes of an all-to-all on the bridge of a host for each byte a chip sends: all but those to its neighbour.

    Parameters
    ----------
    size : float or array
        Chips in the group; 2 share a pair of slots. [chip]

    Returns
    -------
    float or array
        Bytes over bytes. [1]

    References
    ----------
    Dally & Towles 2004, Principles and Practices of Interconnection Networks, section 3.3 (channel load).

    Examples
    --------
    >>> all_to_all_crossing(2.0), all_to_all_crossing(3.0)
    (0.0, 1.5)
    """
    return size * largest(size - 2, 0) / largest(size - 1, 1)
