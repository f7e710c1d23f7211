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

KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
"""What JSON may hold in place of an object."""


def read_config_file(path: Path) -> dict[str, Any]:
    """Parse a ``config.json``.

    Raises
    ------
    ConfigError
        No such file, no plain file, too large, not UTF-8, not JSON, not an object, a key twice, nested too deeply, NaN.
    """
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: is a {'folder' if path.is_dir() else 'device or a pipe'}, not a file")
        with path.open("rb") as file:  # no more than is read anyway, whatever the file says of its size
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ConfigError(f"{path}: too large; a configuration has at most {LARGEST_FILE:,} bytes")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start:,})") from None
    if _depth(text) > DEEPEST:
        raise ConfigError(f"{path}: nested deeper than {DEEPEST} levels")
    try:
        parsed = json.loads(text, parse_constant=_constant, object_pairs_hook=_no_doubles)
    except (json.JSONDecodeError, ValueError) as error:
        reason = str(error).partition("; use sys.")[0][:120]  # a hint for programmers, of numbers of 4,300 digits
        raise ConfigError(f"{path}: not JSON: {reason}") from None
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path}: holds {KINDS.get(type(parsed), 'null')}, not an object with fields")
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


def _constant(word: str) -> str:
    """``Infinity`` as Python writes it into limits that nothing counts: a word, so that no number can be infinite."""
    if word == "Infinity":
        return word
    raise ValueError(f"{word} is not a number that a configuration can hold")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {twice[:60]!r} stands twice")
    return fields
