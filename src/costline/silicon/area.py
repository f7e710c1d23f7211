"""Area of a chip from its blocks: cores, crossbar, on-chip memory, memory interfaces, links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from costline.errors import InputError
from costline.formulas.silicon_blocks import logic_area, multiplier_transistors, register_file_area, sram_area
from costline.numeric import Numeric
from costline.silicon.inputs import (
    MemoryType,
    known_node,
    logic_density,
    primitive,
    quantity,
)

SIGNIFICAND: Mapping[str, int] = MappingProxyType({"fp64": 52, "fp32": 23, "fp16": 10})
"""Bits of significand by format."""

LINKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NVLink3": ("NVLink3 PHY", "NVLink3 ctrl"),
        "NVLink4": ("NVLink4 PHY", "NVLink4 ctrl"),
        "InfinityFabric": ("Infinity Fabric PHY", "Infinity Fabric ctrl"),
        "PCIe5": ("PCIe5 PHY", "PCIe5 controller"),
        "HBM2e": ("HBM2e PHY", "HBM2e controller"),
        "DDR5": ("DDR5 PHY", "DDR5 controller"),
    }
)
"""PHY and controller of an interface -> their rows among the area primitives."""


@dataclass(frozen=True, kw_only=True)
class Core:
    """A core of equal sublanes, each with an array of multipliers, a vector unit and registers.

    Attributes
    ----------
    sublanes : int
        Sublanes of the core.
    array : float or array
        Multiply-add units of a sublane's array. [1]
    array_format : str
        Their format.
    lanes : float or array
        Vector lanes of a sublane, which also size its control logic.
    units : mapping of str to int
        Vector units of a sublane by format; ``int32`` too.
    registers, register_bits, ports, files : float
        Register files of a sublane.
    local : float or array
        Local memory of the core. [byte]
    """

    sublanes: int = 4
    array: Numeric = 256
    array_format: str = "fp16"
    lanes: Numeric = 32
    units: Mapping[str, float] = field(default_factory=dict)
    registers: float = 16384
    register_bits: float = 32
    ports: float = 4
    files: float = 1
    local: Numeric = 192 * 1024


@dataclass(frozen=True, kw_only=True)
class Floorplan:
    """A die: cores, shared memory, interfaces.

    Attributes
    ----------
    process : str
        Process node, such as "7 nm".
    cores : float or array
        Cores on the die, dead ones included.
    core : Core
        One of them.
    cache : float or array
        Shared memory with tags and ports. [byte]
    scratchpad : float or array
        Shared memory in plain macros. [byte]
    interfaces : mapping of str to float
        Units of each interface of `LINKS`: stacks of HBM2e, lanes of PCIe5, links of NVLink3.
    memory : MemoryType, optional
        Off-chip memory, and how many of its channels the die drives.
    channels : float or array
        Channels of `memory`.
    """

    process: str
    cores: Numeric
    core: Core
    cache: Numeric = 0.0
    scratchpad: Numeric = 0.0
    interfaces: Mapping[str, float] = field(default_factory=dict)
    memory: MemoryType | None = None
    channels: Numeric = 0.0


def die_blocks(plan: Floorplan) -> dict[str, Numeric]:
    """Area of the blocks of a die, by name. [m2]"""
    node = known_node(plan.process)
    density = logic_density(node, plan.process).value
    blocks = {f"core {name}": area * plan.cores for name, area in core_blocks(plan.core, plan.process).items()}
    blocks["crossbar"] = logic_area(primitive("per-core crossbar") * plan.cores, density)
    cell, cached = quantity("sram_bitcell", node).value, quantity("sram_cache_efficiency").value
    blocks["cache"] = sram_area(plan.cache, cell, cached)
    blocks["scratchpad"] = sram_area(plan.scratchpad, cell, quantity("sram_macro_efficiency").value)
    for name, count in plan.interfaces.items():
        phy, controller = _interface(name)
        blocks[f"{name} PHY"] = phy * count
        blocks[f"{name} controller"] = logic_area(controller * count, density)
    if plan.memory is not None:
        blocks["memory PHY"] = plan.memory.phy * plan.channels
        blocks["memory controller"] = logic_area(plan.memory.controller * plan.channels, density)
    return blocks


def core_blocks(core: Core, process: str) -> dict[str, Numeric]:
    """Area of the blocks of one core. [m2]"""
    node = known_node(process)
    density = logic_density(node, process).value
    double = primitive("64-bit FPU")
    array = multiplier_transistors(double, SIGNIFICAND[core.array_format]) * core.array
    vector: Numeric = 0.0
    for name, count in core.units.items():
        one = primitive("INT32 ALU") if name == "int32" else multiplier_transistors(double, SIGNIFICAND[name])
        vector = vector + one * count
    control = primitive("per-sublane control") * core.lanes
    registers = core.files * register_file_area(core.registers, core.register_bits, core.ports)
    shrink = logic_density("90").value / density  # the regression is for 90 nm; registers shrink as logic does
    cell, cached = quantity("sram_bitcell", node).value, quantity("sram_cache_efficiency").value
    return {
        "arrays": logic_area(array, density) * core.sublanes,
        "vector units": logic_area(vector, density) * core.sublanes,
        "control": logic_area(control, density) * core.sublanes,
        "registers": registers * shrink * core.sublanes,
        "local memory": sram_area(core.local, cell, cached),
    }


def _interface(name: str) -> tuple[float, float]:
    if name not in LINKS:
        raise InputError(f"unknown interface {name[:40]!r}; known: {', '.join(LINKS)}")
    phy, controller = LINKS[name]
    return primitive(phy), primitive(controller)


def total_area(blocks: Mapping[str, Numeric]) -> Numeric:
    """Area of all blocks. [m2]"""
    whole: Numeric = 0.0
    for area in blocks.values():
        whole = whole + area
    return whole
