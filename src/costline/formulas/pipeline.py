"""Pipeline parallelism: the bubble, and how many micro-batches a stage keeps."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest


@formula("(stages - 1 + (virtual - 1) * max(stages - micro_batches, 0)) / (virtual * micro_batches)", unit="1",
         source="narayanan2021 arXiv:2104.04473 section 2.2.2; played for fewer micro-batches than stages")  # fmt: skip
def bubble_fraction(stages: Numeric, virtual: Numeric, micro_batches: Numeric) -> Numeric:
    """Idle time of a 1F1B pipeline relative to its busy time.

    A micro-batch returns to the first stage for its next chunk after as many chunks of time as there are stages; fewer
    micro-batches than stages leave that stage idle until then, once for every chunk but the last.

    Parameters
    ----------
    stages : float or array
        Pipeline stages. [stage]
    virtual : float or array
        Model chunks a stage holds; above 1 the schedule is interleaved. [chunk]
    micro_batches : float or array
        Micro-batches of one step and one replica. [micro-batch]

    Returns
    -------
    float or array
        Idle over busy. [1]

    References
    ----------
    Narayanan et al. 2021, arXiv:2104.04473, section 2.2.2, for micro-batches that fill the stages.

    Examples
    --------
    >>> bubble_fraction(4, 1, 12), bubble_fraction(2, 8, 1)
    (0.25, 1.0)
    """
    waited = (virtual - 1) * largest(stages - micro_batches, 0)
    return (stages - 1 + waited) / (virtual * micro_batches)


@formula("min(stages * (1 + where(virtual > 1, (stages - 1) / (stages * virtual), 0)), micro_batches)",
         unit="micro-batch",
         source="korthikanti2022 arXiv:2205.05198 section 4.2.3")  # fmt: skip
def kept_micro_batches(stages: Numeric, virtual: Numeric, micro_batches: Numeric) -> Numeric:
    """Micro-batches whose activations the first stage holds at the fullest moment of 1F1B.

    Parameters
    ----------
    stages : float or array
        Pipeline stages. [stage]
    virtual : float or array
        Model chunks a stage holds. [chunk]
    micro_batches : float or array
        Micro-batches of one step and one replica. [micro-batch]

    Returns
    -------
    float or array
        In micro-batches of the whole stage. [micro-batch]

    References
    ----------
    Korthikanti et al. 2022, arXiv:2205.05198, section 4.2.3 (L/p layers of p micro-batches; interleaving holds
    1 + (p - 1) / (p m) times as much).

    Examples
    --------
    >>> kept_micro_batches(4, 1, 12)
    4.0
    """
    extra = (virtual > 1) * (stages - 1) / (stages * virtual)
    return smallest(stages * (1 + extra), micro_batches)


@formula("spacing + (1 - spacing) / chunks", unit="1", source="huang2019 arXiv:1811.06965 section 2.3")
def pipelined_share(spacing: Numeric, chunks: Numeric) -> Numeric:
    """Time that stages take for chunks they pass on, over the time that one chip takes for all of it.

    Parameters
    ----------
    spacing : float or array
        Time after which a chunk is followed by the next, over the time it takes to pass all stages: the share of the
        fullest stage, and at least one over the chunks that may be in flight. [1]
    chunks : float or array
        Equal parts of the work that follow each other. [chunk]

    Returns
    -------
    float or array
        Share: 1 for one chunk, `spacing` for many. [1]

    References
    ----------
    Huang et al. 2019, arXiv:1811.06965, section 2.3 (GPipe): equal stages have a bubble of (K - 1) / (M + K - 1).

    Examples
    --------
    >>> pipelined_share(1 / 4, 1), pipelined_share(1 / 4, 9)
    (1.0, 0.3333333333333333)
    """
    return spacing + (1 - spacing) / chunks


@formula("(stages * fullest - layers) / 2", unit="layer", source="llama3 arXiv:2407.21783 section 3.3.2")
def spared_layers(layers: Numeric, stages: Numeric, fullest: Numeric) -> Numeric:
    """Layers that the last stage has fewer than the fullest one.

    Parameters
    ----------
    layers : float or array
        Layers of the network. [layer]
    stages : float or array
        Pipeline stages. [stage]
    fullest : float or array
        Layers of the fullest stage. [layer]

    Returns
    -------
    float or array
        Half of the empty places: the first stage, which holds the embedding, has the other half. [layer]

    References
    ----------
    Grattafiori et al. 2024, arXiv:2407.21783, section 3.3.2: one layer fewer in the first and in the last stage, so
    that 126 layers fill 16 stages of 8.

    Examples
    --------
    >>> spared_layers(126, 16, 8)
    1.0
    """
    return (stages * fullest - layers) / 2
