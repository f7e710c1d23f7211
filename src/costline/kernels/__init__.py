"""Measured kernels of an optional package: which files count, their rows, and what in a network causes such calls."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from costline.errors import UnknownNameError

Kernels: TypeAlias = Literal["model", "measured"]
"""Where times of kernels are from."""


def read_kernels(kernels: Kernels) -> bool:
    """Whether measured kernels are asked for.

    Raises
    ------
    UnknownNameError
        Neither ``model`` nor ``measured``.
    """
    if kernels not in get_args(Kernels):
        raise UnknownNameError("source of kernels", str(kernels), get_args(Kernels))
    return kernels == "measured"
