"""Chips that hold a model in on-chip memory: a pipeline through hundreds of them."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, smallest


@formula("ceil(weights / capacity)", unit="chip", source="definition")
def chips_to_hold(weights: Numeric, capacity: Numeric) -> Numeric:
    """Chips whose memories together hold a model.

    Parameters
    ----------
    weights : float or array
        The model. [byte]
    capacity : float or array
        Memory of a chip that the model may use. [byte]

    Returns
    -------
    float or array
        Chips. [chip]

    References
    ----------
    Definition.

    Examples
    --------
    >>> chips_to_hold(140e9, 80e9)
    2.0
    """
    return -(-weights // capacity)


@formula("max((chips * capacity - weights) / cache, 0)", unit="sequence", source="definition")
def sequences_in_flight(chips: Numeric, capacity: Numeric, weights: Numeric, cache: Numeric) -> Numeric:
    """Sequences whose caches fit beside a model that is spread over chips.

    Parameters
    ----------
    chips : float or array
        Chips. [chip]
    capacity : float or array
        Memory of a chip that the model may use. [byte]
    weights : float or array
        The model. [byte]
    cache : float or array
        Keys and values of a sequence. [byte]

    Returns
    -------
    float or array
        Sequences. [sequence]

    References
    ----------
    Definition.

    Examples
    --------
    >>> sequences_in_flight(1000, 0.25e9, 150e9, 0.5e9)
    200.0
    """
    room = (chips * capacity - weights) / cache
    return (room > 0) * room


@formula("busy + (chips - 1) * hop", unit="s", source="a token visits the chips of a pipeline one after the other")
def pipeline_latency(busy: Numeric, chips: Numeric, hop: Numeric) -> Numeric:
    """Time of a token through a pipeline of chips that split a model evenly.

    Parameters
    ----------
    busy : float or array
        Time of the whole model on one chip. [s]
    chips : float or array
        Chips of the pipeline. [chip]
    hop : float or array
        Time from a chip to the next. [s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Definition: splitting evenly does not shorten the path of one token.

    Examples
    --------
    >>> pipeline_latency(2.0, 11, 0.1)
    3.0
    """
    return busy + (chips - 1) * hop


@formula("min(sequences / latency, chips / busy)", unit="1/s", source="Little's law; a stage does one thing at a time")
def pipeline_rate(sequences: Numeric, latency: Numeric, chips: Numeric, busy: Numeric) -> Numeric:
    """Sequences a second through a pipeline: limited by those in flight, or by its busiest stage.

    Parameters
    ----------
    sequences : float or array
        Sequences in flight. [sequence]
    latency : float or array
        Time of a sequence. [s]
    chips : float or array
        Chips of the pipeline. [chip]
    busy : float or array
        Time of a sequence on one chip that had the whole model. [s]

    Returns
    -------
    float or array
        Rate. [1/s]

    References
    ----------
    Little 1961, Operations Research 9(3).

    Examples
    --------
    >>> pipeline_rate(100, 2.0, 1000, 1.0)
    50.0
    """
    return smallest(sequences / latency, chips / busy)
