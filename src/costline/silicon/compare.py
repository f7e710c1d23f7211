"""Chips beside each other on the same workloads: a language model decoding, a video being made.

Each chip gets the smallest units that hold the model and the batch that serves most tokens a chip under a limit on the
time per token; dividing by chips, dollars and watts then compares them at equal chips, equal dollars and equal watts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costline.catalogue import Catalogue
from costline.engine.passes import Machine
from costline.errors import InputError
from costline.estimate import Estimate
from costline.formulas.roofline import ridge_point
from costline.formulas.sram import chips_to_hold
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.models.decoder import Decoder
from costline.models.pipeline import Pipeline
from costline.numeric import Array, Numeric
from costline.plan import Plan
from costline.silicon.owning import Owner
from costline.silicon.sram import held_in_sram, pipeline_answer
from costline.studies.choose import dividing, generation_plan, heads_of, powers_of_two
from costline.studies.clip import Clip
from costline.studies.economics import Economics
from costline.studies.generate import generate
from costline.studies.serve import Requests, serve

BATCHES = np.array([2**power for power in range(11)])
"""Batches tried for a unit of chips. [sequence]"""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Decoding: a model, its prompts and answers, and the slowest token allowed.

    Attributes
    ----------
    network : Decoder
        The model.
    input, output : int
        Prompt and answer. [token]
    tpot : float
        Longest time per token a user bears. [s]
    precision : str
        Format of weights, products and cache.
    """

    network: Decoder
    input: int = 1000
    output: int = 200
    tpot: float = 0.05
    precision: str = "bf16"


@dataclass(frozen=True, kw_only=True)
class Film:
    """Making a video clip with a pipeline."""

    pipeline: Pipeline
    clip: Clip


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One chip on one workload.

    Attributes
    ----------
    chip : str
        Its id.
    chips : float or None
        Chips of a unit that works alone.
    rate : float or None
        Output of one chip: tokens a second, or seconds of video a second. [1/s]
    wait : float or None
        Time per token, or time of a clip on the unit. [s]
    floor : float or None
        Shortest time per token of any unit, at batch 1. [s]
    joules, rent, made : float or None
        A token, or a second of video. [J, USD, USD]
    made_low, made_high : float or None
        The middle 80 % of `made`. [USD]
    hold : float
        Chips whose memory holds the weights. [chip]
    batch : float or None
        Sequences in flight on the unit.
    why : str
        What binds, or why there is no answer.
    """

    chip: str
    hold: float
    chips: float | None = None
    rate: float | None = None
    wait: float | None = None
    floor: float | None = None
    joules: float | None = None
    rent: float | None = None
    made: float | None = None
    made_low: float | None = None
    made_high: float | None = None
    batch: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Roof:
    """The roofline of a chip. [FLOP/s, byte/s, byte, FLOP/byte, W]"""

    chip: str
    peak: float | None
    bandwidth: float
    memory: float
    ridge: float | None
    tdp: float | None
    kind: str


def roof(chip: Chip, precision: str = "bf16") -> Roof:
    """Peak, bandwidth, and the intensity where one hands over to the other."""
    try:
        peak = float(chip.rate(precision))
    except InputError:
        peak = None
    bandwidth = float(chip.memory_bandwidth)
    return Roof(
        chip=chip.id,
        peak=peak,
        bandwidth=bandwidth,
        memory=float(chip.memory),
        ridge=None if peak is None else float(ridge_point(peak, bandwidth)),
        tdp=None if chip.tdp is None else float(chip.tdp),
        kind=chip.kind,
    )


def talk_answer(talk: Talk, cluster: Cluster, owner: Owner, book: Catalogue) -> Answer:
    """Decode on the best unit of a chip.

    Parameters
    ----------
    talk : Talk
        The workload.
    cluster : Cluster
        The chip, its scale-up domain and links; the number of chips is chosen.
    owner : Owner
        Prices.
    book : Catalogue
        For the coefficients.
    """
    chip = cluster.chip
    plan = Plan(weights=talk.precision, compute=talk.precision, cache=talk.precision)
    bytes_of = talk.network.params * {"bf16": 2, "fp16": 2}.get(talk.precision, 1)
    hold = float(chips_to_hold(bytes_of, chip.memory))
    try:
        chip.rate(talk.precision)
    except InputError as error:
        return Answer(chip=chip.id, hold=hold, why=str(error))
    if held_in_sram(chip):
        busy = pipeline_answer(talk, cluster, plan, book)
        return _priced(Answer(chip=chip.id, hold=hold, **busy), owner)
    estimate, units, batches = _units(talk, cluster, plan, book)
    picked = _pick(estimate, units, talk.tpot)
    if picked is None:
        why = f"does not fit in {int(units.max())} chips, the scale-up domain" if not np.any(estimate.feasible) else ""
        return Answer(chip=chip.id, hold=hold, why=why or f"slower than {talk.tpot * 1e3:.0f} ms a token")
    best, floor = picked
    answer = Answer(
        chip=chip.id,
        hold=hold,
        chips=float(units[best]),
        batch=float(batches[best]),
        rate=float(_flat(estimate["output_rate"], units)[best] / units[best]),
        wait=float(_flat(estimate["tpot"], units)[best]),
        floor=floor,
        joules=None
        if estimate["energy_output"] is None
        else float(_flat(estimate["energy_output"], units)[best]),
        why=f"bound by {_binds(estimate, best)}",
    )
    return _priced(answer, owner)


def _units(talk: Talk, cluster: Cluster, plan: Plan, book: Catalogue) -> tuple[Estimate, Array, Array]:
    """Serve on every unit and batch at once."""
    tensor = dividing(powers_of_two(min(cluster.domain, 64)), heads_of(talk.network))
    units, batches = (mesh.ravel() for mesh in np.meshgrid(np.array(tensor), BATCHES, indexing="ij"))
    machine = Machine(replace(cluster, chips=units), book.efficiency(), replace(plan, tensor=units))
    asked = Requests(input=talk.input, output=talk.output, batch=batches)
    pue = book.pue().value
    return serve(talk.network, asked, machine, Economics(pue=pue)), units, batches


def _flat(value: Numeric | None, like: Array) -> Array:
    return np.broadcast_to(np.asarray(np.nan if value is None else value, dtype=float), like.shape)


def _pick(estimate: Estimate, units: Array, limit: float) -> tuple[int, float] | None:
    """The point with most tokens a chip within the limit, and the shortest time per token of all."""
    tpot = _flat(estimate["tpot"], units)
    fits = np.broadcast_to(np.asarray(estimate.feasible), units.shape)
    if not fits.any():
        return None
    floor = float(tpot[fits].min())
    good = fits & (tpot <= limit)
    if not good.any():
        return None
    each = np.where(good, _flat(estimate["output_rate"], units) / units, -np.inf)
    return int(np.argmax(each)), floor


def _binds(estimate: Estimate, best: int) -> str:
    """Which of arithmetic and memory is nearer its peak while decoding."""
    math, memory = (np.ravel(np.asarray(estimate[name]))[best] for name in ("decode_mfu", "decode_mbu"))
    return "arithmetic" if math > memory else "memory"


def _priced(answer: Answer, owner: Owner) -> Answer:
    """Dollars of a token or of a second of video, from the output of one chip."""
    if not answer.rate:
        return answer
    fed = (answer.joules or 0.0) * owner.energy

    def dollars(rate: Any) -> float | None:
        return None if rate is None else float(rate) / answer.rate  # type: ignore[operator]

    made = {name: dollars(getattr(owner, name)) for name in ("made", "made_low", "made_high")}
    return replace(
        answer,
        rent=dollars(owner.rent),
        **{name: None if value is None else value + fed for name, value in made.items()},
    )


def film_answer(film: Film, cluster: Cluster, owner: Owner, book: Catalogue) -> Answer:
    """Make a clip on the fewest chips that hold the pipeline."""
    chip = cluster.chip
    network = film.pipeline.transformers[0][0]
    hold = float(chips_to_hold(network.params * 2, chip.memory))
    why = ""
    for chips in powers_of_two(min(cluster.domain, 8)):
        machine = Machine(replace(cluster, chips=chips), book.efficiency(), Plan())
        try:
            choice = generation_plan(film.pipeline, film.clip, machine, {})
        except InputError as error:
            return Answer(chip=chip.id, hold=hold, why=str(error))
        if not choice.fitting:
            why = f"does not fit in {chips} chips"
            continue
        machine = replace(machine, plan=choice.plan)
        estimate = generate(film.pipeline, film.clip, machine, Economics(pue=book.pue().value))
        seconds = float(film.clip.seconds)
        energy = estimate["energy"]
        answer = Answer(
            chip=chip.id,
            hold=hold,
            chips=float(chips),
            rate=seconds / (float(estimate.figure("time").amount) * chips),
            wait=float(estimate.figure("time").amount),
            joules=None if energy is None else float(energy) / seconds,
            why=estimate.figure("time").note,
        )
        return _priced(answer, owner)
    return Answer(chip=chip.id, hold=hold, why=why)
