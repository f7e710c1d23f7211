"""Decoders about which no more is known than a size: a shape that follows the published ones.

The rule, fitted to the distinct shapes of published gated decoders that the model table had on 2026-11-24 (a test
repeats the fit):

- dense: layers grow as the 0.341th power of the parameters: 17 at 1e9, 38 at 1e10, 82 at 1e11; the feed-forward network
  is 3.5 times as wide as the residual stream, the median; heads are 128 wide, 8 of them for keys and values, both the
  median; head and embedding are two tables of 128,256 rows, as in Llama 3;
- mixture of experts: layers grow as the 0.312th power of the *active* parameters; a token visits 8 experts, the median,
  which hold 0.57 of its active parameters, the median, but for what makes their number a usual one, which chips can
  share: a power of two, or from 96 on three or five times one; a shared expert takes up what is left.

Below 1e9 parameters one table of 32,000 rows serves as embedding and head, or it would be most of the model.
Published decoders have 0.77 to 1.25 times the layers the rule gives, mixtures 0.65 to 1.62 times, so `layers` is worth
varying in that range. Layers are rounded to fours, so that a pipeline can divide them, width to whole heads, and the
feed-forward network or the experts take up the difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.build import build_decoder
from costline.models.decoders.shape import DecoderShape, naming
from costline.models.decoders.stated import check_stated_fields
from costline.quantity import PARAMS, show

DENSE_LAYERS = (0.01446, 0.3414)
"""Layers = first number times parameters to the power of the second."""
MOE_LAYERS = (0.0346, 0.3116)
"""The same for a mixture of experts, of its active parameters."""
FFN_RATIO = 3.5
"""Feed-forward width over hidden size, the median."""
EXPERT_RATIO = 3.0
"""Width of the experts a token visits over hidden size, the median."""
ROUTED_SHARE = 0.57
"""Share of the active parameters that routed experts hold, the median."""
MOST_ROUTED = 0.7
"""Largest share that a usual number of experts may make of it, so that something is left for attention."""
VISITS = 8
"""Experts a token visits, the median."""
HEAD_DIM, KEY_HEADS = 128, 8
"""Width of a head and heads for keys and values, the median of both."""
SMALL = 1e9
"""Below so many parameters, embedding and head are one table of `SMALL_VOCAB` rows. [parameter]"""
VOCAB, SMALL_VOCAB = 128256, 32000
"""Rows of the embedding: Llama 3 and Llama 2."""
TOLERANCE = 0.005
"""Largest deviation from the parameters asked for."""
LIMITS = (1e6, 1e14)
"""Sizes for which the rule is taken to mean anything. [parameter]"""
USUAL_EXPERTS = tuple(sorted({
    *(2**n for n in range(1, 13)), *(3 * 2**n for n in range(5, 12)), *(5 * 2**n for n in range(5, 11)),
}))  # fmt: skip
"""Numbers of experts that chips in groups of usual sizes can share, all published ones among them."""
THINNEST = 16
"""Least width over layers that the rule makes; published decoders have 37 and more."""
NARROWEST = 64
"""Least width that the rule makes, half a usual head. [feature]"""
SOURCE = "hypothetical: every dimension follows from the parameters by the stated rule"


def hypothetical_decoder(
    params: float, active: float | None = None, *, name: str = "hypothetical", **fields: Any
) -> Decoder:
    """Build a decoder of about `params` parameters, `active` of which a token uses.

    Parameters
    ----------
    params : float
        All parameters; the result has them within 0.5 %. [parameter]
    active : float, optional
        Parameters of one token, within 0.5 %; a smaller number than `params` makes a mixture of experts. [parameter]
    name : str
        Name for messages and results.
    **fields
        Any field of `DecoderShape`: ``layers``, ``hidden``, ``heads``, ``kv_heads``, ``vocab``, ``experts``,
        ``active_experts``, ... What is stated is kept, what is not follows from it.

    Returns
    -------
    Decoder
        ``describe_shape(decoder.shape)`` prints what was chosen.

    Raises
    ------
    ConfigError
        No such decoder: `active` above `params`, a size outside 1e6 to 1e14, one that the rule makes thinner than any
        decoder is, or stated fields that cannot reach it.

    Examples
    --------
    >>> decoder = hypothetical_decoder(70e9)
    >>> decoder.layers, decoder.hidden_size, round(decoder.params / 1e9, 1)
    (72, 8192, 70.1)
    """
    _check(name, params, active, fields)
    stated = {key: value for key, value in fields.items() if value is not None}
    stated.setdefault("vocab", VOCAB if params >= SMALL else SMALL_VOCAB)
    stated.setdefault("tied", params < SMALL)
    sparse = active is not None and active < params
    if not sparse and stated.get("experts"):
        stated.setdefault("active_experts", min(VISITS, stated["experts"]))
    nearest: Decoder | None = None
    with naming(name):
        for experts in _expert_choices(name, params, active, stated) if sparse and active is not None else ({},):
            found, close = _built(params, active, {**stated, **experts}, name)
            if found is not None:
                check_proportions(name, found.layers, found.hidden_size, stated)
                return found
            nearest = nearest or close
    raise ConfigError(f"{name}: {_refusal(params, active, fields, nearest)}")


def _built(
    params: float, active: float | None, stated: Mapping[str, Any], name: str
) -> tuple[Decoder | None, Decoder | None]:
    """The first decoder that meets the parameters, and the one that comes nearest if none does."""
    nearest: Decoder | None = None
    for layers in _layer_choices(params, active, stated):
        for shape in _shapes(params, active, {**stated, "layers": layers}):
            built = build_decoder(shape, name, "decoder", source=SOURCE)
            if _deviation(built, params, active) <= TOLERANCE:
                return built, built
            if nearest is None or _deviation(built, params, active) < _deviation(nearest, params, active):
                nearest = built
    return None, nearest


def check_proportions(name: str, layers: float, hidden: float, stated: Mapping[str, Any]) -> None:
    """Refuse a shape thinner than any decoder is, unless its layers or its width are stated.

    Raises
    ------
    ConfigError
        With the shape, the limits, and what would make it wider.
    """
    if stated.get("layers") or stated.get("hidden") or (hidden >= NARROWEST and hidden >= THINNEST * layers):
        return
    raise ConfigError(
        f"{name}: the usual proportions make {layers:,.0f} layers of width {hidden:,.0f}; the least are width "
        f"{NARROWEST} and {THINNEST} times the layers, published decoders have 37 times: more parameters (active ones "
        f"of a mixture) or a smaller vocab make it wider; or state layers or hidden"
    )


def _check(name: str, params: float, active: float | None, fields: Mapping[str, Any]) -> None:
    low, high = LIMITS
    for label, size in (("params", params), ("active", active)):
        if size is not None and not (math.isfinite(size) and low <= size <= high):
            raise ConfigError(f"{name}: {label} must be a number from {low:.0e} to {high:.0e}, got {size!r}")
    if active is not None and active > params:
        raise ConfigError(
            f"{name}: active ({show(active, PARAMS)}) exceeds params ({show(params, PARAMS)}); at most all are active"
        )
    check_stated_fields(fields, name)


def _expert_choices(name: str, params: float, active: float, stated: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Experts and how many a token visits: routed experts hold about `ROUTED_SHARE` of the active parameters.

    With e experts, k visited, routed active r: params - active = r (e - k) / k. Where the number is open the usual one
    whose share comes nearest goes first, and at last the one that the share gives.
    """
    idle = (params - active) / (ROUTED_SHARE * active)  # (e - k) / k
    experts, visits = stated.get("experts"), stated.get("active_experts")
    if experts is None:
        visits = visits or VISITS
        shares = {count: (params / active - 1) * visits / (count - visits) for count in USUAL_EXPERTS if count > visits}
        usual = [count for count, share in shares.items() if share <= MOST_ROUTED]
        usual.sort(key=lambda count: abs(math.log(shares[count] / ROUTED_SHARE)))
        yield from ({"experts": count, "active_experts": visits} for count in usual[:3])
        experts = max(visits + 1, round(visits * (1 + idle)))
    elif visits is None:
        visits = min(max(1, round(experts / (1 + idle))), experts - 1)
    if not 1 <= visits < experts:
        raise ConfigError(f"{name}: a token must visit fewer experts than there are, got {visits} of {experts}")
    least = params * visits / experts
    if active < least:
        raise ConfigError(
            f"{name}: with {visits} of {experts} experts at least {least:.4g} of {params:.4g} parameters are active, "
            f"got {active:.4g}; state more experts or fewer active_experts"
        )
    yield {"experts": experts, "active_experts": visits}


def ruled_layers(params: float, rule: tuple[float, float] = DENSE_LAYERS) -> int:
    """Layers that published decoders of about `params` parameters have.

    Examples
    --------
    >>> ruled_layers(8e9), ruled_layers(70e9)
    (36, 72)
    """
    factor, power = rule
    layers = factor * math.exp(power * math.log(params))
    return 4 * round(layers / 4) if layers >= 16 else max(1, round(layers))


def _layer_choices(params: float, active: float | None, stated: Mapping[str, Any]) -> Iterator[int]:
    """The stated layers; or the rule's, or those that fill a stated width, and then ever more distant ones."""
    if "layers" in stated:
        yield stated["layers"]
        return
    sparse = bool(stated.get("experts"))
    start = ruled_layers(active or params, MOE_LAYERS) if sparse else ruled_layers(params)
    if "hidden" in stated and not sparse:
        one, two = (_sized(stated, stated["hidden"], {"layers": count}).params for count in (1, 2))
        start = max(1, round((params - one) / (two - one)) + 1)
    yield start
    for distance in range(1, 40):
        yield from (count for count in (start - distance, start + distance) if count >= 1)


def _shapes(params: float, active: float | None, stated: Mapping[str, Any]) -> Iterator[DecoderShape]:
    """Shapes of widths on either side of the one that gives the parameters, the feed-forward width fitted."""
    for hidden in _widths(params, active, stated):
        sized = _dimensions(stated, hidden)
        for values in _fitted(params, active, sized):
            if all(values.get(key, 1) >= 0 for key in ("ffn", "expert_ffn", "shared_ffn")):
                yield DecoderShape(**values)


def _dimensions(stated: Mapping[str, Any], hidden: int) -> dict[str, Any]:
    """Heads of a network of this width, as stated or of the usual width."""
    usual = next(size for size in range(min(HEAD_DIM, hidden), 0, -1) if hidden % size == 0)
    head_dim = stated.get("head_dim") or (
        hidden // stated["heads"] if "heads" in stated and hidden % stated["heads"] == 0 else usual
    )
    heads = stated.get("heads") or max(1, hidden // head_dim)
    grouped = next(count for count in range(min(KEY_HEADS, heads), 0, -1) if heads % count == 0)
    return {"kv_heads": grouped, **stated, "hidden": hidden, "heads": heads, "head_dim": head_dim}


def _sized(stated: Mapping[str, Any], hidden: int, extra: Mapping[str, int]) -> Decoder:
    """A decoder of this width with the usual feed-forward width or experts, where none is stated."""
    values = {**_dimensions(stated, hidden), **extra}
    if values.get("experts"):
        values.setdefault("expert_ffn", max(1, round(EXPERT_RATIO * hidden / values["active_experts"])))
    else:
        values.setdefault("ffn", max(1, round(FFN_RATIO * hidden)))
    return build_decoder(DecoderShape(**values), "sized", "decoder")


def _widths(params: float, active: float | None, stated: Mapping[str, Any]) -> list[int]:
    """Hidden sizes of whole heads below and above the one that gives the parameters; the stated one alone."""
    if "hidden" in stated:
        return [stated["hidden"]]
    routed = bool(stated.get("experts")) and active is not None and active < params
    goal = params
    if routed and active is not None:  # what routed experts leave of the active parameters
        visits = stated["active_experts"]
        goal = active - (params - active) * visits / (stated["experts"] - visits)
    unrouted = {"experts": 0, "active_experts": 0, "ffn": 0, "dense_layers": 0, "expert_ffn": 0, "shared_ffn": 0}

    def counted(hidden: int) -> int:
        return _sized({**stated, **unrouted} if routed else stated, hidden, {}).params

    unit = next(size for size in (1024, 512, 256, 128, 64, 16, 4, 1) if counted(2 * size) <= goal or size == 1)
    below, above = 0, 1
    while counted(above * unit) <= goal:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if counted(middle * unit) <= goal else (below, middle)
    sizes = [count * unit for count in (below, above, below - 1) if count >= 1]
    return sizes if routed else sorted(sizes, key=lambda size: abs(counted(size) - params))


def _fitted(params: float, active: float | None, sized: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Feed-forward widths that give the parameters, as round as the tolerance allows."""
    if sized.get("experts") and active is not None and active < params:
        yield from _fitted_experts(params, active, sized)
        return
    key = "expert_ffn" if sized.get("experts") else "ffn"
    if key in sized:
        yield dict(sized)
        return
    one, two = (build_decoder(DecoderShape(**{**sized, key: width}), "", "").params for width in (1, 2))
    yield {**sized, key: _rounded(1 + (params - one) / (two - one), TOLERANCE / 2 * params / (two - one))}


def _fitted_experts(params: float, active: float, sized: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Widths of the routed and of the shared expert that give both counts.

    Idle parameters fix the routed experts: params - active = layers (e - k) 3 hidden f; the rest of `active` that
    attention and embedding leave goes to the shared expert.
    """
    trial = {"shared_ffn": 0, **sized}
    one, two = (build_decoder(DecoderShape(**{**trial, "expert_ffn": width}), "", "") for width in (1, 2))
    idle = (two.params - two.active_params) - (one.params - one.active_params)
    width = sized.get("expert_ffn") or _rounded((params - active) / idle, TOLERANCE / 4 * params / (idle or 1))
    routed = {**trial, "expert_ffn": max(1, width)}
    if "shared_ffn" in sized:
        yield routed
        return
    bare = build_decoder(DecoderShape(**routed), "", "").active_params
    unit = build_decoder(DecoderShape(**{**routed, "shared_ffn": 1}), "", "").active_params - bare
    yield {**routed, "shared_ffn": _rounded((active - bare) / unit, TOLERANCE / 2 * active / unit)}


def _rounded(exact: float, slack: float) -> int:
    """The roundest whole number within `slack` of `exact`: a multiple of 256, 128, ... or 1."""
    for multiple in (256, 128, 64, 32, 16, 8, 4, 2):
        width = round(exact / multiple) * multiple
        if abs(width - exact) <= slack:
            return width
    return round(exact)


def _deviation(built: Decoder, params: float, active: float | None) -> float:
    total = abs(built.params / params - 1)
    return total if active is None or active >= params else max(total, abs(built.active_params / active - 1))


def _refusal(params: float, active: float | None, fields: Mapping[str, Any], nearest: Decoder | None) -> str:
    """Say what stands in the way."""
    asked = f"{params:.4g} parameters" + (f", {active:.4g} of them active," if active is not None else "")
    fixed = ", ".join(f"{key} {value}" for key, value in fields.items() if value is not None)
    reached = "the stated sizes need more"
    if nearest is not None:
        reached = f"the nearest has {nearest.params:.4g}, {nearest.active_params:.4g} of them active"
    return f"no decoder of {asked} with {fixed or 'the usual proportions'}: {reached}; state fewer sizes"
