"""Z-Image: joint layers over image and text, built as those of Lumina-Image 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from costline.models.config import Config, Flag, Size, head_width
from costline.models.diffusion import streams
from costline.models.diffusion.lumina2 import refined_layers, text_entry
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Elementwise, Linear, Part, Weights
from costline.numeric import Numeric, ceil_divide

TIMESTEP_INNER = 1024
"""Inner width of the timestep network, fixed in `ZImageTransformer2DModel`."""
CONDITION_LIMIT = 256
"""The timestep vector is no wider than this (`ADALN_EMBED_DIM`)."""
MULTIPLE = 32
"""Image and text are each padded to a multiple of this (`SEQ_MULTI_OF`). [token]"""
TEXT_TOKENS = 512
"""`max_sequence_length` of the Z-Image pipeline of diffusers 0.42.1; prompts are not padded to it."""

One = Annotated[tuple[Size], Field(min_length=1, max_length=1)]
"""A list of one: a second patch size would bring weights of its own, of which a forward pass uses one set."""


class ZImageConfig(Config):
    """`ZImageTransformer2DModel` of diffusers 0.42.1; `n_kv_heads` is read by nothing there."""

    neutral: ClassVar[frozenset[str]] = frozenset({"n_kv_heads", "norm_eps", "t_scale", "axes_dims", "axes_lens"})
    all_patch_size: One = (2,)
    all_f_patch_size: One = (1,)
    in_channels: Size = 16
    dim: Size = 3840
    n_layers: Size = 30
    n_refiner_layers: Size = 2
    n_heads: Size = 30
    qk_norm: Flag = True
    cap_feat_dim: Size = 2560


@dataclass(frozen=True, kw_only=True)
class ZImageDiT(DiT):
    """A network that pads the image and the text, each by itself, to a multiple of 32 tokens."""

    def streams(
        self, *, frames: Numeric = 1, height: Numeric, width: Numeric, batch: Numeric = 1, **lengths: Numeric
    ) -> dict[str, Numeric]:
        """Token counts for one evaluation, padding included; see `DiT.streams`."""
        found = DiT.streams(self, frames=frames, height=height, width=width, batch=batch, **lengths)
        for name in ("image", "text"):
            found[name] = ceil_divide(found[name], MULTIPLE) * MULTIPLE
        found["joint"] = found["image"] + found["text"]
        return found


def read_zimage(config: Mapping[str, Any], name: str) -> ZImageDiT:
    """Read a `ZImageTransformer2DModel`.

    A step needs two evaluations; Z-Image-Turbo, distilled to one, has the same configuration.
    """
    read = ZImageConfig.read(config, name)
    hidden, heads = read.dim, read.n_heads
    condition = min(hidden, CONDITION_LIMIT)
    patch, frames = read.all_patch_size[0], read.all_f_patch_size[0]
    features = patch**2 * frames * read.in_channels
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=head_width(hidden, heads), ffn=int(hidden / 3 * 8),
        gated=True, bias=False, head_norm="head" if read.qk_norm else "none", condition=condition,
    )  # fmt: skip
    return ZImageDiT(
        name=name,
        architecture="ZImageTransformer2DModel",
        parts=(
            Linear(name="embed/patch", inputs=features, outputs=hidden, rows="image", shard="replicated"),
            Weights(name="embed/padding", count=2 * hidden),
            *_timestep(condition),
            *text_entry(read.cap_feat_dim, hidden),
            *refined_layers(widths, layers=read.n_layers, refiners=read.n_refiner_layers),
            *streams.modulated_head(hidden, features, condition=condition, rows="joint", chunks=1),
        ),
        layers=read.n_layers + 2 * read.n_refiner_layers,
        hidden_size=hidden,
        grid=Grid(space=8, patch_space=patch, patch_time=frames),
        fixed_streams={"text": TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=2,
    )


def _timestep(condition: int) -> tuple[Part, ...]:
    """The timestep network: wide inside, narrow outside."""
    place, inner = "condition/timestep", TIMESTEP_INNER
    return (
        Linear(name=f"{place}/in", inputs=FREQUENCIES, outputs=inner, rows="sample", shard="replicated"),
        Elementwise(name=f"{place}/activation", rows="sample", width=inner, passes=2, saves=1),
        Linear(name=f"{place}/out", inputs=inner, outputs=condition, rows="sample", shard="replicated"),
    )
