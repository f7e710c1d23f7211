"""Dies whose blocks are published: LLMCompass's designs, which its authors checked against photographs of real dies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from costline.silicon.area import Core, Floorplan

MIB = 2**20

_GA100_CORE = Core(units=MappingProxyType({"int32": 16, "fp32": 16, "fp64": 8}))
_GENERATION_CORE = Core(
    array=64, lanes=8, units=MappingProxyType({"int32": 4, "fp16": 32}), registers=4096, local=48 * 1024
)
_THROUGHPUT_CORE = Core(array=1024, units=MappingProxyType({"int32": 16, "fp32": 16, "fp64": 8}), local=768 * 1024)
_MI210_CORE = Core(
    lanes=16, units=MappingProxyType({"int32": 16, "fp64": 16}), registers=512, files=64, local=80 * 1024
)

DIES: Mapping[str, Floorplan] = MappingProxyType(
    {
        "GA100": Floorplan(
            process="7 nm", cores=128, core=_GA100_CORE, cache=48 * MIB, interfaces={"HBM2e": 6, "NVLink3": 12}
        ),
        "latency-oriented design": Floorplan(
            process="7 nm", cores=64, core=_GA100_CORE, cache=24 * MIB, interfaces={"HBM2e": 6, "NVLink3": 12}
        ),
        "throughput-oriented design": Floorplan(
            process="7 nm", cores=64, core=_THROUGHPUT_CORE, cache=48 * MIB, interfaces={"PCIe5": 256, "NVLink3": 12}
        ),
        "generation design": Floorplan(
            process="7 nm", cores=128, core=_GENERATION_CORE, cache=24 * MIB, interfaces={"HBM2e": 6, "NVLink3": 12}
        ),
        "MI210": Floorplan(
            process="6 nm", cores=112, core=_MI210_CORE, cache=8 * MIB, interfaces={"HBM2e": 8, "InfinityFabric": 8}
        ),
    }
)
"""Cores, memories and interfaces of PrincetonUniversity/LLMCompass:configs/*.json@b95c6c9."""
