"""Pyramid Flow miniFLUX: the layers of FLUX over a clip that grows frame by frame and from coarse to fine.

Source: jy0205/Pyramid-Flow, pyramid_dit/flux_modules. One evaluation sees the frames so far, older ones at lower
resolution, and the frame in the making at the resolution of its stage: state the latent tokens of both together as
``streams(..., image=...)``. Without it a whole clip at full resolution is counted, which no evaluation sees. Attention
is counted from all tokens to all tokens; the mask that hides later frames saves part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from costline.models.config import Size
from costline.models.diffusion.flux import FluxConfig, PackedConfig, read_flux
from costline.models.dit import DiT, Grid

TEXT_TOKENS = 128
"""Text tokens the encoder pads to (``max_sequence_length``)."""


class PyramidConfig(PackedConfig):
    """`PyramidFluxTransformer`."""

    neutral: ClassVar[frozenset[str]] = PackedConfig.neutral | {
        "use_flash_attn", "use_temporal_causal", "interp_condition_pos", "use_gradient_checkpointing",
        "gradient_checkpointing_ratio",
    }  # fmt: skip
    attention_head_dim: Size = 64
    pooled_projection_dim: Size = 768


def read_pyramid_flow(config: Mapping[str, Any], name: str) -> DiT:
    """Read a PyramidFluxTransformer; its autoencoder compresses 8 x 8 x 8."""
    checked = PyramidConfig.read(config, name)
    shared = {key: value for key, value in checked.model_dump().items() if key in FluxConfig.model_fields}
    return replace(
        read_flux(shared, name),
        architecture="PyramidFluxTransformer",
        grid=Grid(time=8, space=8, patch_space=2),
        fixed_streams={"text": TEXT_TOKENS},
        branches=2,
    )
