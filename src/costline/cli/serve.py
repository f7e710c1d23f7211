"""``costline serve``."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from costline.api.serving import serve as question
from costline.cli.output import Output, ask, inputs_of, shape_fields
from costline.cli.software import Software, stated
from costline.kernels import Kernels


def serve(
    model: str | None = None,
    /,
    *,
    on: str | None = None,
    input: str | None = None,
    output: str | None = None,
    batch: str | None = None,
    batching: Literal["continuous", "static"] | None = None,
    precision: str | None = None,
    plan: str | None = None,
    price: str | None = None,
    params: str | None = None,
    active: str | None = None,
    shape: Annotated[str | None, Parameter(show=False)] = None,
    kernels: Kernels | None = None,
    catalogue: Annotated[str | None, Parameter(name="--catalogue")] = None,
    software: Software | None = None,
    printed: Output | None = None,
) -> int:
    """TTFT, TPOT, tokens a second, memory and dollars a token of a decoder language model.

    Parameters
    ----------
    model
        Catalogue name, config.json or folder; leave out with --params.
    on
        Chips: 8xh100-sxm, 2xdgx-h100.
    input
        Prompt [token], such as 2000 or 32k.
    output
        Answer [token].
    batch
        Sequences in flight on all chips.
    batching
        Newcomers join a running batch, or the batch starts together.
    precision
        bf16, fp8, int8, fp4, int4; q4_0, q4_k_m, q5_k_m, q6_k, q8_0 of llama.cpp (4-bit and these: weights only).
    plan
        What you fix: "tensor=8, expert=8, cache=fp8"; the rest is chosen.
    price
        Rent of a chip: $2.49/h.
    params
        Parameters of a hypothetical model: 70B.
    active
        Parameters a token uses: 37B.
    shape
        Dimensions of a hypothetical model: "layers=80, hidden=8192".
    kernels
        measured: times of kernels from the tables of the extra "kernels".
    catalogue
        TOML file of your own chips, systems, prices, models.
    """
    given = {
        "model": model, "on": on, "input": input, "output": output, "batch": batch, "batching": batching,
        "precision": precision, "plan": plan, "price": price, "params": params, "active": active,
        "shape": shape_fields(shape), "kernels": kernels, "catalogue": catalogue,
        **stated(software),
    }  # fmt: skip
    return ask(question, given, printed, inputs_of(question))
