"""Chips beside each other on the same workloads: a language model decoding, a video being made.

Each chip gets the smallest units that hold the model and the batch that serves most tokens a chip under a limit on the
time per token; dividing by chips, dollars and watts then compares them at equal chips, equal dollars and equal watts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from costline.precision import element_bytes
from costline.silicon.owning import Owner
from costline.silicon.pim import Device, decode_split
from costline.silicon.sram import held_in_sram, pipeline_answer
from costline.studies.choose import generation_plan
from costline.studies.clip import Clip
from costline.studies.economics import Economics
from costline.studies.formats import widened
from costline.studies.generate import generate
from costline.studies.serve import Requests, serve
from costline.studies.serving_memory import serving_memory
from costline.studies.space import dividing, heads_of, powers_of_two

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
        Format of weights, cache, and products where the chip multiplies in it; else these are wider.
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


def film_of(pipeline: Pipeline) -> Film:
    """A clip as the pipeline makes it by default; 720p and 50 steps where it does not say."""
    clip = Clip(
        frames=pipeline.frames or 121, height=pipeline.height or 720, width=pipeline.width or 1280,
        fps=pipeline.fps or 24.0, steps=pipeline.steps or 50, branches=pipeline.branches or 2,
    )  # fmt: skip
    return Film(pipeline=pipeline, clip=clip)


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
    """The roofline of a chip. [FLOP/s, byte/s, byte, FLOP/byte, W]

    `products` says in which format it multiplies, where that is not the one asked about.
    """

    chip: str
    peak: float | None
    bandwidth: float
    memory: float
    ridge: float | None
    tdp: float | None
    kind: str
    products: str = ""


def roof(chip: Chip, precision: str = "bf16") -> Roof:
    """Peak, bandwidth, and the intensity where one hands over to the other."""
    try:
        peak, products = float(chip.rate(precision)), widened(chip, precision)[1]
    except InputError:
        peak, products = None, ""
    bandwidth = float(chip.memory_bandwidth)
    return Roof(
        chip=chip.id,
        peak=peak,
        bandwidth=bandwidth,
        memory=float(chip.memory),
        ridge=None if peak is None else float(ridge_point(peak, bandwidth)),
        tdp=None if chip.tdp is None else float(chip.tdp),
        kind=chip.kind,
        products=products,
    )


def talk_answer(talk: Talk, cluster: Cluster, owner: Owner, book: Catalogue, memory: Device | None = None) -> Answer:
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
    memory : Device, optional
        Memory that computes, in place of the chip's own.
    """
    chip = cluster.chip
    bytes_of = talk.network.params * element_bytes(talk.precision) * (1.0 if memory is None else memory.duplicate)
    hold = float(chips_to_hold(bytes_of, chip.memory))
    try:
        compute = chip.rate_format(talk.precision)
    except InputError as error:
        return Answer(chip=chip.id, hold=hold, why=str(error))
    plan = Plan(weights=talk.precision, compute=compute, cache=talk.precision)
    if held_in_sram(chip):
        busy = pipeline_answer(talk, cluster, plan, book)
        return _priced(Answer(chip=chip.id, hold=hold, **busy), owner)
    tried = _units(talk, cluster, plan, book, memory)
    picked = _pick(tried, talk.tpot)
    if picked is None:
        limit = f"slower than {talk.tpot * 1e3:.0f} ms a token"
        why = limit if tried.fits.any() else f"does not fit in {int(tried.units.max())} chips, the scale-up domain"
        return Answer(chip=chip.id, hold=hold, why=why)
    best, floor = picked
    answer = Answer(
        chip=chip.id,
        hold=hold,
        chips=float(tried.units[best]),
        batch=float(tried.batches[best]),
        rate=float(tried.rate[best] / tried.units[best]),
        wait=float(tried.tpot[best]),
        floor=floor,
        joules=None if np.isnan(tried.joules[best]) else float(tried.joules[best]),
        why=tried.why[best],
    )
    return _priced(answer, owner)


@dataclass(frozen=True)
class Tried:
    """Every unit of chips and batch of one chip, as arrays."""

    units: Array
    batches: Array
    rate: Array
    tpot: Array
    joules: Array
    fits: Array
    why: Sequence[str]


def _units(talk: Talk, cluster: Cluster, plan: Plan, book: Catalogue, memory: Device | None) -> Tried:
    """Serve on every unit and batch at once."""
    tensor = dividing(powers_of_two(min(cluster.domain, 64)), heads_of(talk.network))
    units, batches = (mesh.ravel() for mesh in np.meshgrid(np.array(tensor), BATCHES, indexing="ij"))
    machine = Machine(replace(cluster, chips=units), book.efficiency(), replace(plan, tensor=units))
    asked = Requests(input=talk.input, output=talk.output, batch=batches)
    estimate = serve(talk.network, asked, machine, Economics(pue=book.pue().value))
    rate, tpot, joules = (_flat(estimate[name], units) for name in ("output_rate", "tpot", "energy_output"))
    fits = np.broadcast_to(np.asarray(estimate.feasible), units.shape)
    if memory is not None:
        rate, tpot, joules, fits = _in_memory(talk, machine, memory, estimate, (rate, tpot, joules))
    bound = np.where(
        _flat(estimate["decode_mfu"], units) > _flat(estimate["decode_mbu"], units), "arithmetic", "memory"
    )
    return Tried(units, batches, rate, tpot, joules, fits, [f"bound by {each}" for each in bound])


def _in_memory(
    talk: Talk, machine: Machine, memory: Device, estimate: Estimate, plain: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array, Array]:
    """The same with some kernels moved into the memory, at the power of ordinary reads; copies of weights counted."""
    rate, tpot, joules = plain
    units, batches = np.asarray(machine.plan.tensor), np.asarray(estimate.inputs["batch"])
    split = decode_split(talk.network, talk.input + talk.output / 2, batches, machine, memory)
    saved = np.asarray(split.plain - split.together)
    latency = batches * talk.output / rate - saved * talk.output
    needed = serving_memory(talk.network, talk.input + talk.output, batches, machine, talk.input)
    total = needed.total + needed.items["weights"] * (memory.duplicate - 1)
    faster = batches * talk.output / latency
    fits = np.broadcast_to(np.asarray(total <= needed.usable), units.shape)
    return faster, tpot - saved, joules * rate / faster, fits


def _flat(value: Numeric | None, like: Array) -> Array:
    return np.broadcast_to(np.asarray(np.nan if value is None else value, dtype=float), like.shape)


def _pick(tried: Tried, limit: float) -> tuple[int, float] | None:
    """The point with most tokens a chip within the limit, and the shortest time per token of all."""
    if not tried.fits.any():
        return None
    floor = float(tried.tpot[tried.fits].min())
    good = tried.fits & (tried.tpot <= limit)
    if not good.any():
        return None
    return int(np.argmax(np.where(good, tried.rate / tried.units, -np.inf))), floor


def _priced(answer: Answer, owner: Owner) -> Answer:
    """Dollars of a token or of a second of video, from the output of one chip."""
    if not answer.rate:
        return answer
    fed = (answer.joules or 0.0) * owner.energy
    rate = answer.rate

    def dollars(spent: Numeric | None, more: float) -> float | None:
        return None if spent is None else float(spent) / rate + more

    return replace(
        answer,
        rent=dollars(owner.rent, 0.0),
        made=dollars(owner.made, fed),
        made_low=dollars(owner.made_low, fed),
        made_high=dollars(owner.made_high, fed),
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
