"""Mixtures of experts: Mixtral, Qwen2-MoE, Qwen3-MoE, gpt-oss, GLM-4.5 to 4.7, MiniMax-M2, Llama 4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Count, Flag, Size
from costline.models.decoders.fields import (
    TEXT_ONLY,
    count_layers,
    each_layer,
    layer_set,
    local_layers,
    moe_layer_count,
    text_part,
)
from costline.models.decoders.llama import DenseConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class MixtralConfig(DenseConfig):
    """transformers ``MixtralConfig``."""

    intermediate_size: Size = 14336
    num_key_value_heads: Size | None = 8
    max_position_embeddings: Size = 131072
    sliding_window: Size | None = None
    num_experts_per_tok: Size = 2
    num_local_experts: Size = 8

    def routed(self) -> dict[str, Any]:
        """Dimensions without a dense layer: `intermediate_size` is that of an expert."""
        return {
            **self.dimensions(),
            "ffn": 0,
            "experts": self.num_local_experts,
            "active_experts": self.num_experts_per_tok,
            "expert_ffn": self.intermediate_size,
        }


def mixtral_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MixtralForCausalLM``."""
    read = MixtralConfig.read(config, name)
    window = read.sliding_window or 0
    return DecoderShape(**read.routed(), local_layers=read.num_hidden_layers * bool(window), local_tokens=window)


class MiniMaxM2Config(MixtralConfig):
    """transformers ``MiniMaxM2Config``."""

    neutral: ClassVar[frozenset[str]] = MixtralConfig.neutral | {
        "qk_norm_type", "shared_moe_mode", "layernorm_full_attention_beta",
        "layernorm_linear_attention_beta", "layernorm_mlp_beta", "max_model_len",
    }  # fmt: skip
    vocab_size: Size = 200064
    hidden_size: Size = 3072
    intermediate_size: Size = 1536
    num_hidden_layers: Size = 62
    num_attention_heads: Size = 48
    head_dim: Size | None = 128
    max_position_embeddings: Size = 196608
    num_experts_per_tok: Size = 8
    num_local_experts: Size = 256
    shared_intermediate_size: Count = 0
    use_qk_norm: Flag = True
    attn_type_list: list[Literal[1]] | None = None
    """1 is softmax attention; the linear attention of MiniMax-01 (0) is not known here."""


def minimax_m2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MiniMaxM2ForCausalLM``: query and key norms as wide as all heads together."""
    read = MiniMaxM2Config.read(config, name)
    if read.sliding_window or read.shared_intermediate_size or not read.use_qk_norm:
        raise ConfigError(f"{name}: sliding_window, shared_intermediate_size or use_qk_norm=false is not known here")
    if read.attn_type_list is not None:
        each_layer(read.attn_type_list, read.num_hidden_layers, "attn_type_list")
    return DecoderShape(**read.routed(), qk_norm="width")


class Qwen2MoeConfig(DenseConfig):
    """transformers ``Qwen2MoeConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"sliding_window", "max_window_layers"}
    vocab_size: Size = 151936
    hidden_size: Size = 2048
    intermediate_size: Size = 5632
    num_hidden_layers: Size = 24
    num_attention_heads: Size = 16
    num_key_value_heads: Size | None = 16
    max_position_embeddings: Size = 32768
    decoder_sparse_step: Size = 1
    moe_intermediate_size: Size = 1408
    shared_expert_intermediate_size: Size = 5632
    num_experts_per_tok: Size = 4
    num_experts: Size = 60
    mlp_only_layers: list[int] | None = None
    qkv_bias: Flag = True
    layer_types: list[str] | None = None

    def routed(self, name: str) -> dict[str, Any]:
        """Dimensions with the layers that have experts; sliding windows are refused, none was published."""
        layers = self.num_hidden_layers
        if self.layer_types is not None and count_layers(self.layer_types, "sliding_attention", layers, name):
            raise ConfigError(f"{name}: sliding layers in 'layer_types' are not known in this family")
        moe = moe_layer_count(layers, self.decoder_sparse_step, self.mlp_only_layers or [])
        return {
            **self.dimensions(),
            "experts": self.num_experts,
            "active_experts": self.num_experts_per_tok,
            "expert_ffn": self.moe_intermediate_size,
            "dense_layers": layers - moe,
            "moe_layers": moe,
        }


def _as_published(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fields under the names their publisher uses: version 5 of transformers saves one of them under another."""
    return {"num_experts" if key == "num_local_experts" else key: value for key, value in config.items()}


def qwen2_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen2MoeForCausalLM``: a shared expert behind a sigmoid gate."""
    read = Qwen2MoeConfig.read(_as_published(config), name)
    shared = read.shared_expert_intermediate_size
    return DecoderShape(**read.routed(name), qkv_bias=read.qkv_bias, shared_ffn=shared, shared_gate=True)


class Qwen3MoeConfig(Qwen2MoeConfig):
    """transformers ``Qwen3MoeConfig``."""

    neutral: ClassVar[frozenset[str]] = Qwen2MoeConfig.neutral | {"qkv_bias", "use_qk_norm"}
    intermediate_size: Size = 6144
    shared_expert_intermediate_size: Count = 0
    """Whatever is stated: the class has no shared expert; Qwen3-Next, which has one, inherits the field."""
    num_attention_heads: Size = 32
    num_key_value_heads: Size | None = 4
    moe_intermediate_size: Size = 768
    num_experts_per_tok: Size = 8
    num_experts: Size = 128
    attention_bias: Flag = False


def qwen3_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen3MoeForCausalLM``."""
    read = Qwen3MoeConfig.read(_as_published(config), name)
    bias = read.attention_bias
    return DecoderShape(**read.routed(name), qkv_bias=bias, out_bias=bias, qk_norm="head")


def qwen3_moe_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Qwen3VLMoeForConditionalGeneration``."""
    return qwen3_moe_shape(text_part(config, name), name)


class GptOssConfig(MixtralConfig):
    """transformers ``GptOssConfig``."""

    neutral: ClassVar[frozenset[str]] = MixtralConfig.neutral | {
        "swiglu_alpha", "swiglu_limit", "initial_context_length", "experts_per_token",
    }  # fmt: skip
    vocab_size: Size = 201088
    hidden_size: Size = 2880
    intermediate_size: Size = 2880
    num_hidden_layers: Size = 36
    num_attention_heads: Size = 64
    head_dim: Size | None = 64
    sliding_window: Size | None = 128
    num_experts_per_tok: Size = 4
    num_local_experts: Size = 128
    layer_types: list[str] | None = None
    attention_bias: Flag = True


def gpt_oss_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GptOssForCausalLM``: sinks, biases in router and experts, every other layer slides."""
    read = GptOssConfig.read(config, name)
    layers, window, bias = read.num_hidden_layers, read.sliding_window, read.attention_bias
    local = local_layers((layers + 1) // 2, window, read.layer_types, layers, name)
    return DecoderShape(
        **read.routed(), **local, qkv_bias=bias, out_bias=bias, sinks=True, router_bias=True, expert_bias=True
    )  # fmt: skip


class Glm4MoeConfig(DenseConfig):
    """transformers ``Glm4MoeConfig``."""

    vocab_size: Size = 151552
    intermediate_size: Size = 10944
    num_hidden_layers: Size = 46
    num_attention_heads: Size = 96
    num_key_value_heads: Size | None = 8
    max_position_embeddings: Size = 131072
    attention_bias: Flag = False
    moe_intermediate_size: Size = 1408
    num_experts_per_tok: Size = 8
    n_shared_experts: Count = 1
    n_routed_experts: Size = 128
    first_k_dense_replace: Count = 1
    use_qk_norm: Flag = False


def glm4_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Glm4MoeForCausalLM`` (GLM-4.5, 4.6, 4.7): biases on query, key and value only."""
    read = Glm4MoeConfig.read(config, name)
    return DecoderShape(
        **read.dimensions(), qkv_bias=read.attention_bias, qk_norm="head" if read.use_qk_norm else "none",
        experts=read.n_routed_experts, active_experts=read.num_experts_per_tok, expert_ffn=read.moe_intermediate_size,
        shared_ffn=read.n_shared_experts * read.moe_intermediate_size,
        dense_layers=min(read.first_k_dense_replace, read.num_hidden_layers),
    )  # fmt: skip


class Llama4Config(DenseConfig):
    """transformers ``Llama4TextConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "attn_temperature_tuning", "floor_scale", "attn_scale", "for_llm_compressor", "cache_implementation",
    }  # fmt: skip
    vocab_size: Size = 202048
    hidden_size: Size = 5120
    intermediate_size: Size = 8192
    intermediate_size_mlp: Size = 16384
    num_hidden_layers: Size = 48
    num_attention_heads: Size = 40
    num_key_value_heads: Size | None = 8
    head_dim: Size | None = 128
    max_position_embeddings: Size = 131072
    num_experts_per_tok: Size = 1
    num_local_experts: Size = 16
    moe_layers: list[int] | None = None
    interleave_moe_layer_step: Size = 1
    use_qk_norm: Flag = True
    no_rope_layers: list[int] | None = None
    no_rope_layer_interval: Size = 4
    attention_chunk_size: Size | None = 8192
    layer_types: list[str] | None = None
    attention_bias: Flag = False

    def chunked(self, name: str) -> int:
        """Layers that attend within chunks: those with rotary embedding, three of four."""
        layers = self.num_hidden_layers
        if not self.attention_chunk_size:
            return 0
        if self.layer_types is not None:
            return count_layers(self.layer_types, "chunked_attention", layers, name)
        if self.no_rope_layers:
            each_layer(self.no_rope_layers, layers, "no_rope_layers")
            return sum(bool(rope) for rope in self.no_rope_layers)
        return layers - layers // self.no_rope_layer_interval


def llama4_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Llama4ForCausalLM``: a shared expert beside one routed one, norms without a scale on heads."""
    read = Llama4Config.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    moe = layers // read.interleave_moe_layer_step
    if read.moe_layers is not None:
        moe = len(layer_set(read.moe_layers, layers, "moe_layers"))
    return DecoderShape(
        **{**read.dimensions(), "ffn": read.intermediate_size_mlp}, qkv_bias=bias, out_bias=bias,
        qk_norm="plain" if read.use_qk_norm else "none", experts=read.num_local_experts,
        active_experts=read.num_experts_per_tok, expert_ffn=read.intermediate_size, shared_ffn=read.intermediate_size,
        dense_layers=layers - moe, moe_layers=moe, local_kind="chunk", local_layers=read.chunked(name),
        local_tokens=read.attention_chunk_size or 0,
    )  # fmt: skip


def llama4_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Llama4ForConditionalGeneration``."""
    return llama4_shape(text_part(config, name, own_head=True), name)


read_mixtral = decoder_reader(mixtral_shape, "MixtralForCausalLM")
read_minimax_m2 = decoder_reader(minimax_m2_shape, "MiniMaxM2ForCausalLM")
read_qwen2_moe = decoder_reader(qwen2_moe_shape, "Qwen2MoeForCausalLM")
read_qwen3_moe = decoder_reader(qwen3_moe_shape, "Qwen3MoeForCausalLM")
read_qwen3_vl_moe = decoder_reader(qwen3_moe_text_shape, "Qwen3VLMoeForConditionalGeneration", TEXT_ONLY)
read_gpt_oss = decoder_reader(gpt_oss_shape, "GptOssForCausalLM")
read_glm4_moe = decoder_reader(glm4_moe_shape, "Glm4MoeForCausalLM")
read_llama4 = decoder_reader(llama4_shape, "Llama4ForCausalLM")
read_llama4_multimodal = decoder_reader(llama4_text_shape, "Llama4ForConditionalGeneration", TEXT_ONLY)
