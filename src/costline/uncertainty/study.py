"""A sampled answer: percentiles, chances, what a finding implies, and whose doubt it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from costline.errors import InputError, UnknownNameError
from costline.numeric import Array
from costline.uncertainty.conditions import Condition, Quantity, read_condition
from costline.uncertainty.spreads import Choices
from costline.uncertainty.variables import Origin, Variable

Evaluate: TypeAlias = Callable[[Array], Mapping[str, Array]]
"""Rows of the sample matrix -> samples of every result, by name."""

INTERVAL = 0.8
"""Share of the samples in an interval unless asked otherwise."""
ENOUGH = 200
"""Samples below which percentiles say little: their own error at the ends of an 80 % interval is above 3 points."""
CLEAR = 4.0
"""Standard errors from which the shift of an input is no accident: of 40 inputs, none in a hundred questions."""


@dataclass(frozen=True)
class Span:
    """Median and interval of a number.

    Attributes
    ----------
    median, low, high : float
        In the SI unit; the interval holds `share` of the samples, as many below as above.
    share : float
        Share of the samples inside. [1]
    """

    median: float
    low: float
    high: float
    share: float = INTERVAL


def span(values: Array, share: float = INTERVAL) -> Span:
    """Median and central interval of samples; unknown ones are left out.

    Examples
    --------
    >>> span(np.arange(5.0), 0.5)
    Span(median=2.0, low=1.0, high=3.0, share=0.5)
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return Span(np.nan, np.nan, np.nan, share)
    low, middle, high = np.quantile(known, [(1 - share) / 2, 0.5, (1 + share) / 2], method="inverted_cdf")
    return Span(float(middle), float(low), float(high), share)


@dataclass(frozen=True)
class Implied:
    """What a finding implies for an input.

    Attributes
    ----------
    variable : Variable
        The input.
    before, after : Span
        All samples, and those that agree. [SI unit of its kind]
    shift : float
        Mean share of the distribution below the samples that agree, less a half: from -0.5 to 0.5. [1]
    error : float
        Standard error of the shift of as many independent samples. [1]
    weights : tuple of tuple of float
        Of a choice, each value with its probability before and after.
    """

    variable: Variable
    before: Span
    after: Span
    shift: float
    error: float
    weights: tuple[tuple[float, float, float], ...] = ()

    @property
    def moved(self) -> bool:
        """Whether the finding can be told to move the input at all."""
        return abs(self.shift) > CLEAR * self.error


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question answered at every sample.

    Attributes
    ----------
    variables : tuple of Variable
        Uncertain inputs: the user's, the catalogue's, the model's.
    units : mapping of str to str
        SI unit of every result.
    evaluate : callable
        Asks again at other rows of the matrix.
    shares : array
        The sample matrix, a row a sample.
    results : mapping of str to array
        Samples of every result. [its SI unit]
    seed : int
        Which scrambling.
    kept : array of bool
        Samples that agree with everything that was found.
    findings : tuple of Condition
        What was found.
    headline : tuple of str
        Results a reader wants first.
    plans : str
        What plans the samples are run with.
    """

    variables: tuple[Variable, ...]
    units: Mapping[str, str]
    evaluate: Evaluate = field(repr=False)
    shares: Array = field(repr=False)
    results: Mapping[str, Array] = field(repr=False)
    seed: int
    kept: Array = field(repr=False)
    findings: tuple[Condition, ...] = ()
    headline: tuple[str, ...] = ()
    plans: str = "one plan for all"

    @property
    def samples(self) -> int:
        """Samples drawn."""
        return int(self.shares.shape[0])

    @property
    def agreeing(self) -> int:
        """Samples that agree with everything that was found: the effective sample size."""
        return int(np.count_nonzero(self.kept))

    def variable(self, name: str) -> Variable:
        """An uncertain input by name.

        Raises
        ------
        UnknownNameError
            No such input is uncertain.
        """
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise UnknownNameError("uncertain input", name, [variable.name for variable in self.variables])

    def inputs(self, name: str) -> Array:
        """All samples of an input. [SI unit of its kind]"""
        return self.variable(name).values(self.shares)

    def quantities(self) -> dict[str, Quantity]:
        """Everything a condition can name: results, then inputs."""
        known = {name: Quantity(name, unit=unit) for name, unit in self.units.items()}
        for variable in self.variables:
            known.setdefault(variable.name, Quantity(variable.name, kind=variable.kind, given=True))
        return known

    def values(self, name: str) -> Array:
        """Samples of a result or an input that agree with what was found. [SI unit]

        Raises
        ------
        UnknownNameError
            Neither a result nor an uncertain input.
        """
        return self._all(name)[self.kept]

    def _all(self, name: str) -> Array:
        if name in self.results:
            return self.results[name]
        if any(variable.name == name for variable in self.variables):
            return self.inputs(name)
        raise UnknownNameError("result", name, [*self.results, *(variable.name for variable in self.variables)])

    def span(self, name: str, share: float = INTERVAL) -> Span:
        """Median and interval of a result or an input. [SI unit]"""
        if not 0 < share < 1:
            raise InputError(f"an interval holds a share of the samples between 0 and 1, got {share:g}")
        return span(self.values(name), share)

    def percentiles(self, name: str, percents: Sequence[float]) -> tuple[float, ...]:
        """Values that so many per cent of the samples are below. [SI unit]

        Raises
        ------
        InputError
            A percentage outside 0 to 100.
        """
        wrong = [percent for percent in percents if not 0 <= percent <= 100]
        if wrong:
            raise InputError(f"a percentile is from 0 to 100, got {wrong[0]:g}")
        known = self.values(name)
        known = known[np.isfinite(known)]
        if not known.size:
            return (float("nan"),) * len(percents)
        return tuple(float(value) for value in np.percentile(known, percents, method="inverted_cdf"))

    def chance(self, written: str) -> float:
        """Share of the samples of which a condition holds. [1]

        Parameters
        ----------
        written : str
            ``cost < $50``, ``days between 150 and 200``.
        """
        condition = read_condition(written, self.quantities())
        return float(np.mean(condition.holds(self._all(condition.name))[self.kept]))

    def given(self, written: str) -> Study:
        """The same study with the samples that agree with a finding only.

        Raises
        ------
        InputError
            No sample agrees; the message says what the samples hold instead.
        """
        condition = read_condition(written, self.quantities())
        values = self._all(condition.name)
        kept = self.kept & condition.holds(values)
        if not kept.any():
            left = values[self.kept]
            shown = " to ".join(condition.show(end) for end in (np.nanmin(left), np.nanmax(left)))
            raise InputError(
                f"no sample of {self.agreeing:,} agrees with {written[:80]!r}: {condition.label} is {shown}; "
                "widen the ranges or draw more samples (--samples)"
            )
        return replace(self, kept=kept, findings=(*self.findings, condition))

    def implied(self) -> tuple[Implied, ...]:
        """What the findings imply for every input of the user, of the catalogue and of the model."""
        return tuple(map(self._implied, self.variables))

    def _implied(self, variable: Variable) -> Implied:
        values = variable.values(self.shares)
        after = values[self.kept]
        drawn = np.unique(values) if isinstance(variable.spread, Choices) else ()
        weights = tuple((float(each), float(np.mean(values == each)), float(np.mean(after == each))) for each in drawn)
        shift = float(np.mean(self.shares[self.kept, variable.place])) - 0.5
        return Implied(variable, span(values), span(after), shift, (12 * self.agreeing) ** -0.5, weights)

    def alone(self, name: str, *origins: Origin, share: float = INTERVAL) -> Span:
        """Interval of a result if only inputs of some origins were in doubt, the others at their medians. [SI unit]

        Findings are left out of account: with the others at their medians, no sample might agree with them.
        """
        settled = [variable.place for variable in self.variables if variable.origin not in origins]
        if not settled:
            return span(self.results[name], share)
        rows = self.shares.copy()
        rows[:, settled] = 0.5
        return span(self.evaluate(rows)[name], share)
