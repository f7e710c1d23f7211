"""The network a row names: by name, else by the row's own dimensions, else shaped from its size."""

from __future__ import annotations

import functools
import re
from typing import Any

from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import GenerateRow, TrainRow
from costline.catalogue import shipped
from costline.catalogue.names import checkpoint, plain
from costline.errors import CostlineError
from costline.models.decoder import Decoder
from costline.models.decoders.build import build_decoder
from costline.models.decoders.hypothetical import hypothetical_decoder
from costline.models.decoders.shape import DecoderShape
from costline.models.diffusion.hypothetical import hypothetical_dit
from costline.models.dit import DiT
from costline.models.network import Network
from costline.models.parts import Attention, LinearAttention
from costline.models.pipeline import Pipeline, fitted
from costline.studies.targets import sparse

SIZE = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)\s?b(?![a-z0-9])", re.I)
ACTIVE = re.compile(r"(?<![a-z0-9])a(\d+(?:\.\d+)?)b(?![a-z0-9])", re.I)


@functools.cache
def _spellings() -> dict[str, str]:
    return {plain(spelling): spelling for spelling in shipped.models()}


@functools.cache
def named(name: str) -> Network | Pipeline | None:
    """Model of the catalogue of exactly this name; organisation, case and endings such as "-Instruct" do not count.

    None if there is none, or if a dimension it needs is not known.
    """
    wanted = plain(checkpoint(name, _spellings())[0])
    if wanted not in _spellings():
        return None
    try:
        return shipped.model(_spellings()[wanted])
    except CostlineError:
        return None


def sizes_in(name: str) -> tuple[float | None, float | None]:
    """Total and active parameters a model's name states. [parameter]

    Examples
    --------
    >>> sizes_in("Qwen3-30B-A3B"), sizes_in("Llama-2-7b-hf"), sizes_in("Sora")
    ((30000000000.0, 3000000000.0), (7000000000.0, None), (None, None))
    """
    total, active = SIZE.search(name), ACTIVE.search(name)
    return (float(total[1]) * 1e9 if total else None), (float(active[1]) * 1e9 if active else None)


def served_decoder(name: str) -> tuple[Decoder, tuple[str, ...]]:
    """Decoder of a serving row, and what had to be assumed.

    Raises
    ------
    UnpredictableError
        The name is not known and states no size.
    """
    found = named(name)
    if isinstance(found, Decoder):
        return found, ()
    total, active = sizes_in(name)
    if total is None:
        raise UnpredictableError(f"dimensions of {name[:60]} are not known")
    return _shaped(name, total, active)


@functools.cache
def _shaped(name: str, total: float, active: float | None) -> tuple[Decoder, tuple[str, ...]]:
    """A decoder of the usual shape for its size."""
    used = None if active is None or active >= total else active
    try:
        network = hypothetical_decoder(total, used, name=name)
    except CostlineError as error:
        raise UnpredictableError(f"no decoder can be shaped from the size of {name[:60]}: {error}") from None
    return network, (f"dimensions not known: the usual shape of {total / 1e9:g}B parameters",)


def trained_decoder(row: TrainRow) -> tuple[Decoder, tuple[str, ...]]:
    """Decoder of a training row, and what had to be assumed.

    The catalogue's entry of that name counts unless the row itself states other dimensions.

    Raises
    ------
    UnpredictableError
        Not a decoder, or neither name, dimensions nor size are known.
    """
    found = named(row.model)
    if isinstance(found, Decoder) and (row.layers is None or (row.layers, row.hidden) == _core(found)):
        return found, ()
    if isinstance(found, Pipeline | DiT):
        raise UnpredictableError("training of a diffusion transformer: the table does not state its clips")
    dense = row.params_active is None or row.params_active == row.params_total
    if dense and row.layers and row.hidden and row.heads and row.ffn:
        return _by_dimensions(row.model, row.layers, row.hidden, row.heads, row.kv_heads, row.ffn, row.vocab,
                              row.params_total)  # fmt: skip
    total, active = sizes_in(row.model)
    total, active = row.params_total or total, row.params_active or active
    if total is None:
        raise UnpredictableError(f"neither dimensions nor size of {row.model[:60]} are known")
    return _shaped(row.model, total, active)


def _core(network: Network) -> tuple[int, int]:
    return network.layers, network.hidden_size


@functools.cache
def _by_dimensions(
    name: str, layers: int, hidden: int, heads: int, kv_heads: int | None, ffn: int, vocab: int | None,
    params: float | None,
) -> tuple[Decoder, tuple[str, ...]]:  # fmt: skip
    """A dense decoder from the dimensions a row states; gated if that comes nearer to its parameters."""
    assumed = [] if vocab else ["vocabulary not stated: 32,000"]

    def built(gated: bool) -> Decoder:
        shape = DecoderShape(
            layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads or heads, head_dim=hidden // heads, ffn=ffn,
            vocab=vocab or 32_000, gated=gated,
        )  # fmt: skip
        return build_decoder(shape, name, "decoder", source="dimensions of the row")

    try:
        gated, plain = built(True), built(False)
    except CostlineError as error:
        raise UnpredictableError(str(error)) from None
    if params is None:
        return gated, (*assumed, "gated feed-forward network assumed")
    return min((gated, plain), key=lambda network: abs(network.params - params)), tuple(assumed)


@functools.cache
def _pipeline(name: str, text_tokens: int | None) -> tuple[Pipeline, tuple[str, ...]] | None:
    found = named(name)
    if isinstance(found, DiT):
        found = Pipeline(name=name, transformers=((found, 1.0),), branches=found.branches)
    if not isinstance(found, Pipeline):
        return None
    if text_tokens is None:
        return found, ()
    networks = tuple((fitted(network, None, text_tokens), share) for network, share in found.transformers)
    return Pipeline(**{**vars(found), "transformers": networks}), ()


def generating_pipeline(row: GenerateRow) -> tuple[Pipeline, tuple[str, ...]]:
    """Pipeline of a generation row, and what had to be assumed.

    Raises
    ------
    UnpredictableError
        The name is not known and states no size.
    """
    known = _pipeline(row.model, row.text_tokens)
    if known is not None:
        return known
    total, _ = sizes_in(row.model)
    if total is None:
        raise UnpredictableError(f"dimensions of {row.model[:60]} are not known")
    return _shaped_pipeline(row.model, total, row.text_tokens)


@functools.cache
def _shaped_pipeline(name: str, total: float, text_tokens: int | None) -> tuple[Pipeline, tuple[str, ...]]:
    stated: dict[str, Any] = {} if text_tokens is None else {"text_tokens": text_tokens}
    try:
        network = hypothetical_dit(total, name=name, **stated)
    except CostlineError as error:
        raise UnpredictableError(f"no transformer can be shaped from the size of {name[:60]}: {error}") from None
    note = f"dimensions not known: the usual shape of {total / 1e9:g}B parameters; encoders and autoencoder not counted"
    return Pipeline(name=name, transformers=((network, 1.0),), branches=network.branches), (note,)


def family(network: Network) -> str:
    """What kind of network it is, for tables.

    Examples
    --------
    >>> family(shipped.model("mixtral-8x7b")), family(shipped.model("flux.1-dev-dit"))
    ('MoE', 'double-stream DiT')
    """
    if isinstance(network, Decoder):
        return "MoE" if sparse(network) else "dense"
    blocks = {part.name.split("/")[1] for part in network.parts if part.name.startswith("block/")}
    if any(isinstance(part, LinearAttention) for part in network.parts):
        return "linear DiT"
    if {"spatial", "temporal"} <= blocks:
        return "factorised DiT"
    if "double" in blocks or {"image", "text"} <= blocks:
        return "double-stream DiT"
    crossed = any(isinstance(part, Attention) and part.queries != part.keys for part in network.parts)
    return "cross-attention DiT" if crossed else "joint DiT"
