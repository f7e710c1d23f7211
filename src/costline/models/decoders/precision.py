"""In which number format a configuration says its weights are stored, and whether products are made in it too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from costline.errors import ConfigError
from costline.models.decoders.kept import kept_wide, stated_cache
from costline.precision import Narrow, usual_products
from costline.quantity.reading import shown


@dataclass(frozen=True, slots=True)
class Stored:
    """How weights are stored.

    Attributes
    ----------
    weights : str
        Format, a key of `costline.precision.BYTES`.
    products : str
        Format that activations are quantised to, so that products run in it (W8A16: bf16, W4A8: fp8); empty: the one
        that is usual of such weights (`costline.precision.usual_products`).
    narrow : {"layers", "feed-forward", "experts", "all"}
        Which weights have that format, as in `costline.precision.Narrow`.
    cache : str
        Format of the KV cache that comes with it; empty: none is stated.
    """

    weights: str
    products: str = ""
    narrow: Narrow = "layers"
    cache: str = ""


FLOATS = {
    "bfloat16": "bf16", "float16": "fp16", "half": "fp16", "float32": "fp32", "float": "fp32",
    "float8_e4m3fn": "fp8", "float8_e5m2": "fp8",
}  # fmt: skip
"""Torch type names and the formats costline knows them by."""
INTEGERS = {4: "int4", 8: "int8"}
BITS = frozenset({
    "gptq", "gptq_marlin", "marlin", "awq", "awq_marlin", "moe_wna16", "auto-round", "auto_round", "autoround", "inc",
    "sinq", "hqq",
})  # fmt: skip
"""Methods that store integers of so many bits and quantise no activations."""
USUAL_BITS = frozenset({"awq", "auto-round", "auto_round", "autoround", "sinq"})
"""Those of 4 bits where nothing is said: the defaults of their classes in transformers."""
WHOLE = {
    "fp8": Stored("fp8"), "fbgemm_fp8": Stored("fp8"), "ptpc_fp8": Stored("fp8"), "mxfp8": Stored("fp8"),
    "mxfp4": Stored("mxfp4"), "nvfp4": Stored("fp4"), "eetq": Stored("int8", products="bf16"),
}  # fmt: skip
"""Methods that mean one format."""
ALGORITHMS = {
    "FP8": Stored("fp8"), "FP8_PER_CHANNEL_PER_TOKEN": Stored("fp8"), "FP8_PB_WO": Stored("fp8", products="bf16"),
    "MXFP8": Stored("fp8"), "NVFP4": Stored("fp4"), "NVFP4_AWQ": Stored("fp4"),
    "W4A16_NVFP4": Stored("fp4", products="bf16"), "W4A8_NVFP4_FP8": Stored("fp4", products="fp8"),
    "MXFP4": Stored("mxfp4"), "W4A8_MXFP4_FP8": Stored("mxfp4", products="fp8"), "W4A16": Stored("int4"),
    "W4A16_AWQ": Stored("int4"), "W4A8_AWQ": Stored("int4", products="fp8"), "INT4_AWQ": Stored("int4"),
    "W8A16": Stored("int8", products="bf16"), "INT8_SQ": Stored("int8"), "W8A8_SQ_PER_CHANNEL": Stored("int8"),
    "W8A8_SQ_PER_CHANNEL_PER_TOKEN_PLUGIN": Stored("int8"), "W8A8_SQ_PER_TENSOR_PLUGIN": Stored("int8"),
}  # fmt: skip
"""``quant_algo`` of NVIDIA's ModelOpt and TensorRT-LLM."""
ELEMENTS = {"int4": "int4", "int8": "int8", "float8": "fp8", "nvfp4": "fp4", "mxfp4": "mxfp4"}
"""Elements in the names of torchao and quanto."""
TORCHAO = re.compile(
    r"(?:(?P<activations>int8|float8|nvfp4|mxfp4)(?:dynamic|static)activation)?"
    r"(?P<weights>int4|int8|float8|nvfp4|mxfp4)(?:weight|w)(?:only|o)?"
)
"""``Int8DynamicActivationInt4WeightConfig``, ``int4_weight_only``, ``int8wo``."""
QUARK = {
    "fp8": "fp8", "fp8_e4m3": "fp8", "fp8_e5m2": "fp8", "int8": "int8", "uint8": "int8", "int4": "int4",
    "uint4": "int4", "fp4": "fp4", "fp4_e2m1": "fp4", "mxfp4": "mxfp4",
}  # fmt: skip
"""Elements in the configurations of AMD's Quark."""
SCALED_BY_32 = 32
"""Elements that share a scale in the microscaling formats; NVFP4 has 16."""


def stated_precision(config: Mapping[str, Any]) -> Stored | None:
    """Format of the stored weights, as far as the configuration states one.

    Parameters
    ----------
    config : mapping
        Parsed ``config.json``; a multimodal one may state it in its ``text_config``.

    Returns
    -------
    Stored or None
        None if nothing is stated, or that the format is found out at loading (``auto``).

    Raises
    ------
    ConfigError
        Quantised or stored in a way that is not known here: any number would be that of another model.

    Examples
    --------
    >>> stated_precision({"torch_dtype": "bfloat16", "quantization_config": {"quant_method": "gptq", "bits": 8}})
    Stored(weights='int8', products='bf16', narrow='layers', cache='')
    >>> stated_precision({"torch_dtype": "bfloat16"}).weights
    'bf16'
    """
    inner = config.get("text_config")
    text = inner if isinstance(inner, Mapping) else {}
    quantization = config.get("quantization_config") or text.get("quantization_config")
    if quantization is not None and not isinstance(quantization, Mapping):
        raise ConfigError(f"quantization_config {shown(quantization)} is no object with fields")
    if quantization:
        nested = quantization.get("quantization")  # hf_quant_config.json of ModelOpt, copied as it is
        quantization = {**quantization, **nested} if isinstance(nested, Mapping) else quantization
    if quantization and (found := _quantized(quantization)) is not None:
        layers = config.get("num_hidden_layers") or text.get("num_hidden_layers")
        kept = kept_wide(quantization, layers if type(layers) is int else 1)
        return replace(found, narrow=kept, cache=stated_cache(quantization))
    for place in (config, text):
        stated = place.get("torch_dtype") or place.get("dtype")
        if isinstance(stated, str) and stated != "auto":
            known = FLOATS.get(stated.removeprefix("torch."))
            if known is None:
                listed = ", ".join(FLOATS)
                raise ConfigError(f"torch_dtype {shown(stated)} is no format known here; known are auto, {listed}")
            return Stored(known)
    return None


def _quantized(quantization: Mapping[str, Any]) -> Stored | None:
    """Format of a ``quantization_config``; None where it quantises no weights."""
    method = str(quantization.get("quant_method") or _implied(quantization)).lower()
    if method in WHOLE:
        return WHOLE[method]
    if method in BITS:
        return _integers(method, _bits(quantization, 4 if method in USUAL_BITS else None))
    reader = METHODS.get(method)
    if reader is None:
        raise _strange(method)
    return reader(quantization)


def _implied(quantization: Mapping[str, Any]) -> str:
    """The method of a configuration that does not name it, by the fields it has."""
    fields = {
        "quant_algo": "modelopt", "config_groups": "compressed-tensors", "load_in_4bit": "bitsandbytes",
        "load_in_8bit": "bitsandbytes", "bits": "gptq", "w_bit": "awq",
    }  # fmt: skip
    return next((method for field, method in fields.items() if quantization.get(field) is not None), "no method")


def _strange(words: str) -> ConfigError:
    return ConfigError(
        f"weights are quantised by {words[:60]}, a format costline does not know; say --precision, such as int4"
    )


def _integers(method: str, bits: object) -> Stored:
    """Integers of so many bits, activations as they are."""
    if type(bits) is not int or bits not in INTEGERS:
        raise _strange(f"{method} to {shown(bits)} bits" if bits is not None else f"{method} to unknown bits")
    return _quantised(INTEGERS[bits], None)


def _quantised(weights: str, activations: str | None) -> Stored:
    """Weights in one format, activations in another or in 16 bits, said where it is not what is usual."""
    products = activations or "bf16"
    return Stored(weights, products="" if products == usual_products(weights) else products)


def _bits(quantization: Mapping[str, Any], usual: int | None) -> object:
    """Bits of an element: at the top, or where hqq writes them."""
    inner: object = quantization.get("quant_config")
    if isinstance(inner, Mapping):
        inner = inner.get("weight_quant_params")
    places = [quantization, *([inner] if isinstance(inner, Mapping) else [])]
    listed = (place.get(name) for place in places for name in ("bits", "w_bit", "nbits", "num_bits"))
    return next((bits for bits in listed if bits is not None), usual)


def _modelopt(quantization: Mapping[str, Any]) -> Stored | None:
    algorithm = quantization.get("quant_algo")
    if isinstance(algorithm, str) and algorithm.upper() in ALGORITHMS:
        return ALGORITHMS[algorithm.upper()]
    if algorithm is None and "config_groups" in quantization:
        return _groups(quantization)
    raise _strange(f"modelopt with quant_algo {shown(algorithm)}")


def _bits_and_bytes(quantization: Mapping[str, Any]) -> Stored:
    """Four bits (NF4, FP4) are for weights only; eight are LLM.int8(), whose products are of integers."""
    for field, form in (("load_in_4bit", "int4"), ("load_in_8bit", "int8")):
        if quantization.get(field) is True:
            return Stored(form)
    raise _strange("bitsandbytes with neither load_in_4bit nor load_in_8bit")


def _groups(quantization: Mapping[str, Any]) -> Stored | None:
    """``config_groups`` of compressed-tensors: one format for all, or refused."""
    groups = quantization.get("config_groups")
    if not isinstance(groups, Mapping):
        raise _strange("compressed-tensors without config_groups")
    members = [group for group in groups.values() if isinstance(group, Mapping) and group.get("weights") is not None]
    return _one_of("compressed-tensors", (_group(each) for each in members))


def _group(group: Mapping[str, Any]) -> Stored:
    weights, activations = group["weights"], group.get("input_activations")
    if not isinstance(weights, Mapping):
        raise _strange(f"compressed-tensors with weights {shown(weights)}")
    return _quantised(_elements(weights), _elements(activations) if isinstance(activations, Mapping) else None)


def _elements(quantised: Mapping[str, Any]) -> str:
    """Format of the tensors that ``weights`` or ``input_activations`` of a group speaks of; those of 16 bits, bf16."""
    bits, kind = quantised.get("num_bits"), quantised.get("type", "int")
    if bits == 16:
        return "bf16"
    form = INTEGERS.get(bits) if type(bits) is int else None
    if kind == "float" and form is not None:
        small = "mxfp4" if quantised.get("group_size") == SCALED_BY_32 else "fp4"
        form = {"int8": "fp8", "int4": small}[form]
    if form is None or kind not in {"int", "float"}:
        raise _strange(f"compressed-tensors to {shown(bits)} bits of type {shown(kind)}")
    return form


def _one_of(method: str, found: Iterable[Stored]) -> Stored | None:
    """The one format of several parts of a model."""
    distinct = list(dict.fromkeys(found))
    if len(distinct) > 1:
        products = (f" (products {each.products})" if each.products else "" for each in distinct)
        forms = " and ".join(each.weights + said for each, said in zip(distinct, products, strict=True))
        raise ConfigError(f"weights are quantised by {method} in several formats, {forms}; say --precision")
    return distinct[0] if distinct else None


def _torchao(quantization: Mapping[str, Any]) -> Stored:
    """A class of torchao by its name, which says what is quantised."""
    stated: object = quantization.get("quant_type")
    for key in ("default", "_type"):
        if isinstance(stated, Mapping):
            stated = stated.get(key)
    plain = re.sub("[_-]", "", stated.lower()).removesuffix("config") if isinstance(stated, str) else ""
    found = TORCHAO.fullmatch(plain)
    if found is None:
        raise _strange(f"torchao with quant_type {shown(stated)}")
    activations = found["activations"]
    return _quantised(ELEMENTS[found["weights"]], None if activations is None else ELEMENTS[activations])


def _quanto(quantization: Mapping[str, Any]) -> Stored:
    weights, activations = quantization.get("weights", "int8"), quantization.get("activations")
    if not isinstance(weights, str) or weights not in ELEMENTS:
        raise _strange(f"quanto with weights {shown(weights)}")
    if activations is not None and (not isinstance(activations, str) or activations not in ELEMENTS):
        raise _strange(f"quanto with activations {shown(activations)}")
    return _quantised(ELEMENTS[weights], None if activations is None else ELEMENTS[activations])


def _quark(quantization: Mapping[str, Any]) -> Stored:
    """The global configuration of Quark; of weights quantised twice the second is stored."""
    everywhere = quantization.get("global_quant_config")
    if not isinstance(everywhere, Mapping):
        raise _strange("quark without global_quant_config")
    inputs = everywhere.get("input_tensors")
    return _quantised(
        _quark_elements("weights", everywhere.get("weight")), inputs and _quark_elements("inputs", inputs)
    )


def _quark_elements(what: str, stated: object) -> str:
    if isinstance(stated, list) and stated:
        stated = stated[-1]
    element: object = stated.get("dtype") if isinstance(stated, Mapping) else None
    if not isinstance(element, str) or element not in QUARK:
        raise _strange(f"quark with {what} {shown(element)}")
    form, scaled = QUARK[element], stated.get("group_size") if isinstance(stated, Mapping) else None
    return "mxfp4" if form == "fp4" and scaled == SCALED_BY_32 else form


def _fp_quant(quantization: Mapping[str, Any]) -> Stored:
    element = quantization.get("forward_dtype", "nvfp4")
    if element not in ("nvfp4", "mxfp4"):
        raise _strange(f"fp_quant with forward_dtype {shown(element)}")
    return Stored(ELEMENTS[element])


METHODS: Mapping[str, Callable[[Mapping[str, Any]], Stored | None]] = {
    "modelopt": _modelopt, "modelopt_fp4": _modelopt, "modelopt_mixed": _modelopt, "bitsandbytes": _bits_and_bytes,
    "bitsandbytes_4bit": _bits_and_bytes, "bitsandbytes_8bit": _bits_and_bytes, "compressed-tensors": _groups,
    "torchao": _torchao, "quanto": _quanto, "quark": _quark, "fp_quant": _fp_quant,
}  # fmt: skip
"""Methods that state their format in fields of their own."""
