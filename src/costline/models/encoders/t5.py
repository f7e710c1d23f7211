"""T5 and UMT5 encoders: the text side of Wan, CogVideoX, FLUX, LTX and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from costline.models.blocks import attention, feed_forward, norm, residual
from costline.models.config import Config, Flag, Size
from costline.models.encoder import Encoder
from costline.models.parts import Part, Weights

ROWS = "tokens"


class T5Config(Config):
    """transformers ``T5Config``, of which an encoder uses the half."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "num_decoder_layers", "relative_attention_max_distance", "dropout_rate", "initializer_factor",
        "classifier_dropout", "is_encoder_decoder", "is_gated_act", "dense_act_fn", "decoder_start_token_id",
        "n_positions", "output_past", "task_specific_params", "scalable_attention", "tie_word_embeddings",
        "tokenizer_class", "num_labels", "scale_decoder_outputs",
    })  # fmt: skip
    vocab_size: Size = 32128
    d_model: Size = 512
    d_kv: Size = 64
    d_ff: Size = 2048
    num_layers: Size = 6
    num_heads: Size = 8
    relative_attention_num_buckets: Size = 32
    feed_forward_proj: Literal["relu", "gelu", "gated-gelu", "gated-silu"] = "relu"
    is_decoder: Literal[False] = False


class Umt5Config(T5Config):
    """transformers ``UMT5Config``."""

    vocab_size: Size = 250112
    d_ff: Size = 1024
    num_layers: Size = 8
    num_heads: Size = 6
    feed_forward_proj: Literal["relu", "gelu", "gated-gelu", "gated-silu"] = "gated-gelu"
    use_cache: Flag = True


def t5_parts(read: T5Config, bias_tables: int) -> tuple[Part, ...]:
    """Parts of an encoder with `bias_tables` tables of relative position biases: one in T5, one a layer in UMT5."""
    layers, width = read.num_layers, read.d_model
    gated = read.feed_forward_proj.startswith("gated-")
    return (
        Weights(name="embed/tokens", count=read.vocab_size * width, rows=ROWS, width=width),
        norm("block/self/norm", width, ROWS, repeat=layers),
        *attention("block/self", width, read.num_heads, read.d_kv, ROWS, repeat=layers, bias=False),
        Weights(
            name="block/self/position_bias",
            count=read.relative_attention_num_buckets * read.num_heads,
            repeat=bias_tables,
        ),
        residual("block/self/residual", width, ROWS, repeat=layers),
        norm("block/mlp/norm", width, ROWS, repeat=layers),
        *feed_forward("block/mlp", width, read.d_ff, ROWS, repeat=layers, gated=gated, bias=False),
        residual("block/mlp/residual", width, ROWS, repeat=layers),
        norm("head/norm", width, ROWS),
    )


def _reader(
    kind: type[T5Config], architecture: str, *, table_a_layer: bool
) -> Callable[[Mapping[str, Any], str], Encoder]:
    def read_encoder(config: Mapping[str, Any], name: str) -> Encoder:
        read = kind.read(config, name)
        return Encoder(
            name=name,
            architecture=architecture,
            parts=t5_parts(read, read.num_layers if table_a_layer else 1),
            layers=read.num_layers,
            hidden_size=read.d_model,
            source="configuration",
        )

    return read_encoder


read_t5 = _reader(T5Config, "T5EncoderModel", table_a_layer=False)
read_umt5 = _reader(Umt5Config, "UMT5EncoderModel", table_a_layer=True)
