"""Reading what must hold: ``memory, ttft<1s, tpot<50ms, mfu>30%``."""

from __future__ import annotations

import re

from costline import quantity
from costline.errors import InputError, QuantityError, nearest_names
from costline.quantity.spoken import SPOKEN, spoken_value, stated_value
from costline.report.values import KINDS
from costline.search.limits import Limit, Study

UNITS: dict[Study, dict[str, str]] = {
    "train": {
        "time": "s", "cost": "USD", "energy": "J", "carbon": "kg", "mfu": "1", "hfu": "1", "memory": "byte",
        "step": "s", "goodput": "1", "tokens_per_second": "token/s", "tokens_per_second_per_chip": "token/s",
    },
    "serve": {
        "ttft": "s", "tpot": "s", "latency": "s", "longest_gap": "s", "output_rate": "token/s",
        "output_rate_per_chip": "token/s", "total_rate": "token/s", "cost_per_request": "USD",
        "cost_input": "USD/token", "cost_output": "USD/token", "energy_output": "J/token", "mfu": "1",
        "prefill_mfu": "1", "decode_mfu": "1", "decode_mbu": "1", "memory": "byte",
    },
    "generate": {
        "time": "s", "cost": "USD", "cost_per_second": "USD/s of video", "energy": "J", "carbon": "kg", "mfu": "1",
        "memory": "byte", "clips_per_hour": "clip/h", "seconds_per_second": "s/s",
    },
}  # fmt: skip
"""Figures that can be bounded, with their units, by study."""

ALIASES: dict[Study, dict[str, str]] = {
    "train": {"throughput": "tokens_per_second"},
    "serve": {"throughput": "output_rate", "gap": "longest_gap", "itl": "tpot", "e2e": "latency"},
    "generate": {"throughput": "clips_per_hour", "latency": "time"},
}
"""Other names people use; those that say a unit besides are in `costline.quantity.spoken`."""

BOUND = re.compile(r"\s*(?P<name>[\w $-]+?)\s*(?P<sign><=|>=|<|>|=)\s*(?P<value>.+?)\s*")
MOST_TEXT = 1000
"""Longest text of limits."""


def read_limits(text: str | None, study: Study) -> tuple[Limit, ...]:
    """Read bounds on figures, separated by commas; ``memory`` alone says what always holds: that a plan must fit.

    Raises
    ------
    InputError
        Not of the form, an unknown figure (with the nearest one), or a value that cannot be read.

    Examples
    --------
    >>> [(one.figure, one.most, one.value) for one in read_limits("memory, ttft<1s, mfu>30%", "serve")]
    [('ttft', True, 1.0), ('mfu', False, 0.3)]
    """
    if text is None:
        return ()
    if len(text) > MOST_TEXT:
        raise InputError(f"limits of {len(text):,} characters; at most {MOST_TEXT:,}")
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    return tuple(read_limit(piece, study) for piece in pieces if piece.lower() not in {"memory", "fits"})


def read_limit(text: str, study: Study, *, equal: bool = False) -> Limit:
    """Read one bound; `equal` lets ``tpot=30ms`` stand for the bound that is natural, at most for what costs."""
    found = BOUND.fullmatch(text)
    if found is None:
        raise InputError(f"limit {text[:40]!r} is not of the form figure<value, such as tpot<50ms or mfu>30%")
    name = figure_name(found["name"], study)
    sign = found["sign"]
    if sign == "=" and not equal:
        raise InputError(f"limit {text[:40]!r}: say {name}<{found['value'][:20]} or {name}>{found['value'][:20]}")
    kind = KINDS.get(UNITS[study][name], quantity.COUNT)
    if kind is quantity.TOKEN_RATE and "/" not in found["value"]:
        kind = quantity.COUNT  # of tokens a second there is no other unit to mean
    try:
        worth = SPOKEN.get(_plain(found["name"]), ("", None))[1]
        said = found["value"]
        value = stated_value(said, kind, name) if worth is None else spoken_value(said, kind, worth)
    except QuantityError as error:
        raise InputError(f"limit {text[:40]!r}: {error}") from None
    most = sign[0] == "<" if sign != "=" else not more_is_better(name)
    return Limit(name, most, value, text.strip())


def figure_name(written: str, study: Study) -> str:
    """The figure a name means.

    Raises
    ------
    InputError
        Unknown.
    """
    name = _plain(written)
    name = ALIASES[study].get(name, SPOKEN.get(name, (name, 1.0))[0])
    if name not in UNITS[study]:
        spoken = [each for each, (figure, _) in SPOKEN.items() if figure in UNITS[study]]
        near = nearest_names(name, [*UNITS[study], *spoken]) or sorted(UNITS[study])
        raise InputError(f"{study} has no figure {written[:40]!r} to bound; did you mean {', '.join(near)}?")
    return name


def _plain(written: str) -> str:
    return written.strip().lower().replace("-", "_").replace(" ", "_")


def more_is_better(name: str) -> bool:
    """Whether a figure is a rate or a utilisation, of which more is better.

    Examples
    --------
    >>> more_is_better("output_rate"), more_is_better("tpot")
    (True, False)
    """
    return "rate" in name or "per_hour" in name or "per_second_per" in name or name in {
        "mfu", "hfu", "prefill_mfu", "decode_mfu", "decode_mbu", "goodput", "tokens_per_second",
    }  # fmt: skip
