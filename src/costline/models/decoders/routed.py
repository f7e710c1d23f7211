"""Mixtures of experts that changed a line of Mixtral or GLM-4.5: which layers have experts, what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Config, Count, Flag, Size, head_width
from costline.models.decoders.dense import MULTIPLIERS
from costline.models.decoders.fields import DecoderConfig, MlpTypes, dense_layers, each_layer, local_layers
from costline.models.decoders.llama import DenseConfig
from costline.models.decoders.moe import MixtralConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class Ernie45MoeConfig(DenseConfig):
    """transformers ``Ernie4_5_MoeConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "moe_norm_min", "moe_capacity", "moe_gate", "moe_use_aux_free",
    }  # fmt: skip
    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"moe_layer_interval"}
    vocab_size: Size = 103424
    hidden_size: Size = 2560
    intermediate_size: Size = 12288
    num_hidden_layers: Size = 28
    num_attention_heads: Size = 20
    num_key_value_heads: Size | None = 4
    max_position_embeddings: Size = 131072
    tie_word_embeddings: Flag = True
    use_bias: Flag = False
    use_rmsnorm: Literal[True] = True
    moe_intermediate_size: Size = 1536
    moe_k: Size = 6
    moe_num_experts: Size = 64
    moe_num_shared_experts: Count = 2
    moe_layer_start_index: Count = 1
    moe_layer_end_index: Count | Literal[-1] = -1
    moe_layer_interval: Size = 1

    def moe_count(self) -> int:
        """Layers with experts: every so many, counted from the first layer, between two bounds."""
        layers, step = self.num_hidden_layers, self.moe_layer_interval
        last = layers - 1 if self.moe_layer_end_index == -1 else min(self.moe_layer_end_index, layers - 1)
        return max(0, (last + 1) // step - self.moe_layer_start_index // step)


def ernie45_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Ernie4_5_MoeForCausalLM``; the correction bias of the router counts as its bias."""
    read = Ernie45MoeConfig.read(config, name)
    bias, moe = read.use_bias, read.moe_count()
    return DecoderShape(
        **read.dimensions(), qkv_bias=bias, out_bias=bias, ffn_bias=bias, head_bias=bias, router_bias=True,
        experts=read.moe_num_experts, active_experts=read.moe_k, expert_ffn=read.moe_intermediate_size,
        shared_ffn=read.moe_num_shared_experts * read.moe_intermediate_size,
        dense_layers=read.num_hidden_layers - moe, moe_layers=moe,
    )  # fmt: skip


class PhimoeConfig(MixtralConfig):
    """transformers ``PhimoeConfig``."""

    neutral: ClassVar[frozenset[str]] = MixtralConfig.neutral | {"input_jitter_noise", "expert_dropout"}
    vocab_size: Size = 32064
    intermediate_size: Size = 6400
    num_local_experts: Size = 16
    attention_bias: Flag = False
    lm_head_bias: Flag = False


def phimoe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``PhimoeForCausalLM`` (Phi-3.5-MoE): LayerNorm with a bias."""
    read = PhimoeConfig.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    return DecoderShape(
        **read.routed(), **local_layers(layers, read.sliding_window, None, layers, name), qkv_bias=bias, out_bias=bias,
        head_bias=read.lm_head_bias, norm_bias=True,
    )  # fmt: skip


class OlmoeConfig(DenseConfig):
    """transformers ``OlmoeConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"clip_qkv"}
    vocab_size: Size = 50304
    hidden_size: Size = 2048
    intermediate_size: Size = 2048
    num_hidden_layers: Size = 16
    num_attention_heads: Size = 16
    max_position_embeddings: Size = 4096
    attention_bias: Flag = False
    num_experts_per_tok: Size = 8
    num_experts: Size = 64


def olmoe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``OlmoeForCausalLM``."""
    read = OlmoeConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(
        **{**read.dimensions(), "ffn": 0}, qkv_bias=bias, out_bias=bias, qk_norm="width", experts=read.num_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.intermediate_size,
    )  # fmt: skip


class GraniteMoeConfig(MixtralConfig):
    """transformers ``GraniteMoeConfig``, ``GraniteMoeSharedConfig``."""

    neutral: ClassVar[frozenset[str]] = MixtralConfig.neutral | MULTIPLIERS
    intermediate_size: Size = 11008
    num_key_value_heads: Size | None = None
    max_position_embeddings: Size = 2048
    sliding_window: None = None
    attention_bias: Flag = False
    shared_intermediate_size: Count = 0


def granite_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GraniteMoeForCausalLM`` and ``GraniteMoeSharedForCausalLM``."""
    read = GraniteMoeConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(**read.routed(), qkv_bias=bias, out_bias=bias, shared_ffn=read.shared_intermediate_size)


class Dots1Config(DenseConfig):
    """transformers ``Dots1Config``, whose own numbers of experts are none."""

    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"sliding_window", "max_window_layers"}
    vocab_size: Size = 152064
    hidden_size: Size = 4608
    intermediate_size: Size = 10944
    num_hidden_layers: Size = 62
    num_key_value_heads: Size | None = 32
    attention_bias: Flag = False
    moe_intermediate_size: Size = 1408
    n_shared_experts: Count | None = None
    n_routed_experts: Size
    num_experts_per_tok: Size
    first_k_dense_replace: Count = 0
    moe_layer_freq: Literal[1] = 1
    sliding_window: Size | None = 4096
    max_window_layers: Count = 62
    layer_types: list[str] | None = None


def dots1_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Dots1ForCausalLM`` (dots.llm1)."""
    read = Dots1Config.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    sliding = max(layers - read.max_window_layers, 0)
    return DecoderShape(
        **read.dimensions(), **local_layers(sliding, read.sliding_window, read.layer_types, layers, name),
        qkv_bias=bias, out_bias=bias, qk_norm="head", experts=read.n_routed_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.moe_intermediate_size,
        shared_ffn=(read.n_shared_experts or 0) * read.moe_intermediate_size,
        dense_layers=min(read.first_k_dense_replace, layers),
    )  # fmt: skip


class SolarOpenConfig(DenseConfig):
    """transformers ``SolarOpenConfig``: all layers have experts, so that `intermediate_size` is of none."""

    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"intermediate_size"}
    vocab_size: Size = 196608
    num_hidden_layers: Size = 48
    num_attention_heads: Size = 64
    num_key_value_heads: Size | None = 8
    head_dim: Size | None = 128
    max_position_embeddings: Size = 131072
    attention_bias: Flag = False
    moe_intermediate_size: Size = 1280
    num_experts_per_tok: Size = 8
    n_shared_experts: Count = 1
    n_routed_experts: Size = 128
    first_k_dense_replace: Literal[0] = 0
    use_qk_norm: Literal[False] = False


def solar_open_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``SolarOpenForCausalLM``."""
    read = SolarOpenConfig.read(config, name)
    return DecoderShape(
        **{**read.dimensions(), "ffn": 0}, qkv_bias=read.attention_bias, experts=read.n_routed_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.moe_intermediate_size,
        shared_ffn=read.n_shared_experts * read.moe_intermediate_size,
    )  # fmt: skip


class HunYuanMoeConfig(DenseConfig):
    """transformers ``HunYuanMoEV1Config``: one shared expert as wide as a routed one; lists have a number a layer."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "cla_share_factor", "eod_token_id", "attention_head_dim", "norm_type", "moe_drop_tokens",
        "moe_random_routing_dropped_token", "capacity_factor",
    }  # fmt: skip
    vocab_size: Size = 290943
    attention_bias: Flag = False
    mlp_bias: Literal[False] = False
    use_cla: Literal[False] = False
    use_qk_norm: Literal[True] = True
    use_mixed_mlp_moe: Literal[True] = True
    num_experts: Size | list[Size] = 1
    moe_topk: Size | list[Size] = 1
    num_shared_expert: Size | list[Size] = 1
    moe_intermediate_size: Size | list[Size] | None = None
    moe_layer_num_skipped: Literal[0] = 0

    def alike(self, field: str, name: str) -> int:
        """A number that all layers share, whether it is written once or once a layer."""
        value = getattr(self, field)
        if not isinstance(value, list):
            return int(value)
        each_layer(value, self.num_hidden_layers, field)
        if len(set(value)) > 1:
            raise ConfigError(f"{name}: {field!r} differs between layers, from {min(value)} to {max(value)}")
        return int(value[0])


def hunyuan_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``HunYuanMoEV1ForCausalLM`` (Hunyuan-A13B)."""
    read = HunYuanMoeConfig.read(config, name)
    bias, width = read.attention_bias, read.intermediate_size
    if read.moe_intermediate_size is not None and read.alike("moe_intermediate_size", name) != width:
        raise ConfigError(f"{name}: 'moe_intermediate_size' differs from 'intermediate_size', {width}")
    if read.alike("num_shared_expert", name) != 1:
        raise ConfigError(f"{name}: 'num_shared_expert' other than 1 is not known here")
    return DecoderShape(
        **{**read.dimensions(), "ffn": 0}, qkv_bias=bias, out_bias=bias, qk_norm="head",
        experts=read.alike("num_experts", name), active_experts=read.alike("moe_topk", name), expert_ffn=width,
        shared_ffn=width,
    )  # fmt: skip


class DbrxAttentionConfig(Config):
    """``attn_config`` of a DBRX configuration, which transformers writes with the fields that every file has."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {"clip_qkv"}
    kv_n_heads: Size = 1


class DbrxFfnConfig(Config):
    """``ffn_config`` of a DBRX configuration."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "ffn_act_fn", "moe_jitter_eps", "moe_loss_weight", "moe_normalize_expert_weights", "hidden_size",
        "uniform_expert_assignment",
    }  # fmt: skip
    ffn_hidden_size: Size = 3584
    moe_num_experts: Size = 4
    moe_top_k: Size = 1


class DbrxConfig(DecoderConfig):
    """transformers ``DbrxConfig``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {"emb_pdrop"}
    vocab_size: Size = 32000
    d_model: Size = 2048
    n_heads: Size = 16
    n_layers: Size = 24
    max_seq_len: Size = 2048
    num_key_value_heads: Size | None = None
    """Stated again; `attn_config` decides."""
    attn_config: dict[str, Any] | None = None
    ffn_config: dict[str, Any] | None = None
    tie_word_embeddings: Literal[False] = False


def dbrx_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``DbrxForCausalLM``."""
    read = DbrxConfig.read(config, name)
    attention = DbrxAttentionConfig.read(read.attn_config or {}, f"{name}: attn_config")
    ffn = DbrxFfnConfig.read(read.ffn_config or {}, f"{name}: ffn_config")
    return DecoderShape(
        layers=read.n_layers, hidden=read.d_model, heads=read.n_heads, kv_heads=attention.kv_n_heads,
        head_dim=head_width(read.d_model, read.n_heads), vocab=read.vocab_size, max_context=read.max_seq_len,
        experts=ffn.moe_num_experts, active_experts=ffn.moe_top_k, expert_ffn=ffn.ffn_hidden_size,
    )  # fmt: skip


class AfmoeConfig(DenseConfig):
    """transformers ``AfmoeConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "route_scale", "route_norm", "mup_enabled", "score_func", "load_balance_coeff", "num_expert_groups",
        "num_limited_groups",
    }  # fmt: skip
    vocab_size: Size = 200192
    hidden_size: Size = 2048
    intermediate_size: Size = 6144
    num_attention_heads: Size = 16
    head_dim: Size | None = 128
    max_position_embeddings: Size = 16384
    attention_bias: Literal[False] = False
    moe_intermediate_size: Size = 1408
    num_dense_layers: Count = 1
    num_experts: Size = 64
    num_experts_per_tok: Size = 6
    num_shared_experts: Count = 2
    global_attn_every_n_layers: Size = 4
    sliding_window: Size | None = 1024
    layer_types: list[str] | None = None


def afmoe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``AfmoeForCausalLM`` (Trinity): four norms, gated attention; the router's correction is its bias."""
    read = AfmoeConfig.read(config, name)
    layers = read.num_hidden_layers
    sliding = layers - layers // read.global_attn_every_n_layers
    return DecoderShape(
        **read.dimensions(), **local_layers(sliding, read.sliding_window, read.layer_types, layers, name), norms=4,
        qk_norm="head", query_gate=True, router_bias=True, experts=read.num_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.moe_intermediate_size,
        shared_ffn=read.num_shared_experts * read.moe_intermediate_size,
        dense_layers=min(read.num_dense_layers, layers),
    )  # fmt: skip


class HyV3Config(DenseConfig):
    """transformers ``HYV3Config``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"router_scaling_factor", "enable_moe_fp32_combine"}
    vocab_size: Size = 120832
    intermediate_size: Size = 13312
    num_hidden_layers: Size = 80
    num_attention_heads: Size = 64
    num_key_value_heads: Size | None = 8
    head_dim: Size | None = 128
    max_position_embeddings: Size = 131072
    attention_bias: Flag = False
    mlp_bias: Literal[False] = False
    moe_intermediate_size: Size = 1536
    num_experts: Size = 192
    num_experts_per_tok: Size = 8
    num_shared_experts: Count = 1
    mlp_layer_types: MlpTypes = None


def hy_v3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``HYV3ForCausalLM``."""
    read = HyV3Config.read(config, name)
    bias = read.attention_bias
    return DecoderShape(
        **read.dimensions(), qkv_bias=bias, out_bias=bias, qk_norm="head", experts=read.num_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.moe_intermediate_size,
        shared_ffn=read.num_shared_experts * read.moe_intermediate_size,
        dense_layers=dense_layers(read.mlp_layer_types, 1, read.num_hidden_layers),
    )  # fmt: skip


read_ernie45_moe = decoder_reader(ernie45_moe_shape, "Ernie4_5_MoeForCausalLM")
read_phimoe = decoder_reader(phimoe_shape, "PhimoeForCausalLM")
read_olmoe = decoder_reader(olmoe_shape, "OlmoeForCausalLM")
read_granite_moe = decoder_reader(granite_moe_shape, "GraniteMoeForCausalLM")
read_granite_moe_shared = decoder_reader(granite_moe_shape, "GraniteMoeSharedForCausalLM")
read_dots1 = decoder_reader(dots1_shape, "Dots1ForCausalLM")
read_solar_open = decoder_reader(solar_open_shape, "SolarOpenForCausalLM")
read_hunyuan_moe = decoder_reader(hunyuan_moe_shape, "HunYuanMoEV1ForCausalLM")
read_dbrx = decoder_reader(dbrx_shape, "DbrxForCausalLM")
read_afmoe = decoder_reader(afmoe_shape, "AfmoeForCausalLM")
read_hy_v3 = decoder_reader(hy_v3_shape, "HYV3ForCausalLM")
