"""The chip table: every accelerator with its figures, and how each figure came to be."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from costline.catalogue.names import bare
from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import InputError
from costline.hardware.chip import Chip

RATES = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp16acc", "fp8", "fp4", "int8", "int4")
"""Number formats with a column ``<format>_flop_per_s``; integer operations count as FLOP.

``fp16acc`` is fp16 with sums in fp16, which cards for games do at twice the rate of sums in fp32.
"""

FIGURES: Mapping[str, str] = MappingProxyType(
    {f"{name}_flop_per_s": "FLOP/s" for name in RATES}
    | {
        "memory_byte": "byte",
        "memory_bandwidth_byte_per_s": "byte/s",
        "sram_byte": "byte",
        "sram_bandwidth_byte_per_s": "byte/s",
        "link_bandwidth_byte_per_s": "byte/s",
        "tdp_w": "W",
        "clock_hz": "Hz",
        "cores": "1",
        "die_area_m2": "m2",
        "transistors": "1",
    }
)
"""Numeric columns and their units."""

TEXTS = ("variant", "process_node", "memory_type", "core_unit", "link_type", "note")

COLUMNS = columns(
    "vendor! name! family! flags source! " + " ".join(TEXTS),
    identifier="id!",
    integer="year",
    number=" ".join(FIGURES),
    kind="kind!",
    figure_kinds="figure_kinds",
    date="date!",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipFacts:
    """One row of the chip table.

    Attributes
    ----------
    id, vendor, name, family : str
        Catalogue name; who makes it; its printed name; the generation it shares coefficients with.
    year : int or None
        Of release.
    figures : mapping of str to float
        By column, in its SI unit (`FIGURES`); one that is unknown is absent.
    texts : mapping of str to str
        Process, kinds of memory and link, remarks.
    kind : str
        How the figures came to be, unless `figure_kinds` says otherwise for a figure.
    figure_kinds : mapping of str to str
        By column.
    flags, date, source : str
        Disagreements found; when the sources were read; the sources.
    """

    id: str
    vendor: str
    name: str
    family: str
    year: int | None
    figures: Mapping[str, float]
    texts: Mapping[str, str]
    kind: str
    figure_kinds: Mapping[str, str]
    flags: str
    date: str
    source: str

    def kind_of(self, figure: str) -> str:
        """How a figure came to be."""
        return self.figure_kinds.get(figure, self.kind)

    @property
    def missing(self) -> tuple[str, ...]:
        """Figures without which nothing can be estimated on this chip."""
        return tuple(name for name in ("memory_byte", "memory_bandwidth_byte_per_s") if name not in self.figures)

    def chip(self) -> Chip:
        """The chip as estimates use it.

        A rate marked doubtful (printed without saying whether it is dense) is shown in the catalogue but left out here.

        Raises
        ------
        InputError
            Capacity or bandwidth of the memory is unknown.
        """
        if self.missing:
            lacking = " and ".join(self.missing)
            raise InputError(f"{self.id}: {lacking} unknown; state it in a [[chip]] table of a file of your own")
        rates = {name: self.figures.get(f"{name}_flop_per_s") for name in RATES}
        certain = {
            name: rate
            for name, rate in rates.items()
            if rate is not None and self.kind_of(f"{name}_flop_per_s") != "doubtful"
        }
        return Chip(
            id=self.id,
            name=self.name,
            vendor=self.vendor,
            family=self.family,
            year=self.year,
            peak=MappingProxyType(certain),
            memory=self.figures["memory_byte"],
            memory_bandwidth=self.figures["memory_bandwidth_byte_per_s"],
            tdp=self.figures.get("tdp_w"),
            link_bandwidth=self.figures.get("link_bandwidth_byte_per_s"),
            link_type=self.texts["link_type"],
            sram=self.figures.get("sram_byte"),
            sram_bandwidth=self.figures.get("sram_bandwidth_byte_per_s"),
            source=self.source,
            kind=self.kind,
            flags=self.flags,
            details=self.texts,
        )


def chip_facts(row: Row) -> ChipFacts:
    """Build a row of the table."""
    texts = {name: row[name] for name in TEXTS}
    return ChipFacts(
        id=row["id"],
        vendor=row["vendor"],
        name=" ".join(filter(None, (row["vendor"], row["name"], row["variant"]))),
        family=row["family"],
        year=row["year"],
        figures=MappingProxyType({name: row[name] for name in FIGURES if row[name] is not None}),
        texts=MappingProxyType(texts),
        kind=row["kind"],
        figure_kinds=MappingProxyType(row["figure_kinds"] or {}),
        flags=row["flags"],
        date=row["date"],
        source=row["source"],
    )


@functools.cache
def shipped_chip_facts() -> Mapping[str, ChipFacts]:
    """All chips that come with costline, by id, complete or not."""
    return MappingProxyType({row["id"]: chip_facts(row) for row in read_table(DATA / "chips.csv", COLUMNS, "id")})


@functools.cache
def chip_titles() -> Mapping[str, str]:
    """Full names of the chips, without their makers, and the ids they are of."""
    return MappingProxyType({bare(facts.name): name for name, facts in shipped_chip_facts().items()})


@functools.cache
def shipped_chips() -> Mapping[str, Chip]:
    """The chips that come with costline and can be estimated on, by id."""
    return MappingProxyType({name: facts.chip() for name, facts in shipped_chip_facts().items() if not facts.missing})
