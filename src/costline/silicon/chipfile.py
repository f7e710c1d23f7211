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

Every field of ``[chip.silicon]`` may be left out; what is not stated is not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from costline.catalogue import Catalogue
from costline.catalogue.user import ChipTable, above_zero, field_faults, load_user_file, parse_toml
from costline.errors import CatalogueError, InputError
from costline.hardware.chip import Chip
from costline.quantity import AREA, BYTES, FREQUENCY
from costline.silicon.cost import Silicon, devices_of, silicon_of, usual_harvest
from costline.silicon.inputs import MemoryType, known_node, memory_type

MOST_DEVICES = 100_000
"""Memory devices of a chip; more is a slip of the pen."""


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
    clamshell: bool = False
    multipliers: Annotated[int, Field(ge=1, le=100_000_000, strict=True)] | None = None
    clock: Annotated[float, above_zero(FREQUENCY)] | None = None
    scratchpad: Annotated[float, above_zero(BYTES)] | None = None
    cooling: Literal["air", "liquid"] = "liquid"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A chip of a file, and what it is made of."""

    chip: Chip
    silicon: SiliconTable

    def made_of(self) -> Silicon | None:
        """What its cost follows from; None where process, area or memory is not stated."""
        table = self.silicon
        if table.process is None or table.area is None or table.memory is None:
            return None
        kind = None if table.memory in {None, "SRAM"} else memory_type(str(table.memory))
        units, spare = usual_harvest()
        return Silicon(
            name=self.chip.id,
            process=table.process,
            area=table.area,
            dies=table.dies,
            memory=kind,
            capacity=float(self.chip.memory) if kind else 0.0,
            devices=self._devices(kind),
            units=units,
            spare=spare,
            notes=(f"{units - spare} of {units} cores of a die sold (assumed)",),
        )

    def _devices(self, kind: MemoryType | None) -> int:
        """Devices as stated, else as many as hold the capacity and carry the bandwidth."""
        if kind is None or self.silicon.devices is not None:
            return self.silicon.devices or 0
        return devices_of(kind, float(self.chip.memory), float(self.chip.memory_bandwidth))


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
        table = SiliconTable.model_validate(book.user.silicon.get(chip, {}))
    except ValidationError as error:
        faults = [f"chip {chip!r}, silicon: {text}" for text in field_faults(error, SiliconTable)]
        raise CatalogueError(str(book.user.path), faults) from None
    made = Described(chip=book.user.chips[chip], silicon=table).made_of()
    if made is None:
        raise InputError(f"{chip}: no cost follows without process, area and memory; state them in [chip.silicon]")
    return made


def read_chips(path: str | Path) -> tuple[list[Described], list[str]]:
    """Chips of a file that can be read, and every fault of its fields.

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
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        try:
            table = SiliconTable.model_validate(entry.get("silicon") or {})
        except ValidationError as error:
            faults += [
                f"chip {str(entry.get('id'))[:60]!r}, silicon: {text}" for text in field_faults(error, SiliconTable)
            ]
            continue
        try:
            described.append(Described(chip=ChipTable.model_validate(entry).chip(), silicon=table))
        except ValidationError:
            continue  # listed already, as a fault of the file
    if not entries and not faults:
        faults.append("holds no chip; write [[chip]]")
    return described, faults
