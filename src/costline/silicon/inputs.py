"""What the models of silicon take from the tables: values with ranges, by process node and kind of memory."""

from __future__ import annotations

import functools
import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from costline.catalogue.facts import CostFact, chip_costs
from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import UnknownNameError

UNITS: Mapping[str, float] = MappingProxyType(
    {
        "1": 1.0, "s": 1.0, "mm": 1e-3, "nm": 1e-9,
        "mm2": 1e-6, "um2/bit": 1e-12, "MTr/mm2": 1e12, "USD/mm2": 1e6, "USD": 1.0, "W": 1.0,
        "chip": 1.0, "year": 365.25 * 86400.0, "kg/kWh": 1 / 3.6e6, "bit": 1.0, "stack": 1.0, "pJ/FLOP": 1e-12,
        "pJ/bit": 1e-12, "USD/wafer": 1.0, "defects/cm2": 1e4, "kWh/cm2": 3.6e10, "gCO2e/cm2": 10.0, "pJ/op": 1e-12,
        "USD/GB": 1e-9, "Gbit/s": 1.25e8, "GHz": 1e9, "W/mm2": 1e6, "g/GB": 1e-12,
    }
)  # fmt: skip
"""SI units in a unit of the tables."""

ALIAS: Mapping[str, str] = MappingProxyType({"16": "14", "12": "14", "8": "10", "6": "7", "4": "5"})
"""Half nodes and marketing names -> the full node whose wafer price, defects and energies are taken."""

NODES = ("28", "14", "10", "7", "5", "3")
"""Process nodes with a complete set of figures. [nm]"""

INPUT_COLUMNS = columns("quantity! technology unit! source! note", number="value! low high", kind="kind!", date="date!")
MEMORY_COLUMNS = columns(
    "memory! mount! source! note",
    number="bits! pin_bit_per_s! pin_high_bit_per_s! device_byte! device_high_byte! phy_m2! controller_transistors!"
    " energy_j_per_bit! energy_low! energy_high! price_usd_per_byte price_low price_high",
    kind="kind!",
    date="date!",
)


@dataclass(frozen=True, slots=True)
class Spread:
    """A value with the range of what was read for it, in SI units.

    Attributes
    ----------
    value, low, high : float
        Point and range.
    source : str
        Rows it comes from.
    kind : str
        Kind of evidence.
    """

    value: float
    low: float
    high: float
    source: str = ""
    kind: str = ""

    def scaled(self, factor: float) -> Spread:
        """The same times a positive factor."""
        return Spread(self.value * factor, self.low * factor, self.high * factor, self.source, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryType:
    """A kind of memory by its stack or chip ("device").

    Attributes
    ----------
    memory, mount : str
        Name; "interposer" or "board".
    bits : float
        Data pins of a device. [bit]
    pin_rate, pin_limit : float
        Usual and highest rate of a pin. [bit/s]
    capacity, capacity_limit : float
        Usual and largest capacity of a device. [byte]
    phy : float
        Area of its interface on the chip; it does not shrink with the node. [m2]
    controller : float
        Transistors of its controller. [1]
    energy : Spread
        Of a bit read. [J/bit]
    source, note : str
        Provenance.
    """

    memory: str
    mount: str
    bits: float
    pin_rate: float
    pin_limit: float
    capacity: float
    capacity_limit: float
    phy: float
    controller: float
    energy: Spread
    source: str
    note: str

    @property
    def bandwidth(self) -> float:
        """Of a device at the usual rate. [byte/s]"""
        return self.bits * self.pin_rate / 8


@functools.cache
def _inputs() -> Mapping[tuple[str, str], Spread]:
    rows = read_table(DATA / "silicon_inputs.csv", INPUT_COLUMNS)
    return MappingProxyType({(row["quantity"], _key(row["technology"])): _spread(row) for row in rows})


def _key(technology: str) -> str:
    """A node by its number, anything else (a chip) as it stands."""
    return _node(technology) if technology.endswith(" nm") else technology


def _spread(row: Row) -> Spread:
    unit = UNITS[row["unit"]]
    value = row["value"]
    low, high = (row["low"] or value), (row["high"] or value)
    return Spread(value * unit, low * unit, high * unit, row["source"], row["kind"])


def _node(text: str) -> str:
    found = re.match(r"(\d+)", text)
    return found[1] if found else ""


def node_of(process: str) -> str:
    """Full node of a process as a table prints it (``"4N"``, ``"12 nm (TSMC)"``); empty if it names none.

    Examples
    --------
    >>> node_of("12 nm (TSMC)"), node_of("TSMC 4N-class (GH100 die)"), node_of("")
    ('14', '5', '')
    """
    found = re.search(r"(?<![\d.])(\d+)\s?(?:nm|N|NP)\b", process)
    number = found[1] if found else ""
    number = ALIAS.get(number, number)
    return number if number in NODES else ""


def known_node(node: str) -> str:
    """Name of a node as the tables use it.

    Raises
    ------
    UnknownNameError
        No figures for it.
    """
    plain = node.strip()
    number = ALIAS.get(plain, plain) if plain.isdigit() else node_of(plain)
    if number not in NODES:
        raise UnknownNameError("process node", node, [f"{each} nm" for each in (*NODES, *ALIAS)])
    return number


def quantity(name: str, node: str = "") -> Spread:
    """A row of the table of inputs.

    Raises
    ------
    UnknownNameError
        No such row.
    """
    table = _inputs()
    if (name, node) not in table:
        raise UnknownNameError("silicon input", f"{name} {node}".strip(), [" ".join(key).strip() for key in table])
    return table[name, node]


def by_technology(name: str) -> dict[str, Spread]:
    """Rows of a quantity by what they are known for: nodes [nm], families or chips."""
    return {technology: spread for (each, technology), spread in _inputs().items() if each == name}


def _agreed(rows: Iterable[CostFact], unit: str, least_spread: float = 0.0) -> Spread:
    """Median of what the rows say, and the range of all of them."""
    points: list[float] = []
    ends: list[float] = []
    sources: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for row in rows:
        bounds = [each for each in (row.low, row.high) if each is not None]
        point = row.value if row.value is not None else statistics.fmean(bounds)
        points.append(point)
        ends += [point, *bounds]
        sources[row.source] = None
        kinds[row.kind] = None
    middle = statistics.median(points)
    low, high = min(*ends, middle * (1 - least_spread)), max(*ends, middle * (1 + least_spread))
    scale = UNITS[unit]
    return Spread(middle * scale, low * scale, high * scale, " | ".join(sources), ", ".join(kinds))


def _at(row: CostFact, node: str) -> bool:
    """Whether a row is for a node: "5 nm", "5/16 nm", "4N", "10-3 nm"."""
    text = row.technology
    if span := re.fullmatch(r"(\d+)-(\d+) nm", text):
        return int(span[2]) <= int(node) <= int(span[1])
    numbers = re.findall(r"\d+", text)
    return any(ALIAS.get(number, number) == node for number in numbers) and "SI" not in text


@functools.cache
def wafer_price(node: str) -> Spread:
    """Price of a processed 300 mm wafer. [USD]"""
    rows = [row for row in chip_costs() if row.category == "wafer_price" and row.unit == "USD/wafer" and _at(row, node)]
    return _agreed(rows, "USD/wafer", quantity("wafer_price_spread").value)


@functools.cache
def defect_density(node: str) -> Spread:
    """Killer defects of a mature process. [1/m2]"""
    rows = [row for row in chip_costs() if row.category == "defect_density" and _at(row, node)]
    return _agreed(rows, "defects/cm2")


@functools.cache
def logic_density(node: str, process: str = "") -> Spread:
    """Transistors of an area of logic; `process` may name a half node with a row of its own. [1/m2]"""
    known = {
        _node(row.technology): row
        for row in chip_costs()
        if row.category == "density" and row.item == "logic transistor density"
    }
    found = known.get(_node(process)) or known.get(node)
    return _agreed([found], "MTr/mm2", 0.1) if found else quantity("logic_density", node)


@functools.cache
def design_cost(node: str) -> Spread:
    """One-time cost: design with the first tape-out, and a mask set. [USD]"""
    rows = [row for row in chip_costs() if row.category == "nre" and _at(row, node)]
    design = [row for row in rows if row.item.startswith("chip design NRE")]
    return _agreed(design, "USD", 0.4)


@functools.cache
def fab_figure(name: str, node: str) -> Spread:
    """Fab electricity [J/m2] (``fab energy``), gases (``gas``) or raw material [kg/m2]."""
    rows = [row for row in chip_costs() if row.category == "fab_carbon" and row.item.startswith(name)]
    unit = "kWh/cm2" if name == "fab energy" else "gCO2e/cm2"
    return _agreed([row for row in rows if row.technology == "all" or _at(row, node)], unit, 0.2)


@functools.cache
def primitive(item: str) -> float:
    """An area primitive: transistors [1], or area of a PHY [m2]."""
    row = next(row for row in chip_costs() if row.category == "area_primitive" and row.item == item)
    if row.value is None:
        raise UnknownNameError("area primitive", item, [])
    return row.value * (1e-6 if row.unit.startswith("mm2") else 1e6)


@functools.cache
def memory_types() -> Mapping[str, MemoryType]:
    """Kinds of memory by name."""
    types = {}
    for row in read_table(DATA / "memory_types.csv", MEMORY_COLUMNS, "memory"):
        energy = Spread(row["energy_j_per_bit"], row["energy_low"], row["energy_high"], row["source"], row["kind"])
        types[row["memory"]] = MemoryType(
            memory=row["memory"],
            mount=row["mount"],
            bits=row["bits"],
            pin_rate=row["pin_bit_per_s"],
            pin_limit=row["pin_high_bit_per_s"],
            capacity=row["device_byte"],
            capacity_limit=row["device_high_byte"],
            phy=row["phy_m2"],
            controller=row["controller_transistors"],
            energy=energy,
            source=row["source"],
            note=row["note"],
        )
    return MappingProxyType(types)


@functools.cache
def memory_type(name: str) -> MemoryType:
    """A kind of memory, in any case.

    Raises
    ------
    UnknownNameError
        No such kind.
    """
    known = {each.lower(): each for each in memory_types()}
    if name.strip().lower() not in known:
        raise UnknownNameError("memory", name, [*memory_types(), "SRAM"], listed=[*memory_types(), "SRAM"])
    return memory_types()[known[name.strip().lower()]]


@functools.cache
def memory_price(name: str, without: str = "") -> Spread:
    """Price of a byte of memory. [USD/byte]

    Parameters
    ----------
    name : str
        Kind of memory.
    without : str
        Rows whose item contains this are left out: a price derived from the bill it is to predict.
    """
    kind = memory_type(name)
    rows = [
        row for row in chip_costs()
        if row.category == "memory_price" and row.technology.startswith(kind.memory)
        and row.unit in {"USD/GB", "USD/stack"} and not (without and without in row.item)
        and (row.technology == kind.memory or not row.technology[len(kind.memory) :].startswith("e"))
    ]  # fmt: skip
    table = next(row for row in read_table(DATA / "memory_types.csv", MEMORY_COLUMNS, "memory")
                 if row["memory"] == kind.memory)  # fmt: skip
    if table["price_usd_per_byte"] is not None:
        value = table["price_usd_per_byte"]
        return Spread(
            value, table["price_low"] or value, table["price_high"] or 2 * value, table["source"], table["kind"]
        )
    if not rows:
        raise UnknownNameError("memory price", name, [])
    return _stacked(rows, kind)


def _stacked(rows: Iterable[CostFact], kind: MemoryType) -> Spread:
    """Prices of a byte and of a whole stack together."""
    points, ends = [], []
    for row in rows:
        scale = 1e-9 if row.unit == "USD/GB" else 1 / kind.capacity
        bounds = [each * scale for each in (row.low, row.high) if each is not None]
        point = row.value * scale if row.value is not None else statistics.fmean(bounds)
        points.append(point)
        ends += [point, *bounds]
    source = " | ".join(dict.fromkeys(row.source for row in rows))
    return Spread(statistics.median(points), min(ends), max(ends), source, "estimated")
