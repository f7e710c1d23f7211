"""The published figures of processing in memory, each with what costline predicts, or why it cannot.

A prediction uses the row's stated configuration and never its result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from costline.catalogue import pim_facts, shipped
from costline.catalogue.facts import PimFact, chip_costs
from costline.engine.passes import Machine
from costline.formulas.pim import bank_bandwidth, in_memory_time, power_limited_gain
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon.pim import decode_split, device

CENT_CHIPS = 16
"""GDDR6-AiM chips of a CENT device: 16 controllers of two channels each, two channels a chip (ASPLOS 2025 paper)."""
AIM_BANDWIDTH = 512e9
"""Bandwidth inside a GDDR6-AiM chip, as in the table. [byte/s]"""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A published figure and what costline makes of it.

    Attributes
    ----------
    device, config, metric, unit : str
        The row.
    evidence : {"silicon", "simulation", "vendor"}
        How the published figure was obtained.
    stated, predicted : float or None
        The figure, and costline's; None where there is none.
    how : str
        How it is predicted, or why it is not.
    """

    device: str
    config: str
    metric: str
    unit: str
    evidence: str
    stated: float | None
    predicted: float | None
    how: str

    @property
    def error(self) -> float | None:
        """Predicted over stated, less one. [1]"""
        if self.stated is None or self.predicted is None:
            return None
        return self.predicted / self.stated - 1


def _model(name: str) -> Decoder:
    found = shipped.model(name)
    if not isinstance(found, Decoder):
        raise TypeError(name)
    return found


def _energy(item: str) -> float:
    return next(row.value or 0.0 for row in chip_costs() if row.item == item)


def aquabolt_compute() -> float:
    """A stack of HBM-PIM: 32 blocks on each of 4 dies, 16 fp16 lanes, 300 MHz; a multiply-add is 2 FLOP. [TFLOP/s]"""
    return float(bank_bandwidth(32 * 4, 256, 300e6)) / 2 * 2 / 1e12


def attacc_gain(level: str) -> float:
    """Bandwidth gain of AttAcc under the power of ordinary reads, from energies of a bit. [1]"""
    banks = {"bank": 16.0, "bank-group": 8.0, "buffer": 1.0}[level]
    item = {
        "bank": "PIM in-bank read (sum 0.11+0.44)",
        "bank-group": "PIM bank-group read",
        "buffer": "PIM buffer-die read",
    }
    arithmetic = _energy("fp16 MAC ALU") / 16
    return float(power_limited_gain(banks, _energy("HBM total off-chip read (sum)"), _energy(item[level]), arithmetic))


def attacc_speedup() -> float:
    """GPT-3 175B, 2,048 tokens in, 128 out, on 8 A100 with HBM3: the best batch that fits the attention memory."""
    network = _model("gpt3-175b")
    cluster = shipped.cluster("8xa100-sxm-80gb")
    chip = replace(cluster.chip, memory_bandwidth=5 * 670.4e9)
    machine = Machine(replace(cluster, chip=chip), shipped.sourced_efficiency(), Plan(tensor=8))
    cache = 2 * 2 * network.layers * network.hidden_size * (2048 + 128)
    batches = np.arange(1, 8 * 5 * 16e9 // cache + 1)
    split = decode_split(network, 2048 + 64, batches, machine, device("attacc"))
    return float(np.max(split.speedup))


@dataclass(frozen=True)
class Cent:
    """A row of CENT: a model on so many CXL devices against so many A100."""

    model: str
    devices: int
    gpus: int


CENT: Mapping[str, Cent] = MappingProxyType(
    {
        "Llama2-7B": Cent("llama-2-7b", 8, 1),
        "Llama2-13B": Cent("llama-2-13b", 20, 2),
        "Llama2-70B": Cent("llama-2-70b", 32, 4),
    }
)
"""CENT's three configurations."""


def cent_latency(name: str) -> float:
    """Batch 1, 4,096 tokens: latency of the GPUs over that of CENT, whose devices pass a token on."""
    case, memory = CENT[name], device("aim")
    network = _model(case.model)
    machine = Machine(
        shipped.cluster(f"{case.gpus}xa100-sxm-80gb"), shipped.sourced_efficiency(), Plan(tensor=case.gpus)
    )
    gpu = decode_split(network, 512 + 1792, 1, machine, memory).plain
    inside = CENT_CHIPS * AIM_BANDWIDTH
    busy = _cent_token(network, 512 + 1792, 1.0, inside, memory.efficiency)
    return float(gpu / busy)


def _cent_token(network: Decoder, context: float, batch: float, inside: float, efficiency: float) -> float:
    """Time of a token of each of `batch` sequences on memory of a bandwidth; nothing is read twice for a batch."""
    read = network.params * 2.0 + _cache_bytes(network) * context
    return float(in_memory_time(batch * read, inside, batch * read, inside, efficiency))


def _cache_bytes(network: Decoder) -> float:
    from costline.engine.memory import kv_cache_bytes

    return float(kv_cache_bytes(network, 1, 1, Plan()))


def cent_throughput(name: str, phase: int) -> float:
    """Largest batch, 512 in and 3,584 out: tokens a second of CENT over the measured ones of the GPUs."""
    case, memory = CENT[name], device("aim")
    network = _model(case.model)
    inside = case.devices * CENT_CHIPS * AIM_BANDWIDTH
    context = 256.0 if phase == 0 else 512 + 1792
    rate = 1 / _cent_token(network, context, 1.0, inside, memory.efficiency)
    baseline = next(
        fact for fact in pim_facts() if fact.device.startswith("A100 baseline") and fact.config.startswith(name)
    )
    return rate / _text_part(baseline, phase)


def _text_part(fact: PimFact, place: int) -> float:
    return float(fact.text.split("/")[place])


def _value(fact: PimFact) -> float:
    return fact.value or 0.0


Rule: TypeAlias = tuple[str, str, Callable[[PimFact], float], Callable[[], float], str]

BANKS = "energies of a bit: the banks may draw what reading from outside draws"
STREAM = "weights and cache read once a token at the bandwidth inside, 85 % reached"
RULES: tuple[Rule, ...] = (
    ("Samsung HBM-PIM", "300 MHz", _value, aquabolt_compute,
     "blocks x lanes x clock; 4 dies of a stack compute"),
    ("Samsung HBM-PIM", "micro-kernel GEMV", _value, lambda: device("hbm-pim").gain,
     "bandwidth inside over outside: a kernel cannot gain more"),
    ("Samsung HBM-PIM", "U280 GEMV", _value, lambda: device("hbm-pim").gain, "the same"),
    ("SK hynix", "1 GHz PU", _value, lambda: float(bank_bandwidth(16, 256, 1e9)) / 1e9,
     "16 banks x 256 bits x 1 GHz"),
    ("AttAcc", "per-stack 670", _value, lambda: attacc_gain("bank") * 0.6704, BANKS),
    ("AttAcc", "175B TbGM", lambda f: 2.81, attacc_speedup,
     "attention in memory beside the chip, best batch in 640 GB"),
    ("CENT", "Llama2-7B batch 1", _value, lambda: cent_latency("Llama2-7B"), STREAM),
    ("CENT", "Llama2-13B batch 1", _value, lambda: cent_latency("Llama2-13B"), STREAM),
    ("CENT", "Llama2-70B batch 1", _value, lambda: cent_latency("Llama2-70B"), STREAM),
)  # fmt: skip
"""Device, words of its configuration, the published number, the prediction, how."""

WHY = {
    "GPU system, speech recognition": "the model (RNN-T) is not stated",
    "transformer LLMs": "neither model nor batch is stated",
    "T5-MoE": "neither size nor batch is stated",
    "AI training": "the workload is not stated",
    "bank level": "the workload is not stated",
}
NO_CONFIGURATION = "model, batch or hardware is not stated"


def evidence_of(fact: PimFact) -> str:
    """Silicon, simulation or vendor."""
    if fact.kind == "measured":
        return "silicon"
    return "simulation" if fact.kind in {"simulated", "model", "estimated"} else "vendor"


def predictions() -> list[Prediction]:
    """Every row, predicted where its configuration is stated."""
    rows = []
    for fact in pim_facts():
        rule = next((rule for rule in RULES if fact.device.startswith(rule[0]) and rule[1] in fact.config), None)
        if fact.device.startswith("CENT") and fact.metric.startswith("throughput"):
            rows += _throughputs(fact)
            continue
        how = next((why for words, why in WHY.items() if words in fact.config), NO_CONFIGURATION)
        rows.append(
            Prediction(
                device=fact.device,
                config=fact.config,
                metric=fact.metric,
                unit=fact.unit,
                evidence=evidence_of(fact),
                stated=rule[2](fact) if rule else fact.value,
                predicted=float(rule[3]()) if rule else None,
                how=rule[4] if rule else how,
            )
        )
    return rows


def _throughputs(fact: PimFact) -> list[Prediction]:
    """Prefill and decode of a row that prints both."""
    name = fact.config.split(" ")[0]
    return [
        Prediction(
            device=fact.device,
            config=fact.config,
            metric=f"throughput, {phase}",
            unit=fact.unit,
            evidence=evidence_of(fact),
            stated=_text_part(fact, place),
            predicted=cent_throughput(name, place),
            how=STREAM,
        )
        for place, phase in enumerate(("prefill", "decode"))
    ]
