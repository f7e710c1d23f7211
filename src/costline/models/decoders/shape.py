"""The shape of a decoder: every number that changes its parameters, FLOPs or cache, whatever its configuration said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

import numpy as np

from costline.errors import ConfigError

QueryKeyNorm: TypeAlias = Literal["none", "plain", "head", "width"]
"""Norm of queries and keys: none, without a scale (Llama 4), one scale of a head's width, one of all heads' width.

One of a head's width has a bias where the layers' norms have one (Phi-2), one of all heads' width none (StableLM 2).
"""
Local: TypeAlias = Literal["window", "chunk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderShape:
    """Dimensions of a decoder; zero (or False) where a feature is absent, None where the usual rule applies.

    Attributes
    ----------
    layers, hidden, heads, kv_heads, head_dim, vocab : int
        Repeated blocks, width of the residual stream, query heads, key/value heads, width of a head, embedding rows.
    ffn : int
        Width of a dense feed-forward network. [feature]
    gated : bool
        Three matrices (SwiGLU, GEGLU) instead of two, also in experts.
    ffn_scalars : int
        Learned numbers of an activation (xIELU of Apertus: 2).
    tied : bool
        The output head multiplies by the embedding table.
    embed_width : int
        Width of the embedding table where it differs from `hidden` (OPT-350M). [feature]
    positions : int
        Rows of a learned position table. [token]
    rotary, embed_norm : bool
        Rotary embedding of queries and keys; a norm after the embedding (BLOOM).
    qkv_bias, out_bias, ffn_bias, head_bias : bool
        Biases of query, key and value; of the attention output; of the feed-forward network; of the output head.
    norm_bias, norm_affine, final_norm : bool
        LayerNorm with a bias; a scale at all; a norm before the head.
    norms : int
        Norms of one layer: 2, 4 (Gemma 2), 1 (parallel blocks of GPT-J; blocks of Nemotron-H).
    qk_norm : {"none", "plain", "head", "width"}
        See `QueryKeyNorm`.
    parallel : bool
        Attention and feed-forward network side by side on the same input, one residual sum.
    sinks, query_gate : bool
        One learned logit a head (gpt-oss); an output gate as wide as the queries (Qwen3-Next).
    local_layers, local_tokens, local_kind : int, int, {"window", "chunk"}
        Layers that attend only nearby, how far, and whether by sliding window or by fixed chunk.
    max_context : int or None
        Longest context the configuration states. [token]
    q_lora, kv_lora, qk_nope, qk_rope, v_dim : int
        Latent attention (MLA, if `kv_lora` > 0): query rank (0: no down-projection), key/value rank, widths of a key
        without and with rotary embedding, width of a value. `kv_heads` and `head_dim` are then not used.
    latent_bias : bool
        Biases of the down-projections and the output projection of latent attention.
    index_layers, index_heads, index_dim, index_topk : int
        Sparse attention (DSA): layers with an indexer of their own, its heads, their width, keys selected.
    experts, active_experts, expert_ffn : int
        Routed experts of a layer, those a token visits, width of one.
    shared_ffn : int
        Width of all shared experts together. [feature]
    shared_gate, router_bias, expert_bias : bool
        A sigmoid gate on the shared expert (Qwen2-MoE); biases of the router and of the experts (gpt-oss).
    expert_latent : int
        Width the tokens are projected to before the experts (LatentMoE of Nemotron 3). [feature]
    dense_layers, moe_layers, attention_layers : int or None
        Layers with a dense network, with experts, with attention. None: every layer has attention unless it has a
        recurrent mixer; all layers are dense, or, where there are experts, all that are not counted in `dense_layers`.
    mamba_layers, mamba_heads, mamba_head_dim, mamba_groups, mamba_state : int
        Mamba-2 layers and their dimensions; in Mamba-1 a head is one channel.
    mamba_rank : int
        Rank of the step of Mamba-1 (Jamba); 0: Mamba-2.
    mamba_norm : bool
        The gated norm of Mamba-2; in Mamba-1 norms of step, input and output vectors (Jamba has them, Mamba not).
    delta_layers, delta_key_heads, delta_value_heads, delta_key_dim, delta_value_dim : int
        Gated delta-net layers (Qwen3-Next) and their dimensions.
    delta_rank : int
        Rank of the gates of forgetting and of the output, a number a channel (Kimi Linear); 0: a number a head, and
        an output gate of full rank.
    lightning_layers : int
        Layers of linear attention with a fixed decay and a gated, normed output (MiniMax-01); heads as in the others.
    conv_kernel, conv_bias : int, bool
        Taps and bias of the short convolution of a recurrent mixer.
    """

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    ffn: int = 0
    gated: bool = True
    ffn_scalars: int = 0
    tied: bool = False
    embed_width: int = 0
    positions: int = 0
    rotary: bool = True
    embed_norm: bool = False
    qkv_bias: bool = False
    out_bias: bool = False
    ffn_bias: bool = False
    head_bias: bool = False
    norm_bias: bool = False
    norm_affine: bool = True
    final_norm: bool = True
    norms: int = 2
    qk_norm: QueryKeyNorm = "none"
    parallel: bool = False
    sinks: bool = False
    query_gate: bool = False
    local_layers: int = 0
    local_tokens: int = 0
    local_kind: Local = "window"
    max_context: int | None = None
    q_lora: int = 0
    kv_lora: int = 0
    qk_nope: int = 0
    qk_rope: int = 0
    v_dim: int = 0
    latent_bias: bool = False
    index_layers: int = 0
    index_heads: int = 0
    index_dim: int = 0
    index_topk: int = 0
    experts: int = 0
    active_experts: int = 0
    expert_ffn: int = 0
    shared_ffn: int = 0
    shared_gate: bool = False
    router_bias: bool = False
    expert_bias: bool = False
    expert_latent: int = 0
    dense_layers: int | None = None
    moe_layers: int | None = None
    attention_layers: int | None = None
    mamba_layers: int = 0
    mamba_heads: int = 0
    mamba_head_dim: int = 0
    mamba_groups: int = 0
    mamba_state: int = 0
    mamba_rank: int = 0
    mamba_norm: bool = True
    delta_layers: int = 0
    delta_key_heads: int = 0
    delta_value_heads: int = 0
    delta_key_dim: int = 0
    delta_value_dim: int = 0
    delta_rank: int = 0
    lightning_layers: int = 0
    conv_kernel: int = 0
    conv_bias: bool = False

    def __post_init__(self) -> None:
        faults = [*self._size_faults(), *self._relation_faults()]
        if faults:
            raise ConfigError("impossible decoder: " + "; ".join(faults))

    def _size_faults(self) -> list[str]:
        needed = ("layers", "hidden", "vocab", "norms")
        return [
            f"{name} must be at least 1, got {getattr(self, name)}" for name in needed if getattr(self, name) < 1
        ] + [
            f"{item.name} must not be negative, got {getattr(self, item.name)}"
            for item in fields(self)
            if isinstance(getattr(self, item.name), int) and getattr(self, item.name) < 0
        ]

    def _relation_faults(self) -> list[str]:
        attending, dense, moe = self.attention_count, self.dense_count, self.moe_count
        checks = (
            (attending and not self.kv_lora and min(self.heads, self.kv_heads, self.head_dim) < 1,
             "attention needs heads, kv_heads and head_dim"),
            (attending and not self.kv_lora and self.kv_heads and self.heads % self.kv_heads,
             f"heads ({self.heads}) is not a multiple of kv_heads ({self.kv_heads})"),
            (self.active_experts > self.experts,
             f"active_experts ({self.active_experts}) exceeds experts ({self.experts})"),
            (moe > 0 and min(self.experts, self.active_experts, self.expert_ffn) < 1,
             "a mixture of experts needs experts, active_experts and expert_ffn"),
            (dense > 0 and self.ffn < 1, f"{dense} dense layers need ffn"),
            (min(dense, moe, attending) < 0 or max(dense, moe, attending) > self.layers,
             f"layers of one kind exceed the {self.layers} layers"),
            (self.local_layers > attending, f"local_layers ({self.local_layers}) exceeds {attending} attention layers"),
            (self.local_layers > 0 and self.local_tokens < 1, "local_layers needs local_tokens"),
            (self.norms not in {1, 2, 4}, f"norms must be 1, 2 or 4, got {self.norms}"),
        )  # fmt: skip
        return [message for wrong, message in checks if wrong]

    @property
    def attention_count(self) -> int:
        """Layers with attention. [layer]"""
        if self.attention_layers is not None:
            return self.attention_layers
        return self.layers - self.mamba_layers - self.delta_layers - self.lightning_layers

    @property
    def dense_count(self) -> int:
        """Layers with a dense feed-forward network. [layer]"""
        if self.dense_layers is not None:
            return self.dense_layers
        return 0 if np.any(self.experts) else self.layers

    @property
    def moe_count(self) -> int:
        """Layers with experts. [layer]"""
        if self.moe_layers is not None:
            return self.moe_layers
        return self.layers - self.dense_count if np.any(self.experts) else 0


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put `name` before the message of a `ConfigError` that lacks it.

    Examples
    --------
    >>> with naming("tiny"):
    ...     DecoderShape(layers=0, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=32, ffn=16)
    Traceback (most recent call last):
    ...
    costline.errors.ConfigError: tiny: impossible decoder: layers must be at least 1, got 0
    """
    try:
        yield
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if message.startswith(name) else f"{name}: {message}") from None


CORE = ("layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocab", "gated", "tied")
"""Fields a description always shows."""


def describe_shape(shape: DecoderShape) -> dict[str, int | bool | str | None]:
    """Name and value of every field that says something: the core ones and those that differ from their default.

    Examples
    --------
    >>> shape = DecoderShape(layers=2, hidden=8, heads=2, kv_heads=1, head_dim=4, vocab=32, ffn=16, norms=4)
    >>> describe_shape(shape)["norms"], "experts" in describe_shape(shape)
    (4, False)
    """
    return {
        item.name: getattr(shape, item.name)
        for item in fields(shape)
        if item.name in CORE or getattr(shape, item.name) != item.default
    }
