"""Speeds that others published of chips and designs, as the models give them from a row's own inputs."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from costline.catalogue import chip_anchors, chip_facts, shipped
from costline.catalogue.facts import Anchor
from costline.engine.passes import Machine, forward_pass
from costline.formulas.collectives import all_reduce_bytes, message_time
from costline.formulas.roofline import kernel_time, math_time, memory_time
from costline.formulas.silicon_blocks import peak_rate
from costline.formulas.sram import chips_to_hold
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon.decoding import Talk, decoding
from costline.silicon.known import DIES
from costline.silicon.sram import STATIC, pipelines
from costline.studies.serving_times import Requests, serving_rate

Values = Sequence[float]
CLOCK = 1.41e9
"""Clock of LLMCompass's designs (PrincetonUniversity/LLMCompass:configs/*.json@b95c6c9). [Hz]"""
OUTPUTS = tuple(range(256, 2049, 256))
"""Answers of figures 10 and 12. [token]"""


def numbers(text: str) -> list[float]:
    """Every number of a text."""
    return [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]


def decoder(name: str) -> Decoder:
    """A decoder of the catalogue."""
    found = shipped.model(name)
    if not isinstance(found, Decoder):
        raise TypeError(name)
    return found


def product(chip: str, row: Anchor) -> Values:
    """Time of a matrix product, weights and activations read once. [ms]"""
    rows = numbers(row.quantity)[0]
    width, machine = 12288, shipped.sourced_efficiency()
    one = shipped.chip(chip)
    math = math_time(2 * rows * width**2, one.rate("fp16"), machine.value("gemm", one))
    moved = 2 * (width**2 + 2 * rows * width)
    memory = memory_time(moved, one.memory_bandwidth, machine.value("memory", one))
    return [float(kernel_time(math, memory, machine.value("launch", one, "eager"))) * 1e3]


UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


def all_reduce(row: Anchor) -> Values:
    """All-reduce over four A100 with the share of links of all chips, which no such measurement made. [us]"""
    amount, unit = row.quantity.removeprefix("size ").split()
    chip = shipped.chip("a100-sxm-80gb")
    rows = {each.name: each for each in shipped.coefficients() if each.scope == "all" and not each.qualifier}
    share, latency = rows["link_up"].value, rows["latency_up"].value
    sent = all_reduce_bytes(float(amount) * UNITS[unit], 4)
    return [float(message_time(sent, chip.link_bandwidth or 0.0, share, 1, latency, 4)) * 1e6]


def _design(name: str) -> Chip:
    """One of LLMCompass's designs as a chip; figure 12 takes 512 GB for the throughput-oriented one."""
    plan = DIES[name]
    arrays = float(plan.cores) * plan.core.sublanes * float(plan.core.array)
    memory, bandwidth = (512e9, 256 * 32e9 / 8) if name.startswith("throughput") else (80e9, 5 * 1024 * 3.2e9 / 8)
    rate = float(peak_rate(arrays, CLOCK))
    return Chip(id=name, name=name, peak={"fp16": rate}, memory=memory, memory_bandwidth=bandwidth)


def _request(name: str, prompt: float, answer: float, batch: float, chips: int) -> float:
    """Time of a batch of GPT-3 175B through all layers, kernels as sourced and nothing launched. [s]"""
    network = decoder("gpt3-175b")
    cluster = Cluster(chip=_design(name), chips=chips, scale_up=12 * 25e9)
    machine = Machine(
        cluster, shipped.sourced_efficiency(**STATIC), Plan(tensor=chips, weights="fp16", compute="fp16", cache="fp16")
    )
    prefill = forward_pass(network.parts, network.streams(tokens=prompt, batch=batch), machine)
    step = network.streams(tokens=1, cached=prompt + answer / 2, batch=batch)
    return float(prefill.point + answer * forward_pass(network.decode_parts, step, machine).point)


def latency_design(row: Anchor) -> Values:
    """Figure 10: time of GA100 over that of half of its cores, batch 16, four chips. [1]"""
    prompt = numbers(row.setup.partition("input")[2])[0]
    return [
        _request("GA100", prompt, answer, 16, 4) / _request("latency-oriented design", prompt, answer, 16, 4)
        for answer in OUTPUTS
    ]


def _stage(name: str, prompt: float, answer: float) -> float:
    """Figure 12: tokens a second of a stage of 12 of 96 layers, the batch as its script fills the memory. [token/s]"""
    weights, cache = 2 * 12 * 12288**2 * 12, (12 * 4 + 8) * (prompt + answer) * 12288
    batch = (float(_design(name).memory) - weights) // cache
    return batch * answer / (_request(name, prompt, answer, batch, 1) / 96) / 12


def throughput_design(row: Anchor) -> Values:
    """Figure 12: tokens a second, or over those of GA100. [token/s, 1]"""
    prompt = numbers(row.setup.partition("input")[2])[0]
    own = [_stage("throughput-oriented design", prompt, answer) for answer in OUTPUTS]
    if row.quantity.startswith("throughput"):
        return own
    return [each / _stage("GA100", prompt, answer) for each, answer in zip(own, OUTPUTS, strict=True)]


MAMF: Mapping[str, str] = MappingProxyType(
    {
        "Gaudi 2": "gaudi2", "Gaudi 3": "gaudi3", "A100 SXM": "a100-sxm-80gb", "A100 PCIe": "a100-pcie-80gb",
        "GH200": "gh200-96gb", "H100 SXM": "h100-sxm", "H200": "h200-sxm", "B200 SXM": "b200", "B200": "b200",
        "B300 SXM": "b300", "B300": "b300", "GB200": "gb200", "MI355X": "mi355x", "MI325X": "mi325x",
        "MI300X": "mi300x",
    }
)  # fmt: skip
"""Names of the rows of matrix products -> chips."""


def _peak(row: Anchor) -> float:
    """Stated peak of a row's chip in its format. [TFLOP/s]"""
    _, form, name = row.anchor.split(" ", 2)
    return chip_facts()[MAMF[name]].figures[f"{form}_flop_per_s"] / 1e12


def unseen_product(row: Anchor) -> Values:
    """Best matrix product of a chip nobody has measured: its peak at the median share of all others. [TFLOP/s]"""
    form = row.anchor.split(" ")[1]
    others = [
        (each.value or 0.0) / _peak(each) for each in chip_anchors()
        if each.anchor.startswith(f"MAMF {form}") and each.anchor != row.anchor
    ]  # fmt: skip
    return [_peak(row) * statistics.median(others)]


def groq_speed(model: str, context: int, row: Anchor) -> Values:
    """One user of the fewest chips that hold a model. [token/s]"""
    cluster = shipped.cluster("8xgroq-lpu-v1")
    talk = Talk(network=decoder(model), input=context - 200, output=200, precision="fp16")
    tried = pipelines(talk, cluster, shipped.efficiency(), spreads=(1.0,))
    return [1 / float(tried.floor)]


def groq_chips(form: str, row: Anchor) -> Values:
    """Chips that hold the weights of Llama-2-70B in a format."""
    talk = Talk(network=decoder("llama-2-70b"), precision=form)
    return [float(chips_to_hold(talk.weights, shipped.chip("groq-lpu-v1").memory))]


def reconfigurable(row: Anchor) -> Values:
    """One user of DeepSeek-R1 on sixteen SN40L that share every layer. [token/s]

    Weights are in the 8 bits that they are published in: in 16 the sixteen chips do not hold them. The row's own source
    says that whole layers are one kernel and that nothing waits between them, so nothing is launched.
    """
    cluster = replace(shipped.cluster("16xsn40l"), domain=16)
    talk = Talk(network=decoder("deepseek-r1"), input=1000, output=200, precision="fp8")
    tried = decoding(talk, cluster, shipped.efficiency(**STATIC))
    return [1 / float(tried.tpot[-1, 0])]


@dataclass(frozen=True)
class _Asked:
    """Decoding of the comparison of H20."""

    model: str = "llama-2-13b"
    output: int = 1000
    batch: int = 16


def h20(row: Anchor) -> Values:
    """Llama-2-13B at batch 16 on one chip of each, decoding only. [1]"""
    case = _Asked()
    asked = Requests(input=1, output=case.output, batch=case.batch)

    def rate(chip: str) -> float:
        machine = Machine(shipped.cluster(f"1x{chip}"), shipped.efficiency(), Plan())
        return float(serving_rate(decoder(case.model), asked, machine))

    return [rate("h20") / rate(other) for other in ("a100-sxm-80gb", "h100-sxm")]
