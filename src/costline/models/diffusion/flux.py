"""FLUX and its descendants: double layers, then single layers with the feed-forward network beside the attention.

A FLUX transformer sees latents that the pipeline packed two by two (64 channels of 16 latents), so a token is 16 pixels
wide although `patch_size` is 1; `patch_size` multiplies the output alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.models import blocks
from costline.models.config import Config, Flag, Ratio, Size
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Elementwise, Linear, Part

TEXT_TOKENS = 512
"""`max_sequence_length` of the FLUX pipelines of diffusers 0.42.1."""


class PackedConfig(Config):
    """Fields that FLUX, FLUX.2 and Chroma share."""

    neutral: ClassVar[frozenset[str]] = frozenset({"axes_dims_rope", "rope_theta", "eps"})
    patch_size: Size = 1
    in_channels: Size = 64
    out_channels: Size | None = None
    num_layers: Size = 19
    num_single_layers: Size = 38
    attention_head_dim: Size = 128
    num_attention_heads: Size = 24
    joint_attention_dim: Size = 4096

    @property
    def hidden(self) -> int:
        """Width of the residual stream. [feature]"""
        return self.num_attention_heads * self.attention_head_dim

    @property
    def patch_outputs(self) -> int:
        """What the last layer makes of a token. [feature]"""
        return self.patch_size**2 * (self.out_channels or self.in_channels)

    def widths(self, *, ffn: int, condition: int, gated: bool = False, bias: bool = True) -> Widths:
        """Widths of the layers; queries and keys have an RMSNorm for each head."""
        return Widths(
            hidden=self.hidden,
            heads=self.num_attention_heads,
            key_heads=self.num_attention_heads,
            head_dim=self.attention_head_dim,
            ffn=ffn,
            gated=gated,
            bias=bias,
            head_norm="head",
            condition=condition,
        )


class FluxConfig(PackedConfig):
    """`FluxTransformer2DModel` of diffusers 0.42.1."""

    pooled_projection_dim: Size = 768
    guidance_embeds: Flag = False


class Flux2Config(PackedConfig):
    """`Flux2Transformer2DModel` of diffusers 0.42.1."""

    in_channels: Size = 128
    num_layers: Size = 8
    num_single_layers: Size = 48
    num_attention_heads: Size = 48
    joint_attention_dim: Size = 15360
    timestep_guidance_channels: Size = FREQUENCIES
    mlp_ratio: Ratio = 3.0
    guidance_embeds: Flag = True


class ChromaConfig(PackedConfig):
    """`ChromaTransformer2DModel` of diffusers 0.42.1."""

    approximator_num_channels: Size = 64
    approximator_hidden_dim: Size = 5120
    approximator_layers: Size = 5


def read_flux(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `FluxTransformer2DModel`; guidance is distilled into dev (an input) and schnell (none): one evaluation."""
    read = FluxConfig.read(config, name)
    hidden = read.hidden
    widths = read.widths(ffn=4 * hidden, condition=hidden)
    parts: list[Part] = [
        *streams.vector_mlp("condition/timestep", FREQUENCIES, hidden),
        *streams.vector_mlp("condition/pooled", read.pooled_projection_dim, hidden),
        *entry(read),
        *streams.double_layers(widths, repeat=read.num_layers, rotate_text=True),
        *streams.single_layers(widths, repeat=read.num_single_layers),
        *streams.modulated_head(hidden, read.patch_outputs, condition=hidden),
    ]
    if read.guidance_embeds:
        parts += streams.vector_mlp("condition/guidance", FREQUENCIES, hidden)
    return packed_network(read, name, "FluxTransformer2DModel", parts, branches=1)


def read_flux2(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `Flux2Transformer2DModel`: one modulation for all layers of a kind, no bias anywhere.

    Guidance is distilled where it is an input (dev); without it (klein) a step is taken to need two evaluations, as
    the base models do: the distilled ones have the same configuration.
    """
    read = Flux2Config.read(config, name)
    hidden = read.hidden
    widths = read.widths(ffn=int(hidden * read.mlp_ratio), condition=0, gated=True, bias=False)
    parts: list[Part] = [
        *streams.vector_mlp("condition/timestep", read.timestep_guidance_channels, hidden, bias=False),
        *(
            streams.modulation(f"condition/modulation/{layers}", hidden, chunks * hidden, bias=False)
            for layers, chunks in (("image", 6), ("text", 6), ("single", 3))
        ),
        *entry(read, bias=False),
        *streams.double_layers(widths, repeat=read.num_layers, rotate_text=True),
        *streams.single_layers(widths, repeat=read.num_single_layers),
        *streams.modulated_head(hidden, read.patch_outputs, condition=hidden, bias=False),
    ]
    if read.guidance_embeds:
        parts += streams.vector_mlp("condition/guidance", read.timestep_guidance_channels, hidden, bias=False)
    return packed_network(read, name, "Flux2Transformer2DModel", parts, branches=1 if read.guidance_embeds else 2)


def read_chroma(config: Mapping[str, Any], name: str) -> DiT:
    """Read a `ChromaTransformer2DModel`: FLUX.1 whose modulations come from one small network.

    That network makes a vector for each shift, scale and gate of all layers, so its rows are those vectors.
    """
    read = ChromaConfig.read(config, name)
    hidden = read.hidden
    widths = read.widths(ffn=4 * hidden, condition=0)
    parts: list[Part] = [
        *_approximator(read),
        *entry(read),
        *streams.double_layers(widths, repeat=read.num_layers, rotate_text=True),
        *streams.single_layers(widths, repeat=read.num_single_layers),
        blocks.adaptive_norm("head/norm", hidden, "image"),
        Linear(name="head/projection", inputs=hidden, outputs=read.patch_outputs, rows="image", shard="replicated"),
    ]
    modulations = 3 * read.num_single_layers + 2 * 6 * read.num_layers + 2
    return packed_network(read, name, "ChromaTransformer2DModel", parts, branches=2, modulations=modulations)


def _approximator(read: ChromaConfig) -> tuple[Part, ...]:
    """The network behind Chroma's modulations: residual layers of two products each, over one row per vector."""
    inner, layers, rows = read.approximator_hidden_dim, read.approximator_layers, "modulations"
    place = "condition/approximator"
    return (
        Linear(name=f"{place}/in", inputs=read.approximator_num_channels, outputs=inner, rows=rows, shard="replicated"),
        blocks.norm(f"{place}/norm", inner, rows, repeat=layers),
        Linear(name=f"{place}/up", inputs=inner, outputs=inner, rows=rows, repeat=layers, shard="replicated"),
        Elementwise(name=f"{place}/activation", rows=rows, width=inner, passes=2, saves=1, repeat=layers),
        Linear(name=f"{place}/down", inputs=inner, outputs=inner, rows=rows, repeat=layers, shard="replicated"),
        blocks.residual(f"{place}/residual", inner, rows, repeat=layers),
        Linear(name=f"{place}/out", inputs=inner, outputs=read.hidden, rows=rows, shard="replicated"),
    )


def entry(read: PackedConfig, *, bias: bool = True) -> tuple[Part, ...]:
    """Packed latents and text to the width of the network."""
    return (
        Linear(
            name="embed/patch", inputs=read.in_channels, outputs=read.hidden, rows="image", bias=bias,
            shard="replicated",
        ),
        Linear(
            name="condition/text", inputs=read.joint_attention_dim, outputs=read.hidden, rows="text", bias=bias,
            shard="replicated",
        ),
    )  # fmt: skip


def packed_network(
    read: PackedConfig,
    name: str,
    architecture: str,
    parts: list[Part],
    *,
    branches: int,
    **fixed: int,
) -> DiT:
    """Network over latents packed two by two, behind an autoencoder that compresses 8 x 8 pixels."""
    return DiT(
        name=name,
        architecture=architecture,
        parts=tuple(parts),
        layers=read.num_layers + read.num_single_layers,
        hidden_size=read.hidden,
        grid=Grid(space=8, patch_space=2),
        fixed_streams={"text": TEXT_TOKENS, **fixed},
        sums={"joint": ("image", "text")},
        branches=branches,
    )
