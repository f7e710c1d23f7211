"""A chip of one's own, from a handful of choices; every choice may be an array."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from costline.catalogue import shipped
from costline.formulas.silicon_blocks import die_link_area, peak_rate
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.numeric import Numeric, largest
from costline.silicon.area import Core, Floorplan, die_blocks, total_area
from costline.silicon.cost import Silicon, usual_harvest
from costline.silicon.densest import densest
from costline.silicon.draws import Draws
from costline.silicon.inputs import MemoryType, known_node, memory_type, primitive, quantity
from costline.silicon.power import fitted_energy, power

TILE = Core(
    sublanes=4,
    array=1024,
    lanes=16,
    units=MappingProxyType({"int32": 8, "fp32": 32}),
    registers=4096,
    local=256 * 1024,
)
"""Core of a chip of one's own: 4,096 multiply-adds in arrays of 32 x 32, the size that still fills with decoding
batches; vector units, registers and local memory as in LLMCompass's designs."""

LINK_STEP = 25e9
"""Bandwidth of one link of the area model (NVLink 4, one direction). [byte/s]"""

DOMAIN = 64
"""Chips of a scale-up domain around a chip of one's own, about that of the largest systems of the catalogue. [chip]"""


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Choices from which area, power, cost and a `Chip` follow.

    Attributes
    ----------
    name : str
        Id of the chip.
    process : str
        Node, such as "14 nm".
    rate : float or array
        Dense 16-bit peak wanted. [FLOP/s]
    memory : str
        Kind of memory, or "SRAM" for none off the chip.
    devices : float or array
        Stacks or chips of it, each at its usual rate.
    device_size : float or array, optional
        Size of one, where it is not the usual one. [byte]
    sram : float or array
        On-chip memory. [byte]
    link : float or array
        Links, one direction. [byte/s]
    dies : float or array, optional
        Equal logic dies; by default as few as the reticle allows.
    clamshell : bool
        Two memory chips on each channel: twice the capacity, the same bandwidth.
    in_memory : bool
        Whether the memory computes.
    narrow : bool
        Whether 8-bit formats run at twice the rate.
    """

    name: str
    process: str
    rate: Numeric
    memory: str
    devices: Numeric = 0
    device_size: Numeric | None = None
    sram: Numeric = 32e6
    link: Numeric = 100e9
    dies: Numeric | None = None
    clamshell: bool = False
    in_memory: bool = False
    narrow: bool = True

    @property
    def node(self) -> str:
        """Full process node."""
        return known_node(self.process)

    @property
    def kind(self) -> MemoryType | None:
        """Kind of memory off the chip."""
        return None if self.memory.upper() == "SRAM" else memory_type(self.memory)

    @property
    def channels(self) -> Numeric:
        """Channels that the chip drives: stacks, or chips (pairs of them in clamshell)."""
        return self.devices / 2 if self.clamshell else self.devices

    @property
    def capacity(self) -> Numeric:
        """Memory that holds the model. [byte]"""
        if self.kind is None:
            return self.sram
        return self.devices * (self.kind.capacity if self.device_size is None else self.device_size)

    @property
    def bandwidth(self) -> Numeric:
        """Of the memory that holds the model. [byte/s]

        On-chip memory is read as fast for its size as Groq's.
        """
        if self.kind is None:
            groq = shipped.chip("groq-lpu-v1")
            return self.sram * (groq.memory_bandwidth / groq.memory)
        return self.channels * self.kind.bandwidth

    @property
    def multipliers(self) -> Numeric:
        """16-bit multiply-add units that are sold. [1]"""
        return self.rate / peak_rate(1, quantity("clock", self.node).value)

    def between(self, dies: Numeric) -> Numeric:
        """Traffic between `dies` dies, both ways: of each other's memory, or as much as the links. [byte/s]"""
        each = 2 * self.link if self.kind is None else quantity("die_link_share").value * self.bandwidth
        return (dies - 1) * each

    def blocks(self, dies: Numeric | None = None) -> dict[str, Numeric]:
        """Area of the blocks of all dies, dead cores included, and of what lies between them. [m2]"""
        cores = self.multipliers / (TILE.sublanes * TILE.array) / quantity("sold_share").value
        plan = Floorplan(
            process=self.process, cores=cores, core=TILE, scratchpad=self.sram, memory=self.kind,
            channels=self.channels, interfaces={"PCIe5": 16},
        )  # fmt: skip
        blocks = die_blocks(plan)
        links = die_blocks(Floorplan(process=self.process, cores=0, core=TILE, interfaces={"NVLink4": 1}))
        blocks["links"] = total_area(links) * self.link / LINK_STEP
        pair = 2 * primitive("UCIe advanced")  # a sender and a receiver
        traffic = self.between(self.parts if dies is None else dies)
        blocks["die links"] = die_link_area(traffic, quantity("die_link_rate").value, pair)
        blocks["between"] = total_area(blocks) * (1 / quantity("packing").value - 1)
        return blocks

    @property
    def parts(self) -> Numeric:
        """Logic dies: as many as stated, else as few as the reticle allows."""
        if self.dies is not None:
            return self.dies
        return np.ceil(self._area(1) / quantity("reticle").value)

    def _area(self, dies: Numeric) -> Numeric:
        """Of all logic in `dies` dies, spread out where it would be hotter or denser than real chips. [m2]"""
        hot = self._power(dies, None) / quantity("power_density").value
        return largest(largest(total_area(self.blocks(dies)), hot), self.rate / densest(self.node).density)

    @property
    def area(self) -> Numeric:
        """Of all logic dies together. [m2]"""
        return self._area(self.parts)

    def silicon(self) -> Silicon:
        """What it is made of, for its cost; dies that exceed the reticle are split."""
        dies = self.parts
        area = self._area(dies)
        units, spare = usual_harvest()
        return Silicon(
            name=self.name,
            process=self.process,
            area=area,
            dies=dies,
            memory=self.kind,
            capacity=self.capacity if self.kind else 0.0,
            devices=self.devices,
            in_memory=self.in_memory,
            units=units,
            spare=spare,
            notes=(f"{units - spare} of {units} cores of a die sold (assumed)",),
        )

    def power(self, draws: Draws | None = None) -> Numeric:
        """Board power. [W]"""
        return self._power(self.parts, draws)

    def _power(self, dies: Numeric, draws: Draws | None) -> Numeric:
        energy = fitted_energy(self.node)
        between = self.between(dies)
        return power(self.rate, self.node, self.kind, self.bandwidth, self.link, draws, energy, between)

    def cluster(self, domain: int = DOMAIN) -> Cluster:
        """The chip in a scale-up domain of its own kind."""
        chip = self.chip()
        return Cluster(chip=chip, chips=1, domain=domain, scale_up=chip.link_bandwidth)

    def chip(self) -> Chip:
        """The chip as the studies use it."""
        peak: dict[str, Numeric] = {"bf16": self.rate, "fp16": self.rate}
        if self.narrow:
            peak |= {"fp8": 2 * self.rate, "int8": 2 * self.rate}
        return Chip(
            id=self.name,
            name=self.name,
            vendor="designed",
            family="designed",
            peak=peak,
            memory=self.capacity,
            memory_bandwidth=self.bandwidth,
            tdp=self.power(),
            link_bandwidth=self.link,
            sram=self.sram,
            source="costline's model of silicon",
            kind="derived",
            details={"process_node": self.process, "memory_type": self.memory},
        )
