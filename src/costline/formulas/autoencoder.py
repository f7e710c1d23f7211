"""Tiled autoencoders: how many positions overlapping tiles add up to."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, ceil_divide, largest

SOURCE = "definition: tiles start every `stride` below `length` (diffusers AutoencoderKLWan.tiled_decode, 0.42.1)"


@formula("max((length - tile) // stride + 1, 0)", unit="tile", source=SOURCE)
def whole_tiles(length: Numeric, tile: Numeric, stride: Numeric) -> Numeric:
    r"""Tiles along one axis that reach their full length; those at the end are cut off.

    .. math:: w = \max\left(\left\lfloor\frac{L - t}{s}\right\rfloor + 1, 0\right)

    Parameters
    ----------
    length : float or array
        Length of the axis. [position]
    tile : float or array
        Length of a tile, at least `stride`. [position]
    stride : float or array
        Distance between the starts of two tiles. [position]

    Returns
    -------
    float or array
        Whole tiles. [tile]

    References
    ----------
    diffusers 0.42.1, AutoencoderKLWan.tiled_decode (tiles ``z[i : i + tile]`` for i in ``range(0, length, stride)``).

    Examples
    --------
    >>> whole_tiles(60, 32, 24)
    2
    """
    return largest((length - tile) // stride + 1, 0)


@formula(
    "whole_tiles(length, tile, stride) * (tile - length) + -(-length // stride) * length"
    " - stride * (-(-length // stride) * (-(-length // stride) - 1)"
    " - whole_tiles(length, tile, stride) * (whole_tiles(length, tile, stride) - 1)) / 2",
    unit="position",
    source=SOURCE,
)
def tiled_positions(length: Numeric, tile: Numeric, stride: Numeric) -> Numeric:
    r"""Positions along one axis that overlapping tiles work on, all tiles together.

    .. math:: P = \sum_{k=0}^{\lceil L/s \rceil - 1} \min(t, L - k s)

    Parameters
    ----------
    length : float or array
        Length of the axis. [position]
    tile : float or array
        Length of a tile, at least `stride`. [position]
    stride : float or array
        Distance between the starts of two tiles; ``tile - stride`` is the overlap. [position]

    Returns
    -------
    float or array
        Positions; `length` itself where one tile covers the axis and no second one starts. [position]

    References
    ----------
    diffusers 0.42.1, AutoencoderKLWan.tiled_decode. The axes multiply: tiles of rows times tiles of columns.

    Examples
    --------
    >>> tiled_positions(60, 32, 24)  # 32 + 32 + 12
    76.0
    """
    tiles, whole = ceil_divide(length, stride), whole_tiles(length, tile, stride)
    starts = (tiles * (tiles - 1) - whole * (whole - 1)) / 2
    return whole * tile + (tiles - whole) * length - stride * starts


@formula(
    "whole_tiles(length, tile, stride) * tile**2 + (-(-length // stride) - whole_tiles(length, tile, stride))"
    " * length**2 - length * stride * (-(-length // stride) * (-(-length // stride) - 1)"
    " - whole_tiles(length, tile, stride) * (whole_tiles(length, tile, stride) - 1))"
    " + stride**2 * (-(-length // stride) * (-(-length // stride) - 1) * (2 * -(-length // stride) - 1)"
    " - whole_tiles(length, tile, stride) * (whole_tiles(length, tile, stride) - 1)"
    " * (2 * whole_tiles(length, tile, stride) - 1)) / 6",
    unit="pair",
    source=SOURCE,
)
def tiled_pairs(length: Numeric, tile: Numeric, stride: Numeric) -> Numeric:
    r"""Pairs of positions along one axis that meet in attention within tiles, all tiles together.

    .. math:: Q = \sum_{k=0}^{\lceil L/s \rceil - 1} \min(t, L - k s)^2

    Parameters
    ----------
    length : float or array
        Length of the axis. [position]
    tile : float or array
        Length of a tile, at least `stride`. [position]
    stride : float or array
        Distance between the starts of two tiles. [position]

    Returns
    -------
    float or array
        Pairs; the axes multiply. [pair]

    References
    ----------
    diffusers 0.42.1, AutoencoderKLWan.tiled_decode.

    Examples
    --------
    >>> tiled_pairs(60, 32, 24)  # 32**2 + 32**2 + 12**2
    2192.0
    """
    tiles, whole = ceil_divide(length, stride), whole_tiles(length, tile, stride)
    starts = tiles * (tiles - 1) - whole * (whole - 1)
    squares = (tiles * (tiles - 1) * (2 * tiles - 1) - whole * (whole - 1) * (2 * whole - 1)) / 6
    return whole * tile**2 + (tiles - whole) * length**2 - length * stride * starts + stride**2 * squares
