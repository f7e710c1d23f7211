"""``costline train``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from costline.api.training import train as question
from costline.cli.output import Output, ask, inputs_of, shape_fields
from costline.cli.software import Software, stated


def train(
    model: str | None = None,
    /,
    *,
    on: str | None = None,
    tokens: str | None = None,
    sequence: str | None = None,
    batch_tokens: Annotated[str | None, Parameter(name=["--batch-tokens", "--batch"])] = None,
    curriculum: str | None = None,
    mfu: str | None = None,
    precision: str | None = None,
    plan: str | None = None,
    price: str | None = None,
    params: str | None = None,
    active: str | None = None,
    clips: Annotated[str | None, Parameter(show=False)] = None,
    resolution: Annotated[str | None, Parameter(show=False)] = None,
    frames: Annotated[str | None, Parameter(show=False)] = None,
    video: Annotated[bool | None, Parameter(show=False, negative="")] = None,
    shape: Annotated[str | None, Parameter(show=False)] = None,
    catalogue: Annotated[str | None, Parameter(show=False)] = None,
    software: Software | None = None,
    printed: Output | None = None,
) -> int:
    """Days, dollars, MFU, memory and energy of a training run, language model or video transformer.

    Parameters
    ----------
    model
        Catalogue name, config.json or folder; leave out with --params.
    on
        Chips: 16384xh100-sxm.
    tokens
        Training tokens: 15.6T. (Diffusion: also --clips with --resolution and --frames.)
    sequence
        Tokens of a sample: 8192.
    batch_tokens
        Tokens of an optimizer step: 16M.
    curriculum
        Shares of the tokens at lengths: "90%@32k, 10%@1M".
    mfu
        Utilisation that overrides the time model: 40%.
    precision
        bf16, fp8.
    plan
        What you fix: "tensor=8, pipeline=16, zero=1, recompute=full"; the rest is chosen.
    price
        Rent of a chip: $2.49/h.
    params
        Parameters of a hypothetical model: 1.8T.
    active
        Parameters a token uses: 280B.
    clips
        Clips or images seen in training.
    resolution
        Size of a clip: 1280x720.
    frames
        Frames of a clip.
    video
        The hypothetical model is a diffusion transformer.
    shape
        Dimensions of a hypothetical model: "layers=80, hidden=8192".
    catalogue
        TOML file of your own chips, systems, prices, models.
    """
    given = {
        "model": model, "on": on, "tokens": tokens, "sequence": sequence, "batch_tokens": batch_tokens,
        "curriculum": curriculum, "mfu": mfu, "precision": precision, "plan": plan, "price": price, "params": params,
        "active": active, "clips": clips, "resolution": resolution, "frames": frames, "video": video,
        "shape": shape_fields(shape), "catalogue": catalogue,
        **stated(software),
    }  # fmt: skip
    return ask(question, given, printed, inputs_of(question))
