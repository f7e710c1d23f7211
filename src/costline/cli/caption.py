"""``costline caption``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from costline.api.serving import caption as question
from costline.cli.output import Output, ask, inputs_of
from costline.cli.software import Software, stated


def caption(
    model: str | None = None,
    /,
    *,
    on: str | None = None,
    minutes: str | None = None,
    clip: str | None = None,
    frames: str | None = None,
    frame_tokens: str | None = None,
    output: str | None = None,
    batch: str | None = None,
    precision: str | None = None,
    plan: str | None = None,
    price: str | None = None,
    params: str | None = None,
    active: str | None = None,
    vision: Annotated[str | None, Parameter(show=False)] = None,
    prompt: Annotated[str | None, Parameter(show=False)] = None,
    catalogue: Annotated[str | None, Parameter(show=False)] = None,
    software: Software | None = None,
    printed: Output | None = None,
) -> int:
    """What it costs to caption a video corpus with a vision-language model.

    Parameters
    ----------
    model
        Language model: catalogue name, config.json or folder; leave out with --params.
    on
        Chips: 64xh100-sxm.
    minutes
        Length of the corpus in minutes: 100M.
    clip
        Length that gets one caption: 10s.
    frames
        Frames shown for one clip.
    frame_tokens
        Tokens of one frame.
    output
        Tokens of a caption.
    batch
        Clips in flight on all chips; default as many as fit.
    precision
        bf16, fp8, int8, fp4, int4 (4-bit: weights only).
    plan
        What you fix: "tensor=8"; the rest is chosen.
    price
        Rent of a chip: $2.49/h.
    params
        Parameters of a hypothetical model: 70B.
    active
        Parameters a token uses: 37B.
    vision
        Parameters of a vision encoder to count besides.
    prompt
        Tokens of the instruction.
    catalogue
        TOML file of your own chips, systems, prices, models.
    """
    given = {
        "model": model, "on": on, "minutes": minutes, "clip": clip, "frames": frames, "frame_tokens": frame_tokens,
        "output": output, "batch": batch, "precision": precision, "plan": plan, "price": price, "params": params,
        "active": active, "vision": vision, "prompt": prompt, "catalogue": catalogue,
        **stated(software),
    }  # fmt: skip
    return ask(question, given, printed, inputs_of(question))
