"""The rows of a comparison: each chip with its roofline and its answer on every workload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from costline.catalogue import Catalogue
from costline.catalogue.chip_table import shipped_chip_facts
from costline.errors import InputError
from costline.hardware.cluster import Cluster
from costline.silicon.compare import Answer, Roof, film_answer, roof, talk_answer
from costline.silicon.decoding import Talk
from costline.silicon.filming import Film
from costline.silicon.owning import owner
from costline.silicon.pim import Device, device, devices


@dataclass(frozen=True, kw_only=True)
class Row:
    """One chip, with processing in memory or without; `unpriced` is why no cost of making it follows."""

    roof: Roof
    talks: list[Answer]
    films: list[Answer]
    unpriced: str = ""


def line_up(chips: Iterable[str], talks: Sequence[Talk], films: Sequence[Film], book: Catalogue) -> list[Row]:
    """Compare chips on workloads.

    Parameters
    ----------
    chips : iterable of str
        Names of the catalogue; ``name+hbm-pim`` has its memory replaced by one that computes.
    talks, films : sequence
        Workloads.
    book : Catalogue
        Where chips, prices and coefficients are.
    """
    return [_row(name, talks, films, book) for name in chips]


COUNTED = re.compile(r"\s*\d+\s*x", re.IGNORECASE)
"""A number of chips before their name."""
MEMORY_OF = {"hbm-pim": "HBM", "attacc": "HBM", "neupims": "HBM", "aim": "GDDR6", "cent": "GDDR6"}
"""Memory that computes -> the kind of memory it is made of."""


def _check_memory(chip: str, extra: str) -> None:
    """Refuse a memory that a chip of the catalogue has no place for."""
    if not device(extra).host:
        beside = ", ".join(name for name, each in devices().items() if each.host)
        raise InputError(f"{chip}+{extra}: {extra} works without a processor; beside one work {beside}")
    facts = shipped_chip_facts().get(chip)
    wanted = MEMORY_OF.get(extra, "")
    if facts is not None and not facts.texts["memory_type"].startswith(wanted):
        own = facts.texts["memory_type"] or "no known memory"
        raise InputError(f"{chip}+{extra}: {extra} is a kind of {wanted}, and {chip} has {own}")


def parted(name: str, book: Catalogue) -> tuple[str, Device | None]:
    """Name of a chip, and the memory that computes which is named behind it.

    Raises
    ------
    InputError
        No such memory, or the chip has no place for it.
    """
    if name in book.chips():
        return name, None
    plain, plus, extra = name.partition("+")
    if not plus:
        return plain, None
    memory = device(extra)
    _check_memory(book.chip(plain).id, extra)
    return plain, memory


def _row(name: str, talks: Sequence[Talk], films: Sequence[Film], book: Catalogue) -> Row:
    if name not in book.chips() and COUNTED.match(name):
        plain = name.partition("+")[0].partition("x")[2]
        raise InputError(f"{name}: chips are compared one by one; leave the number out: {plain}")
    plain, memory = parted(name, book)
    cluster: Cluster = book.cluster(f"1x{plain}")
    prices = owner(cluster.chip, book, in_memory=memory is not None)
    label = cluster.chip.id if memory is None else f"{cluster.chip.id}+{memory.id}"
    return Row(
        roof=replace(roof(cluster.chip, talks[0].precision if talks else "bf16"), chip=label),
        talks=[replace(talk_answer(talk, cluster, prices, book, memory), chip=label) for talk in talks],
        films=[replace(film_answer(film, cluster, prices, book), chip=label) for film in films],
        unpriced=prices.why,
    )
