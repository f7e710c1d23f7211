"""Experts: how unevenly a group of chips is loaded; which share of the steps each of two expert networks runs."""

from __future__ import annotations

import numpy as np

from costline.derivation import formula
from costline.numeric import Numeric, largest


@formula(
    "1 - boundary / (shift - (shift - 1) * boundary)",
    unit="1",
    source="arXiv:2403.03206 eq. 23 solved for the unshifted timestep",
)
def high_noise_share(boundary: Numeric, shift: Numeric = 1.0) -> Numeric:
    r"""Share of the sampler's steps above the noise level at which the networks change over.

    .. math:: 1 - u, \quad b = \frac{s u}{1 + (s - 1) u}

    Steps are evenly spaced in `u`; the shift `s` moves them to the noise levels `b`. Rounding to whole steps is left
    out, and the last network runs at least the step that ends the sampling.

    Parameters
    ----------
    boundary : float or array
        Noise level of the change, 0 (clean) to 1 (noise). [1]
    shift : float or array
        Timestep shift of the flow-matching sampler; 1 for none. [1]

    Returns
    -------
    float or array
        Share of the steps run by the high-noise network. [1]

    References
    ----------
    Esser et al. 2024, arXiv:2403.03206, eq. 23; Wan2.2, wan/text2video.py (experts by ``boundary``).

    Examples
    --------
    >>> round(high_noise_share(0.875, 12.0), 3)
    0.632
    >>> high_noise_share(0.875)
    0.125
    """
    return 1 - boundary / (shift - (shift - 1) * boundary)


@formula(
    "1 + spread * sqrt(2 * log(groups) * groups / experts)",
    unit="1",
    source="mean of the largest of n normal deviations: Boucheron et al. 2013, Concentration Inequalities, theorem 2.5",
)
def busiest_load(spread: Numeric, experts: Numeric, groups: Numeric) -> Numeric:
    r"""Tokens of the busiest chip of an expert-parallel group over those of the mean one.

    .. math:: 1 + s \sqrt{2 \ln g} \sqrt{g / e}

    A chip holds `experts / groups` experts, whose mean load deviates by the spread over the root of their number; the
    largest of `g` such deviations is at most :math:`\sqrt{2 \ln g}` of them on average.

    Parameters
    ----------
    spread : float or array
        Standard deviation of the tokens of an expert over their mean. [1]
    experts : float or array
        Experts of a layer. [expert]
    groups : float or array
        Chips that share them. [chip]

    Returns
    -------
    float or array
        Ratio. [1]

    References
    ----------
    Boucheron, Lugosi, Massart 2013, Concentration Inequalities, theorem 2.5.

    Examples
    --------
    >>> busiest_load(0.5, 256, 1), round(busiest_load(0.5, 256, 8), 3)
    (1.0, 1.18)
    """
    doublings = np.log(largest(groups, 1))
    load = 1 + spread * np.sqrt(2 * doublings * groups / experts)
    return load if isinstance(load, np.ndarray) else float(load)
