"""``costline data show``: one entry of the catalogue, every figure with its origin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from costline import quantity
from costline.catalogue import Catalogue, System
from costline.catalogue.chip_table import FIGURES, chip_titles
from costline.catalogue.given import names_file
from costline.catalogue.names import checkpoint, device, plain, resolve
from costline.catalogue.references import figure_references, references
from costline.catalogue.software_table import all_software
from costline.cli.data_list import chip_record
from costline.cli.terminal import CATALOGUE_SCHEMA, Layout, console, figure_table, figures, word_table, write_json
from costline.quantity import Kind, show

KINDS: dict[str, Kind] = {
    "FLOP/s": quantity.FLOP_RATE,
    "byte": quantity.BYTES,
    "byte/s": quantity.BANDWIDTH,
    "W": quantity.WATTS,
    "Hz": quantity.FREQUENCY,
    "m2": quantity.AREA,
    "1": quantity.COUNT,
}

WORDS = {
    "memory_byte": "memory",
    "memory_bandwidth_byte_per_s": "memory bandwidth",
    "sram_byte": "on-chip memory",
    "sram_bandwidth_byte_per_s": "on-chip bandwidth",
    "link_bandwidth_byte_per_s": "link, one direction",
    "tdp_w": "power limit",
    "clock_hz": "clock",
    "die_area_m2": "die area",
}


WHICH = "the table keeps references by chip: those beside a figure are the ones it can be from"


def print_entry(catalogue: Catalogue, name: str, *, layout: Layout = "table") -> int:
    """Print a chip, a system, a model or software.

    Parameters
    ----------
    catalogue : Catalogue
        Where to look.
    name : str
        Its name, or first words that fit one name only; or a model's ``config.json`` or folder.
    layout : {"table", "plain", "json"}
        For people, with colours or without, or for programs.
    """
    chips = dict.fromkeys([*catalogue.chip_facts(), *catalogue.chips()])
    engines = {row.id for row in all_software()}
    near = [*chips, *catalogue.systems(), *engines]
    found = plain(name)
    if found not in near and names_file(name):
        from costline.cli.data_model import print_configuration

        return print_configuration(catalogue, name, layout)
    if found not in near:
        found = device(name, chips, chip_titles())
    if found not in near:  # models are many and their tables slower to read
        models = catalogue.models()
        found = resolve("chip, system, model or software", checkpoint(found, models)[0], [*near, *models])
    if found in engines:
        return _software(found, layout)
    if found in chips:
        return _chip(catalogue, found, layout)
    if found in catalogue.systems():
        return _system(catalogue, catalogue.system(found), layout)
    from costline.cli.data_model import print_model

    return print_model(catalogue, found, layout)


def _chip(catalogue: Catalogue, name: str, layout: Layout) -> int:
    own = catalogue.user is not None and name in catalogue.user.chips
    record = chip_record(catalogue, catalogue.chips()[name] if own else catalogue.chip_facts()[name])
    rent = catalogue.rental_price(name)
    systems = [system.id for system in catalogue.systems().values() if name in system.chips]
    listed, numbers = ((), {}) if own else _references(record)
    if layout == "json":
        write_json(
            {"schema": CATALOGUE_SCHEMA, "type": "chip"}
            | record
            | {"rent": None if rent is None else asdict(rent), "systems": systems}
            | {"references": listed, "figure_references": numbers}
        )
        return 0
    out = console(plain=layout == "plain")
    year = f", {record['year']}" if record.get("year") else ""
    out.print(Text(f"{name}: {record.get('name', name)}{year}", style="bold"))
    if own:
        out.print(figure_table(_own_rows(record)))
    else:
        rows = zip(FIGURES, _shipped_rows(record), strict=True)
        cited = [(*row, _numbers(numbers.get(column, ()))) for column, row in rows]
        out.print(figure_table(cited, ("figure", "value", "kind", "references")))
    lines = [
        ("family", record.get("family")),
        ("memory", record.get("memory_type")),
        ("link", record.get("link_type")),
        ("process", record.get("process_node")),
        ("rent", str(rent) if rent else None),
        ("systems", ", ".join(systems) or None),
        ("note", record.get("note") or None),
        ("flags", record.get("flags") or "none"),
        *((f"[{number}]", each) for number, each in enumerate(listed, 1)),
        ("which", WHICH if len(listed) > 1 else None),
        ("sources", record.get("source") if own else None),
        ("read", record.get("date")),
    ]
    out.print(word_table(lines))
    return 0


def _references(record: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """References of a shipped chip, and the numbers of those that each known figure can be from."""
    known = [column for column in FIGURES if record.get(column) is not None]
    kinds = {column: record["figure_kinds"].get(column, record["kind"]) for column in known}
    return references(record["source"]), figure_references(record["source"], kinds, record["kind"])


def _numbers(cited: tuple[int, ...]) -> str:
    """Numbers of references, neighbours as a span.

    Examples
    --------
    >>> _numbers((1, 2, 3, 6))
    '[1-3] [6]'
    """
    spans: list[list[int]] = []
    for number in cited:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(f"[{first}]" if first == last else f"[{first}-{last}]" for first, last in spans)


def _shipped_rows(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    for column, unit in FIGURES.items():
        value = record.get(column)
        word = WORDS.get(column, column.removesuffix("_flop_per_s"))
        if column == "cores" and record.get("core_unit"):
            word = f"cores ({record['core_unit']})"
        kind = record["figure_kinds"].get(column, record["kind"]) if value is not None else ""
        rows.append((word, _quantity(value, unit), kind))
    return rows


def _own_rows(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Figures of a user's chip, whose columns are named as in the file."""
    names = {"memory": "memory_byte", "tdp": "tdp_w", "sram": "sram_byte"}
    names |= {f"{name}_bandwidth": f"{name}_bandwidth_byte_per_s" for name in ("memory", "sram", "link")}
    renamed = {names.get(name, name): value for name, value in record.items()}
    return _shipped_rows(renamed | {"figure_kinds": {}, "kind": "user"})


def _quantity(value: float | None, unit: str) -> str:
    if unit == "1" and value is not None and value >= 1e6:
        return show(value, quantity.COUNT)
    if unit == "m2" and value is not None:
        return f"{figures(value * 1e6)} mm2"
    return show(value, KINDS[unit])


def _software(name: str, layout: Layout) -> int:
    """An engine, once for each study it is known for."""
    rows = [row for row in all_software() if row.id == name]
    if layout == "json":
        write_json({"schema": CATALOGUE_SCHEMA, "type": "software", "rows": [asdict(row) for row in rows]})
        return 0
    out = console(plain=layout == "plain")
    for row in rows:
        out.print(Text(f"{row.id}: --engine {row.id} of costline {row.study}", style="bold"))
        chunk = None if row.chunk is None else f"in passes of {row.chunk} tokens"
        lines = [
            ("kernels", "fused, launched as one graph" if row.fused else "eager, launched one by one"),
            ("attention", row.attention or "the newest of its day"),
            ("products", row.products or "as the operands"),
            ("prompts", chunk),
            ("named", row.pattern),
            ("note", row.note or None),
            ("source", row.source),
        ]
        out.print(word_table(lines))
    return 0


def _system(catalogue: Catalogue, system: System, layout: Layout) -> int:
    if layout == "json":
        write_json({"schema": CATALOGUE_SCHEMA, "type": "system"} | asdict(system))
        return 0
    per_chip = None if system.power is None else system.power / system.n_chips
    price = show(system.price, quantity.DOLLARS) + (f" ({system.price_date})" if system.price else "")
    rows = [
        ("chips", f"{system.n_chips}", system.kind),
        ("chips in a scale-up domain", f"{system.domain_chips}", system.kind),
        ("scale-up, a chip, one way", show(system.scale_up, quantity.LINK_BANDWIDTH), system.kind),
        ("scale-out, a chip, one way", show(system.scale_out, quantity.LINK_BANDWIDTH), system.kind),
        ("scale-up latency", show(system.scale_up_latency, quantity.SECONDS), system.kind),
        ("scale-out latency", show(system.scale_out_latency, quantity.SECONDS), system.kind),
        ("power", show(system.power, quantity.WATTS), system.kind),
        ("power a chip", show(per_chip, quantity.WATTS), "derived"),
        ("price", price, system.kind),
    ]
    out = console(plain=layout == "plain")
    out.print(Text(f"{system.id}: {system.name}", style="bold"))
    out.print(figure_table([(word, value, "" if value == "unknown" else kind) for word, value, kind in rows]))
    lines = [
        ("holds", ", ".join(system.chips)),
        ("default for", ", ".join(system.default_for) or None),
        ("topology", system.topology),
        ("network", system.nics),
        ("note", system.note or None),
        ("sources", system.source),
        ("read", system.date),
    ]
    out.print(word_table(lines))
    return 0
