"""``costline generate``."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from costline.api.generating import generate as question
from costline.cli.output import Output, ask, inputs_of, shape_fields
from costline.cli.software import Software, stated


def generate(
    model: str | None = None,
    /,
    *,
    on: str | None = None,
    resolution: str | None = None,
    frames: str | None = None,
    seconds: str | None = None,
    steps: str | None = None,
    tokens: str | None = None,
    segment: str | None = None,
    overlap: Annotated[str | None, Parameter(show=False)] = None,
    precision: str | None = None,
    plan: str | None = None,
    price: str | None = None,
    params: str | None = None,
    fps: Annotated[str | None, Parameter(show=False)] = None,
    branches: Annotated[str | None, Parameter(show=False)] = None,
    batch: Annotated[str | None, Parameter(show=False)] = None,
    chunk: Annotated[str | None, Parameter(show=False)] = None,
    mfu: Annotated[str | None, Parameter(show=False)] = None,
    shape: Annotated[str | None, Parameter(show=False)] = None,
    catalogue: Annotated[str | None, Parameter(show=False)] = None,
    software: Software | None = None,
    printed: Output | None = None,
) -> int:
    """Seconds, dollars and memory of generating a video clip or an image: text encoder, every evaluation, decoder.

    Parameters
    ----------
    model
        Catalogue name, config.json or pipeline folder; leave out with --params.
    on
        Chips: 8xh100-sxm.
    resolution
        Size: 1280x720 or 720p.
    frames
        Frames of the clip; 1 for an image.
    seconds
        Length instead of frames: 5s. (--fps for the rate.)
    steps
        Sampler steps. (--branches for evaluations of a guided step.)
    tokens
        Latent tokens, where they are known instead of pixels: 1M.
    segment
        Make it in segments of this length: 5s. (--overlap; --chunk N: frame-autoregressive with a KV cache.)
    overlap
        Overlap of neighbouring segments: 0.5s.
    precision
        bf16, fp8, int8, int4.
    plan
        What you fix: "ulysses=4, guidance=2, attention=fa2, compiled=no, reused=teacache"; the rest is chosen.
    price
        Rent of a chip: $2.49/h.
    params
        Parameters of a hypothetical transformer: 20B.
    fps
        Frames a second.
    branches
        Evaluations of a guided step.
    batch
        Clips that each replica makes together; replicas (data) make as many beside it.
    chunk
        Token frames of a chunk of a frame-autoregressive transformer.
    mfu
        Utilisation of denoising that overrides the time model.
    shape
        Dimensions of a hypothetical transformer: "layers=48, hidden=6144".
    catalogue
        TOML file of your own chips, systems, prices, models.
    """
    given = {
        "model": model, "on": on, "resolution": resolution, "frames": frames, "seconds": seconds, "steps": steps,
        "tokens": tokens, "segment": segment, "overlap": overlap, "precision": precision, "plan": plan, "price": price,
        "params": params, "fps": fps, "branches": branches, "batch": batch, "chunk": chunk, "mfu": mfu,
        "shape": shape_fields(shape), "catalogue": catalogue,
        **stated(software),
    }  # fmt: skip
    return ask(question, given, printed, inputs_of(question))
