"""CLIP text towers, with and without the projection of the pooled token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.models.blocks import attention, feed_forward, norm, residual
from costline.models.config import Config, Size, head_width
from costline.models.encoder import Encoder
from costline.models.parts import Linear, Part, Weights

ROWS = "tokens"


class ClipTextConfig(Config):
    """transformers ``CLIPTextConfig``."""

    neutral: ClassVar[frozenset[str]] = frozenset({"hidden_act", "initializer_factor", "tie_word_embeddings"})
    vocab_size: Size = 49408
    hidden_size: Size = 512
    intermediate_size: Size = 2048
    projection_dim: Size = 512
    num_hidden_layers: Size = 12
    num_attention_heads: Size = 8
    max_position_embeddings: Size = 77


def clip_text_parts(read: ClipTextConfig) -> tuple[Part, ...]:
    """Parts of the causal transformer under both classes."""
    width, layers, heads = read.hidden_size, read.num_hidden_layers, read.num_attention_heads
    return (
        Weights(name="embed/tokens", count=read.vocab_size * width, rows=ROWS, width=width),
        Weights(name="embed/positions", count=read.max_position_embeddings * width, rows=ROWS, width=width),
        norm("block/self/norm", width, ROWS, repeat=layers, bias=True),
        *attention("block/self", width, heads, head_width(width, heads), ROWS, repeat=layers, mask="causal"),
        residual("block/self/residual", width, ROWS, repeat=layers),
        norm("block/mlp/norm", width, ROWS, repeat=layers, bias=True),
        *feed_forward("block/mlp", width, read.intermediate_size, ROWS, repeat=layers),
        residual("block/mlp/residual", width, ROWS, repeat=layers),
        norm("head/norm", width, ROWS, bias=True),
    )


def _encoder(read: ClipTextConfig, name: str, architecture: str, head: tuple[Part, ...] = ()) -> Encoder:
    return Encoder(
        name=name,
        architecture=architecture,
        parts=(*clip_text_parts(read), *head),
        layers=read.num_hidden_layers,
        hidden_size=read.hidden_size,
        source="configuration",
    )


def read_clip_text(config: Mapping[str, Any], name: str) -> Encoder:
    """``CLIPTextModel``."""
    return _encoder(ClipTextConfig.read(config, name), name, "CLIPTextModel")


def read_clip_text_projected(config: Mapping[str, Any], name: str) -> Encoder:
    """``CLIPTextModelWithProjection``: the pooled token, one a sample, is projected."""
    read = ClipTextConfig.read(config, name)
    projection = Linear(
        name="head/projection", inputs=read.hidden_size, outputs=read.projection_dim, rows="sample", bias=False,
        shard="replicated",
    )  # fmt: skip
    return _encoder(read, name, "CLIPTextModelWithProjection", (projection,))
