"""Decoders that changed a line of Llama: which products have a bias, which layers slide, whether there is a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Flag, Size
from costline.models.decoders.fields import each_layer, local_layers
from costline.models.decoders.llama import DenseConfig, LlamaConfig, MistralConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class Ernie45Config(DenseConfig):
    """transformers ``Ernie4_5Config``."""

    vocab_size: Size = 103424
    hidden_size: Size = 1024
    intermediate_size: Size = 3072
    num_hidden_layers: Size = 18
    num_attention_heads: Size = 16
    num_key_value_heads: Size | None = 2
    head_dim: Size | None = 128
    max_position_embeddings: Size = 131072
    tie_word_embeddings: Flag = True
    use_bias: Flag = False


def ernie45_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Ernie4_5ForCausalLM``."""
    read = Ernie45Config.read(config, name)
    return DecoderShape(**read.dimensions(), qkv_bias=read.use_bias, out_bias=read.use_bias, ffn_bias=read.use_bias)


class SmolLm3Config(LlamaConfig):
    """transformers ``SmolLM3Config``: every fourth layer has no rotary embedding, and slides where windows are used."""

    seldom_stated: ClassVar[frozenset[str]] = LlamaConfig.seldom_stated | {"no_rope_layer_interval"}
    vocab_size: Size = 128256
    hidden_size: Size = 2048
    num_hidden_layers: Size = 36
    num_attention_heads: Size = 16
    num_key_value_heads: Size | None = 4
    max_position_embeddings: Size = 32768
    tie_word_embeddings: Flag = True
    use_sliding_window: Flag = False
    sliding_window: Size | None = None
    no_rope_layers: list[int] | None = None
    no_rope_layer_interval: Size = 4
    layer_types: list[str] | None = None

    def local(self, name: str) -> dict[str, Any]:
        """Layers that slide."""
        layers = self.num_hidden_layers
        sliding = layers // self.no_rope_layer_interval
        if self.no_rope_layers is not None:
            each_layer(self.no_rope_layers, layers, "no_rope_layers")
            sliding = self.no_rope_layers.count(0)
        return local_layers(sliding * self.use_sliding_window, self.sliding_window, self.layer_types, layers, name)


def smollm3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``SmolLM3ForCausalLM``."""
    read = SmolLm3Config.read(config, name)
    return DecoderShape(**read.dimensions(), **read.local(name), **read.biases())


class SeedOssConfig(LlamaConfig):
    """transformers ``SeedOssConfig``."""

    neutral: ClassVar[frozenset[str]] = LlamaConfig.neutral | {"residual_dropout"}
    vocab_size: Size = 155136
    intermediate_size: Size = 27648
    num_hidden_layers: Size = 64
    num_attention_heads: Size = 80
    num_key_value_heads: Size | None = 8
    head_dim: Size | None = 128
    max_position_embeddings: Size = 524288
    attention_bias: Flag = True
    attention_out_bias: Flag = False


def seed_oss_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``SeedOssForCausalLM``: the attention output has a bias of its own choice."""
    read = SeedOssConfig.read(config, name)
    return DecoderShape(**read.dimensions(), **{**read.biases(), "out_bias": read.attention_out_bias})


MULTIPLIERS = frozenset({"embedding_multiplier", "logits_scaling", "residual_multiplier", "attention_multiplier"})
"""Numbers that Granite multiplies by."""


class GraniteConfig(LlamaConfig):
    """transformers ``GraniteConfig``."""

    neutral: ClassVar[frozenset[str]] = LlamaConfig.neutral | MULTIPLIERS


def granite_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GraniteForCausalLM``."""
    read = GraniteConfig.read(config, name)
    return DecoderShape(**read.dimensions(), **read.biases())


class Starcoder2Config(MistralConfig):
    """transformers ``Starcoder2Config``."""

    neutral: ClassVar[frozenset[str]] = MistralConfig.neutral | {
        "norm_epsilon", "residual_dropout", "embedding_dropout", "sliding_window_size",
    }  # fmt: skip
    vocab_size: Size = 49152
    hidden_size: Size = 3072
    intermediate_size: Size = 12288
    num_hidden_layers: Size = 30
    num_attention_heads: Size = 24
    num_key_value_heads: Size | None = 2
    max_position_embeddings: Size = 4096
    sliding_window: Size | None = None
    use_bias: Flag = True
    tie_word_embeddings: Flag = True
    norm_type: Literal["layer_norm"] = "layer_norm"
    mlp_type: Literal["default"] = "default"


def starcoder2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Starcoder2ForCausalLM``: no gate, LayerNorm, biases everywhere but in the head."""
    read = Starcoder2Config.read(config, name)
    local = local_layers(read.num_hidden_layers, read.sliding_window, None, read.num_hidden_layers, name)
    bias = read.use_bias
    return DecoderShape(
        **read.dimensions(), **local, gated=False, qkv_bias=bias, out_bias=bias, ffn_bias=bias, norm_bias=True
    )


class MinistralConfig(MistralConfig):
    """transformers ``MinistralConfig``; ``Ministral3Config`` has a window only where one is stated."""

    layer_types: list[str] | None = None


class Ministral3Config(MistralConfig):
    """transformers ``Ministral3Config``."""

    vocab_size: Size = 131072
    num_hidden_layers: Size = 34
    head_dim: Size | None = 128
    max_position_embeddings: Size = 262144
    sliding_window: Size | None = None


def ministral_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MinistralForCausalLM``."""
    read = MinistralConfig.read(config, name)
    layers = read.num_hidden_layers
    return DecoderShape(
        **read.dimensions(), **local_layers(layers, read.sliding_window, read.layer_types, layers, name)
    )


def ministral3_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Ministral3ForCausalLM``."""
    read = Ministral3Config.read(config, name)
    layers = read.num_hidden_layers
    return DecoderShape(**read.dimensions(), **local_layers(layers, read.sliding_window, None, layers, name))


class ArceeConfig(LlamaConfig):
    """transformers ``ArceeConfig``."""

    hidden_size: Size = 2560
    intermediate_size: Size = 18432
    max_position_embeddings: Size = 4096


def arcee_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``ArceeForCausalLM``: squared ReLU without a gate."""
    read = ArceeConfig.read(config, name)
    return DecoderShape(**read.dimensions(), **read.biases(), gated=False)


class HeliumConfig(LlamaConfig):
    """transformers ``HeliumConfig``."""

    vocab_size: Size = 48000
    hidden_size: Size = 2560
    intermediate_size: Size = 7040
    num_hidden_layers: Size = 24
    num_attention_heads: Size = 20
    num_key_value_heads: Size | None = 20
    head_dim: Size | None = 128
    max_position_embeddings: Size = 4096


def helium_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``HeliumForCausalLM``: no bias of the attention output."""
    read = HeliumConfig.read(config, name)
    return DecoderShape(**read.dimensions(), **{**read.biases(), "out_bias": False})


class HunYuanDenseConfig(DenseConfig):
    """transformers ``HunYuanDenseV1Config``; layers that share keys and values (CLA) are not known here."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | {
        "cla_share_factor", "eod_token_id", "attention_head_dim", "norm_type",
    }  # fmt: skip
    vocab_size: Size = 290943
    attention_bias: Flag = False
    mlp_bias: Literal[False] = False
    use_cla: Literal[False] = False
    use_qk_norm: Literal[True] = True


def hunyuan_dense_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``HunYuanDenseV1ForCausalLM``."""
    read = HunYuanDenseConfig.read(config, name)
    bias = read.attention_bias
    return DecoderShape(**read.dimensions(), qkv_bias=bias, out_bias=bias, qk_norm="head")


read_ernie45 = decoder_reader(ernie45_shape, "Ernie4_5ForCausalLM")
read_smollm3 = decoder_reader(smollm3_shape, "SmolLM3ForCausalLM")
read_seed_oss = decoder_reader(seed_oss_shape, "SeedOssForCausalLM")
read_granite = decoder_reader(granite_shape, "GraniteForCausalLM")
read_starcoder2 = decoder_reader(starcoder2_shape, "Starcoder2ForCausalLM")
read_ministral = decoder_reader(ministral_shape, "MinistralForCausalLM")
read_ministral3 = decoder_reader(ministral3_shape, "Ministral3ForCausalLM")
read_arcee = decoder_reader(arcee_shape, "ArceeForCausalLM")
read_helium = decoder_reader(helium_shape, "HeliumForCausalLM")
read_hunyuan_dense = decoder_reader(hunyuan_dense_shape, "HunYuanDenseV1ForCausalLM")
