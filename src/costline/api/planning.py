"""The question about plans: which way to run it is best."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, get_args

import numpy as np

from costline import quantity, resolve
from costline.api.common import Job, remarks
from costline.api.generating import generation_job, generation_title
from costline.api.limits import read_limits
from costline.api.serving import serving_job, serving_title
from costline.api.training import training_job, training_title
from costline.catalogue import Catalogue
from costline.errors import FormatError, InputError, QuantityError, nearest_names
from costline.estimate import Assumption
from costline.hardware.cluster import Cluster
from costline.models.decoder import Decoder
from costline.models.pipeline import Pipeline
from costline.precision import element_bytes
from costline.resolve import Model
from costline.search.apart import apart_setting
from costline.search.find import found_plan
from costline.search.generation import generation_settings
from costline.search.limits import Goal, Limit, Study
from costline.search.result import PlanSearch
from costline.search.serving import chunked_setting, together_setting
from costline.search.setting import Setting, whole
from costline.search.training import training_setting
from costline.studies.economics import Economics
from costline.studies.space import powers_of_two

Place = str | Cluster
GOALS: dict[Study, Goal] = {"train": "time", "serve": "throughput", "generate": "time"}
"""What is sought where nobody says."""
MODES = ("together", "chunked", "apart")
MOST_MORE = 32
"""Times the chips there are that are tried where nothing fits."""
MOST_PLACES = 200
"""Machines of one search."""


def find_plan(
    study: Study,
    model: Model | None = None,
    *,
    on: Place | Sequence[Place],
    objective: Goal | None = None,
    within: str | None = None,
    budget: str | float | None = None,
    precision: str | Sequence[str] | None = None,
    modes: Sequence[str] | None = None,
    **inputs: Any,
) -> PlanSearch:
    """Find the best way to run something: every legal plan is evaluated.

    Parameters
    ----------
    study : {"train", "serve", "generate"}
        What is done.
    model : str, Path or Network, optional
        As for the study.
    on : str, Cluster or sequence of them
        Chips, one machine or several: ``["8xh100-sxm", "16xa100-sxm-80gb"]``. With a budget a chip without a number,
        ``h100-sxm``, stands for every number of them that the budget pays.
    objective : {"time", "cost", "energy", "throughput"}, optional
        What is sought: the least time (training, a clip, a request), cost or energy, or the most tokens or clips a
        second. Default: throughput for serving, else time.
    within : str, optional
        What must hold besides fitting in memory: ``ttft<1s, tpot<50ms, mfu>30%``.
    budget : str or float, optional
        The most that may be spent: a rent for all chips (``$100/h``), or dollars in all for training (``$5M``).
        [USD/s as a number]
    precision : str or sequence of str, optional
        Formats to try; a narrower one changes what the model says, so none is tried unless named.
    modes : sequence of {"together", "chunked", "apart"}, optional
        Ways to serve to try; all by default.
    **inputs
        Other inputs of the study: see `costline.train`, `costline.serve`, `costline.generate`.

    Returns
    -------
    PlanSearch
        The best plan and its estimate, the Pareto front, the runners-up and why they lose; or what is missing.

    Raises
    ------
    InputError
        Anything that cannot be read, with the nearest fix.
    """
    if study not in GOALS:
        raise InputError(f"study {str(study)[:40]!r}: choose from {', '.join(GOALS)}")
    goal = GOALS[study] if objective is None else _one_of("objective", objective, get_args(Goal))
    tried = tuple(_one_of("mode", mode, MODES) for mode in (MODES if modes is None else modes))
    known = set(inspect.signature(_JOBS[study]).parameters) - {"model", "on", "precision"}
    for name in inputs:
        if name not in known:
            near = nearest_names(name, known) or sorted(known)
            raise InputError(f"{study} takes no input {name[:40]!r}; did you mean {', '.join(near)}?")
    limits = list(read_limits(within, study))
    rent = _rent(budget, study, limits)
    ask = partial(_settings, study, model, inputs, tried, limits)
    formats = [precision] if precision is None or isinstance(precision, str) else list(precision)
    places = _places(on, rent, inputs)
    settings, jobs, left_out = _asked(ask, places, formats)
    title = f"{_TITLES[study](jobs[0])}: " if len(places) == 1 else f"{study} on {len(places)} machines: "
    words = ", ".join([f"best {goal}", *(limit.words for limit in limits)])
    most = None if rent is None else partial(_paid, rent)
    wider = _wider(ask, places[-1], jobs[-1], formats[0], study, most)
    every = partial(_asked, partial(ask, every=True), places, formats)
    subject = jobs[0].subject
    said = subject.notes if isinstance(subject, Pipeline) else remarks(subject)
    noted = [Assumption(name="model", value=remark, kind="configuration") for remark in said]
    return found_plan(study, settings, goal, limits, title + words, (*noted, *left_out, *jobs[0].assumed),
                      wider, lambda: every()[0])  # fmt: skip


def inputs_of_study(study: Study) -> frozenset[str]:
    """Names of the inputs that a search of a study takes."""
    own = inspect.signature(find_plan).parameters.keys() - {"study", "inputs"}
    return frozenset(own | inspect.signature(_JOBS[study]).parameters.keys())


_JOBS: dict[Study, Callable[..., Job[Any, Any]]] = {
    "train": training_job,
    "serve": serving_job,
    "generate": generation_job,
}
_TITLES: dict[Study, Callable[[Job[Any, Any]], str]] = {
    "train": training_title,
    "serve": serving_title,
    "generate": generation_title,
}


def _one_of(what: str, written: str, choices: Sequence[str]) -> Any:
    if written not in choices:
        near = nearest_names(str(written), choices) or list(choices)
        raise InputError(f"{what} {str(written)[:40]!r}: choose from {', '.join(near)}")
    return written


def _asked(
    ask: Callable[[Place, str | None], tuple[list[Setting], Job[Any, Any]]],
    places: Sequence[Place],
    formats: Sequence[str | None],
) -> tuple[list[Setting], list[Job[Any, Any]], list[Assumption]]:
    """Spaces and questions of all machines and formats, and those left out as a chip does not multiply in a format."""
    settings: list[Setting] = []
    jobs, left_out = [], []
    for place, precision in product(places, formats):
        try:
            own, job = ask(place, precision)
        except FormatError as error:
            left_out.append(error)
            continue
        settings += own
        jobs.append(job)
    if not jobs:
        raise left_out[0]
    return settings, jobs, [Assumption(name="left out", value=str(error), kind="--precision") for error in left_out]


def _settings(
    study: Study,
    model: Model | None,
    inputs: dict[str, Any],
    modes: Sequence[str],
    limits: Sequence[Limit],
    on: Place,
    precision: str | None,
    every: bool = False,
) -> tuple[list[Setting], Job[Any, Any]]:
    """All spaces of one machine and format; `every` way to run a pool, whatever limits it breaks for sure."""
    job = _JOBS[study](model, on=on, precision=precision, **inputs)
    place, title = job.place, _TITLES[study](job)
    machine, economics, fixed = place.machine, place.economics, place.fixed
    if study == "train":
        found = [training_setting(job.subject, job.asked, machine, economics, fixed, title)]
    elif study == "generate":
        clips = None if "batch" not in inputs else int(np.max(job.asked.batch))
        found = generation_settings(job.subject, job.asked, machine, economics, fixed, title, clips)
    else:
        own = [mode for mode in modes if mode != "apart" or "data" not in fixed]  # each pool has replicas of its own
        batch = None if inputs.get("batch") is None else job.asked.batch
        found = _serving(job, own, economics, title, batch, limits, every)
    return ([_replicated(each, fixed["data"]) for each in found] if "data" in fixed else found), job


def _replicated(setting: Setting, data: Any) -> Setting:
    """The space, only plans of as many replicas as the user stated."""
    return replace(setting, replicas=lambda plan, chips: data)


def _serving(
    job: Job[Decoder, Any],
    modes: Sequence[str],
    economics: Economics,
    title: str,
    batch: Any,
    limits: Sequence[Limit],
    every: bool,
) -> list[Setting]:
    network, requests, machine, fixed = job.subject, job.asked, job.place.machine, job.place.fixed
    stated = None if batch is None else int(batch)
    found: list[Setting] = []
    if "together" in modes:
        found.append(together_setting(network, requests, machine, economics, fixed, title, stated))
    if "chunked" in modes and requests.batching == "continuous" and requests.input > 128:
        found.append(chunked_setting(network, requests, machine, economics, fixed, title, stated))
    if "apart" in modes and requests.batching == "continuous" and stated is None:
        apart = apart_setting(network, requests, machine, economics, fixed, title, limits, every)
        found += [] if apart is None else [apart]
    return found


def _rent(budget: str | float | None, study: Study, limits: list[Limit]) -> float | None:
    """Read a budget: a rate caps the rent of all chips, an amount the cost of a run. [USD/s]"""
    if budget is None:
        return None
    if isinstance(budget, str) and "/" not in budget:
        try:
            amount = float(quantity.read(budget, quantity.DOLLARS))
        except QuantityError as error:
            raise InputError(f"budget: {error}") from None
        if study == "serve":
            raise InputError(f"budget {budget[:40]!r}: serving goes on, so give a rate, such as $100/h")
        limits.append(Limit("cost", True, amount, f"cost<={budget}"))
        return None
    return float(resolve.number(budget, quantity.DOLLARS_PER_SECOND, "budget", least=1e-9))


def _places(on: Place | Sequence[Place], rent: float | None, inputs: dict[str, Any]) -> list[Place]:
    """The machines to try, those the budget does not pay left out."""
    listed = [on] if isinstance(on, str | Cluster) else list(on)
    listed = [each for one in listed for each in (_split(one) if isinstance(one, str) else [one])]
    listed = [each for place, each in enumerate(listed) if each not in listed[:place]]
    if not listed:
        raise InputError("say what it runs on: --on 8xh100-sxm (costline data list chips)")
    if rent is None:
        found = listed
    else:
        book = resolve.catalogue(inputs.get("catalogue"))
        found = [each for place in listed for each in _affordable(place, rent, inputs.get("price"), book)]
        if not found:
            raise InputError(f"the budget pays none of {', '.join(map(str, listed))}")
    if len(found) > MOST_PLACES:
        raise InputError(f"{len(found)} machines to try; at most {MOST_PLACES}")
    return found


def _split(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def _affordable(place: Place, rent: float, price: Any, book: Catalogue) -> list[Place]:
    """The machine if it is paid for; a chip without a number as every power of two of them, and the most."""
    cluster = book.cluster(place) if isinstance(place, str) else place
    choice = book.rental_price(cluster.chip.id)
    if price is None and choice is None:
        raise InputError(f"no rental price known for {cluster.chip.id}: give one with --price")
    each = float(resolve.number(price, quantity.DOLLARS_PER_SECOND, "price")) if price is not None else choice.value  # type: ignore[union-attr]
    most = int(rent / each + 1e-9)
    if not isinstance(place, str) or place[:1].isdigit():
        return [place] if most >= np.max(cluster.chips) else []
    whole_domains = most // int(np.max(cluster.domain)) * int(np.max(cluster.domain))
    counts = {2**power for power in range(most.bit_length())} | {most, whole_domains}
    return [f"{count}x{place}" for count in sorted(counts) if 0 < count <= most]


def _wider(
    ask: Callable[[Place, str | None], tuple[list[Setting], Job[Any, Any]]],
    place: Place,
    job: Job[Any, Any],
    precision: str | None,
    study: Study,
    paid: Callable[[Economics, Cluster], bool] | None,
) -> list[list[tuple[str, Callable[[], list[Setting]]]]]:
    """What may fit where nothing does: more of the same chips, fewest first and no more than are paid for; narrower
    formats, which training only multiplies in."""
    cluster = job.place.machine.cluster
    chips = int(np.max(cluster.chips))
    counts = {chips * factor for factor in powers_of_two(MOST_MORE)} | set(powers_of_two(chips * MOST_MORE))
    more = [replace(cluster, chips=count) for count in sorted(counts) if count > chips]
    more = [one for one in more if paid is None or paid(job.place.economics, one)]
    narrow = [name for name in ("fp8", "int4") if element_bytes(name) < element_bytes(job.place.machine.plan.weights)]
    narrow = [name for name in narrow if study != "train" or cluster.chip.multiplies(name)]
    return [
        [(f"on {whole(one.chips)} x {one.chip.id}", partial(_only, ask, one, precision)) for one in more],
        [(f"in {name}", partial(_only, ask, place, name)) for name in narrow],
    ]


def _paid(rent: float, economics: Economics, cluster: Cluster) -> bool:
    """Whether a rent pays all chips of a machine."""
    return economics.price is not None and bool(np.max(economics.price * cluster.chips) <= rent * (1 + 1e-9))


def _only(
    ask: Callable[[Place, str | None], tuple[list[Setting], Job[Any, Any]]], place: Place, precision: str | None
) -> list[Setting]:
    return ask(place, precision)[0]
