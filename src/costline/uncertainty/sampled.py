"""Answers at every sample: a question with ranges, or a study of several questions that share inputs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from costline.errors import InputError, PlanError, QuantityError, UnknownNameError
from costline.estimate import Assumption, Estimate, plain
from costline.numeric import Array
from costline.quantity import read
from costline.uncertainty.draws import Draws, Named, Sampling, drawing, settings, uncertain
from costline.uncertainty.drivers import drivers, plain_drivers, plain_tornado, tornado
from costline.uncertainty.errors import COLUMNS, PROBE, errors_beyond
from costline.uncertainty.plans import Plans
from costline.uncertainty.ranged import settled
from costline.uncertainty.reading import written_kind
from costline.uncertainty.sobol import points
from costline.uncertainty.spreads import describe, plain_spread
from costline.uncertainty.study import INTERVAL, Implied, Study

FITS = "feasible"
"""Result that is 1 where a sample fits."""
FITTING = 0.95
"""Share of the samples that a plan should fit."""
LEVELS = (0.9, 0.99)
"""Shares of the samples below the sizes for which a roomier plan is chosen."""
OF_THE_MIDDLE = ("title", "inputs", "assumptions", "reason", "change", "record", "warnings")
"""What an answer says of the medians, not of the samples."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a sampled answer.

    Attributes
    ----------
    chances : tuple of str
        Conditions of which the probability is wanted.
    percents : tuple of float
        Percentiles wanted. [%]
    interval : float
        Share of the samples in an interval. [1]
    of : str
        Result to explain; empty for the usual one.
    """

    chances: tuple[str, ...] = ()
    percents: tuple[float, ...] = ()
    interval: float = INTERVAL
    of: str = ""


@dataclass(frozen=True, kw_only=True)
class RangedEstimate(Estimate):
    """An answer whose figures hold one value a sample.

    Attributes
    ----------
    sampled : Study
        Percentiles, chances, findings.
    middle : Estimate
        The same question at the medians of all inputs.
    asked : Asked
        What is reported.
    """

    sampled: Study = field(repr=False)
    middle: Estimate = field(repr=False)
    asked: Asked = Asked()

    def given(self, written: str) -> RangedEstimate:
        """The same answer with the samples that agree with a finding only: see `Study.given`."""
        return replace(self, sampled=self.sampled.given(written))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The inputs, those in doubt at their medians; how each is distributed; how it was sampled; what was found."""
        study = self.sampled
        ranges = {
            f"range of {each.name}": describe(each.spread, each.kind)
            for each in study.variables
            if each.origin != "model"
        }
        found = {f"given ({place})": each.written for place, each in enumerate(study.findings, 1)}
        return {**self.inputs, **ranges, "samples": study.samples, "seed": study.seed, **found}

    @property
    def fitting(self) -> float:
        """Share of the agreeing samples that can be run as asked. [1]"""
        return float(np.mean(self.sampled.values(FITS)))

    @property
    def explained(self) -> tuple[str, ...]:
        """Results to explain: the one asked for, or time and cost, or the first two of the answer."""
        known = [name for name in self.sampled.units if name != FITS]
        if self.asked.of:
            if self.asked.of not in known:
                raise UnknownNameError("result", self.asked.of, known, listed=known)
            return (self.asked.of,)
        usual = [name for name in ("time", "cost", "output_rate", "cost_output") if name in known]
        return tuple(usual or known[:2])

    def to_dict(self) -> dict[str, Any]:
        """The answer at the medians, and under ``uncertainty`` every sample and what follows from them."""
        return {**self.middle.to_dict(), "uncertainty": plain(plain_study(self.sampled, self.asked, self.explained))}

    def to_frame(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Columns by input and by figure, one row a sample that agrees with what was found."""
        inputs = {variable.name: self.sampled.values(variable.name) for variable in self.sampled.variables}
        return {**inputs, **{name: self.sampled.values(name) for name in self.sampled.units}}


def plain_study(study: Study, asked: Asked, explained: tuple[str, ...]) -> dict[str, Any]:
    """A study for programs, full samples included."""
    spans = {name: study.span(name, asked.interval) for name in study.units}
    body: dict[str, Any] = {
        "samples": study.samples,
        "seed": study.seed,
        "agreeing": study.agreeing,
        "given": [finding.written for finding in study.findings],
        "interval": asked.interval,
        "inputs": {
            variable.name: {**plain_spread(variable.spread, variable.kind), "origin": variable.origin}
            | {"samples": study.values(variable.name)}
            for variable in study.variables
        },
        "figures": {
            name: {"unit": unit, "median": spans[name].median, "low": spans[name].low, "high": spans[name].high}
            | ({"percentiles": _percentiles(study, name, asked.percents)} if asked.percents else {})
            | {"samples": study.values(name)}
            for name, unit in study.units.items()
        },
        "explained": "all samples",  # findings are left out of doubt and drivers
        "doubt": {name: _doubts(study, name, asked.interval) for name in explained},
        "drivers": plain_drivers(drivers(study, explained)),
        "tornado": {name: plain_tornado(tornado(study, name)) for name in explained},
        "chances": {written: study.chance(written) for written in asked.chances},
    }
    if study.findings:
        body["implied"] = {row.variable.name: _plain_implied(row) for row in study.implied()}
    return body


def _plain_implied(row: Implied) -> dict[str, Any]:
    """What a finding implies for an input, for programs."""
    body = {"origin": row.variable.origin, "before": vars(row.before), "after": vars(row.after), "moved": row.moved}
    chances = [{"value": value, "before": before, "after": after} for value, before, after in row.weights]
    return body | ({"chances": chances} if chances else {})


def _percentiles(study: Study, name: str, percents: tuple[float, ...]) -> dict[str, float]:
    found = study.percentiles(name, percents)
    return {f"p{percent:g}": value for percent, value in zip(percents, found, strict=True)}


def _doubts(study: Study, name: str, share: float) -> dict[str, Any]:
    return {
        "input": vars(study.alone(name, "input", "catalogue", share=share)),
        "model": vars(study.alone(name, "model", share=share)),
        "both": vars(study.alone(name, "input", "catalogue", "model", share=share)),
    }


def sampled(
    question: Callable[[Mapping[str, Any]], Estimate], draws: Draws, how: Sampling, middle: Estimate
) -> RangedEstimate:
    """Ask a question at every sample.

    Parameters
    ----------
    question : callable
        Asks with some inputs replaced: the plan is fixed, so that all samples run alike.
    draws : Draws
        Uncertain inputs, as they made themselves known at the medians.
    how : Sampling
        How many samples.
    middle : Estimate
        The answer at the medians, with a plan chosen there.
    """
    shares = points(how.samples, draws.columns + COLUMNS, how.seed)
    plans = Plans(question, draws, middle)
    answer = _asked(question, draws, shares, plans)
    if np.mean(answer.feasible) < FITTING:
        middle, plans, answer = _roomier(question, draws, shares, middle, plans, answer)
    middle = replace(middle, warnings=(*middle.warnings, *_crossing(draws, shares)))
    errors = errors_beyond(middle, _asked(question, draws, _of_the_model(draws, shares[:PROBE]), plans), draws.columns)
    answer = errors.at(answer, shares)

    def evaluate(rows: Array) -> dict[str, Array]:
        return _results(errors.at(_asked(question, draws, rows, plans), rows), len(rows))

    units = {name: figure.unit for name, figure in middle.figures.items() if figure.value is not None}
    study = Study(
        variables=(*draws.variables.values(), *errors.variables),
        units={**units, FITS: "1"},
        evaluate=evaluate,
        shares=shares,
        results=_results(answer, how.samples),
        seed=how.seed,
        kept=np.ones(how.samples, dtype=bool),
        plans=plans.words,
    )
    own = {row.name: getattr(answer, row.name) for row in fields(Estimate)}
    own |= {name: getattr(middle, name) for name in OF_THE_MIDDLE}
    own["feasible"] = answer.feasible if np.mean(answer.feasible) >= 0.5 else False
    return RangedEstimate(**own, sampled=study, middle=middle)


def _of_the_model(draws: Draws, shares: Array) -> Array:
    """Rows at which the coefficients alone are in doubt."""
    rows = shares.copy()
    rows[:, [each.place for each in draws.variables.values() if each.origin != "model"]] = 0.5
    return rows


def _crossing(draws: Draws, shares: Array) -> Iterator[str]:
    """A line for samples whose active parameters exceed all of them."""
    sizes = {each.name: each.values(shares) for each in draws.variables.values() if each.name in {"params", "active"}}
    if len(sizes) == 2 and (crossing := np.mean(sizes["active"] > sizes["params"])):
        yield f"active exceeds params in {100 * crossing:.2g} % of the samples, which are taken as dense"


def _asked(question: Callable[[Mapping[str, Any]], Estimate], draws: Draws, shares: Array, plans: Plans) -> Estimate:
    stated = plans.at(shares)
    with drawing(draws, shares):
        return question(stated)


def _roomier(
    question: Callable[[Mapping[str, Any]], Estimate],
    draws: Draws,
    shares: Array,
    middle: Estimate,
    plans: Plans,
    answer: Estimate,
) -> tuple[Estimate, Plans, Estimate]:
    """Plans chosen for larger sizes, if they fit more of the samples: nobody rents chips for the median of a rumour."""
    for level in LEVELS:
        try:
            again, larger = _planned(question, draws, level)
        except PlanError:  # a plan for larger sizes that the median size cannot be divided by
            continue
        found = _asked(question, draws, shares, larger)
        if np.mean(found.feasible) > np.mean(answer.feasible):
            middle, plans, answer = again, larger, found
        if np.mean(answer.feasible) >= FITTING:
            break
    return middle, plans, answer


def _planned(question: Callable[[Mapping[str, Any]], Estimate], draws: Draws, level: float) -> tuple[Estimate, Plans]:
    """The answer at the medians with the plan for larger sizes (fewer chips), and the plans for such sizes."""
    with drawing(draws, level=level):
        large = question({"explain": False})
    with drawing(draws):
        again = question({"plan": settled(large)["plan"]})
    words = f"chosen for sizes at their {100 * level:.3g}th percentile"
    return replace(again, assumptions=tuple(_replanned(again, words))), Plans(question, draws, large, level)


def _replanned(again: Estimate, words: str) -> Iterator[Assumption]:
    """Assumptions of an answer whose plan was chosen elsewhere."""
    for row in again.assumptions:
        shown = str(row.value).partition(": ")[0]
        yield replace(row, value=f"{shown}: {words}", kind="chosen") if row.name.startswith("plan") else row


def _results(estimate: Estimate, samples: int) -> dict[str, Array]:
    """Samples of every figure that is known, and whether each fits."""
    listed = {name: figure.value for name, figure in estimate.figures.items() if figure.value is not None}
    listed[FITS] = np.asarray(estimate.feasible, dtype=float)
    return {name: np.broadcast_to(np.asarray(value, dtype=float), (samples,)) for name, value in listed.items()}


class Written(str):
    """A quantity of a study that is no range: text for the questions, and a number in the SI unit where it is added up.

    Examples
    --------
    >>> 2 * Written("13T"), Written("40%") + 1, f"{Written('13T')}"
    (26000000000000.0, 1.4, '13T')
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that arrays leave the calculation to it

    def __float__(self) -> float:
        """Its value. [SI unit of what it is written as]"""
        return read(self, written_kind(self))


def _calculating(function: Callable[[Any, Any], Any], *, turned: bool = False) -> Callable[[Written, Any], Any]:
    def calculated(self: Written, other: Any) -> Any:
        one, another = float(self), float(other) if isinstance(other, str) else other
        return function(another, one) if turned else function(one, another)

    return calculated


for _function in (operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.pow):
    setattr(Written, f"__{_function.__name__}__", _calculating(_function))
    setattr(Written, f"__r{_function.__name__}__", _calculating(_function, turned=True))


def _input(name: str, given: Any) -> Any:
    """An input of a study: a range by its name, a quantity as text that can be calculated with, others as they are."""
    if uncertain(given):
        return Named(name, given)
    if not isinstance(given, str):
        return given
    try:
        written_kind(given)
    except QuantityError:
        return given
    return Written(given)


def together(function: Callable[..., Mapping[str, Any]], **inputs: Any) -> Study:
    """Sample a study of several questions that share inputs.

    Parameters
    ----------
    function : callable
        Takes `inputs`, asks questions of `costline` with them, returns results by name: numbers, arrays, or pairs of a
        number and its SI unit.
    **inputs : str or any
        Inputs; each is the same samples wherever the function uses it.

    Returns
    -------
    Study
        As for one question; `Study.given`, `Study.chance` and the drivers work alike.
    """
    draws, how = Draws(), settings()
    named = {name: _input(name, given) for name, given in inputs.items()}
    with drawing(draws):
        middle = function(**named)
        _ = [np.asarray(_parted(value)[0], dtype=float) for value in middle.values()]  # an input can be a result
        draws.adopt()
    if not draws.columns:
        raise InputError("none of the inputs is a range, so there is nothing to sample")

    def evaluate(shares: Array) -> dict[str, Array]:
        with drawing(draws, shares):
            return {
                name: np.broadcast_to(np.asarray(_parted(value)[0], dtype=float), (len(shares),))
                for name, value in function(**named).items()
            }

    shares = points(how.samples, draws.columns, how.seed)
    return Study(
        variables=tuple(draws.variables.values()),
        units={name: _parted(value)[1] for name, value in middle.items()},
        evaluate=evaluate,
        shares=shares,
        results=evaluate(shares),
        seed=how.seed,
        kept=np.ones(how.samples, dtype=bool),
        headline=tuple(middle),
    )


def _parted(value: Any) -> tuple[Any, str]:
    return value if isinstance(value, tuple) else (value, "ratio")
