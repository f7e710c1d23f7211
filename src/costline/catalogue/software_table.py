"""Engines and frameworks: how sources name them, and whether they fuse element-wise work."""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass

from costline.catalogue.table import DATA, Row, columns, read_table
from costline.errors import UnknownNameError
from costline.precision import BYTES

COLUMNS = columns(
    "study! pattern! fused! attention attention_until products cache since earlier source! note",
    identifier="id!",
    integer="chunk in_flight sequences sequences_large",
    kind="kind!",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """An engine or a framework.

    Attributes
    ----------
    id, study : str
        Its name, and what it does: train, serve, generate.
    pattern : str
        Regular expression of how sources name it; the first row that matches counts.
    fused : bool
        Whether it fuses element-wise work and launches kernels as one graph unless told otherwise.
    attention : str
        Attention kernel it uses whatever the chip could do; empty: the newest of its day.
    attention_until : str
        Month from which it uses the newest of its day instead; empty: never.
    chunk : int or None
        Prompt tokens a pass takes in, so that chips that share the layers work on several; None: whole prompts.
    in_flight : int or None
        Chunks that those chips work on at a time at most; None: as many as chips.
    sequences, sequences_large : int or None
        Sequences it takes in at a time unless told otherwise, and on chips of 70 GiB and more but for A100, as vLLM
        tells them apart; None: what fits.
    products : str
        Format it multiplies 16-bit operands in; empty: theirs.
    cache : str
        Format of its KV cache unless told otherwise, whatever the weights; empty: fp8 beside weights of under 16 bits.
    since, earlier : str
        Month from which its name means this one, and the id of what it meant before; empty: it always did.
    source, note : str
        Where it was read; why.
    """

    id: str
    study: str
    pattern: str
    fused: bool
    attention: str
    attention_until: str
    chunk: int | None
    in_flight: int | None
    sequences: int | None
    sequences_large: int | None
    products: str
    cache: str
    since: str
    earlier: str
    source: str
    note: str


STUDIES = ("train", "serve", "generate")
MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def software_faults(rows: list[Row]) -> list[str]:
    """What columns alone cannot tell: studies, patterns, formats, two rows of one name for one study."""
    faults = []
    for row in rows:
        name = f"{row['id']} ({row['study'][:40]})"
        if row["study"] not in STUDIES:
            faults.append(f"{name}: the study is none of {', '.join(STUDIES)}")
        if row["fused"] not in {"yes", "no"}:
            faults.append(f"{name}: fused is {row['fused'][:40]!r}; write yes or no")
        faults += [
            f"{name}: {column} {row[column][:40]!r} is not a format"
            for column in ("products", "cache")
            if row[column] and row[column] not in BYTES
        ]
        if bool(row["since"]) != bool(row["earlier"]) or (row["since"] and not MONTH.fullmatch(row["since"])):
            faults.append(f"{name}: since and earlier go together; write a month such as 2025-03, and an id")
        if row["attention_until"] and not (row["attention"] and MONTH.fullmatch(row["attention_until"])):
            faults.append(f"{name}: attention_until goes with an attention kernel; write a month such as 2025-08")
        try:
            re.compile(row["pattern"])
        except re.error as error:
            faults.append(f"{name}: pattern {row['pattern'][:40]!r} is not a regular expression: {error}")
    counts = Counter((row["id"], row["study"]) for row in rows)
    return faults + [f"{name} ({study}): {count} rows" for (name, study), count in counts.items() if count > 1]


@functools.cache
def all_software() -> tuple[Software, ...]:
    """The table of software that comes with costline."""
    return tuple(
        Software(
            id=row["id"],
            study=row["study"],
            pattern=row["pattern"],
            fused=row["fused"] == "yes",
            attention=row["attention"],
            attention_until=row["attention_until"],
            chunk=row["chunk"],
            in_flight=row["in_flight"],
            sequences=row["sequences"],
            sequences_large=row["sequences_large"],
            products=row["products"],
            cache=row["cache"],
            since=row["since"],
            earlier=row["earlier"],
            source=row["source"],
            note=row["note"],
        )
        for row in read_table(DATA / "software.csv", COLUMNS)
    )


@functools.cache
def software_called(words: str, study: str) -> Software | None:
    """Software that a source's words name; None where no row knows them.

    Examples
    --------
    >>> software_called("TensorRT-LLM (IFB, trtllm-bench)", "serve").id, software_called("mine", "serve")
    ('trtllm-engines', None)
    """
    for row in all_software():
        if row.study == study and re.search(row.pattern, words, re.I):
            return row
    return None


def software_named(name: str, study: str) -> Software:
    """Software of exactly this id.

    Raises
    ------
    UnknownNameError
        No such software; the message lists the nearest.
    """
    known = {row.id: row for row in all_software() if row.study == study}
    if name not in known:
        raise UnknownNameError("software", name, known)
    return known[name]
