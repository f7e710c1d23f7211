"""Llama and those that changed a line of it: Mistral, Qwen2, Qwen3, Phi-3, Nemotron-4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Count, Flag, Size, head_width
from costline.models.decoders.fields import TEXT_ONLY, DecoderConfig, local_layers, text_part
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class DenseConfig(DecoderConfig):
    """Fields that every family of this module has, with Llama's defaults."""

    vocab_size: Size = 32000
    hidden_size: Size = 4096
    intermediate_size: Size = 11008
    num_hidden_layers: Size = 32
    num_attention_heads: Size = 32
    num_key_value_heads: Size | None = None
    head_dim: Size | None = None
    max_position_embeddings: Size = 2048
    tie_word_embeddings: Flag = False

    def dimensions(self) -> dict[str, Any]:
        """Arguments of `DecoderShape` that mean the same in every family."""
        return {
            "layers": self.num_hidden_layers,
            "hidden": self.hidden_size,
            "heads": self.num_attention_heads,
            "kv_heads": self.num_key_value_heads or self.num_attention_heads,
            "head_dim": self.head_dim or head_width(self.hidden_size, self.num_attention_heads),
            "vocab": self.vocab_size,
            "ffn": self.intermediate_size,
            "tied": self.tie_word_embeddings,
            "max_context": self.max_position_embeddings,
        }


class LlamaConfig(DenseConfig):
    """transformers ``LlamaConfig``."""

    attention_bias: Flag = False
    mlp_bias: Flag = False

    def biases(self) -> dict[str, Any]:
        """Arguments of `DecoderShape` for the products that have one."""
        return {"qkv_bias": self.attention_bias, "out_bias": self.attention_bias, "ffn_bias": self.mlp_bias}


def llama_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``LlamaForCausalLM``."""
    read = LlamaConfig.read(config, name)
    return DecoderShape(**read.dimensions(), **read.biases())


class MistralConfig(DenseConfig):
    """transformers ``MistralConfig``: every layer slides where a window is set."""

    intermediate_size: Size = 14336
    num_key_value_heads: Size | None = 8
    max_position_embeddings: Size = 131072
    sliding_window: Size | None = 4096


def mistral_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MistralForCausalLM``."""
    read = MistralConfig.read(config, name)
    window = read.sliding_window or 0
    return DecoderShape(**read.dimensions(), local_layers=read.num_hidden_layers * bool(window), local_tokens=window)


class Phi3Config(DenseConfig):
    """transformers ``Phi3Config``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"attention_bias", "interpolate_factor"}
    vocab_size: Size = 32064
    hidden_size: Size = 3072
    intermediate_size: Size = 8192
    max_position_embeddings: Size = 4096
    sliding_window: Size | None = None
    full_attn_mod: Literal[1] = 1  # Phi-4-mini: every layer attends to everything


def phi3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Phi3ForCausalLM`` (Phi-3, Phi-4); fused projections hold the same weights."""
    read = Phi3Config.read(config, name)
    window = read.sliding_window or 0
    return DecoderShape(**read.dimensions(), local_layers=read.num_hidden_layers * bool(window), local_tokens=window)


class Qwen2Config(DenseConfig):
    """transformers ``Qwen2Config``: a window counts only if ``use_sliding_window``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"mrope_section", "vision_config"}
    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"sliding_window", "max_window_layers"}
    vocab_size: Size = 151936
    intermediate_size: Size = 22016
    num_key_value_heads: Size | None = 32
    max_position_embeddings: Size = 32768
    use_sliding_window: Flag = False
    sliding_window: Size | None = 4096
    max_window_layers: Count = 28
    layer_types: list[str] | None = None

    def local(self, name: str) -> dict[str, Any]:
        """Layers that slide: those after the first `max_window_layers`, or those `layer_types` lists."""
        layers, window = self.num_hidden_layers, self.sliding_window if self.use_sliding_window else None
        sliding = max(layers - self.max_window_layers, 0)
        return local_layers(sliding, window, self.layer_types, layers, name)


def qwen2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen2ForCausalLM`` (Qwen1.5, 2, 2.5): biases on query, key and value only."""
    read = Qwen2Config.read(config, name)
    return DecoderShape(**read.dimensions(), **read.local(name), qkv_bias=True)


class Qwen3Config(Qwen2Config):
    """transformers ``Qwen3Config``."""

    head_dim: Size | None = 128
    attention_bias: Flag = False


def qwen3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Qwen3ForCausalLM``: norms on the heads of queries and keys."""
    read = Qwen3Config.read(config, name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), **read.local(name), qkv_bias=bias, out_bias=bias, qk_norm="head")


def qwen3_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Qwen3VLForConditionalGeneration``."""
    return qwen3_shape(text_part(config, name), name)


class NemotronConfig(DenseConfig):
    """transformers ``NemotronConfig``."""

    vocab_size: Size = 256000
    hidden_size: Size = 6144
    intermediate_size: Size = 24576
    num_attention_heads: Size = 48
    max_position_embeddings: Size = 4096
    attention_bias: Flag = False
    mlp_bias: Flag = False


def nemotron_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``NemotronForCausalLM``: squared ReLU without a gate, LayerNorm with a bias."""
    read = NemotronConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(
        **read.dimensions(), qkv_bias=bias, out_bias=bias, ffn_bias=read.mlp_bias, gated=False, norm_bias=True
    )


def qwen2_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of Qwen2-VL and Qwen2.5-VL, whose fields stand at the top level or below."""
    inner: Mapping[str, Any] = config
    if "text_config" in config:  # these classes tie the head where either says so
        either = text_part(config, name, own_head=True).get("tie_word_embeddings") is True
        inner = {**text_part(config, name), **({"tie_word_embeddings": True} if either else {})}
    return qwen2_shape(
        {key: value for key, value in inner.items() if not key.startswith(("vision_", "image_", "video_"))}, name
    )


def mistral_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of Mistral 3 (Mistral Small 3.1)."""
    return mistral_shape(text_part(config, name), name)


read_llama = decoder_reader(llama_shape, "LlamaForCausalLM")
read_mistral = decoder_reader(mistral_shape, "MistralForCausalLM")
read_phi3 = decoder_reader(phi3_shape, "Phi3ForCausalLM")
read_qwen2 = decoder_reader(qwen2_shape, "Qwen2ForCausalLM")
read_qwen3 = decoder_reader(qwen3_shape, "Qwen3ForCausalLM")
read_qwen3_vl = decoder_reader(qwen3_text_shape, "Qwen3VLForConditionalGeneration", TEXT_ONLY)
read_nemotron = decoder_reader(nemotron_shape, "NemotronForCausalLM")
read_qwen2_vl = decoder_reader(qwen2_text_shape, "Qwen2_5_VLForConditionalGeneration", TEXT_ONLY)
read_mistral3 = decoder_reader(mistral_text_shape, "Mistral3ForConditionalGeneration", TEXT_ONLY)
