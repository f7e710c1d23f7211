"""Diffusion sampling: evaluations, tokens, segments."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, ceil_divide, largest


@formula("steps * branches", unit="evaluation", source="ho2022 arXiv:2207.12598 eq. 6")
def evaluations(steps: Numeric, branches: Numeric) -> Numeric:
    """Evaluations of the network for one sample.

    Parameters
    ----------
    steps : float or array
        Sampler steps. [step]
    branches : float or array
        Guidance branches: 2 with classifier-free guidance, 1 where it is distilled. [evaluation/step]

    Returns
    -------
    float or array
        Evaluations. [evaluation]

    References
    ----------
    Ho and Salimans 2022, arXiv:2207.12598, eq. 6 (a conditional and an unconditional score).

    Examples
    --------
    >>> evaluations(50, 2)
    100
    """
    return steps * branches


@formula("frames * rows * columns", unit="token", source="definition")
def video_tokens(frames: Numeric, rows: Numeric, columns: Numeric) -> Numeric:
    """Tokens of a clip after compression and patching.

    Parameters
    ----------
    frames : float or array
        Token frames. [frame]
    rows : float or array
        Patches down a frame. [patch]
    columns : float or array
        Patches across a frame. [patch]

    Returns
    -------
    float or array
        Tokens. [token]

    References
    ----------
    Peebles and Xie 2023, arXiv:2212.09748, section 3.2 (patchify).

    Examples
    --------
    >>> video_tokens(60 * 9, 32, 64)  # the article's minute
    1105920
    """
    return frames * rows * columns


@formula("max(ceil((seconds - overlap) / (segment - overlap)), 1)", unit="segment", source="definition")
def segments(seconds: Numeric, segment: Numeric, overlap: Numeric) -> Numeric:
    """Segments that cover a clip when neighbours share `overlap` seconds.

    Parameters
    ----------
    seconds : float or array
        Length of the clip. [s]
    segment : float or array
        Length of a segment. [s]
    overlap : float or array
        Shared length, less than `segment`. [s]

    Returns
    -------
    float or array
        Segments. [segment]

    References
    ----------
    Definition.

    Examples
    --------
    >>> segments(60.0, 5.0, 0.5)
    14.0
    """
    return largest(ceil_divide(seconds - overlap, segment - overlap), 1)


@formula(
    "evaluations * (1 - reused)",
    unit="evaluation",
    source="definition: liu2024 arXiv:2411.19108 (TeaCache) reuses whole evaluations",
)
def computed_evaluations(evaluations: Numeric, reused: Numeric) -> Numeric:
    """Evaluations that are computed when a cache reuses the others.

    Parameters
    ----------
    evaluations : float or array
        Evaluations of the sampler. [evaluation]
    reused : float or array
        Share whose result is reused. [1]

    Returns
    -------
    float or array
        Evaluations. [evaluation]

    References
    ----------
    Liu et al. 2024, arXiv:2411.19108.

    Examples
    --------
    >>> computed_evaluations(100, 0.4)
    60.0
    """
    return evaluations * (1 - reused)


@formula(
    "max(1 - evaluated / (steps * sqrt(threshold)), 0)",
    unit="1",
    source="empirical: pairs of published runs of TeaCache and first-block caches, thresholds 0.05 to 0.8",
)
def reused_share(steps: Numeric, threshold: Numeric, evaluated: Numeric) -> Numeric:
    """Share of evaluations that a cache reuses which computes anew once changes have added up to a threshold.

    Parameters
    ----------
    steps : float or array
        Steps of the sampler; the change along the whole path is the same however many there are. [step]
    threshold : float or array
        Relative change that is let pass. [1]
    evaluated : float or array
        Evaluations at a threshold of 1. [evaluation]

    Returns
    -------
    float or array
        Share; 0 where the threshold is passed at every step. [1]

    References
    ----------
    Liu et al. 2024, arXiv:2411.19108, section 3.3 (TeaCache): the accumulated relative L1 distance.

    Examples
    --------
    >>> reused_share(50, 0.16, 10.0)
    0.5
    """
    return largest(1 - evaluated / (steps * threshold**0.5), 0.0)
