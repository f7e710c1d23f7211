"""Names people type: any case, spaces for hyphens, the first whole words of a name where they fit one name only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from costline.errors import QuantityError, UnknownNameError, nearest_names
from costline.models.decoders.precision import Stored
from costline.quantity import read_fleet

BOUNDARIES = "-._/"
"""Characters between the words of a name: ``gpt-3`` is no beginning of ``gpt-350m`` that anybody means."""
JOINED = dict.fromkeys(map(ord, BOUNDARIES))
"""For `str.translate`: the boundaries left out."""

SAME_SHAPE = ("instruct", "chat", "hf", "base", "it", "thinking", "diffusers", "dynamic")
"""Endings of a model's name that change its weights and no dimension; as does a day (``-0528``)."""
STORED_AS = {
    "bf16": Stored("bf16"), "fp16": Stored("fp16"), "fp8": Stored("fp8"), "int8": Stored("int8"),
    "w8a8": Stored("int8"), "w8a16": Stored("int8", products="bf16"), "int4": Stored("int4"), "awq": Stored("int4"),
    "gptq": Stored("int4"), "w4a16": Stored("int4"), "fp4": Stored("fp4"), "nvfp4": Stored("fp4"),
    "mxfp4": Stored("mxfp4"),
}  # fmt: skip
"""Endings that name the format of the weights -> that format."""
WEIGHTS_ONLY = frozenset({"awq", "gptq"})
"""Endings that name a method by which no activations are quantised, whatever the bits (``-gptq-int8``)."""
ENDING = re.compile(rf"-({'|'.join((*SAME_SHAPE, *STORED_AS))}|[0-9]{{4}})$")
INSIDE = re.compile(rf"-({'|'.join(SAME_SHAPE)})(?=-)")
MAKERS = frozenset({"nvidia", "geforce", "tesla", "quadro", "amd", "instinct", "radeon", "intel", "generation",
                     "blackwell", "server", "workstation", "edition", "oam", "ac"})  # fmt: skip
"""Words that drivers add to the names of chips."""
SOCKET = re.compile(r"sxm[2-9]")
DRIVEN = {
    "nvidia-h100-80gb-hbm3": "h100-sxm", "nvidia-h200": "h200-sxm", "nvidia-h800": "h800-sxm",
    "nvidia-b300-sxm6-ac": "b300", "nvidia-gh200-480gb": "gh200-96gb",
}  # fmt: skip
"""What a driver calls a chip that goes by another name: those without a form are the SXM ones, as others name it."""


class AmbiguousNameError(UnknownNameError):
    """A name that fits several; carries all of them in `nearest`."""

    def __init__(self, kind: str, name: str, candidates: Collection[str]) -> None:
        super().__init__(kind, name, ())
        self.nearest = tuple(candidates)
        listed = ", ".join(self.nearest[:8]) + (", ..." if len(self.nearest) > 8 else "")
        self.args = (f"{name[:60]!r} fits more than one {kind}: {listed}; write one of them",)


def plain(name: str) -> str:
    """The name as the catalogue spells names.

    Examples
    --------
    >>> plain(" H100 SXM ")
    'h100-sxm'
    """
    return "-".join(name.lower().replace("_", "-").split())


def checkpoint(name: str, known: Collection[str]) -> tuple[str, Stored | None]:
    """The model whose shape a checkpoint has, and the number format its name states, if any.

    Publisher and endings are taken off as far as needed; a name that is not known even so is returned as it is.

    Examples
    --------
    >>> name, stored = checkpoint("Qwen/Qwen3-32B-FP8", ["qwen3-32b"])
    >>> name, stored.weights
    ('qwen3-32b', 'fp8')
    >>> checkpoint("Llama-3-8B-Instruct", ["llama-3-8b"])
    ('llama-3-8b', None)
    """
    words: list[str] = []
    wanted = plain(name)
    if wanted not in known and "/" in wanted:
        wanted = wanted.rpartition("/")[2]
    while wanted not in known and (found := ENDING.search(wanted)):
        words, wanted = [*words, found[1]], wanted[: found.start()]
    for shorter in (INSIDE.sub("", wanted), wanted.removeprefix("meta-")):
        wanted = shorter if wanted not in known and shorter in known else wanted
    return (wanted, _stored_as(words)) if wanted in known else (name, None)


def _stored_as(words: Collection[str]) -> Stored | None:
    """Format that the endings of a name state, the last one first."""
    found = next((STORED_AS[word] for word in words if word in STORED_AS), None)
    if found is not None and found.weights == "int8" and not WEIGHTS_ONLY.isdisjoint(words):
        return Stored("int8", products="bf16")
    return found


def device(name: str, known: Collection[str], titles: Mapping[str, str] = MappingProxyType({})) -> str:
    """The chip that a driver's name means: maker left out, sockets alike, words in any order; else the name as it is.

    `titles` are full names of chips, as `bare` writes them, and their ids. What begins as a name does once its maker is
    left out comes back so (``nvidia h100``).

    Examples
    --------
    >>> device("NVIDIA A100-SXM4-80GB", ["a100-sxm-80gb"]), device("NVIDIA A100 80GB PCIe", ["a100-pcie-80gb"])
    ('a100-sxm-80gb', 'a100-pcie-80gb')
    """
    if (named := DRIVEN.get(plain(name), "")) in known:
        return named
    wanted = bare(name)
    if wanted in known or (wanted := titles.get(wanted, wanted)) in known:
        return wanted
    same = [each for each in known if sorted(each.split("-")) == sorted(wanted.split("-"))]
    if len(same) == 1:
        return same[0]
    return wanted if wanted and any(each.startswith(wanted) for each in known) else name


def bare(name: str) -> str:
    """A chip's name without its maker, all sockets written alike.

    Examples
    --------
    >>> bare("NVIDIA H100 SXM5 80GB")
    'h100-sxm-80gb'
    """
    return "-".join(SOCKET.sub("sxm", word) for word in plain(name).split("-") if word not in MAKERS)


def callable_by(name: str) -> bool:
    """Whether chips of that name can be asked for, alone and by number.

    Examples
    --------
    >>> callable_by("h100-sxm"), callable_by("4x"), callable_by("8xbox")
    (True, False, False)
    """
    try:
        return read_fleet(name) == (1, name) and read_fleet(f"8x{name}") == (8, name)
    except QuantityError:
        return False


def resolve(kind: str, name: str, known: Collection[str]) -> str:
    """Return the one name of `known` that `name` stands for.

    Parameters
    ----------
    kind : str
        What is looked for, for messages.
    name : str
        As typed: any case, with or without the marks between words; the first words of a name are enough where only
        one name begins so.
    known : collection of str
        All names.

    Raises
    ------
    UnknownNameError
        None of them; the message lists the nearest.
    AmbiguousNameError
        Several begin so.

    Examples
    --------
    >>> resolve("chip", "GH200", ["gh200-96gb", "h100-sxm", "h100-pcie"])
    'gh200-96gb'
    >>> resolve("chip", "RTX4090", ["rtx-4090", "rtx-4090d"])
    'rtx-4090'
    """
    wanted = plain(name)
    if wanted in known:
        return wanted
    spelled = {plain(each): each for each in known}
    if wanted in spelled:
        return spelled[wanted]
    joined = [spelled[each] for each in spelled if each.translate(JOINED) == wanted.translate(JOINED)]
    if len(joined) == 1:  # rtx4090
        return joined[0]
    begins = [spelled[each] for each in spelled if wanted and each.startswith(wanted)]
    if len(begins) == 1 and plain(begins[0])[len(wanted)] in BOUNDARIES:
        return begins[0]
    if len(begins) > 1:
        raise AmbiguousNameError(kind, name, begins)
    inside = [spelled[each] for each in spelled if not begins and len(wanted) > 2 and wanted in each]
    if len(inside) > 1:
        raise AmbiguousNameError(kind, name, inside)
    meant = _likely(wanted, spelled)
    if (counted := re.fullmatch(r"([0-9]+)([a-z].*)", wanted)) and not meant:  # 8h100
        meant = [f"{counted[1]}x{spelled[each]}" for each in spelled if each.startswith(counted[2])][:3]
    raise UnknownNameError(kind, name, inside or spelled, meant)


def _likely(wanted: str, known: Collection[str]) -> list[str]:
    """Names of the same words but for the boundaries (``gpt-3``: ``gpt3-175b``), with those like the first.

    Examples
    --------
    >>> _likely("gpt-3", ["gpt-350m", "gpt-175b", "gpt3-175b", "ms-gpt3-15b"])
    ['gpt3-175b', 'gpt-175b', 'ms-gpt3-15b']
    """
    joined = wanted.translate(JOINED)
    alike = [each for each in known if joined and joined in _runs(each)]
    if not alike:
        return []
    first = min(alike, key=lambda each: (not each.translate(JOINED).startswith(joined), len(each)))
    return nearest_names(first, known)


def _runs(name: str) -> set[str]:
    """Runs of whole words of a name, written as one."""
    words = name.translate(dict.fromkeys(map(ord, BOUNDARIES), " ")).split()
    return {"".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1)}
