"""Plain arithmetic for claims that multiply and divide; recorded like every other formula."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, largest, smallest


@formula("a * b * c * d", unit="", source="definition")
def product(a: Numeric, b: Numeric, c: Numeric = 1, d: Numeric = 1) -> Numeric:
    """Product of up to four numbers.

    Examples
    --------
    >>> product(64, 32, 60, 9)
    1105920
    """
    return a * b * c * d


@formula("a / b", unit="", source="definition")
def ratio(a: Numeric, b: Numeric) -> Numeric:
    """One number over another.

    Examples
    --------
    >>> ratio(989, 312)
    3.16...
    """
    return a / b


@formula("a + b + c + d", unit="", source="definition")
def addition(a: Numeric, b: Numeric, c: Numeric = 0, d: Numeric = 0) -> Numeric:
    """Sum of up to four numbers.

    Examples
    --------
    >>> addition(1, 2)
    3
    """
    return a + b + c + d


@formula("min(a, b)", unit="", source="definition")
def lesser(a: Numeric, b: Numeric) -> Numeric:
    """The smaller of two numbers.

    Examples
    --------
    >>> lesser(1, 2)
    1
    """
    return smallest(a, b)


@formula("max(a, b)", unit="", source="definition")
def greater(a: Numeric, b: Numeric) -> Numeric:
    """The larger of two numbers.

    Examples
    --------
    >>> greater(1, 2)
    2
    """
    return largest(a, b)


@formula("2 * params * tokens", unit="FLOP", source="kaplan2020 arXiv:2001.08361 section 2.1, forward pass")
def forward_flops(params: Numeric, tokens: Numeric) -> Numeric:
    """FLOPs of a forward pass by the rule of thumb: a multiplication and an addition a parameter and token.

    Parameters
    ----------
    params : float or array
        Parameters a token uses. [parameter]
    tokens : float or array
        Tokens. [token]

    Examples
    --------
    >>> forward_flops(400e9, 1000)
    800000000000000.0
    """
    return 2 * params * tokens
