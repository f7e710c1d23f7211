"""Dimensions of a hypothetical model that somebody states, as one input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costline.errors import InputError
from costline.quantity.reading import shown

SIZES = ("params", "active", "name")
"""Inputs of their own, which a shape cannot state as well."""


def shape_of(given: object) -> Mapping[str, Any]:
    """Dimensions that the user fixes, as a mapping.

    Raises
    ------
    InputError
        No mapping, or a size that is an input of its own.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        words = shown(given)  # safe to print, whatever it is
        words = words if isinstance(given, str) else repr(words)
        raise InputError(f"shape: {words} names no field; write layers=60, hidden=6144 (--set shape.layers=60)")
    for name in SIZES:
        if name in given:
            raise InputError(f"shape.{name} is no dimension" + (f"; say --{name}" if name != "name" else ""))
    if strange := [key for key in given if not isinstance(key, str)]:
        raise InputError(f"shape: {shown(strange[0])} is no name of a dimension")
    return given
