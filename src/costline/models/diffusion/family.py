"""Hypothetical diffusion transformers of many sizes at once: the rule of `hypothetical` without its rounding.

As for decoders (`costline.models.decoders.family`): layers, width and feed-forward width are real numbers, one a
sample, that follow the rule exactly and meet the parameters exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from costline.errors import ConfigError
from costline.models.decoders.family import linear_root, quadratic_root
from costline.models.diffusion import hypothetical as rule
from costline.models.diffusion.shape import ShapeDiT, assemble_shape
from costline.numeric import Numeric


def dit_family(
    params: Numeric,
    *,
    layers: int | None = None,
    kind: Literal["cross", "double", "joint", "single"] = "cross",
    **fields: Any,
) -> ShapeDiT:
    """Build diffusion transformers of `params` parameters as one network of arrays.

    Parameters
    ----------
    params : float or array
        Parameters of each. [parameter]
    layers : int, optional
        Layers of all of them, instead of the rule's.
    kind : {"cross", "double", "joint", "single"}
        Kind of all layers.
    **fields
        Any field of `DiTShape` that is the same for all.

    Raises
    ------
    ConfigError
        A size outside the rule, or stated fields that leave nothing to vary.
    """
    size = np.asarray(params, dtype=float)
    if not (np.min(size) >= 1e5 and np.max(size) <= 1e14):
        raise ConfigError(f"hypothetical: params must be from 1e5 to 1e14, samples reach {np.max(size):.4g}")
    stated = {**rule.ASSUMED, **{key: value for key, value in fields.items() if value is not None}}
    checked = rule.check_fields("hypothetical", kind, stated)
    rule.check_layers("hypothetical", {"layers": layers})

    def shaped(count: Numeric, hidden: Numeric, ffn: Numeric | None = None) -> Mapping[str, Any]:
        head_dim = stated.get("head_dim", rule.HEAD_DIM if "heads" not in stated else hidden / stated["heads"])
        own = {"hidden": hidden, "head_dim": head_dim, "heads": stated.get("heads", hidden / head_dim)}
        own["ffn_hidden"] = stated.get("ffn_hidden", rule.FFN_RATIO * hidden) if ffn is None else ffn
        return {**own, f"{kind}_layers": count}

    def built(sizes: Mapping[str, Any]) -> ShapeDiT:
        return assemble_shape(checked.model_copy(update=dict(sizes)), "hypothetical")

    count: Numeric = _ruled(size) if layers is None else layers
    width: Numeric | None = stated.get("hidden")
    if width is None:
        sizes = shaped(count, quadratic_root(lambda value: shaped(count, value), built, size))
    elif layers is None:
        sizes = shaped(linear_root(lambda value: shaped(value, width), built, size), width)
    else:
        sizes = shaped(count, width, linear_root(lambda value: shaped(count, width, value), built, size))
    network = built(sizes)
    missed = float(np.max(np.abs(np.asarray(network.params) / size - 1)))
    if missed > rule.TOLERANCE:
        raise ConfigError(f"hypothetical: the stated sizes miss the parameters by up to {missed:.1%}; state fewer")
    return network


def _ruled(size: Numeric) -> Numeric:
    factor, power = rule.LAYER_RULE
    return np.maximum(factor * np.asarray(size) ** power, 1.0)
