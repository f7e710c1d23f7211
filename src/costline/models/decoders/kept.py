"""What a quantised checkpoint keeps in 16 bits, and in which format it wants its KV cache."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from costline.errors import ConfigError
from costline.precision import Narrow
from costline.quantity.reading import shown

EXCLUDING = (
    "modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers", "exclude", "llm_int8_skip_modules",
)  # fmt: skip
"""Fields that list modules which are not quantised: transformers, compressed-tensors, ModelOpt, fbgemm, Quark, bnb."""
NO_PRODUCT = re.compile(r"norm|bias|index|rotary|sink|conv1d")
"""Modules of a layer that are listed with the others and hold next to nothing."""
PLACES: Mapping[str, re.Pattern[str]] = {
    "attention": re.compile(r"attn|attention|mixer"),
    "dense": re.compile(r"(?:mlp|feed_forward|ffn)(?!.*(?:expert|router|gate$|gate\\?\.(?!.*proj)))"),
    "shared": re.compile(r"shared_?expert(?!.*gate$)"),
    "routed": re.compile(r"(?<!shared_)(?<!shared)experts?(?!.*gate)"),
}
"""Parts of a layer, and the names that modules have there."""
LAYER = re.compile(r"layers\\?\.(\d+)")
CACHES = {"FP8": "fp8", "FLOAT8": "fp8", "INT8": "int8", "NVFP4": "fp4", "FLOAT4": "fp4"}
"""Words for formats of a KV cache; a scheme of compressed-tensors is spelled as its type and its bits."""


def kept_wide(quantization: Mapping[str, Any], layers: int) -> Narrow:
    """What the format of a quantised checkpoint applies to, given the modules it lists as left alone.

    Parameters
    ----------
    quantization : mapping
        A ``quantization_config``.
    layers : int
        Layers of the model; what is left alone in less than half of them counts as quantised.

    Raises
    ------
    ConfigError
        Experts are left alone while the rest is quantised, which no publisher does.

    Examples
    --------
    >>> kept_wide({"modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}, 24)
    'feed-forward'
    >>> kept_wide({"ignore": ["lm_head"]}, 24)
    'layers'
    """
    found = {place: _in_most(place, _excluded(quantization), layers) for place in PLACES}
    if found["routed"]:
        raise ConfigError("the routed experts are listed as not quantised, a checkpoint costline does not know; "
                          "say --precision")  # fmt: skip
    if found["shared"] or (found["dense"] and found["attention"]):
        return "experts"
    return "feed-forward" if found["attention"] else "layers"


def _excluded(quantization: Mapping[str, Any]) -> Iterator[str]:
    for field in EXCLUDING:
        listed = quantization.get(field)
        if isinstance(listed, str):
            yield listed
        elif isinstance(listed, list):
            yield from (name for name in listed if isinstance(name, str))


def _in_most(place: str, names: Iterable[str], layers: int) -> bool:
    """Whether a place is left alone in half of the layers or more."""
    numbered = set()
    for name in names:
        if not PLACES[place].search(name) or NO_PRODUCT.search(name):
            continue
        where = LAYER.search(name)
        if where is None:
            return True
        numbered.add(where[1])
    return 2 * len(numbered) >= max(layers, 1)


def stated_cache(quantization: Mapping[str, Any]) -> str:
    """Format of the KV cache that a checkpoint comes with scales for; empty where none is stated.

    Raises
    ------
    ConfigError
        A format that is not known.

    Examples
    --------
    >>> stated_cache({"kv_cache_quant_algo": "FP8"}), stated_cache({"kv_cache_scheme": None})
    ('fp8', '')
    """
    stated: object = quantization.get("kv_cache_quant_algo") or quantization.get("kv_cache_scheme")
    if not stated:
        return ""
    if isinstance(stated, Mapping):
        stated = f"{stated.get('type', 'float')}{stated.get('num_bits')}"
    if isinstance(stated, str) and stated.upper() in CACHES:
        return CACHES[stated.upper()]
    raise ConfigError(f"the KV cache is quantised as {shown(stated)}, which costline does not know; say --plan cache=")
