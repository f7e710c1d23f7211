"""A network: parts, and the totals read off them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from costline.models.parts import Convention, Kind, Part, Streams
from costline.numeric import Numeric, add_up


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

    @property
    def params(self) -> int:
        """All parameters. [parameter]"""
        return total_params(self.parts)

    @property
    def active_params(self) -> int:
        """Parameters one token uses. [parameter]"""
        return total_active_params(self.parts)

    def flops(self, streams: Streams, kind: Kind | None = None, convention: Convention = "exact") -> Numeric:
        """FLOPs of one forward pass, all kinds or one. [FLOP]"""
        return total_flops(self.parts, streams, kind, convention)
