"""Blocks as Parquet. pyarrow is imported when it is needed: it is an extra."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from costline.errors import InputError
from costline.numeric import Array
from costline.sweep.evaluate import Columns
from costline.sweep.scenario import Scenario

Role = Literal["point", "axis", "feasible", "reason", "figure"]


@dataclass(frozen=True)
class Column:
    """One column of the result.

    Attributes
    ----------
    name, unit : str
        As in the file; SI unit, empty for words.
    role : str
        What it holds.
    """

    name: str
    unit: str
    role: Role


def pyarrow(module: str = "pyarrow") -> Any:
    """The library, or one of its modules.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError("sweeps are kept as Parquet, which needs pyarrow: pip install '.[sweep]' in a clone") from None


def columns_of(scenario: Scenario, figures: Mapping[str, str]) -> tuple[Column, ...]:
    """Columns of a sweep; a figure that is an axis as well is left to the axis.

    Parameters
    ----------
    scenario : Scenario
        What is asked.
    figures : mapping of str to str
        Figures and their units.
    """
    axes = [Column(axis.name, axis.unit, "axis") for axis in scenario.axes]
    own = {axis.name for axis in scenario.axes}
    written = [Column(name, unit, "figure") for name, unit in figures.items() if name not in own]
    return (Column("point", "", "point"), *axes, Column("feasible", "", "feasible"), Column("reason", "", "reason"),
            *written)  # fmt: skip


def encode(block: Columns, scenario: Scenario, columns: Sequence[Column], mark: str) -> bytes:
    """A block as the bytes of a Parquet file; the same block gives the same bytes.

    Parameters
    ----------
    block : Columns
        The points.
    scenario : Scenario
        Where the words of an axis are listed.
    columns : sequence of Column
        What is written.
    mark : str
        Hash of the sweep, kept in the file.
    """
    arrow, parquet = pyarrow(), pyarrow("pyarrow.parquet")
    words = {axis.name: [str(word) for word in axis.words] for axis in scenario.axes if axis.words}
    arrays, fields = [], []
    for column in columns:
        array = _arrow_array(arrow, block, column, words)
        fields.append(arrow.field(column.name, array.type, metadata={"unit": column.unit, "role": column.role}))
        arrays.append(array)
    table = arrow.Table.from_arrays(arrays, schema=arrow.schema(fields, metadata={"costline.sweep": mark}))
    out = io.BytesIO()
    parquet.write_table(
        table,
        out,
        compression="zstd",
        compression_level=1,
        use_dictionary=[column.name for column in columns if column.role in {"axis", "reason"}],
        column_encoding={"point": "DELTA_BINARY_PACKED"}
        | {column.name: "BYTE_STREAM_SPLIT" for column in columns if column.role == "figure"},
    )
    return out.getvalue()


def _arrow_array(arrow: Any, block: Columns, column: Column, words: Mapping[str, list[str]]) -> Any:
    match column.role:
        case "point":
            return arrow.array(block.point)
        case "feasible":
            return arrow.array(block.feasible)
        case "reason":
            return arrow.array(block.reason, type=arrow.string()).dictionary_encode()
        case "figure":
            return arrow.array(block.figures[column.name])
    values = block.axes[column.name]
    if column.name in words:
        codes = arrow.array(values.astype(np.int32))
        return arrow.DictionaryArray.from_arrays(codes, words[column.name])
    return arrow.array(values)


def decode(array: Any, words: Sequence[str] | None) -> Array:
    """A column of a file as NumPy array; words as their places in `words`."""
    whole = array.combine_chunks() if hasattr(array, "combine_chunks") else array
    if words is None:
        return np.asarray(whole.to_numpy(zero_copy_only=False))
    place = {word: number for number, word in enumerate(words)}
    if not hasattr(whole, "dictionary"):
        whole = whole.dictionary_encode()
    codes = np.array([place[word] for word in whole.dictionary.to_pylist()], dtype=np.int32)
    return np.asarray(codes[np.asarray(whole.indices.to_numpy(zero_copy_only=False))])
