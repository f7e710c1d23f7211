"""What a question can be solved for: the inputs, how far they are tried, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from costline import resolve
from costline.errors import InputError
from costline.models.decoder import Decoder
from costline.search.limits import Study


@dataclass(frozen=True)
class Unknown:
    """An input that can be solved for.

    Attributes
    ----------
    words : str
        What its extreme value is called.
    unit : str
        SI unit.
    low, high : float
        Interval it is looked for in.
    largest : bool
        Whether the largest value is sought, or the least.
    whole : bool
        Whether it counts things.
    end : str
        Why it is looked for no further.
    """

    words: str
    unit: str
    low: float
    high: float
    largest: bool = True
    whole: bool = True
    end: str = "this is the end of what is tried"


CHIPS = Unknown("fewest chips", "chip", 1, 2**17, largest=False)
HARDWARE = {
    "bandwidth": Unknown("least memory bandwidth", "byte/s", 1e9, 1e16, largest=False, whole=False),
    "memory": Unknown("least memory of a chip", "byte", 1e9, 1e15, largest=False, whole=False),
    "link": Unknown("least scale-up bandwidth", "byte/s", 1e8, 1e15, largest=False, whole=False),
    "network": Unknown("least scale-out bandwidth", "byte/s", 1e8, 1e15, largest=False, whole=False),
    "peak": Unknown("least peak rate of a chip", "FLOP/s", 1e12, 1e19, largest=False, whole=False),
}
"""Properties of the machine that can be solved for, all else as it is."""
PRICE = Unknown("break-even price of a chip", "USD/s", 1e-9, resolve.DEAREST, whole=False)
MFU = Unknown("needed MFU", "1", 1e-4, 1.0, largest=False, whole=False)
GEMM = Unknown("needed share of peak of matrix products", "1", 1e-4, 1.0, largest=False, whole=False)

UNKNOWNS: Mapping[Study, Mapping[str, Unknown]] = {
    "serve": {
        "context": Unknown("largest context", "token", 2, 2**32),
        "input": Unknown("longest prompt", "token", 1, 2**32),
        "output": Unknown("longest answer", "token", 1, 2**32),
        "batch": Unknown("largest batch", "sequence", 1, 2**24),
        "chips": CHIPS, "price": PRICE, "mfu": GEMM, **HARDWARE,
    },
    "train": {
        "tokens": Unknown("most training tokens", "token", 1e6, 1e18, whole=False),
        "sequence": Unknown("longest sequence", "token", 1, 2**30),
        "batch_tokens": Unknown("largest batch", "token", 1e3, 1e12, whole=False),
        "params": Unknown("largest model", "parameter", 1e6, 1e15, whole=False),
        "chips": CHIPS, "price": PRICE, "mfu": MFU, **HARDWARE,
    },
    "generate": {
        "frames": Unknown("longest clip", "frame", 1, 2**22),
        "steps": Unknown("most sampler steps", "step", 1, 10**6),
        "batch": Unknown("largest batch", "clip", 1, 2**16),
        "tokens": Unknown("most latent tokens", "token", 1, 2**32),
        "chips": CHIPS, "price": PRICE, "mfu": MFU, **HARDWARE,
    },
}  # fmt: skip
"""What can be solved for, by study; besides ``chip``, the cheapest of all that have a price."""
ALIASES: Mapping[Study, Mapping[str, str]] = {
    "serve": {"prompt": "input", "answer": "output", "concurrency": "batch", "gemm": "mfu"},
    "train": {"batch": "batch_tokens", "model": "params", "context": "sequence", "data": "tokens"},
    "generate": {"clip": "frames", "seconds": "frames", "length": "frames"},
}


def unknown_of(study: Study, name: str, inputs: Mapping[str, Any]) -> Unknown:
    """What is sought, no further than the model states its context.

    Raises
    ------
    InputError
        Another input decides it already.
    """
    unknown = UNKNOWNS[study][name]
    if study == "train" and name == "sequence":
        for other in ("curriculum", "resolution", "frames"):
            if inputs.get(other) is not None:
                raise InputError(f"{other} says how long samples are; leave it out to solve for the sequence")
    if study != "serve" or name != "context" or inputs.get("model") is None:
        return unknown
    found = resolve.model(inputs["model"], resolve.catalogue(inputs.get("catalogue")))
    stated = found.max_context if isinstance(found, Decoder) else None
    return unknown if stated is None else replace(unknown, high=stated, end=f"{found.name} states no longer context")
