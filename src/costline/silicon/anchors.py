"""Published results beside what the models of silicon give for them, row by row of the table of anchors.

A row is *matched* when the model, from the row's own inputs, is within the tolerance of its rule; *outside* when it is
not; *not modelled* when inputs are missing or the row is an input itself. Nothing that was derived from a row is used
to predict it.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from costline.catalogue import chip_anchors, chip_facts
from costline.catalogue.facts import Anchor, chip_costs
from costline.formulas.silicon import die_cost, dies_per_wafer, negative_binomial_yield
from costline.silicon.anchor_reasons import why_missed
from costline.silicon.anchor_runs import run_cost, training_runs
from costline.silicon.anchor_speeds import (
    all_reduce,
    groq_chips,
    groq_speed,
    h20,
    latency_design,
    numbers,
    product,
    reconfigurable,
    throughput_design,
    unseen_product,
)
from costline.silicon.area import core_blocks, die_blocks, total_area
from costline.silicon.cost import bill, silicon_of
from costline.silicon.known import DIES
from costline.silicon.pim_rows import predictions

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

    @property
    def why(self) -> str:
        """Why it is not matched; empty if it is."""
        return {"matched": "", "outside": why_missed(self.anchor, self.quantity)}.get(self.status, self.how)


@dataclass(frozen=True)
class Rule:
    """How rows whose anchor and quantity match are computed."""

    anchor: str
    quantity: str
    tolerance: float
    how: str
    model: Callable[[Anchor], Values] | None = None
    stated: Callable[[Anchor], Values] | None = None


def _value(row: Anchor) -> Values:
    return [row.value] if row.value is not None else numbers(row.text)


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
    return results[: len(numbers(row.text))]


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


def _cent_design(row: Anchor) -> Values:
    """One-time cost of CENT's controller, item by item. [USD]"""
    items = [each for each in chip_costs() if each.item.startswith("CENT ") and not each.item.startswith("CENT TOTAL")]
    return [sum(each.value or 0.0 for each in items)]


def _cent_dollars(row: Anchor) -> Values:
    """Tokens for a dollar over those of the GPUs. [1]"""
    made = [each.predicted for each in predictions() if each.metric == "tokens per dollar" and each.predicted]
    return [statistics.geometric_mean(made)]


OWN = "the figure is an input of the models"
SHARE = "its share of a bill is an input; the model's 10 % to 40 % comes from these rows"
RULES: tuple[Rule, ...] = (
    Rule("LLMCompass", "die area total", 0.04, "blocks of the published configuration", _area),
    Rule("LLMCompass", "raw die cost", 0.01, "wafer over dies, no rim", partial(_ttm_die, good=False)),
    Rule("LLMCompass", "good-die cost", 0.01, "negative binomial, 0.15 /cm2, clusters 3",
         partial(_ttm_die, good=True)),
    Rule("GA100 real die photo", "", 0.05, "sum of the blocks of GA100", _photo,
         lambda row: [sum(numbers(row.text))]),
    Rule("Aldebaran real die photo", "", 0.10, "sum of the blocks of MI210", _photo,
         lambda row: [sum(numbers(row.text))]),
    Rule("SM/CU area", "", 0.10, "blocks of a core", _cores),
    Rule("H100 SXM BOM", "total", 0.25, "bill of materials without its own memory price",
         partial(_bill, "h100-sxm", "total")),
    Rule("H100 SXM BOM", "logic die", 0.35, "harvested die: 132 of 144 SMs",
         partial(_bill, "h100-sxm", "logic dies")),
    Rule("H100 SXM BOM", "HBM3", 0.25, "80 GB at the median of other prices", partial(_bill, "h100-sxm", "memory")),
    Rule("H100 SXM BOM", "CoWoS", 0, f"{OWN}: the price of an interposer's area"),
    Rule("H100 SXM BOM", "test", 0, SHARE),
    Rule("B100 BOM", "total", 0.25, "the two dies and eight stacks of a B200", partial(_bill, "b200", "total")),
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
         partial(product, "a100-sxm-80gb")),
    Rule("MI210 matmul", "M=16384", 0, "the coefficient of MI210 comes from this row"),
    Rule("MI210 matmul", "M=", 0.15, "roofline with the coefficients of the engine", partial(product, "mi210")),
    Rule("A100x4 all-reduce", "size 8 B", 0, "the latency of links comes from this row"),
    Rule("A100x4 all-reduce", "", 0.20, "bytes over 0.7 of the links (calculon), and that latency", all_reduce),
    Rule("MAMF", "", 0.35, "a chip nobody has measured: its peak at the median share of all others", unseen_product),
    Rule("Groq LPU v1", "SRAM", 0, OWN),
    Rule("Groq LPU v1", "fp16", 0, OWN),
    Rule("Groq LPU v1", "Llama-2-70B", 0.35, "layers split over the chips that hold them, one user",
         partial(groq_speed, "llama-2-70b", 4096)),
    Rule("Groq LPU v1", "Llama-2-7B later", 0.35, "layers split over the chips that hold them, one user",
         partial(groq_speed, "llama-2-7b", 2048)),
    Rule("Groq LPU v1", "Llama-2-7B", 0.35, "layers split over the chips that hold them, one user",
         partial(groq_speed, "llama-2-7b", 2048)),
    Rule("Groq LPU v1", "Mixtral", 0.35, "layers split over the chips that hold them, one user",
         partial(groq_speed, "mixtral-8x7b", 4096)),
    Rule("Groq LPU v1", "chips for 70B fp16", 0.06, "weights over 230 MB", partial(groq_chips, "fp16"),
         lambda row: [573.0]),
    Rule("Groq LPU v1", "chips for 70B int8", 0.06, "weights over 230 MB", partial(groq_chips, "int8")),
    Rule("Groq LPU v1", "", 0, "a deployment, not a result of the chip"),
    Rule("H20 vs A100/H100", "", 0.20, "decoding 1,000 tokens at batch 16 (length assumed)", h20,
         lambda row: numbers(row.text.replace("A100", "").replace("H100", ""))),
    Rule("LLMCompass latency design", "performance", 0.15, "kernels of GPT-3 175B, batch 16 (its script)",
         latency_design),
    Rule("LLMCompass throughput design", "", 0.20, "kernels of 12 layers, the batch as its script fills 512 GB",
         throughput_design),
    Rule("LLMCompass", "best perf", 0, "the prices of memory behind it are not stated"),
    Rule("LLMCompass", "error", 0, "an error of another model, not a result of hardware"),
    *(Rule(f"Epoch training cost {run}", "", 0.2, "published chip-hours at the first listed price, Epoch's own factors",
           run_cost) for run in training_runs()),
    Rule("Epoch training cost", "", 0, "a training run whose trainers published no chip-hours"),
    Rule("CENT", "NRE", 0.01, "sum of mask, labour, tools, licences, package and system", _cent_design),
    Rule("CENT", "", 0.25, "geometric mean of the three models of costline chip pim", _cent_dollars),
    Rule("Chiplet Cloud", "", 0, "chips, models and prices behind the factor are not stated"),
    Rule("CloudMatrix384", "MLA", 0, "a share of peak that one kernel of its own software reaches"),
    Rule("CloudMatrix384", "", 0, "experts over 320 chips, which chip compare does not plan: costline plan serve"),
    Rule("SN40L", "", 0.35, "sixteen chips share every layer, one user, the published 8-bit weights, layers fused",
         reconfigurable),
    Rule("TPU v5e", "", 0, "neither batch nor lengths are stated"),
)  # fmt: skip
"""The first rule whose words fit a row is used."""

BILLS = {
    "GB200 superchip": "the area of its Grace processor is unknown",
    "MI355X": "the areas of its dies are unknown",
}


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
        stated = numbers(re.sub(r"actuary|ttm-cas", "", row.text))
    return _answer(row, tuple(stated)[: len(modelled)], tuple(modelled), rule.tolerance, rule.how)


def _answer(
    row: Anchor, stated: tuple[float, ...], modelled: tuple[float, ...], tolerance: float, how: str
) -> Reproduction:
    return Reproduction(
        anchor=row.anchor, quantity=row.quantity, unit=row.unit, source=row.source, stated=stated, modelled=modelled,
        tolerance=tolerance, how=how,
    )  # fmt: skip
