"""``costline data list``: the tables of the catalogue, filtered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from costline import quantity
from costline.catalogue import Catalogue, Price, chip_anchors, chip_costs, pim_facts, video_trainings
from costline.catalogue.software_table import all_software
from costline.cli.terminal import CATALOGUE_SCHEMA, Field, Layout, console, figures, note, table, write_csv, write_json
from costline.errors import InputError, UnknownNameError
from costline.hardware.chip import Chip


@dataclass(frozen=True)
class Listing:
    """A table of the catalogue: its rows, a row as plain data, and the columns printed."""

    rows: Callable[[Catalogue], Iterable[Any]]
    plain: Callable[[Any], Mapping[str, Any]]
    fields: tuple[Field, ...]


def chip_record(catalogue: Catalogue, chip: Any) -> dict[str, Any]:
    """A chip as plain data, SI units; the shipped table's columns where it comes from there."""
    facts = catalogue.chip_facts().get(chip.id)
    if facts is None or (catalogue.user and chip.id in catalogue.user.chips):
        return {name: value for name, value in asdict_chip(chip).items() if value not in (None, "")}
    same = ("id", "vendor", "name", "family", "year", "kind", "flags", "date", "source")
    body = {name: getattr(facts, name) for name in same}
    return body | dict(facts.texts) | dict(facts.figures) | {"figure_kinds": dict(facts.figure_kinds)}


def asdict_chip(chip: Chip) -> dict[str, Any]:
    """A chip of a user's file as plain data."""
    body = {name: getattr(chip, name) for name in chip.__dataclass_fields__ if name not in {"peak", "details"}}
    return body | {f"{name}_flop_per_s": rate for name, rate in chip.peak.items()}


def _chips(catalogue: Catalogue) -> list[dict[str, Any]]:
    own = list(catalogue.user.chips.values()) if catalogue.user else []
    hidden = {chip.id for chip in own}
    shipped = [facts for name, facts in catalogue.chip_facts().items() if name not in hidden]
    return [chip_record(catalogue, each) for each in (*own, *shipped)]


def _either(*names: str) -> Callable[[Mapping[str, Any]], Any]:
    """First of several keys: shipped rows and a user's own name a figure differently. Doubtful figures are left out."""

    def first(row: Mapping[str, Any]) -> Any:
        kinds = row.get("figure_kinds", {})
        usable = (name for name in names if row.get(name) is not None and kinds.get(name) != "doubtful")
        return next((row[name] for name in usable), None)

    return first


def _models(catalogue: Catalogue) -> list[dict[str, Any]]:
    from costline.catalogue.decoder_table import decoder_rows
    from costline.catalogue.model_table import shipped_pipelines
    from costline.catalogue.names import plain
    from costline.cli.data_model import counted_params, model_record

    names: dict[str, None] = dict.fromkeys(decoder_rows()) | dict.fromkeys(shipped_pipelines())
    own = catalogue.user.models if catalogue.user else {}
    listed = dict.fromkeys(own) | {name: None for name in names if name not in own}
    kinds = catalogue.models()
    records = [(plain(name), model_record(catalogue, plain(name))) for name in listed]
    return [{"type": kinds[name], **record, **counted_params(catalogue, name)} for name, record in records]


def _price(price: Price) -> str:
    worth, unit = figures(_printed(price)), price.printed_unit
    if unit.startswith("USD/"):
        return f"${worth}/{unit.removeprefix('USD/').replace('chip-hour', 'chip-h')}"
    return f"{worth} {unit}"


def _printed(price: Price) -> float:
    from costline.catalogue.price_table import UNITS

    return price.value / UNITS[price.printed_unit][0]


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _words(*names: str) -> Callable[[Any], str]:
    return lambda row: " ".join(str(getattr(row, name)) for name in names if getattr(row, name))


def _value(fact: Any) -> str:
    number = fact.text if fact.value is None else figures(fact.value)
    bounds = [figures(each) for each in (getattr(fact, "low", None), getattr(fact, "high", None)) if each is not None]
    return f"{number or ' to '.join(bounds) or 'unknown'} {fact.unit}".strip()


_FACT = (Field("value", _value), Field("kind", _attribute("kind")))

LISTINGS: dict[str, Listing] = {
    "chips": Listing(
        _chips,
        dict,
        (
            Field("chip", _either("id")),
            Field("year", _either("year")),
            Field("bf16", _either("bf16_flop_per_s", "fp16_flop_per_s"), quantity.FLOP_RATE),
            Field("fp8", _either("fp8_flop_per_s"), quantity.FLOP_RATE),
            Field("memory", _either("memory_byte", "memory"), quantity.BYTES),
            Field("memory", _either("memory_bandwidth_byte_per_s", "memory_bandwidth"), quantity.BANDWIDTH),
            Field("link", _either("link_bandwidth_byte_per_s", "link_bandwidth"), quantity.LINK_BANDWIDTH),
            Field("power", _either("tdp_w", "tdp"), quantity.WATTS),
        ),
    ),
    "models": Listing(
        _models,
        dict,
        (
            Field("model", _either("name")),
            Field("params", _either("params"), quantity.COUNT),
            Field("active", _either("active_params"), quantity.COUNT),
            Field("layers", _either("layers")),
            Field("hidden", _either("hidden")),
            Field("type", _either("type")),
        ),
    ),
    "systems": Listing(
        lambda catalogue: catalogue.systems().values(),
        asdict,
        (
            Field("system", _attribute("id")),
            Field("chip", lambda row: row.chips[0] + ("+" if len(row.chips) > 1 else "")),
            Field("chips", _attribute("n_chips")),
            Field("domain", _attribute("domain_chips")),
            Field("up", _attribute("scale_up"), quantity.LINK_BANDWIDTH),
            Field("out", _attribute("scale_out"), quantity.LINK_BANDWIDTH),
            Field("power", _attribute("power"), quantity.WATTS),
        ),
    ),
    "prices": Listing(
        lambda catalogue: catalogue.prices(),
        asdict,
        (
            Field("date", lambda row: row.date or "undated"),
            Field("what", lambda row: row.subject or row.item),
            Field("provider", _attribute("provider")),
            Field("price", _price),
            Field("terms", _attribute("commitment")),
            Field("kind", _attribute("kind")),
        ),
    ),
    "coefficients": Listing(
        lambda catalogue: catalogue.coefficients(),
        asdict,
        (
            Field("name", _attribute("name")),
            Field("scope", _attribute("scope")),
            Field("for", _attribute("qualifier")),
            Field("value", _attribute("value")),
            Field("low", _attribute("low")),
            Field("high", _attribute("high")),
            Field("unit", _attribute("unit")),
            Field("kind", _attribute("kind")),
        ),
    ),
    "software": Listing(
        lambda _: all_software(),
        asdict,
        (
            Field("engine", _attribute("id")),
            Field("for", _attribute("study")),
            Field("kernels", lambda row: "fused" if row.fused else "eager"),
            Field("attention", lambda row: row.attention or None),
            Field("products", lambda row: row.products or None),
            Field("note", _attribute("note")),
        ),
    ),
    "chip-costs": Listing(
        lambda _: chip_costs(),
        asdict,
        (Field("category", _attribute("category")), Field("what", _words("item", "technology")), *_FACT),
    ),
    "anchors": Listing(
        lambda _: chip_anchors(),
        asdict,
        (Field("of", _words("anchor")), Field("what", _words("quantity")), *_FACT),
    ),
    "pim": Listing(
        lambda _: pim_facts(),
        asdict,
        (Field("device", _words("device")), Field("metric", _words("metric")), *_FACT),
    ),
    "trainings": Listing(
        lambda _: video_trainings(),
        asdict,
        (
            Field("id", _attribute("id")),
            Field("model", _words("model", "stage")),
            Field("chips", _words("n_chips", "chip_printed")),
            Field("metric", _attribute("metric")),
            *_FACT,
        ),
    ),
}


FILTERS = ("vendor", "family", "provider", "kind", "chip")
"""Columns that rows are kept by."""
DATED = ("prices", "trainings")
"""Tables whose rows hold from a day on; elsewhere the date is that of reading."""


def print_table(
    catalogue: Catalogue,
    name: str,
    wanted: Mapping[str, str],
    *,
    since: str = "",
    match: str = "",
    limit: int = 0,
    layout: Layout = "table",
) -> int:
    """Print a table of the catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        Where to look.
    name : str
        Which table.
    wanted : mapping
        Column -> text that a row must have there, in any case.
    since, match : str
        Earliest date; text that a row must contain somewhere.
    limit : int
        Most rows of prices printed; 0 for all.
    layout : {"table", "plain", "json", "csv"}
        For people, with colours or without, or for programs.
    """
    listing = LISTINGS[name]
    pairs = [(row, listing.plain(row)) for row in listing.rows(catalogue)]
    if since and name not in DATED:
        raise InputError(
            f"--since {since}: keeps {' and '.join(DATED)}, not {name}, which are not of a day; leave it out"
        )
    for column, text in wanted.items():
        if not any(_cells(plain, column) != [""] for _, plain in pairs):
            has = [each for each in FILTERS if any(_cells(plain, each) != [""] for _, plain in pairs)]
            known = f"; {name} are kept by {', '.join(f'--{each}' for each in has)}" if has else ""
            raise InputError(f"--{column} {text[:40]!r}: {name} have no {column}{known}; --match looks everywhere")
        if not any(_matches(plain, {column: text}, "") for _, plain in pairs):
            raise UnknownNameError(f"{column} of {name}", text, _values([plain for _, plain in pairs], column))
    kept = [row for row, plain in pairs if _matches(plain, wanted, match) and _late(plain, since)]
    if layout == "json":
        write_json({"schema": CATALOGUE_SCHEMA, "table": name, "rows": [listing.plain(row) for row in kept]})
    elif layout == "csv":
        write_csv([listing.plain(row) for row in kept])
    else:
        if name == "prices":
            kept = _newest(kept, limit)
        _print_rows(kept, listing.fields, plain=layout == "plain")
    return 0


def _print_rows(rows: Sequence[Any], fields: Sequence[Field], *, plain: bool) -> None:
    if rows:
        console(plain=plain).print(table(rows, fields))
    else:
        note("no row matches")


def _newest(prices: Sequence[Price], limit: int) -> list[Price]:
    ordered = sorted(prices, key=lambda price: price.date, reverse=True)
    if 0 < limit < len(ordered):
        note(f"the newest {limit} of {len(ordered):,} prices; --limit 0 prints all, --match, --chip, ... narrow")
        return ordered[:limit]
    return ordered


def _matches(plain: Mapping[str, Any], wanted: Mapping[str, str], match: str) -> bool:
    for column, text in wanted.items():
        if not any(_same(each, text, part=column == "provider") for each in _cells(plain, column)):
            return False
    return not match or any(match.lower() in str(cell).lower() for cell in plain.values())


def _cells(plain: Mapping[str, Any], column: str) -> list[str]:
    """What a row says in a column that rows are kept by."""
    cell = plain.get({"chip": "chips"}.get(column, column), plain.get(column, ""))
    if column == "kind" and "category" in plain:
        cell = (plain["category"], plain["kind"])
    return [str(each) for each in (cell if isinstance(cell, tuple | list) else (cell,))]


def _values(rows: Iterable[Mapping[str, Any]], column: str) -> list[str]:
    """Everything that stands in a column, in lower case."""
    return sorted({cell.lower() for row in rows for cell in _cells(row, column) if cell})


def _same(cell: str, text: str, *, part: bool) -> bool:
    return text.lower() in cell.lower() if part else text.lower() == cell.lower()


def _late(plain: Mapping[str, Any], since: str) -> bool:
    return not since or str(plain.get("date") or "") >= since[: len(str(plain.get("date") or "")) or None]
