"""Sampling with two expert networks: which share of the steps each of them runs."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric


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
