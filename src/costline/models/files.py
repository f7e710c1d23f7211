"""Reading a configuration file that may be malformed or hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from costline.errors import ConfigError

LARGEST_FILE = 5_000_000
"""Real configurations have a few kilobytes; quantised ones list their layers and reach some hundreds. [byte]"""
DEEPEST = 32
"""Real configurations nest four deep."""


def read_config_file(path: Path) -> dict[str, Any]:
    """Parse a ``config.json``.

    Raises
    ------
    ConfigError
        No such file, too large, not UTF-8, not JSON, not an object, a key twice, nested too deeply, NaN.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ConfigError(f"{path}: {size:,} bytes; a configuration has at most {LARGEST_FILE:,}")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start:,})") from None
    if _depth(text) > DEEPEST:
        raise ConfigError(f"{path}: nested deeper than {DEEPEST} levels")
    try:
        parsed = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except (json.JSONDecodeError, ValueError) as error:
        raise ConfigError(f"{path}: not JSON: {str(error)[:120]}") from None
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path}: holds a {type(parsed).__name__}, not an object with fields")
    return parsed


def _depth(text: str) -> int:
    """Most brackets open at once, those in strings counted too: an upper bound that needs no parser."""
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a number that a configuration can hold")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {twice[:60]!r} stands twice")
    return fields
