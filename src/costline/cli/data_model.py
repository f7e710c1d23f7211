"""``costline data show`` of a model: its dimensions as published, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from costline import quantity, resolve
from costline.catalogue import Catalogue
from costline.catalogue.decoder_table import PROVENANCE, row_called, stored_words
from costline.catalogue.given import stored_precision
from costline.catalogue.model_table import NetworkRow, PipelineRow, shipped_networks, shipped_pipelines, spellings
from costline.catalogue.names import plain
from costline.cli.terminal import CATALOGUE_SCHEMA, Layout, console, figure_table, figures, word_table, write_json
from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.rows import shape_fields
from costline.models.decoders.shape import describe_shape
from costline.models.network import Network
from costline.models.pipeline import Pipeline
from costline.quantity import show

SEQUENCE = 4096
"""Tokens of the sequence over which the FLOPs of one are meant, as in training."""


def model_record(catalogue: Catalogue, name: str) -> dict[str, Any]:
    """A model as plain data, as its table or the user's file has it."""
    kind = catalogue.models()[name]
    if kind == "user" and catalogue.user:
        own = catalogue.user.models[name]
        return {"name": name, "kind": "user", "config": str(own.config), "source": str(catalogue.user.path)}
    if kind == "decoder":
        cells = {column: cell for column, cell in row_called(name).items() if cell}
        stated = {column: float(cells[column]) for column in ("params_stated", "active_stated") if column in cells}
        return cells | shape_fields(cells, name) | stated
    found = spellings()[plain(name)]
    row: NetworkRow | PipelineRow = shipped_pipelines()[found] if kind == "pipeline" else shipped_networks()[found]
    body = {column: getattr(row, column) for column in row.__dataclass_fields__}
    return {column: value for column, value in body.items() if value not in (None, "", (), {})}


def _shipped(catalogue: Catalogue, name: str) -> str:
    return stored_words(name) if catalogue.models()[name] == "decoder" else ""


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
            | {"flops_of_a_token": _token_flops(model), "problem": problem or None}
        )
        return 0
    out = console(plain=layout == "plain")
    out.print(Text(str(record["name"]), style="bold"))
    out.print(figure_table(_figures(record, counted, _token_flops(model))))
    aliases = record.get("aliases", "")
    lines = [
        ("also", aliases if isinstance(aliases, str) else "; ".join(aliases)),
        ("class", record.get("architecture")),
        ("shipped", "; ".join(filter(None, (_shipped(catalogue, name), record.get("stored_source"))))),
        ("config", _config(record.get("config"))),
        ("note", record.get("note")),
        ("problem", problem),
        ("sources", record.get("source")),
        ("read", record.get("date")),
    ]
    out.print(word_table(lines))
    return 0


def print_configuration(catalogue: Catalogue, given: str, layout: Layout) -> int:
    """Print what a ``config.json`` or a folder describes, as a model of the catalogue is printed."""
    model = resolve.model(given)
    record, counted = _described(model), _counted(model)
    try:
        stored, problem = stored_precision(given, catalogue), ""
    except ConfigError as error:
        stored, problem = None, str(error)
    if stored is not None:
        record |= {"stored": stored[0].weights, "stored_source": stored[1]}
    notes = _notes(model)
    if layout == "json":
        write_json(
            {"schema": CATALOGUE_SCHEMA, "type": "configuration"}
            | record
            | {f"params_of_{word}": params for word, params in counted}
            | {"flops_of_a_token": _token_flops(model), "notes": notes}
            | {"problem": problem or None}
        )
        return 0
    out = console(plain=layout == "plain")
    out.print(Text(str(record["name"]), style="bold"))
    out.print(figure_table(_figures({**record, "kind": "configuration"}, counted, _token_flops(model))))
    lines = [
        ("class", record.get("architecture")),
        ("stored", ", ".join(str(record[key]) for key in ("stored", "stored_source") if key in record)),
        *(("note", each) for each in notes),
        ("problem", problem),
    ]
    out.print(word_table(lines))
    return 0


def _notes(model: Network | Pipeline) -> list[str]:
    """What the reader of a result should know."""
    if isinstance(model, Pipeline):
        return list(model.notes)
    return [each for each in (model.note, *model.remarks) if each] if isinstance(model, Decoder) else []


def _described(model: Network | Pipeline) -> dict[str, Any]:
    """Dimensions of a model as plain data; of a pipeline what it does where nobody says otherwise."""
    if isinstance(model, Pipeline):
        own = {column: getattr(model, column) for column in ("steps", "branches", "fps", "frames", "width", "height")}
        return {"name": model.name} | {column: value for column, value in own.items() if value is not None}
    shape = model.shape if isinstance(model, Decoder) else None
    sizes = {"layers": model.layers, "hidden": model.hidden_size} if shape is None else describe_shape(shape)
    return {"name": model.name, "architecture": model.architecture, **sizes}


def _token_flops(model: Network | Pipeline | None) -> float | None:
    """Forward FLOPs of a token of a decoder, the mean over a sequence of `SEQUENCE`. [FLOP]"""
    if not isinstance(model, Decoder):
        return None
    return float(model.flops(model.streams(tokens=SEQUENCE, logits=SEQUENCE)) / SEQUENCE)


def _counted(model: Network | Pipeline) -> list[tuple[str, int]]:
    """Parameters, counted on the parts; of each network for a pipeline."""
    if isinstance(model, Pipeline):
        networks: list[Network] = [network for network, _ in model.transformers]
        networks += [model.autoencoder] if model.autoencoder else []
        networks += [encoder for encoder, _ in model.encoders]
        return [("all networks", model.params), *((network.name, network.params) for network in networks)]
    active = [("a token's way", model.active_params)] if model.active_params != model.params else []
    return [("the network", model.params), *active]


def _figures(
    record: Mapping[str, Any], counted: list[tuple[str, int]], flops: float | None = None
) -> list[tuple[str, str, str]]:
    kind = str(record.get("kind", ""))
    rows = [(f"parameters of {word}", show(params, quantity.PARAMS), "derived") for word, params in counted]
    rows = rows or [("parameters", "unknown", "")]
    if flops is not None:
        rows.append((f"FLOPs of a token, mean of {SEQUENCE:,}", show(flops, quantity.FLOP), "derived"))
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
