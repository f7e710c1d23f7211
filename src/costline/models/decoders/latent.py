"""Latent attention (MLA): DeepSeek-V2, V3, V3.2, Kimi-K2, GLM-5, GLM-4.7-Flash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Count, Flag, Size
from costline.models.decoders.fields import TEXT_ONLY, DecoderConfig, MlpTypes, dense_layers, each_layer, text_part
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class DeepseekV3Config(DecoderConfig):
    """transformers ``DeepseekV3Config``; `head_dim` of a file repeats another field."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {"head_dim", "qk_head_dim", "num_key_value_heads"}
    vocab_size: Size = 129280
    hidden_size: Size = 7168
    intermediate_size: Size = 18432
    moe_intermediate_size: Size = 2048
    num_hidden_layers: Size = 61
    num_attention_heads: Size = 128
    n_shared_experts: Count | None = 1
    n_routed_experts: Size = 256
    kv_lora_rank: Size = 512
    q_lora_rank: Size | None = 1536
    qk_rope_head_dim: Size = 64
    v_head_dim: Size = 128
    qk_nope_head_dim: Size = 128
    num_experts_per_tok: Size = 8
    first_k_dense_replace: Count = 3
    moe_layer_freq: Literal[1] = 1
    max_position_embeddings: Size = 4096
    tie_word_embeddings: Flag = False
    attention_bias: Flag = False
    mlp_bias: Literal[False] = False

    def latent(self) -> dict[str, Any]:
        """Arguments of `DecoderShape`."""
        return {
            "layers": self.num_hidden_layers,
            "hidden": self.hidden_size,
            "heads": self.num_attention_heads,
            "kv_heads": self.num_attention_heads,
            "head_dim": self.qk_nope_head_dim + self.qk_rope_head_dim,
            "vocab": self.vocab_size,
            "ffn": self.intermediate_size,
            "tied": self.tie_word_embeddings,
            "max_context": self.max_position_embeddings,
            "q_lora": self.q_lora_rank or 0,
            "kv_lora": self.kv_lora_rank,
            "qk_nope": self.qk_nope_head_dim,
            "qk_rope": self.qk_rope_head_dim,
            "v_dim": self.v_head_dim,
            "latent_bias": self.attention_bias,
            "experts": self.n_routed_experts,
            "active_experts": self.num_experts_per_tok,
            "expert_ffn": self.moe_intermediate_size,
            "shared_ffn": (self.n_shared_experts or 0) * self.moe_intermediate_size,
            "dense_layers": min(self.first_k_dense_replace, self.num_hidden_layers),
        }


def deepseek_v3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``DeepseekV3ForCausalLM`` (DeepSeek-V3, R1, Kimi-K2)."""
    return DecoderShape(**DeepseekV3Config.read(config, name).latent())


class DeepseekV2Config(DeepseekV3Config):
    """transformers ``DeepseekV2Config``."""

    vocab_size: Size = 102400
    hidden_size: Size = 4096
    intermediate_size: Size = 11008
    moe_intermediate_size: Size = 1407
    num_hidden_layers: Size = 32
    num_attention_heads: Size = 32
    n_shared_experts: Count | None = 2
    n_routed_experts: Size = 64
    num_experts_per_tok: Size
    first_k_dense_replace: Count = 0
    max_position_embeddings: Size = 2048


def deepseek_v2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``DeepseekV2ForCausalLM`` (V2, V2-Lite)."""
    return DecoderShape(**DeepseekV2Config.read(config, name).latent())


class DeepseekV32Config(DeepseekV3Config):
    """transformers ``DeepseekV32Config``: an indexer selects the keys."""

    q_lora_rank: Size = 1536
    max_position_embeddings: Size = 163840
    index_topk: Size = 2048
    index_head_dim: Size = 128
    index_n_heads: Size = 64
    mlp_layer_types: MlpTypes = None
    layer_types: list[Literal["indexed_attention"]] | None = None

    def indexed(self, layers: int) -> dict[str, Any]:
        """Arguments of `DecoderShape`, `layers` of them with an indexer of their own."""
        if self.layer_types is not None:
            each_layer(self.layer_types, self.num_hidden_layers, "layer_types")
        return {
            **self.latent(),
            "dense_layers": dense_layers(self.mlp_layer_types, self.first_k_dense_replace, self.num_hidden_layers),
            "index_layers": layers,
            "index_heads": self.index_n_heads,
            "index_dim": self.index_head_dim,
            "index_topk": self.index_topk,
        }


def deepseek_v32_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``DeepseekV32ForCausalLM``."""
    read = DeepseekV32Config.read(config, name)
    return DecoderShape(**read.indexed(read.num_hidden_layers))


class GlmMoeDsaConfig(DeepseekV32Config):
    """transformers ``GlmMoeDsaConfig``: later GLM-5 versions let layers share an indexer."""

    neutral: ClassVar[frozenset[str]] = DeepseekV32Config.neutral | {
        "indexer_rope_interleave", "index_share_for_mtp_iteration", "moe_router_dtype",
    }  # fmt: skip
    vocab_size: Size = 154880
    hidden_size: Size = 6144
    intermediate_size: Size = 12288
    num_hidden_layers: Size = 78
    num_attention_heads: Size = 64
    q_lora_rank: Size = 2048
    v_head_dim: Size = 256
    qk_nope_head_dim: Size = 192
    max_position_embeddings: Size = 202752
    index_n_heads: Size = 32
    indexer_types: list[Literal["full", "shared"]] | None = None
    index_topk_pattern: str | None = None
    index_topk_freq: Size = 1
    index_skip_topk_offset: Count = 2

    def indexers(self, name: str) -> int:
        """Layers with an indexer of their own: as listed, as in the pattern (F or S), or every so many layers."""
        layers = self.num_hidden_layers
        if self.indexer_types is not None:
            kinds = ["F" if kind == "full" else "S" for kind in self.indexer_types]
        elif self.index_topk_pattern is not None:
            kinds = list(self.index_topk_pattern)
        else:  # all of the first, then every so many
            first = min(self.index_skip_topk_offset, layers)
            return first + (layers - first) // self.index_topk_freq
        if len(kinds) != layers or not set(kinds) <= {"F", "S"}:
            words = f"must name F or S for each of {layers} layers, has {len(kinds)}"
            raise ConfigError(f"{name}: the indexer pattern {words}")
        return kinds.count("F")


def glm_moe_dsa_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GlmMoeDsaForCausalLM`` (GLM-5)."""
    read = GlmMoeDsaConfig.read(config, name)
    return DecoderShape(**read.indexed(read.indexers(name)))


class Glm4MoeLiteConfig(DeepseekV3Config):
    """transformers ``Glm4MoeLiteConfig``."""

    vocab_size: Size = 154880
    hidden_size: Size = 2048
    intermediate_size: Size = 10240
    moe_intermediate_size: Size = 1536
    num_hidden_layers: Size = 47
    num_attention_heads: Size = 20
    n_routed_experts: Size = 64
    q_lora_rank: Size | None = 768
    v_head_dim: Size = 256
    qk_nope_head_dim: Size = 192
    num_experts_per_tok: Size = 4
    first_k_dense_replace: Count = 1
    max_position_embeddings: Size = 202752
    mlp_layer_types: MlpTypes = None


def glm4_moe_lite_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Glm4MoeLiteForCausalLM`` (GLM-4.7-Flash)."""
    read = Glm4MoeLiteConfig.read(config, name)
    dense = dense_layers(read.mlp_layer_types, read.first_k_dense_replace, read.num_hidden_layers)
    return DecoderShape(**{**read.latent(), "dense_layers": dense})


def kimi_k25_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Kimi_K25ForConditionalGeneration``."""
    return deepseek_v3_shape(text_part(config, name), name)


read_deepseek_v3 = decoder_reader(deepseek_v3_shape, "DeepseekV3ForCausalLM")
read_deepseek_v2 = decoder_reader(deepseek_v2_shape, "DeepseekV2ForCausalLM")
read_deepseek_v32 = decoder_reader(deepseek_v32_shape, "DeepseekV32ForCausalLM")
read_glm_moe_dsa = decoder_reader(glm_moe_dsa_shape, "GlmMoeDsaForCausalLM")
read_glm4_moe_lite = decoder_reader(glm4_moe_lite_shape, "Glm4MoeLiteForCausalLM")
read_kimi_k25 = decoder_reader(kimi_k25_shape, "KimiK25ForConditionalGeneration", TEXT_ONLY)
