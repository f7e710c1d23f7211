"""Named diffusion networks, autoencoders and text encoders, and the pipelines made of them.

``model_configs.csv`` holds one network a row: its class and the fields in which its configuration differs from the
defaults of the class. ``pipelines.csv`` joins them; rows named after a pipeline class of diffusers hold the defaults of
that class and no networks.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from costline.catalogue.names import plain, resolve
from costline.catalogue.table import DATA, Column, Row, columns, read_table
from costline.errors import ConfigError
from costline.models.autoencoder import Autoencoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.importer import read_network
from costline.models.network import Network
from costline.models.pipeline import Pipeline, decoded, fitted, shared_steps

_Kind = TypeVar("_Kind", bound=Network)

ROLES = ("transformer", "autoencoder", "encoder")


def _role(cell: str) -> str:
    if cell not in ROLES:
        raise ValueError(f"is not a role; write one of {', '.join(ROLES)}")
    return cell


def _config(cell: str) -> dict[str, Any]:
    try:
        parsed = json.loads(cell)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg})") from None
    if not isinstance(parsed, dict):
        raise ValueError("is not a JSON object")
    return parsed


def _aliases(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";"))


def _tokens(cell: str) -> dict[str, int]:
    pairs = [part.partition("=") for part in cell.split()]
    if not all(equals and count.isascii() and count.isdigit() for _, equals, count in pairs):
        raise ValueError("is not of the form name=tokens name=tokens")
    return {name: int(count) for name, _, count in pairs}


NETWORK_COLUMNS = (
    *columns("class! note source!", identifier="name!", kind="kind!", date="date!"),
    Column("aliases", _aliases),
    Column("role", _role, required=True),
    Column("config", _config, required=True),
)
PIPELINE_COLUMNS = (
    *columns(
        "name! note source!",
        names="transformers autoencoder",
        integer="text_tokens steps branches frames height width upcasts",
        number="boundary shift fps",
        kind="kind!",
        date="date!",
    ),
    Column("aliases", _aliases),
    Column("encoders", _tokens),
)  # fmt: skip


SAME_COLUMNS = (
    "name", "text_tokens", "boundary", "shift", "steps", "branches", "fps", "frames", "height", "width", "source",
    "kind", "note",
)  # fmt: skip
"""Columns that fields of `PipelineRow` are named after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRow:
    """A network by name: class and configuration."""

    name: str
    role: str
    architecture: str
    config: Mapping[str, Any]
    aliases: tuple[str, ...] = ()
    source: str = ""
    kind: str = "published"
    note: str = ""

    def build(self) -> Network:
        """Read the configuration."""
        return replace(read_network(self.config, self.name, self.architecture), source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """A pipeline by name, or (no transformers) the defaults of a pipeline class.

    Attributes
    ----------
    name : str
        Catalogue name, or class name.
    aliases : tuple of str
        Other spellings.
    transformers : tuple of str
        One network, or two that share the steps.
    autoencoder : str
        Empty where it is not known.
    tokens : mapping
        Encoder (in a class row: component) -> tokens it runs at. [token]
    text_tokens : int or None
        Text tokens the transformer sees where they differ from those of its reader. [token]
    boundary, shift : float or None
        Noise level at which the second transformer takes over; timestep shift. [1]
    steps, branches, fps, frames, height, width
        As in `Pipeline`.
    source, kind, note : str
        Where the row was read, how, and what it leaves out.
    upcasts : bool
        Whether the class decodes in fp32, of a pipeline in fp16, what its autoencoder's ``force_upcast`` asks for.
    """

    name: str
    aliases: tuple[str, ...] = ()
    transformers: tuple[str, ...] = ()
    autoencoder: str = ""
    tokens: Mapping[str, int] = field(default_factory=dict)
    text_tokens: int | None = None
    boundary: float | None = None
    shift: float | None = None
    steps: int | None = None
    branches: int | None = None
    fps: float | None = None
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    source: str = ""
    kind: str = "published"
    note: str = ""
    upcasts: bool = False

    def build(self) -> Pipeline:
        """Read the configurations of all networks and join them."""
        autoencoder = decoded(_as(Autoencoder, self.autoencoder), self.upcasts) if self.autoencoder else None
        networks = [fitted(_as(DiT, name), autoencoder, self.text_tokens) for name in self.transformers]
        sources = [*self.transformers, *([self.autoencoder] if self.autoencoder else []), *self.tokens]
        read = dict.fromkeys(shipped_networks()[name].source for name in sources)
        return Pipeline(
            name=self.name,
            transformers=shared_steps(networks, self.boundary, self.shift),
            autoencoder=autoencoder,
            encoders=tuple((_as(Encoder, name), tokens) for name, tokens in self.tokens.items()),
            steps=self.steps,
            branches=self.branches,
            fps=self.fps,
            frames=self.frames,
            height=self.height,
            width=self.width,
            source="; ".join((self.source, *read)),
            notes=tuple(part.strip() for part in self.note.split(";") if part.strip()),
        )


def _as(kind: type[_Kind], name: str) -> _Kind:
    network = named_network(name)
    if not isinstance(network, kind):
        raise ConfigError(f"{name} is not of kind {kind.__name__}")
    return network


@functools.cache
def shipped_networks() -> Mapping[str, NetworkRow]:
    """Networks by name."""
    rows = read_table(DATA / "model_configs.csv", NETWORK_COLUMNS, key="name")
    return MappingProxyType({row["name"]: _network_row(row) for row in rows})


def _network_row(row: Row) -> NetworkRow:
    return NetworkRow(
        name=row["name"], role=row["role"], architecture=row["class"], config=row["config"],
        aliases=row["aliases"] or (), source=row["source"], kind=row["kind"], note=row["note"],
    )  # fmt: skip


@functools.cache
def _pipeline_rows() -> Mapping[str, PipelineRow]:
    rows = read_table(DATA / "pipelines.csv", PIPELINE_COLUMNS, key="name")
    return MappingProxyType({row["name"]: _pipeline_row(row) for row in rows})


def _pipeline_row(row: Row) -> PipelineRow:
    return PipelineRow(
        **{name: row[name] for name in SAME_COLUMNS},
        aliases=row["aliases"] or (),
        transformers=row["transformers"] or (),
        autoencoder=(row["autoencoder"] or ("",))[0],
        tokens=row["encoders"] or {},
        upcasts=bool(row["upcasts"]),
    )


def shipped_pipelines() -> Mapping[str, PipelineRow]:
    """Pipelines by name."""
    return {name: row for name, row in _pipeline_rows().items() if row.transformers}


def pipeline_defaults(cls: str) -> PipelineRow | None:
    """Defaults of a pipeline class of diffusers, or None where the table has none."""
    row = _pipeline_rows().get(cls)
    return None if row is None or row.transformers else row


@functools.cache
def named_network(name: str) -> Network:
    """Build a network of the table by its exact name."""
    return shipped_networks()[name].build()


@functools.cache
def named_pipeline(name: str) -> Pipeline:
    """Build a pipeline of the table by its exact name."""
    return shipped_pipelines()[name].build()


@functools.cache
def spellings() -> Mapping[str, str]:
    """Every spelling of a pipeline or a network -> its name; pipelines go first."""
    known: dict[str, str] = {}
    for rows in (shipped_pipelines(), shipped_networks()):
        for row in rows.values():
            for spelling in (row.name, *row.aliases):
                known.setdefault(plain(spelling), row.name)
    return MappingProxyType(known)


def shipped_model(name: str) -> Network | Pipeline:
    """Find a pipeline, or one of the networks pipelines are made of, by name or alias in any case.

    Raises
    ------
    UnknownNameError
        No such name, or several that begin so; the message lists the nearest.

    Examples
    --------
    >>> shipped_model("Wan2.1 T2V 14B").params > 14e9
    True
    """
    found = spellings()[resolve("model", name, spellings())]
    return named_pipeline(found) if found in shipped_pipelines() else named_network(found)


def pipeline_like(network: DiT, name: str = "", experts: int = 1) -> Pipeline | None:
    """The pipeline whose transformer has the same parts as `network`, or None.

    Of several, the one that goes by `name` (Wan 2.1 and 2.2 have transformers of one shape), else the first with as
    many transformers as there are `experts`, else the first.
    """
    called = spellings().get(plain(name))
    rows = sorted(shipped_pipelines().values(), key=lambda row: (row.name != called, len(row.transformers) != experts))
    for row in rows:
        if shipped_networks()[row.transformers[0]].architecture != network.architecture:
            continue
        pipeline = named_pipeline(row.name)
        if pipeline.transformers[0][0].parts == network.parts:
            return pipeline
    return None
