"""A user's own chips, systems, prices and models: a TOML file, checked as a whole.

::

    [[chip]]
    id = "mychip"
    memory = "144 GB"
    memory_bandwidth = "3.35 TB/s"
    peak = { bf16 = "180 TFLOP/s", int8 = "360 TFLOP/s" }
    tdp = "300 W"

    [[system]]
    id = "mybox"
    chip = "mychip"
    chips = 8
    scale_up = "300 GB/s"
    scale_out = "50 GB/s"

    [[price]]
    chip = "mychip"
    price = "$1.20/h"

    [[model]]
    id = "mymodel"
    config = "mymodel/config.json"

Quantities are text with a unit, or numbers in SI units. ``[[cluster]]`` is another word for ``[[system]]``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from costline.catalogue.chip_table import shipped_chip_facts
from costline.catalogue.names import callable_by
from costline.catalogue.plausible import implausible
from costline.catalogue.price_table import Price
from costline.catalogue.rents import with_spread
from costline.catalogue.system_table import System
from costline.catalogue.table import DATE, NAME, parse_toml
from costline.errors import CatalogueError, ConfigError, QuantityError, nearest_names
from costline.hardware.chip import Chip
from costline.precision import RATE_FALLBACK
from costline.quantity import BANDWIDTH, BYTES, DOLLARS_PER_SECOND, FLOP_RATE, LINK_BANDWIDTH, SECONDS, WATTS, Kind
from costline.quantity import read as read_quantity

if TYPE_CHECKING:
    from costline.models.network import Network

DETAILS = {"process_node": "process", "memory_type": "memory"}  # of a chip -> its fields in [chip.silicon]
MOST_TABLES = 10_000
"""Tables of one kind in a file; more is not written by people."""


def above_zero(kind: Kind) -> BeforeValidator:
    """Read text or a number as an SI value above 0."""

    def check(value: Any) -> float:
        try:
            number = read_quantity(value, kind)
        except QuantityError as error:
            raise ValueError(str(error)) from None
        if fault := implausible(value, kind):
            raise ValueError(fault)
        if not number:
            raise ValueError(f"is 0; leave it out where it is unknown, or write e.g. {kind.example}")
        return number

    return BeforeValidator(check)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("use lower-case letters, digits, '.', '-', '_' and '+', e.g. my-chip")
    return value


def _machine(value: str) -> str:
    if not callable_by(_name(value)):
        named = "my-" + value.lstrip("0123456789")
        raise ValueError(f"reads as a number of chips in --on; begin it with a letter, e.g. {named}")
    return value


def _date(value: Any) -> str:
    if not DATE.fullmatch(str(value)):
        raise ValueError("write a date as 2025, 2025-03 or 2025-03-31")
    return str(value)


Name = Annotated[str, Field(max_length=80), AfterValidator(_name)]
Machine = Annotated[str, Field(max_length=80), AfterValidator(_machine)]
"""A name that can be written behind a number: ``8xmychip``."""
Text = Annotated[str, Field(max_length=1000)]
Rate = Annotated[float, above_zero(FLOP_RATE)]
Size = Annotated[float, above_zero(BYTES)]
Bandwidth = Annotated[float, above_zero(BANDWIDTH)]
Link = Annotated[float, above_zero(LINK_BANDWIDTH)]
Watts = Annotated[float, above_zero(WATTS)]
Seconds = Annotated[float, above_zero(SECONDS)]
Rent = Annotated[float, above_zero(DOLLARS_PER_SECOND)]
Count = Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
Date = Annotated[str, BeforeValidator(_date)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class ChipTable(_Table):
    """``[[chip]]``."""

    id: Machine
    memory: Size
    memory_bandwidth: Bandwidth
    peak: dict[str, Rate]
    name: Text = ""
    vendor: Text = "user"
    family: Name | None = None
    year: Annotated[int, Field(ge=1990, le=2100, strict=True)] | None = None
    tdp: Watts | None = None
    link_bandwidth: Link | None = None
    link_type: Text = ""
    sram: Size | None = None
    sram_bandwidth: Bandwidth | None = None
    source: Text = ""
    note: Text = ""
    silicon: dict[str, Any] | None = None  # what it is made of; read by costline.silicon

    def chip(self) -> Chip:
        """The chip as estimates use it."""
        same = self.model_dump(exclude={"note", "name", "family", "silicon"})
        same["details"] = {key: str((self.silicon or {}).get(name, "")) for key, name in DETAILS.items()}
        return Chip(**same, name=self.name or self.id, family=self.family or "", kind="user", flags=self.note)


class SystemTable(_Table):
    """``[[system]]`` or ``[[cluster]]``."""

    id: Machine
    chip: Name
    chips: Count
    domain: Count | None = None
    name: Text = ""
    scale_up: Link | None = None
    scale_out: Link | None = None
    scale_up_latency: Seconds | None = None
    scale_out_latency: Seconds | None = None
    power: Watts | None = None
    source: Text = ""
    note: Text = ""

    def system(self) -> System:
        """The system as clusters are made of; it is the default of its chip."""
        same = self.model_dump(exclude={"chip", "chips", "domain", "name"})
        return System(
            **same,
            name=self.name or self.id,
            chips=(self.chip,),
            default_for=(self.chip,),
            n_chips=self.chips,
            domain_chips=self.domain or self.chips,
            kind="user",
        )


class PriceTable(_Table):
    """``[[price]]``: the rent of a chip."""

    chip: Name
    price: Rent
    low: Rent | None = None
    high: Rent | None = None
    date: Date = ""
    provider: Text = "own"
    commitment: Text = "on-demand"
    source: Text = ""
    note: Text = ""
    _spread = model_validator(mode="before")(with_spread)

    def row(self) -> Price:
        """The price as a row of the price table."""
        same = self.model_dump(exclude={"chip", "price"})
        return Price(
            **same,
            category="rental",
            item="own price",
            subject=self.chip,
            chips=(self.chip,),
            value=self.price,
            unit="USD/s",
            printed_unit="USD/chip-hour",
        )


class ModelTable(_Table):
    """``[[model]]``: a name for a configuration file or its folder, relative to the file that names it."""

    id: Name
    config: Text
    architecture: Text | None = None
    note: Text = ""


TABLES: Mapping[str, type[_Table]] = {
    "chip": ChipTable,
    "system": SystemTable,
    "cluster": SystemTable,
    "price": PriceTable,
    "model": ModelTable,
}


def _config(given: Path) -> Path:
    """The file itself; of a folder, the ``config.json`` in it."""
    return given / "config.json" if given.is_dir() else given


@dataclass(frozen=True, kw_only=True)
class UserModel:
    """A name the user gave a configuration file."""

    id: str
    config: Path
    architecture: str | None = None

    def network(self) -> Network:
        """Read the configuration.

        Raises
        ------
        ConfigError
            It cannot be read.
        """
        from costline.models.files import read_config_file
        from costline.models.importer import read_network

        return read_network(read_config_file(self.config), self.id, self.architecture)

    def missing(self) -> list[str]:
        """That there is no such file, if there is none."""
        return [] if self.config.is_file() else [f"model {self.id!r}: no file {self.config}"]

    def faults(self) -> list[str]:
        """What is wrong with the configuration."""
        try:
            self.network()
        except ConfigError as error:
            return [f"model {self.id!r}: {error}"]
        return []


@dataclass(frozen=True, kw_only=True)
class UserCatalogue:
    """What a user's file holds, by id."""

    path: Path
    chips: Mapping[str, Chip]
    systems: Mapping[str, System]
    prices: tuple[Price, ...]
    models: Mapping[str, UserModel]


def load_user_file(path: str | Path, *, models_too: bool = False) -> UserCatalogue:
    """Read a user's file.

    Parameters
    ----------
    path : str or Path
        A TOML file with ``[[chip]]``, ``[[system]]``, ``[[price]]`` and ``[[model]]`` tables.
    models_too : bool
        Whether the configurations that it names are read as well, for their faults.

    Raises
    ------
    CatalogueError
        With every fault of the file: table, field, value and what would be right.
    """
    path = Path(path)
    document = parse_toml(path)
    faults: list[str] = []
    written = {name: _entries(document.get(name)) for name in TABLES}
    read = {name: _tables(document.pop(name, []), name, faults) for name in TABLES}
    faults += [_unknown_table(name) for name in document]
    chips = {each.id: each.chip() for each in read["chip"]}
    systems = {each.id: each.system() for each in (*read["system"], *read["cluster"])}
    models = {
        each.id: UserModel(id=each.id, config=_config(path.parent / each.config), architecture=each.architecture)
        for each in read["model"]
    }
    faults += _doubles(written) + _dangling(written)
    for each in models.values():
        faults += each.faults() if models_too and each.config.exists() else each.missing()
    if not (any(read.values()) or faults):
        faults.append(f"holds no tables; write {', '.join(f'[[{name}]]' for name in TABLES)}")
    if faults:
        raise CatalogueError(str(path), faults)
    prices = tuple(each.row() for each in read["price"])
    return UserCatalogue(path=path, chips=chips, systems=systems, prices=prices, models=models)


def _tables(entries: Any, name: str, faults: list[str]) -> list[Any]:
    """Check every ``[[name]]`` of the file; add what is wrong to `faults`."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        faults.append(f"{name} is not a list of tables; write [[{name}]] with double brackets")
        return []
    if len(entries) > MOST_TABLES:
        faults.append(f"{len(entries):,} [[{name}]] tables; the limit is {MOST_TABLES:,}")
        return []
    read = []
    for position, entry in enumerate(entries, 1):
        label = entry.get("id", entry.get("chip", position))
        try:
            read.append(TABLES[name].model_validate(entry))
        except ValidationError as error:
            faults += [f"{name} {str(label)[:60]!r}: {text}" for text in field_faults(error, TABLES[name])]
        faults += _peak_faults(name, label, entry)
    return read


def field_faults(error: ValidationError, table: type[BaseModel]) -> list[str]:
    """What is wrong with a table, a line a field, with the nearest name of a field that is not known."""
    lines = []
    for fault in error.errors(include_url=False):
        field = ".".join(str(step)[:60] for step in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = nearest_names(field, table.model_fields)
            hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(table.model_fields)}"
            lines.append(f"field {field!r} is not known; {hint}")
        elif fault["type"] == "missing":
            lines.append(f"field {field!r} is missing")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            given = "" if fault["type"] == "value_error" else f", got {str(fault['input'])[:60]!r}"
            lines.append(f"field {field!r}: {message}{given}" if field else message)
    return lines


def _peak_faults(name: str, label: object, entry: Mapping[str, Any]) -> list[str]:
    """Formats of a chip's rates that costline does not know."""
    peak = entry.get("peak")
    if name != "chip" or not isinstance(peak, dict):
        return []
    if not peak:
        return [f"chip {label!r}: peak is empty; write e.g. {{ bf16 = '180 TFLOP/s' }}"]
    known = [*RATE_FALLBACK, "fp64"]
    unknown = [str(each)[:40] for each in peak if each not in known]
    return [f"chip {label!r}: number format {each!r} is not one of {', '.join(known)}" for each in unknown]


def _unknown_table(name: str) -> str:
    near = nearest_names(name, TABLES) or list(TABLES)
    return f"table {name[:60]!r} is not known; did you mean {' or '.join(f'[[{each}]]' for each in near)}?"


def _entries(found: Any) -> list[dict[str, Any]]:
    """Tables of one kind as they are written, those with faults too."""
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _doubles(written: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Names given twice."""
    faults = []
    for kinds in (("chip",), ("system", "cluster"), ("model",)):
        ids = [str(each["id"])[:60] for kind in kinds for each in written[kind] if "id" in each]
        faults += [f"{kinds[0]} {name!r} is there twice" for name, number in Counter(ids).items() if number > 1]
    return faults


def _dangling(written: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """Systems and prices of chips that nobody has described."""
    known = {*(str(each.get("id")) for each in written["chip"]), *shipped_chip_facts()}
    faults = []
    for kind in ("system", "cluster", "price"):
        for each in written[kind]:
            chip = each.get("chip")
            if isinstance(chip, str) and chip not in known:
                near = nearest_names(chip, known)
                hint = f"; did you mean {near[0]}?" if near else ""
                faults.append(f"{kind} {str(each.get('id', chip))[:60]!r}: no chip {chip[:60]!r}{hint}")
    return faults
