"""The system table: nodes, racks and pods, and clusters made of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from costline.catalogue.table import DATA, Row, columns, read_table
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster

COLUMNS = columns(
    "name! vendor accelerator topology nics price_date note source!",
    identifier="id!",
    names="chips! default_for",
    integer="n_chips! domain_chips!",
    number="scale_up_byte_per_s scale_out_byte_per_s scale_up_latency_s scale_out_latency_s power_w price_usd",
    kind="kind!",
    date="date!",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A machine as it is sold or rented: chips with the links between them.

    Attributes
    ----------
    id, name, vendor : str
        Catalogue name, printed name, who makes or rents it.
    chips : tuple of str
        Chips it can hold.
    default_for : tuple of str
        Chips for which this system is taken where none is named.
    n_chips, domain_chips : int
        Chips in it; chips that reach each other over the scale-up link. [chip]
    scale_up, scale_out : float or None
        Bandwidth of one chip in one direction, inside the domain and out of it. [byte/s]
    scale_up_latency, scale_out_latency : float or None
        Latency of a message hop where the source states it. [s]
    power : float or None
        Of the whole system at full load, without the building. [W]
    price : float or None
        Of the whole system, at `price_date`. [USD]
    topology, nics, note, kind, date, source : str
        What else the sources say, and which they are.
    """

    id: str
    name: str
    chips: tuple[str, ...]
    n_chips: int
    domain_chips: int
    vendor: str = ""
    default_for: tuple[str, ...] = ()
    scale_up: float | None = None
    scale_out: float | None = None
    scale_up_latency: float | None = None
    scale_out_latency: float | None = None
    power: float | None = None
    price: float | None = None
    price_date: str = ""
    topology: str = ""
    nics: str = ""
    note: str = ""
    kind: str = "datasheet"
    date: str = ""
    source: str = ""

    def cluster(self, chip: Chip, chips: int) -> Cluster:
        """`chips` of these chips in as many of these systems as it takes."""
        return Cluster(
            chip=chip,
            chips=chips,
            domain=self.domain_chips,
            scale_up=self.scale_up if self.scale_up is not None else chip.link_bandwidth,
            scale_out=self.scale_out,
            scale_up_latency=self.scale_up_latency,
            scale_out_latency=self.scale_out_latency,
            power=None if self.power is None else self.power / self.n_chips,
            system=self.id,
            source=self.source,
        )


def system_from_row(row: Row) -> System:
    """Build a row of the table."""
    same = ("id", "name", "vendor", "chips", "n_chips", "domain_chips", "topology", "nics", "price_date", "note")
    return System(
        **{name: row[name] for name in (*same, "kind", "date", "source")},
        default_for=row["default_for"] or (),
        scale_up=row["scale_up_byte_per_s"],
        scale_out=row["scale_out_byte_per_s"],
        scale_up_latency=row["scale_up_latency_s"],
        scale_out_latency=row["scale_out_latency_s"],
        power=row["power_w"],
        price=row["price_usd"],
    )


@functools.cache
def shipped_systems() -> Mapping[str, System]:
    """All systems that come with costline, by id."""
    return MappingProxyType(
        {row["id"]: system_from_row(row) for row in read_table(DATA / "systems.csv", COLUMNS, "id")}
    )
