"""Decoders before Llama: GPT-2, StarCoder, GPT-J, CodeGen, GPT-NeoX, OPT, BLOOM, Falcon, Phi-1 and -2, MPT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.models.config import Config, Count, Flag, Size, head_width
from costline.models.decoders.fields import DecoderConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape


class Gpt2Config(DecoderConfig):
    """transformers ``GPT2Config``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "n_ctx", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
        "summary_use_proj", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
        "gradient_checkpointing",
    }  # fmt: skip
    vocab_size: Size = 50257
    n_positions: Size = 1024
    n_embd: Size = 768
    n_layer: Size = 12
    n_head: Size = 12
    n_inner: Size | None = None
    tie_word_embeddings: Flag = True

    def dimensions(self) -> dict[str, Any]:
        """Arguments of `DecoderShape` that GPT-2 and GPT-J share."""
        return {
            "layers": self.n_layer,
            "hidden": self.n_embd,
            "heads": self.n_head,
            "kv_heads": self.n_head,
            "head_dim": head_width(self.n_embd, self.n_head),
            "vocab": self.vocab_size,
            "ffn": self.n_inner or 4 * self.n_embd,
            "tied": self.tie_word_embeddings,
            "max_context": self.n_positions,
            "gated": False,
            "ffn_bias": True,
            "norm_bias": True,
        }


def gpt2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GPT2LMHeadModel``: learned positions, tied head, biases everywhere."""
    read = Gpt2Config.read(config, name)
    return DecoderShape(
        **read.dimensions(), positions=read.n_positions, rotary=False, qkv_bias=True, out_bias=True
    )  # fmt: skip


class GptBigCodeConfig(Gpt2Config):
    """transformers ``GPTBigCodeConfig``."""

    neutral: ClassVar[frozenset[str]] = Gpt2Config.neutral | {
        "scale_attention_softmax_in_fp32", "attention_softmax_in_fp32", "inference_runner", "max_batch_size",
        "max_sequence_length", "pad_key_length", "pre_allocate_kv_cache", "validate_runner_input",
        "runner_max_sequence_length", "num_key_value_heads",
    }  # fmt: skip
    multi_query: Flag = True


def gpt_bigcode_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GPTBigCodeForCausalLM`` (StarCoder): GPT-2 with one key/value head."""
    read = GptBigCodeConfig.read(config, name)
    heads = 1 if read.multi_query else read.n_head
    return DecoderShape(
        **{**read.dimensions(), "kv_heads": heads}, positions=read.n_positions, rotary=False, qkv_bias=True,
        out_bias=True,
    )  # fmt: skip


class GptJConfig(Gpt2Config):
    """transformers ``GPTJConfig``."""

    neutral: ClassVar[frozenset[str]] = Gpt2Config.neutral | {"rotary"}
    vocab_size: Size = 50400
    n_positions: Size = 2048
    n_embd: Size = 4096
    n_layer: Size = 28
    n_head: Size = 16
    tie_word_embeddings: Flag = False


def gptj_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GPTJForCausalLM`` and ``CodeGenForCausalLM``: one norm, sublayers side by side, a head with bias."""
    read = GptJConfig.read(config, name)
    return DecoderShape(**read.dimensions(), norms=1, parallel=True, head_bias=True)


class GptNeoXConfig(DecoderConfig):
    """transformers ``GPTNeoXConfig``."""

    vocab_size: Size = 50432
    hidden_size: Size = 6144
    num_hidden_layers: Size = 44
    num_attention_heads: Size = 64
    intermediate_size: Size = 24576
    max_position_embeddings: Size = 2048
    tie_word_embeddings: Flag = False
    use_parallel_residual: Flag = True
    attention_bias: Flag = True


def gpt_neox_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GPTNeoXForCausalLM`` (GPT-NeoX-20B, Pythia)."""
    read = GptNeoXConfig.read(config, name)
    return DecoderShape(
        layers=read.num_hidden_layers, hidden=read.hidden_size, heads=read.num_attention_heads,
        kv_heads=read.num_attention_heads, head_dim=head_width(read.hidden_size, read.num_attention_heads),
        vocab=read.vocab_size, ffn=read.intermediate_size, tied=read.tie_word_embeddings,
        max_context=read.max_position_embeddings, gated=False, ffn_bias=True, norm_bias=True,
        qkv_bias=read.attention_bias, out_bias=read.attention_bias, parallel=read.use_parallel_residual,
    )  # fmt: skip


class OptConfig(DecoderConfig):
    """transformers ``OPTConfig``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {"activation_dropout", "prefix", "output_projection"}
    vocab_size: Size = 50272
    hidden_size: Size = 768
    num_hidden_layers: Size = 12
    ffn_dim: Size = 3072
    max_position_embeddings: Size = 2048
    do_layer_norm_before: Flag = True
    word_embed_proj_dim: Size | None = None
    num_attention_heads: Size = 12
    enable_bias: Flag = True
    layer_norm_elementwise_affine: Flag = True
    tie_word_embeddings: Flag = True


def opt_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``OPTForCausalLM``; its position table has two rows more than positions."""
    read = OptConfig.read(config, name)
    bias, embed = read.enable_bias, read.word_embed_proj_dim or read.hidden_size
    removed = bool(config.get("_remove_final_layer_norm", False))
    return DecoderShape(
        layers=read.num_hidden_layers, hidden=read.hidden_size, heads=read.num_attention_heads,
        kv_heads=read.num_attention_heads, head_dim=head_width(read.hidden_size, read.num_attention_heads),
        vocab=read.vocab_size, ffn=read.ffn_dim, tied=read.tie_word_embeddings,
        embed_width=embed if embed != read.hidden_size else 0, positions=read.max_position_embeddings + 2,
        rotary=False, max_context=read.max_position_embeddings, gated=False, qkv_bias=bias, out_bias=bias,
        ffn_bias=bias, norm_bias=True, norm_affine=read.layer_norm_elementwise_affine,
        final_norm=read.do_layer_norm_before and not removed,
    )  # fmt: skip


class BloomConfig(DecoderConfig):
    """transformers ``BloomConfig``; older files say ``n_embed`` and ``num_attention_heads``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "apply_residual_connection_post_layernorm", "slow_but_exact", "masked_softmax_fusion", "bias_dropout_fusion",
        "skip_bias_add", "skip_bias_add_qkv", "attention_softmax_in_fp32", "offset_alibi", "seq_length", "n_inner",
        "unk_token_id",
    }  # fmt: skip
    vocab_size: Size = 250880
    hidden_size: Size = 64
    n_embed: Size | None = None
    n_layer: Size = 2
    n_head: Size = 8
    num_attention_heads: Size | None = None
    tie_word_embeddings: Flag = True


def bloom_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``BloomForCausalLM``: ALiBi, a norm after the embedding, biases everywhere."""
    read = BloomConfig.read(config, name)
    hidden, heads = read.n_embed or read.hidden_size, read.num_attention_heads or read.n_head
    return DecoderShape(
        layers=read.n_layer, hidden=hidden, heads=heads, kv_heads=heads, head_dim=head_width(hidden, heads),
        vocab=read.vocab_size, ffn=4 * hidden, tied=read.tie_word_embeddings, rotary=False, embed_norm=True,
        gated=False, qkv_bias=True, out_bias=True, ffn_bias=True, norm_bias=True,
    )  # fmt: skip


class FalconConfig(DecoderConfig):
    """transformers ``FalconConfig``; older files say ``n_embed``, ``n_layer``, ``n_head``, ``n_head_kv``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "apply_residual_connection_post_layernorm", "ff_factor",
    }  # fmt: skip
    vocab_size: Size = 65024
    hidden_size: Size = 4544
    num_hidden_layers: Size = 32
    num_attention_heads: Size = 71
    num_kv_heads: Size | None = None
    num_ln_in_parallel_attn: Literal[1, 2] | None = None
    alibi: Flag = False
    new_decoder_architecture: Flag = False
    multi_query: Flag = True
    parallel_attn: Flag = True
    bias: Flag = False
    max_position_embeddings: Size = 2048
    ffn_hidden_size: Size | None = None
    tie_word_embeddings: Flag = True

    @property
    def key_heads(self) -> int:
        """Key/value heads: one under multi-query attention, unless the decoder is of the new kind."""
        if self.multi_query and not self.new_decoder_architecture:
            return 1
        return self.num_kv_heads or self.num_attention_heads

    @property
    def norms(self) -> int:
        """Norms of a layer: 2 if sequential, else 2 in the new decoder unless it says 1."""
        if not self.parallel_attn:
            return 2
        return self.num_ln_in_parallel_attn or (2 if self.new_decoder_architecture else 1)


def falcon_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``FalconForCausalLM`` (7B: multi-query; 40B, 180B: new decoder architecture)."""
    older = {"n_embed": "hidden_size", "n_layer": "num_hidden_layers", "n_head": "num_attention_heads",
             "n_head_kv": "num_kv_heads"}  # fmt: skip
    read = FalconConfig.read({older.get(key, key): value for key, value in config.items()}, name)
    bias = read.bias
    return DecoderShape(
        layers=read.num_hidden_layers, hidden=read.hidden_size, heads=read.num_attention_heads,
        kv_heads=read.key_heads, head_dim=head_width(read.hidden_size, read.num_attention_heads), vocab=read.vocab_size,
        ffn=read.ffn_hidden_size or 4 * read.hidden_size, tied=read.tie_word_embeddings, rotary=not read.alibi,
        max_context=read.max_position_embeddings, gated=False, qkv_bias=bias, out_bias=bias, ffn_bias=bias,
        norm_bias=True, norms=read.norms, parallel=read.parallel_attn or read.new_decoder_architecture,
    )  # fmt: skip


class PhiConfig(DecoderConfig):
    """transformers ``PhiConfig``."""

    vocab_size: Size = 51200
    hidden_size: Size = 2048
    intermediate_size: Size = 8192
    num_hidden_layers: Size = 24
    num_attention_heads: Size = 32
    num_key_value_heads: Size | None = None
    max_position_embeddings: Size = 2048
    tie_word_embeddings: Flag = False
    qk_layernorm: Flag = False


def phi_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``PhiForCausalLM`` (Phi-1, 1.5, 2): one norm, parallel, biases everywhere, also in the head."""
    read = PhiConfig.read(config, name)
    return DecoderShape(
        layers=read.num_hidden_layers, hidden=read.hidden_size, heads=read.num_attention_heads,
        kv_heads=read.num_key_value_heads or read.num_attention_heads,
        head_dim=head_width(read.hidden_size, read.num_attention_heads), vocab=read.vocab_size,
        ffn=read.intermediate_size,
        tied=read.tie_word_embeddings, max_context=read.max_position_embeddings, gated=False, qkv_bias=True,
        out_bias=True, ffn_bias=True, head_bias=True, norm_bias=True, norms=1, parallel=True,
        qk_norm="head" if read.qk_layernorm else "none",
    )  # fmt: skip


class MptAttentionConfig(Config):
    """``attn_config`` of an MPT configuration; the transformers class knows ALiBi without query-key norms only."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "attn_impl", "clip_qkv", "softmax_scale", "alibi_bias_max",
    }  # fmt: skip
    attn_type: Literal["multihead_attention"] = "multihead_attention"
    alibi: Literal[True] = True
    qk_ln: Literal[False] = False
    prefix_lm: Literal[False] = False


class MptConfig(DecoderConfig):
    """transformers ``MptConfig``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | {
        "emb_pdrop", "init_device", "init_config", "logit_scale", "embedding_fraction", "norm_type",
        "learned_pos_emb", "verbose", "tokenizer_name",
    }  # fmt: skip
    d_model: Size = 2048
    n_heads: Size = 16
    n_layers: Size = 24
    attn_config: dict[str, Any] | None = None
    expansion_ratio: Count = 4
    max_seq_len: Size = 2048
    vocab_size: Size = 50368
    no_bias: Literal[True] = True
    tie_word_embeddings: Flag = True


def mpt_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MptForCausalLM``: no bias anywhere, ALiBi, so that ``learned_pos_emb`` adds no table."""
    read = MptConfig.read(config, name)
    MptAttentionConfig.read(read.attn_config or {}, f"{name}: attn_config")
    return DecoderShape(
        layers=read.n_layers, hidden=read.d_model, heads=read.n_heads, kv_heads=read.n_heads,
        head_dim=head_width(read.d_model, read.n_heads), vocab=read.vocab_size, ffn=read.expansion_ratio * read.d_model,
        tied=read.tie_word_embeddings, rotary=False, max_context=read.max_seq_len, gated=False,
    )  # fmt: skip


read_gpt2 = decoder_reader(gpt2_shape, "GPT2LMHeadModel")
read_gpt_bigcode = decoder_reader(gpt_bigcode_shape, "GPTBigCodeForCausalLM")
read_codegen = decoder_reader(gptj_shape, "CodeGenForCausalLM")
read_gptj = decoder_reader(gptj_shape, "GPTJForCausalLM")
read_gpt_neox = decoder_reader(gpt_neox_shape, "GPTNeoXForCausalLM")
read_opt = decoder_reader(opt_shape, "OPTForCausalLM")
read_bloom = decoder_reader(bloom_shape, "BloomForCausalLM")
read_falcon = decoder_reader(falcon_shape, "FalconForCausalLM")
read_phi = decoder_reader(phi_shape, "PhiForCausalLM")
read_mpt = decoder_reader(mpt_shape, "MptForCausalLM")
