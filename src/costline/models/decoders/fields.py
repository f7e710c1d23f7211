"""What the configurations of decoder families share: fields that change nothing, and patterns of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models.config import Config

ROUTING = frozenset({
    "output_router_logits", "router_aux_loss_coef", "router_jitter_noise", "norm_topk_prob", "routed_scaling_factor",
    "n_group", "topk_group", "topk_method", "scoring_func", "seq_aux", "aux_loss_alpha", "ep_size",
    "use_grouped_topk", "use_routing_bias", "router_dtype", "moe_router_topk_scaling_factor",
})  # fmt: skip
"""How experts are chosen, not how many: no count changes."""

EXTRA_HEADS = frozenset({
    "num_nextn_predict_layers", "num_mtp_layers", "mtp_num_hidden_layers", "mtp_use_dedicated_embeddings",
    "mtp_hybrid_override_pattern", "mtp_layers_block_type", "num_mtp_modules", "mtp_transformer_layers", "use_mtp",
})  # fmt: skip
"""Multi-token-prediction modules: extra weights beside the model, never counted; `extra_heads` says so."""

GENERATION = frozenset({
    "diversity_penalty", "length_penalty", "repetition_penalty", "encoder_no_repeat_ngram_size", "no_repeat_ngram_size",
    "num_beams", "num_beam_groups", "num_return_sequences", "typical_p", "epsilon_cutoff", "eta_cutoff",
    "early_stopping", "bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id",
    "forced_eos_token_id", "return_dict_in_generate", "output_scores", "remove_invalid_values",
    "exponential_decay_length_penalty", "prefix", "finetuning_task", "torchscript", "tf_legacy_loss", "use_bfloat16",
})  # fmt: skip
"""Settings of sampling and of old loaders that transformers once wrote into every configuration."""

COMMON = frozenset({
    "hidden_act", "hidden_activation", "activation_function", "activation", "quantization_config",
    "partial_rotary_factor", "rotary_pct", "rotary_emb_base", "rotary_dim", "rope_interleave", "rope_interleaved",
    "rope_local_base_freq", "attn_implementation", "is_decoder", "num_labels", "id2label", "label2id", "problem_type",
    "task_specific_params", "tokenizer_class", "sep_token_id", "unk_token_id", "decoder_start_token_id",
    "temperature", "top_k", "top_p", "do_sample", "max_length", "min_length", "chunk_size_feed_forward",
    "embd_pdrop", "attn_pdrop", "resid_pdrop", "resid_dropout", "embd_dropout", "classifier_dropout", "layerdrop",
    "is_encoder_decoder", "keys_to_ignore_at_inference", "init_std", "norm_eps", "mlp_hidden_act",
    "original_max_position_embeddings", "attn_logit_softcapping", "final_logit_softcapping",
    "query_pre_attn_scalar", "cache_implementation", "output_past", "is_llama_config",
})  # fmt: skip
"""Fields of decoder configurations examined and found to change neither parameters nor FLOPs."""


MlpTypes = list[Literal["dense", "sparse"]] | None
"""Which layers have experts, one word a layer."""


class DecoderConfig(Config):
    """A decoder's configuration: `COMMON`, `GENERATION`, `ROUTING` and `EXTRA_HEADS` are neutral in every family."""

    neutral: ClassVar[frozenset[str]] = COMMON | GENERATION | ROUTING | EXTRA_HEADS


def each_layer(kinds: Sequence[Any], layers: int, field: str) -> None:
    """Refuse a list with an entry a layer that does not have as many as there are layers.

    Raises
    ------
    ConfigError
        With both numbers.

    Examples
    --------
    >>> each_layer(["dense", "sparse"], 3, "mlp_layer_types")
    Traceback (most recent call last):
    ...
    costline.errors.ConfigError: 'mlp_layer_types' lists 2 layers, 'num_hidden_layers' says 3
    """
    if len(kinds) != layers:
        raise ConfigError(f"{field!r} lists {len(kinds)} layers, 'num_hidden_layers' says {layers}")


def layer_set(indices: Sequence[int], layers: int, field: str) -> frozenset[int]:
    """Layers listed by index, of which none may stand twice or beyond the last.

    Examples
    --------
    >>> sorted(layer_set([3, 1], 4, "moe_layers"))
    [1, 3]
    """
    for index in indices:
        if not 0 <= index < layers:
            raise ConfigError(f"{field!r} lists layer {index}; the {layers} layers are 0 to {layers - 1}")
    found = frozenset(indices)
    if len(found) < len(indices):
        twice = next(index for index in indices if list(indices).count(index) > 1)
        raise ConfigError(f"{field!r} lists layer {twice} twice")
    return found


def count_layers(kinds: Sequence[str], wanted: str, layers: int, name: str) -> int:
    """How many of the listed layer kinds are `wanted`; the list must cover all layers.

    Examples
    --------
    >>> count_layers(["sliding_attention", "full_attention"], "sliding_attention", 2, "tiny")
    1
    """
    each_layer(kinds, layers, "layer_types")
    known = {wanted, "full_attention"}
    strange = sorted(set(kinds) - known)
    if strange:
        raise ConfigError(f"{name}: 'layer_types' has {strange[0][:40]!r}; known here: {', '.join(sorted(known))}")
    return sum(kind == wanted for kind in kinds)


def local_layers(
    sliding: int, window: int | None, listed: Sequence[str] | None, layers: int, name: str
) -> dict[str, Any]:
    """Arguments of `DecoderShape` for layers that slide: `sliding` of them, or as many as `listed` says, if any.

    Examples
    --------
    >>> local_layers(3, 1024, None, 4, "tiny"), local_layers(3, 1024, ["full_attention"] * 4, 4, "tiny")
    ({'local_layers': 3, 'local_tokens': 1024}, {})
    """
    if listed is not None:
        sliding = count_layers(listed, "sliding_attention", layers, name)
    return {"local_layers": sliding, "local_tokens": window} if window and sliding else {}


def layers_at(layers: int, period: int, offset: int) -> int:
    """Layers whose index leaves `offset` when divided by `period`.

    Examples
    --------
    >>> layers_at(32, 8, 4), layers_at(4, 8, 4)
    (4, 0)
    """
    return max(0, -(-(layers - offset) // period))


def moe_layer_count(layers: int, step: int, listed: Sequence[int]) -> int:
    """Layers with experts where every `step`-th layer has them, except those listed as dense (Qwen's rule).

    Examples
    --------
    >>> moe_layer_count(8, 2, [3])
    3
    """
    dense = layer_set(listed, layers, "mlp_only_layers")
    return layers // step - sum((index + 1) % step == 0 for index in dense)


def dense_layers(kinds: MlpTypes, first: int, layers: int) -> int:
    """Layers without experts: the `first` ones, unless `kinds` lists them.

    Examples
    --------
    >>> dense_layers(None, 3, 61), dense_layers(["dense", "sparse"], 3, 2)
    (3, 1)
    """
    if kinds is None:
        return min(first, layers)
    each_layer(kinds, layers, "mlp_layer_types")
    return kinds.count("dense")


def spelled(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with ``_sliding_window_pattern``, as transformers writes it, under its older name."""
    pattern = config.get("_sliding_window_pattern")
    return {**config} if pattern is None else {"sliding_window_pattern": pattern, **config}


def text_part(config: Mapping[str, Any], name: str, *, own_head: bool = False) -> dict[str, Any]:
    """Configuration of the language model inside a multimodal one.

    Parameters
    ----------
    config, name : mapping and str
        The whole configuration, and of what.
    own_head : bool
        The head is the inner model's and tied as `text_config` says (Llama 4); else it is a module of the whole, and
        tied as that says, if it says anything.

    Raises
    ------
    ConfigError
        If there is no ``text_config``.
    """
    text = config.get("text_config")
    if not isinstance(text, Mapping):
        raise ConfigError(f"{name}: a multimodal configuration without 'text_config'")
    tied = config.get("tie_word_embeddings")
    return dict(text) if own_head or tied is None else {**text, "tie_word_embeddings": tied}


def extra_heads(config: Mapping[str, Any]) -> str:
    """A note on modules that predict further tokens, where a configuration states any.

    Examples
    --------
    >>> extra_heads({"num_nextn_predict_layers": 1}), extra_heads({"num_nextn_predict_layers": 0})
    ('modules for multi-token prediction are not counted (num_nextn_predict_layers 1)', '')
    """
    text = config.get("text_config")
    for field in ("num_nextn_predict_layers", "num_mtp_layers", "mtp_num_hidden_layers", "num_mtp_modules"):
        number = config.get(field, text.get(field) if isinstance(text, Mapping) else None)
        if type(number) is int and number > 0:
            return f"modules for multi-token prediction are not counted ({field} {number})"
    return ""


TEXT_ONLY = "the language model alone: vision and audio towers are not counted"
"""Note on networks read from a multimodal configuration."""
