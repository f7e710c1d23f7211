"""The closed set of kinds of quantity: what a field measures, which unit words it takes and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from costline.quantity import units
from costline.quantity.units import Table, power


@dataclass(frozen=True, slots=True)
class Scale:
    """One way to print a value: divided by `factor`, between `before` and `after`.

    Attributes
    ----------
    factor : Fraction
        Worth of the printed unit in the SI unit.
    before, after : str
        Text around the number, spaces included.
    label : str
        The unit as a column heading.
    """

    factor: Fraction
    before: str
    after: str
    label: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Kind:
    """What a field measures. Two fields of one kind are read and printed alike.

    Attributes
    ----------
    name : str
        Plain words, used in messages ("memory size").
    unit : str
        The SI unit inside costline.
    example : str
        Text that reads well, shown in messages and help.
    whole : Table, optional
        Units that stand alone.
    over, per : Table, optional
        Units before and after a slash, for a kind that is a ratio.
    scales : tuple of Scale
        How it is printed, smallest unit first.
    base : Scale
        Printed in the SI unit itself, for exact and extreme values.
    bare : bool
        Whether text without a unit is the SI unit. Only where nobody means anything else (seconds, watts, dollars).
    counts : bool
        Whether it counts things, so that few of them are printed without decimals.
    limit : float
        Largest value allowed.
    top : float
        From here on, powers of ten are printed instead of prefixes.
    """

    name: str
    unit: str
    example: str
    scales: tuple[Scale, ...]
    base: Scale
    whole: Table | None = None
    over: Table | None = None
    per: Table | None = None
    bare: bool = False
    counts: bool = False
    limit: float = float("inf")
    top: float = float("inf")

    @property
    def money(self) -> bool:
        """Whether text may start with a dollar sign."""
        return units.MONEY in (self.whole, self.over)

    @property
    def one(self) -> str:
        """The name with its article: "an energy price"."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    def __repr__(self) -> str:
        return f"<Kind: {self.name} [{self.unit}]>"


def _si(unit: str, prefixes: str) -> tuple[Scale, ...]:
    """Scales of an SI unit; `prefixes` from small to large, ``-`` for none."""
    table = units.SMALL | units.LARGE | {"-": 0}
    names = [(prefix.replace("-", "") + unit, table[prefix]) for prefix in prefixes]
    return tuple(Scale(power(exponent), "", f" {name}", name) for name, exponent in names)


def _units(worths: Iterable[tuple[str, Fraction | int]]) -> tuple[Scale, ...]:
    return tuple(Scale(Fraction(worth), "", f" {name}", name) for name, worth in worths)


def _counts(word: str) -> tuple[Scale, ...]:
    """Scales of a count: ``405B params``."""
    after = f" {word}" if word else ""
    names = (("", ""), ("k", "thousand"), ("M", "million"), ("B", "billion"), ("T", "trillion"))
    return tuple(
        Scale(power(3 * step), "", suffix + after, f"{name}{after}".strip())
        for step, (suffix, name) in enumerate(names)
    )


def _dollars(per: str = "", worth: Fraction | int = 1) -> tuple[Scale, ...]:
    """Scales of a price: ``$2.49/h``."""
    return tuple(
        Scale(power(3 * step) / worth, "$", suffix + per, f"${suffix}{per}")
        for step, suffix in enumerate(("", "k", "M", "B", "T"))
    )


def _of(scales: tuple[Scale, ...], per: str) -> tuple[Scale, ...]:
    return tuple(Scale(scale.factor, scale.before, scale.after + per, scale.label + per) for scale in scales)


def _base(unit: str, before: str = "") -> Scale:
    return Scale(Fraction(1), before, unit, (before + unit).strip())


_HOUR, _DAY, _YEAR, _KWH = 3600, 86400, 86400 * 1461 // 4, 3_600_000
_COUNT_TOP = 1e15
_FLOP_PREFIXES = "-kMGTPE"

COUNT = Kind(
    name="count",
    unit="1",
    example="16,384",
    whole=units.PLAIN,
    scales=_counts(""),
    base=_base(""),
    bare=True,
    counts=True,
    top=_COUNT_TOP,
)
PARAMS = Kind(
    name="number of parameters",
    unit="parameter",
    example="70B",
    whole=units.PARAMETERS,
    scales=_counts("params"),
    base=_base(" params"),
    bare=True,
    counts=True,
    top=_COUNT_TOP,
)
TOKENS = Kind(
    name="number of tokens",
    unit="token",
    example="13T tokens",
    whole=units.TOKEN,
    scales=_counts("tokens"),
    base=_base(" tokens"),
    bare=True,
    counts=True,
    top=_COUNT_TOP,
)
BYTES = Kind(
    name="memory size",
    unit="byte",
    example="80 GB or 80 GiB",
    whole=units.SIZE,
    scales=_si("B", "-kMGTPE"),
    base=_base(" B"),
)
BANDWIDTH = Kind(
    name="memory bandwidth",
    unit="byte/s",
    example="3.35 TB/s",
    whole=units.RATE,
    over=units.RATE_SIZE,
    per=units.TIME,
    scales=_si("B/s", "-kMGTPE"),
    base=_base(" B/s"),
)
LINK_BANDWIDTH = Kind(
    name="link bandwidth",
    unit="byte/s",
    example="450 GB/s or 400 Gb/s",
    whole=units.LINK_RATE,
    over=units.LINK_SIZE,
    per=units.TIME,
    scales=_si("B/s", "-kMGTPE"),
    base=_base(" B/s"),
)
FLOP = Kind(
    name="amount of work",
    unit="FLOP",
    example="3.8e25 FLOP",
    whole=units.WORK,
    scales=_si("FLOP", _FLOP_PREFIXES),
    base=_base(" FLOP"),
    bare=True,
    top=1e21,  # beyond exa the field writes powers of ten: 3.8e25 FLOP
)
FLOP_RATE = Kind(
    name="rate of work",
    unit="FLOP/s",
    example="989 TFLOP/s",
    whole=units.WORK_RATE,
    over=units.WORK_OF_RATE,
    per=units.TIME,
    scales=_si("FLOP/s", _FLOP_PREFIXES),
    base=_base(" FLOP/s"),
)
SECONDS = Kind(
    name="time",
    unit="s",
    example="2.5 h or 2h30m",
    whole=units.TIME,
    scales=_si("s", "pnµm-") + _units((("min", 60), ("h", _HOUR), ("days", _DAY), ("years", _YEAR))),
    base=_base(" s"),
    bare=True,
)
WATTS = Kind(
    name="power",
    unit="W",
    example="400 W",
    whole=units.WATT,
    scales=_si("W", "m-kMG"),
    base=_base(" W"),
    bare=True,
)
JOULES = Kind(
    name="energy",
    unit="J",
    example="1.5 kWh",
    whole=units.JOULE,
    scales=_si("J", "pnµm-")
    + _units((("Wh", 3600), ("kWh", _KWH), ("MWh", 1000 * _KWH), ("GWh", 10**6 * _KWH), ("TWh", 10**9 * _KWH))),
    base=_base(" J"),
)
JOULES_PER_TOKEN = Kind(
    name="energy per token",
    unit="J/token",
    example="0.39 J/token",
    over=units.JOULE,
    per=units.TOKEN,
    scales=_of(_si("J", "nµm-k"), "/token"),
    base=_base(" J/token"),
)
JOULES_PER_BYTE = Kind(
    name="energy per byte",
    unit="J/byte",
    example="4 pJ/bit",
    over=units.JOULE,
    per=units.DATA,
    scales=_of(_si("J", "pnµm-"), "/byte"),
    base=_base(" J/byte"),
)
JOULES_PER_FLOP = Kind(
    name="energy per FLOP",
    unit="J/FLOP",
    example="0.7 pJ/FLOP",
    over=units.JOULE,
    per=units.WORK,
    scales=_of(_si("J", "pnµm-"), "/FLOP"),
    base=_base(" J/FLOP"),
)
DOLLARS = Kind(
    name="amount of money",
    unit="$",
    example="$1.3M",
    whole=units.MONEY,
    scales=_dollars(),
    base=_base("", "$"),
    bare=True,
)
DOLLARS_PER_SECOND = Kind(
    name="rental price",
    unit="$/s",
    example="$2.49/h",
    over=units.MONEY,
    per=units.CHIP_TIME,
    scales=_dollars("/h", Fraction(_HOUR)),
    base=_base("/s", "$"),
)
DOLLARS_PER_TOKEN = Kind(
    name="token price",
    unit="$/token",
    example="$3 per 1M tokens",
    over=units.MONEY,
    per=units.TOKEN,
    scales=_dollars("/1M tokens", 10**6),
    base=_base("/token", "$"),
)
DOLLARS_PER_VIDEO_SECOND = Kind(
    name="video price",
    unit="$/s",
    example="$0.10/s",
    over=units.MONEY,
    per=units.VIDEO_TIME,
    scales=_dollars("/s"),
    base=_base("/s", "$"),
)
DOLLARS_PER_JOULE = Kind(
    name="energy price",
    unit="$/J",
    example="$0.08/kWh",
    over=units.MONEY,
    per=units.JOULE,
    scales=_dollars("/kWh", _KWH),
    base=_base("/J", "$"),
)
CARBON = Kind(
    name="mass of CO2",
    unit="kg",
    example="2.3 tCO2e",
    whole=units.MASS,
    scales=_units(
        (("gCO2e", power(-3)), ("kgCO2e", 1), ("tCO2e", 1000), ("ktCO2e", 10**6), ("MtCO2e", 10**9)),
    ),
    base=_base(" kgCO2e"),
)
CARBON_PER_JOULE = Kind(
    name="carbon intensity",
    unit="kg/J",
    example="650 gCO2/kWh",
    over=units.MASS,
    per=units.JOULE,
    scales=_units((("gCO2e/kWh", power(-3) / _KWH),)),
    base=_base(" kgCO2e/J"),
)
FRACTION = Kind(
    name="fraction",
    unit="1",
    example="40% or 0.4",
    whole=units.PERCENT,
    scales=_units((("%", power(-2)),)),
    base=_base(""),
    bare=True,
    limit=1.0,
)
RATIO = Kind(
    name="ratio",
    unit="1",
    example="1.25",
    whole=units.TIMES,
    scales=(_base(""),),
    base=_base(""),
    bare=True,
)
TOKEN_RATE = Kind(
    name="rate of tokens",
    unit="token/s",
    example="105 tok/s",
    over=units.TOKEN,
    per=units.TIME,
    scales=_of(_counts("tok")[:4], "/s"),
    base=_base(" tok/s"),
)
REQUEST_RATE = Kind(
    name="rate of requests",
    unit="1/s",
    example="100k clips/day",
    over=units.REQUEST,
    per=units.TIME,
    scales=_of(_counts("requests")[:4], "/s"),
    base=_base(" requests/s"),
)
FAILURE_RATE = Kind(
    name="rate of failures",
    unit="1/s",
    example="0.2 failures/year",
    over=units.FAILURE,
    per=units.TIME,
    scales=_units((("failures/year", Fraction(1, _YEAR)),)),
    base=_base(" failures/s"),
)
FREQUENCY = Kind(
    name="frequency",
    unit="Hz",
    example="1.98 GHz",
    whole=units.HERTZ,
    scales=_si("Hz", "-kMGT"),
    base=_base(" Hz"),
)
AREA = Kind(
    name="area",
    unit="m2",
    example="814 mm2",
    whole=units.AREA_WORDS,
    scales=_units((("mm2", power(-6)),)),
    base=_base(" m2"),
)

KINDS: dict[str, Kind] = {name: value for name, value in list(globals().items()) if isinstance(value, Kind)}
"""Every kind by its name; the order is the order in which messages guess what a misplaced unit was."""
