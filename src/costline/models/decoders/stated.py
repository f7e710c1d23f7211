"""Dimensions of a hypothetical decoder that somebody states: each of the type it has, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from costline.errors import ConfigError, nearest_names
from costline.models.decoders.shape import DecoderShape, Local, QueryKeyNorm
from costline.quantity.reading import shown

TYPES = {item.name: str(item.type) for item in fields(DecoderShape)}
"""Field of a shape -> its type as written there."""
CHOICES: dict[str, tuple[str, ...]] = {"QueryKeyNorm": get_args(QueryKeyNorm), "Local": get_args(Local)}
"""Types that are one of a few words."""
NEVER_ZERO = frozenset({"layers", "hidden", "heads", "kv_heads", "head_dim", "vocab"})
LARGEST = 100_000_000


def check_stated_fields(stated: Mapping[str, Any], name: str) -> None:
    """Refuse what no `DecoderShape` holds.

    Parameters
    ----------
    stated : mapping
        Fields by name; None is not stated.
    name : str
        Of the decoder, for messages.

    Raises
    ------
    ConfigError
        No such field, or a value that is not of its type: nothing is converted, for nothing says what was meant.

    Examples
    --------
    >>> check_stated_fields({"layers": 10.5}, "tiny")
    Traceback (most recent call last):
    ...
    costline.errors.ConfigError: tiny: layers must be a whole number from 1 to 1e8, got 10.5
    """
    for key, value in stated.items():
        if key not in TYPES:
            near = ", ".join(nearest_names(str(key), TYPES))
            raise ConfigError(
                f"{name}: no field {str(key)[:40]!r} of a decoder" + (f"; nearest: {near}" if near else "")
            )
        if value is not None and (wanted := _fault(key, value)):
            raise ConfigError(f"{name}: {key} must be {wanted}, got {shown(value)}")


def _fault(key: str, value: object) -> str:
    """What the value of a field must be, if it is not."""
    written = TYPES[key]
    if written == "bool":
        return "" if isinstance(value, bool) else "yes or no"
    if written in CHOICES:
        return "" if value in CHOICES[written] else "one of " + ", ".join(CHOICES[written])
    least = int(key in NEVER_ZERO)
    whole = type(value) is int and least <= value <= LARGEST
    return "" if whole else f"a whole number from {least} to 1e8"
