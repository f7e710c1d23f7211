"""Training: FLOPs of a run, utilisation, time."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, ceil_divide, largest


@formula("6 * params * tokens", unit="FLOP", source="kaplan2020 arXiv:2001.08361 section 2.1")
def training_flops(params: Numeric, tokens: Numeric) -> Numeric:
    """FLOPs of training by the rule of thumb: 2 forward and 4 backward for each parameter and token.

    Parameters
    ----------
    params : float or array
        Parameters that a token uses; embeddings are left out or not by convention. [parameter]
    tokens : float or array
        Training tokens. [token]

    Returns
    -------
    float or array
        Work without attention scores. [FLOP]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361, section 2.1, table 1.

    Examples
    --------
    >>> training_flops(175e9, 300e9) / 1e23  # GPT-3: 3.14e23 in Brown et al. 2020, table D.1
    3.15...
    """
    return 6 * params * tokens


@formula("flops / (seconds * chips * peak)", unit="1", source="chowdhery2022 arXiv:2204.02311 appendix B")
def utilisation(flops: Numeric, seconds: Numeric, chips: Numeric, peak: Numeric) -> Numeric:
    """Share of the peak rate that was used: MFU with the model's FLOPs, HFU with recomputation included.

    Parameters
    ----------
    flops : float or array
        Work counted. [FLOP]
    seconds : float or array
        Time. [s]
    chips : float or array
        Chips. [chip]
    peak : float or array
        Dense peak rate of one. [FLOP/s]

    Returns
    -------
    float or array
        Utilisation. [1]

    References
    ----------
    Chowdhery et al. 2022, arXiv:2204.02311, appendix B.

    Examples
    --------
    >>> utilisation(1e15, 2.0, 1, 1e15)
    0.5
    """
    return flops / (seconds * chips * peak)


@formula(
    "flops / (chips * peak * utilisation)",
    unit="s",
    source="chowdhery2022 arXiv:2204.02311 appendix B, solved for the time",
)
def time_at_utilisation(flops: Numeric, chips: Numeric, peak: Numeric, utilisation: Numeric) -> Numeric:
    """Time of a job whose utilisation is given rather than derived.

    Parameters
    ----------
    flops : float or array
        Work. [FLOP]
    chips : float or array
        Chips. [chip]
    peak : float or array
        Dense peak rate of one. [FLOP/s]
    utilisation : float or array
        Share of the peak. [1]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Chowdhery et al. 2022, arXiv:2204.02311, appendix B.

    Examples
    --------
    >>> time_at_utilisation(4.8e25, 25_000, 312e12, 0.4) / 86400  # the article's GPT-4: 178 days
    178.06...
    """
    return flops / (chips * peak * utilisation)


@formula(
    "max(ceil(sequences / (replicas * micro_batch) - 1e-9), 1)",
    unit="1",
    source="narayanan2021 arXiv:2104.04473 section 3.1, rounded up for the fullest replica",
)
def micro_batches(sequences: Numeric, replicas: Numeric, micro_batch: Numeric) -> Numeric:
    """Micro-batches of the fullest replica in an optimizer step; the others wait for it.

    Parameters
    ----------
    sequences : float or array
        Global batch. [sequence]
    replicas : float or array
        Data-parallel replicas. [1]
    micro_batch : float or array
        Sequences of a micro-batch. [sequence]

    Returns
    -------
    float or array
        Whole micro-batches, at least one. [1]

    Notes
    -----
    A billionth of a micro-batch is what rounding leaves of a division that comes out even.

    References
    ----------
    Narayanan et al. 2021, arXiv:2104.04473, section 3.1: m = B / (d b) micro-batches in a batch per pipeline.

    Examples
    --------
    >>> micro_batches(66, 64, 1)
    2.0
    """
    return largest(ceil_divide(sequences / (replicas * micro_batch) - 1e-9, 1), 1.0)


@formula(
    "2 * linear + 2.5 * attention + 2 * convolution",
    unit="FLOP",
    source="dao2022 arXiv:2205.14135 section 3.1; dao2023 arXiv:2307.08691 section 3.2",
)
def backward_flops(linear: Numeric, attention: Numeric, convolution: Numeric) -> Numeric:
    """FLOPs a fused implementation executes in the backward pass.

    Parameters
    ----------
    linear : float or array
        Forward FLOPs of matrix products. [FLOP]
    attention : float or array
        Forward FLOPs of attention. [FLOP]
    convolution : float or array
        Forward FLOPs of convolutions. [FLOP]

    Returns
    -------
    float or array
        Work, hardware convention. [FLOP]

    Notes
    -----
    The model convention (MFU) counts attention backward twice, not 2.5 times.

    References
    ----------
    Dao 2023, arXiv:2307.08691, section 3.2: five matrix products backward against two forward, as scores are
    recomputed.

    Examples
    --------
    >>> backward_flops(1.0, 2.0, 0.0)
    7.0
    """
    return 2 * linear + 2.5 * attention + 2 * convolution


@formula("full * block + selective * attention", unit="FLOP", source="korthikanti2022 arXiv:2205.05198 section 5")
def recompute_flops(block: Numeric, attention: Numeric, full: Numeric, selective: Numeric) -> Numeric:
    """FLOPs of recomputing activations before the backward pass.

    Parameters
    ----------
    block : float or array
        Forward FLOPs of the repeated blocks. [FLOP]
    attention : float or array
        Forward FLOPs of attention scores. [FLOP]
    full : float or array
        1 if blocks are recomputed whole, else 0. [1]
    selective : float or array
        1 if only attention is recomputed and not by the attention kernel itself, else 0. [1]

    Returns
    -------
    float or array
        Work. [FLOP]

    References
    ----------
    Korthikanti et al. 2022, arXiv:2205.05198, section 5, eq. 7 to 9.

    Examples
    --------
    >>> recompute_flops(10.0, 2.0, 1, 0)
    10.0
    """
    return full * block + selective * attention


@formula(
    "1 + tokens / (hidden * (6 + 6 * causal))",
    unit="1",
    source="kaplan2020 arXiv:2001.08361 table 1, with 12 layers hidden^2 parameters",
)
def long_context_factor(tokens: Numeric, hidden: Numeric, causal: Numeric) -> Numeric:
    """FLOPs with attention scores over FLOPs without, for a transformer of 12 L d^2 parameters.

    Parameters
    ----------
    tokens : float or array
        Sequence length. [token]
    hidden : float or array
        Width of the model. [feature]
    causal : float or array
        1 if a query sees only keys before it, 0 if all. [1]

    Returns
    -------
    float or array
        Ratio. [1]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361, table 1: 4 L T^2 d of scores against 24 L d^2 T of products.

    Examples
    --------
    >>> long_context_factor(1_000_000, 6144, 1)  # the article's factor of 15 needs a causal mask
    14.56...
    >>> long_context_factor(1_000_000, 6144, 0)
    28.12...
    """
    return 1 + tokens / (hidden * (6 + 6 * causal))
