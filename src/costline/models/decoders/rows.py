"""Decoders from rows of the model table: one column a field of `DecoderShape`, an empty cell for what is not known.

A dimension no decoder can do without is *unknown* where its cell is empty, and the row cannot be built; an optional
feature (a bias, a window, experts) is then taken as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.build import build_decoder
from costline.models.decoders.shape import DecoderShape, naming
from costline.models.decoders.stated import CHOICES, TYPES

FLAGS = {"1": True, "0": False}


def decoder_from_row(row: Mapping[str, str]) -> Decoder:
    """Build the decoder a row describes.

    Parameters
    ----------
    row : mapping of str to str
        ``name`` and a cell for each known field of `DecoderShape`; ``architecture``, ``source`` and ``note`` go into
        the result, other columns are not looked at. Flags are 1 or 0.

    Raises
    ------
    ConfigError
        A dimension that is needed and not known, or a cell that cannot be read.

    Examples
    --------
    >>> row = {"name": "tiny", "layers": "2", "hidden": "8", "heads": "2", "kv_heads": "1", "head_dim": "4"}
    >>> decoder_from_row({**row, "ffn": "16", "vocab": "32"}).params
    1704
    >>> decoder_from_row({**row, "ffn": "16"})
    Traceback (most recent call last):
    ...
    costline.errors.ConfigError: tiny: not known: vocab
    """
    name = row.get("name", "") or "unnamed row"
    values = shape_fields(row, name)
    missing = [field for field in needed_fields(values) if field not in values]
    if missing:
        told = row.get("note", "").strip()
        raise ConfigError(f"{name}: not known: {', '.join(missing)}" + (f" ({told})" if told else ""))
    with naming(name):
        shape = DecoderShape(**values)
    return build_decoder(
        shape,
        name,
        row.get("architecture", "") or "decoder",
        source=row.get("source", ""),
        note=row.get("note", ""),
    )


def shape_fields(row: Mapping[str, str], name: str) -> dict[str, Any]:
    """Fields of `DecoderShape` whose cells are filled, as typed values."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field, written in TYPES.items():
        cell = (row.get(field) or "").strip()
        if not cell:
            continue
        try:
            values[field] = _read_cell(cell, written)
        except ValueError as error:
            faults.append(f"{field} {error}, got {cell[:40]!r}")
    if faults:
        raise ConfigError(f"{name}: {'; '.join(faults)}")
    return values


def _read_cell(cell: str, written: str) -> int | bool | str:
    if written == "bool":
        if cell not in FLAGS:
            raise ValueError("must be 1 or 0")
        return FLAGS[cell]
    if written in CHOICES:
        if cell not in CHOICES[written]:
            raise ValueError(f"must be one of {', '.join(CHOICES[written])}")
        return cell
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 12):
        raise ValueError("must be a whole number")
    return int(cell)


def needed_fields(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Dimensions this decoder cannot do without, given what is known of it."""
    needed = ["layers", "hidden", "vocab", "heads", "kv_heads", "head_dim"]
    dense = values.get("dense_layers", 0 if "experts" in values else None)  # None: all layers
    if dense != 0:
        needed.append("ffn")
    if "experts" in values:
        needed += ["active_experts", "expert_ffn"]
    if "kv_lora" in values:
        needed += ["qk_nope", "qk_rope", "v_dim"]
    if "mamba_layers" in values:
        needed += ["mamba_heads", "mamba_head_dim", "mamba_groups", "mamba_state", "conv_kernel"]
    if "delta_layers" in values:
        needed += ["delta_key_heads", "delta_value_heads", "delta_key_dim", "delta_value_dim", "conv_kernel"]
    return tuple(needed)
