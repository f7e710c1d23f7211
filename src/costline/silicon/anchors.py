"""Published results beside what the models of silicon give for them, row by row of the table of anchors.

A row is *matched* when the model, from the row's own inputs, is within the tolerance of its rule; *outside* when it is
not; *not modelled* when inputs are missing or the row is an input itself. Nothing that was derived from a row is used
to predict it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from costline.catalogue import chip_anchors, chip_facts, shipped
from costline.catalogue.facts import Anchor, chip_costs
from costline.engine.passes import Machine
from costline.formulas.roofline import kernel_time, math_time, memory_time
from costline.formulas.silicon import die_cost, dies_per_wafer, negative_binomial_yield
from costline.formulas.sram import chips_to_hold
from costline.models.decoder import Decoder
from costline.plan import Plan
from costline.silicon.area import core_blocks, die_blocks, total_area
from costline.silicon.cost import bill, silicon_of
from costline.silicon.decoding import Talk
from costline.silicon.known import DIES
from costline.silicon.sram import pipelines
from costline.studies.serve import Requests, serving_rate

Values = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """An anchor and what the models make of it.

    Attributes
    ----------
    anchor, quantity, unit, source : str
        The row.
    stated, modelled : tuple of float
        Its figures, and the models'; empty where it is not modelled.
    tolerance : float
        Within which the rule calls it matched. [1]
    how : str
        How it is computed, or why it is not.
    """

    anchor: str
    quantity: str
    unit: str
    source: str
    stated: tuple[float, ...]
    modelled: tuple[float, ...]
    tolerance: float
    how: str

    @property
    def errors(self) -> tuple[float, ...]:
        """Modelled over stated, less one. [1]"""
        return tuple(model / real - 1 for model, real in zip(self.modelled, self.stated, strict=True))

    @property
    def status(self) -> str:
        """Matched, outside, or not modelled."""
        if not self.modelled:
            return "not modelled"
        return "matched" if all(abs(error) <= self.tolerance for error in self.errors) else "outside"


@dataclass(frozen=True)
class Rule:
    """How rows whose anchor and quantity match are computed."""

    anchor: str
    quantity: str
    tolerance: float
    how: str
    model: Callable[[Anchor], Values] | None = None
    stated: Callable[[Anchor], Values] | None = None


def _numbers(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"\d+(?:\.\d+)?", text)]


def _value(row: Anchor) -> Values:
    return [row.value] if row.value is not None else _numbers(row.text)


def _die(row: Anchor) -> str:
    return next(name for name in DIES if re.split("[- ]", name)[0] in row.anchor)


def _area(row: Anchor) -> Values:
    return [float(total_area(die_blocks(DIES[_die(row)]))) * 1e6]


def _stated_area(row: Anchor) -> float:
    areas = [each for each in chip_anchors() if each.quantity.startswith("die area total")]
    area = next(each.value for each in areas if _die(each) == _die(row))
    return (area or 0.0) * 1e-6


ACTUARY, TTM = "Yinxiao-Feng/chiplet-actuary", "PrincetonUniversity/ttm-cas"


def _published(category: str, node: str, source: str) -> float:
    """A figure that one of the two open models uses, in its own unit."""
    rows = (row for row in chip_costs() if row.category == category and row.technology == node and source in row.source)
    return next(row.value or 0.0 for row in rows)


def _ttm_die(row: Anchor, good: bool) -> Values:
    """Die cost of TTM-CAS: no rim, no scribe line, 0.15 defects on a cm2 in clusters of 3."""
    area = _stated_area(row)
    density = _published("defect_density", "7 nm", TTM) * 1e4
    share = negative_binomial_yield(area, density, 3.0) if good else 1.0
    return [float(die_cost(_published("wafer_price", "7 nm", TTM), dies_per_wafer(area, 0.3, 0.0), share))]


def _two_models(area: float, node: str, row: Anchor) -> Values:
    """Raw and good-die cost, yield and dies of Chiplet Actuary, then of TTM-CAS."""
    results: list[float] = []
    scribed = (area**0.5 + 0.2e-3) ** 2
    for square, edge, model, clusters in ((scribed, 5e-3, ACTUARY, 10.0), (area, 0.0, TTM, 3.0)):
        wafer = _published("wafer_price", node, model)
        density = _published("defect_density", node, model) * 1e4
        dies = dies_per_wafer(square, 0.3, edge)
        share = negative_binomial_yield(area, density, clusters)
        results += [float(die_cost(wafer, dies, 1.0)), float(die_cost(wafer, dies, share)), float(share), float(dies)]
    return results[: len(_numbers(row.text))]


def _groq_die(row: Anchor) -> Values:
    raw, good, share, _ = _two_models(725e-6, "14 nm", replace(row, text="1 1 1 1"))
    return [raw, good, share]


def _photo(row: Anchor) -> Values:
    name = "GA100" if "GA100" in row.anchor else "MI210"
    return [float(total_area(die_blocks(DIES[name]))) * 1e6]


def _cores(row: Anchor) -> Values:
    return [float(total_area(core_blocks(DIES[name].core, DIES[name].process))) * 1e6 for name in ("GA100", "MI210")]


def _bill(chip: str, item: str, row: Anchor) -> Values:
    """An item of a bill of materials; the price of its own memory, which is derived from the bill, is left out."""
    silicon = replace(silicon_of(chip_facts()[chip]), price_without=chip.partition("-")[0].upper())
    made = bill(silicon)
    if item == "total":
        return [float(made.materials)]
    if item == "die + memory + package":
        return [float(made.dies + made.memory + made.package)]
    return [float(made.items[item])]


def _product(chip: str, row: Anchor) -> Values:
    """Time of a matrix product, weights and activations read once. [ms]"""
    rows = _numbers(row.quantity)[0]
    width, machine = 12288, shipped.sourced_efficiency()
    one = shipped.chip(chip)
    math = math_time(2 * rows * width**2, one.rate("fp16"), machine.value("gemm", one))
    moved = 2 * (width**2 + 2 * rows * width)
    memory = memory_time(moved, one.memory_bandwidth, machine.value("memory", one))
    return [float(kernel_time(math, memory, machine.value("launch", one, "eager"))) * 1e3]


def _decoder(name: str) -> Decoder:
    found = shipped.model(name)
    if not isinstance(found, Decoder):
        raise TypeError(name)
    return found


def _groq_speed(model: str, context: int, row: Anchor) -> Values:
    """One user of the fewest chips that hold a model. [token/s]"""
    cluster = shipped.cluster("8xgroq-lpu-v1")
    talk = Talk(network=_decoder(model), input=context - 200, output=200, precision="fp16")
    tried = pipelines(talk, cluster, shipped.efficiency(), spreads=(1.0,))
    return [1 / float(tried.floor)]


def _groq_chips(row: Anchor) -> Values:
    return [float(chips_to_hold(_decoder("llama-2-70b").params * 2.0, shipped.chip("groq-lpu-v1").memory))]


def _h20(row: Anchor) -> Values:
    """Llama-2-13B at batch 16 on one chip of each, decoding only. [1]"""
    asked = Requests(input=1, output=1000, batch=16)

    def rate(chip: str) -> float:
        machine = Machine(shipped.cluster(f"1x{chip}"), shipped.efficiency(), Plan())
        return float(serving_rate(_decoder("llama-2-13b"), asked, machine))

    return [rate("h20") / rate(other) for other in ("a100-sxm-80gb", "h100-sxm")]


OWN = "the figure is an input of the models"
SHARE = "its share of a bill is an input; the model's 10 % to 40 % comes from these rows"
RULES: tuple[Rule, ...] = (
    Rule("LLMCompass", "die area total", 0.04, "blocks of the published configuration", _area),
    Rule("LLMCompass", "raw die cost", 0.01, "wafer over dies, no rim", partial(_ttm_die, good=False)),
    Rule("LLMCompass", "good-die cost", 0.01, "negative binomial, 0.15 /cm2, clusters 3",
         partial(_ttm_die, good=True)),
    Rule("GA100 real die photo", "", 0.05, "sum of the blocks of GA100", _photo,
         lambda row: [sum(_numbers(row.text))]),
    Rule("Aldebaran real die photo", "", 0.10, "sum of the blocks of MI210", _photo,
         lambda row: [sum(_numbers(row.text))]),
    Rule("SM/CU area", "", 0.10, "blocks of a core", _cores),
    Rule("H100 SXM BOM", "total", 0.25, "bill of materials without its own memory price",
         partial(_bill, "h100-sxm", "total")),
    Rule("H100 SXM BOM", "logic die", 0.35, "harvested die: 132 of 144 SMs",
         partial(_bill, "h100-sxm", "logic dies")),
    Rule("H100 SXM BOM", "HBM3", 0.25, "80 GB at the median of other prices", partial(_bill, "h100-sxm", "memory")),
    Rule("H100 SXM BOM", "CoWoS", 0, f"{OWN}: the price of an interposer's area"),
    Rule("H100 SXM BOM", "test", 0, SHARE),
    Rule("B200 BOM", "total", 0.25, "bill of materials without its own memory price",
         partial(_bill, "b200", "total")),
    Rule("B200 BOM", "logic dies", 0.35, "two harvested dies", partial(_bill, "b200", "logic dies")),
    Rule("B200 BOM", "HBM3e", 0.25, "180 GB at the median of other prices", partial(_bill, "b200", "memory")),
    Rule("B200 BOM", "CoWoS-L", 0.25, "interposer area at the H100's price of an area",
         partial(_bill, "b200", "package")),
    Rule("B200 BOM", "yield loss", 0.35, "2 dies and 8 stacks bonded, each 98 %",
         partial(_bill, "b200", "failed assemblies")),
    Rule("B200 BOM", "other", 0, SHARE),
    Rule("MI300X BOM", "test", 0, SHARE),
    Rule("MI300X BOM", "total", 0.25, "three equal dies for 8 compute and 4 base dies",
         partial(_bill, "mi300x", "total")),
    Rule("MI300X BOM", "logic", 0.35, "three equal dies for 8 compute and 4 base dies",
         partial(_bill, "mi300x", "logic dies")),
    Rule("MI300X BOM", "HBM3", 0.25, "192 GB at the median of other prices", partial(_bill, "mi300x", "memory")),
    Rule("MI300X BOM", "packaging", 0.35, "interposer area at the H100's price of an area",
         partial(_bill, "mi300x", "package")),
    Rule("H200 BOM", "total", 0.25, "bill of materials", partial(_bill, "h200-sxm", "total")),
    Rule("MI325X BOM", "total", 0.25, "the catalogue's area is of one level of dies only",
         partial(_bill, "mi325x", "total")),
    Rule("H100 (alt)", "", 0.25, "die, memory and package", partial(_bill, "h100-sxm", "die + memory + package")),
    Rule("H100 die by two", "", 0.01, "both published models", partial(_two_models, 814e-6, "5 nm")),
    Rule("A100 die by two", "", 0.01, "both published models", partial(_two_models, 826e-6, "7 nm")),
    Rule("TPU v5e die", "", 0.01, "both published models, 5 nm", partial(_two_models, 325e-6, "5 nm")),
    Rule("L4 AD104", "", 0.01, "both published models", partial(_two_models, 294e-6, "5 nm")),
    Rule("Groq LPU die", "", 0.02, "Chiplet Actuary at 14 nm", _groq_die),
    Rule("A100 matmul", "M=", 0.15, "roofline with the coefficients of the engine",
         partial(_product, "a100-sxm-80gb")),
    Rule("MI210 matmul", "M=16384", 0, "the coefficient of MI210 comes from this row"),
    Rule("MI210 matmul", "M=", 0.15, "roofline with the coefficients of the engine", partial(_product, "mi210")),
    Rule("A100x4 all-reduce", "", 0, "the coefficients of links come from these rows"),
    Rule("MAMF", "", 0, "the coefficients of matrix products are these rows"),
    Rule("Groq LPU v1", "SRAM", 0, OWN),
    Rule("Groq LPU v1", "fp16", 0, OWN),
    Rule("Groq LPU v1", "Llama-2-70B", 0.35, "layers split over the chips that hold them, one user",
         partial(_groq_speed, "llama-2-70b", 4096)),
    Rule("Groq LPU v1", "Llama-2-7B later", 0.35, "layers split over the chips that hold them, one user",
         partial(_groq_speed, "llama-2-7b", 2048)),
    Rule("Groq LPU v1", "Llama-2-7B", 0.35, "layers split over the chips that hold them, one user",
         partial(_groq_speed, "llama-2-7b", 2048)),
    Rule("Groq LPU v1", "Mixtral", 0.35, "layers split over the chips that hold them, one user",
         partial(_groq_speed, "mixtral-8x7b", 4096)),
    Rule("Groq LPU v1", "chips for 70B fp16", 0.06, "weights over 230 MB", _groq_chips, lambda row: [573.0]),
    Rule("Groq LPU v1", "", 0, "a deployment, not a result of the chip"),
    Rule("H20 vs A100/H100", "", 0.20, "decoding 1,000 tokens at batch 16 (length assumed)", _h20,
         lambda row: _numbers(row.text.replace("A100", "").replace("H100", ""))),
    Rule("LLMCompass", "performance", 0,
         "the batch is not stated"),
    Rule("LLMCompass throughput", "", 0, "the design holds 160 GB in one place and 512 GB in another"),
    Rule("LLMCompass", "", 0, "a headline without its configuration"),
    Rule("Epoch training cost", "", 0, "a training run: costline train"),
    Rule("CENT", "NRE", 0, OWN),
    Rule("CENT", "", 0, "see costline chip pim"),
    Rule("Chiplet Cloud", "", 0, "a claim without its configuration"),
    Rule("CloudMatrix384", "", 0, "a measurement of serving: batch and plan not stated"),
    Rule("SN40L", "", 0, "power and process of its two dies are not known"),
    Rule("TPU v5e", "", 0, "batch not stated"),
)  # fmt: skip
"""The first rule whose words fit a row is used."""

BILLS = {"GB200 superchip": "die area unknown", "MI355X": "die area unknown", "B100": "die area unknown"}


def reproductions() -> list[Reproduction]:
    """Every row of the table of anchors."""
    return [_reproduce(row) for row in chip_anchors()]


def _reproduce(row: Anchor) -> Reproduction:
    reason = next((why for words, why in BILLS.items() if row.anchor.startswith(words)), "")
    fits = (each for each in RULES if row.anchor.startswith(each.anchor) and row.quantity.startswith(each.quantity))
    rule = None if reason else next(fits, None)
    if rule is None or rule.model is None:
        how = reason or (rule.how if rule else "no rule")
        return _answer(row, (), (), 0.0, how)
    stated = rule.stated(row) if rule.stated else _value(row)
    modelled = rule.model(row)
    if "actuary" in row.text:
        stated = _numbers(re.sub(r"actuary|ttm-cas", "", row.text))
    return _answer(row, tuple(stated)[: len(modelled)], tuple(modelled), rule.tolerance, rule.how)


def _answer(
    row: Anchor, stated: tuple[float, ...], modelled: tuple[float, ...], tolerance: float, how: str
) -> Reproduction:
    return Reproduction(
        anchor=row.anchor, quantity=row.quantity, unit=row.unit, source=row.source, stated=stated, modelled=modelled,
        tolerance=tolerance, how=how,
    )  # fmt: skip
