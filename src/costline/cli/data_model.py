"""``costline data show`` of a model: its dimensions as published, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from costline import quantity
from costline.catalogue import Catalogue
from costline.catalogue.decoder_table import PROVENANCE, decoder_names, decoder_rows
from costline.catalogue.model_table import NetworkRow, PipelineRow, shipped_networks, shipped_pipelines, spellings
from costline.catalogue.names import plain
from costline.cli.terminal import CATALOGUE_SCHEMA, Layout, console, figure_table, figures, word_table, write_json
from costline.errors import ConfigError
from costline.models.decoders.rows import shape_fields
from costline.models.network import Network
from costline.models.pipeline import Pipeline
from costline.quantity import show


def model_record(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """A model as plain data, as its table or the user's file has it."""
    kind = catalogue.models()[name]
    if kind == "user" and catalogue.user:
        own = catalogue.user.models[name]
        return {"name": name, "kind": "user", "config": str(own.config), "source": str(catalogue.user.path)}
    if kind == "decoder":
        row = decoder_rows()[decoder_names()[name]]
        dimensions = {column: cell for column, cell in row.items() if cell and column not in PROVENANCE}
        stated = {column: float(row[column]) for column in ("params_stated", "active_stated") if row.get(column)}
        return {column: cell for column, cell in row.items() if cell} | shape_fields(dimensions, name) | stated
    found = spellings()[plain(name)]
    row: NetworkRow | PipelineRow = shipped_pipelines()[found] if kind == "pipeline" else shipped_networks()[found]
    body = {column: getattr(row, column) for column in row.__dataclass_fields__}
    return {column: value for column, value in body.items() if value not in (None, "", (), {})}


def counted_params(catalogue: Catalogue, name: str) -> dict[str, int]:
    """Parameters of a model, and those a token uses where they are fewer; empty where a dimension is unknown."""
    try:
        model = catalogue.model(name)
    except ConfigError:
        return {}
    counted = {"params": model.params}
    if isinstance(model, Network) and model.active_params != model.params:
        counted["active_params"] = model.active_params
    return counted


def print_model(catalogue: Catalogue, name: str, layout: Layout) -> int:
    """Print a model of the catalogue; one with an unknown dimension too."""
    record = model_record(catalogue, name)
    try:
        model, problem = catalogue.model(name), ""
    except ConfigError as error:
        model, problem = None, str(error)
    counted = [] if model is None else _counted(model)
    if layout == "json":
        write_json(
            {"schema": CATALOGUE_SCHEMA, "type": catalogue.models()[name]}
            | record
            | {f"params_of_{word}": params for word, params in counted}
            | {"problem": problem or None}
        )
        return 0
    out = console(plain=layout == "plain")
    out.print(Text(str(record["name"]), style="bold"))
    out.print(figure_table(_figures(record, counted)))
    aliases = record.get("aliases", "")
    lines = [
        ("also", aliases if isinstance(aliases, str) else "; ".join(aliases)),
        ("class", record.get("architecture")),
        ("shipped", "; ".join(str(record[key]) for key in ("stored", "stored_source") if key in record)),
        ("config", _config(record.get("config"))),
        ("note", record.get("note")),
        ("problem", problem),
        ("sources", record.get("source")),
        ("read", record.get("date")),
    ]
    out.print(word_table(lines))
    return 0


def _counted(model: Network | Pipeline) -> list[tuple[str, int]]:
    """Parameters, counted on the parts; of each network for a pipeline."""
    if isinstance(model, Pipeline):
        networks: list[Network] = [network for network, _ in model.transformers]
        networks += [model.autoencoder] if model.autoencoder else []
        networks += [encoder for encoder, _ in model.encoders]
        return [("all networks", model.params), *((network.name, network.params) for network in networks)]
    active = [("a token's way", model.active_params)] if model.active_params != model.params else []
    return [("the network", model.params), *active]


def _figures(record: Mapping[str, Any], counted: list[tuple[str, int]]) -> list[tuple[str, str, str]]:
    kind = str(record.get("kind", ""))
    rows = [(f"parameters of {word}", show(params, quantity.PARAMS), "derived") for word, params in counted]
    rows = rows or [("parameters", "unknown", "")]
    stated = {"params_stated": "parameters, stated", "active_stated": "active, stated"}
    for column, word in stated.items():
        if column in record:
            rows.append((word, show(float(record[column]), quantity.PARAMS), kind))
    hidden = {*PROVENANCE, "config", "role"}
    return rows + [(column, _text(value), kind) for column, value in record.items() if column not in hidden]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return figures(value) if isinstance(value, float) else str(value)


def _config(config: Any) -> str:
    return json.dumps(dict(config)) if isinstance(config, Mapping) else str(config or "")
