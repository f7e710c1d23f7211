"""A local pipeline folder in the layout of diffusers.

``model_index.json`` names the components, each of which has a sub-folder with a ``config.json``. Nothing is executed
and no weights are opened. Defaults of the class of pipeline come from the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from costline.catalogue.model_table import PipelineRow, pipeline_defaults, pipeline_like, shipped_pipelines
from costline.errors import ConfigError, visible
from costline.models.autoencoder import Autoencoder
from costline.models.decoder import Decoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.files import read_config_file
from costline.models.importer import READERS, read_network
from costline.models.network import Network
from costline.models.pipeline import Pipeline, decoded, fitted, shared_steps

INDEX = "model_index.json"
TRANSFORMERS = ("transformer", "transformer_2", "unet")
AUTOENCODER = "vae"
ENCODER = re.compile(r"text_encoder(_[0-9])?")
WEIGHTLESS = re.compile(
    r"scheduler|(image_)?tokenizer(_[0-9])?|.*feature_extractor|.*processor|guider|safety_checker|watermark(er)?|id2label"
)
"""Components without a share in the cost, or (`safety_checker`) outside the model."""
UNCOUNTED = frozenset({
    "image_encoder", "audio_vae", "vocoder", "connectors", "prompt_enhancer", "duration_head", "latent_upsampler",
})  # fmt: skip
"""Networks that run once or not at all in a text-to-video call and are not counted; the pipeline says so in a note."""
TEXT_CLASSES = {"Gemma2PreTrainedModel": "Gemma2Model", "Qwen2_5_VLTextModel": "Qwen2Model"}
"""Class named by a pipeline -> class of the same trunk."""


DEFAULTS = ("steps", "branches", "fps", "frames", "height", "width", "shift")
"""What a pipeline does where nobody says otherwise."""


def read_pipeline(folder: Path) -> Pipeline:
    """Read a local diffusers folder.

    Parameters
    ----------
    folder : Path
        Folder with ``model_index.json`` and a sub-folder with ``config.json`` for each network.

    Raises
    ------
    ConfigError
        A file that is missing or malformed, a component or class that is not known.
    """
    index = read_config_file(folder / INDEX)
    cls = index.get("_class_name")
    if not isinstance(cls, str):
        raise ConfigError(f"{folder / INDEX}: names no pipeline ('_class_name')")
    components = _components(index, folder)
    row = pipeline_defaults(cls)
    notes = [f"not counted: {key} ({components[key]})" for key in components if key in UNCOUNTED]
    if row is None:
        row = PipelineRow(name=cls)
        notes.append(
            f"{cls} is not in the table of pipelines: its own defaults unknown, text as long as the transformer sees"
        )
    autoencoder = _autoencoder(components, folder, row.upcasts)
    networks = [
        fitted(_transformer(folder, key, components[key]), autoencoder, row.text_tokens)
        for key in TRANSFORMERS
        if key in components
    ]
    if not networks:
        raise ConfigError(f"{folder / INDEX}: has neither {' nor '.join(TRANSFORMERS)}")
    row = _as_named(row, networks, visible(folder.resolve().name), notes)
    notes += _expert_notes(networks, index, row.shift)
    return Pipeline(
        name=visible(folder.resolve().name),
        transformers=shared_steps(networks, _boundary(index, folder), row.shift),
        autoencoder=autoencoder,
        encoders=_encoders(components, folder, row.tokens, networks[0], notes),
        steps=row.steps,
        branches=networks[0].branches if row.branches is None else row.branches,
        fps=row.fps,
        frames=row.frames,
        height=row.height,
        width=row.width,
        source=f"{folder.name}/{INDEX}" + (f"; defaults: {row.source}" if row.source else ""),
        notes=tuple(notes),
    )


def _as_named(row: PipelineRow, networks: list[DiT], name: str, notes: list[str]) -> PipelineRow:
    """Defaults of the catalogue's pipeline with the same transformers; a class serves models of several sizes."""
    kin = pipeline_like(networks[0], name, len(networks))
    if kin is None or len(kin.transformers) != len(networks):
        return row
    named = shipped_pipelines()[kin.name]
    known = {field: getattr(named, field) for field in DEFAULTS if getattr(named, field) is not None}
    own = {field: getattr(row, field) for field in known}
    changed = [
        f"{field} {value:g}" + (f" for {own[field]:g}" if own[field] is not None else "")
        for field, value in known.items()
        if value != own[field]
    ]
    if changed:
        notes.append(f"defaults of {kin.name}, whose transformers have the same shape: {', '.join(changed)}")
    return replace(row, **known)


def _components(index: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Component -> class, for components that are there and have weights."""
    found: dict[str, str] = {}
    for key, value in index.items():
        if key.startswith("_") or not isinstance(value, list):
            continue  # a setting of the pipeline, such as boundary_ratio
        if len(value) != 2 or not all(isinstance(part, str | None) for part in value):
            raise ConfigError(f"{folder / INDEX}: component {key[:60]!r} is not a pair of library and class")
        if value[1] is None or WEIGHTLESS.fullmatch(key):
            continue
        if not (key in TRANSFORMERS or key == AUTOENCODER or ENCODER.fullmatch(key) or key in UNCOUNTED):
            raise ConfigError(f"{folder / INDEX}: component {key[:60]!r} ({value[1][:60]}) is not known")
        found[key] = value[1]
    return found


def _boundary(index: Mapping[str, Any], folder: Path) -> float | None:
    value = index.get("boundary_ratio")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ConfigError(f"{folder / INDEX}: boundary_ratio must lie between 0 and 1, got {str(value)[:40]}")
    return float(value)


def _expert_notes(networks: list[DiT], index: Mapping[str, Any], shift: float | None) -> list[str]:
    if len(networks) == 1:
        return []
    if index.get("boundary_ratio") is None:
        return ["no boundary_ratio between the two transformers: each is taken to run half of the steps"]
    if shift is None:
        return ["timestep shift unknown: the steps are shared between the two transformers as without one"]
    return []


def _component(folder: Path, key: str, cls: str) -> Network:
    """Read one component by its class and its configuration."""
    if cls not in READERS:
        raise ConfigError(f"{folder / key}: class {cls[:60]!r} of component {key!r} is not known")
    path = folder / key / "config.json"
    if not path.is_file():
        raise ConfigError(f"{path}: missing; it describes component {key!r} ({cls}) of {folder / INDEX}")
    return read_network(read_config_file(path), f"{visible(folder.resolve().name)}/{key}", cls)


def _transformer(folder: Path, key: str, cls: str) -> DiT:
    network = _component(folder, key, cls)
    if not isinstance(network, DiT):
        raise ConfigError(f"{folder / key}: {cls} is not a diffusion transformer")
    return network


def _autoencoder(components: Mapping[str, str], folder: Path, upcasts: bool) -> Autoencoder | None:
    if AUTOENCODER not in components:
        return None
    network = _component(folder, AUTOENCODER, components[AUTOENCODER])
    if not isinstance(network, Autoencoder):
        raise ConfigError(f"{folder / AUTOENCODER}: {components[AUTOENCODER]} is not an autoencoder")
    return decoded(network, upcasts)


def _encoders(
    components: Mapping[str, str], folder: Path, tokens: Mapping[str, int], network: DiT, notes: list[str]
) -> tuple[tuple[Encoder, int], ...]:
    """Text encoders with the length each runs at; a length nobody states is that of the transformer's text."""
    found = []
    for key, cls in components.items():
        if not ENCODER.fullmatch(key):
            continue
        length = tokens.get(key, network.fixed_streams.get("text"))
        if length is None:
            raise ConfigError(f"{folder / INDEX}: how many tokens {key!r} ({cls}) runs at is not known")
        if tokens and key not in tokens:
            notes.append(f"{key} is taken to run at the {length} tokens the transformer sees")
        found.append((_encoder(_component(folder, key, TEXT_CLASSES.get(cls, cls)), folder / key), length))
    return tuple(found)


def _encoder(network: Network, path: Path) -> Encoder:
    """The network as an encoder; of a language model only the trunk is counted, not the head that makes logits."""
    if isinstance(network, Decoder):
        from costline.models.encoders.trunks import as_encoder

        return as_encoder(network)
    if not isinstance(network, Encoder):
        raise ConfigError(f"{path}: {network.architecture} is not a text encoder")
    return network
