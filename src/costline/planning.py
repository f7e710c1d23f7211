"""Plans from text: ``tensor=8, pipeline=4, zero=1, recompute=full, weights=fp8``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

import numpy as np

from costline.errors import PlanError, QuantityError, nearest_names
from costline.plan import Offload, Plan, Recompute, Scope
from costline.precision import BYTES, Narrow
from costline.quantity import FRACTION, read, read_flag

ALIASES = {
    "tp": "tensor", "pp": "pipeline", "vpp": "virtual", "dp": "data", "cp": "ulysses", "ep": "expert",
    "etp": "expert_tensor", "mbs": "micro_batch", "kv": "cache", "activations": "compute", "sparsity": "density",
    "cfg": "guidance", "engine": "software", "framework": "software", "engine_date": "year", "compile": "compiled",
}  # fmt: skip
"""Short names the field uses."""

CHOICES: dict[str, tuple[str, ...]] = {
    "recompute": get_args(Recompute),
    "shard_scope": get_args(Scope),
    "offload": get_args(Offload),
    "narrow": get_args(Narrow),
    "weights": tuple(BYTES),
    "compute": tuple(BYTES),
    "cache": tuple(BYTES),
    "attention": ("", "naive", "copied", "sdpa", "fa1", "fa2", "fa3", "fa4", "cudnn", "sage"),
}
"""Fields that take a word."""

SHARES = {
    "density": (0.0, 1.0), "reused": (0.0, 0.99), "recomputed": (0.0, 1.0), "gradient_bytes": (0.0, 8.0),
    "optimizer_bytes": (0.0, 32.0),
}  # fmt: skip
"""Fields that take a real number, with their limits; the rest are whole numbers from 1 (`zero`, `vae_tile`: from 0)."""

METHODS = {"reused": "cache_reuse", "density": "sparse_density"}
"""Fields whose share may be that of a method with a measured one, and the coefficient that holds it."""
METHOD = re.compile(r"(?!(?:nan|inf|infinity)$)[a-z][\w.-]{0,59}")

FRACTIONS = ("density", "reused", "recomputed")
"""Real numbers that may be written as percentages."""

WORDS = ("software",)
"""Fields that take the name of something in the catalogue."""
YEARS = (2018.0, 2036.0)
"""First year and the one after the last that software may be of."""
DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-\d\d)?)?|(?P<exact>\d{4}\.\d+)")
FLAGS = ("compiled", "sequence_parallel")
LARGEST_DEGREE = 1_000_000


def read_plan_fields(given: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Read plan fields from text or from a mapping.

    Returns
    -------
    dict
        Fields of `Plan` by name, checked one by one.

    Raises
    ------
    PlanError
        Unknown field, a word that is none of the choices, a number out of range.

    Examples
    --------
    >>> read_plan_fields("tp=8, zero=1, recompute=full")
    {'tensor': 8, 'zero': 1, 'recompute': 'full'}
    """
    if given is None:
        return {}
    if not isinstance(given, str | Mapping):
        raise PlanError(f"a plan is text such as 'tensor=8, zero=1', or a mapping, not {type(given).__name__}")
    pairs = _pairs(given) if isinstance(given, str) else dict(given)
    known = {row.name for row in fields(Plan)}
    result: dict[str, Any] = {}
    for key, value in pairs.items():
        written = str(key)
        name = ALIASES.get(written, written)
        if name in result:
            raise PlanError(f"plan field {name} is stated twice")
        if name not in known:
            near = nearest_names(written, known | ALIASES.keys())
            hint = f"; did you mean {', '.join(near)}?" if near else f"; known: {', '.join(sorted(known))}"
            raise PlanError(f"plan field {written[:40]!r} is not known{hint}")
        result[name] = _value(name, value)
    return result


def check_plan(plan: Plan) -> None:
    """Refuse what no field of a plan can be, in a plan made in Python.

    Raises
    ------
    PlanError
        The field, its value, and what it takes.

    Examples
    --------
    >>> check_plan(Plan(tensor=0))
    Traceback (most recent call last):
    ...
    costline.errors.PlanError: tensor=0 is outside 1 to 1,000,000
    """
    for row in fields(Plan):
        value = getattr(plan, row.name)
        if isinstance(value, np.ndarray):
            if value.size and value.dtype.kind in "iuf":
                _number(row.name, value.min())
        elif value is not None and value != row.default:
            if isinstance(value, str) and isinstance(row.default, int | float):
                raise PlanError(f"{row.name}={value[:40]!r} is text; a plan made in Python has numbers")
            _value(row.name, value)


def _pairs(text: str) -> dict[str, str]:
    if len(text) > 2000:
        raise PlanError(f"plan text of {len(text):,} characters; the limit is 2,000")
    pairs: dict[str, str] = {}
    for piece in filter(None, (piece.strip() for piece in text.replace(";", ",").split(","))):
        name, equals, value = piece.partition("=")
        if not equals:
            raise PlanError(f"plan entry {piece[:40]!r} is not of the form name=value, such as tensor=8")
        name = name.strip().lower()
        if name in pairs:
            raise PlanError(f"plan field {name[:40]} is stated twice")
        pairs[name] = value.strip().lower()
    return pairs


def _value(name: str, value: Any) -> Any:
    if name in CHOICES:
        if value not in CHOICES[name]:
            choices = ", ".join(choice for choice in CHOICES[name] if choice)
            raise PlanError(f"{name}={str(value)[:40]!r}: choose from {choices}")
        return value
    if name in FLAGS:
        try:
            return read_flag(value, name)
        except QuantityError as error:
            raise PlanError(str(error)) from None
    if name in WORDS:
        if not isinstance(value, str) or len(value) > 60:
            raise PlanError(f"{name}={str(value)[:40]!r} is not a name")
        return value
    if name in METHODS and isinstance(value, str) and METHOD.fullmatch(value.lower()):
        return value.lower()
    return read_year(value) if name == "year" else _number(name, value)


def read_year(value: Any, name: str = "year") -> float:
    """A release as a year: the month it came out, or a year.

    Raises
    ------
    PlanError
        Not a date, or of a year that no software here is of.

    Examples
    --------
    >>> read_year("2025-07"), read_year("2025"), read_year(2024.5)
    (2025.5, 2025.0, 2024.5)
    """
    written = str(value).strip()
    found = DATE.fullmatch(written)
    if not found:
        raise PlanError(f"{name}={written[:40]!r} is not a date such as 2025-06")
    year = float(found["exact"]) if found["exact"] else year_of_month(int(found["year"]), int(found["month"] or 1))
    if not YEARS[0] <= year < YEARS[1]:
        raise PlanError(f"{name}={written[:40]} is outside {YEARS[0]:.0f} to {YEARS[1] - 1:.0f}")
    return year


def year_of_month(year: int, month: int) -> float:
    """A month as a year with its fraction.

    Examples
    --------
    >>> year_of_month(2024, 7)
    2024.5
    """
    return year + (month - 1) / 12


def _number(name: str, value: Any) -> float:
    low, high = SHARES.get(name, (0 if name in {"zero", "vae_tile"} else 1, 3 if name == "zero" else LARGEST_DEGREE))
    kind = float if name in SHARES else int
    try:
        number = read(value, FRACTION) if name in FRACTIONS and isinstance(value, str) else kind(value)
        if not isinstance(value, str) and number != value:
            raise ValueError(value)
    except QuantityError as error:
        raise PlanError(f"{name}: {error}") from None
    except (TypeError, ValueError):
        raise PlanError(f"{name}={str(value)[:40]!r} is not a {'' if kind is float else 'whole '}number") from None
    if not low <= number <= high:
        raise PlanError(f"{name}={number} is outside {low} to {high:,}")
    return number
