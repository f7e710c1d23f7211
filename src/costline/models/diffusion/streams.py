"""Layers of diffusion transformers, by how they let text in.

- *cross*: self-attention over the latent tokens, then cross-attention to the text (PixArt, Wan);
- *double*: latent and text tokens keep weights of their own and meet in one attention (SD3, the first FLUX layers);
- *joint*: the same, with one set of weights for both (CogVideoX);
- *single*: joint, with the feed-forward network beside the attention instead of after it (the later FLUX layers).

A layer's stream of all tokens is ``"joint"``; ``"image"`` holds the latent tokens of a picture or a clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from costline.models import blocks
from costline.models.parts import Attention, Elementwise, Linear, Part

FREQUENCIES = 256
"""Sines and cosines that diffusers makes of a timestep, a guidance scale or an image size (`Timesteps`)."""
HeadNorm: TypeAlias = Literal["none", "head", "width", "layer"]
"""Norm of queries and keys: none, one scale for every head, one scale over all heads, or scale and bias a head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths that the layers of one network share.

    Attributes
    ----------
    hidden : int
        Residual stream. [feature]
    heads, key_heads, head_dim : int
        Query heads, key-value heads, width of a head. [head, head, feature]
    ffn : int
        Inner width of the feed-forward network. [feature]
    gated : bool
        Three matrices (SwiGLU, GEGLU) instead of two.
    bias, query_bias : bool
        Whether the linear layers of the blocks have one; whether queries, keys and values do, if the others do.
    head_norm : {"none", "head", "width", "layer"}
        Norm of queries and keys.
    rotary : bool
        Whether queries and keys get a rotary embedding.
    affine : bool
        Whether the modulated norms have a scale and a bias of their own.
    condition : int
        Width of the timestep vector that a layer's modulation reads; 0 where no layer has a projection of its own.
    """

    hidden: int
    heads: int
    key_heads: int
    head_dim: int
    ffn: int
    gated: bool = False
    bias: bool = True
    query_bias: bool = True
    head_norm: HeadNorm = "none"
    rotary: bool = True
    affine: bool = False
    condition: int = 0

    @classmethod
    def even(cls, heads: int, head_dim: int, ffn: int) -> Widths:
        """As many key as query heads, together as wide as the residual stream."""
        return cls(hidden=heads * head_dim, heads=heads, key_heads=heads, head_dim=head_dim, ffn=ffn)

    @property
    def inner(self) -> int:
        """Width of all queries of a token. [feature]"""
        return self.heads * self.head_dim

    @property
    def key_inner(self) -> int:
        """Width of all keys of a token. [feature]"""
        return self.key_heads * self.head_dim

    @property
    def norm_params(self) -> int:
        """Parameters of a modulated norm. [parameter]"""
        return 2 * self.hidden if self.affine else 0

    def head_norm_params(self, inner: int) -> int:
        """Parameters of the norm of queries or keys of `inner` features. [parameter]"""
        return {"none": 0, "head": self.head_dim, "width": inner, "layer": 2 * self.head_dim}[self.head_norm]


def modulation(
    name: str, inputs: int, outputs: int, *, repeat: int = 1, rows: str = "sample", bias: bool = True
) -> Linear:
    """Shift, scale and gate from the timestep vector: small in work, not in weights; every device holds all of it."""
    return Linear(name=name, inputs=inputs, outputs=outputs, rows=rows, bias=bias, repeat=repeat, shard="replicated")


def vector_mlp(name: str, inputs: int, outputs: int, *, rows: str = "sample", bias: bool = True) -> tuple[Part, ...]:
    """Two linear layers that embed a timestep, a guidance scale, a pooled or a full text."""
    return (
        Linear(name=f"{name}/in", inputs=inputs, outputs=outputs, rows=rows, bias=bias, shard="replicated"),
        Elementwise(name=f"{name}/activation", rows=rows, width=outputs, passes=2, saves=1),
        Linear(name=f"{name}/out", inputs=outputs, outputs=outputs, rows=rows, bias=bias, shard="replicated"),
    )


def query_key_work(name: str, widths: Widths, rows: str, *, repeat: int, rotated: bool = True) -> tuple[Part, ...]:
    """Norm and rotary embedding of queries and keys."""
    parts: list[Part] = []
    for side, inner in (("query", widths.inner), ("key", widths.key_inner)):
        if widths.head_norm != "none":
            held = widths.head_norm_params(inner)
            centred = widths.head_norm == "layer"
            parts.append(
                blocks.head_norm(f"{name}/{side}_norm", inner, rows, repeat=repeat, held=held, centred=centred)
            )
        if rotated and widths.rotary:
            parts.append(blocks.rotary(f"{name}/{side}_rotary", inner, rows, repeat=repeat))
    return tuple(parts)


def self_attention(
    name: str, widths: Widths, rows: str, *, repeat: int, core: tuple[str, str, str] | None = None
) -> tuple[Part, ...]:
    """Modulated self-attention with its norm and residual; `core` as in `blocks.attention`."""
    return (
        blocks.adaptive_norm(f"{name}/norm", widths.hidden, rows, repeat=repeat, held=widths.norm_params),
        *blocks.attention(
            name, widths.hidden, widths.heads, widths.head_dim, rows, key_heads=widths.key_heads,
            bias=widths.bias and widths.query_bias, out_bias=widths.bias, repeat=repeat, core=core,
        ),
        *query_key_work(name, widths, rows, repeat=repeat),
        blocks.gated_residual(f"{name}/residual", widths.hidden, rows, repeat=repeat),
    )  # fmt: skip


def cross_attention(
    name: str, widths: Widths, rows: str, keys: str, *, key_width: int, repeat: int, affine: bool = False,
    normed: bool = True, gated: bool = False, core: tuple[str, str, str] | None = None,
) -> tuple[Part, ...]:  # fmt: skip
    """Attention to the text with its norm (LayerNorm with scale and bias where `affine`) and its residual.

    `normed` is False where the residual stream is read as it is; `gated` where the timestep scales, shifts and gates;
    `core` as in `blocks.attention`.
    """
    parts: list[Part] = [
        *blocks.attention(
            name, widths.hidden, widths.heads, widths.head_dim, rows, key_heads=widths.key_heads, keys=keys,
            key_width=key_width, bias=widths.bias and widths.query_bias, out_bias=widths.bias, repeat=repeat, core=core,
        ),
    ]  # fmt: skip
    if gated:
        parts.insert(0, blocks.adaptive_norm(f"{name}/norm", widths.hidden, rows, repeat=repeat))
        parts.append(blocks.gated_residual(f"{name}/residual", widths.hidden, rows, repeat=repeat))
    else:
        if normed:
            parts.insert(0, blocks.norm(f"{name}/norm", widths.hidden, rows, repeat=repeat, bias=True, affine=affine))
        parts.append(blocks.residual(f"{name}/residual", widths.hidden, rows, repeat=repeat))
    if widths.head_norm != "none":
        for side, inner, stream in (("query", widths.inner, rows), ("key", widths.key_inner, keys)):
            held = widths.head_norm_params(inner)
            parts.append(blocks.head_norm(f"{name}/{side}_norm", inner, stream, repeat=repeat, held=held))
    return tuple(parts)


def feed_forward(name: str, widths: Widths, rows: str, *, repeat: int) -> tuple[Part, ...]:
    """Modulated feed-forward network with its norm and residual."""
    return (
        blocks.adaptive_norm(f"{name}/norm", widths.hidden, rows, repeat=repeat, held=widths.norm_params),
        *blocks.feed_forward(
            name, widths.hidden, widths.ffn, rows, repeat=repeat, gated=widths.gated, bias=widths.bias
        ),
        blocks.gated_residual(f"{name}/residual", widths.hidden, rows, repeat=repeat),
    )


def joint_core(name: str, widths: Widths, *, repeat: int, stream: str = "joint") -> Attention:
    """Softmax attention of all tokens to all tokens."""
    return Attention(
        name=name, queries=stream, keys=stream, heads=widths.heads, key_heads=widths.key_heads,
        key_dim=widths.head_dim, value_dim=widths.head_dim, repeat=repeat,
    )  # fmt: skip


def projections(name: str, widths: Widths, rows: str, *, repeat: int, out: bool = True) -> tuple[Part, ...]:
    """Query, key, value and (where `out`) output projections of one stream, without an attention core."""
    parts = blocks.attention(
        name, widths.hidden, widths.heads, widths.head_dim, rows, key_heads=widths.key_heads,
        bias=widths.bias and widths.query_bias, out_bias=widths.bias, repeat=repeat,
    )  # fmt: skip
    return tuple(part for part in parts if isinstance(part, Linear) and (out or part.shard != "row"))


def double_layers(
    widths: Widths, *, repeat: int, text: Sequence[str] = ("text",), chunks: int = 6, rotate_text: bool = False
) -> tuple[Part, ...]:
    """Layers with weights of their own for each stream, joined in one attention.

    Parameters
    ----------
    widths : Widths
        Shared widths; each stream's modulation reads `condition` features unless that is 0.
    repeat : int
        Layers.
    text : sequence of str
        Streams beside ``"image"``.
    chunks : int
        Vectors of `hidden` features that a stream's modulation gives a layer.
    rotate_text : bool
        Whether text queries and keys get the rotary embedding.
    """
    parts: list[Part] = []
    for stream in ("image", *text):
        rotated = stream == "image" or rotate_text
        place = f"block/double/{stream}"
        parts += double_side(place, widths, stream, repeat=repeat, chunks=chunks, rotated=rotated)
    parts.append(joint_core("block/double/self/core", widths, repeat=repeat))
    return tuple(parts)


def double_side(
    place: str, widths: Widths, stream: str, *, repeat: int, chunks: int = 6, rotated: bool = True, last: bool = False
) -> tuple[Part, ...]:
    """One stream's part of double layers, without the attention core they share.

    `last` ends the stream after its queries, keys and values: the text of the last layer of SD3, which nothing reads.
    """
    parts: list[Part] = []
    if widths.condition:
        parts.append(modulation(f"{place}/modulation", widths.condition, chunks * widths.hidden, repeat=repeat))
    parts += [
        blocks.adaptive_norm(f"{place}/self/norm", widths.hidden, stream, repeat=repeat, held=widths.norm_params),
        *projections(f"{place}/self", widths, stream, repeat=repeat, out=not last),
        *query_key_work(f"{place}/self", widths, stream, repeat=repeat, rotated=rotated),
    ]
    if not last:
        parts.append(blocks.gated_residual(f"{place}/self/residual", widths.hidden, stream, repeat=repeat))
        parts += feed_forward(f"{place}/mlp", widths, stream, repeat=repeat)
    return tuple(parts)


def modulated_head(
    hidden: int, outputs: int, *, condition: int, rows: str = "image", bias: bool = True, chunks: int = 2
) -> tuple[Part, ...]:
    """Last norm, shifted and scaled by the timestep vector of width `condition`, and the projection to patches."""
    return (
        modulation("head/modulation", condition, chunks * hidden, bias=bias),
        blocks.adaptive_norm("head/norm", hidden, rows),
        Linear(name="head/projection", inputs=hidden, outputs=outputs, rows=rows, bias=bias, shard="replicated"),
    )


def single_layers(widths: Widths, *, repeat: int, chunks: int = 3) -> tuple[Part, ...]:
    """Layers over all tokens whose feed-forward network runs beside the attention, one output layer for both."""
    place, hidden = "block/single", widths.hidden
    parts: list[Part] = []
    if widths.condition:
        parts.append(modulation(f"{place}/modulation", widths.condition, chunks * hidden, repeat=repeat))
    feed = blocks.feed_forward(
        f"{place}/mlp", hidden, widths.ffn, "joint", repeat=repeat, gated=widths.gated, bias=widths.bias
    )
    up = (replace(part, saves=False) if isinstance(part, Linear) else part for part in feed)  # queries save the input
    return (
        *parts,
        blocks.adaptive_norm(f"{place}/norm", hidden, "joint", repeat=repeat),
        *projections(f"{place}/self", widths, "joint", repeat=repeat, out=False),
        *query_key_work(f"{place}/self", widths, "joint", repeat=repeat),
        joint_core(f"{place}/self/core", widths, repeat=repeat),
        *(part for part in up if not (isinstance(part, Linear) and part.shard == "row")),
        Linear(
            name=f"{place}/out", inputs=widths.inner + widths.ffn, outputs=hidden, rows="joint", bias=widths.bias,
            repeat=repeat, shard="row",
        ),
        blocks.gated_residual(f"{place}/residual", hidden, "joint", repeat=repeat),
    )  # fmt: skip


def joint_layers(
    widths: Widths, *, repeat: int, chunks: int = 12, name: str = "block/joint", rows: str = "joint"
) -> tuple[Part, ...]:
    """Layers over all tokens with one set of weights: attention, then feed-forward network."""
    parts: list[Part] = []
    if widths.condition:
        parts.append(modulation(f"{name}/modulation", widths.condition, chunks * widths.hidden, repeat=repeat))
    return (
        *parts,
        *self_attention(f"{name}/self", widths, rows, repeat=repeat),
        *feed_forward(f"{name}/mlp", widths, rows, repeat=repeat),
    )
