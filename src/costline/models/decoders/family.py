"""Hypothetical decoders of many sizes at once: the rule of `hypothetical` without its rounding, sizes as arrays.

A network of a family has one size for each sample. Layers, width, experts and feed-forward widths are real numbers that
follow the rule exactly, where `hypothetical_decoder` rounds layers to fours and the width to whole heads by the
thousand; so parameters are met exactly, and times and FLOPs lie within a few per cent of the rounded network (a test
states how few).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders import hypothetical as rule
from costline.models.decoders.build import build_decoder
from costline.models.decoders.shape import DecoderShape
from costline.models.decoders.stated import check_stated_fields
from costline.models.network import Network
from costline.numeric import Array, Numeric

NOT_RULED = (
    "attention",
    "local",
    "kv_lora",
    "mamba",
    "delta",
    "lightning",
    "index",
    "dense_layers",
    "moe_layers",
    "expert_latent",
)
"""Beginnings of fields that ask for a design of which a family does not know how it grows."""
CROSSING = 0.01
"""Share of the samples whose active parameters may exceed all of them, and are then all: the tails of ranges."""
ROUNDED_OFF = 512.0
"""What the rule rounds off the width of a mixture of experts on average, half of 1,024; a shared expert takes it up."""
SOURCE = "hypothetical: every dimension follows from the parameters by the stated rule, unrounded"


class _Shape(DecoderShape):
    """A shape whose sizes may be arrays; `decoder_family` has checked what it states."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Arrays cannot be checked as numbers are."""


def decoder_family(params: Numeric, active: Numeric | None = None, **fields: Any) -> Decoder:
    """Build decoders of `params` parameters, `active` of which a token uses, as one network of arrays.

    Parameters
    ----------
    params : float or array
        All parameters of each. [parameter]
    active : float or array, optional
        Parameters of one token; where they reach `params`, every expert is visited. [parameter]
    **fields
        Fields of `DecoderShape` that are the same for all, as in `hypothetical_decoder`.

    Raises
    ------
    ConfigError
        A size outside the rule, or stated fields that leave nothing to vary.
    """
    size = np.asarray(params, dtype=float)
    used = None if active is None else _of(size, np.asarray(active, dtype=float))
    stated = {key: value for key, value in fields.items() if value is not None}
    _check(size, used, stated)
    big = bool(np.median(size) >= rule.SMALL)
    stated.setdefault("vocab", rule.VOCAB if big else rule.SMALL_VOCAB)
    stated.setdefault("tied", not big)
    values = _dense(size, stated) if used is None else _sparse(size, used, stated)
    built = _built(values)
    rule.check_proportions("hypothetical", float(np.median(built.layers)), float(np.median(built.hidden_size)), stated)
    missed = float(np.max(np.abs(np.asarray(built.params) / size - 1)))
    if missed > rule.TOLERANCE:
        fixed = ", ".join(f"{key} {value}" for key, value in fields.items() if value is not None)
        raise ConfigError(
            f"hypothetical: with {fixed} the parameters are missed by up to {missed:.1%}; state fewer sizes"
        )
    return built


def _of(size: Array, active: Array) -> Array:
    """Active parameters, at most all of them: only the tails of two ranges may cross."""
    crossing = float(np.mean(active > size))
    if crossing > CROSSING:
        raise ConfigError(
            f"hypothetical: active exceeds params in {crossing:.0%} of the samples; at most all are active: "
            "state ranges further apart"
        )
    return np.minimum(active, size)


def _check(size: Array, used: Array | None, stated: Mapping[str, Any]) -> None:
    low, high = rule.LIMITS
    for label, array in (("params", size), ("active", used)):
        if array is not None and not (np.min(array) >= low and np.max(array) <= high):
            span = f"{np.min(array):.4g} to {np.max(array):.4g}"
            raise ConfigError(f"hypothetical: {label} must be from {low:.0e} to {high:.0e}, samples are {span}")
    check_stated_fields(stated, "hypothetical")
    for key in stated:
        if key.startswith(NOT_RULED):
            raise ConfigError(f"hypothetical: {key[:40]!r} cannot be stated of sizes that are a range")
    if used is None and stated.get("experts"):
        raise ConfigError("hypothetical: experts of sizes that are a range need --active")


def _built(values: Mapping[str, Any]) -> Decoder:
    return build_decoder(_Shape(**values), "hypothetical", "decoder", source=SOURCE)


def _heads(hidden: Numeric, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Heads of the usual width, at most `KEY_HEADS` of them for keys and values, as far as none are stated."""
    head_dim = stated.get("head_dim", rule.HEAD_DIM if "heads" not in stated else hidden / stated["heads"])
    heads = stated.get("heads", hidden / head_dim)
    return {"hidden": hidden, "head_dim": head_dim, "heads": heads, "kv_heads": np.minimum(rule.KEY_HEADS, heads)}


def _dense(size: Array, stated: Mapping[str, Any]) -> dict[str, Any]:
    def shaped(layers: Numeric, hidden: Numeric) -> dict[str, Any]:
        return {"ffn": rule.FFN_RATIO * hidden, **_heads(hidden, stated), "layers": layers, **stated}

    if "hidden" in stated and "layers" in stated:
        base = shaped(stated["layers"], stated["hidden"])
        return {**base, "ffn": linear_root(lambda width: {**base, "ffn": width}, _built, size)}
    if "hidden" in stated:
        layers = linear_root(lambda count: shaped(count, stated["hidden"]), _built, size)
        return shaped(layers, stated["hidden"])
    layers = stated.get("layers", _ruled(size, rule.DENSE_LAYERS))
    return shaped(layers, quadratic_root(lambda width: shaped(layers, width), _built, size))


def _sparse(size: Array, used: Array, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Routed experts hold `ROUTED_SHARE` of the active parameters, attention and embedding the rest."""
    layers = stated.get("layers", _ruled(used, rule.MOE_LAYERS))
    idle = (size - used) / (rule.ROUTED_SHARE * used)  # experts not visited over experts visited
    visits = stated.get("active_experts", rule.VISITS)
    experts: Numeric = stated.get("experts", visits * (1 + idle))
    if "experts" in stated and "active_experts" not in stated:
        visits = experts / (1 + idle)
    routed = (size - used) / np.maximum(experts / visits - 1, 1e-9) if "experts" in stated else rule.ROUTED_SHARE * used

    def shaped(hidden: Numeric, **more: Any) -> dict[str, Any]:
        base = {**_heads(hidden, stated), "layers": layers, **stated, "experts": experts, "active_experts": visits}
        return {**base, "expert_ffn": routed / (3 * layers * visits * hidden), "shared_ffn": 0, **more}

    def bare(hidden: Numeric) -> dict[str, Any]:
        return {**shaped(hidden), "experts": 0, "active_experts": 0, "expert_ffn": 0, "ffn": 0, "dense_layers": 0}

    hidden = stated.get("hidden")
    if hidden is None:
        root = quadratic_root(bare, _built, used - routed)
        hidden = root - np.minimum(ROUNDED_OFF, root / 5)
    expert = stated.get("expert_ffn", routed / (3 * layers * visits * hidden))
    widths = {"expert_ffn": expert, "shared_ffn": stated.get("shared_ffn", 0)}
    if "shared_ffn" not in stated:
        alone = np.asarray(_built(shaped(hidden, **widths)).active_params)
        widths["shared_ffn"] = np.maximum(used - alone, 0) / (3 * layers * hidden)
    return shaped(hidden, **widths)


def _ruled(size: Array, law: tuple[float, float]) -> Array:
    factor, power = law
    return np.asarray(np.maximum(factor * size**power, 1.0))


def linear_root(
    shaped: Callable[[Numeric], Mapping[str, Any]], built: Callable[[Mapping[str, Any]], Network], size: Array
) -> Array:
    """Value of a dimension in which the parameters are linear, for networks of `size` parameters."""
    one, two = (np.asarray(built(shaped(value)).params, dtype=float) for value in (1.0, 2.0))
    return np.asarray(np.maximum(1 + (size - one) / (two - one), 1e-9))


def quadratic_root(
    shaped: Callable[[Numeric], Mapping[str, Any]], built: Callable[[Mapping[str, Any]], Network], size: Array
) -> Array:
    """Width in which the parameters are quadratic, for networks of `size` parameters.

    Three widths give the coefficients; narrow networks, whose heads are fewer than the usual heads for keys and values,
    have coefficients of their own.
    """
    narrow = float(rule.KEY_HEADS * rule.HEAD_DIM)
    root = _quadratic(shaped, built, size, (2 * narrow, 4 * narrow, 8 * narrow))
    if np.any(root < narrow):
        root = np.where(root < narrow, _quadratic(shaped, built, size, (narrow / 4, narrow / 2, narrow)), root)
    return np.asarray(np.maximum(root, 1.0))


def _quadratic(
    shaped: Callable[[Numeric], Mapping[str, Any]], built: Callable[[Mapping[str, Any]], Network], size: Array,
    at: tuple[float, float, float],
) -> Array:  # fmt: skip
    one, two, three = (np.asarray(built(shaped(width)).params, dtype=float) for width in at)
    slope = (two - one) / (at[1] - at[0])
    curve = ((three - two) / (at[2] - at[1]) - slope) / (at[2] - at[0])
    middle = slope - curve * (at[0] + at[1])
    left = size - (one - middle * at[0] - curve * at[0] ** 2)  # what the width has to make up
    return np.asarray(2 * left / (middle + np.sqrt(np.maximum(middle**2 + 4 * curve * left, 0))))
