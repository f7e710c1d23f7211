"""Audit files: TOML, checked as a whole before anything is computed.

`TEMPLATE` is one with everything that a file can have, explained line by line. An argument is a quantity (a digit or a
dollar sign comes first; a range such as ``400B to 600B`` or ``{20B: 0.6, 60B: 0.4}`` is sampled, and verdicts allow for
it), or a name: of an input, of an earlier step of the same claim, or ``C1.time``, a step of an earlier claim. Texts may
be given once, or in English and Chinese: ``claim = { en = "...", zh = "..." }``; ``{time}`` in a text stands for the
value of that step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from costline.catalogue.names import resolve
from costline.catalogue.table import DATA, parse_toml
from costline.catalogue.user import ChipTable
from costline.errors import CatalogueError, InputError, QuantityError, UnknownNameError, nearest_names
from costline.quantity import COUNT, FRACTION, PARAMS, Kind
from costline.quantity import read as read_number
from costline.studies.audit.salvage import salvaged, whole
from costline.uncertainty.reading import beside, read_spread

AUDITS = DATA / "audits"
"""The audits that come with costline."""
TEMPLATE = DATA / "audit_template.toml"
"""A file to start from."""
LARGEST_AUDIT = 1_000_000
"""An audit is written by hand. [byte]"""
MOST_FAULTS = 100
"""Faults listed; a file with more is another kind of file."""


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("holds a character that cannot be printed, such as a line break or an escape")
    return value


Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._+-]{0,59}$")]
Line = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Label = Annotated[str, Field(max_length=60), AfterValidator(_printable)]
Given = (
    Annotated[str, Field(max_length=200)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)


def _read(kind: Kind) -> BeforeValidator:
    def check(value: Any) -> float:
        try:
            return read_number(value, kind)
        except QuantityError as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(check)


def _parameters(value: Any) -> Any:
    """Parameters, or a range of them, which is read when the audit is judged."""
    try:
        read_spread(value, PARAMS)
    except QuantityError as error:
        raise ValueError(str(error)) from None
    return value


Share = Annotated[float, _read(FRACTION)]
Params = Annotated[Given, BeforeValidator(_parameters)]
Factor = Annotated[float, _read(COUNT), Field(gt=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)


class Text(_Table):
    """A text in English and, if there is one, in Chinese."""

    en: Line
    zh: Line | None = None

    def say(self, language: str) -> str:
        """The text in a language; in English where it has not been translated."""
        return self.zh if language == "zh" and self.zh is not None else self.en


def _text(value: Any) -> Any:
    if not isinstance(value, str | Mapping):
        raise ValueError(f'is a text, or one in each language, {{ en = "...", zh = "..." }}; got {ascii(value)[:40]}')
    return {"en": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Said = Annotated[Text, BeforeValidator(_text)]


class InputTable(_Table):
    """``[inputs.name]``: a number that somebody stated, and where."""

    value: Given
    source: Line
    note: Line | None = None


class ModelTable(_Table):
    """``[[model]]``: a model of which no more is known than its size."""

    id: Name
    kind: Literal["decoder", "dit"]
    params: Params
    active: Params | None = None
    layers: Annotated[int, Field(ge=1, le=10_000, strict=True)] | None = None
    hidden: Annotated[int, Field(ge=16, le=1_000_000, strict=True)] | None = None


class StepTable(_Table):
    """``steps.name = { call = "...", with = { ... } }``: one computation."""

    call: Annotated[str, Field(max_length=60)]
    arguments: Annotated[dict[Word, Given], Field(alias="with", max_length=20)]
    unit: Label | None = None


class CheckTable(_Table):
    """``[[claim.check]]``: a computed value against a stated one, or against bounds."""

    kind: Literal["arithmetic", "premise"]
    computed: Line
    stated: Given | None = None
    tolerance: Share | None = None
    factor: Factor | None = None
    least: Given | None = None
    most: Given | None = None
    right: Line | None = None
    fails: Said | None = None

    @model_validator(mode="after")
    def _one_test(self) -> CheckTable:
        if self.fault:
            raise ValueError(self.fault)
        return self

    @property
    def fault(self) -> str:
        """What is wrong with its fields together; empty for nothing."""
        bounds = self.least is not None or self.most is not None
        if (self.stated is not None) == bounds:
            return "say either what is stated (with tolerance or factor) or least and most"
        ways = (self.tolerance is not None) + (self.factor is not None)
        if ways != (0 if bounds else 1):
            return "a stated value takes either a tolerance or a factor; bounds take neither"
        return ""


class ClaimTable(_Table):
    """``[[claim]]``: what is said, how it is computed, and how the two compare."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")]
    claim: Said
    section: Label = ""
    stated: Said | None = None
    source: Line | None = None
    steps: Annotated[dict[Word, StepTable], Field(max_length=50)] = {}
    check: Annotated[list[CheckTable], Field(max_length=20)] = []
    shown: Annotated[list[Line], BeforeValidator(_listed), Field(max_length=5)] = []
    span: Annotated[list[Line], Field(min_length=2, max_length=2)] | None = None
    holds: Said | None = None
    not_checkable: Said | None = None

    @model_validator(mode="after")
    def _checked_or_not(self) -> ClaimTable:
        if bool(self.check) == (self.not_checkable is not None):
            raise ValueError("give it a [[claim.check]], or say in not_checkable why there is none, not both")
        if self.shown and self.span:
            raise ValueError("show values or a span, not both")
        return self


class Audit(_Table):
    """A file."""

    title: Said
    source: Line
    date: Line | None = None
    note: Said | None = None
    model_doubt: bool = False
    sections: dict[str, Said] = {}
    inputs: Annotated[dict[Word, InputTable], Field(max_length=500)] = {}
    chip: list[ChipTable] = []
    model: Annotated[list[ModelTable], Field(max_length=100)] = []
    claim: Annotated[list[ClaimTable], Field(min_length=1, max_length=500)]


def shipped_audits() -> dict[str, Path]:
    """Audits that come with costline, by name."""
    return {path.stem: path for path in sorted(AUDITS.glob("*.toml"))}


def find(name: str) -> Path:
    """File of an audit: a name of those that come with costline, or a path.

    Raises
    ------
    InputError
        Neither; the nearest names are given.
    """
    path = Path(name).expanduser()
    with suppress(OSError, ValueError):  # a name that no file can have
        if path.suffix == ".toml" or path.is_file():
            return path
    known = shipped_audits()
    try:
        return known[resolve("audit", name, known)]
    except UnknownNameError as error:
        if error.nearest:
            raise
        raise InputError(f"{error}; there are {', '.join(known)}, or name a TOML file of your own") from None


def load(path: Path) -> Audit:
    """Read an audit file.

    Raises
    ------
    CatalogueError
        Unreadable or malformed; every fault of the file's layout is listed.
    """
    audit, faults = opened(path)
    if faults:
        raise CatalogueError(str(path), faults[:MOST_FAULTS])
    return audit


def opened(path: Path) -> tuple[Audit, list[str]]:
    """What can be read of an audit file, and the faults of its layout: the rest can still be looked through for more.

    Raises
    ------
    CatalogueError
        Nothing of it can be read.
    """
    try:
        if path.stat().st_size > LARGEST_AUDIT:
            raise CatalogueError(str(path), [f"is larger than {LARGEST_AUDIT / 1e6:g} MB; an audit is smaller"])
    except OSError as error:
        raise CatalogueError(str(path), [f"cannot be read: {error.strerror or error}"]) from None
    document = beside(parse_toml(path), path.parent)
    try:
        audit, faults = _checked(document)
    except RecursionError:
        raise CatalogueError(str(path), ["is nested too deeply"]) from None
    return audit, [*faults, *_twice(audit)]


def _checked(document: Mapping[str, Any]) -> tuple[Audit, list[str]]:
    try:
        return Audit.model_validate(document), []
    except ValidationError as error:
        audit = salvaged(Audit, document)
        return audit, [*_layout_faults(error, document), *_unlooked(audit, document)]


def _unlooked(audit: Audit, document: Mapping[str, Any]) -> Iterator[str]:
    """Faults of checks that were not looked at as a whole, because a field of theirs cannot be read."""
    for place, claim in enumerate(audit.claim):
        for number, check in enumerate(claim.check):
            if not whole(check) and check.fault and not _unread(check, document["claim"][place]["check"][number]):
                yield f"claim {claim.id}, check {number + 1}: {check.fault}"


def _unread(check: CheckTable, given: Any) -> bool:
    """Whether one of the fields that must fit together is there and could not be read."""
    together = ("stated", "least", "most", "tolerance", "factor")
    return not isinstance(given, Mapping) or any(name in given and getattr(check, name) is None for name in together)


def _twice(audit: Audit) -> list[str]:
    """Ids that are there twice."""
    kinds = {
        "claim": [each.id for each in audit.claim],
        "model": [each.id for each in audit.model],
        "chip": [each.id for each in audit.chip],
    }
    return [
        f"{kind} {name!r} is there twice"
        for kind, ids in kinds.items()
        for name in dict.fromkeys(ids)
        if name is not None and ids.count(name) > 1
    ]


def _layout_faults(error: ValidationError, document: Mapping[str, Any]) -> list[str]:
    """One line a fault: where in words of the file, what is wrong, what would be right."""
    lines: dict[str, None] = {}
    for fault in error.errors(include_url=False):
        where = _where(fault["loc"], document)
        field = str(fault["loc"][-1])[:60] if fault["loc"] else "file"
        if fault["type"] == "extra_forbidden":
            near = nearest_names(field, _fields(fault["loc"]))
            hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(_fields(fault['loc']))}"
            lines[f"{where}is not known; {hint}"] = None
        elif fault["type"] == "missing":
            lines[f"{where}is missing"] = None
        else:
            message = fault["msg"].removeprefix("Value error, ")
            given = "" if fault["type"] == "value_error" else f", got {ascii(fault['input'])[:60]}"
            lines[f"{where}{message}{given}"] = None
    return list(lines)


def _where(location: tuple[int | str, ...], document: Mapping[str, Any]) -> str:
    """Place of a fault: ``claim S05, check 2, tolerance: ``; list entries by their id where they have one."""
    words: list[str] = []
    at: Any = document
    for step in location:
        try:
            at = at[step]
        except (KeyError, IndexError, TypeError):
            at = None
        if isinstance(step, int):
            label = at.get("id") if isinstance(at, dict) else None
            words[-1:] = [f"{words[-1] if words else 'entry'} {ascii(str(label or step + 1)).strip(chr(39))[:40]}"]
        else:
            words.append(ascii(step).strip("'")[:60])
    return f"{', '.join(words)}: " if words else ""


def _fields(location: tuple[int | str, ...]) -> list[str]:
    """Fields of the table in which something is not known."""
    tables: dict[str, type[BaseModel]] = {
        "claim": ClaimTable, "check": CheckTable, "steps": StepTable, "model": ModelTable, "inputs": InputTable,
        "chip": ChipTable,
    }  # fmt: skip
    inside = next((tables[str(step)] for step in reversed(location[:-1]) if step in tables), Audit)
    if location and len(location) > 1 and location[-2] in {"claim", "holds", "fails", "not_checkable", "title", "note"}:
        inside = Text
    return [field.alias or name for name, field in inside.model_fields.items()]
