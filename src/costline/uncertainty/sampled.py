"""Answers at every sample: a question with ranges, or a study of several questions that share inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from costline.errors import InputError
from costline.estimate import Estimate
from costline.numeric import Array
from costline.uncertainty.draws import Draws, Named, Sampling, drawing, settings, uncertain
from costline.uncertainty.sobol import points
from costline.uncertainty.study import Study

FITS = "feasible"
"""Result that is 1 where a sample fits."""


@dataclass(frozen=True, kw_only=True)
class RangedEstimate(Estimate):
    """An answer whose figures hold one value a sample.

    Attributes
    ----------
    study_of : Study
        Percentiles, chances, findings.
    middle : Estimate
        The same question at the medians of all inputs.
    """

    study_of: Study = field(repr=False)
    middle: Estimate = field(repr=False)

    def given(self, written: str) -> RangedEstimate:
        """The same answer with the samples that agree with a finding only: see `Study.given`."""
        return replace(self, study_of=self.study_of.given(written))


def sampled(ask_once: Callable[[], Estimate], draws: Draws, how: Sampling, middle: Estimate) -> RangedEstimate:
    """Ask a question at every sample, the plan being that of the medians."""

    def ask(shares: Array) -> Estimate:
        with drawing(draws, shares):
            return ask_once()

    def evaluate(shares: Array) -> dict[str, Array]:
        return _results(ask(shares), len(shares))

    shares = points(how.samples, draws.columns, how.seed)
    answer = ask(shares)
    units = {name: figure.unit for name, figure in middle.figures.items() if figure.value is not None}
    study = Study(
        variables=tuple(draws.variables.values()),
        units={**units, FITS: "1"},
        evaluate=evaluate,
        shares=shares,
        results=_results(answer, how.samples),
        seed=how.seed,
        kept=np.ones(how.samples, dtype=bool),
    )
    own = {row.name: getattr(answer, row.name) for row in fields(Estimate)}
    own |= {name: getattr(middle, name) for name in ("title", "assumptions", "reason", "change", "record", "warnings")}
    return RangedEstimate(**own, study_of=study, middle=middle)


def _results(estimate: Estimate, samples: int) -> dict[str, Array]:
    """Samples of every figure that is known, and whether each fits."""
    listed = {name: figure.value for name, figure in estimate.figures.items() if figure.value is not None}
    listed[FITS] = np.asarray(estimate.feasible, dtype=float)
    return {name: np.broadcast_to(np.asarray(value, dtype=float), (samples,)) for name, value in listed.items()}


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
    named = {name: Named(name, given) if uncertain(given) else given for name, given in inputs.items()}
    with drawing(draws):
        middle = function(**named)
        draws.adopt()
    if not draws.columns:
        raise InputError("none of the inputs is a range, so there is nothing to sample")

    def evaluate(shares: Array) -> dict[str, Array]:
        with drawing(draws, shares):
            found = function(**named)
        return {
            name: np.broadcast_to(np.asarray(_parted(value)[0], dtype=float), (len(shares),))
            for name, value in found.items()
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
