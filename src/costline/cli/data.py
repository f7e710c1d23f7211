"""``costline data``: what the catalogue holds, where each figure comes from, and whether a file is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from costline.errors import InputError, visible

if TYPE_CHECKING:
    from costline.catalogue import Catalogue

app = App(name="data", help="List, show and check chips, systems, prices and models.")

Table = Literal[
    "chips", "models", "systems", "prices", "coefficients", "software", "chip-costs", "anchors", "pim", "trainings"
]


Text = Annotated[str, Parameter(show_default=False)]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]


@app.command(name="list")
def list_table(
    table: Table,
    /,
    *,
    vendor: Text = "",
    family: Text = "",
    provider: Text = "",
    kind: Text = "",
    chip: Text = "",
    since: Text = "",
    match: Text = "",
    limit: int | None = None,
    file: Annotated[Path | None, Parameter(name=["--file", "-f", "--catalogue"])] = None,
    json: Flag = False,
    csv: Flag = False,
    plain: Flag = False,
) -> int:
    """List a table of the catalogue.

    Parameters
    ----------
    table : str
        What to list.
    vendor, family, provider, kind, chip : str
        Keep rows whose vendor, family, provider, kind (for prices: rental, api_llm, ...) or chip is this, in any case.
    since : str
        Keep prices and trainings of this date or later: 2025, 2025-03 or 2025-03-31.
    match : str
        Keep rows that contain this text anywhere, in any case.
    limit : int
        Rows of prices to print, newest first [40]; 0 prints all. JSON and CSV are never cut.
    file : Path
        A file of your own laid over the catalogue.
    json, csv : bool
        For programs: SI units, every column; the layout of JSON is versioned.
    plain : bool
        No colour.
    """
    from costline.catalogue.table import DATE
    from costline.cli.data_list import print_table
    from costline.cli.terminal import either

    either(json=json, csv=csv)
    if limit is not None and limit < 0:
        raise InputError(f"--limit {limit}: a number of rows, or 0 for all")
    if limit is not None and table != "prices":
        raise InputError(f"--limit {limit}: cuts prices, and no other table; leave it out")
    if since and not DATE.fullmatch(since):
        raise InputError(f"--since {since[:40]!r} is not a date; write 2025, 2025-03 or 2025-03-31")
    wanted = {"vendor": vendor, "family": family, "provider": provider, "kind": kind, "chip": chip}
    return print_table(
        _catalogue(file),
        table,
        {name: value for name, value in wanted.items() if value},
        since=since,
        match=match,
        limit=40 if limit is None else limit,
        layout="json" if json else "csv" if csv else "plain" if plain else "table",
    )


@app.command
def show(
    name: str,
    /,
    *,
    file: Annotated[Path | None, Parameter(name=["--file", "-f", "--catalogue"])] = None,
    json: Flag = False,
    plain: Flag = False,
) -> int:
    """Show everything known of a chip, system, model or software: each figure with unit, kind, date and source.

    Parameters
    ----------
    name : str
        A name of the catalogue; its first words are enough where they fit one name only. Or a model's config.json or
        folder.
    file : Path
        A file of your own laid over the catalogue.
    json : bool
        For programs: SI units; the layout is versioned.
    plain : bool
        No colour.
    """
    from costline.cli.data_show import print_entry

    return print_entry(_catalogue(file), name, layout="json" if json else "plain" if plain else "table")


@app.command
def check(file: Path, /) -> int:
    """Check a file of your own: a TOML file, or a CSV in the columns of a table of the catalogue.

    Parameters
    ----------
    file : Path
        TOML with [[chip]], [[system]], [[price]] and [[model]] tables, or CSV. All its faults are listed; if there are
        any, the exit code is 2.
    """
    from costline.catalogue.check import check_file

    print(visible(check_file(file)))
    return 0


def _catalogue(file: Path | None) -> Catalogue:
    from costline.catalogue import shipped

    return shipped if file is None else shipped.with_file(file)
