"""The published figures of processing in memory, each with what costline predicts, or why it cannot.

A prediction uses the row's stated configuration and never its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from costline.catalogue import pim_facts, shipped
from costline.catalogue.facts import PimFact, chip_costs
from costline.engine.passes import Machine
from costline.formulas.pim import amdahl_speedup, bank_bandwidth, power_limited_gain
from costline.formulas.silicon_blocks import peak_rate
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon import pim_cent
from costline.silicon.inputs import quantity
from costline.silicon.pim import Split, decode_split, device
from costline.silicon.pim_reasons import why_not
from costline.silicon.sram import STATIC

Evidence: TypeAlias = Literal["silicon", "simulation", "vendor"]


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
    bound : bool
        Whether `predicted` is the most that is possible, or `stated` the most that was seen ("up to").
    """

    device: str
    config: str
    metric: str
    unit: str
    evidence: Evidence
    stated: float | None
    predicted: float | None
    how: str
    bound: bool = False

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


def kernel_gain() -> float:
    """A kernel that reads memory, against a chip that reads all of its bandwidth. [1]"""
    return device("hbm-pim").gain * device("hbm-pim").efficiency


def gpu_kernel_gain() -> float:
    """The same against a graphics chip of that day with HBM2, which reads a share of its bandwidth. [1]"""
    return kernel_gain() / float(shipped.efficiency().value("memory", shipped.chip("v100-sxm-32gb")))


def whole_request() -> float:
    """Generation of GPT on graphics chips, of which Samsung says how much is matrix-vector products. [1]"""
    return float(amdahl_speedup(quantity("gemv_share").value, gpu_kernel_gain()))


CAPS = {**STATIC, "gemm": 0.8, "memory": 0.85, "exposed": 0.0, "gemm_half": 0.0}
"""What AttAcc's simulator reaches of arithmetic and memory (pim.csv), and no software; taken for NeuPIMs' too."""


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
    """GPT-3 175B, 2,048 tokens in, 128 out, on 8 A100 with HBM3: the best batch that fits the attention memory. [1]"""
    network = _model("gpt3-175b")
    cluster = shipped.cluster("8xa100-sxm-80gb")
    chip = replace(cluster.chip, memory_bandwidth=5 * 670.4e9)
    machine = Machine(replace(cluster, chip=chip), shipped.efficiency(**CAPS), Plan(tensor=8))
    cache = 2 * 2 * network.layers * network.hidden_size * (2048 + 128)
    batches = np.arange(1, 8 * 5 * 16e9 // cache + 1)
    split = decode_split(network, 2048 + 64, batches, machine, device("attacc"))
    return float(np.max(split.speedup))


NPU_RATE = float(peak_rate(8 * 128 * 128, 1e9))
"""NeuPIMs: eight arrays of 128 x 128 at 1 GHz. [FLOP/s]"""
NPU_BANDWIDTH = 32 * 32e9
"""NeuPIMs: 32 channels of 128 bits at 2 Gb/s. [byte/s]"""
CHAT = 230
"""Tokens in the cache for ShareGPT; assumed: the rows name the data set only."""


def neupims(batch: int = 256) -> Split:
    """GPT3-30B on chips of NeuPIMs, four chips a stage, at the caps of a simulator."""
    chip = Chip(
        id="neupims", name="NeuPIMs", peak={"bf16": NPU_RATE}, memory=32e9, memory_bandwidth=NPU_BANDWIDTH,
        link_bandwidth=450e9,
    )  # fmt: skip
    cluster = Cluster(chip=chip, chips=4, scale_up=450e9)
    machine = Machine(cluster, shipped.efficiency(**CAPS), Plan(tensor=4))
    return decode_split(_model("opt-30b"), CHAT, batch, machine, device("neupims"))


def npu_utilisation(batch: int = 256) -> float:
    """Time that the dense products of the step would take at the peak of the arrays, over the step. [1]"""
    products = 2 * _model("opt-30b").params * batch / 4  # of one of four chips
    return products / NPU_RATE / float(neupims(batch).together)


def _first(fact: PimFact) -> float:
    """The row's number, or the first of its text."""
    return fact.value if fact.value is not None else _part(fact, 0)


def _part(fact: PimFact, place: int) -> float:
    return float(fact.text.removeprefix("up to").split("/")[place])


Rule: TypeAlias = tuple[str, str, Callable[[], float], str]

BANKS = "energies of a bit: the banks may draw what reading from outside draws"
STREAM = "weights and cache read once a token at the bandwidth inside, 85 % reached"
ONE_DEVICE = f"{STREAM}, block after block; CENT splits a block over all devices for this, which is faster"
RULES: tuple[Rule, ...] = (
    ("Samsung HBM-PIM", "300 MHz", aquabolt_compute, "blocks x lanes x clock; 4 dies of a stack compute"),
    ("Samsung HBM-PIM", "micro-kernel GEMV", gpu_kernel_gain, "bandwidth inside over what a V100 reads of its own"),
    ("Samsung HBM-PIM", "U280 GEMV", kernel_gain, "bandwidth inside x rows open, over all of the bandwidth outside"),
    ("Samsung HBM-PIM", "transformer LLMs", whole_request,
     "70 % of generation is matrix-vector products (60 to 80 %, Samsung); these gain what a kernel gains on a chip"),
    ("Samsung HBM-PIM", "1 PIM block per 2 banks", lambda: 16 / 2, "16 banks, one block for two"),
    ("SK hynix", "1 GHz PU", lambda: float(bank_bandwidth(16, 256, 1e9)) / 1e9, "16 banks x 256 bits x 1 GHz"),
    ("SK hynix", "certain computation", lambda: 512e9 / 32e9, "512 GB/s inside over 32 GB/s of a channel"),
    ("NeuPIMs", "GPT-3 variants", lambda: float(neupims().plain / neupims().together),
     "against the NPU alone: GPT3-30B, batch 256, 230 tokens (assumed); attention beside the rest"),
    ("NeuPIMs", "GPT3-30B", lambda: 100 * npu_utilisation(), "arithmetic of the step at the NPU's peak over the step"),
    ("AttAcc", "per-stack 670", lambda: attacc_gain("bank") * 0.6704, BANKS),
    ("AttAcc", "175B TbGM", attacc_speedup,
     "attention in memory beside the chip, best batch in 640 GB, at the simulator's caps"),
    ("AttAcc", "in-bank read", lambda: (_energy("HBM cell ACT/PRE") + _energy("HBM cell RD/WR")) * 1e12 / 1e12,
     "opening a row and reading a cell"),
    ("CENT", "7 nm die 18.96", lambda: pim_cent.controller_cost(18.96e-6, 3e6),
     "good die at 7 nm, 29 % for the package, design over 3 million"),
)  # fmt: skip
"""Device, words of its configuration, the prediction, how."""


def evidence_of(fact: PimFact) -> Evidence:
    """Silicon, simulation or vendor."""
    if fact.kind == "measured":
        return "silicon"
    return "simulation" if fact.kind in {"simulated", "model", "estimated"} else "vendor"


def _stated(fact: PimFact) -> float | None:
    """The number that a row's rule is compared with."""
    if fact.device == "NeuPIMs":
        return _part(fact, 0 if "utilisation" in fact.metric else 1)  # against the NPU alone
    if fact.metric == "unit cost":
        return sum(float(each.split()[0]) for each in fact.text.split("+"))
    return _first(fact)


def predictions() -> list[Prediction]:
    """Every row, predicted where its configuration is stated."""
    return [made for fact in pim_facts() for made in _made(fact)]


def _made(fact: PimFact) -> Iterator[Prediction]:
    name = fact.config.split(" ")[0]
    if name in pim_cent.CASES:
        yield from _of_cent(fact, name)
        return
    rule = next((rule for rule in RULES if fact.device.startswith(rule[0]) and rule[1] in fact.config), None)
    if rule is None:
        yield _row(fact, fact.metric, fact.value, None, why_not(fact))
        return
    yield _row(fact, fact.metric, _stated(fact), rule[2](), rule[3])
    if fact.metric == "NPU / PIM utilisation":
        busy = 100 * float(neupims().moved / neupims().together)
        yield _row(fact, "PIM utilisation", _part(fact, 1), busy, "time of the memory over the step")
    elif fact.device == "NeuPIMs":
        one_after_another = float((neupims().host + neupims().moved + neupims().shared) / neupims().together)
        how = "against both one after the other: what working at the same time gains"
        yield _row(fact, f"{fact.metric} over NPU+PIM", _part(fact, 2), one_after_another, how)


def _of_cent(fact: PimFact, name: str) -> Iterator[Prediction]:
    """Rows of CENT and of the GPUs it is compared with."""
    measured = _gpus(name)
    phases = ("prefill", "decode", "end to end")
    if fact.device.startswith("A100"):
        how = "costline's own serving, largest batch, started together"
        for phase, stated, made in zip(phases, measured, pim_cent.baseline(name), strict=True):
            yield _row(fact, f"tokens/s, {phase}", stated, made, how)
    elif fact.metric.startswith("throughput"):
        for place, (phase, made) in enumerate(zip(phases, pim_cent.throughput(name), strict=True)):
            yield _row(fact, f"throughput, {phase}", _part(fact, place), made / measured[place], STREAM)
    elif fact.metric.startswith("latency"):
        yield _row(fact, fact.metric, fact.value, pim_cent.latency_ratio(name), ONE_DEVICE)
    elif fact.metric == "tokens per dollar":
        how = f"{STREAM}; dollars an hour of both as stated"
        yield _row(fact, fact.metric, fact.value, pim_cent.per_dollar(name, measured[2]), how)
    else:
        yield _row(fact, fact.metric, fact.value, None, why_not(fact))


def _gpus(name: str) -> tuple[float, float, float]:
    """Measured tokens a second of the GPUs. [token/s]"""
    row = next(fact for fact in pim_facts() if fact.device.startswith("A100") and fact.config.startswith(name))
    return _part(row, 0), _part(row, 1), _part(row, 2)


def _row(fact: PimFact, metric: str, stated: float | None, predicted: float | None, how: str) -> Prediction:
    return Prediction(
        device=fact.device,
        config=fact.config,
        metric=metric,
        unit=fact.unit,
        evidence=evidence_of(fact),
        stated=stated,
        predicted=predicted,
        how=how,
        bound="up to" in fact.text,
    )
