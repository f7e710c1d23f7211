"""The software a question is about, on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class Software:
    """Which engine or framework runs it.

    Attributes
    ----------
    engine : str
        Engine or framework: vllm, trtllm, megatron, diffusers.
    engine_date : str
        When it was released: 2025-06.
    attention : str
        Attention kernel: fa2, fa3, sdpa, naive.
    compile : str
        Element-wise work fused and kernels launched as graphs: yes or no.
    """

    engine: str | None = None
    engine_date: Annotated[str | None, Parameter(show=False)] = None
    attention: Annotated[str | None, Parameter(show=False)] = None
    compile: Annotated[str | None, Parameter(show=False)] = None


def with_software(plan: str | None, chosen: Software | None) -> str | None:
    """The text of a plan with the software's fields behind it.

    Examples
    --------
    >>> with_software("tensor=8", Software(engine="vllm", engine_date="2025-06"))
    'tensor=8, software=vllm, year=2025-06'
    """
    chosen = chosen or Software()
    fields = {
        "software": chosen.engine, "year": chosen.engine_date, "attention": chosen.attention,
        "compiled": chosen.compile,
    }  # fmt: skip
    said = [f"{name}={value}" for name, value in fields.items() if value is not None]
    return ", ".join(filter(None, [plan, *said])) or None
