"""The decoder table: language models by their dimensions, built when asked for."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from costline.catalogue.table import DATA, read_text
from costline.errors import CatalogueError

if TYPE_CHECKING:
    from costline.models.decoder import Decoder

PROVENANCE = (
    "name", "aliases", "architecture", "params_stated", "active_stated", "kind", "stored", "stored_source", "source",
    "date", "note",
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


def stored_format(spelling: str) -> tuple[str, str] | None:
    """Number format in which the publisher ships the weights of a named model, and who says so; None where not known.

    A cell holds the format of the row, and those of spellings that are other checkpoints of the same shape:
    ``fp8 kimi-k2.5=int4``.

    Examples
    --------
    >>> stored_format("deepseek-v3")[0], stored_format("llama-3.1-8b")
    ('fp8', None)
    """
    name = decoder_names()[spelling]
    row = decoder_rows()[name]
    own, _, others = row["stored"].partition(" ")
    named = dict(pair.split("=") for pair in others.split())
    found = named.get(spelling, own)
    return (found, row["stored_source"]) if found else None


@functools.cache
def shipped_decoder(name: str) -> Decoder:
    """Build the decoder of a row by its exact name.

    Raises
    ------
    ConfigError
        A dimension that is needed is not known.
    """
    from costline.models.decoders.rows import decoder_from_row

    return decoder_from_row(decoder_rows()[name])
