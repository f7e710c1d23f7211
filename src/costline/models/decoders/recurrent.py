"""Models with recurrent mixers: Mamba, Mamba-2, Jamba, Bamba, Falcon-H1, Granite 4, Kimi Linear, MiniMax-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Config, Count, Flag, Size
from costline.models.decoders.dense import MULTIPLIERS
from costline.models.decoders.fields import DecoderConfig, MlpTypes, count_layers, dense_layers, layer_set, layers_at
from costline.models.decoders.latent import DeepseekV3Config
from costline.models.decoders.llama import DenseConfig
from costline.models.decoders.moe import MixtralConfig
from costline.models.decoders.readers import decoder_reader
from costline.models.decoders.shape import DecoderShape

STEPS = frozenset({
    "time_step_min", "time_step_max", "time_step_limit", "time_step_floor", "time_step_scale", "time_step_init_scheme",
    "residual_in_fp32", "rescale_prenorm_residual", "chunk_size", "mamba_chunk_size", "use_mambapy",
    "use_falcon_mambapy", "use_associative_scan", "use_mamba_kernels", "num_logits_to_keep", "mixer_rms_eps",
    "mamba_norm_before_gate", "z_loss_coefficient", "d_inner", "d_model", "n_layer", "ssm_cfg", "fused_add_norm",
    "rms_norm", "norm_before_gate", "fuse_cross_entropy", "fuse_norm", "pad_vocab_size_multiple",
})  # fmt: skip
"""How a state is started, stepped through and computed, and what the original code of Mamba states a second time."""
PURE: Mapping[str, Any] = {
    "heads": 0,
    "kv_heads": 0,
    "head_dim": 0,
    "attention_layers": 0,
    "dense_layers": 0,
    "norms": 1,
}
"""Arguments of `DecoderShape` for layers that are a mixer and nothing else."""


def split(inner: int, heads: int, name: str) -> int:
    """Width of a head of a mixer of width `inner`, which the heads must divide. [feature]"""
    if inner % heads:
        raise ConfigError(f"{name}: {heads} heads of the recurrent mixer do not divide its width {inner}")
    return inner // heads


class MambaConfig(DecoderConfig):
    """transformers ``MambaConfig``, ``FalconMambaConfig``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | STEPS
    vocab_size: Size = 50280
    hidden_size: Size = 768
    state_size: Size = 16
    num_hidden_layers: Size = 32
    expand: Size = 2
    conv_kernel: Size = 4
    intermediate_size: Size | None = None
    """Width of the mixer, where it is stated, whatever `expand` says (Falcon-Mamba)."""
    use_bias: Literal[False] = False
    use_conv_bias: Flag = True
    time_step_rank: Size | Literal["auto"] = "auto"
    tie_word_embeddings: Flag = True


def mamba_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MambaForCausalLM`` and ``FalconMambaForCausalLM``, whose norms inside the mixer have no scale."""
    read = MambaConfig.read(config, name)
    inner, rank = read.intermediate_size or read.expand * read.hidden_size, read.time_step_rank
    return DecoderShape(
        **PURE, layers=read.num_hidden_layers, hidden=read.hidden_size, vocab=read.vocab_size,
        tied=read.tie_word_embeddings, mamba_layers=read.num_hidden_layers, mamba_heads=inner, mamba_head_dim=1,
        mamba_groups=1, mamba_state=read.state_size, mamba_norm=False, conv_kernel=read.conv_kernel,
        mamba_rank=-(-read.hidden_size // 16) if rank == "auto" else rank, conv_bias=read.use_conv_bias,
    )  # fmt: skip


class Mamba2Config(DecoderConfig):
    """transformers ``Mamba2Config``."""

    neutral: ClassVar[frozenset[str]] = DecoderConfig.neutral | STEPS | {"time_step_rank"}
    num_heads: Size = 128
    head_dim: Size = 64
    vocab_size: Size = 32768
    hidden_size: Size = 4096
    state_size: Size = 128
    num_hidden_layers: Size = 64
    expand: Size = 2
    conv_kernel: Size = 4
    n_groups: Size = 8
    use_bias: Literal[False] = False
    use_conv_bias: Flag = True
    tie_word_embeddings: Flag = False


def mamba2_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``Mamba2ForCausalLM``."""
    read = Mamba2Config.read(config, name)
    if split(read.expand * read.hidden_size, read.num_heads, name) != read.head_dim:
        raise ConfigError(f"{name}: {read.num_heads} heads of {read.head_dim} are not {read.expand} times the width")
    return DecoderShape(
        **PURE, layers=read.num_hidden_layers, hidden=read.hidden_size, vocab=read.vocab_size,
        tied=read.tie_word_embeddings, mamba_layers=read.num_hidden_layers, mamba_heads=read.num_heads,
        mamba_head_dim=read.head_dim, mamba_groups=read.n_groups, mamba_state=read.state_size,
        conv_kernel=read.conv_kernel, conv_bias=read.use_conv_bias,
    )  # fmt: skip


class JambaConfig(DenseConfig):
    """transformers ``JambaConfig``: which layers attend and which have experts follows from a period and an offset."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | STEPS | {"n_ctx"}
    vocab_size: Size = 65536
    intermediate_size: Size = 14336
    num_key_value_heads: Size | None = 8
    max_position_embeddings: Size = 262144
    num_experts_per_tok: Size = 2
    num_experts: Size = 16
    expert_layer_period: Size = 2
    expert_layer_offset: Count = 1
    attn_layer_period: Size = 8
    attn_layer_offset: Count = 4
    sliding_window: None = None
    mamba_d_state: Size = 16
    mamba_d_conv: Size = 4
    mamba_expand: Size = 2
    mamba_dt_rank: Size | Literal["auto"] = "auto"
    mamba_conv_bias: Flag = True
    mamba_proj_bias: Literal[False] = False
    mamba_inner_layernorms: Literal[True] = True


def jamba_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``JambaForCausalLM``: no positions, Mamba-1 with norms, one expert being a dense layer."""
    read = JambaConfig.read(config, name)
    layers, rank = read.num_hidden_layers, read.mamba_dt_rank
    attending = layers_at(layers, read.attn_layer_period, read.attn_layer_offset)
    moe = layers_at(layers, read.expert_layer_period, read.expert_layer_offset) * (read.num_experts > 1)
    experts: dict[str, Any] = {
        "experts": read.num_experts, "active_experts": read.num_experts_per_tok, "expert_ffn": read.intermediate_size,
        "dense_layers": layers - moe, "moe_layers": moe,
    }  # fmt: skip
    return DecoderShape(
        **read.dimensions(), **(experts if moe else {}), rotary=False, attention_layers=attending,
        mamba_layers=layers - attending, mamba_heads=read.mamba_expand * read.hidden_size, mamba_head_dim=1,
        mamba_groups=1, mamba_state=read.mamba_d_state, conv_kernel=read.mamba_d_conv, conv_bias=read.mamba_conv_bias,
        mamba_rank=-(-read.hidden_size // 16) if rank == "auto" else rank,
    )  # fmt: skip


class BambaConfig(DenseConfig):
    """transformers ``BambaConfig``."""

    neutral: ClassVar[frozenset[str]] = DenseConfig.neutral | STEPS | {"attn_rotary_emb", "mamba_dt_rank"}
    vocab_size: Size = 128000
    intermediate_size: Size = 14336
    num_key_value_heads: Size | None = 8
    max_position_embeddings: Size = 262144
    attn_layer_indices: list[int] | None = None
    attention_bias: Flag = False
    mlp_bias: Flag = False
    mamba_n_heads: Size = 128
    mamba_d_head: Size | Literal["auto"] = "auto"
    mamba_n_groups: Size = 1
    mamba_d_state: Size = 256
    mamba_d_conv: Size = 4
    mamba_expand: Size = 2
    mamba_conv_bias: Flag = True
    mamba_proj_bias: Literal[False] = False

    def mixer(self, inner: int, name: str) -> dict[str, Any]:
        """Arguments of `DecoderShape` that describe the Mamba-2 mixer, of width `inner`."""
        width = split(inner, self.mamba_n_heads, name)
        if self.mamba_d_head not in {"auto", width}:
            raise ConfigError(f"{name}: 'mamba_d_head' is {self.mamba_d_head}, the width over the heads {width}")
        return {
            "mamba_heads": self.mamba_n_heads, "mamba_head_dim": width, "mamba_groups": self.mamba_n_groups,
            "mamba_state": self.mamba_d_state, "conv_kernel": self.mamba_d_conv, "conv_bias": self.mamba_conv_bias,
        }  # fmt: skip


def bamba_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``BambaForCausalLM``."""
    read = BambaConfig.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    attending = len(layer_set(read.attn_layer_indices or [], layers, "attn_layer_indices"))
    return DecoderShape(
        **read.dimensions(), **read.mixer(read.mamba_expand * read.hidden_size, name), qkv_bias=bias, out_bias=bias,
        ffn_bias=read.mlp_bias, attention_layers=attending, mamba_layers=layers - attending,
    )  # fmt: skip


class FalconH1Config(BambaConfig):
    """transformers ``FalconH1Config``."""

    neutral: ClassVar[frozenset[str]] = BambaConfig.neutral | {
        "lm_head_multiplier", "embedding_multiplier", "mlp_multipliers", "key_multiplier", "attention_out_multiplier",
        "attention_in_multiplier", "ssm_multipliers", "ssm_in_multiplier", "ssm_out_multiplier", "mlp_expansion_factor",
        "expansion_factor",
    }  # fmt: skip
    seldom_stated: ClassVar[frozenset[str]] = BambaConfig.seldom_stated | {"mamba_expand"}
    attn_layer_indices: None = None
    max_position_embeddings: Size = 8192
    mamba_d_ssm: Size | None = 1024
    mamba_rms_norm: Flag = False
    mamba_use_mlp: Literal[True] = True
    projectors_bias: Literal[False] = False


def falcon_h1_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``FalconH1ForCausalLM``: attention and Mamba-2 beside each other in every layer."""
    read = FalconH1Config.read(config, name)
    layers, bias = read.num_hidden_layers, read.attention_bias
    return DecoderShape(
        **read.dimensions(), **read.mixer(read.mamba_d_ssm or read.mamba_expand * read.hidden_size, name),
        qkv_bias=bias, out_bias=bias, ffn_bias=read.mlp_bias, attention_layers=layers, mamba_layers=layers,
        mamba_norm=read.mamba_rms_norm,
    )  # fmt: skip


class GraniteHybridConfig(BambaConfig):
    """transformers ``GraniteMoeHybridConfig``: without experts, the shared one is the dense network."""

    neutral: ClassVar[frozenset[str]] = BambaConfig.neutral | MULTIPLIERS | {"normalization_function", "init_method"}
    seldom_stated: ClassVar[frozenset[str]] = BambaConfig.seldom_stated | {"intermediate_size"}
    vocab_size: Size = 32000
    intermediate_size: Size = 11008
    num_key_value_heads: Size | None = None
    max_position_embeddings: Size = 2048
    attn_layer_indices: None = None
    mlp_bias: Literal[False] = False
    num_local_experts: Count = 8
    num_experts_per_tok: Count = 2
    shared_intermediate_size: Size = 1024
    position_embedding_type: Literal["rope", "nope"] | None = None
    layer_types: list[Literal["linear_attention", "full_attention", "mamba", "attention"]] | None = None
    layers_block_type: list[Literal["linear_attention", "full_attention", "mamba", "attention"]] | None = None


def granite_hybrid_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``GraniteMoeHybridForCausalLM`` (Granite 4)."""
    read = GraniteHybridConfig.read(config, name)
    layers, bias, kinds = read.num_hidden_layers, read.attention_bias, read.layer_types or read.layers_block_type
    words = {"mamba": "linear_attention", "attention": "full_attention"}
    listed = [words.get(kind, kind) for kind in kinds or ()]
    mixing = count_layers(listed, "linear_attention", layers, name) if listed else layers
    width = read.shared_intermediate_size
    experts: dict[str, Any] = {
        "ffn": 0, "experts": read.num_local_experts, "active_experts": read.num_experts_per_tok,
        "expert_ffn": read.intermediate_size, "shared_ffn": width,
    }  # fmt: skip
    return DecoderShape(
        **{**read.dimensions(), **(experts if read.num_local_experts else {"ffn": width})},
        **read.mixer(read.mamba_expand * read.hidden_size, name), rotary=read.position_embedding_type == "rope",
        qkv_bias=bias, out_bias=bias, attention_layers=layers - mixing, mamba_layers=mixing,
    )  # fmt: skip


class KimiDeltaConfig(Config):
    """``linear_attn_config`` of a Kimi Linear configuration; layers are counted from 1."""

    head_dim: Size = 128
    num_heads: Size = 32
    short_conv_kernel_size: Size = 4
    kda_layers: list[int] | None = None
    full_attn_layers: list[int] | None = None


class KimiLinearConfig(DeepseekV3Config):
    """transformers ``KimiLinearConfig``, with the names that the published file has for some fields."""

    neutral: ClassVar[frozenset[str]] = DeepseekV3Config.neutral | {
        "moe_renormalize", "num_expert_group", "moe_router_activation_func",
    }  # fmt: skip
    vocab_size: Size = 163840
    hidden_size: Size = 2304
    intermediate_size: Size = 9216
    moe_intermediate_size: Size = 1024
    num_hidden_layers: Size = 27
    num_attention_heads: Size = 32
    q_lora_rank: Size | None = None
    first_k_dense_replace: Count = 1
    max_position_embeddings: Size = 1048576
    mla_use_nope: Literal[True] = True
    linear_attn_config: dict[str, Any] | None = None
    linear_head_dim: Size = 128
    linear_num_heads: Size = 32
    linear_conv_kernel_dim: Size = 4
    layer_types: list[str] | None = None
    mlp_layer_types: MlpTypes = None

    def delta(self, name: str) -> dict[str, Any]:
        """Arguments of `DecoderShape` for the layers with delta attention: all but every fourth after the first."""
        layers = self.num_hidden_layers
        nested = KimiDeltaConfig.read(
            {"head_dim": self.linear_head_dim, "num_heads": self.linear_num_heads,
             "short_conv_kernel_size": self.linear_conv_kernel_dim, **(self.linear_attn_config or {})},
            f"{name}: linear_attn_config",
        )  # fmt: skip
        count = layers - (layers - 1) // 4
        if self.layer_types is not None:
            count = count_layers(self.layer_types, "linear_attention", layers, name)
        elif nested.kda_layers is not None and nested.full_attn_layers is not None:
            both = [layer - 1 for layer in (*nested.kda_layers, *nested.full_attn_layers)]
            if len(layer_set(both, layers, "linear_attn_config")) != layers:
                raise ConfigError(f"{name}: 'linear_attn_config' lists {len(both)} of {layers} layers")
            count = len(nested.kda_layers)
        heads, width = nested.num_heads, nested.head_dim
        return {
            "delta_layers": count, "delta_key_heads": heads, "delta_value_heads": heads, "delta_key_dim": width,
            "delta_value_dim": width, "delta_rank": width, "conv_kernel": nested.short_conv_kernel_size,
        }  # fmt: skip


def kimi_linear_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``KimiLinearForCausalLM``: delta attention with a gate a channel, latent attention unrotated."""
    published = {
        "num_experts": "n_routed_experts", "num_local_experts": "n_routed_experts",
        "num_shared_experts": "n_shared_experts", "num_experts_per_token": "num_experts_per_tok",
        "model_max_length": "max_position_embeddings",
    }  # fmt: skip
    read = KimiLinearConfig.read({published.get(key, key): value for key, value in config.items()}, name)
    dense = dense_layers(read.mlp_layer_types, read.first_k_dense_replace, read.num_hidden_layers)
    return DecoderShape(**{**read.latent(), "dense_layers": dense}, **read.delta(name), rotary=False)


class MiniMaxConfig(MixtralConfig):
    """transformers ``MiniMaxConfig``: every other layer is linear unless `layer_types` says which."""

    neutral: ClassVar[frozenset[str]] = MixtralConfig.neutral | {
        "block_size", "full_attn_alpha_factor", "full_attn_beta_factor", "linear_attn_alpha_factor",
        "linear_attn_beta_factor", "mlp_alpha_factor", "mlp_beta_factor", "layernorm_full_attention_alpha",
        "layernorm_full_attention_beta", "layernorm_linear_attention_alpha", "layernorm_linear_attention_beta",
        "layernorm_mlp_alpha", "layernorm_mlp_beta", "postnorm", "shared_moe_mode",
    }  # fmt: skip
    sliding_window: None = None
    shared_intermediate_size: Literal[0] = 0
    layer_types: list[str] | None = None
    attn_type_list: list[Literal[0, 1]] | None = None
    """The same as published: 0 is linear, 1 softmax attention."""


def minimax_shape(config: Mapping[str, Any], name: str) -> DecoderShape:
    """Shape of ``MiniMaxForCausalLM``, as published ``MiniMaxText01ForCausalLM`` and ``MiniMaxM1ForCausalLM``."""
    read = MiniMaxConfig.read(config, name)
    layers, kinds = read.num_hidden_layers, read.layer_types
    if kinds is None and read.attn_type_list is not None:
        kinds = ["full_attention" if kind else "linear_attention" for kind in read.attn_type_list]
    linear = layers // 2 if kinds is None else count_layers(kinds, "linear_attention", layers, name)
    return DecoderShape(**read.routed(), lightning_layers=linear)


read_mamba = decoder_reader(mamba_shape, "MambaForCausalLM")
read_falcon_mamba = decoder_reader(mamba_shape, "FalconMambaForCausalLM")
read_mamba2 = decoder_reader(mamba2_shape, "Mamba2ForCausalLM")
read_jamba = decoder_reader(jamba_shape, "JambaForCausalLM")
read_bamba = decoder_reader(bamba_shape, "BambaForCausalLM")
read_falcon_h1 = decoder_reader(falcon_h1_shape, "FalconH1ForCausalLM")
read_granite_hybrid = decoder_reader(granite_hybrid_shape, "GraniteMoeHybridForCausalLM")
read_kimi_linear = decoder_reader(kimi_linear_shape, "KimiLinearForCausalLM")
read_minimax = decoder_reader(minimax_shape, "MiniMaxForCausalLM")
