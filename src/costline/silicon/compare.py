"""Chips beside each other on the same workloads: a language model decoding, a video being made.

Each chip gets the unit of chips and the batch that serve most tokens a chip under a limit on the time per token;
dividing by chips, dollars and watts then compares them at equal chips, equal dollars and equal watts. A real chip
counts with the coefficients measured on it or on its family; a chip that nobody has measured, an imagined one among
them, with those of all chips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from costline.catalogue import Catalogue
from costline.errors import InputError
from costline.formulas.roofline import ridge_point
from costline.formulas.sram import chips_to_hold
from costline.hardware.chip import Chip
from costline.hardware.cluster import Cluster
from costline.numeric import Numeric
from costline.silicon.decoding import Talk, decoding, plan_of, served, units_of
from costline.silicon.filming import Film, film_units, film_weights
from costline.silicon.owning import Owner
from costline.silicon.pim import Device
from costline.silicon.sram import held_in_sram, pipeline_answer
from costline.studies.economics import Economics
from costline.studies.formats import settled_formats
from costline.studies.generate import generate


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
    hold : float or None
        Chips whose memory holds the weights, of a pipeline those of all its networks; None if the chip cannot run it.
        [chip]
    batch : float or None
        Sequences in flight on the unit.
    why : str
        What binds, or why there is no answer.
    """

    chip: str
    hold: float | None = None
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
        fields, products = settled_formats({}, precision, chip, training=False)
        peak = float(chip.rate(fields["compute"]))
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
    chip, efficiency, pue = cluster.chip, book.efficiency(), book.pue().value
    hold = float(chips_to_hold(talk.weights * (1.0 if memory is None else memory.duplicate), chip.memory))
    try:
        plan_of(talk, cluster)
    except InputError as error:
        return Answer(chip=chip.id, hold=hold, why=str(error))
    if held_in_sram(chip):
        return _priced(Answer(chip=chip.id, hold=hold, **pipeline_answer(talk, cluster, book)), owner)
    tried = decoding(talk, cluster, efficiency, memory)
    each = tried.each(talk.tpot)
    if not each.any():
        return Answer(chip=chip.id, hold=hold, why=_refused(talk, cluster, bool(tried.fits.any()), float(tried.floor)))
    best = int(np.argmax(each))
    unit, batch = tried.place(best)
    estimate = served(talk, cluster, efficiency, unit, batch, pue)
    rate, joules = float(tried.rate.ravel()[best]), estimate["energy_output"]
    plain, mfu, mbu = (float(estimate.figure(name).amount) for name in ("output_rate", "decode_mfu", "decode_mbu"))
    bound = "arithmetic" if mfu > mbu else "memory"
    answer = Answer(
        chip=chip.id,
        hold=hold,
        chips=float(unit),
        batch=float(batch),
        rate=rate / unit,
        wait=float(tried.tpot.ravel()[best]),
        floor=float(tried.floor),
        # memory that computes draws what ordinary reads draw, so a faster token takes less
        joules=None if joules is None else float(joules) * plain / rate,
        why=f"bound by {bound}",
    )
    return _priced(answer, owner)


def _refused(talk: Talk, cluster: Cluster, fits: bool, floor: float) -> str:
    """Why no unit and batch will do, and what would."""
    if fits:
        return f"slower than {talk.tpot * 1e3:.0f} ms a token; the fastest unit takes {floor * 1e3:.3g} ms"
    return f"does not fit in {max(units_of(talk, cluster))} chips, its scale-up domain"


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
    chip, hold, why = cluster.chip, None, ""
    try:
        for chips, choice, machine in film_units(film, cluster, book.efficiency()):
            if hold is None:
                hold = float(chips_to_hold(film_weights(film, machine), chip.memory))
            if not choice.fitting:
                why = f"does not fit in {chips} chips"
                continue
            estimate = generate(film.pipeline, film.clip, machine, Economics(pue=book.pue().value))
            time, energy, seconds = estimate.figure("time"), estimate["energy"], float(film.clip.seconds)
            answer = Answer(
                chip=chip.id,
                hold=hold,
                chips=float(chips),
                rate=seconds / (float(time.amount) * chips),
                wait=float(time.amount),
                joules=None if energy is None else float(energy) / seconds,
                why=time.note,
            )
            return _priced(answer, owner)
    except InputError as error:
        why = str(error)
    return Answer(chip=chip.id, hold=hold, why=why)
