"""Parallelism of a serving row: tensor, pipeline, data and expert degrees, cores, disaggregated groups."""

from __future__ import annotations

import re
from dataclasses import dataclass

from costline.accuracy.machines import units_per_chip
from costline.accuracy.refusal import UnpredictableError
from costline.accuracy.rows import ServeRow

SEQUENTIAL = re.compile(r"llama\.cpp", re.I)
"""Engines whose pipeline parallelism splits layers over chips that then wait for each other."""
PAIR = re.compile(r"P(\d+)(?:x(\d+))?/D(\d+)(?:x(\d+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How the chips of one kind of instance work together.

    Attributes
    ----------
    tensor, pipeline, data, expert : int
        Degrees in chips; `data` are replicas of attention within an instance and of whole instances.
    cut : int or None
        Chips that share one expert, where that is stated by the other degrees.
    chips : int
        Chips that work at a time.
    instances : int
        Equal groups that share the requests, `data` not counted.
    sequential : bool
        Whether the chips of the row work one after the other, so that they decode as fast as one of them.
    stages : int
        How many do.
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1
    cut: int | None = None
    chips: int = 1
    instances: int = 1
    sequential: bool = False
    stages: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Layouts:
    """Where requests are prefilled and where they are decoded; the same unless disaggregated."""

    prefill: Layout
    decode: Layout

    @property
    def disaggregated(self) -> bool:
        """Whether prefill and decode run on chips of their own."""
        return self.prefill is not self.decode


def layouts(row: ServeRow, notes: list[str]) -> Layouts:
    """Read the degrees of a row.

    Raises
    ------
    UnpredictableError
        Degrees that are not stated or contradict the number of chips.
    """
    if PAIR.fullmatch(row.tp):
        return _disaggregated(row)
    if not row.num_chips:
        raise UnpredictableError("number of chips is not stated")
    tensor, pipeline = _degree(row.tp, "tp"), _degree(row.pp or "1", "pp")
    data = _degree(row.dp or "1", "dp")
    together = "attention DP" in row.ep or (data > 1 and data == tensor and tensor * data != row.num_chips)
    expert = tensor if "attention DP" in row.ep else _degree(row.ep or "1", "ep")
    if together:  # each chip of the group attends for itself, experts are shared
        notes.append("attention is data-parallel inside the tensor group")
        tensor, data = 1, tensor * (1 if data == tensor else data)
    if SEQUENTIAL.search(row.engine) and pipeline > 1:
        notes.append("layers split over chips that work one after the other")
        one = Layout(sequential=True, stages=pipeline)
        return Layouts(prefill=one, decode=one)
    units = units_per_chip(tensor * pipeline * data, row.num_chips)
    if units > 1:
        notes.append(f"ranks are cores, {units} a chip")
        tensor, data = (tensor // units, data) if tensor % units == 0 else (tensor, max(data // units, 1))
    chips = max(tensor * pipeline * data, 1)
    if row.num_chips % chips and chips % row.num_chips:
        raise UnpredictableError(f"tp {tensor} x pp {pipeline} x dp {data} contradicts {row.num_chips} chips")
    one = Layout(tensor=tensor, pipeline=pipeline, data=data, expert=expert, cut=_cut(tensor, expert), chips=chips,
                 instances=max(row.num_chips // chips, 1))  # fmt: skip
    return Layouts(prefill=one, decode=one)


def _cut(tensor: int, expert: int) -> int | None:
    """Chips that share an expert: the groups of a tensor group that is not as many as its chips cut theirs.

    SGLang: python/sglang/srt/distributed/parallel_state.py, ``moe_tp_size = tp // ep``; TensorRT-LLM: docs of
    ``moe_tensor_parallel_size``, whose product with the expert degree is the tensor degree.
    """
    return tensor // expert if 1 < expert < tensor and tensor % expert == 0 else None


def _degree(word: str, name: str) -> int:
    if not word.isdigit() or int(word) < 1:
        raise UnpredictableError(f"{name} is {word[:30]!r}" if word else f"{name} is not stated")
    return int(word)


def _disaggregated(row: ServeRow) -> Layouts:
    """``tp=P1/D8, ep=P4/D8, dp=P1x4/D5x1``: instances x data-parallel ranks of each side."""
    pairs = [PAIR.fullmatch(word) for word in (row.tp, row.ep or "P1/D1", row.dp or "P1x1/D1x1")]
    if None in pairs:
        raise UnpredictableError(f"degrees of a disaggregated engine cannot be read: {row.ep[:20]!r}, {row.dp[:20]!r}")
    tp, ep, dp = (pair.groups() for pair in pairs if pair is not None)
    sides = []
    for side in (0, 2):
        instances, data = int(dp[side]), int(dp[side + 1] or 1)
        tensor, expert = int(tp[side]), int(ep[side])
        # ranks of one instance share its experts, whether whole or cut
        expert = data if expert == 1 else expert
        sides.append(Layout(tensor=tensor, data=data, expert=expert, chips=tensor * data, instances=instances))
    return Layouts(prefill=sides[0], decode=sides[1])
