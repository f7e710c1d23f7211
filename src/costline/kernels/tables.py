"""Which files of the package of measured kernels hold measurements of which chip, and which of them count.

The package lays its tables out as ``systems/data/<system>/<family>/<software>/<version>/<table>_perf.parquet``. Files
that its own ``reuse.yaml`` declares as taken over from another version, and all versions of a software but its newest
complete one, are left out: they would count one measurement several times.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from costline.errors import InputError

PACKAGE, DISTRIBUTION = "aiconfigurator_core", "aiconfigurator-core"
MISSING = (
    f"measured kernels are in the package {DISTRIBUTION} (Linux on x86-64), which is not installed: "
    "pip install '.[kernels]' in a clone"
)
SYSTEMS = {
    "a100_sxm": ("a100-sxm-80gb", r"A100-SXM4-80GB"),
    "b200_sxm": ("b200", r"NVIDIA B200\b"),
    "b300_sxm": ("b300", r"NVIDIA B300\b"),
    "b60": ("arc-pro-b60", r"Arc\(TM\) Pro B60"),
    "gb200": ("gb200", r"\bGB200\b"),
    "gb300": ("gb300", r"\bGB300\b"),
    "h100_sxm": ("h100-sxm", r"H100 80GB HBM3"),
    "h200_sxm": ("h200-sxm", r"\bH200\b"),
    "l40s": ("l40s", r"\bL40S\b"),
    "rtx_pro_6000_server": ("rtx-pro-6000", r"RTX PRO 6000"),
}
"""System of the package -> chip of the catalogue, and how a row names the device it was measured on."""
TABLES = (
    "gemm", "moe", "context_attention", "generation_attention", "context_mla", "generation_mla", "custom_allreduce",
    "nccl",
)  # fmt: skip
"""Tables that are read."""
SUPPLEMENT = 0.5
"""Size of a file over that of an older version's below which it holds shapes of new models, not all of them anew."""


@dataclass(frozen=True, slots=True)
class File:
    """One table of one chip as one version of a software gives it.

    Attributes
    ----------
    system, table, software, version : str
        As the package names them.
    path : Path
        The parquet file.
    """

    system: str
    table: str
    software: str
    version: str
    path: Path

    @property
    def chip(self) -> str:
        """Chip of the catalogue."""
        return SYSTEMS[self.system][0]

    @property
    def device(self) -> str:
        """Regular expression of the devices whose rows are measurements of this chip."""
        return SYSTEMS[self.system][1]


def installed() -> Path:
    """Folder of the package; the package itself is not imported.

    Raises
    ------
    InputError
        It is not installed; the message names the extra.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise InputError(MISSING)
    return Path(next(iter(found.submodule_search_locations)))


def package_version() -> str:
    """Version of the installed package; empty where its metadata are missing."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return ""


def files_of(package: Path, chips: Iterable[str] = ()) -> tuple[File, ...]:
    """Files that count, in a fixed order: of each software its newest version.

    Parameters
    ----------
    package : Path
        Folder of the package.
    chips : iterable of str
        Chips of the catalogue; empty for all.

    Raises
    ------
    InputError
        The folder holds no such table.
    """
    wanted, newest = set(chips), dict[tuple[str, str, str], File]()
    for path in sorted((package / "systems" / "data").glob("*/*/*/*/*_perf.parquet")):
        file = _file(path)
        if file is None or (wanted and file.chip not in wanted) or file.table in _taken_over(path.parent):
            continue
        key = (file.system, file.table, file.software)
        if key not in newest or _replaces(file, newest[key]):
            newest[key] = file
    if not newest:
        raise InputError(f"{package.name}: no table of measured kernels for {', '.join(sorted(wanted)) or 'any chip'}")
    return tuple(newest[key] for key in sorted(newest))


def _replaces(file: File, held: File) -> bool:
    """Whether a version is newer than the one held and as complete, or older and the one held a supplement."""
    newer, older = sorted((file, held), key=lambda each: _order(each.version), reverse=True)
    complete = newer.path.stat().st_size >= SUPPLEMENT * older.path.stat().st_size
    return file is (newer if complete else older)


def _file(path: Path) -> File | None:
    system, _, software, version = path.parts[-5:-1]
    table = path.name.removesuffix("_perf.parquet")
    known = system in SYSTEMS and table in TABLES and (software == "nccl") == (table == "nccl")
    return File(system, table, software, version, path) if known else None


@functools.cache
def _taken_over(folder: Path) -> frozenset[str]:
    """Tables that a folder declares as copied from another version."""
    declared = folder / "reuse.yaml"
    if not declared.exists():
        return frozenset()
    found = re.findall(r"^\s*-\s*table:\s*(\w+)", declared.read_text("utf-8"), re.M)
    return frozenset(name.removesuffix("_perf") for name in found)


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of a version: numbers by value; a release after its candidates.

    Examples
    --------
    >>> _order("1.10.0") > _order("1.9.2"), _order("1.3.0") > _order("1.3.0rc20") > _order("1.3.0rc9")
    (True, True)
    """
    pieces = re.findall(r"\d+|[a-z]+", version.lower())
    keys = [(1, int(each), "") if each.isdigit() else (0 if each == "rc" else 2, 0, each) for each in pieces]
    return (*keys, (0, 1, "")) if "rc" not in pieces else tuple(keys)


def files_hash(files: Iterable[File]) -> str:
    """First twelve digits of the SHA-256 of the files, in the order given."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.path.read_bytes())
    return digest.hexdigest()[:12]
