"""How sure an answer is: its 80 % interval, and the published cases nearest to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from costline.catalogue.software_table import all_software
from costline.catalogue.validated_table import Validated, factor_of, is_time, validated_cases
from costline.engine.passes import Machine
from costline.estimate import Assumption, Estimate, Figure
from costline.models.network import Network
from costline.numeric import Numeric
from costline.plan import Plan
from costline.report.values import text
from costline.studies.likeness import Likeness, Question, likeness
from costline.studies.targets import generation_target, serving_target, training_target

TIMES: Mapping[str, tuple[str, ...]] = {
    "train": ("time", "step", "cost"),
    "serve": ("tpot", "latency", "cost_input", "cost_output", "cost_per_request"),
    "generate": ("time", "cost", "cost_per_second", "seconds_per_second"),
    "caption": ("time", "cost", "cost_per_clip"),
}
"""Figures that grow with the time, by study."""
RATES: Mapping[str, tuple[str, ...]] = {
    "train": ("mfu", "mfu_full", "hfu", "tokens_per_second", "tokens_per_second_per_chip"),
    "serve": ("output_rate", "output_rate_per_chip", "total_rate"),
    "generate": ("mfu", "clips_per_hour", "images_per_hour"),
    "caption": (),
}
"""Figures that fall with it."""
USED: Mapping[str, tuple[str, ...]] = {"train": ("hfu",), "serve": ("decode_mfu", "decode_mbu"), "generate": ("mfu",)}
"""Shares of peaks that a prediction uses: a job that took less than that share of its time would exceed a peak."""
NORMAL = 1.2816
"""Half width of an 80 % interval, in standard deviations."""
SHOWN = 2
"""Cases an answer names."""
OUTSIDE = "outside the validated range: no published case is near, the 80 % interval is widened"


def earned(
    estimate: Estimate, network: Network, machine: Machine, batch: Numeric, sequence: Numeric, *, static: bool = False
) -> Estimate:
    """An estimate with intervals from the held-out errors of published cases like it.

    Parameters
    ----------
    estimate : Estimate
        The answer to a single question; one about many points or about ranges is returned as it is.
    network : Network
        What runs; of a pipeline its transformer.
    machine : Machine
        Where and how.
    batch, sequence : float or array
        Sequences in flight or of a step; tokens of the longest. [sequence, token]
    static : bool
        Whether a served batch starts together.
    """
    plain = all(np.ndim(value) == 0 for value in (batch, sequence, machine.cluster.chips, network.active_params))
    plain = plain and all(
        np.ndim(figure.value) == 0 for figure in estimate.figures.values() if figure.value is not None
    )
    if not plain or estimate.feasible is False:
        return estimate
    study = "serve" if estimate.study == "caption" else estimate.study
    cases = validated_cases(study, measured=machine.efficiency.kernels is not None)
    numbers = {
        "params": float(network.active_params), "chips": float(machine.cluster.chips), "batch": float(batch),
        "sequence": float(sequence),
    }  # fmt: skip
    words = {"model": str(estimate.inputs["model"]), **_words(machine)}
    figures = dict(estimate.figures)
    found: Likeness | None = None
    doubt = 0.0 if machine.plan.software else unnamed_doubt(estimate.study, machine)
    for names, target, used in _targets(estimate.study, network, machine.plan, static, batch):
        like = likeness(Question(targets=(target,), words=words, numbers=numbers), cases)
        if like is None:
            continue
        like = like.widened(doubt).within_peaks(_most_used(estimate, used))
        found = found or like
        for name in names:
            if name in figures:
                figures[name] = _within(figures[name], like, name in RATES[estimate.study])
    if found is None:
        return estimate
    said = (*estimate.warnings, OUTSIDE) if found.outside else estimate.warnings
    near = tuple(nearest_note(cases, row) for row in found.nearest[:SHOWN])
    return replace(estimate, figures=figures, warnings=said, assumptions=(*near, *estimate.assumptions))


def unnamed_doubt(study: str, machine: Machine) -> float:
    """Logarithm of the factor by which the time of kernels differs between software that might run, 80 % of it.

    An answer that names no software takes the average one; published cases name theirs.
    """
    if "software" in machine.efficiency.stated:
        return 0.0
    kind, table, chip = "serve" if study == "caption" else study, machine.efficiency, machine.cluster.chip
    engines = [each.id for each in all_software() if each.study == kind]
    return NORMAL * float(np.std([math.log(table.look("software", chip, engine).value) for engine in engines]))


def _words(machine: Machine) -> dict[str, str]:
    chip, plan = machine.cluster.chip, machine.plan
    return {
        "chip": chip.id, "family": chip.family, "vendor": chip.vendor,
        "software": plan.software, "format": plan.compute,
    }  # fmt: skip


def _targets(
    study: str, network: Network, plan: Plan, static: bool, batch: Numeric
) -> list[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Figures, the target of accuracy whose cases speak for them, shares of peaks they use; the headline's first."""
    names, used = (*TIMES[study], *RATES[study]), USED.get(study, ())
    if study == "train":
        return [(names, training_target(network), used)]
    if study == "generate":
        return [(names, generation_target(plan), used)]
    alone = static or float(batch) <= 1
    # A first token that waited for others is no measure of how fast its own pass may be.
    first = ("prefill_mfu", "prefill_mbu") if alone else ()
    return [
        (names, serving_target(first=False, alone=alone), used),
        (("ttft",), serving_target(first=True, alone=alone), first),
    ]


def _most_used(estimate: Estimate, names: tuple[str, ...]) -> float:
    """The largest share of a peak an estimate uses; 0 where none is known."""
    values = [estimate.figures[name].value for name in names if name in estimate.figures]
    return max((float(value) for value in values if value is not None), default=0.0)


def _within(figure: Figure, like: Likeness, rate: bool) -> Figure:
    """The figure with its interval; of a rate the inverse."""
    if figure.value is None:
        return figure
    value, (low, high) = float(figure.value), (1 / like.high, 1 / like.low) if rate else (like.low, like.high)
    return replace(figure, interval=(value * low, value * high), falls=rate)


def nearest_note(cases: Validated, row: int) -> Assumption:
    """A published case and how it was predicted: by coefficients fitted without it, or with measured kernels."""
    words = {name: str(column[row]) for name, column in cases.words.items()}
    numbers = {name: float(column[row]) for name, column in cases.numbers.items()}
    metric = words["metric"]
    slow = numbers["error"] if is_time(metric) else -numbers["error"]
    measured = numbers["measured"] / factor_of(metric)
    unit = "s" if is_time(metric) else "token/s"
    about = ", ".join(filter(None, (words["software"], words["format"], words["run"])))
    software = f" ({about})" if about else ""
    said = (
        f"{words['model']} on {numbers['chips']:.0f}×{words['chip']}{software}: {_name(metric)} measured "
        f"{text(measured, unit)}, predicted {text(measured * math.exp(slow), unit)}"
    )
    return Assumption(name="nearest", value=said, kind=words["id"])


def _name(metric: str) -> str:
    """A metric without its unit, in words.

    Examples
    --------
    >>> _name("tpot_ms"), _name("step_time_s"), _name("tokens_per_s_per_gpu"), _name("e2e_s")
    ('TPOT', 'step time', 'tokens a chip', 'time')
    """
    name = metric.removesuffix("_ms").removesuffix("_s").removesuffix("_per").replace("_per_s_per_gpu", "_a_chip")
    known = {"tpot": "TPOT", "ttft": "TTFT", "itl": "TPOT", "e2e": "time", "dit_total": "denoising"}
    known |= {"dit_step": "denoising step", "s_per_it": "step"}
    return known.get(name, name.replace("_", " "))
