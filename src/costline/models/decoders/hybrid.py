"""Attention with recurrent mixers: Nemotron-H and Nemotron 3 (Mamba-2), Qwen3-Next and Qwen3.5 (delta net)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from costline.errors import ConfigError
from costline.models.config import Count, Flag, Size
from costline.models.decoders.fields import (
    TEXT_ONLY,
    DecoderConfig,
    count_layers,
    each_layer,
    moe_layer_count,
    text_part,
)
from costline.models.decoders.llama import DenseConfig
from costline.models.decoders.moe import Qwen3MoeConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape

SYMBOLS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
"""Letters of ``hybrid_override_pattern``."""
WORDS = {"linear_attention": "mamba", "full_attention": "attention", **{kind: kind for kind in SYMBOLS.values()}}


class NemotronHConfig(DenseConfig):
    """transformers ``NemotronHConfig``: each block is a mixer or a feed-forward network, not both."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "num_logits_to_keep", "use_mamba_kernels", "mamba_hidden_act", "expand", "time_step_min", "time_step_max",
        "time_step_limit", "time_step_floor", "time_step_rank", "chunk_size", "mamba_ssm_cache_dtype",
        "moe_shared_expert_overlap", "residual_in_fp32", "rescale_prenorm_residual",
        "mamba_proj_bias", "attention_head_dim", "rescale_layers_norm",
    }  # fmt: skip
    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"n_shared_experts"}
    vocab_size: Size = 131072
    intermediate_size: Size = 21504
    num_hidden_layers: Size = 52
    num_key_value_heads: Size | None = 8
    head_dim: Size | None = 128
    max_position_embeddings: Size = 4096
    hybrid_override_pattern: str | None = None
    layers_block_type: list[str] | None = None
    layer_types: list[str] | None = None
    mlp_bias: Flag = False
    ssm_state_size: Size = 128
    mamba_num_heads: Size = 128
    mamba_head_dim: Size = 64
    n_groups: Size = 8
    conv_kernel: Size = 4
    use_conv_bias: Flag = True
    n_routed_experts: Size = 8
    moe_intermediate_size: Size = 7688
    n_shared_experts: Count | None = 1
    moe_shared_expert_intermediate_size: Count = 7688
    moe_latent_size: Size | None = None
    num_experts_per_tok: Size = 2
    sliding_window: None = None

    def kinds(self, name: str) -> list[str]:
        """Kind of each block, from whichever of three fields lists them."""
        if self.hybrid_override_pattern is not None:
            listed, known = list(self.hybrid_override_pattern), SYMBOLS
        else:
            listed, known = self.layer_types or self.layers_block_type or [], WORDS
        strange = sorted(set(listed) - set(known))
        if strange or not listed:
            raise ConfigError(f"{name}: block {strange[0][:40]!r} is not known" if strange else f"{name}: no blocks")
        if "num_hidden_layers" in self.model_fields_set:
            each_layer(listed, self.num_hidden_layers, self._pattern())
        return [known[kind] for kind in listed]

    def _pattern(self) -> str:
        """The field that lists the blocks."""
        names = ("hybrid_override_pattern", "layer_types", "layers_block_type")
        return next(name for name in names if getattr(self, name))


def nemotron_h_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``NemotronHForCausalLM`` (Nemotron-H, Nano v2, Nemotron 3)."""
    read = NemotronHConfig.read(config, name)
    kinds = read.kinds(name)
    moe = kinds.count("moe")
    experts: dict[str, Any] = {
        "experts": read.n_routed_experts,
        "active_experts": read.num_experts_per_tok,
        "expert_ffn": read.moe_intermediate_size,
        # as engines read it; the class of transformers has one shared expert whatever is stated
        "shared_ffn": (read.n_shared_experts or 0) * read.moe_shared_expert_intermediate_size,
        "expert_latent": read.moe_latent_size or 0,
    }
    return DecoderShape(
        **{**read.dimensions(), "layers": len(kinds)}, norms=1, gated=False, rotary=False, ffn_bias=read.mlp_bias,
        attention_layers=kinds.count("attention"), dense_layers=kinds.count("mlp"), moe_layers=moe,
        mamba_layers=kinds.count("mamba"), mamba_heads=read.mamba_num_heads, mamba_head_dim=read.mamba_head_dim,
        mamba_groups=read.n_groups, mamba_state=read.ssm_state_size, conv_kernel=read.conv_kernel,
        conv_bias=read.use_conv_bias,
        **(experts if moe else {}),
    )  # fmt: skip


class Qwen3NextConfig(Qwen3MoeConfig):
    """transformers ``Qwen3NextConfig``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {"mamba_ssm_dtype", "output_gate_type"}
    intermediate_size: Size = 5632
    num_hidden_layers: Size = 48
    num_attention_heads: Size = 16
    num_key_value_heads: Size | None = 2
    head_dim: Size | None = 256
    moe_intermediate_size: Size = 512
    shared_expert_intermediate_size: Size = 512
    num_experts_per_tok: Size = 10
    num_experts: Size = 512
    linear_conv_kernel_dim: Size = 4
    linear_key_head_dim: Size = 128
    linear_value_head_dim: Size = 128
    linear_num_key_heads: Size = 16
    linear_num_value_heads: Size = 32
    full_attention_interval: Size = 4
    attn_output_gate: Flag = True
    """Half of the query projection; engines leave it out where false, the class of transformers keeps it."""


class Qwen35Config(Qwen3NextConfig):
    """transformers ``Qwen3_5TextConfig``, without experts."""

    neutral: ClassVar[frozenset[str]] = Qwen3NextConfig.neutral | {"mlp_only_layers"}
    vocab_size: Size = 248320
    hidden_size: Size = 4096
    intermediate_size: Size = 12288
    num_hidden_layers: Size = 32
    num_key_value_heads: Size | None = 4


class Qwen35MoeConfig(Qwen3NextConfig):
    """transformers ``Qwen3_5MoeTextConfig``."""

    vocab_size: Size = 248320
    num_hidden_layers: Size = 40
    num_experts_per_tok: Size = 8
    num_experts: Size = 256


def _delta_shape(read: Qwen3NextConfig, name: str, *, experts: bool = True) -> DecoderShape:
    layers, bias = read.num_hidden_layers, read.attention_bias
    delta = layers - layers // read.full_attention_interval
    if read.layer_types is not None:
        delta = count_layers(read.layer_types, "linear_attention", layers, name)
    moe = moe_layer_count(layers, read.decoder_sparse_step, read.mlp_only_layers or [])
    routed: dict[str, Any] = {
        "experts": read.num_experts, "active_experts": read.num_experts_per_tok,
        "expert_ffn": read.moe_intermediate_size, "dense_layers": layers - moe, "moe_layers": moe,
        "shared_ffn": read.shared_expert_intermediate_size,
        "shared_gate": True,
    }  # fmt: skip
    return DecoderShape(
        **read.dimensions(), **(routed if experts else {}), qkv_bias=bias, out_bias=bias,
        qk_norm="head", query_gate=read.attn_output_gate, delta_layers=delta, delta_key_heads=read.linear_num_key_heads,
        delta_value_heads=read.linear_num_value_heads, delta_key_dim=read.linear_key_head_dim,
        delta_value_dim=read.linear_value_head_dim, conv_kernel=read.linear_conv_kernel_dim,
    )  # fmt: skip


def qwen3_next_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen3NextForCausalLM``."""
    return _delta_shape(Qwen3NextConfig.read(config, name), name)


def qwen35_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen3_5ForCausalLM``, or of the language model of ``Qwen3_5ForConditionalGeneration``."""
    inner = text_part(config, name) if "text_config" in config else config
    return _delta_shape(Qwen35Config.read(inner, name), name, experts=False)


def qwen35_moe_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen3_5MoeForCausalLM``."""
    return _delta_shape(Qwen35MoeConfig.read(config, name), name)


def qwen35_moe_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Qwen3_5MoeForConditionalGeneration``."""
    return qwen35_moe_shape(text_part(config, name), name)


read_nemotron_h = decoder_reader(nemotron_h_shape, "NemotronHForCausalLM")
read_qwen3_next = decoder_reader(qwen3_next_shape, "Qwen3NextForCausalLM")
read_qwen35 = decoder_reader(qwen35_shape, "Qwen3_5ForCausalLM")
read_qwen35_multimodal = decoder_reader(qwen35_shape, "Qwen3_5ForConditionalGeneration", TEXT_ONLY)
read_qwen35_moe = decoder_reader(qwen35_moe_shape, "Qwen3_5MoeForCausalLM")
read_qwen35_moe_multimodal = decoder_reader(qwen35_moe_text_shape, "Qwen3_5MoeForConditionalGeneration", TEXT_ONLY)
