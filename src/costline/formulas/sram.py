"""Chips that hold a model in on-chip memory: hundreds of them, each layer split over those that hold it."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest


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


@formula(
    "2 * layers * (hops * hop + 2 * message / link)", unit="s", source="Shoeybi et al. 2019, arXiv:1909.08053, sec. 3"
)
def exchange_time(layers: Numeric, hops: Numeric, hop: Numeric, message: Numeric, link: Numeric) -> Numeric:
    """Time that the chips of all layers need to exchange what they computed of them.

    Two all-reduces a layer, after attention and after the feed-forward network, each a reduce-scatter and an
    all-gather.

    Parameters
    ----------
    layers : float or array
        Layers whose matrices are split over several chips. [1]
    hops : float or array
        Hops of an all-reduce: two between chips that are all connected, three through a dragonfly of such groups. [1]
    hop : float or array
        Time from a chip to the next. [s]
    message : float or array
        Activations of the tokens that are processed together. [byte]
    link : float or array
        Links of a chip, one direction. [byte/s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Shoeybi et al. 2019, arXiv:1909.08053, section 3 (two all-reduces a layer); Abts et al. 2022, ISCA, p. 577 (three
    hops).

    Examples
    --------
    >>> round(exchange_time(80, 2, 1e-6, 0.0, 1e11), 9)
    0.00032
    """
    return 2 * layers * (hops * hop + 2 * message / link)


@formula(
    "busy / max(chips / layers, 1) + exchange + min(chips, layers) * hop",
    unit="s",
    source="a token visits the layers one after the other, each on the chips that hold it",
)
def pipeline_latency(busy: Numeric, chips: Numeric, layers: Numeric, exchange: Numeric, hop: Numeric) -> Numeric:
    """Time of a token through chips that split a model evenly.

    A layer that is spread over several chips is computed by all of them at once; several layers on one chip follow
    each other.

    Parameters
    ----------
    busy : float or array
        Time of the whole model on one chip. [s]
    chips : float or array
        Chips together. [chip]
    layers : float or array
        Layers of the model. [1]
    exchange : float or array
        Time to exchange what the chips of a layer computed. [s]
    hop : float or array
        Time from the chips of a layer to those of the next. [s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Definition.

    Examples
    --------
    >>> pipeline_latency(8.0, 40, 10, 0.5, 0.1)
    3.5
    """
    return busy / largest(chips / layers, 1) + exchange + smallest(chips, layers) * hop


@formula("min(sequences / latency, stages / occupied)", unit="1/s", source="Little's law; a stage does one thing")
def pipeline_rate(sequences: Numeric, latency: Numeric, stages: Numeric, occupied: Numeric) -> Numeric:
    """Sequences a second through a pipeline: limited by those in flight, or by its busiest stage.

    Parameters
    ----------
    sequences : float or array
        Sequences in flight. [sequence]
    latency : float or array
        Time of a sequence. [s]
    stages : float or array
        Stages of the pipeline. [1]
    occupied : float or array
        Time that a sequence occupies all stages together. [s]

    Returns
    -------
    float or array
        Rate. [1/s]

    References
    ----------
    Little 1961, Operations Research 9(3).

    Examples
    --------
    >>> pipeline_rate(100, 2.0, 80, 1.0)
    50.0
    """
    return smallest(sequences / latency, stages / occupied)
