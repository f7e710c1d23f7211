"""A model as it was given: by a name of the catalogue, or by a file or folder that speaks for itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costline.catalogue.book import Catalogue
from costline.models.decoders.precision import Stored, stated_precision
from costline.models.encoder import Encoder
from costline.models.files import read_config_file
from costline.models.importer import CAUSAL, read_network
from costline.models.network import Network
from costline.models.pipeline import Pipeline
from costline.precision import Narrow

USUAL = "bf16"
"""Format of which nothing need be said."""


def names_file(given: str | Path) -> bool:
    """Whether a model is given by a file or folder, and not by a name of the catalogue."""
    path = Path(given).expanduser()
    return isinstance(given, Path) or path.suffix in {".json", ".toml"} or _exists(path)


def _exists(path: Path) -> bool:
    """Whether there is such a file; a name no file can have is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def narrow_in(given: str | Path | Network | Pipeline | None, form: str, book: Catalogue) -> Narrow:
    """Which weights of a model a format of fewer than 16 bits applies to: what checkpoints of that name in it do."""
    named = isinstance(given, str) and not names_file(given)
    return book.narrow_in(str(given), form) if named else "layers"


def with_head(given: str | Path | Network | Pipeline, found: Network | Pipeline) -> Network | Pipeline:
    """The language model of which a text encoder is the trunk (qwen2.5-vl-7b); anything else as it is."""
    if not isinstance(found, Encoder) or found.architecture not in CAUSAL or isinstance(given, Network | Pipeline):
        return found
    from costline.catalogue.model_table import shipped_networks

    row = shipped_networks().get(found.name)
    if names_file(given):
        path = Path(given).expanduser()
        config: Mapping[str, Any] = read_config_file(path / "config.json" if path.is_dir() else path)
    elif row is not None and row.architecture == found.architecture:
        config = row.config
    else:
        return found
    return read_network(config, found.name, CAUSAL[found.architecture])


def stored_precision(given: str | Path | Network | Pipeline | None, book: Catalogue) -> tuple[Stored, str] | None:
    """How a model's weights are stored, and who says so; None where nobody does, or where it is the usual format.

    A configuration file speaks for itself; for a name the catalogue says how its publisher ships it.

    Raises
    ------
    ConfigError
        A configuration whose weights are quantised in a way that is not known.
    """
    if given is None or isinstance(given, Network | Pipeline):
        return None
    path = Path(given).expanduser()
    if names_file(given):
        path = path / "config.json" if path.is_dir() else path
        if path.suffix != ".json" or not _exists(path):
            return None
        stated = stated_precision(read_config_file(path))
        found = None if stated is None else (stated, "as the configuration says")
    else:
        named = book.stored_format(str(given))
        found = None if named is None else (named[0], f"as its publisher ships it: {named[1]}")
    return None if found is None or found[0].weights == USUAL else found
