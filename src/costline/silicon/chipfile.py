"""A chip of one's own as a file: ``[[chip]]`` tables, each with what it is made of.

::

    [[chip]]
    id = "mychip"
    memory = "144 GB"
    memory_bandwidth = "4.9 TB/s"
    peak = { bf16 = "180 TFLOP/s" }
    tdp = "460 W"

    [chip.silicon]
    process = "14 nm"
    area = "579 mm2"
    memory = "HBM3"
    devices = 6

Every field of ``[chip.silicon]`` may be left out; what is not stated is taken as the best there is, or not checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from costline.catalogue import Catalogue
from costline.catalogue.table import parse_toml
from costline.catalogue.user import (
    Bandwidth,
    Link,
    Rate,
    Size,
    Watts,
    above_zero,
    field_faults,
    load_user_file,
)
from costline.errors import CatalogueError, InputError
from costline.precision import RATE_FALLBACK
from costline.quantity import AREA, BYTES, FREQUENCY
from costline.silicon.cost import Silicon, devices_of, silicon_of, usual_harvest
from costline.silicon.inputs import MemoryType, known_node, memory_type

MOST_DEVICES = 100_000
"""Memory devices of a chip; more is a slip of the pen."""

LEAST_CLOCK = 1e3
"""Clock of a chip; a slower one is a slip of the pen. [Hz]"""


def _process(value: Any) -> str:
    try:
        known_node(str(value))
    except InputError as error:
        raise ValueError(str(error)) from None
    return str(value)


def _memory(value: Any) -> str:
    try:
        return str(value) if str(value).upper() == "SRAM" else memory_type(str(value)).memory
    except InputError as error:
        raise ValueError(str(error)) from None


class SiliconTable(BaseModel):
    """``[chip.silicon]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    process: Annotated[str, BeforeValidator(_process)] | None = None
    area: Annotated[float, above_zero(AREA)] | None = None
    dies: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    memory: Annotated[str, BeforeValidator(_memory)] | None = None
    devices: Annotated[int, Field(ge=1, le=MOST_DEVICES, strict=True)] | None = None
    wafer: StrictBool = False
    clamshell: StrictBool = False
    multipliers: Annotated[int, Field(ge=1, le=100_000_000, strict=True)] | None = None
    clock: Annotated[float, above_zero(FREQUENCY), Field(ge=LEAST_CLOCK)] | None = None
    scratchpad: Annotated[float, above_zero(BYTES)] | None = None
    cooling: Literal["air", "liquid"] = "liquid"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A chip of a file as far as it can be read, and what it is made of; None is not stated, or not readable.

    Attributes
    ----------
    id : str
        Its name.
    memory, memory_bandwidth, tdp, link_bandwidth, sram, sram_bandwidth : float or None
        Figures. [byte, byte/s, W, byte/s, byte, byte/s]
    peak : mapping of str to float
        Dense peak by number format. [FLOP/s]
    silicon : SiliconTable
        What it is made of.
    """

    id: str
    silicon: SiliconTable
    peak: Mapping[str, float]
    memory: float | None = None
    memory_bandwidth: float | None = None
    tdp: float | None = None
    link_bandwidth: float | None = None
    sram: float | None = None
    sram_bandwidth: float | None = None

    @property
    def off_chip(self) -> MemoryType | None:
        """Kind of memory off the chip."""
        name = self.silicon.memory
        return None if name in {None, "SRAM"} else memory_type(str(name))

    def made_of(self) -> Silicon | None:
        """What its cost follows from; None where process, area or memory is not stated."""
        table, kind = self.silicon, self.off_chip
        if table.process is None or table.area is None or table.memory is None or self.memory is None:
            return None
        units, spare = usual_harvest()
        return Silicon(
            name=self.id,
            process=table.process,
            area=table.area,
            dies=table.dies,
            memory=kind,
            capacity=self.memory if kind else 0.0,
            devices=self._devices(kind),
            units=units,
            spare=spare,
            notes=(f"{units - spare} of {units} cores of a die sold (assumed)",),
        )

    def _devices(self, kind: MemoryType | None) -> int:
        """Devices as stated, else as many as hold the capacity and carry the bandwidth."""
        if kind is None or self.silicon.devices is not None:
            return self.silicon.devices or 0
        return devices_of(kind, self.memory or 0.0, self.memory_bandwidth or 0.0)


READABLE: Mapping[str, Any] = {
    "memory": Size, "memory_bandwidth": Bandwidth, "tdp": Watts, "link_bandwidth": Link, "sram": Size,
    "sram_bandwidth": Bandwidth,
}  # fmt: skip
"""Figures of a chip that checks use, and how each is read."""


def _readable(kind: Any, value: Any) -> float | None:
    """A figure, or None where it cannot be read."""
    try:
        return float(TypeAdapter(kind).validate_python(value))
    except ValidationError:
        return None


def _described(entry: Mapping[str, Any], place: int) -> tuple[Described, list[str]]:
    """A table as far as it can be read, and the faults of its silicon."""
    name = str(entry.get("id", place))[:60]
    figures = {each: _readable(kind, entry[each]) for each, kind in READABLE.items() if each in entry}
    peak = entry.get("peak")
    rates = {
        str(each): rate
        for each, given in (peak.items() if isinstance(peak, dict) else ())
        if each in (*RATE_FALLBACK, "fp64") and (rate := _readable(Rate, given)) is not None
    }
    given, faults = entry.get("silicon") or {}, []
    try:
        table = SiliconTable.model_validate(given)
    except ValidationError as error:
        faults = [f"chip {name!r}, silicon: {text}" for text in field_faults(error, SiliconTable)]
        wrong = {each["loc"][0] for each in error.errors(include_url=False) if each["loc"]}
        rest = {key: value for key, value in given.items() if key not in wrong} if isinstance(given, dict) else {}
        table = SiliconTable.model_validate(rest)
    return Described(id=name, silicon=table, peak=rates, **figures), faults


def silicon_in(book: Catalogue, chip: str) -> Silicon:
    """What a chip is made of, of the user's own file before those of the catalogue.

    Raises
    ------
    CatalogueError
        The table ``[chip.silicon]`` cannot be read.
    InputError
        Die area, process or memory is unknown.
    """
    if book.user is None or chip not in book.user.chips:
        return silicon_of(book.chip_facts()[chip])
    try:
        written = {entry["id"]: entry.get("silicon") or {} for entry in parse_toml(book.user.path)["chip"]}
        table = SiliconTable.model_validate(written[chip])
    except ValidationError as error:
        faults = [f"chip {chip!r}, silicon: {text}" for text in field_faults(error, SiliconTable)]
        raise CatalogueError(str(book.user.path), faults) from None
    chip_read = book.user.chips[chip]
    figures = {name: getattr(chip_read, name) for name in READABLE}
    if table.wafer:
        raise InputError(f"{chip}: a whole wafer; what spare cores, power and package cost it is not published")
    made = Described(id=chip, silicon=table, peak={}, **figures).made_of()
    if made is None:
        raise InputError(f"{chip}: no cost follows without process, area and memory; state them in [chip.silicon]")
    return made


def read_chips(path: str | Path) -> tuple[list[Described], list[str]]:
    """Chips of a file as far as they can be read, and every fault of its fields.

    Raises
    ------
    CatalogueError
        Not a TOML file at all.
    """
    path = Path(path)
    faults: list[str] = []
    document = parse_toml(path)
    try:
        load_user_file(path)
    except CatalogueError as error:
        faults += error.faults
    described = []
    entries = document.get("chip", [])
    for place, entry in enumerate(entries if isinstance(entries, list) else [], 1):
        if isinstance(entry, dict):
            one, wrong = _described(entry, place)
            described.append(one)
            faults += wrong
    if not entries and not faults:
        faults.append("holds no chip; write [[chip]]")
    return described, faults
