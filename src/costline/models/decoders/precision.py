"""In which number format a configuration says its weights are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLOATS = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "float8_e4m3fn": "fp8"}
"""Torch type names and the formats costline knows them by."""
METHODS = {"fp8": "fp8", "fbgemm_fp8": "fp8", "mxfp4": "mxfp4", "nvfp4": "fp4", "awq": "int4", "bitnet": None}
"""``quant_method`` values that imply a format without saying a number of bits."""
INTEGERS = {4: "int4", 8: "int8"}


def stated_precision(config: Mapping[str, Any]) -> str | None:
    """Format of the stored weights, as far as the configuration states one.

    Parameters
    ----------
    config : mapping
        Parsed ``config.json``; a multimodal one may state it in its ``text_config``.

    Returns
    -------
    str or None
        Such as ``"bf16"``, ``"fp8"``, ``"mxfp4"``, ``"int4"``; None if nothing known is stated.

    Examples
    --------
    >>> stated_precision({"torch_dtype": "bfloat16", "quantization_config": {"quant_method": "gptq", "bits": 4}})
    'int4'
    >>> stated_precision({"torch_dtype": "bfloat16"})
    'bf16'
    """
    inner = config.get("text_config")
    text = inner if isinstance(inner, Mapping) else {}
    quantization = config.get("quantization_config") or text.get("quantization_config")
    if isinstance(quantization, Mapping):
        return _quantized(quantization)
    for place in (config, text):
        stated = place.get("torch_dtype") or place.get("dtype")
        if isinstance(stated, str):
            return FLOATS.get(stated.removeprefix("torch."))
    return None


def _quantized(quantization: Mapping[str, Any]) -> str | None:
    """Format of a ``quantization_config``: by method, by its bits, or by the weights of its first group."""
    method = str(quantization.get("quant_method", quantization.get("quant_algo", ""))).lower()
    if method in METHODS:
        return METHODS[method]
    if quantization.get("load_in_4bit"):
        return "int4"
    if quantization.get("load_in_8bit"):
        return "int8"
    groups = quantization.get("config_groups")
    first: object = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights: object = first.get("weights") if isinstance(first, Mapping) else None
    bits = quantization.get("bits", weights.get("num_bits") if isinstance(weights, Mapping) else None)
    if isinstance(weights, Mapping) and weights.get("type") == "float":
        return {8: "fp8", 4: "fp4"}.get(bits) if isinstance(bits, int) else None
    return INTEGERS.get(bits) if isinstance(bits, int) else None
