"""A network: parts, and the totals read off them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from costline.models.parts import Convention, ExpertLinear, Kind, Linear, Part, Streams, Weights
from costline.numeric import Numeric, add_up


def place(part: Part) -> str:
    """First step of a part's name: embed, condition, block, head, encoder, decoder."""
    return part.name.split("/", 1)[0]


def params_by_place(parts: Iterable[Part]) -> dict[tuple[str, bool], int]:
    """Parameters by place, and whether tensor parallelism divides them. [parameter]

    Places are ``block``, ``head``, ``experts`` of any place, and ``first`` for all others.
    """
    held: dict[tuple[str, bool], int] = {}
    for part in parts:
        where = "experts" if isinstance(part, ExpertLinear) else place(part)
        divided = (isinstance(part, Linear) and part.shard != "replicated") or (
            isinstance(part, Weights) and part.rows != ""
        )
        key = (where if where in {"experts", "block", "head"} else "first", divided)
        held[key] = held.get(key, 0) + part.params
    return held


def total_params(parts: Iterable[Part]) -> int:
    """Parameters of `parts`. [parameter]"""
    return sum(part.params for part in parts)


def total_active_params(parts: Iterable[Part]) -> int:
    """Parameters of `parts` that one token uses. [parameter]"""
    return sum(part.active_params for part in parts)


def total_flops(
    parts: Iterable[Part], streams: Streams, kind: Kind | None = None, convention: Convention = "exact"
) -> Numeric:
    """FLOPs of one forward pass of `parts`, all kinds or one. [FLOP]"""
    return add_up(part.flops(streams, convention) for part in parts if kind is None or part.kind == kind)


@dataclass(frozen=True, kw_only=True)
class Network:
    """What runs, described by its parts.

    Attributes
    ----------
    name : str
        Catalogue name or the name of the file it came from.
    architecture : str
        Class name of the reference implementation, such as ``LlamaForCausalLM``.
    parts : tuple of Part
        Everything with parameters or work in one forward pass.
    layers : int
        Repeated blocks, the unit a pipeline divides.
    hidden_size : int
        Width of the residual stream. [feature]
    source : str
        Where the shape was read.
    """

    name: str
    architecture: str
    parts: tuple[Part, ...]
    layers: int
    hidden_size: int
    source: str = ""

    @cached_property
    def blocks(self) -> tuple[Part, ...]:
        """Parts of the repeated layers, which a pipeline divides."""
        return tuple(part for part in self.parts if place(part) == "block")

    @cached_property
    def ends(self) -> tuple[Part, ...]:
        """All other parts: what stands before the layers and after them."""
        return tuple(part for part in self.parts if place(part) != "block")

    @cached_property
    def placed(self) -> dict[tuple[str, bool], int]:
        """All parameters by place: see `params_by_place`. [parameter]"""
        return params_by_place(self.parts)

    @cached_property
    def params(self) -> int:
        """All parameters. [parameter]"""
        return total_params(self.parts)

    @cached_property
    def active_params(self) -> int:
        """Parameters one token uses. [parameter]"""
        return total_active_params(self.parts)

    def flops(self, streams: Streams, kind: Kind | None = None, convention: Convention = "exact") -> Numeric:
        """FLOPs of one forward pass, all kinds or one. [FLOP]"""
        return total_flops(self.parts, streams, kind, convention)
