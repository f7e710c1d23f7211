"""Scenarios: what is asked, which inputs vary, and in what order the points come.

::

    study = "serve"
    figures = ["tpot", "output_rate", "cost_output"]   # optional
    samples = 1000                                     # only with ranges among the axes
    seed = 1

    [inputs]
    model = "llama-3.1-70b"
    on = "8xh100-sxm"

    [axes]
    precision = ["bf16", "fp8"]
    batch = { from = 1, to = 512, count = 20, scale = "log" }
    price = "$1.50/h to $4/h"
    plan.tensor = [4, 8]
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from costline.api.common import as_typed
from costline.catalogue.table import parse_toml
from costline.errors import InputError, UnknownNameError
from costline.planning import CHOICES, FLAGS, SHARES, WORDS, read_plan_fields
from costline.precision import element_bytes
from costline.quantity import COUNT, RATIO, Kind
from costline.sweep.axes import Axis, read_axis
from costline.sweep.studies import TABLES, Study, study_named

MOST_POINTS = 10**12
"""Points of a sweep: eleven days at a million a second. More are better drawn at random."""
BLOCK = 2**18
"""Points of a block, at most. A block is the unit of work, of loss and of storage: some ten megabytes."""
PIECE = 16_384
"""Points evaluated together: an array of them takes 128 KiB, so the dozens that live at once stay near the core."""
CALLS = 128
"""Calls of a study in a block, at most: about a second."""
LARGEST_FILE = 10_000_000
"""A scenario file. [byte]"""

FIELDS = ("study", "figures", "samples", "seed", "inputs", "axes")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A sweep to be run.

    Attributes
    ----------
    study : str
        The question: serve, train or generate.
    inputs : mapping
        Inputs that stay fixed.
    axes : tuple of Axis
        Inputs that vary; with `samples`, every combination of the listed values gets all samples.
    figures : tuple of str
        Figures that are written; empty for the study's own choice.
    samples, seed : int
        Random draws of the ranges among the axes, and where the sequence of random numbers starts.
    """

    study: str
    inputs: Mapping[str, Any]
    axes: tuple[Axis, ...]
    figures: tuple[str, ...] = ()
    samples: int = 1
    seed: int = 0

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: the fields, not what was worked out from them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def asked(self) -> Study:
        """The study."""
        return study_named(self.study)

    @property
    def array_names(self) -> frozenset[str]:
        """Axes that are given to the study as arrays; the others are called value by value."""
        return self.asked.arrays

    @cached_property
    def plan_stated(self) -> bool:
        """Whether the plan is stated in full, so that none is looked for at each point."""
        names = {axis.name for axis in self.axes}
        stated = set() if "plan" in names else set(read_plan_fields(self.inputs.get("plan")))
        return set(self.asked.chosen) <= stated | {name.partition(".")[2] for name in names if name.startswith("plan.")}

    @property
    def piece(self) -> int:
        """Points evaluated together. Where plans are compared, each point is dozens of plans."""
        return PIECE if self.plan_stated else PIECE // 16

    @cached_property
    def called(self) -> tuple[Axis, ...]:
        """Listed axes that are called value by value, slowest first."""
        return tuple(axis for axis in self.axes if not axis.random and axis.name not in self.array_names)

    @cached_property
    def arrays(self) -> tuple[Axis, ...]:
        """Listed axes that are arrays."""
        return tuple(axis for axis in self.axes if not axis.random and axis.name in self.array_names)

    @cached_property
    def random(self) -> tuple[Axis, ...]:
        """Axes that are drawn."""
        return tuple(axis for axis in self.axes if axis.random)

    @cached_property
    def sampled_one_by_one(self) -> bool:
        """Whether a drawn input cannot be an array, so that every sample is a call of its own."""
        return any(axis.name not in self.array_names for axis in self.random)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions, slowest first: called axes, samples, array axes."""
        return (*(axis.size for axis in self.called), self.samples, *(axis.size for axis in self.arrays))

    @property
    def points(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def inner(self) -> int:
        """Points of one combination of the called values."""
        arrays = self.shape[len(self.called) + 1 :]
        return math.prod(arrays) * (1 if self.sampled_one_by_one else self.samples)

    @property
    def block(self) -> int:
        """Points of a block. It depends on the scenario alone, so that a restart finds the same blocks."""
        most = min(BLOCK, CALLS * self.piece)
        if self.inner >= most:
            return most
        return self.inner * max(1, min(CALLS, most // self.inner))

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.points // self.block)

    def span(self, number: int) -> tuple[int, int]:
        """First point of a block, and the one after its last."""
        return number * self.block, min((number + 1) * self.block, self.points)

    def plain(self) -> dict[str, Any]:
        """The scenario as plain values, for the manifest."""
        return {
            "study": self.study,
            "inputs": dict(self.inputs),
            "axes": [
                {name: value for name, value in asdict(axis).items() if value not in (None, (), "", False)}
                for axis in self.axes
            ],
            "figures": list(self.figures),
            "samples": self.samples,
            "seed": self.seed,
            "block": self.block,
        }

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides the result, files that it names included."""
        parts = [json.dumps(self.plain(), sort_keys=True, default=str)]
        parts += [content_digest(path) for path in self.files()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def files(self) -> list[Path]:
        """Files and folders that inputs name: models and catalogues of the user's own."""
        named = [self.inputs.get(name) for name in ("model", "catalogue")]
        named += [word for axis in self.axes if axis.name in {"model", "catalogue"} for word in axis.words]
        paths = [Path(name).expanduser() for name in named if isinstance(name, str)]
        return [path for path in paths if path.exists()]


def content_digest(path: Path) -> str:
    """Hash of a file, or of the JSON files of a folder."""
    total = hashlib.sha256()
    for one in [path] if path.is_file() else sorted(path.rglob("*.json")):
        total.update(one.name.encode())
        total.update(one.read_bytes())
    return total.hexdigest()


def read_scenario(path: Path | str) -> Scenario:
    """Read a scenario file.

    Raises
    ------
    InputError
        The file cannot be read, or holds what a scenario does not.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path}: {path.stat().st_size:,} bytes; a scenario has at most {LARGEST_FILE:,}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    parsed = parse_toml(path)
    try:
        return make_scenario(parsed)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def make_scenario(given: Mapping[str, Any]) -> Scenario:
    """A scenario from plain values, laid out as in the file.

    Examples
    --------
    >>> axes = {"input": ["1k", "2k"], "batch": {"from": 1, "to": 8, "step": 1}}
    >>> inputs = {"model": "llama-3.1-8b", "on": "h100-sxm", "plan": "tensor=1, pipeline=1, expert=1"}
    >>> make_scenario({"study": "serve", "inputs": inputs, "axes": axes}).points
    16
    """
    _known("field", given, FIELDS)
    study = study_named(given.get("study", "<none>"))
    inputs, axes = given.get("inputs", {}), given.get("axes", {})
    if not isinstance(inputs, Mapping) or not isinstance(axes, Mapping) or not axes:
        raise InputError("a scenario has a table [inputs] and a table [axes] with one axis at least")
    _known(f"input of {study.name}", inputs, study.inputs)
    varied = tuple(_axis(name, value, study) for name, value in _flat(axes).items())
    both = {axis.name for axis in varied} & (inputs.keys() | _flat(inputs).keys())
    if both:
        raise InputError(f"{', '.join(sorted(both))}: both fixed and an axis")
    scenario = Scenario(
        study=study.name,
        inputs=_fixed(inputs, varied),
        axes=varied,
        figures=tuple(given.get("figures", ())),
        samples=_count(given, "samples", 1),
        seed=_count(given, "seed", 0),
    )
    return _checked(scenario, "samples" in given)


def _checked(scenario: Scenario, sampled: bool) -> Scenario:
    if scenario.random and not sampled:
        raise InputError(
            f"axis {scenario.random[0].name} is a range to draw from: say how many, such as samples = 1000"
        )
    if sampled and not scenario.random:
        raise InputError("samples, but no axis to draw: a range is written 'A to B' or 'A..B'")
    if scenario.points > MOST_POINTS:
        sizes = " x ".join(f"{size:,}" for size in scenario.shape if size > 1)
        raise InputError(f"{scenario.points:.3g} points ({sizes}); the most is {MOST_POINTS:.0e}: draw samples instead")
    return scenario


def _fixed(inputs: Mapping[str, Any], axes: tuple[Axis, ...]) -> dict[str, Any]:
    """Fixed inputs; a plan as text becomes a table where an axis sets one of its fields."""
    fixed = as_typed(inputs)
    if any(axis.name.startswith("plan.") for axis in axes):
        fixed["plan"] = read_plan_fields(fixed.get("plan"))
    return fixed


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `plan`, `coefficients` and `shape` by dotted name."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if name in TABLES and isinstance(value, Mapping):
            flat |= {f"{name}.{field}": one for field, one in value.items()}
        else:
            flat[name] = value
    return flat


def _axis(name: str, given: Any, study: Study) -> Axis:
    table, _, field = name.partition(".")
    _known(f"input of {study.name}", [table], study.inputs)
    kind: Kind | None = study.kind(name)
    whole = name in study.whole
    _readable(name, given)
    if table == "plan" and field:
        (field,) = read_plan_fields({field: given[0]}) if isinstance(given, list) and given else (field,)
        whole = field not in {*SHARES, "year"}
        kind = None if field in CHOICES or field in FLAGS or field in WORDS else COUNT if whole else RATIO
    elif field:
        kind = None if isinstance(given, list) else RATIO
    return read_axis(f"{table}.{field}" if field else name, given, kind, whole)


def _readable(name: str, given: Any) -> None:
    """Refuse plans and formats that mean nothing; that a plan does not suit a machine is for the study to say."""
    table, _, field = name.partition(".")
    for value in given if isinstance(given, list) else []:
        if table == "plan":
            read_plan_fields({field: value} if field else value)
        elif name == "precision":
            element_bytes(str(value))


def _count(given: Mapping[str, Any], name: str, least: int) -> int:
    value = given.get(name, least)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_POINTS:
        raise InputError(f"{name} = {value!r:.40}: a whole number from {least} to {MOST_POINTS:.0e}")
    return value


def _known(kind: str, names: Any, known: Any) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, str(name), known)
