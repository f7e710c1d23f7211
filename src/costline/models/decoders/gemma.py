"""Gemma 1, 2 and 3: tied, gated, wide heads; from 2 on four norms a layer and local layers between global ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Flag, Size
from costline.models.decoders.fields import TEXT_ONLY, local_layers, spelled, text_part
from costline.models.decoders.llama import DenseConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class GemmaConfig(DenseConfig):
    """transformers ``GemmaConfig``."""

    vocab_size: Size = 256000
    hidden_size: Size = 3072
    intermediate_size: Size = 24576
    num_hidden_layers: Size = 28
    num_attention_heads: Size = 16
    num_key_value_heads: Size | None = 16
    head_dim: Size | None = 256
    max_position_embeddings: Size = 8192
    tie_word_embeddings: Flag = True
    attention_bias: Flag = False
    use_bidirectional_attention: Literal[False] | None = None


def gemma_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GemmaForCausalLM``."""
    read = GemmaConfig.read(config, name)
    return DecoderShape(**read.dimensions(), qkv_bias=read.attention_bias, out_bias=read.attention_bias)


class Gemma2Config(GemmaConfig):
    """transformers ``Gemma2Config``: every other layer slides; its class reads no ``sliding_window_size``."""

    neutral: ClassVar[frozenset[str]] = GemmaConfig.neutral | {"sliding_window_size"}
    hidden_size: Size = 2304
    intermediate_size: Size = 9216
    num_hidden_layers: Size = 26
    num_attention_heads: Size = 8
    num_key_value_heads: Size | None = 4
    sliding_window: Size | None = 4096
    sliding_window_pattern: Size = 2
    layer_types: list[str] | None = None

    def local(self, name: str) -> dict[str, Any]:
        """Layers that slide: all but each `sliding_window_pattern`-th, unless `layer_types` lists them."""
        layers = self.num_hidden_layers
        sliding = layers - layers // self.sliding_window_pattern
        return local_layers(sliding, self.sliding_window, self.layer_types, layers, name)


def gemma2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Gemma2ForCausalLM``."""
    read = Gemma2Config.read(spelled(config), name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), **read.local(name), qkv_bias=bias, out_bias=bias, norms=4)


class Gemma3Config(Gemma2Config):
    """transformers ``Gemma3TextConfig``: five local layers to a global one."""

    neutral: ClassVar[frozenset[str]] = Gemma2Config.neutral | {"mm_tokens_per_image"}
    vocab_size: Size = 262208
    max_position_embeddings: Size = 131072
    sliding_window_pattern: Size = 6


def gemma3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Gemma3ForCausalLM``."""
    read = Gemma3Config.read(spelled(config), name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), **read.local(name), qkv_bias=bias, out_bias=bias, norms=4, qk_norm="head")


def gemma3_text_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of the language model of ``Gemma3ForConditionalGeneration``."""
    return gemma3_shape(text_part(config, name), name)


read_gemma = decoder_reader(gemma_shape, "GemmaForCausalLM")
read_gemma2 = decoder_reader(gemma2_shape, "Gemma2ForCausalLM")
read_gemma3 = decoder_reader(gemma3_shape, "Gemma3ForCausalLM")
read_gemma3_multimodal = decoder_reader(gemma3_text_shape, "Gemma3ForConditionalGeneration", TEXT_ONLY)
