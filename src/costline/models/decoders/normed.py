"""Decoders with Llama's parts and other norms: Cohere, OLMo, EXAONE 4, GLM-4, StableLM, Apertus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Flag, Size, head_width
from costline.models.decoders.fields import local_layers, spelled
from costline.models.decoders.llama import DenseConfig, LlamaConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class Exaone4Config(DenseConfig):
    """transformers ``Exaone4Config``; a pattern is a number, or L and G for local and global layers."""

    seldom_stated: ClassVar[frozenset[str]] = DenseConfig.seldom_stated | {"sliding_window_pattern"}
    vocab_size: Size = 102400
    intermediate_size: Size = 16384
    num_key_value_heads: Size | None = 32
    sliding_window: Size | None = 4096
    sliding_window_pattern: Size | str | None = 4
    layer_types: list[str] | None = None

    def local(self, name: str) -> dict[str, Any]:
        """Layers that slide; a pattern of letters leaves the last layer global."""
        layers, pattern = self.num_hidden_layers, self.sliding_window_pattern
        sliding = 0
        if isinstance(pattern, int):
            sliding = layers - layers // pattern
        elif pattern is not None:
            if not pattern or set(pattern) - {"L", "G"}:
                raise ConfigError(f"{name}: 'sliding_window_pattern' must be L and G, got {pattern[:40]!r}")
            whole, rest = divmod(layers, len(pattern))
            sliding = whole * pattern.count("L") + pattern[:rest].count("L")
            sliding -= pattern[(layers - 1) % len(pattern)] == "L"
        return local_layers(sliding, self.sliding_window, self.layer_types, layers, name)


def exaone4_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Exaone4ForCausalLM``: norms after the sublayers and on the heads of queries and keys."""
    read = Exaone4Config.read(config, name)
    return DecoderShape(**read.dimensions(), **read.local(name), qk_norm="head")


class CohereConfig(DenseConfig):
    """transformers ``CohereConfig``; the scale of the logits changes no count."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"logit_scale"}
    vocab_size: Size = 256000
    hidden_size: Size = 8192
    intermediate_size: Size = 22528
    num_hidden_layers: Size = 40
    num_attention_heads: Size = 64
    max_position_embeddings: Size = 8192
    tie_word_embeddings: Flag = True
    model_max_length: Size | None = None
    """The context of Command R, whose `max_position_embeddings` is less than it is made for."""
    attention_bias: Flag = False
    use_qk_norm: Flag = False

    def side_by_side(self) -> dict[str, Any]:
        """Arguments of `DecoderShape`: one norm, attention and feed-forward network beside each other."""
        bias = self.attention_bias
        context = self.model_max_length or self.max_position_embeddings
        beside = {"norms": 1, "parallel": True, "qkv_bias": bias, "out_bias": bias}
        return {**self.dimensions(), **beside, "max_context": context}


def cohere_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``CohereForCausalLM`` (Command R, Aya): norms of queries and keys have a scale for every head."""
    read = CohereConfig.read(config, name)
    return DecoderShape(**read.side_by_side(), qk_norm="width" if read.use_qk_norm else "none")


class Cohere2Config(CohereConfig):
    """transformers ``Cohere2Config``: three local layers to a global one; heads are as wide as the model over them."""

    neutral: ClassVar[frozenset[str]] = CohereConfig.neutral | {"use_embedding_sharing", "use_parallel_embedding"}
    use_qk_norm: Literal[False] = False
    sliding_window: Size | None = 4096
    sliding_window_pattern: Size = 4
    layer_types: list[str] | None = None
    layer_switch: Size | None = None
    """An older name of the pattern."""
    order_of_interleaved_layers: Literal["local_attn_first"] = "local_attn_first"
    position_embedding_type: Literal["rope_gptj"] = "rope_gptj"
    use_gated_activation: Literal[True] = True
    use_parallel_block: Literal[True] = True


def cohere2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Cohere2ForCausalLM`` (Command R7B, Command A)."""
    read = Cohere2Config.read(spelled(config), name)
    head_dim = head_width(read.hidden_size, read.num_attention_heads)
    if read.head_dim not in {None, head_dim}:
        raise ConfigError(f"{name}: 'head_dim' is {read.head_dim}, the model over its heads {head_dim}")
    if read.layer_switch not in {None, read.sliding_window_pattern}:
        raise ConfigError(f"{name}: 'layer_switch' {read.layer_switch} differs from 'sliding_window_pattern'")
    layers = read.num_hidden_layers
    sliding = layers - layers // read.sliding_window_pattern
    local = local_layers(sliding, read.sliding_window, read.layer_types, layers, name)
    return DecoderShape(**read.side_by_side(), **local)


class OlmoConfig(DenseConfig):
    """transformers ``OlmoConfig``, ``Olmo2Config``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"clip_qkv"}
    vocab_size: Size = 50304
    attention_bias: Flag = False


def olmo_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``OlmoForCausalLM``: norms without a scale."""
    read = OlmoConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), qkv_bias=bias, out_bias=bias, norm_affine=False)


def olmo2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Olmo2ForCausalLM``: norms after the sublayers and over all heads of queries and keys."""
    read = OlmoConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), qkv_bias=bias, out_bias=bias, qk_norm="width")


class Olmo3Config(OlmoConfig):
    """transformers ``Olmo3Config``: three local layers to a global one."""

    sliding_window: Size | None = 4096
    layer_types: list[str] | None = None


def olmo3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Olmo3ForCausalLM``."""
    read = Olmo3Config.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    local = local_layers(layers - layers // 4, read.sliding_window, read.layer_types, layers, name)
    return DecoderShape(**read.dimensions(), **local, qkv_bias=bias, out_bias=bias, qk_norm="width")


class StableLmConfig(DenseConfig):
    """transformers ``StableLmConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {"rope_pct"}
    vocab_size: Size = 50304
    hidden_size: Size = 2560
    intermediate_size: Size = 6912
    num_key_value_heads: Size | None = 32
    max_position_embeddings: Size = 4096
    use_qkv_bias: Flag = False
    qk_layernorm: Flag = False
    use_parallel_residual: Flag = False


def stablelm_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``StableLmForCausalLM``: LayerNorm with a bias, except that of each head of queries and keys."""
    read = StableLmConfig.read(config, name)
    parallel = read.use_parallel_residual
    return DecoderShape(
        **read.dimensions(), qkv_bias=read.use_qkv_bias, norm_bias=True, norms=1 if parallel else 2, parallel=parallel,
        qk_norm="width" if read.qk_layernorm else "none",
    )  # fmt: skip


class ApertusConfig(LlamaConfig):
    """transformers ``ApertusConfig``."""

    vocab_size: Size = 131072
    intermediate_size: Size = 14336
    max_position_embeddings: Size = 65536
    mlp_bias: Literal[False] = False
    qk_norm: Literal[True] = True
    post_norm: Literal[False] = False
    hidden_act: Literal["xielu"] = "xielu"


def apertus_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``ApertusForCausalLM``: no gate, an activation with two learned numbers a layer."""
    read = ApertusConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(
        **read.dimensions(), qkv_bias=bias, out_bias=bias, gated=False, ffn_scalars=2, qk_norm="head"
    )  # fmt: skip


class GlmConfig(DenseConfig):
    """transformers ``GlmConfig``, ``Glm4Config``."""

    vocab_size: Size = 151552
    intermediate_size: Size = 13696
    num_hidden_layers: Size = 40
    num_key_value_heads: Size | None = 2
    head_dim: Size | None = 128
    max_position_embeddings: Size = 131072
    attention_bias: Flag = True


def glm_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GlmForCausalLM`` (GLM-4-9B): biases on query, key and value only."""
    read = GlmConfig.read(config, name)
    return DecoderShape(**read.dimensions(), qkv_bias=read.attention_bias)


def glm4_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Glm4ForCausalLM`` (GLM-4-0414): norms before and after each sublayer."""
    read = GlmConfig.read(config, name)
    return DecoderShape(**read.dimensions(), qkv_bias=read.attention_bias, norms=4)


read_exaone4 = decoder_reader(exaone4_shape, "Exaone4ForCausalLM")
read_cohere = decoder_reader(cohere_shape, "CohereForCausalLM")
read_cohere2 = decoder_reader(cohere2_shape, "Cohere2ForCausalLM")
read_olmo = decoder_reader(olmo_shape, "OlmoForCausalLM")
read_olmo2 = decoder_reader(olmo2_shape, "Olmo2ForCausalLM")
read_olmo3 = decoder_reader(olmo3_shape, "Olmo3ForCausalLM")
read_stablelm = decoder_reader(stablelm_shape, "StableLmForCausalLM")
read_apertus = decoder_reader(apertus_shape, "ApertusForCausalLM")
read_glm = decoder_reader(glm_shape, "GlmForCausalLM")
read_glm4 = decoder_reader(glm4_shape, "Glm4ForCausalLM")
