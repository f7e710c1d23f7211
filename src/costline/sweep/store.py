"""The folder of a sweep: a manifest, and one Parquet file a block that is either whole or not there.

::

    out/_manifest.json         scenario, its hash, columns with units
    out/block-000000.parquet   written under another name, then renamed
    out/.lock                  held while a sweep is running

Readers of Parquet folders skip names that begin with an underscore or a dot, so ``pandas.read_parquet("out")`` and
``polars.scan_parquet("out/*.parquet")`` read the folder as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from costline.errors import InputError
from costline.sweep.arrow import Column, pyarrow

SCHEMA = "costline.sweep/1"
MANIFEST = "_manifest.json"
LOCK = ".lock"
PART = re.compile(r"\.block-\d{6,}\.part")


@dataclass(frozen=True)
class Manifest:
    """What a folder holds.

    Attributes
    ----------
    scenario : mapping
        The scenario as plain values.
    digest, environment : str
        Hashes of the scenario with its files, and of costline with its tables and libraries.
    points, block, blocks : int
        Points in all, points of a block, number of blocks.
    columns : tuple of Column
        Columns of every file.
    """

    scenario: Mapping[str, Any]
    digest: str
    environment: str
    points: int
    block: int
    blocks: int
    columns: tuple[Column, ...]

    @property
    def mark(self) -> str:
        """What each file of this sweep carries."""
        return f"{self.digest[:32]}{self.environment[:32]}"

    def rows(self, number: int) -> int:
        """Points of one block."""
        return min(self.block, self.points - number * self.block)

    @property
    def words(self) -> dict[str, list[str]]:
        """Words of each axis of words."""
        axes = self.scenario["axes"]
        return {axis["name"]: [str(word) for word in axis["words"]] for axis in axes if "words" in axis}


@dataclass(frozen=True)
class Folder:
    """A folder of blocks."""

    path: Path

    def block(self, number: int) -> Path:
        """File of a block."""
        return self.path / f"block-{number:06d}.parquet"

    def manifest(self) -> Manifest:
        """Read the manifest.

        Raises
        ------
        InputError
            There is none, or it is not one.
        """
        path = self.path / MANIFEST
        try:
            body = json.loads(path.read_text("utf-8"))
            if body.pop("schema") != SCHEMA:
                raise InputError(f"{path}: not of the layout {SCHEMA}")
            columns = tuple(Column(**column) for column in body.pop("columns"))
            return Manifest(columns=columns, **body)
        except FileNotFoundError:
            raise InputError(f"{self.path}: no sweep is kept here ({MANIFEST} is missing)") from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None

    def begin(self, manifest: Manifest) -> None:
        """Make the folder ready: write the manifest, or check that the one here is the same sweep.

        Raises
        ------
        InputError
            The folder holds something else, or a sweep of another scenario or another costline.
        """
        if (self.path / MANIFEST).exists():
            self._same(manifest)
            return
        others = [one.name for one in self.path.iterdir() if one.name != LOCK]
        if others:
            raise InputError(f"{self.path}: not empty and no sweep (holds {others[0]}); choose another folder")
        body = {"schema": SCHEMA, **asdict(manifest)}
        self._write(MANIFEST, json.dumps(body, indent=1, default=str).encode(), ".manifest.part")

    def _same(self, manifest: Manifest) -> None:
        here = self.manifest()
        if here.digest != manifest.digest:
            changed = differences(here.scenario, json.loads(json.dumps(manifest.scenario, default=str)))
            raise InputError(f"{self.path}: holds a sweep of another scenario ({changed}); choose another folder")
        if here.environment != manifest.environment:
            raise InputError(
                f"{self.path}: was begun with another costline or other libraries, whose results may differ; "
                "go on with those, or choose another folder"
            )

    def finished(self, manifest: Manifest) -> set[int]:
        """Blocks that are here and whole; parts of others are removed."""
        for one in self.path.iterdir():
            if PART.fullmatch(one.name):
                one.unlink()
        return {number for number in range(manifest.blocks) if self._whole(number, manifest)}

    def _whole(self, number: int, manifest: Manifest) -> bool:
        path = self.block(number)
        if not path.exists():
            return False
        try:
            found = pyarrow("pyarrow.parquet").read_metadata(path)
        except (OSError, pyarrow().ArrowInvalid):
            return False
        own = (found.metadata or {}).get(b"costline.sweep", b"").decode()
        return bool(found.num_rows == manifest.rows(number) and own == manifest.mark)

    def keep(self, number: int, body: bytes) -> None:
        """Write a block so that it is there whole or not at all."""
        self._write(self.block(number).name, body, f".block-{number:06d}.part")

    def _write(self, name: str, body: bytes, part: str) -> None:
        place = self.path / part
        try:
            with place.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            place.replace(self.path / name)
        except OSError:
            place.unlink(missing_ok=True)
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one sweep; the lock ends with the process, however it ends.

        Raises
        ------
        InputError
            Another process holds it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / LOCK).open("w")
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from None
        with lock:
            try:
                import fcntl
            except ImportError:  # not on Windows; two sweeps would write the same blocks twice, nothing worse
                yield
                return
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(f"{self.path}: another process is running a sweep into this folder") from None
            yield

    def free(self) -> int:
        """Free space of the disk. [byte]"""
        place = next(parent for parent in [self.path, *self.path.absolute().parents] if parent.exists())
        return shutil.disk_usage(place).free


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Fields in which two scenarios differ, in words."""

    def named(scenario: Mapping[str, Any]) -> dict[str, Any]:
        axes: Sequence[Mapping[str, Any]] = scenario["axes"]
        rest = {name: value for name, value in scenario.items() if name not in {"axes", "inputs"}}
        return {**rest, **scenario["inputs"], **{f"axis {axis['name']}": axis for axis in axes}}

    before, after = named(old), named(new)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return f"changed: {', '.join(changed)}" if changed else "a file that it names changed"
