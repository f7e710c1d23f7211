"""Rows of the package of measured kernels as arrays. pyarrow is imported when it is needed: it is an extra.

Latencies are in milliseconds, sizes of messages in elements, lengths in tokens; what is handed on is in SI units.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from costline.errors import CatalogueError, InputError
from costline.kernels.tables import File
from costline.numeric import Array

Columns: TypeAlias = Mapping[str, Array]
NO_PYARROW = "measured kernels are parquet files, which pyarrow reads: pip install '.[kernels]' in a clone"
MILLISECOND = 1e-3
HALF_BYTES = 2
"""Bytes of an element of the collectives that are read: 16-bit ones."""
GEMM_FORMATS = {
    "bfloat16": "bf16", "fp8": "fp8", "fp8_block": "fp8_block", "nvfp4": "fp4", "int8_wo": "int8_wo",
    "int4_wo": "int4_wo", "sq": "int8", "w4a16_mxfp4": "mxfp4_wo", "w4a8_mxfp4_mxfp8": "mxfp4_fp8",
}  # fmt: skip
"""Formats of matrix products: the package's name -> ours; ``_wo`` are weights alone, ``_block`` scales by block."""
UNGATED = frozenset({(1024, 2688), (2048, 5120), (2688, 1856), (4096, 2688), (8192, 5120)})
"""Widths of experts of two matrices, not three, as TensorRT-LLM's rows say and those of other engines do not."""
ABSORBED = "flash_attention"
"""Kernel of latent attention that keeps queries in the latent for prompts too: at a width of 576 it reaches 0.6 of the
peak, at that of a query, 192, it would reach 0.17."""


@dataclass(frozen=True)
class Samples:
    """Measured calls of one kernel in one format on one chip.

    Attributes
    ----------
    chip : str
        Chip of the catalogue.
    kernel : str
        ``gemm``, ``experts`` (a whole layer of them, router excepted), ``context`` (attention of a prompt),
        ``generation`` (attention of one new token), the same of latent attention (``_mla``; ``_absorbed`` where prompts
        are kept in the latent too), ``all_reduce`` (the engines' own), ``nccl_all_reduce``, ``nccl_all_gather``, ...
    format : str
        Number format; of attention, that of the products and that of the cache where they differ.
    software : array of str
        Engine that ran each call.
    shape : mapping of str to array
        Sizes: rows, inner, outer of a product, and experts that its rows go to; batch, tokens, heads, key_heads, width
        of attention; bytes and chips of a collective. [row, element, expert, token, head, byte, chip]
    seconds : array
        Time of one call. [s]
    """

    chip: str
    kernel: str
    format: str
    software: Array
    shape: Mapping[str, Array]
    seconds: Array

    @property
    def name(self) -> str:
        """Chip, kernel and format."""
        return f"{self.chip} {self.kernel} {self.format}"

    def only(self, kept: Array) -> Samples:
        """The calls with these numbers, or that a mask keeps."""
        shape = {name: values[kept] for name, values in self.shape.items()}
        return replace(self, software=self.software[kept], shape=shape, seconds=self.seconds[kept])


@dataclass(frozen=True)
class Read:
    """All that was read.

    Attributes
    ----------
    samples : tuple of Samples
        In the order of their names.
    left_out : mapping of str to int
        Rows that do not count, by reason.
    """

    samples: tuple[Samples, ...]
    left_out: Mapping[str, int]


def read_files(files: Iterable[File]) -> Read:
    """Read the files and put together what belongs together.

    Raises
    ------
    CatalogueError
        Files that cannot be read or lack a column, all of them named.
    InputError
        pyarrow is not installed.
    """
    parts: dict[tuple[str, str, str], list[Samples]] = {}
    left_out: Counter[str] = Counter()
    faults: list[str] = []
    for file in files:
        try:
            columns = _columns(file)
        except ValueError as error:
            faults.append(f"{'/'.join(file.path.parts[-5:])}: {error}")
            continue
        for part in _samples(file, columns, left_out):
            parts.setdefault((part.chip, part.kernel, part.format), []).append(part)
    if faults:
        raise CatalogueError("measured kernels", faults)
    return Read(tuple(_joined(parts[key]) for key in sorted(parts)), left_out)


def _joined(parts: Sequence[Samples]) -> Samples:
    shape = {name: np.concatenate([part.shape[name] for part in parts]) for name in parts[0].shape}
    software = np.concatenate([part.software for part in parts])
    return replace(parts[0], software=software, shape=shape, seconds=np.concatenate([part.seconds for part in parts]))


ATTENTION = (
    "attn_dtype", "kv_cache_dtype", "batch_size", "isl", "step", "num_heads", "num_key_value_heads", "head_dim",
)  # fmt: skip
LATENT = ("mla_dtype", "kv_cache_dtype", "batch_size", "isl", "step", "num_heads", "kernel_source")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "gemm": ("gemm_dtype", "m", "n", "k"),
    "moe": (
        "moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts", "moe_tp_size", "moe_ep_size",
        "distribution", "kernel_source",
    ),
    "context_mla": LATENT,
    "generation_mla": LATENT,
    "context_attention": ATTENTION,
    "generation_attention": ATTENTION,
    "custom_allreduce": ("allreduce_dtype", "num_gpus", "message_size", "kernel_source"),
    "nccl": ("nccl_dtype", "num_gpus", "message_size", "op_name"),
}  # fmt: skip
"""Columns a table must have besides its latency."""
TRACED = ("framework", "device")
"""Columns that say where a row was measured; a row without them does not count."""
OPTIONAL = (*TRACED, "window_size")
NUMBERS = (
    "latency", "m", "n", "k", "batch_size", "isl", "step", "num_heads", "num_key_value_heads", "head_dim",
    "window_size", "num_gpus", "message_size", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts",
    "moe_tp_size", "moe_ep_size",
)  # fmt: skip


def _columns(file: File) -> Columns:
    """The columns that are used, as arrays."""
    try:
        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise InputError(NO_PYARROW) from None
    try:
        opened: Any = parquet.ParquetFile(file.path)
        there = set(opened.schema_arrow.names)
        wanted = [*NEEDED[file.table], "latency"]
        known = [name for name in (*wanted, *OPTIONAL) if name in there]
        table = opened.read(columns=known)
    except (OSError, arrow.ArrowException) as error:
        raise ValueError(f"cannot be read: {str(error)[:80]}") from None
    if missing := [name for name in wanted if name not in there]:
        raise ValueError(f"column {', '.join(missing)} is missing")
    found = {name: np.asarray(table[name].to_numpy()) for name in known}
    if words := [name for name in NUMBERS if name in found and found[name].dtype.kind not in "iuf"]:
        raise ValueError(f"column {', '.join(words)} holds no numbers")
    return found


def _samples(file: File, columns: Columns, left_out: Counter[str]) -> Iterator[Samples]:
    """Calls of one file, one kernel and format at a time; what does not count is counted."""
    counts = _traced(file, columns)
    left_out["not measured on this chip by this software"] += int((~counts).sum())
    timed = np.isfinite(columns["latency"]) & (columns["latency"] > 0)
    left_out["no time"] += int((counts & ~timed).sum())
    kernels = READERS[file.table](columns)
    counts &= timed
    left_out["of a kind that is not fitted"] += int((counts & (kernels.kind == "")).sum())
    counts &= kernels.kind != ""
    for kind in sorted(set(kernels.kind[counts].tolist())):
        chosen = counts & (kernels.kind == kind)
        kernel, _, form = kind.partition(" ")
        yield Samples(
            chip=file.chip,
            kernel=kernel,
            format=form,
            software=np.full(int(chosen.sum()), file.software),
            shape={name: values[chosen].astype(float) for name, values in kernels.shape.items()},
            seconds=columns["latency"][chosen] * MILLISECOND,
        )


def _traced(file: File, columns: Columns) -> Array:
    """Rows that say they were measured on this chip, and by this software where a software has its own kernels."""
    rows = len(columns["latency"])
    if any(name not in columns for name in TRACED):
        return np.zeros(rows, dtype=bool)
    here = _each(columns["device"], lambda device: re.search(file.device, device) is not None)
    if file.table == "nccl":
        return here
    return here & _each(columns["framework"], lambda name: name.lower().replace("-", "") == file.software)


def _each(words: Array, holds: Callable[[str], bool]) -> Array:
    """Whether something holds of each word; every word is judged once."""
    known = {word: holds(str(word)) for word in set(words.tolist())}
    return np.fromiter((known[word] for word in words.tolist()), dtype=bool, count=len(words))


@dataclass(frozen=True)
class _Kernels:
    """Kernel and format of each row (empty: not fitted), and its sizes."""

    kind: Array
    shape: Mapping[str, Array]


def _kinds(words: Array, names: Mapping[str, str]) -> Array:
    return np.asarray([names.get(word, "") for word in words.tolist()], dtype=object)


def _gemm(columns: Columns) -> _Kernels:
    kind = _kinds(columns["gemm_dtype"], {name: f"gemm {ours}" for name, ours in GEMM_FORMATS.items()})
    return _Kernels(kind, {"rows": columns["m"], "inner": columns["k"], "outer": columns["n"]})


def _experts(columns: Columns) -> _Kernels:
    """Layers of experts with as many tokens for each of them: how many the skewed ones of a chip have is not told."""
    kind = _kinds(columns["moe_dtype"], {name: f"experts {ours}" for name, ours in GEMM_FORMATS.items()})
    visits = columns["num_tokens"] * columns["topk"] / columns["moe_ep_size"]
    visited = np.minimum(visits, columns["num_experts"] / columns["moe_ep_size"])
    widths = zip(columns["hidden_size"].tolist(), columns["inter_size"].tolist(), strict=True)
    gated = np.asarray([pair not in UNGATED for pair in widths], dtype=bool)
    gated &= _each(columns["kernel_source"], lambda name: "nongated" not in name)
    counts = (columns["distribution"] == "balanced") & (visits >= 1) & gated
    outer = columns["inter_size"] / columns["moe_tp_size"]
    shape = {"rows": visits, "inner": columns["hidden_size"], "outer": outer, "experts": visited}
    return _Kernels(np.where(counts, kind, ""), shape)


def _formats(columns: Columns, products: str) -> Array:
    """Formats of the products of attention and of its cache, as one word."""
    known = {"bfloat16 bfloat16": "bf16", "bfloat16 fp8": "bf16+fp8kv", "fp8 fp8": "fp8"}
    pairs = zip(columns[products].tolist(), columns["kv_cache_dtype"].tolist(), strict=True)
    return _kinds(np.asarray([" ".join(map(str, pair)) for pair in pairs], dtype=object), known)


def _attention(kernel: str, columns: Columns, tokens: Array) -> _Kernels:
    """Attention over everything before a token; windows are left out."""
    kind = _formats(columns, "attn_dtype")
    kind = np.where((kind != "") & (columns.get("window_size", np.zeros(1)) == 0), kernel + " " + kind, "")
    shape = {
        "batch": columns["batch_size"], "tokens": tokens, "heads": columns["num_heads"],
        "key_heads": columns["num_key_value_heads"], "width": columns["head_dim"],
    }  # fmt: skip
    return _Kernels(kind, shape)


def _context(columns: Columns) -> _Kernels:
    whole = _attention("context", columns, columns["isl"])
    return replace(whole, kind=np.where(columns["step"] == 0, whole.kind, ""))


def _generation(columns: Columns) -> _Kernels:
    return _attention("generation", columns, columns["isl"] + columns["step"])


def _latent(kernel: str, columns: Columns) -> _Kernels:
    """Latent attention, of which the rows state the heads alone: its widths are those of DeepSeek-V3."""
    form = _formats(columns, "mla_dtype")
    absorbed = _each(columns["kernel_source"], lambda name: name == ABSORBED) & (kernel == "context_mla")
    kind = np.where(absorbed, f"{kernel}_absorbed ", f"{kernel} ").astype(object) + form
    whole = (form != "") & ((columns["step"] == 0) | (kernel == "generation_mla"))
    tokens = columns["isl"] + columns["step"]
    return _Kernels(
        np.where(whole, kind, ""),
        {"batch": columns["batch_size"], "tokens": tokens, "heads": columns["num_heads"]},
    )


def _collective(kind: Array, columns: Columns) -> _Kernels:
    return _Kernels(kind, {"bytes": columns["message_size"] * HALF_BYTES, "chips": columns["num_gpus"]})


def _custom(columns: Columns) -> _Kernels:
    """All-reduces as engines call them in a graph; those launched one by one measure the host."""
    kind = _kinds(columns["allreduce_dtype"], {"bfloat16": "all_reduce bf16"})
    eager = _each(columns["kernel_source"], lambda name: name.lower().endswith("eager"))
    return _collective(np.where(eager, "", kind), columns)


def _nccl(columns: Columns) -> _Kernels:
    kind = "nccl_" + columns["op_name"].astype(object) + " bf16"
    return _collective(np.where(columns["nccl_dtype"] == "half", kind, ""), columns)


READERS: Mapping[str, Callable[[Columns], _Kernels]] = {
    "gemm": _gemm,
    "moe": _experts,
    "context_mla": functools.partial(_latent, "context_mla"),
    "generation_mla": functools.partial(_latent, "generation_mla"),
    "context_attention": _context,
    "generation_attention": _generation,
    "custom_allreduce": _custom,
    "nccl": _nccl,
}
