"""One sample matrix for a whole study: every uncertain input has a column of its own, wherever it is read.

A question is first asked at the medians. Every input that is a range makes itself known then and is given a column. The
question is asked again with arrays: the same input reads the same column each time, so that a quantity minus itself is
zero, and whatever two results share stays shared. The coefficients of the time model are columns like any other.

Questions without a range pass through here too, so what only ranges need is imported when the first one is met.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from costline.errors import CostlineError, InputError, QuantityError
from costline.hardware.efficiency import Efficiency
from costline.numeric import Array, Numeric
from costline.quantity import COUNT, RATIO, Kind

if TYPE_CHECKING:
    from costline.uncertainty.plans import Plans
    from costline.uncertainty.spreads import Spread
    from costline.uncertainty.variables import Origin, Variable

TABLES = frozenset({"coefficients", "shape"})
"""Inputs of a question that are tables of inputs."""
NAMES = frozenset({"model", "catalogue"})
"""Inputs that can be paths, of which ``..`` is no range."""
CHIPS = "chips"
"""Name of the number of chips, of which fewer have less memory."""
MOST_SAMPLES = 2**20
"""More samples than this say nothing new and fill the memory."""
LOOKS_UNCERTAIN = re.compile(r" to |\.\.|^\s*\{|\.csv(:|\s*$)", re.IGNORECASE)
"""Text that may be a range; `costline.uncertainty.reading.is_spread` says whether it is."""


class Named(np.lib.mixins.NDArrayOperatorsMixin):
    """An input of a study that asks several questions: the same samples wherever it is used.

    A study can calculate with it as with a number, in the SI unit of what it is written as.

    Parameters
    ----------
    name : str
        Its name in the study.
    given : object
        What it is: text, a spread, or a number.
    """

    def __init__(self, name: str, given: Any) -> None:
        self.name = name
        self.given = given

    def __repr__(self) -> str:
        return f"{self.name}: {self.given}"

    def number(self) -> Numeric:
        """Its samples, or its median. [SI unit of what it is written as]"""
        from costline.uncertainty.reading import written_kind

        return sample(self, written_kind(self.given), self.name, least=-np.inf)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.number(), dtype=dtype)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        numbers = (each.number() if isinstance(each, Named) else each for each in inputs)
        return getattr(function, method)(*numbers, **options)


@dataclass(frozen=True)
class Sampling:
    """How ranges are sampled.

    Attributes
    ----------
    samples : int
        Samples of a study.
    seed : int
        Which scrambling; the same seed gives the same samples.
    always : bool
        Whether questions without ranges are sampled too, for the doubt of the model.
    """

    samples: int = 4096
    seed: int = 0
    always: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        for name, value, usual in (("samples", self.samples, 4096), ("seed", self.seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise InputError(f"{name}: {str(value)[:40]} is not a whole number; write e.g. {usual}")
        if not 2 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"samples: {self.samples:,} is not from 2 to {MOST_SAMPLES:,}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed: {self.seed} is not from 0 to 2^63 - 1")


USUAL = Sampling()
"""How ranges are sampled unless somebody says otherwise."""
_sampling: ContextVar[Sampling] = ContextVar("costline_sampling", default=USUAL)


@contextmanager
def sampling(samples: int = 4096, *, seed: int = 0, always: bool = False) -> Iterator[Sampling]:
    """Sample the ranges of all questions inside the block so.

    Parameters
    ----------
    samples : int
        Samples of a study.
    seed : int
        Which scrambling.
    always : bool
        Whether questions without ranges are sampled too, for the doubt of the model.
    """
    made = Sampling(samples, seed, always)
    token = _sampling.set(made)
    try:
        yield made
    finally:
        _sampling.reset(token)


def settings() -> Sampling:
    """How ranges are sampled here."""
    return _sampling.get()


class Draws:
    """The uncertain inputs of a study and the rows at which they are read.

    Attributes
    ----------
    variables : dict
        Uncertain inputs by what tells them apart.
    shares : array or None
        Rows of the sample matrix; None is at the medians.
    level : float or None
        Share of the samples below the sizes that are read instead of their medians. [1]
    chips : array or None
        Numbers of chips that are read instead of their median.
    question : int
        Which question of the study is asked: the same words in two questions are two inputs.
    plans : dict
        Plans chosen for the samples, by question.
    """

    def __init__(self) -> None:
        self.variables: dict[Hashable, Variable] = {}
        self.shares: Array | None = None
        self.level: float | None = None
        self.chips: Array | None = None
        self.question = 0
        self.plans: dict[int, Plans] = {}
        self._places: dict[Hashable, int] = {}
        self._orders: dict[str, tuple[int, ...]] = {}
        self._listed: dict[Hashable, tuple[str, float, float, float, Kind]] = {}
        self._watched: list[Efficiency] = []
        self._adopted = False
        self._known: dict[Hashable, Hashable] = {}

    @property
    def wanted(self) -> bool:
        """Whether the user stated a range."""
        return any(variable.origin == "input" for variable in self.variables.values())

    @property
    def columns(self) -> int:
        """Columns of the sample matrix."""
        return len(self._places)

    def read(self, given: Any, kind: Kind, name: str, *, least: float, whole: bool) -> Numeric:
        """Samples of an input that looks uncertain, or its median; a plain number where it is none after all."""
        from costline.uncertainty.reading import check_least, read_spread

        named = isinstance(given, Named)
        label, inside = (given.name, given.given) if named else (name, given)
        key: Hashable = ("named", label, kind.name) if named else (self.question, label, repr(inside))
        if key not in self._known:
            spread = read_spread(inside, kind)
            if isinstance(spread, int | float):
                return spread
            check_least(spread, kind, least)
            self._known[key] = self._named(label, spread, kind) if named else key
            self._add(self._known[key], label, spread, "input", kind, least=least, whole=whole)
        return self._now(self._known[key])

    def _named(self, label: str, spread: Spread, kind: Kind) -> Hashable:
        """What tells an input of a study apart: its name, and its distribution where two questions read two in it."""
        first: Hashable = ("named", label)
        alike = first not in self.variables or self.variables[first].spread == spread
        return first if alike else ("named", label, kind.name)

    def around(self, value: float, low: float | None, high: float | None, name: str, kind: Kind) -> Numeric:
        """Samples of a catalogue's value with a stated spread; the value itself at the median or without a spread."""
        if low is None or high is None or not low < high:
            return value
        key: Hashable = ("catalogue", name, value, low, high)
        if self.shares is None:
            self._listed[key] = (name, value, min(low, value), max(high, value), kind)
            return value
        return self._now(key) if key in self.variables else value

    def coefficients(self, efficiency: Efficiency) -> Efficiency:
        """Coefficients of the model at the samples; at the medians, remember which are used."""
        if self.shares is None and not self._adopted:
            self._watched.append(efficiency)
        if self.shares is None and self.level is None:
            return efficiency
        drawn = {
            key[1:]: self._now(key)
            for key, variable in self.variables.items()
            if variable.origin == "model" and isinstance(key, tuple)
        }
        return efficiency.drawn(drawn)

    def adopt(self) -> None:
        """Give a column to every value of the catalogue and every coefficient that was used and has a spread."""
        from costline.uncertainty.spreads import Bounds
        from costline.uncertainty.variables import row_bounds, row_kind, row_label, row_least

        for key, (name, value, low, high, kind) in self._listed.items():
            self._add(key, name, Bounds(value, low, high), "catalogue", kind)
        for efficiency in self._watched:
            for row in sorted(efficiency.used.values(), key=lambda row: (row.name, row.scope, row.qualifier)):
                place = ("model", row.name, row.scope, row.qualifier)
                bounds = row_bounds(row)
                if bounds is not None and place not in self.variables:
                    self._add(place, row_label(row), bounds, "model", row_kind(row), least=row_least(row))
        self._watched, self._adopted = [], True

    def _now(self, key: Hashable) -> Numeric:
        variable = self.variables[key]
        if self.shares is not None:
            return variable.values(self.shares)
        if self.chips is not None and variable is self.chips_of(self.question):
            return self.chips
        return variable.median if self.level is None else variable.upper(self.level)

    def chips_of(self, question: int) -> Variable | None:
        """The number of chips of a question, if it is a range."""
        for key, variable in self.variables.items():
            if isinstance(key, tuple) and key[0] == question and key[1] == CHIPS:
                return variable
        return None

    def _add(
        self, key: Hashable, name: str, spread: Spread, origin: Origin, kind: Kind | None, *,
        least: float = -np.inf, whole: bool = False,
    ) -> None:  # fmt: skip
        from costline.uncertainty.reading import sorted_rows
        from costline.uncertainty.spreads import Column
        from costline.uncertainty.variables import Variable, numbered

        if self.shares is not None or self._adopted:
            raise CostlineError(f"{name} is read at the samples but was not at the medians")
        if key in self.variables:  # read before, and asked for less
            known = self.variables[key]
            finer = kind if known.kind in {COUNT, RATIO} else known.kind
            self.variables[key] = replace(known, least=max(known.least, least), whole=known.whole or whole, kind=finer)
            return
        if isinstance(spread, Column):  # rows of one file stay together
            order = self._orders.setdefault(spread.file, sorted_rows(spread.values))
            spread = Column(spread.file, spread.name, spread.values, order)
            place = self._places.setdefault(("file", spread.file), len(self._places))
        else:
            column = key[:2] if isinstance(key, tuple) and key[0] == "named" else key  # read in two ways, one column
            place = self._places.setdefault(column, len(self._places))
        taken = {variable.name for variable in self.variables.values()}
        unique = next(each for each in numbered(name) if each not in taken)
        self.variables[key] = Variable(unique, spread, origin, place, kind, least, whole)


_active: ContextVar[Draws | None] = ContextVar("costline_draws", default=None)


def active() -> Draws | None:
    """The study that is being made, if one is."""
    return _active.get()


@contextmanager
def drawing(
    draws: Draws, shares: Array | None = None, *, level: float | None = None, chips: Array | None = None
) -> Iterator[Draws]:
    """Read inputs at rows of the sample matrix inside the block, or at the medians, or sizes at a higher level.

    Where `chips` are given, the number of chips is these and everything else as without.
    """
    before = draws.shares, draws.level, draws.chips, draws.question
    token = _active.set(draws)
    draws.shares, draws.level, draws.chips = shares, level, chips
    try:
        yield draws
    finally:
        draws.shares, draws.level, draws.chips, draws.question = before
        _active.reset(token)


def uncertain(given: Any) -> bool:
    """Whether an input is a range or an input of a study."""
    if isinstance(given, str):
        if not LOOKS_UNCERTAIN.search(given):
            return False
    elif given is None or isinstance(given, Real | np.ndarray | Named):
        return isinstance(given, Named)
    from costline.uncertainty.reading import is_spread

    return is_spread(given)


def ranged_inputs(inputs: Mapping[str, Any]) -> list[str]:
    """Names of the inputs of a question that are ranges, fields of tables included.

    Examples
    --------
    >>> ranged_inputs({"tokens": "1T to 2T", "on": "8xh100-sxm", "coefficients": {"gemm": "60% to 80%"}})
    ['tokens', 'coefficients.gemm']
    """
    found = []
    for name, value in inputs.items():
        if name in TABLES and isinstance(value, Mapping):
            found += [f"{name}.{field}" for field, each in value.items() if uncertain(each)]
        elif name not in NAMES and uncertain(value):
            found.append(name)
    return found


def sample(given: Any, kind: Kind, name: str, *, least: float = 0.0, whole: bool = False) -> Numeric:
    """Samples of an uncertain input in the study being made, or its median.

    Raises
    ------
    QuantityError
        Not readable, no distribution, or read outside of a study.
    """
    draws = active()
    if draws is None:
        raise QuantityError(
            f"{str(given)[:60]!r} is a range; this takes one value (train, serve, generate and caption take ranges)"
        )
    return draws.read(given, kind, name, least=least, whole=whole)


def spread_value(value: float, low: float | None, high: float | None, name: str, kind: Kind) -> Numeric:
    """A catalogue's value with a stated spread: samples of it inside a study, the value itself outside."""
    draws = active()
    return value if draws is None else draws.around(value, low, high, name, kind)


def model_doubt(efficiency: Efficiency) -> Efficiency:
    """Coefficients of the model with their doubt inside a study, as they are outside."""
    draws = active()
    return efficiency if draws is None else draws.coefficients(efficiency)
