"""What ``costline chip levers`` and ``costline chip claims`` print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.padding import Padding

from costline.cli.terminal import Field, console, table, write_json
from costline.estimate import plain as plain_value

if TYPE_CHECKING:
    from costline.catalogue import Catalogue
    from costline.hardware.cluster import Cluster
    from costline.silicon.claims import Judged
    from costline.silicon.decoding import Talk
    from costline.silicon.filming import Film


def print_levers(
    cluster: Cluster, talks: Sequence[Talk], films: Sequence[Film], book: Catalogue, *, as_json: bool
) -> None:
    """Gains by limit, a table a workload."""
    from costline.silicon.levers import film_lever, talk_levers

    spoken = {
        f"{talk.network.name}, {talk.input:,} tokens in, {talk.output:,} out": talk_levers(talk, cluster, book)
        for talk in talks
    }
    filmed = {film.pipeline.name: [film_lever(film, cluster, book)] for film in films}
    if as_json:
        found = {**spoken, **filmed}
        write_json(plain_value({name: [asdict(row) for row in rows] for name, rows in found.items()}))
        return
    screen = console()
    screen.print(f"What twice the arithmetic, bandwidth or memory brings one {cluster.chip.id}", style="bold")
    gains = (
        Field("2 x\nFLOP/s", lambda row: row.peak),
        Field("2 x band-\nwidth", lambda row: row.bandwidth),
        Field("2 x\nmemory", lambda row: row.memory),
        Field("helps most", lambda row: row.helps or "does not fit, or is slower"),
    )
    for name, rows in spoken.items():
        screen.print(name, style="bold")
        limit = Field("ms a token\nat most", lambda row: f"{row.limit * 1e3:,.0f}")
        screen.print(table(rows, (limit, Field("tok/s\na chip", lambda row: row.rate), *gains)))
    for name, rows in filmed.items():
        screen.print(name, style="bold")
        seconds = Field("chip-s\na second", lambda row: None if row.rate is None else 1 / row.rate)
        screen.print(table(rows, (seconds, *gains)))
    screen.print("gains: output of a chip over that of the chip as it is", style="dim")


def print_claims(judged: Sequence[Judged], *, as_json: bool) -> None:
    """Claims with verdicts and reasons."""
    if as_json:
        write_json([asdict(each) for each in judged])
        return
    screen = console()
    for each in judged:
        screen.print(f"{each.id} {each.claim}", style="bold")
        screen.print(Padding(f"{each.verdict}: {each.because}", (0, 0, 0, 4), expand=False))
