"""The software a question is about, on the command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Software:
    """Which engine or framework runs it.

    Attributes
    ----------
    engine : str
        Software: vllm, megatron, diffusers (costline data list software). Also --engine-date, --attention, --compile.
    engine_date : str
        When it was released: 2025-06 or a year.
    attention : str
        Attention kernel: fa2, fa3, sdpa, naive.
    compile : str
        Element-wise work fused and kernels launched as graphs: yes or no.
    """

    engine: str | None = None
    engine_date: Annotated[str | None, Parameter(show=False)] = None
    attention: Annotated[str | None, Parameter(show=False)] = None
    compile: Annotated[str | None, Parameter(show=False)] = None


def stated(chosen: Software | None) -> dict[str, str | None]:
    """Inputs of a question about its software; None is not stated."""
    return asdict(chosen or Software())
