"""Shapes read off a table row: numbers from its columns, structure from the caller.

A table tells layers, widths and tokens as numbers, and structure (which layers, which modulation) as prose. Prose is
not parsed: the caller who has read it states `kind` and `modulation`. A blank cell is unknown and is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from costline.errors import ConfigError
from costline.models.diffusion.shape import DiTShape

COLUMNS = {
    "hidden": "hidden",
    "heads": "heads",
    "head_dim": "head_dim",
    "ffn_hidden": "ffn_hidden",
    "text_tokens": "text_tokens",
    "text_dim": "text_dim",
    "latent_channels": "latent_channels",
    "vae_time": "vae_t",
    "vae_space": "vae_s",
    "patch_time": "patch_t",
    "patch_space": "patch_h",
    "branches": "def_cfg_evals",
}
"""Field of a shape -> column of a table row."""


def shape_of_row(
    row: Mapping[str, str],
    *,
    kind: Literal["cross", "joint", "double"],
    modulation: Literal["single", "block", "none"],
    **stated: Any,
) -> DiTShape:
    """Shape of the model a table row describes.

    Parameters
    ----------
    row : mapping
        Cells by column: ``model``, ``layers_total``, ``double_stream_layers``, ``single_stream_layers``,
        ``ffn_gated``, ``source`` and those in `COLUMNS`.
    kind : {"cross", "joint", "double"}
        Layers the row counts in ``layers_total``; ``"double"``: those of its own two columns.
    modulation : {"single", "block", "none"}
        As in `DiTShape`.
    **stated
        Fields of `DiTShape` stated by the caller: what the table has no column for, or what its cell leaves blank.

    Raises
    ------
    ConfigError
        Naming every column that is blank and every cell that is no whole number.
    """
    name = row.get("model", "row")
    faults: list[str] = []
    fields: dict[str, Any] = {
        field: _whole(row, column, faults) for field, column in COLUMNS.items() if field not in stated
    }
    if "ffn_gated" not in stated:
        fields["ffn_gated"] = bool(_whole(row, "ffn_gated", faults))
    counted = {"cross_layers", "joint_layers", "double_layers", "single_layers"} & stated.keys()
    if kind == "double" and not counted:
        fields["double_layers"] = _whole(row, "double_stream_layers", faults)
        fields["single_layers"] = _whole(row, "layers_total", faults) - fields["double_layers"]
    elif not counted:
        fields[f"{kind}_layers"] = _whole(row, "layers_total", faults)
    if faults:
        hint = "; state them as fields, or start from hypothetical_dit"
        raise ConfigError(f"{name}: unknown dimensions: {'; '.join(faults)}{hint}")
    fields["source"] = row.get("source", "")
    return DiTShape.read({**fields, "modulation": modulation, **stated}, name)


def _whole(row: Mapping[str, str], column: str, faults: list[str]) -> int:
    """Cell as a whole number; 0 after noting a fault."""
    cell = row.get(column, "").strip()
    if cell.isascii() and cell.isdigit():
        return int(cell)
    faults.append(f"{column} is {cell[:40]!r}" if cell else column)
    return 0
