"""Token mixers of decoders: grouped-query attention, latent attention (MLA) and its absorbed form, recurrent mixers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from costline.models.blocks import attention, norm
from costline.models.decoders.shape import DecoderShape
from costline.models.parts import Attention, Convolution, Elementwise, Linear, LinearAttention, Mask, Part, Weights

ROWS = "tokens"


def mixer_parts(shape: DecoderShape, keys: str, *, cached: bool, absorbed: bool = False) -> tuple[Part, ...]:
    """Parts of every token mixer of the model.

    Parameters
    ----------
    shape : DecoderShape
        The model.
    keys : str
        Stream of the keys: ``context`` in a decoder, ``tokens`` in a trunk that encodes.
    cached : bool
        Whether keys and values are kept for later tokens.
    absorbed : bool
        Latent attention as serving engines run a decode step.
    """
    parts: list[Part] = []
    if shape.kv_lora and np.any(shape.attention_count):
        parts += latent_attention(shape, keys, cached=cached, absorbed=absorbed)
    elif np.any(shape.attention_count):
        mask: Mask = "chunk" if shape.local_kind == "chunk" else "window"
        parts += _grouped(shape, "block/local", shape.local_layers, keys, cached, mask)
        parts += _grouped(shape, "block/attention", shape.attention_count - shape.local_layers, keys, cached, "causal")
    if shape.mamba_layers:
        parts += (selective if shape.mamba_rank else mamba)(shape, cached=cached)
    if shape.delta_layers:
        parts += delta_net(shape, cached=cached)
    if shape.lightning_layers:
        parts += lightning(shape, cached=cached)
    return tuple(parts)


def _grouped(shape: DecoderShape, name: str, repeat: int, keys: str, cached: bool, mask: Mask) -> list[Part]:
    """Grouped-query attention of `repeat` layers."""
    if not np.any(repeat):
        return []
    window = 0 if mask == "causal" else shape.local_tokens
    parts = [
        *attention(
            name, shape.hidden, shape.heads, shape.head_dim, ROWS, repeat=repeat, key_heads=shape.kv_heads,
            bias=shape.qkv_bias, out_bias=shape.out_bias, mask=mask, window=window, cached=cached and keys != ROWS,
        ),
    ]  # fmt: skip
    queries, both = shape.heads * shape.head_dim, (shape.heads + shape.kv_heads) * shape.head_dim
    if shape.qk_norm != "none":
        held = {"plain": 0, "head": 2 * shape.head_dim * (1 + shape.norm_bias), "width": both}[shape.qk_norm]
        parts.append(_sharded(f"{name}/qk_norm", both, repeat, held=held, saves=1))
    if shape.rotary:
        parts.append(_sharded(f"{name}/rotary", both, repeat))
    if shape.query_gate:
        parts.append(
            Linear(
                name=f"{name}/gate", inputs=shape.hidden, outputs=queries, rows=ROWS, bias=shape.qkv_bias,
                repeat=repeat, saves=False,
            )
        )  # fmt: skip
        parts.append(_sharded(f"{name}/gating", queries, repeat, passes=3, saves=2))
    if shape.sinks:
        parts.append(Weights(name=f"{name}/sinks", count=shape.heads, repeat=repeat))
    return parts


def _sharded(name: str, width: int, repeat: int, *, passes: float = 2, saves: float = 0, held: int = 0) -> Elementwise:
    """Element-wise work on heads, which tensor parallelism divides."""
    return Elementwise(
        name=name, rows=ROWS, width=width, passes=passes, saves=saves, held=held, repeat=repeat, shard="column"
    )


def latent_attention(shape: DecoderShape, keys: str, *, cached: bool, absorbed: bool) -> list[Part]:
    """Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1), with an indexer where there is one."""
    repeat, name = shape.attention_count, "block/attention"
    core = Attention(
        name=f"{name}/core", queries=ROWS, keys=keys, heads=shape.heads, key_heads=shape.heads,
        key_dim=shape.qk_nope + shape.qk_rope, value_dim=shape.v_dim, mask="selected" if shape.index_topk else "causal",
        window=shape.index_topk, cache_width=(shape.kv_lora + shape.qk_rope) * cached, repeat=repeat,
    )  # fmt: skip
    parts = _latent_projections(shape, name)
    if absorbed:
        # score = (W_UK^T q)^T c: the query goes down to the latent, so that neither keys nor values are ever expanded.
        # One small product a head; written as one product with the weights of all heads, which has the same FLOPs,
        # weights and outputs. All heads share one cached row, whose first kv_lora elements are also the value.
        parts += [
            _product(f"{name}/absorb_query", shape.qk_nope, shape.heads * shape.kv_lora, repeat),
            replace(core, key_heads=1, key_dim=shape.kv_lora + shape.qk_rope, value_dim=shape.kv_lora),
            _product(f"{name}/absorb_value", shape.kv_lora, shape.heads * shape.v_dim, repeat),
        ]
    else:
        parts += [_product(f"{name}/kv_up", shape.kv_lora, shape.heads * (shape.qk_nope + shape.v_dim), repeat), core]
    if shape.rotary:
        parts.append(_sharded(f"{name}/rotary", (shape.heads + 1) * shape.qk_rope, repeat))
    parts.append(
        Linear(
            name=f"{name}/out", inputs=shape.heads * shape.v_dim, outputs=shape.hidden, rows=ROWS,
            bias=shape.latent_bias, shard="row", repeat=repeat,
        )
    )  # fmt: skip
    return parts + _indexer(shape, keys, cached)


def _product(name: str, inputs: int, outputs: int, repeat: int, *, saves: bool = True) -> Linear:
    return Linear(name=name, inputs=inputs, outputs=outputs, rows=ROWS, bias=False, repeat=repeat, saves=saves)


def _latent_projections(shape: DecoderShape, name: str) -> list[Part]:
    """Queries (through their own latent, if any) and the shared latent of keys and values."""
    repeat, queries = shape.attention_count, shape.heads * (shape.qk_nope + shape.qk_rope)
    latent = shape.kv_lora + shape.qk_rope

    def down(part: str, width: int, saves: bool) -> Linear:
        return Linear(
            name=f"{name}/{part}", inputs=shape.hidden, outputs=width, rows=ROWS, bias=shape.latent_bias,
            shard="replicated", repeat=repeat, saves=saves,
        )  # fmt: skip

    kv = [down("kv_down", latent, saves=False), norm(f"{name}/kv_norm", shape.kv_lora, ROWS, repeat=repeat)]
    if not shape.q_lora:
        return [_product(f"{name}/query", shape.hidden, queries, repeat), *kv]
    return [
        down("query_down", shape.q_lora, saves=True),
        norm(f"{name}/query_norm", shape.q_lora, ROWS, repeat=repeat),
        _product(f"{name}/query_up", shape.q_lora, queries, repeat),
        *kv,
    ]


def _indexer(shape: DecoderShape, keys: str, cached: bool) -> list[Part]:
    """Lightning indexer of DeepSeek-V3.2: few cheap heads score every key, the best `index_topk` are attended to."""
    repeat, name = shape.index_layers, "block/index"
    if not repeat:
        return []

    def replicated(part: str, inputs: int, outputs: int) -> Linear:
        return Linear(
            name=f"{name}/{part}", inputs=inputs, outputs=outputs, rows=ROWS, bias=False, shard="replicated",
            repeat=repeat, saves=False,
        )  # fmt: skip

    return [
        replicated("query", shape.q_lora, shape.index_heads * shape.index_dim),
        replicated("key", shape.hidden, shape.index_dim),
        norm(f"{name}/key_norm", shape.index_dim, ROWS, repeat=repeat, bias=True),
        replicated("weights", shape.hidden, shape.index_heads),
        # the value of width 1 is the weighted sum of the heads' scores
        Attention(
            name=f"{name}/core", queries=ROWS, keys=keys, heads=shape.index_heads, key_heads=1,
            key_dim=shape.index_dim, value_dim=1, mask="causal", cache_width=shape.index_dim * cached, repeat=repeat,
        ),
    ]  # fmt: skip


def mamba(shape: DecoderShape, *, cached: bool) -> list[Part]:
    """Mamba-2 mixer (Dao & Gu 2024, arXiv:2405.21060): in-projection, short convolution, state, gated norm, out."""
    inner, name, repeat = shape.mamba_heads * shape.mamba_head_dim, "block/mamba", shape.mamba_layers
    mixed = inner + 2 * shape.mamba_groups * shape.mamba_state
    state = inner * shape.mamba_state
    return [
        _product(f"{name}/in", shape.hidden, inner + mixed + shape.mamba_heads, repeat),
        _short_convolution(name, mixed, shape, repeat),
        # recurrent form: one product into the state, one out of it; the decay is element-wise and not counted
        LinearAttention(
            name=f"{name}/core",
            rows=ROWS,
            state_flops_per_token=4 * state,
            width=inner,
            repeat=repeat,
            state=(state + (shape.conv_kernel - 1) * mixed) * cached,
        ),
        Weights(name=f"{name}/decay", count=3 * shape.mamba_heads, repeat=repeat),
        _sharded(f"{name}/gated_norm", inner, repeat, passes=3, saves=2, held=inner * shape.mamba_norm),
        _mixer_out(name, inner, shape, repeat),
    ]


def selective(shape: DecoderShape, *, cached: bool) -> list[Part]:
    """Mamba-1 mixer (Gu & Dao 2023, arXiv:2312.00752): each channel has a state and a step of its own.

    The step, of low rank, and the vectors into and out of the state are products of the convolved channels.
    """
    inner, name, repeat = shape.mamba_heads * shape.mamba_head_dim, "block/mamba", shape.mamba_layers
    chosen, state = shape.mamba_rank + 2 * shape.mamba_state, inner * shape.mamba_state
    parts = [
        _product(f"{name}/in", shape.hidden, 2 * inner, repeat),
        _short_convolution(name, inner, shape, repeat),
        Linear(name=f"{name}/select", inputs=inner, outputs=chosen, rows=ROWS, bias=False, shard="row", repeat=repeat),
        Linear(name=f"{name}/step", inputs=shape.mamba_rank, outputs=inner, rows=ROWS, bias=True, repeat=repeat),
        LinearAttention(
            name=f"{name}/core", rows=ROWS, state_flops_per_token=4 * state, width=inner, repeat=repeat,
            state=(state + (shape.conv_kernel - 1) * inner) * cached,
        ),
        Weights(name=f"{name}/decay", count=state + inner, repeat=repeat),
        _sharded(f"{name}/gating", inner, repeat, passes=3, saves=2),
        _mixer_out(name, inner, shape, repeat),
    ]  # fmt: skip
    return [*parts, norm(f"{name}/select_norm", chosen, ROWS, repeat=repeat)] if shape.mamba_norm else parts


def _mixer_out(name: str, inner: int, shape: DecoderShape, repeat: int) -> Linear:
    return Linear(
        name=f"{name}/out", inputs=inner, outputs=shape.hidden, rows=ROWS, bias=False, shard="row", repeat=repeat
    )


def _short_convolution(name: str, channels: int, shape: DecoderShape, repeat: int) -> Convolution:
    return Convolution(
        name=f"{name}/convolution", inputs=channels, outputs=channels, kernel=shape.conv_kernel, positions=ROWS,
        groups=channels, bias=shape.conv_bias, repeat=repeat,
    )  # fmt: skip


def delta_net(shape: DecoderShape, *, cached: bool) -> list[Part]:
    """Gated delta net (Yang et al. 2024, arXiv:2412.06464) as in Qwen3-Next, or Kimi Linear (Kimi Team 2025)."""
    name, repeat, rank = "block/delta", shape.delta_layers, shape.delta_rank
    keys, values = shape.delta_key_heads * shape.delta_key_dim, shape.delta_value_heads * shape.delta_value_dim
    state = values * shape.delta_key_dim
    mixed = 2 * keys + values
    # beside queries, keys and values: a rate of writing a head; forgetting and output gate, through their ranks if any
    gates = 2 * rank if rank else values + shape.delta_value_heads
    held = keys + shape.delta_key_heads if rank else 2 * shape.delta_value_heads
    return [
        _product(f"{name}/in", shape.hidden, mixed + gates + shape.delta_value_heads, repeat),
        *([_product(f"{name}/gates", rank, keys + values, repeat)] if rank else []),
        _short_convolution(name, mixed, shape, repeat),
        # three products with the state: what the key recalls, the corrected outer product, what the query reads
        LinearAttention(
            name=f"{name}/core", rows=ROWS, state_flops_per_token=6 * state, width=values, repeat=repeat,
            state=(state + (shape.conv_kernel - 1) * mixed) * cached,
        ),
        Weights(name=f"{name}/decay", count=held, repeat=repeat),
        _sharded(f"{name}/gated_norm", values, repeat, passes=3, saves=2, held=shape.delta_value_dim),
        _mixer_out(name, values, shape, repeat),
    ]  # fmt: skip


def lightning(shape: DecoderShape, *, cached: bool) -> list[Part]:
    """Lightning attention (Qin et al. 2024, arXiv:2401.04658) of MiniMax-01: linear, gated, normed over all heads."""
    name, repeat, inner = "block/lightning", shape.lightning_layers, shape.heads * shape.head_dim
    state = inner * shape.head_dim
    return [
        _product(f"{name}/in", shape.hidden, 4 * inner, repeat),
        # recurrent form: one product into the state, one out of it, as in Mamba-2
        LinearAttention(
            name=f"{name}/core", rows=ROWS, state_flops_per_token=4 * state, width=inner, repeat=repeat,
            state=state * cached,
        ),
        _sharded(f"{name}/gated_norm", inner, repeat, passes=3, saves=2, held=inner),
        _mixer_out(name, inner, shape, repeat),
    ]  # fmt: skip
