"""The decoder table: language models by their dimensions, built when asked for."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from costline.catalogue.table import DATA, read_text
from costline.errors import CatalogueError
from costline.models.decoders.precision import Stored
from costline.precision import Narrow

if TYPE_CHECKING:
    from costline.models.decoder import Decoder

PROVENANCE = (
    "name", "aliases", "architecture", "params_stated", "active_stated", "kind", "contexts", "stored", "stored_source",
    "source", "date", "note",
)  # fmt: skip
"""Columns that are no dimensions."""


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table of which `costline.models.decoders.rows` reads the cells.

    Raises
    ------
    CatalogueError
        A row without a name, a name twice, a row with more or fewer cells than the header.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True))
    except csv.Error as error:
        raise CatalogueError(str(path), [str(error)]) from None
    faults = []
    seen: dict[str, int] = {}
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            faults.append(f"row {line}: has {'more' if None in row else 'fewer'} cells than the header")
        if not row.get("name"):
            faults.append(f"row {line}: name is empty")
        names = [row.get("name") or "", *(row.get("aliases") or "").split()]
        faults += [f"row {line}: {name!r} already names row {seen[name]}" for name in names if name in seen]
        seen |= dict.fromkeys(names, line)
    if faults:
        raise CatalogueError(str(path), faults)
    return rows


@functools.cache
def decoder_rows() -> Mapping[str, Mapping[str, str]]:
    """Rows of the table by name."""
    return MappingProxyType({row["name"]: MappingProxyType(row) for row in read_rows(DATA / "models_llm.csv")})


@functools.cache
def decoder_names() -> Mapping[str, str]:
    """Every spelling -> name of the row."""
    names = {name: name for name in decoder_rows()}
    for name, row in decoder_rows().items():
        names |= dict.fromkeys(row["aliases"].split(), name)
    return MappingProxyType(names)


def stored_format(spelling: str) -> tuple[Stored, str] | None:
    """Number format in which the publisher ships the weights of a named model, and who says so; None where not known.

    Examples
    --------
    >>> stored_format("deepseek-v3")[0].weights, stored_format("llama-3.1-8b")
    ('fp8', None)
    """
    row = decoder_rows()[decoder_names()[spelling]]
    own, named, _ = _stored_cell(row["stored"])
    found = named.get(spelling, own)
    return (found, row["stored_source"]) if found is not None else None


def narrow_in(spelling: str, form: str) -> Narrow:
    """Which weights of a named model are in a format, where they are in it at all: the layers unless known otherwise.

    Examples
    --------
    >>> narrow_in("deepseek-v3", "fp8"), narrow_in("deepseek-v3", "fp4")
    ('layers', 'feed-forward')
    """
    own, named, others = _stored_cell(decoder_rows()[decoder_names()[spelling]]["stored"])
    known = [each for each in (named.get(spelling), own, *others, *named.values()) if each is not None]
    return next((each.narrow for each in known if each.weights == form), "layers")


def stored_words(spelling: str) -> str:
    """How a named model is shipped, in words; empty where it is not known.

    Examples
    --------
    >>> stored_words("kimi-k2")
    'fp8; kimi-k2.5 in int4 (experts only); others publish fp4 (feed-forward only)'
    """
    own, named, others = _stored_cell(decoder_rows()[decoder_names()[spelling]]["stored"])
    words = [_form_words(own)] if own else []
    words += [f"{name} in {_form_words(form)}" for name, form in named.items()]
    return "; ".join([*words, *(f"others publish {_form_words(form)}" for form in others)])


def _form_words(form: Stored) -> str:
    return form.weights if form.narrow == "layers" else f"{form.weights} ({form.narrow} only)"


def _stored_cell(cell: str) -> tuple[Stored | None, Mapping[str, Stored], tuple[Stored, ...]]:
    """Formats of the row, of spellings that are other checkpoints of its shape, of checkpoints by other publishers.

    ``fp8 +fp4/feed-forward kimi-k2.5=int4/experts``: what follows a slash is which weights, all of the layers if none.
    """
    own, named, others = None, {}, []
    for word in cell.split():
        spelling, _, form = word.rpartition("=")
        weights, _, narrow = form.removeprefix("+").partition("/")
        stored = Stored(weights, narrow=cast(Narrow, narrow or "layers"))
        if spelling:
            named[spelling] = stored
        elif form.startswith("+"):
            others.append(stored)
        else:
            own = stored
    return own, named, tuple(others)


def row_called(spelling: str) -> Mapping[str, str]:
    """Row of a spelling, with the context of that checkpoint.

    The cell ``contexts`` holds those of spellings that are other checkpoints of the same shape:
    ``qwen3-4b-instruct-2507=262144 deepseek-r1-distill-qwen-7b=unknown``.

    Examples
    --------
    >>> [row_called(name)["max_context"] for name in ("qwen3-4b", "qwen3-4b-instruct-2507")]
    ['40960', '262144']
    """
    row = decoder_rows()[decoder_names()[spelling]]
    others = dict(other.split("=") for other in row["contexts"].split())
    context = others.get(spelling, row["max_context"])
    return {**row, "max_context": "" if context == "unknown" else context}


def shipped_decoder(spelling: str) -> Decoder:
    """Build the decoder that a name of the table stands for.

    Raises
    ------
    ConfigError
        A dimension that is needed is not known.
    """
    row = row_called(spelling)
    return _built(row["name"], row["max_context"])


@functools.cache
def _built(name: str, context: str) -> Decoder:
    from costline.models.decoders.rows import decoder_from_row

    return decoder_from_row({**decoder_rows()[name], "max_context": context})
