"""From a shape to parts: the one builder every decoder family goes through."""

from __future__ import annotations

import numpy as np

from costline.models.blocks import feed_forward, norm, residual
from costline.models.decoder import Decoder
from costline.models.decoders.mixers import ROWS, mixer_parts
from costline.models.decoders.shape import DecoderShape
from costline.models.encoder import Encoder
from costline.models.parts import Elementwise, ExpertLinear, Linear, Part, Weights


def build_decoder(shape: DecoderShape, name: str, architecture: str, *, source: str = "", note: str = "") -> Decoder:
    """Decoder of a shape.

    Examples
    --------
    >>> shape = DecoderShape(layers=2, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=32, ffn=16)
    >>> build_decoder(shape, "tiny", "LlamaForCausalLM").params
    1704
    """
    first, last = (*embedding_parts(shape), *layer_norms(shape)), (*feed_forward_parts(shape), *head_parts(shape))
    absorbed = (*first, *mixer_parts(shape, "context", cached=True, absorbed=True), *last) if shape.kv_lora else None
    return Decoder(
        name=name,
        architecture=architecture,
        parts=(*first, *mixer_parts(shape, "context", cached=True), *last),
        layers=shape.layers,
        hidden_size=shape.hidden,
        source=source,
        vocab_size=shape.vocab,
        max_context=shape.max_context,
        absorbed=absorbed,
        shape=shape,
        note=note,
    )


def build_trunk(shape: DecoderShape, name: str, architecture: str, *, source: str = "") -> Encoder:
    """A decoder's trunk as a text encoder: no output head, nothing cached."""
    parts = (
        *embedding_parts(shape),
        *layer_norms(shape),
        *mixer_parts(shape, ROWS, cached=False),
        *feed_forward_parts(shape),
        *_final_norm(shape),
    )
    return Encoder(
        name=name, architecture=architecture, parts=parts, layers=shape.layers, hidden_size=shape.hidden, source=source
    )


def embedding_parts(shape: DecoderShape) -> tuple[Part, ...]:
    """Token table, learned positions, projection and norm of the embedding."""
    width = shape.embed_width or shape.hidden
    parts: list[Part] = [Weights(name="embed/tokens", count=shape.vocab * width, rows=ROWS, width=width)]
    if np.any(width != shape.hidden):
        parts.append(Linear(name="embed/project", inputs=width, outputs=shape.hidden, rows=ROWS, bias=False))
    if shape.positions:
        count = shape.positions * shape.hidden
        parts.append(Weights(name="embed/positions", count=count, rows=ROWS, width=shape.hidden))
    if shape.embed_norm:
        parts.append(_norm(shape, "embed/norm"))
    return tuple(parts)


def _norm(shape: DecoderShape, name: str, repeat: int = 1) -> Elementwise:
    return norm(name, shape.hidden, ROWS, repeat=repeat, bias=shape.norm_bias, affine=shape.norm_affine)


def layer_norms(shape: DecoderShape) -> tuple[Part, ...]:
    """Norms and residual sums of all layers."""
    names = {
        1: ("block/norm",),
        2: ("block/attention/norm", "block/mlp/norm"),
        4: ("block/attention/norm", "block/attention/post_norm", "block/mlp/norm", "block/mlp/post_norm"),
    }[shape.norms]
    norms = [_norm(shape, name, shape.layers) for name in names]
    if shape.parallel:  # x + attention + mlp in one sum: three reads, one write
        return (
            *norms,
            Elementwise(name="block/residual", rows=ROWS, width=shape.hidden, passes=4, repeat=shape.layers),
        )
    mixers = shape.attention_count + shape.mamba_layers + shape.delta_layers + shape.lightning_layers
    return (
        *norms,
        residual("block/attention/residual", shape.hidden, ROWS, repeat=mixers),
        residual("block/mlp/residual", shape.hidden, ROWS, repeat=shape.dense_count + shape.moe_count),
    )


def feed_forward_parts(shape: DecoderShape) -> tuple[Part, ...]:
    """Dense layers and layers of experts."""
    parts: list[Part] = []
    if np.any(shape.dense_count):
        parts += feed_forward(
            "block/mlp", shape.hidden, shape.ffn, ROWS, repeat=shape.dense_count, gated=shape.gated, bias=shape.ffn_bias
        )
    if shape.ffn_scalars:
        parts.append(Weights(name="block/mlp/scalars", count=shape.ffn_scalars, repeat=shape.dense_count))
    if np.any(shape.moe_count):
        parts += expert_parts(shape)
    return tuple(parts)


def expert_parts(shape: DecoderShape) -> list[Part]:
    """Router, dispatch, experts, combine, shared experts of all layers that have them."""
    repeat, active = shape.moe_count, shape.active_experts
    inner = shape.expert_latent or shape.hidden
    parts: list[Part] = [_replicated("block/moe/router", shape.hidden, shape.experts, repeat, bias=shape.router_bias)]
    if shape.expert_latent:
        parts.append(_replicated("block/moe/latent_in", shape.hidden, inner, repeat, bias=shape.ffn_bias))
    parts += routed_experts(
        inner, shape.expert_ffn, shape.experts, active, gated=shape.gated, bias=shape.expert_bias, repeat=repeat
    )
    if shape.expert_latent:
        parts.append(_replicated("block/moe/latent_out", inner, shape.hidden, repeat, bias=shape.ffn_bias))
    if np.any(shape.shared_ffn):
        parts += feed_forward(
            "block/shared", shape.hidden, shape.shared_ffn, ROWS, repeat=repeat, gated=shape.gated, bias=shape.ffn_bias
        )
        parts.append(residual("block/shared/residual", shape.hidden, ROWS, repeat=repeat))
    if shape.shared_gate:
        parts.append(_replicated("block/shared/switch", shape.hidden, 1, repeat, bias=False))
    return parts


def _replicated(name: str, inputs: int, outputs: int, repeat: int, *, bias: bool) -> Linear:
    return Linear(
        name=name, inputs=inputs, outputs=outputs, rows=ROWS, bias=bias, shard="replicated", repeat=repeat, saves=False
    )


def routed_experts(
    inner: int, width: int, experts: int, active: int, *, gated: bool, bias: bool, repeat: int
) -> list[Part]:
    """Experts with dispatch and combine, after the router.

    Parameters
    ----------
    inner, width : int
        Width of the tokens, of one expert. [feature]
    experts, active : int
        Experts of a layer, and those a token visits.
    gated, bias : bool
        Three matrices, not two; whether they have biases.
    repeat : int
        Layers.
    """

    def layer(name: str, inputs: int, outputs: int, *, row: bool = False, saves: bool = True) -> ExpertLinear:
        return ExpertLinear(
            name=f"block/moe/{name}", inputs=inputs, outputs=outputs, experts=experts, active=active, rows=ROWS,
            bias=bias, shard="row" if row else "column", saves=saves, repeat=repeat,
        )  # fmt: skip

    def moved(name: str) -> Elementwise:
        return Elementwise(
            name=f"block/moe/{name}", rows=ROWS, width=active * inner, passes=1 + 1 / active, repeat=repeat
        )

    gate = [layer("gate", inner, width, saves=False)] if gated else []
    activation = Elementwise(
        name="block/moe/activation", rows=ROWS, width=active * width, passes=3 if gated else 2,
        saves=2 if gated else 1, shard="column", repeat=repeat,
    )  # fmt: skip
    # a token's row is copied to each expert it visits; their outputs are summed into one row
    products = [*gate, layer("up", inner, width), activation, layer("down", width, inner, row=True)]
    return [*products, moved("dispatch"), moved("combine")]


def _final_norm(shape: DecoderShape) -> tuple[Part, ...]:
    return (_norm(shape, "head/norm"),) if shape.final_norm else ()


def head_parts(shape: DecoderShape) -> tuple[Part, ...]:
    """Final norm, output head and softmax over the vocabulary."""
    width = shape.embed_width or shape.hidden
    parts: list[Part] = [*_final_norm(shape)]
    if np.any(width != shape.hidden):
        parts.append(Linear(name="head/project", inputs=shape.hidden, outputs=width, rows="logits", bias=False))
    parts += [
        Linear(
            name="head/logits", inputs=width, outputs=shape.vocab, rows="logits", bias=shape.head_bias,
            weights=not shape.tied,
        ),
        Elementwise(name="head/softmax", rows="logits", width=shape.vocab, passes=2, shard="column"),
    ]  # fmt: skip
    return tuple(parts)
