"""AdaLN-single: one projection of the timestep for all layers, to which each layer adds a table of its own.

Source: Chen et al. 2023, arXiv:2310.00426, section 2.3; diffusers `AdaLayerNormSingle`.
"""

from __future__ import annotations

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.diffusion import streams
from costline.models.diffusion.streams import FREQUENCIES, Widths
from costline.models.parts import Elementwise, Linear, Part


def check_text_width(name: str, stated: int | None, hidden: int) -> None:
    """Raise ConfigError where the cross-attention would not fit the text, which is projected to `hidden` features."""
    if stated not in {None, hidden}:
        raise ConfigError(
            f"{name}: cross_attention_dim {stated} must equal the hidden size {hidden}, to which the text is projected"
        )


def timestep(name: str, hidden: int, *, chunks: int = 6) -> tuple[Part, ...]:
    """Embedding of the timestep and its projection to `chunks` vectors of `hidden` features."""
    return (
        *streams.vector_mlp(name, FREQUENCIES, hidden),
        streams.modulation(f"{name}/modulation", hidden, chunks * hidden),
    )


def table(name: str, hidden: int, *, repeat: int = 1, chunks: int = 6) -> Elementwise:
    """What a layer adds to the shared modulation: two reads and a write of `chunks` vectors, once a sample."""
    return Elementwise(
        name=name, rows="sample", width=chunks * hidden, passes=3, held=chunks * hidden, repeat=repeat
    )  # fmt: skip


def head(hidden: int, outputs: int, *, rows: str = "image", place: str = "head") -> tuple[Part, ...]:
    """Last norm, shifted and scaled by a table and the timestep, and the projection to patches."""
    return (
        blocks.adaptive_norm(f"{place}/norm", hidden, rows, held=2 * hidden),
        Linear(name=f"{place}/projection", inputs=hidden, outputs=outputs, rows=rows, shard="replicated"),
    )


def layers(
    widths: Widths,
    *,
    repeat: int,
    place: str = "block",
    core: tuple[str, str, str] | None = None,
    text: str = "text",
    text_core: tuple[str, str, str] | None = None,
) -> tuple[Part, ...]:
    """Layers whose cross-attention reads the residual stream without a norm, as in PixArt, LTX-Video and Allegro.

    `text` is the stream of keys of the cross-attention, empty where there is none; `core` and `text_core` are as in
    `blocks.attention`.
    """
    hidden = widths.hidden
    cross: tuple[Part, ...] = ()
    if text:
        cross = streams.cross_attention(
            f"{place}/cross", widths, "image", text, key_width=hidden, repeat=repeat, normed=False, core=text_core
        )
    return (
        table(f"{place}/table", hidden, repeat=repeat),
        *streams.self_attention(f"{place}/self", widths, "image", repeat=repeat, core=core),
        *cross,
        *streams.feed_forward(f"{place}/mlp", widths, "image", repeat=repeat),
    )
