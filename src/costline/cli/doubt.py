"""What can be asked of ranges on the command line, and in the ``[sampling]`` table of a scenario.

Annotations are evaluated here, not where a subclass of `Doubt` is read.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from costline import quantity
from costline.cli.terminal import note
from costline.errors import InputError, QuantityError, nearest_names
from costline.uncertainty.draws import USUAL, Sampling, sampling

if TYPE_CHECKING:
    from costline.estimate import Estimate

UNCERTAINTY = Group(
    "Uncertainty",
    help='Any number may be a range: "13T to 20T" (5th to 95th percentile), "13T..20T" (uniform), "{13T, 20T}", '
    '"{13T: 0.6, 20T: 0.4}", "samples.csv:column".',
    sort_key=80,
)


def _flag(words: str, *names: str) -> Parameter:
    return Parameter(name=list(names) or None, group=UNCERTAINTY, help=words, negative="", show_default=False)


@dataclass(frozen=True)
class Doubt:
    """How ranges are sampled and what is reported of them."""

    samples: Annotated[int | None, _flag("Samples drawn [4096].")] = None
    seed: Annotated[int | None, _flag("Which samples; the same seed gives the same answer [0].")] = None
    chance: Annotated[tuple[str, ...], _flag('How likely: --chance "cost < $50". Repeatable.')] = ()
    given: Annotated[
        tuple[str, ...], _flag('Keep what agrees: --given "days between 150 and 200", and what it implies. Repeatable.')
    ] = ()
    percentiles: Annotated[str | None, _flag("Percentiles: 5,25,50,75,95.")] = None
    interval: Annotated[str | None, _flag("Share of the samples in an interval [80%].")] = None
    of: Annotated[str | None, _flag("Result to explain: cost, time, mfu, ...")] = None
    tornado: Annotated[Path | None, _flag("Draw what moves it as an SVG file.")] = None
    conventions: Annotated[bool, _flag("The same counted otherwise: 6ND or exact, full attention, price date.")] = False

    @property
    def wanted(self) -> bool:
        """Whether something is asked that needs samples, range or no range; a seed alone asks for none."""
        asked = (self.samples, self.percentiles, self.interval, self.of, self.tornado)
        return any(each is not None for each in asked) or bool(self.chance or self.given)

    def stated(self) -> tuple[str, ...]:
        """Flags about ranges that were given."""
        given = {row.name: getattr(self, row.name) for row in fields(Doubt)}
        return tuple(f"--{name}" for name, value in given.items() if value not in (None, ()) and value is not False)

    def sampling(self) -> AbstractContextManager[Sampling]:
        """Sample the question asked inside the block as wanted."""
        samples = USUAL.samples if self.samples is None else self.samples
        return sampling(samples, seed=USUAL.seed if self.seed is None else self.seed, always=self.wanted)

    def check(self) -> None:
        """Refuse what cannot be, before anything is computed."""
        self.percents()
        self._share()
        if self.tornado is not None and self.tornado.suffix.lower() != ".svg":
            raise InputError(f"--tornado: {str(self.tornado)[-60:]} is drawn as SVG; name a file that ends in .svg")

    def applied(self, estimate: "Estimate") -> "Estimate":
        """The answer with findings and wishes; one without samples as it is."""
        if not self.wanted and not is_ranged(estimate):
            if self.seed is not None:
                note(UNUSED_SEED)
            return estimate
        from costline.uncertainty.sampled import Asked, RangedEstimate

        if not isinstance(estimate, RangedEstimate):
            raise InputError("nothing in this answer is uncertain: give an input as a range, such as 'A to B'")
        for finding in self.given:
            estimate = estimate.given(finding)
        for chance in self.chance:
            estimate.sampled.chance(chance)  # complains before anything is printed
        asked = Asked(chances=self.chance, percents=self.percents(), interval=self._share(), of=self.of or "")
        return replace(estimate, asked=asked)

    def percents(self) -> tuple[float, ...]:
        """Percentiles as numbers. [%]"""
        read = []
        if self.percentiles is not None and not self.percentiles.strip(" ,"):
            raise InputError("--percentiles: none is given; write 5,25,50,75,95")
        for piece in filter(None, (piece.strip() for piece in (self.percentiles or "").split(","))):
            try:
                read.append(float(piece.removesuffix("%").removeprefix("p")))
            except ValueError:
                raise InputError(f"--percentiles: {piece[:20]!r} is not a number; write 5,25,50,75,95") from None
            if not 0 <= read[-1] <= 100:
                raise InputError(f"--percentiles: {piece[:20]} is not from 0 to 100")
        return tuple(read)

    def _share(self) -> float:
        if self.interval is None:
            return 0.8
        try:
            share = quantity.read(self.interval, quantity.FRACTION)
        except QuantityError as error:
            raise InputError(f"--interval: {error}") from None
        if not 0 < share < 1:
            raise InputError(f"--interval: {self.interval} is not between 0 % and 100 %")
        return share

    def completed(self, table: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Fields of the ``[sampling]`` table of a scenario that no flag sets, by name."""
        known = {row.name for row in fields(Doubt)}
        found: dict[str, Any] = {}
        for name, value in table.items():
            if name not in known:
                near = nearest_names(name, known)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
                raise InputError(f"{where}: [sampling] has no {name[:40]!r}; {hint}")
            if not getattr(self, name) or getattr(self, name) is None:
                found[name] = _typed(name, value, where)
        return found


UNUSED_SEED = "--seed: nothing is sampled here, so no seed was used; ranges are sampled, and --samples samples always"


def is_ranged(estimate: "Estimate") -> bool:
    """Whether an answer holds samples; the module of the class is not imported to find out."""
    return hasattr(estimate, "sampled")


def _typed(name: str, value: Any, where: str) -> Any:
    """A value of the table as the flag would give it."""
    if name in {"chance", "given"}:
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
            return tuple(listed)
        raise InputError(f"{where}: [sampling] {name} is a text or a list of texts")
    if name in {"samples", "seed"}:
        if type(value) is int:
            return value
        raise InputError(f"{where}: [sampling] {name} is a whole number, got {str(value)[:40]!r}")
    if name == "conventions":
        return bool(value)
    if name == "percentiles" and isinstance(value, list):
        return ",".join(map(str, value))
    return Path(str(value)) if name == "tornado" else str(value)
