"""CENT (ASPLOS 2025): models held in GDDR6-AiM behind CXL, beside the A100 it was measured against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from costline.catalogue import shipped
from costline.catalogue.facts import chip_costs
from costline.engine.memory import kv_cache_bytes, weight_bytes
from costline.engine.passes import Machine
from costline.formulas.pim import in_memory_time
from costline.formulas.silicon import die_cost, dies_per_wafer
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon.cost import Silicon, die_yield
from costline.silicon.draws import Draws
from costline.silicon.inputs import quantity, wafer_price
from costline.silicon.pim import decode_split, device
from costline.studies.serve import largest_batch
from costline.studies.serving_times import Requests, serving_times

CHIPS, CHANNELS = 16, 32
"""GDDR6-AiM chips and channels of a device (Yufeng98/CENT:cent_simulation/run_sim.py)."""
AIM_BANDWIDTH = 512e9
"""Bandwidth inside a GDDR6-AiM chip, as in the table. [byte/s]"""
PROMPT, ANSWER = 512, 3584
"""Lengths of the rows. [token]"""
GPU_DOLLARS, CENT_DOLLARS = 1.76 / 4, 0.73 / 32
"""Dollars an hour of an A100 and of a device, as the rows state (4 of them 1.76, 32 of them 0.73)."""


@dataclass(frozen=True)
class Case:
    """A row of CENT: a model on so many CXL devices against so many A100."""

    model: str
    devices: int
    gpus: int


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "Llama2-7B": Case("llama-2-7b", 8, 1),
        "Llama2-13B": Case("llama-2-13b", 20, 2),
        "Llama2-70B": Case("llama-2-70b", 32, 4),
    }
)
"""CENT's three configurations."""


def network_of(name: str) -> Decoder:
    """The decoder of a row."""
    found = shipped.model(CASES[name].model)
    if not isinstance(found, Decoder):
        raise TypeError(name)
    return found


def _machine(name: str) -> Machine:
    gpus = CASES[name].gpus
    return Machine(shipped.cluster(f"{gpus}xa100-sxm-80gb"), shipped.efficiency(), Plan(tensor=gpus))


def busy_share(name: str) -> float:
    """Share of all channels that hold a block: devices hold the same whole number of blocks, and of channels each. [1]

    70B: three of 80 blocks a device fill 27 of 32 devices, and 10 channels for each block 30 of 32 channels.
    """
    layers, devices = network_of(name).layers, CASES[name].devices
    blocks = -(-layers // devices)
    return layers * (CHANNELS // blocks) / (devices * CHANNELS)


def token_time(name: str, context: float, inside: float) -> float:
    """Time of one token on memory of a bandwidth; nothing is read twice for a batch. [s]"""
    network, efficiency = network_of(name), device("cent").efficiency
    read = float(weight_bytes(network, Plan())) + float(kv_cache_bytes(network, 1, 1, Plan())) * context
    return float(in_memory_time(read, inside, read, inside, efficiency))


def latency_ratio(name: str) -> float:
    """Batch 1, 4,096 tokens: latency of the GPUs over that of CENT, whose devices pass a token on. [1]"""
    middle = PROMPT + ANSWER / 2
    gpu = decode_split(network_of(name), middle, 1, _machine(name), device("cent")).plain
    return float(gpu) / token_time(name, middle, CHIPS * AIM_BANDWIDTH)


def throughput(name: str) -> tuple[float, float, float]:
    """Largest batch: prefill, decode and both together, of all devices. [token/s]"""
    inside = CASES[name].devices * CHIPS * AIM_BANDWIDTH * busy_share(name)
    rates = (1 / token_time(name, PROMPT / 2, inside), 1 / token_time(name, PROMPT + ANSWER / 2, inside))
    return (*rates, together(*rates))


def together(prefill: float, decode: float) -> float:
    """All tokens of a request over the time of its two phases, as the rows count. [token/s]"""
    return (PROMPT + ANSWER) / (PROMPT / prefill + ANSWER / decode)


def baseline(name: str) -> tuple[float, float, float]:
    """The same of the A100s, with costline's engine: a batch as large as fits, started together. [token/s]"""
    network, machine = network_of(name), _machine(name)
    batch = float(largest_batch(network, PROMPT + ANSWER, machine, PROMPT, together=True))
    figures = serving_times(network, Requests(input=PROMPT, output=ANSWER, batch=batch, batching="static"), machine)
    rates = (batch * PROMPT / float(figures["ttft"].amount), batch / float(figures["tpot"].amount))
    return (*rates, together(*rates))


def per_dollar(name: str, measured: float) -> float:
    """Tokens for a dollar over those of the GPUs, whose speed is measured. [1]"""
    case = CASES[name]
    return throughput(name)[2] / measured * (GPU_DOLLARS * case.gpus) / (CENT_DOLLARS * case.devices)


def controller_cost(area: float, volume: float) -> float:
    """A good die of the CXL controller, its package and its share of the design. [USD]"""
    design = next(row.value or 0.0 for row in chip_costs() if row.item.startswith("CENT TOTAL NRE"))
    share = next(row.value or 0.0 for row in chip_costs() if row.item == "2D packaging share")
    side = area**0.5 + quantity("scribe").value
    dies = dies_per_wafer(side**2, quantity("wafer_diameter").value, quantity("wafer_edge").value)
    whole = Silicon(name="controller", process="7 nm", area=area, units=1, spare=0)
    die = float(die_cost(wafer_price("7").value, dies, die_yield(whole, Draws())))
    return die / (1 - share) + design / volume
