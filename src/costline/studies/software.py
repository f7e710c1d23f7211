"""Software of a question: engine, release, attention kernel, fusion; as users state it and as sources name it."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from costline.catalogue.software_table import Software, all_software, software_named
from costline.catalogue.validated_table import validated_cases
from costline.engine.ageing import REFERENCE_YEAR
from costline.engine.reach import attention_kernel, slowness
from costline.errors import InputError, PlanError, UnknownNameError
from costline.estimate import Assumption
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.hardware.efficiency import Efficiency
from costline.numeric import Numeric
from costline.plan import Plan
from costline.planning import read_year, year_of_month

Study: TypeAlias = Literal["train", "serve", "generate"]

ARXIV = {"fa1": "2205.14135", "fa2": "2307.08691", "fa3": "2407.08608"}
"""Attention kernel -> the paper it came with; the number of a paper begins with its year and month."""
ONLY = {"fa3": "hopper", "fa4": "blackwell"}
"""Kernels that only one family of chips runs."""
GRAPHS = frozenset({"Google", "AWS", "gaudi2", "gaudi3"})
"""Makers and families of chips that are given whole graphs by a compiler, whatever framework is above it (XLA, Neuron,
the lazy mode of SynapseAI with HPU graphs): on them nothing runs operator by operator unless that is said."""
LARGE_MEMORY = 70 * 2.0**30
"""Memory from which on vLLM takes a chip for a large one. [byte]"""
FORWARD_ALONE = frozenset({"sage"})
"""Kernels that have no backward pass."""
UNFUSED = {"naive": ", scores through memory", "copied": ", and a cache that is copied"}
"""Kernel -> what it does besides arithmetic that others do not."""
COMMON: Mapping[Study, tuple[str, ...]] = {
    "train": ("megatron", "fsdp"), "serve": ("vllm", "trtllm"), "generate": ("diffusers", "xdit"),
}  # fmt: skip
"""Engines whose effect an answer states where none is named: the commonest of the published measurements."""
FLAGS = {"software": "engine", "year": "engine_date", "attention": "attention", "compiled": "compile"}
"""Field of a plan -> the input that states it."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """Software as the user states it; None is not stated.

    Attributes
    ----------
    engine : str, optional
        Id of the table of software.
    date : str or float, optional
        Its release: ``2025-06``, or a year.
    attention : str, optional
        Attention kernel.
    compiled : bool or str, optional
        Whether element-wise work is fused.
    """

    engine: str | None = None
    date: str | float | None = None
    attention: str | None = None
    compiled: bool | str | None = None


UNSTATED = Stated()


@dataclass(frozen=True, slots=True)
class Release:
    """Software in the words of a `Plan`.

    Attributes
    ----------
    software : str
        Id of the catalogue; empty where it is not known.
    year : float
        Of its release, or of the measurement; 0 where neither is stated.
    compiled : bool
        Whether element-wise work is fused and kernels are launched as one graph.
    attention : str
        Attention kernel; empty leaves it to the chip.
    """

    software: str
    year: float
    compiled: bool
    attention: str


def released(found: Software | None, year: float, chip: Chip, compiled: bool | None = None) -> Release:
    """What an engine of a year does on a chip unless told otherwise; software nobody names is not taken to be fused.

    Examples
    --------
    >>> from costline.catalogue import shipped
    >>> released(software_named("vllm", "serve"), 2024.5, shipped.chip("a100-sxm-80gb"))
    Release(software='vllm-v0', year=2024.5, compiled=True, attention='fa2')
    >>> engine = software_named("deepspeed", "serve")
    >>> [released(engine, 0, shipped.chip(name)).compiled for name in ("gaudi2", "h100-sxm")]
    [True, False]
    """
    found = predecessor(found, year)
    graphs = bool(GRAPHS & {chip.vendor, chip.family})
    fused = (graphs or (found is not None and found.fused)) if compiled is None else compiled
    own = "" if found is None else _own_attention(found, year)
    return Release("" if found is None else found.id, year, fused, own or attention_at(year, chip))


def _own_attention(found: Software, year: float) -> str:
    """Attention kernel that is an engine's own in a year, with no year today; empty where it takes what there is."""
    until = found.attention_until
    return "" if until and (not year or year >= read_year(until, "attention_until")) else found.attention


def predecessor(found: Software | None, year: float) -> Software | None:
    """What an engine's name meant in a year: another program where it was written anew; with no year today's.

    Examples
    --------
    >>> predecessor(software_named("vllm", "serve"), 2024.5).id, predecessor(software_named("vllm", "serve"), 0).id
    ('vllm-v0', 'vllm')
    """
    if found is None or not found.earlier or not year or year >= read_year(found.since, "since"):
        return found
    return software_named(found.earlier, found.study)


def sequences_taken(software: str, chip: Chip) -> float:
    """Sequences an engine takes in at a time unless told otherwise; infinite where it takes what fits. [sequence]

    Source: vllm-project/vllm, vllm/engine/arg_utils.py: chips of 70 GiB and more, "and a100 not in device_name".

    Examples
    --------
    >>> from costline.catalogue import shipped
    >>> [sequences_taken("vllm", shipped.chip(name)) for name in ("l40s", "a100-sxm-80gb", "h100-sxm")]
    [256.0, 256.0, 1024.0]
    """
    found = software_named(software, "serve") if software else None
    large = chip.memory is not None and np.all(np.asarray(chip.memory) >= LARGE_MEMORY) and "a100" not in chip.id
    taken = None if found is None else found.sequences_large if large else found.sequences
    return np.inf if taken is None else float(taken)


def attention_at(year: float, chip: Chip) -> str:
    """Newest attention kernel that existed then for a chip; empty, which leaves it to the chip, if no rule tells.

    Examples
    --------
    >>> from costline.catalogue import shipped
    >>> attention_at(2022.1, shipped.chip("a100-sxm-80gb")), attention_at(2024.9, shipped.chip("h100-sxm"))
    ('naive', 'fa3')
    """
    if not year or chip.vendor != "NVIDIA":
        return ""
    known = [
        name
        for name, number in ARXIV.items()
        if year_of_month(2000 + int(number[:2]), int(number[2:4])) < year and ONLY.get(name, chip.family) == chip.family
    ]
    if not known:
        return "naive"
    return "" if chip.family.startswith("blackwell") else known[-1]


def settled_software(
    fields: Mapping[str, Any], stated: Stated, study: Study, chip: Chip, kernels: Collection[str]
) -> tuple[dict[str, Any], str]:
    """Plan fields with those that follow from the software, and the format it multiplies 16-bit operands in.

    Parameters
    ----------
    fields : mapping
        Plan fields the user states; empty words and a year of 0 state nothing.
    stated : Stated
        Inputs about software.
    study : {"train", "serve", "generate"}
        What for: each has engines of its own.
    chip : Chip
        Where.
    kernels : collection of str
        Attention kernels there are coefficients for.

    Raises
    ------
    PlanError
        An input that contradicts the plan.
    InputError
        No such engine or kernel, or a date that is none; the nearest are given.
    """
    settled = {name: value for name, value in fields.items() if name not in FLAGS or value is False or value}
    for name, value in _said(stated, kernels).items():
        if settled.setdefault(name, value) != value:
            raise PlanError(f"{FLAGS[name]}={value} contradicts {name}={settled[name]} of the plan; state one of them")
    _check_kernel(settled.get("attention", ""), study, chip)
    engine, year = settled.get("software", ""), settled.get("year", 0.0)
    if not engine and not year:
        return settled, ""
    found = _named(engine, study) if engine else None
    usual = released(found, year, chip, None if engine else True)
    settled["software"] = usual.software
    for name in FLAGS:
        settled.setdefault(name, getattr(usual, name))
    return settled, "" if found is None else found.products


def _check_kernel(kernel: str, study: Study, chip: Chip) -> None:
    """Refuse an attention kernel written for other chips, or for inference alone."""
    only = ONLY.get(kernel)
    if only is not None and chip.vendor == "NVIDIA" and chip.family != only:
        raise PlanError(f"attention {kernel}: a kernel for {only} chips, and {chip.id} is {chip.family}; write fa2")
    if kernel in FORWARD_ALONE and study == "train":
        raise PlanError(f"attention {kernel}: it has no backward pass; write fa2, or leave it out")


def _named(engine: str, study: Study) -> Software:
    """The engine; where no name is near, all of the study are listed."""
    try:
        return software_named(engine, study)
    except UnknownNameError as error:
        if error.nearest:
            raise
        known = ", ".join(row.id for row in all_software() if row.study == study)
        raise InputError(f"{error}; engines to {study}: {known}") from None


def _said(stated: Stated, kernels: Collection[str]) -> dict[str, Any]:
    """Plan fields that inputs state."""
    said: dict[str, Any] = {}
    if stated.engine is not None:
        said["software"] = _word(stated.engine, "engine", "vllm")
    if stated.date is not None:
        said["year"] = read_year(stated.date, "engine_date")
    if stated.attention is not None:
        said["attention"] = _word(stated.attention, "attention", "fa2")
        if said["attention"] not in kernels:
            raise InputError(f"attention {said['attention'][:40]!r}: choose from {', '.join(sorted(kernels))}")
    if stated.compiled is not None:
        word = str(stated.compiled).strip().lower()
        if word not in {"yes", "true", "on", "1", "no", "false", "off", "0"}:
            raise InputError(f"compile {str(stated.compiled)[:40]!r}: say yes or no")
        said["compiled"] = word in {"yes", "true", "on", "1"}
    return said


def _word(given: Any, name: str, example: str) -> str:
    if not isinstance(given, str):
        raise InputError(f"{name}: {type(given).__name__} is not readable; write e.g. {example}")
    return given.strip().lower()


def software_note(plan: Plan, study: Study, cluster: Cluster, efficiency: Efficiency) -> Assumption:
    """What is taken of the software, and what it does to the time of kernels.

    Parameters
    ----------
    plan : Plan
        With the software settled.
    study, cluster
        What for and where.
    efficiency : Efficiency
        Coefficients in force; a copy is looked at, for a look is no use.
    """
    seen = efficiency.replace()
    average = slowness(cluster.chip, seen, Plan())

    def effect(one: Plan) -> str:
        return _times(slowness(cluster.chip, seen, one) / average)

    kernel, how = _attention_words(plan, cluster, seen), _fusion_words(plan, cluster.chip, seen)
    if plan.software or plan.year:
        date = f" of {_month(plan.year)}" if plan.year else ""
        sums = ", fp16 accumulation" if plan.compute == "fp16acc" else ""
        words = f"{plan.software or 'average'}{date}, {kernel}, {how}{sums}: kernel time {effect(plan)}"
        words += _unmeasured(plan.software, study, cluster.chip)
        return Assumption(name="software", value=words, kind="--engine" if plan.software else "--engine-date")
    engines = [software_named(name, study) for name in COMMON[study]]
    listed = ", ".join(
        f"{each.id} {effect(Plan(software=each.id))}{'' if each.fused else ' and eager'}" for each in engines
    )
    words = f"average of {REFERENCE_YEAR:.0f}, {kernel}, {how}; kernel time with --engine {listed}"
    return Assumption(name="software", value=words, kind="assumed")


def _times(ratio: Numeric) -> str:
    """A factor, the middle one of several."""
    return f"× {statistics.median(np.ravel(ratio).tolist()):.2f}"  # NumPy's median loads masked arrays


def _attention_words(plan: Plan, cluster: Cluster, efficiency: Efficiency) -> str:
    """The attention kernel, and what it does to the time of attention's arithmetic if it is not the newest."""
    chip, kernel = cluster.chip, attention_kernel(plan, cluster, efficiency)
    newest = efficiency.newest_attention(chip)
    if kernel == newest:
        return f"attention {kernel}"
    longer = efficiency.value("attention", chip, newest) / efficiency.value("attention", chip, kernel)
    return f"attention {kernel} ({_times(longer)} the time of {newest}{UNFUSED.get(kernel, '')})"


def _fusion_words(plan: Plan, chip: Chip, efficiency: Efficiency) -> str:
    """Whether element-wise work is fused, and what it moves if it is not."""
    if plan.compiled:
        return "fused kernels"
    return f"eager (element-wise traffic {_times(efficiency.value('eager', chip))}, kernels launched one by one)"


def _unmeasured(engine: str, study: Study, chip: Chip) -> str:
    """Words for an engine of which no published case on chips of this maker is known, though of others."""
    cases = validated_cases(study).words
    own = np.flatnonzero(cases["software"] == engine)
    vendors = sorted(set(cases["vendor"][own].tolist()))
    if not vendors or chip.vendor in vendors:
        return ""
    return f"; no measurement of {engine} on {chip.vendor} chips is known, only on {', '.join(vendors)}"


def _month(year: float) -> str:
    """A year with its fraction as a month.

    Examples
    --------
    >>> _month(2025.0), _month(2025 + 5 / 12)
    ('2025', '2025-06')
    """
    month = int((year % 1) * 12 + 0.5)
    return f"{int(year)}-{month + 1:02d}" if month else f"{int(year)}"
