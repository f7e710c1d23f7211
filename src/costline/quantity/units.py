"""Unit words and what they are worth: definitions only, one table for each physical dimension.

Conventions, and why:

- ``k`` is 1,000 everywhere and ``Ki`` is 1,024: ``32k`` is 32,000 tokens, ``32Ki`` is 32,768 (SI; IEC 80000-13).
- ``B`` is billion in a count and byte in a size: the field decides, so each dimension has a table of its own.
- In a size ``Gbit`` is bits for certain. ``Gb`` is bits only for network links, whose vendors write bits; elsewhere it
  is refused, because it is as often a careless ``GB``.
- Letter case is ignored only where it cannot change the value: ``kwh`` is fine, ``mw`` is refused (mW or MW).
- A year is 365.25 days (Julian year, IAU), a month a twelfth of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Readings:
    """A unit that could mean several things here; each is given as the unit to write instead."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """A unit that is refused here, with the reason and what to write instead."""

    text: str


Worth: TypeAlias = Fraction | Readings | Advice
"""What a unit word stands for: so many SI units, or a reason to refuse it."""


@dataclass(frozen=True, eq=False)
class Table:
    """The unit words of one dimension.

    Attributes
    ----------
    words : mapping of str to Fraction, Readings or Advice
        Exact spelling to worth in the SI unit.
    """

    words: Mapping[str, Worth]

    @cached_property
    def folded(self) -> dict[str, list[str]]:
        """Spellings by their lower-case form."""
        spellings: dict[str, list[str]] = {}
        for word, worth in self.words.items():
            if not isinstance(worth, Advice):
                spellings.setdefault(word.lower(), []).append(word)
        return spellings

    def find(self, word: str) -> Worth | None:
        """Return the worth of `word`: as spelt, else by a spelling that differs in case only and cannot be confused."""
        if (exact := self.words.get(word)) is not None:
            return exact
        spellings = self.folded.get(word.lower(), [])
        readings: dict[Worth | str, str] = {}
        for spelling in spellings:
            worth = self.words[spelling]
            for unit in worth.units if isinstance(worth, Readings) else (spelling,):
                readings.setdefault(self.words.get(unit, unit), unit)
        if len(readings) > 1:
            return Readings(tuple(readings.values()))
        if spellings and self._other_prefix(word, spellings[0]):
            return Advice(f"{word[0]} is {CAPITALS[word[0]]} and {spellings[0][0]} is {SMALLS[spellings[0][0]]}; write "
                          f"{spellings[0]} if you mean that")  # fmt: skip
        return self.words[spellings[0]] if spellings else None

    def _other_prefix(self, word: str, spelling: str) -> bool:
        """Whether a capital stands where only the small letter is known, and both are prefixes: ``Ms`` for ``ms``."""
        return word[:1] in CAPITALS and spelling[:1] == word[:1].lower() and spelling[1:] in self.words


LARGE = {"k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24}
SMALL = {"m": -3, "u": -6, "µ": -6, "n": -9, "p": -12}
CAPITALS, SMALLS = {"M": "mega", "P": "peta"}, {"m": "milli", "p": "pico"}
LONG = {"kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15, "exa": 18, "zetta": 21, "yotta": 24}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
MAGNITUDES = {"": 0, "k": 3, "K": 3, "M": 6, "B": 9, "T": 12, "bn": 9} | {
    name: 3 * power for power, name in enumerate(("thousand", "million", "billion", "trillion", "quadrillion"), 1)
}
_SIZES = ("", "K", "k", "M", "G", "T", "P", "E")
_DAY = 86400


def power(exponent: int) -> Fraction:
    """Ten to a whole power, exactly."""
    return Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent)


def prefixed(words: Iterable[str], prefixes: Mapping[str, int], unit: Fraction | int = 1) -> dict[str, Worth]:
    """Every prefix before every word; the bare words too."""
    table: dict[str, Worth] = {}
    for word in words:
        table[word] = Fraction(unit)
        for prefix, exponent in prefixes.items():
            table[prefix + word] = power(exponent) * unit
    return table


def counted(words: Iterable[str]) -> Table:
    """Counts: a magnitude, an optional space, an optional word (``13T tokens``, ``1Mtok``, ``32Ki``)."""
    scales: dict[str, Fraction] = {magnitude: power(exponent) for magnitude, exponent in MAGNITUDES.items()}
    scales |= {"G": power(9), "P": power(15)} | {prefix: Fraction(2**bits) for prefix, bits in BINARY.items()}
    table: dict[str, Worth] = dict(scales)
    for word in words:
        table |= {f"{magnitude}{gap}{word}": worth for magnitude, worth in scales.items() for gap in ("", " ")}
        table[word] = Fraction(1)
    return Table(table)


def data_words(*, link: bool) -> dict[str, Worth]:
    """Bytes and bits, in bytes; a lower-case ``b`` is a bit for a link and refused elsewhere."""
    table: dict[str, Worth] = {}
    for prefix in _SIZES:
        worth = power(LARGE.get(prefix, 0))
        table |= {prefix + word: worth for word in ("B", "byte", "bytes")}
        table |= {prefix + word: worth / 8 for word in ("bit", "bits")}
        table[prefix + "b"] = worth / 8 if link else Readings((f"{prefix}bit", f"{prefix}B"))
    for prefix, bits in BINARY.items():
        worth = Fraction(2**bits)
        table |= {prefix + word: worth for word in ("B", "byte", "bytes")}
        table |= {prefix + word: worth / 8 for word in ("bit", "bits")}
        table[prefix + "b"] = worth / 8 if link else Readings((f"{prefix}bit", f"{prefix}B"))
    for prefix, exponent in LONG.items():
        table |= {prefix + word: power(exponent) for word in ("byte", "bytes")}
        table |= {prefix + word: power(exponent) / 8 for word in ("bit", "bits")}
    return table


def _size_words() -> dict[str, Worth]:
    """Sizes: nobody types memory in lower-case bits, so ``80gb`` is 80 GB; ``80G`` is GB to some and GiB to others."""
    table = data_words(link=False)
    table |= {prefix.lower() + "b": Fraction(2**bits) for prefix, bits in BINARY.items()}
    for prefix in _SIZES[2:]:
        table[prefix.lower() + "b"] = power(LARGE[prefix])
        table[prefix] = Readings((f"{prefix}B", f"{prefix.upper() if prefix == 'k' else prefix}iB"))
    return table


def _rate_words(*, link: bool) -> dict[str, Worth]:
    """Data rates written without a slash: ``400 Gbps``, ``3350 GBps``; ``400G`` alone is refused."""
    table: dict[str, Worth] = {}
    for prefix in _SIZES:
        worth = power(LARGE.get(prefix, 0))
        both = Readings((f"{prefix}bit/s", f"{prefix}Bps"))
        table |= {f"{prefix}Bps": worth, f"{prefix}bps": worth / 8 if link else both}
        if prefix:
            table[prefix] = both
    return table


def _rate_sizes(*, link: bool) -> dict[str, Worth]:
    """Numerators of a data rate; ``400 G/s`` is refused like ``400G``."""
    return data_words(link=link) | {prefix: Readings((f"{prefix}bit", f"{prefix}B")) for prefix in _SIZES[1:]}


_TIME_WORDS: dict[str, tuple[str, ...]] = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "min": ("min", "mins", "m", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "year": ("year", "years", "yr", "yrs"),
}
_TIME_UNITS = {unit: Fraction(seconds) for unit, seconds in (("s", 1), ("min", 60), ("h", 3600), ("d", _DAY))} | {
    "week": Fraction(7 * _DAY),
    "month": Fraction(_DAY * 1461, 48),
    "year": Fraction(_DAY * 1461, 4),
}


def _times() -> dict[str, Worth]:
    """Times; ``m`` is a minute as in ``2h30m``, ``M`` is refused."""
    table: dict[str, Worth] = {word: _TIME_UNITS[unit] for unit, words in _TIME_WORDS.items() for word in words}
    table |= {f"{prefix}s": power(exponent) for prefix, exponent in SMALL.items()}
    table |= {"millisecond": power(-3), "milliseconds": power(-3), "M": Readings(("min", "months"))}
    return table


_WHOLE_NODE = Advice("a node holds several chips; divide by their number and write $ per gpu-hour")


def _chip_times() -> dict[str, Worth]:
    """Times a chip is rented for: ``h``, ``gpu-hour``, ``GPU/h``, ``chip-hour``."""
    table = _times()
    for unit, words in _TIME_WORDS.items():
        for word in words:
            for joint in ("-", " ", "/"):
                table |= {f"{holder}{joint}{word}": _TIME_UNITS[unit] for holder in ("gpu", "chip", "accelerator")}
                table |= {f"{holder}{joint}{word}": _WHOLE_NODE for holder in ("node", "server", "instance", "machine")}
    return table | {"gpuh": _TIME_UNITS["h"]}


def _video_times() -> dict[str, Worth]:
    """Seconds of finished video."""
    table = _times()
    for unit in ("s", "min"):
        for word in _TIME_WORDS[unit]:
            table |= {f"{word} of video": _TIME_UNITS[unit], f"video-{word}": _TIME_UNITS[unit]}
            table[f"video {word}"] = _TIME_UNITS[unit]
    return table


def _flop_words() -> dict[str, Worth]:
    """Amounts of work: FLOP, and the petaflop/s-day of the scaling-law papers (1e15 · 86,400 FLOP)."""
    table = prefixed(("FLOP", "FLOPs"), LARGE) | prefixed(("flop", "flops"), LONG)
    table |= prefixed(("FLOP/s-day", "FLOP/s-days"), LARGE, _DAY) | prefixed(("flop/s-day", "flop/s-days"), LONG, _DAY)
    for prefix in ("", *LARGE):
        table[f"{prefix}FLOPS"] = Advice(f"{prefix}FLOPS is a rate; an amount of work is written {prefix}FLOP")
        table |= {
            f"{prefix}{word}": Advice("one MAC is two FLOP; write twice as many FLOP") for word in ("MAC", "MACs")
        }
    return table


def _flop_rate_words() -> dict[str, Worth]:
    """Rates of work without a slash. In a rate field ``TFLOPs`` can only be a sloppy ``TFLOPS``."""
    table = prefixed(("FLOPS", "FLOPs", "OPS"), LARGE) | prefixed(("flops",), LONG)
    for prefix in ("", *LARGE):
        table[f"{prefix}FLOP"] = Advice(f"{prefix}FLOP is an amount of work; a rate is written {prefix}FLOP/s")
        table[f"{prefix}MACS"] = Advice("one MAC is two FLOP; write twice as many FLOP/s")
    return table


def _money_words() -> dict[str, Worth]:
    """Dollars; other currencies are refused, since no exchange rate is a definition."""
    table: dict[str, Worth] = {}
    for magnitude, exponent in MAGNITUDES.items():
        worth = power(exponent)
        table |= {f"{magnitude}{word}": worth for word in ("", "$", "USD", " USD", " $", " dollars")}
    return table | {
        "USD": Fraction(1),
        "dollar": Fraction(1),
        "dollars": Fraction(1),
        "cent": power(-2),
        "cents": power(-2),
    }


def _mass_words() -> dict[str, Worth]:
    """Mass of CO2, in kg; the ``CO2`` is optional."""
    table: dict[str, Worth] = {}
    for unit, exponent in {"mg": -6, "g": -3, "kg": 0, "t": 3, "kt": 6, "Mt": 9, "tonne": 3, "tonnes": 3}.items():
        table |= {unit + gas: power(exponent) for gas in ("", "CO2", "CO2e", "CO2eq", " CO2", " CO2e", " CO2eq")}
    return table


CHIPS_WORDS = ("chip", "chips", "gpu", "gpus")
REQUEST_WORDS = ("request", "requests", "req", "clip", "clips", "video", "videos", "image", "images")
TOKEN_WORDS = ("token", "tokens", "tok", "input tokens", "output tokens")

PLAIN = counted(CHIPS_WORDS)
PARAMETERS = counted(("param", "params", "parameter", "parameters"))
TOKEN = counted(TOKEN_WORDS)
REQUEST = counted(REQUEST_WORDS)
FAILURE = counted(("failure", "failures"))
SIZE = Table(_size_words())
RATE_SIZE, RATE = Table(_rate_sizes(link=False)), Table(_rate_words(link=False))
LINK_SIZE, LINK_RATE = Table(_rate_sizes(link=True)), Table(_rate_words(link=True))
TIME, CHIP_TIME, VIDEO_TIME = Table(_times()), Table(_chip_times()), Table(_video_times())
WORK, WORK_RATE = Table(_flop_words()), Table(_flop_rate_words())
WORK_OF_RATE = Table(prefixed(("FLOP", "FLOPs", "OP", "OPs"), LARGE) | prefixed(("flop", "flops"), LONG))
MONEY = Table(_money_words())
MASS = Table(_mass_words())
WATT = Table(prefixed(("W",), {key: LARGE[key] for key in "kMGT"} | SMALL) | prefixed(("watt", "watts"), LONG))
JOULE = Table(
    prefixed(("J",), {key: LARGE[key] for key in "kMGTPE"} | SMALL)
    | prefixed(("joule", "joules"), LONG)
    | prefixed(("Wh",), {key: LARGE[key] for key in "kMGT"} | SMALL, 3600)
    | prefixed(("watt-hour", "watt-hours"), LONG, 3600)
)
HERTZ = Table(
    prefixed(("Hz",), {key: LARGE[key] for key in "kMGT"})
    | {"mHz": Advice("m is milli and M is mega; write MHz if you mean that")}
)
AREA_WORDS = Table({"m2": Fraction(1), "cm2": power(-4), "mm2": power(-6), "um2": power(-12), "µm2": power(-12)})
PERCENT = Table({"": Fraction(1), "%": power(-2), "percent": power(-2)})
TIMES = Table({"": Fraction(1), "x": Fraction(1), "×": Fraction(1)})
DATA = Table(data_words(link=False))
