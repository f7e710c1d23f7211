"""Networks about which no more is known than a size: a shape that follows the published ones.

The rule, fitted to the nine distinct shapes of published video networks with cross-attention (a test repeats the fit):

- layers grow as the 0.157th power of the parameters: 27 at 1e9, 38 at 1e10, 43 at 2e10, 55 at 1e11;
- the feed-forward network is four times as wide as the residual stream, the median; heads are 128 wide, the commonest;
- text reaches the layers through cross-attention, the timestep through one shared projection (AdaLN-single).

The published networks have 0.86 to 1.19 times the layers the rule gives, so `layers` is worth varying in that range.
The layers are rounded first, then the width to whole heads (four at a time, which every fitted row has), and the
feed-forward network takes up the difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from costline.errors import ConfigError
from costline.models.diffusion.shape import DiTShape, ShapeDiT, build_shape
from costline.models.dit import Grid
from costline.quantity.reading import shown

LAYER_RULE = (1.03, 0.157)
"""Layers = first number times parameters to the power of the second."""
FFN_RATIO = 4
"""Feed-forward width over hidden size, the median of the fitted rows."""
TOLERANCE = 0.005
"""Largest deviation from the parameters asked for."""
ASSUMED: dict[str, Any] = {
    "text_tokens": 512, "text_dim": 4096, "latent_channels": 16, "vae_time": 4, "vae_space": 8, "patch_time": 1,
    "patch_space": 2, "head_norm": "width", "modulation": "single", "text_projection": "mlp", "branches": 2,
    "source": "hypothetical: every dimension follows from the parameters by the stated rule",
}  # fmt: skip
"""Fields assumed where nothing is stated: the commonest value of the fitted rows."""
HEAD_DIM = 128
"""Width of a head, the commonest of the fitted rows. [feature]"""
SMALLEST_HEAD_DIM = 16
"""Narrowest head made to divide a stated width. [feature]"""
HEADS_TOGETHER = 4
"""Heads come in fours, as in every fitted row, so that tensor parallelism can divide them. [head]"""
TOKEN_TOLERANCE = 0.1
"""Largest deviation from the tokens stated for a clip."""
GRID_FIELDS = frozenset({"vae_time", "vae_space", "patch_time", "patch_space", "first_frame_alone"})
"""Fields of a shape that make its grid."""
KINDS_OF_LAYERS = ("cross", "double", "joint", "single")
"""What `kind` may be."""
COMPRESSIONS = ((4, 8, 2), (4, 16, 2), (4, 16, 1), (6, 8, 2), (8, 16, 1), (8, 32, 1))
"""Compression in time, in space, and spatial patch, of published video networks."""


def ruled_layers(params: float) -> int:
    """Layers that published networks of about `params` parameters have.

    Examples
    --------
    >>> ruled_layers(20e9)
    43
    """
    factor, power = LAYER_RULE
    return max(1, round(factor * math.exp(power * math.log(params))))


def hypothetical_dit(
    params: float,
    *,
    name: str = "hypothetical",
    layers: int | None = None,
    kind: Literal["cross", "double", "joint", "single"] = "cross",
    tokens: float | None = None,
    clip: tuple[int, int, int] | None = None,
    **fields: Any,
) -> ShapeDiT:
    """Build a diffusion transformer of about `params` parameters, full attention over time and space.

    Parameters
    ----------
    params : float
        Parameters; the result has them within 0.5 %. [parameter]
    name : str
        Name for messages and results.
    layers : int, optional
        Layers, instead of the rule's.
    kind : {"cross", "double", "joint", "single"}
        Kind of all layers; see `costline.models.diffusion.streams`.
    tokens, clip : float and (frames, height, width), optional
        Tokens known for one clip: the published compression that comes nearest is taken. [token], [frame, pixel, pixel]
    **fields
        Any field of `DiTShape`: ``hidden``, ``heads``, ``ffn_hidden``, ``text_tokens``, ``vae_time``, ... What is
        stated is kept, what is not follows from it.

    Returns
    -------
    ShapeDiT
        ``.shape.as_config()`` describes it; `costline.models.diffusion.shape.read_shape` reads that back.

    Raises
    ------
    ConfigError
        No such network: the stated fields need more, or cannot reach, the parameters asked for.
    """
    if not (math.isfinite(params) and 1e5 <= params <= 1e14):
        raise ConfigError(f"{name}: params must be a number from 1e5 to 1e14, got {params!r}")
    stated = {**ASSUMED, **fields}
    check_layers(name, {"layers": layers, **{key: stated.get(key) for key in ("hidden", "ffn_hidden", "heads")}})
    check_fields(name, kind, stated)
    stated = {**stated, **_compression(name, tokens, clip, fields), **fields}
    nearest: ShapeDiT | None = None
    for count in _layer_choices(name, params, layers, kind, stated):
        counted = {**stated, f"{kind}_layers": count}
        for width in _widths(name, params, counted):
            built = _fitted(name, params, {**counted, **width})
            if built is not None and abs(built.params / params - 1) <= TOLERANCE:
                return built
            if built is not None and (nearest is None or abs(built.params - params) < abs(nearest.params - params)):
                nearest = built
    raise ConfigError(f"{name}: {_refusal(params, layers, stated, nearest)}")


def _refusal(params: float, layers: int | None, stated: Mapping[str, Any], nearest: ShapeDiT | None) -> str:
    """Say what stands in the way of `params` parameters."""
    sizes = {"layers": layers, "hidden": stated.get("hidden"), "ffn_hidden": stated.get("ffn_hidden")}
    fixed = ", ".join(f"{key} {value}" for key, value in sizes.items() if value is not None)
    reached = "none with a feed-forward network of 0.25 to 32 times the hidden size"
    if nearest is not None:
        reached = f"the nearest has {nearest.params:.4g} and {nearest.layers} layers"
    return f"no network of {params:.4g} parameters with {fixed or 'the stated fields'}: {reached}; state fewer sizes"


def check_fields(name: str, kind: str, stated: Mapping[str, Any]) -> DiTShape:
    """Refuse stated fields of the wrong type, or that no shape has, before anything is computed with them."""
    if kind not in KINDS_OF_LAYERS:
        raise ConfigError(f"{name}: kind {shown(kind)}: choose from {', '.join(KINDS_OF_LAYERS)}")
    return DiTShape.read({"hidden": 1024, "heads": 8, "ffn_hidden": 4096, f"{kind}_layers": 1, **stated}, name)


def check_layers(name: str, sizes: Mapping[str, object]) -> None:
    """Refuse sizes that are no whole numbers."""
    for key, value in sizes.items():
        if value is not None and not (type(value) is int and 1 <= value <= 1_000_000):
            raise ConfigError(f"{name}: {key} must be a whole number from 1 to 1000000, got {shown(value)}")


def _layer_choices(name: str, params: float, layers: int | None, kind: str, stated: Mapping[str, Any]) -> Iterator[int]:
    """The stated layers; or the rule's, or those that fill a stated width, and then ever more distant ones."""
    if layers is not None:
        yield layers
        return
    start = ruled_layers(params)
    if "hidden" in stated:
        width = {**stated, **_heads(stated["hidden"], stated)}
        width.setdefault("ffn_hidden", FFN_RATIO * stated["hidden"])
        one, two = (_build(name, {**width, f"{kind}_layers": count}).params for count in (1, 2))
        start = max(1, round((params - one) / (two - one)) + 1)
    yield start
    for distance in range(1, min(start, 200)):
        yield from (start - distance, start + distance)


def _heads(hidden: int, stated: Mapping[str, Any]) -> dict[str, int]:
    """Heads of a network of this width: as stated, else of the stated or the usual width."""
    if "heads" in stated:
        return {"hidden": hidden}
    usual = (size for size in range(HEAD_DIM, SMALLEST_HEAD_DIM - 1, -1) if hidden % size == 0)
    width = stated.get("head_dim") or next(usual, 0)
    if not width:
        raise ConfigError(
            f"hypothetical: hidden {hidden} has no divisor from {SMALLEST_HEAD_DIM} to {HEAD_DIM}: state heads"
        )
    return {"hidden": hidden, "heads": max(1, hidden // width), "head_dim": width}


def _widths(name: str, params: float, stated: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Hidden sizes of whole heads on either side of the one that gives `params`, the nearer first."""
    if "hidden" in stated:
        yield _heads(stated["hidden"], stated)
        return
    if "heads" in stated and "head_dim" in stated:
        yield {"hidden": stated["heads"] * stated["head_dim"]}
        return

    def counted(hidden: int) -> int:
        shape = {**stated, **_heads(hidden, stated)}
        shape.setdefault("ffn_hidden", FFN_RATIO * hidden)
        return _build(name, shape).params

    head_dim, group = stated.get("head_dim", HEAD_DIM), stated.get("key_heads") or HEADS_TOGETHER
    unit: int = stated.get("heads") or head_dim * group
    if "heads" not in stated and "key_heads" not in stated and counted(2 * unit) > params:
        unit = head_dim if "head_dim" in stated else HEAD_DIM // 2  # a small network has few heads
    below, above = 0, 1
    while counted(above * unit) <= params:
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if counted(middle * unit) <= params else (below, middle)
    sizes = [size * unit for size in (below, above) if size]
    for hidden in sorted(sizes, key=lambda size: abs(counted(size) - params)):
        yield _heads(hidden, stated)


def _fitted(name: str, params: float, stated: Mapping[str, Any]) -> ShapeDiT | None:
    """Build with the feed-forward width that gives `params`, as round a number as meets half the tolerance."""
    if "ffn_hidden" in stated:
        return _build(name, stated)
    hidden = stated["hidden"]
    one, two = (_build(name, {**stated, "ffn_hidden": width}).params for width in (1, 2))
    exact = 1 + (params - one) / (two - one)
    if not hidden / 4 <= exact <= 32 * hidden:
        return None
    for multiple in (256, 128, 64, 32, 16, 8, 4, 2, 1):
        width = max(multiple, round(exact / multiple) * multiple)
        if abs(width - exact) * (two - one) <= TOLERANCE / 2 * params:
            return _build(name, {**stated, "ffn_hidden": width})
    return _build(name, {**stated, "ffn_hidden": round(exact)})


def _build(name: str, fields: Mapping[str, Any]) -> ShapeDiT:
    return build_shape(DiTShape.read(fields, name), name)


def _compression(
    name: str, tokens: float | None, clip: tuple[int, int, int] | None, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Published compression whose tokens for `clip` come nearest to `tokens`."""
    if (tokens is None) != (clip is None):
        raise ConfigError(f"{name}: tokens and clip go together")
    if tokens is None or clip is None:
        return {}
    if isinstance(tokens, bool) or not isinstance(tokens, int | float) or not 1 <= tokens < math.inf:
        raise ConfigError(f"{name}: tokens must be a number of at least 1, got {shown(tokens)}")
    if not (isinstance(clip, tuple | list) and len(clip) == 3 and all(type(each) is int and each > 0 for each in clip)):
        raise ConfigError(f"{name}: clip must be frames, height and width, got {shown(clip)}")
    found: dict[float, dict[str, Any]] = {}
    for time, space, patch in COMPRESSIONS:
        chosen = {"vae_time": time, "vae_space": space, "patch_space": patch}
        seen = {**ASSUMED, **chosen, **{key: value for key, value in fields.items() if key in GRID_FIELDS}}
        grid = Grid(
            time=seen["vae_time"],
            space=seen["vae_space"],
            patch_time=seen["patch_time"],
            patch_space=seen["patch_space"],
            first_frame_alone=seen.get("first_frame_alone", True),
        )
        found.setdefault(float(grid.streams(*clip)["image"]), chosen)
    best = min(found, key=lambda count: abs(math.log(max(count, 1e-9) / tokens)))
    if abs(best / tokens - 1) > TOKEN_TOLERANCE:
        near = ", ".join(f"{count:.0f}" for count in sorted(found))
        raise ConfigError(f"{name}: no published compression gives {tokens:.0f} tokens for {clip}; they give {near}")
    return found[best]
